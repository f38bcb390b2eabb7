"""Runs that begin from other runs: what is kept, forgotten, refused, and taken up again."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import birnn
from birnn.config import flatten
from birnn.errors import CheckpointError, ConfigError, DataError, Stopped
from birnn.tasks import TASKS
from birnn.tasks.runs.beginning import Begin, begin, tell_of
from birnn.tasks.runs.fitting import training_batches
from birnn.tasks.runs.folder import load_run
from birnn.tasks.runs.launch import make_task
from birnn.tasks.warm.learned import learned_from
from birnn.training.loop import fit
from birnn.training.state import Validation

import contract
from writers import sentences, write_table

QUICK = {"epochs": 1, "device": "cpu"}
CASES = [
    (task, contract.variants(task)[-1 if task == "sentiment" else 0])
    for task, spec in TASKS.items()
    if spec.warm
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs of the module lie."""
    return tmp_path_factory.mktemp("warm")


def first_run(home: Path, task: str, variant: str) -> tuple[Path, dict[str, Any]]:
    """A run on tiny data, and the options of its data."""
    folder = home / f"{task}-{variant}"
    folder.mkdir(exist_ok=True)
    config = contract.tiny(task).TINY[variant](folder)
    options = {k: v for k, v in flatten(asdict(config)) if v is not None}
    own = {name for name, _ in flatten(asdict(config.data))}
    if not (folder / "one").is_dir():
        birnn.train(task, out=folder / "one", **{**options, "epochs": 2})
    return folder / "one", {k: v for k, v in options.items() if k in own}


@pytest.mark.parametrize(("task", "variant"), CASES)
def test_the_same_data_again(home: Path, tmp_path: Path, task: str, variant: str) -> None:
    """All is kept; the run as it was has its own scores; forgetting is what evaluate says."""
    one, data = first_run(home, task, variant)
    two = birnn.train(task, out=tmp_path / "two", from_run=one, **data, **QUICK)
    told = two.metrics["from"]
    assert told["name"] == "one"
    assert not told["gone"]
    assert not told["new"]
    assert told["shared"]["test"] == told["shared"]["old_test"] == 0
    assert str(home) not in json.dumps([two.metrics["from"], two.metrics["forgetting"]])
    assert json.loads((tmp_path / "two" / "config.json").read_text())["from"]["name"] == "one"
    was = json.loads((one / "metrics.json").read_text())["test"]["model"]
    before = two.metrics["test"]["baselines"]["before"]
    found, again = two.metrics["forgetting"], two.evaluate()
    for name in found["differences"]:
        score = was[name]
        assert before[name]["value"] == pytest.approx(score["value"], rel=1e-5)
        assert found["before"][name]["value"] == pytest.approx(score["value"], rel=1e-5)
        assert found["after"][name]["value"] == pytest.approx(again[name]["value"], rel=1e-5)
    page = (tmp_path / "two" / "report.html").read_text()
    assert 'id="forgetting"' in page
    assert "Begun from one" in (tmp_path / "two" / "README.md").read_text()


@pytest.mark.parametrize(("task", "variant"), CASES)
def test_evaluate_says_which_items_were_learned_from(
    home: Path, tmp_path: Path, task: str, variant: str
) -> None:
    one, _ = first_run(home, task, variant)
    run, start = load_run(one), TASKS[task].part("warm")()
    splits = {
        name: run.task.load_split(run.info, "", name).split
        for name in ("train", "validation", "test")
    }
    for name in ("train", "validation"):
        (warning,) = learned_from([one], run.task, splits[name], run.info)
        assert "(100.0%) also stand in what the run was trained on" in warning
    before = {x for name in ("train", "validation") for x in start.items(splits[name], run.info)}
    test = list(start.items(splits["test"], run.info))
    count = sum(item in before for item in test)
    found = learned_from([one], run.task, splits["test"], run.info)
    assert [w.split()[1] for w in found] == ([f"{count:,}"] if count else [])
    (note,) = learned_from([tmp_path], run.task, splits["test"], run.info)
    assert note.endswith("is not known")  # a run of an older version
    warning, *others = learned_from([tmp_path, one], run.task, splits["train"], run.info)
    assert warning == note
    assert len(others) == 1
    (tmp_path / "learned.bin").write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="learned.bin"):
        learned_from([tmp_path], run.task, splits["train"], run.info)


