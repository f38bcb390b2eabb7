"""What is a language model's own: streams, carried states, scores by symbol."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import birnn
from birnn.config import EncoderConfig
from birnn.data.passages.documents import split_documents
from birnn.data.passages.split import PassageSplit
from birnn.data.passages.symbols import BORDER, UNKNOWN, Characters, Pieces, Words
from birnn.data.passages.windows import StreamWindows
from birnn.errors import ConfigError, DataError, Stopped
from birnn.nn.batch import Batch
from birnn.nn.engines import forced
from birnn.nn.one_way.model import LanguageModel, LanguageSizes
from birnn.tasks.language.generate import drawn, generate, mixed
from birnn.tasks.runs.beginning import load_context
from birnn.tasks.runs.fitting import make_validation
from birnn.tasks.serving.generating import Generation
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest
from birnn.training.checkpoints import Checkpointer
from birnn.training.events import StepEvent
from birnn.training.loop import fit

import contract
from strategies import quick, randomise
from tiny_parts import TRAIN

lengths = st.lists(st.integers(0, 40), min_size=1, max_size=6)


def split_of(sizes: list[int], length: int = 16, context: int = 4) -> PassageSplit:
    """Documents of seeded symbols."""
    generator = np.random.default_rng(0)
    return PassageSplit.of(
        [generator.integers(1, 9, size) for size in sizes], None, length, context
    )


@quick
@given(lengths, st.integers(1, 20), st.integers(1, 9))
def test_passages_hold_each_symbol_once(sizes: list[int], length: int, context: int) -> None:
    split = split_of(sizes, length, context)
    owners = np.zeros(len(split.stream), dtype=int)
    for begin, end in zip(split.begin, split.end, strict=True):
        owners[begin:end] += 1
    inner = split.stream == BORDER
    inner[[0, -1]] = False
    assert (owners[~inner] == 1).all()
    assert (owners[inner] == 2).all()  # the end of a document, and the beginning of the next
    assert split.characters.sum() == sum(sizes) + len(sizes) == split.predicted.sum()
    assert (split.lengths >= 2).all()
    for i in range(len(split)):  # nothing of another document is read
        assert (split.stream[split.left[i] + 1 : split.right[i] - 1] != BORDER).all()


@pytest.mark.parametrize("encoder", ["bigru", "bilstm"])
@pytest.mark.parametrize("engine", ["native", "torch"])
def test_windows_with_carried_states_are_one_long_sequence(encoder: str, engine: str) -> None:
    config = EncoderConfig(encoder=encoder, hidden_size=5, layers=2, norm="layer", residual=True)
    model = randomise(LanguageModel(LanguageSizes(9, 4), config)).train()
    assert isinstance(model, LanguageModel)
    stream = np.random.default_rng(0).integers(0, 9, 61).astype(np.int32)
    batches = StreamWindows(stream, 2, 7, 0, fresh=0.0)
    model.keep_states(batches.rows)
    with forced(engine), torch.no_grad():
        parts = [model(batch) for batch in batches.epoch(0)]
        model.drop_states()
        both = [torch.cat([part[way][:, 1:] for part in parts], dim=1) for way in (0, 1)]
        rows = {name: torch.cat([batch.inputs[name][:, :1] if not number
                                 else batch.inputs[name][:, 1:][:, :0]
                                 for number, batch in enumerate(batches.epoch(0))]
                                + [batch.inputs[name][:, 1:] for batch in batches.epoch(0)], dim=1)
                for name in ("symbols", "mirror")}  # fmt: skip
        for way, name in enumerate(rows):
            symbols = rows[name]
            size = torch.full((2,), symbols.shape[1])
            asked = {"symbols": symbols, "first": torch.zeros(2, dtype=torch.long), "count": size}
            alone = LanguageModel(LanguageSizes(9, 4), config, both=False)
            alone.embedding, alone.directions[0] = model.embedding, model.directions[way]
            wanted = alone(Batch(asked, size)).forward[:, 1:]
            torch.testing.assert_close(both[way], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("encoder", ["bigru", "bilstm"])
def test_a_stream_that_is_stopped_goes_on_with_the_same_bits(encoder: str, tmp_path: Path) -> None:
    """The states that are carried are part of a checkpoint."""
    case = contract.with_encoder(contract.prepare("language", "lines", tmp_path), encoder)
    train = replace(TRAIN, epochs=2, learning_rate=0.01, batch_size=4)
    task = type(case.task)(replace(case.task.config, train=train))

    def trained(keeper: Checkpointer | None, steps: int) -> dict[str, torch.Tensor]:
        model = case.model(seed=3)
        task.make_room(model, case.data)
        validation = make_validation(task, case.data, train, model)
        assert case.data.stream is not None
        done = 0
        for event in fit(model, task.loss, case.data.stream(train), train, validation, keeper):
            if isinstance(event, StepEvent) and keeper is not None:
                done += 1
                keeper.stop.asked = done >= steps
        return {name: part.clone() for name, part in model.state_dict().items()}

    wanted, found, stops = trained(None, 0), None, 0
    while found is None:
        config = CheckpointConfig(keep_checkpoints=1)
        keeper = Checkpointer(tmp_path / "kept", config, StopRequest(asked=False))
        try:
            found = trained(keeper, 3 + stops)
        except Stopped:
            stops += 1
    assert stops >= 2
    assert any(name.startswith("carried") for name in wanted)
    for name, part in wanted.items():
        assert torch.equal(part, found[name]), name


def test_mirrored_windows_are_the_stream_from_its_end() -> None:
    stream = np.arange(100, dtype=np.int32)
    for batch in StreamWindows.of(stream, 3, 8, 1).epoch(2):
        symbols, mirror = batch.inputs["symbols"], batch.inputs["mirror"]
        torch.testing.assert_close(mirror, 99 - symbols)
        assert (symbols.diff(dim=1) == 1).all()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> birnn.Run:
    """A tiny model of both directions, of one long text, with random weights."""
    folder = tmp_path_factory.mktemp("language")
    path = folder / "text.txt"
    path.write_text("To be, or not to be: that is the question.\n" * 60)
    made = birnn.train(
        "language", path, out=folder / "run", epochs=1, hidden_size=6, passage=64, overlap=16,
        symbol_size=4, batch_size=4, window=16, ngram_order=4,
    )  # fmt: skip
    randomise(made.loaded.model)
    return made


TEXTS = ["", "to be", "\n", "To be, or not to be: that is the question. " * 9, "\u2603 é", "be"]


def test_a_text_alone_and_in_a_batch_has_the_same_scores(run: birnn.Run) -> None:
    together = run.predict_records(TEXTS)
    for text, record in zip(TEXTS, together, strict=True):
        (alone,) = run.predict_records([text])
        assert len(record["symbols"]) == len(text)
        for one, other in zip(alone["symbols"], record["symbols"], strict=True):
            assert one == pytest.approx(other, abs=1e-5)


def test_bits_of_symbols_sum_to_those_of_the_text(run: birnn.Run) -> None:
    for text, record in zip(TEXTS, run.predict_records(TEXTS), strict=True):
        bits = sum(part["bits"] for part in record["symbols"]) + record["end_bits"]
        assert bits / (len(text) + 1) == pytest.approx(record["bits_per_character"], rel=1e-5)


def test_what_a_passage_is_scored_from_is_what_stands_around_it(run: birnn.Run) -> None:
    """Scores of long documents don't depend on what stands beyond the context."""
    text = "To be, or not to be: that is the question. " * 9
    (whole,) = run.predict_records([text])
    (other,) = run.predict_records([text[:-20] + "?" * 20])
    same = [part["bits"] for part in whole["symbols"][:200]]
    assert same == pytest.approx([part["bits"] for part in other["symbols"][:200]], abs=1e-5)


