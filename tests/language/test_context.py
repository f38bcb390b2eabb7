"""The states of a language model as features of taggers and classifiers."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import birnn
from birnn.data.splits.spelled import Spelled
from birnn.nn.one_way.context import BorderStates
from birnn.nn.word_embedder import StateReader
from birnn.tasks.core.context import Context
from birnn.tasks.runs.beginning import load_context
from birnn.tasks.runs.launch import make_task

import contract
from strategies import randomise


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny run of language."""
    folder = tmp_path_factory.mktemp("context")
    (folder / "text.txt").write_text("the film was Ada really a bit of Bo n1\n" * 40)
    birnn.train(
        "language", folder / "text.txt", out=folder / "run", epochs=1, hidden_size=3, passage=64,
        overlap=16, symbol_size=4, batch_size=4, window=16, ngram_order=3,
    )  # fmt: skip
    return folder / "run"


def test_states_are_those_after_each_token_and_before_it(language: Path) -> None:
    context = load_context(str(language))
    network = randomise(context.network())
    assert isinstance(network, BorderStates)
    model: Any = network.model
    sentences = [["Ada", "was", "\u2603"], ["film"], ["a", "", "bit"]]
    tokens = sorted({token for row in sentences for token in row})
    spelled = Spelled.of(tokens, context.speller)
    mask = np.arange(3) < np.array([[3], [1], [3]])
    types = np.array([tokens.index(token) for row in sentences for token in row], dtype=np.int32)
    inputs = {name: torch.from_numpy(part) for name, part in spelled.inputs(types, mask).items()}
    found = network(inputs)
    symbols = context.info.symbols
    for row, words in enumerate(sentences):
        texts = [" ".join(words[: i + 1]) for i in range(len(words))]
        for place, text in enumerate(texts):
            read = torch.tensor([[0, *symbols.encode(text).tolist()]])
            left = model.states(0, read, torch.tensor([read.shape[1]]))[0, -1]
            rest = " ".join(words[place:])
            back = torch.tensor([[*symbols.encode(rest).tolist(), 0]]).flip(1)
            right = model.states(1, back, torch.tensor([back.shape[1]]))[0, -1]
            wanted = torch.cat([left, right])
            torch.testing.assert_close(found[row, place], wanted, rtol=1e-5, atol=1e-5)


def train(task: str, variant: str, folder: Path, language: Path) -> Path:
    """A tiny run that reads states."""
    config = contract.tiny(task).TINY[variant](folder)
    options = {"vectors": "none", "hidden_size": 4, "members": 2, "epochs": 2, "threads": 1}
    birnn.train(task, config.data.data, out=folder / "run", context=str(language), **options)
    return folder / "run"


@pytest.fixture(scope="module", params=["tagging", "sentiment"])
def run(request: pytest.FixtureRequest, language: Path, tmp_path_factory: Any) -> Path:
    """A tiny run of each task that reads states."""
    variant = contract.variants(request.param)[0]
    return train(request.param, variant, tmp_path_factory.mktemp(request.param), language)


def test_a_run_holds_a_copy_of_what_it_reads(run: Path, language: Path, tmp_path: Path) -> None:
    """Scores that training reported from states on the disk are those made as needed."""
    moved = shutil.copytree(run, tmp_path / "moved")
    loaded = birnn.load(moved)
    wanted = json.loads((run / "metrics.json").read_text())["test"]["model"]
    for name, score in loaded.evaluate().items():
        assert score["value"] == pytest.approx(wanted[name]["value"], rel=1e-5), name
    own = loaded.loaded.model.context.model.state_dict()
    before = birnn.load(language).loaded.model.state_dict()
    assert {name for name in before if not name.startswith("ngrams")} == set(own)
    for name, weight in own.items():
        assert torch.equal(before[name], weight), name
    kept = json.loads((moved / "context.json").read_text())
    assert kept["options"]["data"]["data"] == ""
    assert isinstance(loaded.loaded.info.context, Context)


def test_batches_change_nothing(run: Path) -> None:
    loaded = birnn.load(run)
    texts = ["the film", "Ada", "a really really long text of Bo, was it \u2603?", "x"]
    together = loaded.predict_records(texts)
    for text, record in zip(texts, together, strict=True):
        (alone,) = loaded.predict_records([text])
        for name in ("probabilities", "tokens"):
            if name == "probabilities" and name in record:
                assert alone[name] == pytest.approx(record[name], abs=1e-5)
            for one, other in zip(alone.get(name, ()), record.get(name, ()), strict=True):
                if name == "tokens":
                    assert one["tag"] == other["tag"]
                    assert one["confidence"] == pytest.approx(other["confidence"], abs=1e-5)


def test_answers_depend_on_its_states(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["the film was Ada", "a really long text of Bo"]
    before = birnn.load(run).predict_records(texts)
    reads = BorderStates.forward
    monkeypatch.setattr(BorderStates, "forward", lambda self, inputs: reads(self, inputs) + 3.0)
    assert birnn.load(run).predict_records(texts) != before


@torch.no_grad()
def test_states_are_read_by_a_linear_layer_half_of_them_hidden() -> None:
    reader, states = StateReader(500).eval(), torch.randn(2, 3, 500)
    weight, bias = reader.linear.weight.numpy(), reader.linear.bias.numpy()
    wanted = states.numpy() @ weight.T + bias
    np.testing.assert_allclose(reader(states), wanted, atol=1e-5)
    hidden = reader.train().dropout(torch.ones(2, 3, 500)) == 0
    assert torch.equal(hidden[:, 0], hidden[:, 2])  # the same for a sentence
    assert 0.4 < hidden[:, 0].float().mean() < 0.6


def test_nothing_of_it_is_trained(run: Path) -> None:
    model = birnn.load(run).loaded.model
    assert not [name for name, _ in model.named_parameters() if name.startswith("context")]
    assert not model.train().context.model.training


def test_what_offers_no_states_is_refused(run: Path, birnn: Any, tmp_path: Path) -> None:
    config = contract.tiny("tagging").TINY["spans"](tmp_path)
    ask = ("tagging", "--data", config.data.data, "--out", tmp_path / "new", "--context")
    assert "--context takes a run of language" in birnn(*ask, run).refusal()
    assert "context: " in birnn(*ask, tmp_path / "none").refusal()
    assert "--context" in birnn("export", run, "--onnx", "--out", tmp_path / "onnx").refusal()
    for content in ("null", "{}", '{"task": "chess", "options": {}, "name": ""}'):
        copy = Path(shutil.copytree(run, tmp_path / f"copy{len(content)}"))
        (copy / "context.json").write_text(content)
        assert str(copy) in birnn("evaluate", copy).refusal()


def test_states_are_kept_on_the_disk(language: Path, tmp_path: Path, monkeypatch: Any) -> None:
    config = contract.tiny("tagging").TINY["spans"](tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = type(config.data)(config.data.data, vectors="none", context=str(language))
    task = make_task("tagging", type(config)(data, config.model, config.encoder, config.train))
    first = task.load()
    files = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npy")}
    assert len(files) == 3
    monkeypatch.setattr("birnn.tasks.core.context._states", lambda *_: pytest.fail("made again"))
    again = task.load()
    for name, split in first.splits.items():
        np.testing.assert_array_equal(split.context, again.splits[name].context)
