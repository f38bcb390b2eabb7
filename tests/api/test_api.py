"""The Python API: what goes in and comes back, against the command line on the same rows."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset, DatasetDict

import birnn
from birnn.errors import CheckpointError, ConfigError, DataError
from birnn.tasks.runs.folder import write_model

import contract
from places import ROOT
from writers import sentences

SMALL: dict[str, Any] = {
    "hidden_size": 8, "word_size": 8, "gram_size": 4, "gram_buckets": 50, "epochs": 2,
    "batch_size": 32, "learning_rate": 0.01, "vectors": "none", "members": 1,
}  # fmt: skip
TEXTS = ["a lovely film", "dull plot", "the the the", "warm \U0001f600 story", "no words"]
FRAME = pd.DataFrame(sentences(), columns=["text", "label"])


@pytest.fixture(scope="module")
def run(trained: Path) -> birnn.Run:
    return birnn.load(trained)


def random_run(task: str, variant: str, folder: Path) -> tuple[birnn.Run, contract.Case]:
    """A run of random weights on the task's tiny data."""
    case = contract.prepare(task, variant, folder)
    (folder / "run").mkdir()
    write_model(folder / "run", case.task, case.data.info, contract.trained(case))
    return birnn.load(folder / "run"), case


def test_importing_is_cheap() -> None:
    code = (
        "import sys, birnn; assert 'Tagger' in dir(birnn);"
        "heavy = {'torch', 'sklearn', 'numpy', 'pandas'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = birnn.lod  # type: ignore[attr-defined]
    for name in birnn.API:
        assert getattr(birnn, name).__doc__


def test_records_are_the_command_lines(
    run: birnn.Run, trained: Path, birnn: Callable[..., Any]
) -> None:
    told = [
        json.loads(line) for line in birnn("predict", trained, *TEXTS, "--json").out.splitlines()
    ]
    assert run.predict_records(TEXTS) == told
    assert run.predict(TEXTS) == [row["label"] for row in told]
    shares = [list(row["probabilities"].values()) for row in told]
    assert run.predict_proba(TEXTS).tolist() == shares


def test_what_comes_back_has_the_shape_of_what_goes_in(run: birnn.Run) -> None:
    labels = run.predict(TEXTS)
    assert set(labels) == set(run.labels) == {"good", "bad"}
    assert run.predict(TEXTS[0]) == labels[0]
    for kind in (object, np.str_):
        found = run.predict(np.array(TEXTS, dtype=kind))
        assert isinstance(found, np.ndarray)
        assert found.tolist() == labels
    series = pd.Series(TEXTS, index=list("vwxyz"))
    pd.testing.assert_series_equal(
        run.predict(series), pd.Series(labels, series.index, name="label")
    )
    frame = pd.DataFrame({"n": range(5), "Review": TEXTS}, index=series.index)
    assert run.predict(frame)["label"].to_dict() == dict(zip("vwxyz", labels, strict=True))
    assert run.predict(frame.rename(columns={"Review": "x"}), text_column="x").equals(
        run.predict(frame)
    )
    shares = run.predict_proba(frame)
    assert shares.columns.tolist() == run.labels
    assert shares.idxmax(axis=1).tolist() == labels
    assert run.predict(Dataset.from_dict({"text": TEXTS})) == labels
    assert run.predict([]) == []
    assert run.predict_proba([]).shape == (0, 2)


def test_batches_change_nothing(run: birnn.Run) -> None:
    together = run.predict_proba(FRAME["text"]).to_numpy()
    alone = np.stack([run.predict_proba(text) for text in FRAME["text"][:20]])
    np.testing.assert_allclose(alone, together[:20], atol=1e-6)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (["a", None], "texts: row 2 holds no text but None"),
        ([float("nan")], "row 1 holds no text but NaN"),
        (["a", 3], "row 2 holds no text but int '3'"),
        (pd.DataFrame({"text": ["a", None]}, index=["p", "q"]), "column 'text': row 2 (index 'q')"),
        (pd.DataFrame({"words": ["a"]}), "no text column found; name it with --text-column"),
        (np.zeros((2, 2)), "an array of the shape [2, 2]"),
        (DatasetDict({"train": Dataset.from_dict({"text": ["a"]})}), "one of its splits: train"),
        (3, "a int; give a text"),
    ],
)
def test_bad_rows_are_named(run: birnn.Run, data: Any, words: str) -> None:
    with pytest.raises(DataError) as caught:
        run.predict(data)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_evaluate_is_the_command_lines(
    run: birnn.Run, trained: Path, sentences_csv: Path, birnn: Callable[..., Any]
) -> None:
    told = json.loads(birnn("evaluate", trained, "--json").out)["test"]["model"]
    assert run.evaluate() == told
    assert run.evaluate(pd.read_csv(sentences_csv)) == run.evaluate(sentences_csv)
    with pytest.raises(DataError, match="rows with a label that the run doesn't know: 'ugly'"):
        run.evaluate(FRAME.assign(label="ugly"))
    assert run.metrics == json.loads((trained / "metrics.json").read_text())


