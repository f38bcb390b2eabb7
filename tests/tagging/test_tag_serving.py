"""A trained tagger in use: the command line, raw texts with places, files in and out, refusals."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from seqeval.metrics import f1_score

from birnn.data.tags.schemes import violations
from birnn.tasks.tagging.serve import load_tagger, tag_sentences

from writers import Outcome

OPTIONS = [
    *("--hidden-size", "12", "--layers", "1", "--word-size", "8", "--char-size", "6"),
    *("--affix-size", "2", "--epochs", "12", "--members", "1", "--vectors", "none"),
    *("--batch-size", "16", "--learning-rate", "0.02", "--ema", "0", "--dropout", "0"),
]
NAMES, PLACES = ("Ada", "Bo", "Cy", "Di"), ("Rome", "Oslo", "Lima")
FILLER = ("saw", "the", "house", "near", "and", "walks", "to")


def sentences(count: int, seed: int = 0) -> list[list[tuple[str, str]]]:
    """Distinct sentences with people of two words and places of one, in IOB2."""
    generator = random.Random(seed)
    found = []
    for i in range(count):
        rows = [(generator.choice(FILLER), "O") for _ in range(generator.randint(1, 4))]
        person = [(generator.choice(NAMES), "B-per"), (f"Smith{i % 90}", "I-per")]
        rows += [*person, (generator.choice(FILLER), "O"), (generator.choice(PLACES), "B-loc")]
        found.append([*rows, (f"n{seed}x{i}", "O")])
    return found


def write(path: Path, rows: list[list[tuple[str, str]]]) -> Path:
    path.write_text(
        "\n\n".join("\n".join(f"{token}\t{tag}" for token, tag in row) for row in rows) + "\n"
    )
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained tagger; not to be changed."""
    from birnn import cli

    home = tmp_path_factory.mktemp("tagger")
    write(home / "people.conll", sentences(120))
    code = cli.main(
        ["tagging", "--data", str(home / "people.conll"), "--out", str(home / "run"), *OPTIONS]
    )
    assert code == 0
    return home / "run"


def columns(path: Path) -> list[list[list[str]]]:
    blocks = path.read_text().strip().split("\n\n")
    return [[line.split("\t") for line in block.splitlines()] for block in blocks]


# ------------------------------------------------------------------ a run


def test_a_run_holds_scores_under_their_keys_and_the_baselines(run):
    metrics = json.loads((run / "metrics.json").read_text())
    for who in (metrics["test"]["model"], *metrics["test"]["baselines"].values()):
        for key in ("accuracy", "span_f1", "span_precision", "span_recall", "unseen_span_f1"):
            assert set(who[key]) == {"value", "low", "high"}
    assert set(metrics["test"]["baselines"]) == {"most_frequent", "linear"}
    assert metrics["details"]["span_mode"] == "conlleval"
    assert metrics["task"] == "tagging"
    assert metrics["train"]["tokens_per_second"] > 0
    assert (run / "confusion.png").stat().st_size > 1000


def test_a_scorer_that_reads_the_predictions_finds_the_same_f1(run):
    metrics = json.loads((run / "metrics.json").read_text())
    rows = columns(run / "predictions.conll")
    gold, guess = ([[row[i] for row in block] for block in rows] for i in (1, 2))
    found = metrics["test"]["model"]["span_f1"]["value"]
    assert found == pytest.approx(f1_score(gold, guess), abs=1e-12)
    assert all(violations(tags, "iob2") == [] for tags in guess)
    right = [g == p for a, b in zip(gold, guess, strict=True) for g, p in zip(a, b, strict=True)]
    assert metrics["test"]["model"]["accuracy"]["value"] == pytest.approx(np.mean(right))


def test_evaluating_the_run_s_own_data_gives_the_same_scores(run, birnn):
    outcome = birnn("evaluate", run, "--json")
    found = json.loads(outcome.out)["test"]["model"]
    wanted = json.loads((run / "metrics.json").read_text())["test"]["model"]
    assert found == wanted


def test_evaluating_other_data(run, birnn, tmp_path):
    write(tmp_path / "new.conll", sentences(10, seed=5))
    found = json.loads(birnn("evaluate", run, "--data", tmp_path / "new.conll", "--json").out)
    assert found["data"]["rows"] == 10
    write(tmp_path / "odd.conll", [[("Acme", "B-org")], [("x", "O")]])
    line = birnn("evaluate", run, "--data", tmp_path / "odd.conll").refusal()
    assert "odd.conll, sentence at line 1" in line
    assert "'org'" in line


# ------------------------------------------------------------------ texts

