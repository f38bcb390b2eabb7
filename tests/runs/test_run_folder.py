"""The run folder: what it holds, what metrics.json says, and that a seed repeats it."""

import csv
import json
import math
import os
import statistics

import pytest

from birnn.tasks.runs import growing
from birnn.version import __version__

from places import ROOT
from writers import TINY, sentences, write_table

FILES = {
    "README.md", "config.json", "confusion.png", "curves.png", "history.csv", "history.jsonl",
    "labels.json",
    "learned.bin", "metrics.json", "model.safetensors", "ngrams.json", "predictions.csv",
    "vocabulary.json",
    "report.html", "report.json",
}  # fmt: skip
METRICS = {"accuracy", "macro_f1", "weighted_f1", "log_loss", "calibration_error", "roc_auc"}
TIMES = {"seconds", "tokens_per_second", "items_per_second", "peak_memory"}


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def strict(path):
    """Read JSON that holds neither NaN nor infinity nor a key twice."""

    def pairs(items):
        assert len(dict(items)) == len(items), items
        return dict(items)

    return json.loads(path.read_text("utf-8"), parse_constant=refuse, object_pairs_hook=pairs)


def metrics_of(folder):
    return strict(folder / "metrics.json")


def table(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_folder_holds_what_the_issue_names(trained):
    assert {path.name for path in trained.iterdir()} == FILES
    for name in ("curves.png", "confusion.png"):
        assert (trained / name).read_bytes().startswith(b"\x89PNG\r\n")


def test_every_json_file_is_strict(trained):
    for path in trained.glob("*.json"):
        strict(path)


def test_folder_holds_no_pickle(trained):
    for path in trained.iterdir():
        content = path.read_bytes()
        assert not content.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"))
        assert not content.startswith(b"PK\x03\x04"), path  # torch.save writes zip files
    header = (trained / "model.safetensors").read_bytes()
    json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])


def test_folder_can_be_read_by_others(trained):
    umask = os.umask(0)
    os.umask(umask)
    for path in (trained, *trained.iterdir()):
        assert path.stat().st_mode & 0o044 == 0o044 & ~umask, path


def test_config_is_resolved_and_versioned(trained, sentences_csv):
    config = strict(trained / "config.json")
    assert config["version"] == __version__
    assert config["task"] == "sentiment"
    assert config["format"] == 1
    assert config["data"]["data"] == str(sentences_csv)
    assert config["encoder"]["hidden_size"] == 8
    assert config["train"]["seed"] == 0


def test_metrics_hold_the_documented_keys(trained):
    found = metrics_of(trained)
    assert found["task"] == "sentiment"
    assert set(found["test"]["model"]) == METRICS
    assert {"majority", "tfidf_logistic"} == set(found["test"]["baselines"])
    for scores in (found["test"]["model"], *found["test"]["baselines"].values()):
        assert set(scores) == METRICS
        for score in scores.values():
            assert set(score) == {"value", "low", "high"}
            assert all(type(value) is float for value in score.values())
            assert score["low"] <= score["high"]
    assert {"seconds", "epochs", "parameters", "tokens_per_second"} <= set(found["train"])
    assert {"rows", "splits", "duplicates"} <= set(found["data"])
    assert set(found["test"]["differences"]["tfidf_logistic"]) == {"accuracy", "macro_f1"}


def test_documentation_names_every_key(trained):
    text = (ROOT / "docs/metrics.md").read_text("utf-8")
    found = metrics_of(trained)
    for key in (*found, *found["test"], *found["data"], *found["train"], *found["details"]):
        assert key in text, key
    assert all(f"`{name}`" in text for name in METRICS)


def test_metrics_agree_with_the_predictions(trained):
    found, rows = metrics_of(trained), table(trained / "predictions.csv")
    assert len(rows) == found["data"]["rows"]["test"] == 20
    assert list(rows[0]) == ["text", "gold", "label", "p_bad", "p_good"]
    right = sum(row["gold"] == row["label"] for row in rows) / len(rows)
    assert found["test"]["model"]["accuracy"]["value"] == pytest.approx(right)
    losses = [-math.log(float(row[f"p_{row['gold']}"])) for row in rows]
    assert found["test"]["model"]["log_loss"]["value"] == pytest.approx(
        statistics.mean(losses), rel=1e-4
    )
    for row in rows:
        shares = {label: float(row[f"p_{label}"]) for label in ("bad", "good")}
        assert sum(shares.values()) == pytest.approx(1.0, abs=1e-5)
        assert row["label"] == max(shares, key=shares.get)