@pytest.mark.parametrize("kind", ["frame", "dataset"])
def test_training_is_the_command_lines(run: birnn.Run, kind: str) -> None:
    data = FRAME if kind == "frame" else Dataset.from_pandas(FRAME)
    own = birnn.train("sentiment", data, **SMALL)
    assert own.predict_proba(TEXTS).tolist() == run.predict_proba(TEXTS).tolist()
    words = f"a {'DataFrame' if kind == 'frame' else 'Dataset'} of 200 rows"
    assert own.metrics["data"]["source"] == own.config.data.data == words
    assert own.metrics["test"] == run.metrics["test"]
    folder = own.folder
    assert folder.is_dir()
    del own
    assert not folder.parent.exists()


def test_splits_of_a_dictionary_are_kept(tmp_path: Path) -> None:
    parts = {"train": FRAME[:120], "validation": FRAME[120:160], "test": FRAME[160:]}
    data = DatasetDict({name: Dataset.from_pandas(part) for name, part in parts.items()})
    own = birnn.train("sentiment", data, tmp_path / "run", **SMALL)
    assert own.metrics["data"]["rows"] == {"train": 120, "validation": 40, "test": 40}
    with pytest.raises(DataError, match="holds a run already"):
        birnn.train("sentiment", data, tmp_path / "run", **SMALL)


def test_training_refuses() -> None:
    with pytest.raises(ConfigError, match=r"'hiden_size' \(did you mean 'hidden_size'\?\)"):
        birnn.train("sentiment", FRAME, hiden_size=3)
    with pytest.raises(ConfigError, match="unknown task 'sentimnt'"):
        birnn.train("sentimnt", FRAME)
    with pytest.raises(DataError, match="a list is no table"):
        birnn.train("sentiment", [1, 2])
    with pytest.raises(DataError, match="holds no rows"):
        birnn.train("sentiment", FRAME[:0])


def test_saved_runs_are_the_same(run: birnn.Run, trained: Path, tmp_path: Path) -> None:
    run.save(tmp_path / "copy")
    again = birnn.load(tmp_path / "copy")
    assert again.predict_proba(TEXTS).tolist() == run.predict_proba(TEXTS).tolist()
    names = {path.name for path in trained.iterdir()}
    assert {path.name for path in again.folder.iterdir()} == names
    with pytest.raises(DataError, match="holds a run already"):
        run.save(tmp_path / "copy")
    with pytest.raises(CheckpointError, match="no such run folder"):
        birnn.load(tmp_path / "none")


def test_tagger(tmp_path: Path, birnn: Callable[..., Any]) -> None:
    run, case = random_run("tagging", "spans", tmp_path)
    tokens = case.data.splits["test"].column("tokens")
    tags = run.predict(tokens)
    assert [len(row) for row in tags] == [len(row) for row in tokens]
    texts = [" ".join(row) for row in tokens]
    told = birnn("predict", tmp_path / "run", *texts, "--json").out.splitlines()
    records = [json.loads(line) for line in told]
    assert run.predict_records(texts) == records
    pairs = [[(t["text"], t["tag"]) for t in row["tokens"]] for row in records]
    assert run.predict(texts) == pairs
    assert run.predict(texts[0]) == pairs[0]
    assert [[tag for _, tag in row] for row in pairs] == tags
    frame = pd.DataFrame({"tokens": tokens}, index=range(5, 5 + len(tokens)))
    assert run.predict(frame)["tags"].tolist() == tags
    assert run.predict([[], tokens[0]]) == [[], tags[0]]
    sure = [[t["confidence"] for t in row["tokens"]] for row in run.predict_records(tokens)]
    for row, shares, own in zip(tokens, run.predict_proba(tokens), sure, strict=True):
        assert shares.shape == (len(row), len(run.labels))
        np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
        # What a record says of its tag is one of the probabilities.
        assert np.all(np.abs(shares - np.array(own)[:, None]).min(1) < 1e-6)
    with pytest.raises(DataError, match="row 2 holds"):
        run.predict([tokens[0], "text"])