def test_n_grams_are_mixed_in_by_weights_of_validation(run: birnn.Run) -> None:
    metrics = json.loads((run.folder / "metrics.json").read_text())
    for told in metrics["train"]["mixture"].values():
        assert told["mixed"] <= min(told["network"], told["ngrams"]) + 0.2
        assert all(0 < weight < 1 for weight in told["weights"])
    alone = metrics["details"]["network_alone"]["bits_per_character"]["value"]
    mixed = metrics["test"]["model"]["bits_per_character"]["value"]
    assert mixed < alone


def test_unknown_characters_are_told() -> None:
    alphabet = Characters.of(["abca", "b"], min_frequency=2)
    assert alphabet.symbols == ["a", "b"]
    assert alphabet.encode("ac\U0001f600").tolist() == [2, UNKNOWN, UNKNOWN]
    assert alphabet.decode([2, 3, UNKNOWN, BORDER]) == "ab\ufffd"


@given(st.text(max_size=40))
def test_words_joined_are_the_text(text: str) -> None:
    words = Words.of([text, "It was fine. It was"], min_frequency=2)
    assert "".join(words.pieces(text)) == text
    assert len(words.encode(text)) == len(words.pieces(text))
    assert words.decode(words.encode(" was was")) == " was was"


@given(st.text(max_size=40))
def test_pieces_joined_are_the_text(text: str) -> None:
    costs = {" th": 2.0, " the": 1.0, "e": 3.0, " ": 4.0, "\n": 0.0, "a": 2.5, "ab": 2.0}
    pieces = Pieces(list(costs), list(costs.values()))
    for own in (text, f"the  ab\n{text} thea"):
        assert "".join(pieces.pieces(own)) == own
        assert len(pieces.encode(own)) == len(pieces.pieces(own))
    assert pieces.pieces("ab the\n th  ea") == ["ab", " the", "\n", " th", " ", " ", "e", "a"]
    assert pieces.decode(pieces.encode("ab the\n")) == "ab the\n"