TEXTS = [
    "the house Ada Smith1 near Rome",
    "  odd\u00a0spaces:\u3000Bo Smith2\u2028to  Oslo ",
    "👩‍👩‍👧 saw Cy Smith3 and e\u0301clair to Lima!",
    "",
]


def test_places_are_into_the_text_as_given(run, birnn):
    outcome = birnn("predict", run, *TEXTS, "--json")
    records = [json.loads(line) for line in outcome.out.split("\n")[:-1]]
    assert [record["text"] for record in records] == TEXTS
    assert "1 empty text without a token" in outcome.err
    for record in records:
        text = record["text"]
        for part in (*record["tokens"], *record["spans"]):
            assert text[part["start"] : part["end"]] == part["text"]
            assert 0 < part["confidence"] <= 1
            assert part["text"].strip() == part["text"] != ""
    assert [span["text"] for span in records[0]["spans"]] == ["Ada Smith1", "Rome"]
    assert [span["label"] for span in records[0]["spans"]] == ["per", "loc"]
    assert records[3]["tokens"] == records[3]["spans"] == []


def test_a_span_s_confidence_is_that_of_its_tags_together(run, birnn):
    record = json.loads(birnn("predict", run, TEXTS[0], "--json", "--n-best", 50).out)
    span = record["spans"][0]
    held = [
        other["probability"] for other in record["n_best"]
        if {"start": span["start"], "end": span["end"], "label": span["label"]} in other["spans"]
    ]  # fmt: skip
    rest = 1 - sum(other["probability"] for other in record["n_best"])
    assert sum(held) - 1e-4 <= span["confidence"] <= sum(held) + rest + 1e-4
    shares = [other["probability"] for other in record["n_best"]]
    assert shares == sorted(shares, reverse=True)
    assert len({tuple(other["tags"]) for other in record["n_best"]}) == len(shares)


def test_a_text_gets_the_same_answer_alone_and_among_others(run, birnn, tmp_path):
    texts = [" ".join(token for token, _ in row) for row in sentences(60, seed=9)]
    texts = [" ".join(texts[i : i + 1 + i % 5]) for i in range(60)]
    (tmp_path / "all.txt").write_text("\n".join(texts) + "\n")
    birnn("predict", run, "--input", tmp_path / "all.txt", "--output", tmp_path / "out.json")
    together = json.loads((tmp_path / "out.json").read_text())
    for i in (0, 4, 17, 59):
        alone = json.loads(birnn("predict", run, texts[i], "--json").out)
        assert [t["tag"] for t in alone["tokens"]] == [t["tag"] for t in together[i]["tokens"]]
        for one, other in ((alone["tokens"], together[i]["tokens"]),
                           (alone["spans"], together[i]["spans"])):  # fmt: skip
            np.testing.assert_allclose(
                [part["confidence"] for part in one], [part["confidence"] for part in other],
                atol=1e-5,
            )  # fmt: skip


def test_spans_are_marked_in_a_terminal_and_in_a_pipe(run, birnn):
    out = birnn("predict", run, TEXTS[0], "--n-best", "2").out
    first, *others = out.splitlines()
    assert first.startswith("the house [Ada Smith1 per ")
    assert "%]" in first
    assert len(others) == 2
    assert "\x1b" not in out


def test_a_long_line_is_tagged(run, birnn, tmp_path):
    text = " ".join(" ".join(token for token, _ in row) for row in sentences(400, seed=2))
    (tmp_path / "long.txt").write_text(text + "\n")
    record = json.loads(birnn("predict", run, "--input", tmp_path / "long.txt", "--json").out)
    assert len(record["tokens"]) > 2500
    assert all(0 < token["confidence"] <= 1 for token in record["tokens"])


# ------------------------------------------------------------------ files


