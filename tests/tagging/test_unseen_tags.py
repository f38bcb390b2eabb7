"""Tags that train never has: scored as missed, said with their counts, and no reason to stop."""

import json
from pathlib import Path

import pytest

Sentences = list[list[tuple[str, str]]]
TINY = [
    *("--hidden-size", "4", "--layers", "1", "--word-size", "4", "--char-size", "4"),
    *("--affix-size", "2", "--epochs", "1", "--members", "1", "--vectors", "none"),
]


def train(data: Path, out: Path, *options: str) -> int:
    from birnn import cli

    return cli.main(["tagging", "--data", str(data), "--out", str(out), *TINY, *options])


def sentences(count: int, kinds: tuple[str, ...] = ("per", "loc"), start: int = 0) -> Sentences:
    return [
        [(f"w{i}", "O"), (f"Name{i % 5}", f"B-{kinds[i % len(kinds)]}"),
         ("Sr", f"I-{kinds[i % len(kinds)]}"), ("went", "O")]
        for i in range(start, start + count)
    ]  # fmt: skip


def write(path: Path, given: Sentences) -> Path:
    path.write_text("\n".join("".join(f"{a}\t{b}\n" for a, b in row) for row in given))
    return path


def raw(given: Sentences) -> Sentences:
    return [[(word, tag.replace("-", "")) for word, tag in row] for row in given]


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "train.conll", sentences(30))
    write(folder / "dev.conll", sentences(9, ("per", "event", "loc"), 40))
    write(folder / "test.conll", sentences(12, ("per", "work", "loc", "event"), 60))
    return folder


def test_spans_of_unseen_types_are_missed_and_named(birnn, splits, tmp_path):
    run = tmp_path / "run"
    assert train(splits, run) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    support = {row["label"]: row["support"] for row in metrics["details"]["types"]}
    assert support == {"per": 3, "loc": 3, "work": 3, "event": 3}
    zero = next(row for row in metrics["details"]["types"] if row["label"] == "work")
    assert zero["recall"] == 0
    gold = (run / "predictions.conll").read_text()
    assert gold.count("B-work") == 3

    told = birnn("evaluate", run, "--json")
    assert told.code == 0, told.err
    scores = json.loads(told.out)
    assert scores["test"]["model"] == metrics["test"]["model"]
    warning = "6 spans of 2 types that the run never has, scored as missed: 'event' (3), 'work' (3)"
    assert any(warning in note for note in scores["data"]["notes"])
    told = birnn("evaluate", run, "--data", splits / "dev.conll", "--json")
    assert told.code == 0, told.err
    types = json.loads(told.out)["details"]["types"]
    assert {row["label"]: row["support"] for row in types} == {"per": 3, "loc": 3, "event": 3}


def test_training_says_which_types_are_unseen(birnn, splits, tmp_path):
    told = birnn("tagging", "--data", splits, "--out", tmp_path / "run", *TINY)
    assert told.code == 0, told.err
    said = " ".join(told.out.split())
    assert "validation: 3 spans of 1 type that train never has, scored as missed: 'event'" in said
    assert "test: 6 spans of 2 types that train never has, scored as missed: 'event'" in said


def test_the_scores_that_choose_count_them_too(splits, tmp_path):
    from birnn.tasks.runs.evaluation import evaluate
    from birnn.tasks.runs.folder import load_run

    run = tmp_path / "run"
    assert train(splits, run, "--epochs", "25", "--learning-rate", "0.05", "--patience", "0") == 0
    scored = evaluate(load_run(run), "", "validation").metrics["test"]["model"]
    chosen = json.loads((run / "metrics.json").read_text())["train"]["validation_span_f1"]
    assert 0 < scored["span_recall"]["value"] <= 6 / 9
    assert chosen == pytest.approx(scored["span_f1"]["value"])


def test_raw_tags_that_train_lacks_are_wrong(birnn, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder / "train.conll", raw(sentences(30)))
    write(folder / "dev.conll", raw(sentences(9, ("per", "event"), 40)))
    write(folder / "test.conll", raw(sentences(12, ("per", "work"), 60)))
    run = tmp_path / "run"
    assert train(folder, run, "--tag-scheme", "raw") == 0
    told = birnn("evaluate", run, "--json")
    metrics = json.loads(told.out)
    assert metrics["test"]["model"]["accuracy"]["value"] <= 36 / 48
    assert any("12 tokens of 2 tags" in note for note in metrics["data"]["notes"])


def test_a_file_of_other_types_altogether_is_refused(birnn, splits, tmp_path):
    run = tmp_path / "run"
    assert train(splits, run) == 0
    other = write(tmp_path / "other.conll", sentences(5, ("PERSON", "PLACE")))
    line = birnn("evaluate", run, "--data", other).refusal()
    assert (
        "line 1: no tag here is one that the run has: 'PERSON' (3), 'PLACE' (2); it knows" in line
    )