@pytest.mark.parametrize(("task", "variant"), CASES)
def test_before_the_first_step_it_is_the_run_that_it_began_from(
    home: Path, task: str, variant: str
) -> None:
    """Every parameter, and what the networks say, to the last bit; then a batch is overfitted."""
    one, data = first_run(home, task, variant)
    made = make_task(task, _options(one, task, data))
    begin(made, Begin(one, "one"), None)
    loaded, _ = tell_of(made, made.load())
    model, old = made.model(loaded.info), load_run(one).model
    assert made.origin is not None
    made.origin.give(model, loaded.info, made)
    for (name, ours), theirs in zip(model.named_parameters(), old.parameters(), strict=True):
        assert torch.equal(ours, theirs), name
    sampler = training_batches(made, loaded, made.config.train)
    batch = next(iter(sampler.epoch(0, 0)))
    losses = []

    class One:
        def steps(self, epoch: int) -> int:
            return 10

        def epoch(self, epoch: int, start: int) -> Iterator[Any]:
            return iter([batch] * (10 - start))

    def score() -> dict[str, float]:
        with torch.inference_mode():
            part = made.loss(model(batch), batch)
        losses.append(float(part.total / part.items))
        return {"loss": losses[-1]}

    made.make_room(model, loaded)
    made.prepare(model, loaded)
    train = asdict(made.config.train) | {"epochs": 8, "learning_rate": 0.02, "patience": 0}
    for _ in fit(model, made.loss, One(), type(made.config.train)(**train),
                 Validation(score, "loss", lower_is_better=True)):  # fmt: skip
        pass
    assert min(losses) < 0.9 * losses[0]


def _options(one: Path, task: str, data: dict[str, Any]) -> Any:
    from birnn.config import with_flat
    from birnn.tasks.api.beginning import options_from

    return with_flat(options_from(task, str(one)), {**data, **QUICK})


@pytest.fixture(scope="module")
def classes(home: Path) -> tuple[Path, Path]:
    """A run on two classes, and data with a third, other words, and a twin of a training text."""
    old = write_table(home / "old.csv", sentences(90))
    run = home / "classes"
    sizes = {"hidden_size": 5, "word_size": 4, "gram_size": 4, "gram_buckets": 50, "members": 1}
    birnn.train("sentiment", old, run, vectors="none", **sizes, **QUICK)
    rows = sentences(91, ("mixed", "bad", "good"))
    new = write_table(home / "new.csv", [(f"zebra {text}", label) for text, label in rows])
    return run, new


@pytest.mark.parametrize(
    ("how", "words"), [("grow", {"zebra", "lovely"}), ("keep", {"lovely"}), ("refit", {"zebra"})]
)
def test_a_class_and_words_are_added_by_name(
    classes: tuple[Path, Path], tmp_path: Path, how: str, words: set[str]
) -> None:
    run, new = classes
    made = make_task("sentiment", _options(run, "sentiment", {"data": str(new)}))
    from birnn.tasks.core.beginning import Choice

    begin(made, Begin(run, "old", Choice(vocabulary=how)), None)
    loaded, told = tell_of(made, made.load())
    assert told is not None
    assert loaded.info.labels == ["bad", "good", "mixed"]
    known = set(loaded.info.lexicon.words)
    assert words <= known
    assert ("zebra" in known) == ("zebra" in words)
    assert made.origin is not None
    model, old = made.model(loaded.info), load_run(run)
    made.origin.give(model, loaded.info, made)
    for label in old.info.labels:
        place = loaded.info.labels.index(label), old.info.labels.index(label)
        head, before = (m.members[0].head.linear.weight for m in (model, old.model))
        assert torch.equal(head[place[0]], before[place[1]])
    rows, others = (m.members[0].embedder.words.weight for m in (model, old.model))
    for word in known & set(old.info.lexicon.words):
        mine = loaded.info.lexicon.words.index(word)
        assert torch.equal(rows[mine], others[old.info.lexicon.words.index(word)])
    assert "2 of 3 classes" in told.facts["kept"]
    assert "classes 'mixed'" in told.facts["new"]