def test_tagger_learns_from_a_table(tmp_path: Path) -> None:
    case = contract.prepare("tagging", "raw", tmp_path)
    tables = {
        name: Dataset.from_dict({"tokens": split.column("tokens"), "ner": split.column("tags")})
        for name, split in case.data.splits.items()
    }
    own = birnn.train(
        "tagging", DatasetDict(tables), hidden_size=4, epochs=1, members=1, vectors="none"
    )
    assert own.task == "tagging"
    assert own.metrics["data"]["rows"]["train"] == len(tables["train"])
    assert own.evaluate(tables["test"])["accuracy"]["value"] == pytest.approx(
        own.metrics["test"]["model"]["accuracy"]["value"]
    )


@pytest.mark.parametrize("variant", ["panel", "wide"])
def test_forecaster(tmp_path: Path, variant: str, birnn: Callable[..., Any]) -> None:
    run, case = random_run("forecast", variant, tmp_path)
    path = case.task.config.data.data
    told = birnn("predict", tmp_path / "run", "--input", path, "--json").out.splitlines()
    frame = pd.read_csv(path)
    column = "time" if "time" in frame else "date"
    frame[column] = pd.to_datetime(frame[column])
    found = run.predict(frame)
    assert run.predict_records(path) == [json.loads(line) for line in told]
    pd.testing.assert_frame_equal(found, run.predict(path))
    pd.testing.assert_frame_equal(found, run.predict(Dataset.from_pandas(frame)))
    if variant == "wide":
        pd.testing.assert_frame_equal(found, run.predict(frame.set_index(column)))
    with pytest.raises(ConfigError, match="a forecast has no classes"):
        run.predict_proba(frame)


def test_regressor(tmp_path: Path) -> None:
    run, case = random_run("regression", "table", tmp_path)
    split = case.data.splits["test"]
    # The task's own rows, in the target's unit.
    wanted = case.task.records(
        split, case.task.predictions(run.loaded.model, split, run.loaded.info), run.loaded.info
    )
    found = run.predict(list(split.features))
    flat = np.concatenate(found)
    np.testing.assert_allclose(flat, [row["predicted"] for row in wanted], rtol=1e-9)
    assert [row["predicted"] for row in run.predict_records(list(split.features))] == flat.tolist()
    long = [part for part in split.features if len(part) == len(split.features[0])]
    assert run.predict(np.stack(long)).shape == (len(long), len(long[0]))
    with Path(case.task.config.data.data).open() as file:
        frame = pd.DataFrame(list(csv.DictReader(file)))
    frame = frame.astype({"a": float, "b": float}).sample(frac=1, random_state=0)
    series = run.predict(frame)
    assert series.index.equals(frame.index)
    one = frame[frame["who"] == "s6"]
    np.testing.assert_allclose(
        series[one.index], run.predict([one[["a", "b"]].to_numpy()])[0], rtol=1e-4, atol=1e-6
    )
    with pytest.raises(DataError, match="no column 'a'"):
        run.predict(frame.drop(columns="a"))
    with pytest.raises(DataError, match=r"sequence 1: the shape \[3, 5\] is not \[T, 2\]"):
        run.predict(np.zeros((2, 3, 5)))
    with pytest.raises(DataError, match="sequence 1: holds NaN"):
        run.predict([[[np.nan, 1.0]]])
    with pytest.raises(ConfigError, match="predicts numbers"):
        run.predict_proba([])