def test_conll_in_conll_out(run, birnn, tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("-DOCSTART- O\n\nthe DT\nhouse NN\n\n# a kept comment\nAda NNP\nSmith1 NNP\n")
    outcome = birnn("predict", run, "--input", path)
    lines = outcome.out.split("\n")
    assert lines[0] == "-DOCSTART- O O"
    assert lines[2].startswith("the DT ")
    assert "# a kept comment" in lines
    out = tmp_path / "out.conll"
    assert birnn("predict", run, "--input", path, "--output", out).code == 0
    assert out.read_text() == outcome.out
    untagged = tmp_path / "bare.conll"
    untagged.write_text("the\nhouse\n\nthe\nhouse\nAda\nSmith1\nnear\nRome\n")
    rows = birnn("predict", run, "--input", untagged).out.split("\n")
    assert rows[3:9] == ["the O", "house O", "Ada B-per", "Smith1 I-per", "near O", "Rome B-loc"]


def test_lists_of_tokens_in_and_out(run, birnn, tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"tokens": ["Ada", "Smith1"]}\n{"tokens": ["the", "house"]}\n')
    rows = [json.loads(line) for line in birnn("predict", run, "--input", path).out.splitlines()]
    assert [row["tokens"] for row in rows] == [["Ada", "Smith1"], ["the", "house"]]
    assert all(len(row["predicted"]) == 2 for row in rows)


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv", ".txt", ".conll"])
def test_texts_are_written_in_the_format_of_the_name(run, birnn, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    assert birnn("predict", run, *TEXTS[:2], "--output", out).code == 0
    content = out.read_text()
    assert "Smith1" in content
    if suffix == ".csv":
        assert content.splitlines()[0] == "record,start,end,text,tag,confidence"
    if suffix in (".txt", ".conll"):
        assert content.splitlines()[0].split("\t")[0] == "the"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a text", "--explain"], ["explain"]),
        (["a text", "--output", "x.xml"], ["output", ".jsonl", ".conllu"]),
        (["--input", "nothing.conll"], ["nothing.conll"]),
        (["a text", "--input", "x.conll"], ["not both"]),
        (["a text", "--n-best", "101"], ["n_best", "100"]),
    ],
)
def test_bad_requests_are_one_line(run, birnn: Callable[..., Outcome], arguments, words):
    line = birnn("predict", run, *arguments).refusal()
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("labels.json", lambda v: {**v, "scheme": "iob9"}),
        ("labels.json", lambda v: {**v, "labels": [1, 2]}),
        ("labels.json", lambda v: {**v, "labels": v["labels"][:-1]}),
        ("labels.json", lambda v: []),
        ("vocabulary.json", lambda v: {**v, "words": v["words"][:-1]}),
        ("vocabulary.json", lambda v: {**v, "characters": None}),
        ("vocabulary.json", lambda v: {**v, "members": 10**9}),
        ("vocabulary.json", lambda v: {**v, "vector_size": -1}),
        ("vocabulary.json", lambda v: {**v, "spans": [1]}),
        ("vocabulary.json", lambda v: {k: x for k, x in v.items() if k != "affixes"}),
    ],
)
def test_a_damaged_run_is_one_line(run, birnn, tmp_path, name, change):
    import shutil

    copy = Path(shutil.copytree(run, tmp_path / "copy"))
    content = json.loads((copy / name).read_text())
    (copy / name).write_text(json.dumps(change(content)))
    birnn("predict", copy, "a text").refusal()


# ------------------------------------------------------------------ raw tags


def test_raw_tags_have_no_spans(birnn, tmp_path):
    rows = [[(t, "NAME" if tag != "O" else "WORD") for t, tag in row] for row in sentences(60)]
    write(tmp_path / "pos.txt", rows)
    run = tmp_path / "run"
    options = [*OPTIONS, "--encoder", "bigru", "--decoder", "softmax"]
    assert birnn("tagging", "--data", tmp_path / "pos.txt", "--out", run, *options).code == 0
    metrics = json.loads((run / "metrics.json").read_text())
    assert not any("span" in key for key in metrics["test"]["model"])
    assert metrics["test"]["model"]["accuracy"]["value"] > 0.9
    record = json.loads(birnn("predict", run, TEXTS[0], "--json").out)
    assert "spans" not in record
    assert "/NAME" in birnn("predict", run, TEXTS[0]).out


def test_the_same_seed_gives_the_same_metrics(birnn, tmp_path):
    write(tmp_path / "x.conll", sentences(50))
    found = []
    for name in ("a", "b"):
        birnn("tagging", "--data", tmp_path / "x.conll", "--out", tmp_path / name, *OPTIONS)
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        for key in ("seconds", "tokens_per_second", "items_per_second", "peak_memory"):
            del metrics["train"][key]
        found.append(metrics)
    assert found[0] == found[1]


def test_a_loaded_tagger_tags_sentences_as_predict_does(run, birnn):
    tagger = load_tagger(run)
    rows = [["the", "house", "Ada", "Smith1", "near", "Rome"], [], ["Bo", "Smith2", "walks"]]
    texts = [" ".join(row) for row in rows]
    records = birnn("predict", run, *texts, "--json").out.split("\n")[:-1]
    wanted = [[token["tag"] for token in json.loads(line)["tokens"]] for line in records]
    assert tag_sentences(tagger, rows) == wanted
    assert tag_sentences(tagger, []) == []
    assert tag_sentences(tagger, [[]]) == [[]]
    assert not any(p.requires_grad for p in tagger.model.parameters())