@pytest.mark.parametrize(("unit", "tied"), [("words", False), ("pieces", True)])
def test_words_and_pieces_are_scored_by_character(unit: str, tied: bool, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("To be, or not to be: that is the question.\n" * 40)
    made = birnn.train(
        "language", path, out=tmp_path / "run", unit=unit, epochs=1, hidden_size=4, window=16,
        passage=64, overlap=8, symbol_size=4, batch_size=4, ngram_order=3, tied=tied,
        vocabulary_limit=30,
    )  # fmt: skip
    assert made.loaded.info.unit == unit
    (record,) = made.predict_records(["To be: unheard"])
    cut = [part["symbol"] for part in record["symbols"]]
    assert "".join(cut) == "To be: unheard"
    if unit == "words":
        assert cut == ["To", " be", ":", " unheard"]
    bits = sum(part["bits"] for part in record["symbols"]) + record["end_bits"]
    assert record["bits_per_character"] == pytest.approx(bits / 15, rel=1e-5)
    scores = json.loads((made.folder / "metrics.json").read_text())["test"]
    own, grams = scores["model"], scores["baselines"]["kneser_ney"]
    assert set(own) == set(grams)
    assert made.evaluate()["bits_per_character"]["value"] == pytest.approx(
        own["bits_per_character"]["value"], rel=1e-5
    )
    assert next(iter(generate(made.loaded, "To", Generation(length=5)))).startswith("To")
    with pytest.raises(ConfigError, match="only characters"):
        load_context(str(made.folder))


def test_few_texts_are_cut_and_many_are_drawn() -> None:
    shares = {"test": 0.1, "validation": 0.05}
    text = "".join(map(chr, range(100, 5100)))
    splits, notes = split_documents({"train": [text]}, shares, 0, "x")
    assert splits["test"] == [text[-500:]]
    assert sum(len(part) for parts in splits.values() for part in parts) == 5000
    assert "".join([splits["train"][0], splits["validation"][0], splits["train"][1]]) == text[:4500]
    assert len(notes) == 2
    many = [f"text {i % 80}" for i in range(100)]
    splits, _ = split_documents({"train": many}, shares, 0, "x")
    assert sorted(text for parts in splits.values() for text in parts) == sorted(many)
    assert not set(splits["train"]) & {*splits["test"], *splits["validation"]}
    with pytest.raises(DataError, match="too little text"):
        split_documents({"train": ["ab"]}, shares, 0, "x")


def test_folders_and_tables_of_texts(birnn: Any, tmp_path: Path) -> None:
    from birnn.data.passages.documents import read_documents
    from birnn.data.tables.dialect import ReadOptions

    for split in ("train", "test"):
        (tmp_path / "folder" / split).mkdir(parents=True)
        (tmp_path / "folder" / split / "a.txt").write_text(f"one {split}\ntwo\n")
    read = read_documents(str(tmp_path / "folder"), ReadOptions(), "lines")
    assert read.splits == {"test": ["one test", "two"], "train": ["one train", "two"]}
    table = tmp_path / "t.jsonl"
    table.write_text('{"text": "a b"}\n{"text": ""}\n{"text": "c"}\n')
    read = read_documents(str(table), ReadOptions())
    assert read.splits == {"train": ["a b", "c"]}
    assert any("1 row of train without text" in note for note in read.notes)
    empty = tmp_path / "empty.txt"
    empty.write_text(" \n")
    assert "holds no text" in birnn("language", "--data", empty, "--out", tmp_path / "r").refusal()


@torch.no_grad()
def test_a_tied_model_reads_symbols_off_by_their_vectors() -> None:
    model = randomise(LanguageModel(LanguageSizes(9, 4, tied=True), EncoderConfig(hidden_size=5)))
    assert isinstance(model, LanguageModel)
    states, way = torch.randn(2, 3, 5), model.way(0)
    assert way.bias is not None
    made = states.numpy() @ way.linear.weight.numpy().T + way.linear.bias.numpy()
    wanted = made @ model.embedding.weight.numpy().T + way.bias.numpy()
    np.testing.assert_allclose(way.logits(states, model.embedding.weight), wanted, atol=1e-5)
    shapes = {name: tuple(part.shape) for name, part in model.named_parameters()}
    assert shapes["directions.0.linear.weight"] == (4, 5)


def test_generate_goes_on_by_the_chances_of_the_model(run: birnn.Run) -> None:
    """What is drawn has the chances that a score of the text says, n-grams mixed in."""
    model, read = run.loaded.model, [0, *run.loaded.info.symbols.encode("To b").tolist()]
    steps = torch.tensor([read])
    states = model.states(0, steps, torch.tensor([len(read)]))
    own = model.way(0).logits(states[0, -1], model.embedding.weight).log_softmax(-1).double()
    chances = mixed(model.ngrams, read, own)
    assert float(chances.exp().sum()) == pytest.approx(1, abs=1e-5)
    for symbol in ("e", " ", "q"):
        (record,) = run.predict_records([f"To b{symbol}"])
        bits = -float(chances[run.loaded.info.symbols.encode(symbol)[0]]) / np.log(2)
        assert record["symbols"][-1]["bits"] == pytest.approx(bits, abs=1e-4)


def test_generated_texts_depend_on_their_seed_alone(run: birnn.Run) -> None:
    one = list(generate(run.loaded, "To be", Generation(length=30, count=1, seed=3)))
    several = list(generate(run.loaded, "To be", Generation(length=30, count=3, seed=3)))
    assert several[:1] == one
    assert all(text.startswith("To be") and len(text) <= 35 for text in several)
    assert len(set(several)) > 1
    sure = [*generate(run.loaded, "To", Generation(length=9, temperature=0.0, count=2))]
    assert sure[0] == sure[1]


@quick
@given(st.lists(st.floats(-20, 0), min_size=4, max_size=8), st.floats(0.1, 5), st.floats(0.01, 1))
def test_only_the_likeliest_are_drawn(logs: list[float], temperature: float, top: float) -> None:
    wish = Generation(temperature=temperature, top_p=top)
    chances = np.array(logs)
    chosen = drawn(chances, wish, np.random.default_rng(0))
    shares = np.exp(chances / temperature)
    shares[UNKNOWN] = 0
    shares /= shares.sum()
    assert chosen != UNKNOWN
    assert shares[shares > shares[chosen]].sum() < top + 1e-9


def test_generate_prints_texts(run: birnn.Run, request: pytest.FixtureRequest) -> None:
    command = request.getfixturevalue("birnn")
    outcome = command("generate", run.folder, "To be", "--length", 20, "--count", 2, "--json")
    assert outcome.code == 0, outcome.err
    assert [json.loads(line)["text"][:5] for line in outcome.out.splitlines()] == ["To be"] * 2
    assert command("generate", run.folder, "To [b]", "--length", 5).out.startswith("To [b]")
    assert "temperature" in command("generate", run.folder, "--temperature", "-1").refusal()


def test_the_report_shows_mixture_and_surprises(run: birnn.Run) -> None:
    page = (run.folder / "report.html").read_text()
    assert "Network and n-grams" in page
    assert "network alone" in page
    assert "Surprises" in page