def test_fewer_classes_are_forgotten_and_twins_are_told(
    classes: tuple[Path, Path], tmp_path: Path
) -> None:
    """A class that is gone is wrong in the old test split, not left out of it."""
    run, _ = classes
    old = [row for row in sentences(90) if row[1] == "good"]
    data = write_table(tmp_path / "new.csv", [*old, *sentences(60, ("other", "bad"))[::2]])
    two = birnn.train("sentiment", data, tmp_path / "two", from_run=run, **QUICK)
    assert two.metrics["from"]["gone"] == ["classes 'bad'", *two.metrics["from"]["gone"][1:]]
    assert two.metrics["forgetting"]["after"]["accuracy"]["value"] <= 0.6
    shared = two.metrics["from"]["shared"]
    assert shared["test"] > 0
    assert shared["old_test"] > 0
    extras = json.loads((tmp_path / "two" / "report.json").read_text())
    assert any("in what classes was trained on: scores on test are flattered" in line
               for line in extras["warnings"])  # fmt: skip


def test_what_contradicts_is_one_line(
    classes: tuple[Path, Path], tmp_path: Path, home: Path
) -> None:
    run, new = classes
    for options, message in (
        ({"hidden_size": 7}, "hidden_size: classes was made with 5, not 7"),
        ({"encoder": "bilstm"}, "encoder: classes was made with 'bigru'"),
        ({"vectors": str(home / "v.txt")}, "vectors: the run that is begun from has no vectors"),
        ({"from_vocabulary": "some"}, "from_vocabulary: 'some' is not one of grow, keep, refit"),
        ({"freeze": "none", "thaw_every": 1}, "thaw_every: nothing is frozen"),
    ):
        (home / "v.txt").write_text("lovely 1 2\n")
        with pytest.raises(ConfigError, match=message):
            birnn.train("sentiment", new, tmp_path / "no", from_run=run, **QUICK, **options)
    with pytest.raises(ConfigError, match="streaming: leave|leave --streaming or --from out"):
        streamed = {"streaming": True, "steps": 1, "from_run": run}
        birnn.train("sentiment", new, tmp_path / "no", **streamed, **QUICK)
    with pytest.raises(ConfigError, match="from: name the data to train classes on with --data"):
        birnn.train("sentiment", None, tmp_path / "no", from_run=run, **QUICK)
    with pytest.raises(ConfigError, match="classes is a run of sentiment: python cli.py sentiment"):
        birnn.train("tagging", new, tmp_path / "no", from_run=run, **QUICK)
    with pytest.raises(ConfigError, match="from_vocabulary: it belongs to --from"):
        birnn.train("sentiment", new, tmp_path / "no", from_vocabulary="keep", **QUICK)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_old_data_that_is_not_what_it_was_is_said(
    classes: tuple[Path, Path], tmp_path: Path, home: Path, how: str
) -> None:
    run, new = classes
    data = home / "old.csv"
    kept = data.read_text()
    try:
        if how == "gone":
            data.unlink()
        else:
            data.write_text(kept.replace("film", "movie"))
        made = make_task("sentiment", _options(run, "sentiment", {"data": str(new)}))
        begin(made, Begin(run, "old"), None)
        loaded, told = tell_of(made, made.load())
        assert told is not None
        found = told.metrics(made, loaded, made.model(loaded.info))
    finally:
        data.write_text(kept)
    why = found["forgetting"]["reason"]
    assert why.startswith("old.csv can't be read again" if how == "gone" else "old.csv is not what")
    assert str(home) not in why
    assert found["from"]["shared"]["reason"] == why
    assert f"no look for items that both runs have: {why}" in loaded.notes
    assert len(told.baselines(loaded)) == 1