def test_details_agree_with_the_predictions(trained):
    details, rows = metrics_of(trained)["details"], table(trained / "predictions.csv")
    pairs = [(row["gold"], row["label"]) for row in rows]
    for i, gold in enumerate(details["labels"]):
        for j, guess in enumerate(details["labels"]):
            assert details["confusion"][i][j] == pairs.count((gold, guess))
    wrong = [row for row in rows if row["gold"] != row["label"]]
    assert len(details["mistakes"]) == min(len(wrong), 8)
    sure = [mistake["confidence"] for mistake in details["mistakes"]]
    assert sure == sorted(sure, reverse=True)


def test_history_has_a_row_an_epoch(trained):
    rows, found = table(trained / "history.csv"), metrics_of(trained)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert found["train"]["epochs"] == 2
    best = rows[found["train"]["best_epoch"] - 1]
    assert {"loss", "accuracy", "macro_f1", "log_loss", "learning_rate"} <= set(best)
    for name, value in found["validation"].items():
        assert float(best[name]) == value


def test_card_says_what_the_run_is(trained, sentences_csv):
    card = (trained / "README.md").read_text("utf-8")
    value = metrics_of(trained)["test"]["model"]["accuracy"]["value"]
    for words in (__version__, str(sentences_csv), f"{value:.4f}", "tfidf logistic", "predict"):
        assert words in card
    assert "TF-IDF + logistic regression in accuracy" in card


def test_card_warns_of_overlap_and_says_what_was_left_out(train, tmp_path):
    rows = [(word, mood) for mood, word in (("good", "fine day"), ("bad", "grey day"))]
    table = [f"{text} {i},{mood}" for i in range(30) for text, mood in rows]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/train.csv").write_text("\n".join(["text,label", *table, " ,good"]))
    (tmp_path / "data/test.csv").write_text("\n".join(["text,label", *table[:7]]))
    assert train(tmp_path / "data").code == 0
    card = (tmp_path / "runs/run/README.md").read_text("utf-8")
    assert "1 left out: 1 with an empty text" in card
    assert "rows cut from train" in card
    assert "rows of test also stand in train: scores on test are flattered" in card


def without_times(value):
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if k not in TIMES}
    return value


@pytest.mark.parametrize("encoder", ["bigru", "bilstm"])
def test_one_seed_gives_one_result_bit_for_bit(encoder, birnn, sentences_csv, tmp_path):
    for name in ("a", "b"):
        options = ["--data", sentences_csv, "--out", tmp_path / name, "--encoder", encoder, *TINY]
        assert birnn("sentiment", *options, "--members", "2", "--seed", "7").code == 0
    a, b = tmp_path / "a", tmp_path / "b"
    assert without_times(metrics_of(a)) == without_times(metrics_of(b))
    assert json.dumps(without_times(metrics_of(a))) == json.dumps(without_times(metrics_of(b)))
    for name in ("predictions.csv", "model.safetensors", "vocabulary.json", "config.json"):
        assert (a / name).read_bytes() == (b / name).read_bytes()


def test_another_seed_trains_another_model_on_the_same_split(train, sentences_csv, tmp_path):
    found = []
    for seed in (1, 2):
        train(sentences_csv, "--seed", seed, "--overwrite")
        weights = (tmp_path / "runs/run/model.safetensors").read_bytes()
        texts = [row["text"] for row in table(tmp_path / "runs/run/predictions.csv")]
        found.append((weights, texts))
    assert found[0][0] != found[1][0]
    assert found[0][1] == found[1][1]