def test_from_the_command_line_and_taken_up_again_bit_for_bit(
    classes: tuple[Path, Path], tmp_path: Path, birnn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, new = classes
    options = ("--device", "cpu", "--epochs", "3", "--freeze", "encoder", "--thaw-every", "1",
               "--layer-decay", "2.6", "--checkpoint-epochs", "1")  # fmt: skip
    whole = birnn("sentiment", "--from", run, "--data", new, "--out", tmp_path / "a", *options)
    assert whole.code == 0, whole.err
    assert "Begun from classes" in whole.out
    assert "own test split (old.csv)" in whole.out

    from birnn.tasks.runs import experiment

    real, seen = experiment.train_member, []

    def stopping(*args: Any) -> Any:
        for event in real(*args):
            seen.append(type(event).__name__)
            yield event
            if seen.count("EpochEvent") == 2:
                raise Stopped("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "train_member", stopping)
        birnn("sentiment", "--from", run, "--data", new, "--out", tmp_path / "b", *options)
    assert not (tmp_path / "b").exists()
    moved = shutil.move(run, tmp_path / "elsewhere")
    away = birnn("sentiment", "--resume", tmp_path / "b")
    shutil.move(moved, run)
    assert away.code == 2
    other = birnn("sentiment", "--resume", tmp_path / "b", "--from-vocabulary", "keep")
    assert f"from: the run began from {run}; that can't change" in other.refusal()
    again = birnn("sentiment", "--resume", tmp_path / "b")
    assert again.code == 0, again.err
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in "ab")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_estimators_begin_from_runs(classes: tuple[Path, Path]) -> None:
    run, _ = classes
    texts, labels = zip(*sentences(60, ("good", "bad", "mixed")), strict=True)
    model = birnn.SentimentClassifier(from_run=run, epochs=1, options={"device": "cpu"})
    assert list(model.fit(list(texts), list(labels)).classes_) == ["bad", "good", "mixed"]
    assert model.run_.config.encoder.hidden_size == 5
    assert model.run_.loaded.task.began["name"] == "classes"
    with pytest.raises(ValueError, match="classes is a run of sentiment"):
        birnn.SequenceRegressor(from_run=run)._task()


def test_another_horizon_fewer_covariates_and_no_quantiles(home: Path) -> None:
    """Steps and columns that both have are kept, of quantiles the middle; the rest is said."""
    one, data = first_run(home, "forecast", "panel")
    changed = {**data, "horizon": 7, "calendar": "", "loss": "mae"}
    made = make_task("forecast", _options(one, "forecast", changed))
    begin(made, Begin(one, "one"), None)
    loaded, told = tell_of(made, made.load())
    assert told is not None
    assert made.origin is not None
    model, old = made.model(loaded.info), load_run(one)
    made.origin.give(model, loaded.info, made)
    assert {"all 3 series", "5 of 7 steps ahead"} <= set(told.facts["kept"])
    assert any(part.startswith("covariates") for part in told.facts["gone"])
    ours, theirs = model.members[0], old.model.members[0]
    segment = old.info.shape.segment
    assert torch.equal(
        ours.embedder.linear.weight[:, :segment], theirs.embedder.linear.weight[:, :segment]
    )
    quantiles = theirs.head.quantiles
    middles = theirs.head.linear.weight[quantiles // 2 :: quantiles]
    assert torch.equal(ours.head.linear.weight[:5], middles)
    assert np.array_equal(loaded.info.scaling.shift, old.info.scaling.shift)
    with pytest.raises(DataError, match="one run forecasts 7 steps ahead, the other 5"):
        made.origin.start.seen_by(made, loaded.splits["test"], loaded.info, old.info)  # type: ignore[attr-defined]