def test_several_seeds_add_mean_and_deviation(train, birnn, sentences_csv, tmp_path):
    outcome = train(sentences_csv, "--seeds", "3", "--seed", "4", "--epochs", "1")
    assert outcome.code == 0
    assert "Model over 3 seeds" in outcome.out
    run = tmp_path / "runs/run"
    assert {path.name for path in run.iterdir()} == {*FILES, "seed-4", "seed-5", "seed-6"}
    found = metrics_of(run)
    each = {seed: metrics_of(run / f"seed-{seed}") for seed in (4, 5, 6)}
    for name, score in found["test"]["model"].items():
        values = [part["test"]["model"][name]["value"] for part in each.values()]
        assert score["values"] == values
        assert score["mean"] == pytest.approx(statistics.mean(values))
        assert score["std"] == pytest.approx(statistics.stdev(values))
    assert found["train"]["seeds"] == [4, 5, 6]
    chosen = found["train"]["chosen_seed"]
    best = min(each, key=lambda seed: each[seed]["validation"]["log_loss"])
    assert chosen == best
    for name in ("model.safetensors", "predictions.csv", "config.json"):
        assert (run / name).read_bytes() == (run / f"seed-{chosen}" / name).read_bytes()
    assert strict(run / "config.json")["train"]["seed"] == chosen
    score = found["test"]["model"]["accuracy"]
    card = (run / "README.md").read_text("utf-8")
    assert "model, mean of 3 seeds |" in card
    assert f"| {score['mean']:.4f} ± {score['std']:.4f} |" in card
    assert birnn("predict", run, "lovely film").code == 0


def test_several_seeds_repeat_the_single_runs(train, birnn, sentences_csv, tmp_path):
    train(sentences_csv, "--seeds", "2")
    options = ["--data", sentences_csv, "--out", tmp_path / "one", *TINY, "--seed", "1"]
    assert birnn("sentiment", *options).code == 0
    assert (tmp_path / "one/model.safetensors").read_bytes() == (
        tmp_path / "runs/run/seed-1/model.safetensors"
    ).read_bytes()


def test_three_classes_and_no_wide_part(train, tmp_path):
    path = write_table(tmp_path / "x.csv", sentences(150, ("good", "bad", "mixed")))
    assert train(path, "--no-wide", "--epochs", "1").code == 0
    run = tmp_path / "runs/run"
    assert {path.name for path in run.iterdir()} == FILES - {"ngrams.json"}
    found = metrics_of(run)
    assert found["details"]["labels"] == ["bad", "good", "mixed"]
    assert "wide" not in found["train"]


def test_odd_texts_survive_in_predictions(train, tmp_path):
    rows = [(f'{text}, "q"\n\x1b👍\r', label) for text, label in sentences(60)]
    assert train(write_table(tmp_path / "x.csv", rows), "--epochs", "1").code == 0
    given = {text for text, _ in rows}
    found = table(tmp_path / "runs/run/predictions.csv")
    assert len(found) == 6
    assert all(row["text"] in given for row in found)


def test_regression_folder(birnn, tmp_path):
    assert birnn("regression", "--out", tmp_path / "run", "--epochs", "3").code == 0
    run = tmp_path / "run"
    names = {path.name for path in run.iterdir()}
    assert names == {
        "README.md", "config.json", "curves.png", "history.csv", "history.jsonl",
        "metrics.json",
        "learned.bin", "model.safetensors", "predictions.csv", "report.html", "report.json",
        "scaler.json",
    }  # fmt: skip
    found = metrics_of(run)
    assert set(found["test"]["model"]) == {"mse", "rmse", "mae", "r2"}
    assert set(found["test"]["baselines"]) == {"mean", "linear"}
    rows = table(run / "predictions.csv")
    errors = [(float(row["target"]) - float(row["predicted"])) ** 2 for row in rows]
    assert found["test"]["model"]["mse"]["value"] == pytest.approx(
        statistics.mean(errors), rel=1e-5
    )


def test_half_written_files_go_and_the_run_gets_its_name(tmp_path):
    out = tmp_path / "run"
    half = growing.work_folder(out) / f".metrics.json.{'0' * 8}.partial"
    half.parent.mkdir()
    half.write_text("{")
    with growing.growing_run(out, overwrite=False, resume=True) as grown:
        (grown.work / "config.json").write_text("{}")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert [path.name for path in out.iterdir()] == ["config.json"]
