"""A study as one worker sees it, with trials that take no training."""

import json
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from birnn.config import apply
from birnn.errors import BirnnError, ConfigError, DataError, TrainingError
from birnn.tasks.regression.options import RegressionConfig
from birnn.tasks.sentiment.options import SentimentConfig
from birnn.tasks.tuning import ledger, tuning
from birnn.tasks.tuning.events import Confirmed, Ended, Found, Started
from birnn.tasks.tuning.ledger import Ledger, Taken, own_mark
from birnn.tasks.tuning.messages import Epoch, Failure, Job, Score
from birnn.tasks.tuning.report import study_report
from birnn.tasks.tuning.results import Row, choose, standings
from birnn.tasks.tuning.storage import open_storage, without_password
from birnn.tasks.tuning.tuning import tune

from pretend_trials import SUBJECT, PretendTrainer, plan

optuna = pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def _pretend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "Trainer", PretendTrainer)
    monkeypatch.setattr(tuning, "POLL", 0.01)


def found(events: list[Any]) -> Found:
    assert isinstance(events[-1], Found)
    return events[-1]


def test_the_default_comes_first_and_a_better_one_is_found(tmp_path):
    events = list(tune(plan(tmp_path / "study", 14)))
    first = next(event for event in events if isinstance(event, Started))
    assert (first.number, first.values["hidden_size"]) == (0, 8)
    best = found(events).findings.best
    assert not best.default
    assert best.values["hidden_size"] == 12
    assert sum(isinstance(event, Ended) for event in events) == 14
    seeds = {event.seed for event in events if isinstance(event, Confirmed)}
    assert seeds == {1, 2}  # that the search has not used
    failed = [row for row in found(events).findings.rows if row.state == "failed"]
    assert failed
    assert {row.reason for row in failed} == {"two layers"}
    written = {path.name for path in (tmp_path / "study").iterdir()}
    assert written >= {"best.toml", "report.html", "trials.csv", "history.png", "study.json"}


@pytest.mark.parametrize("beaten", [False, True])
def test_time_for_confirmations_is_searched_in_while_there_is_nothing_to_confirm(
    beaten, tmp_path, monkeypatch
):
    """Ten minutes and trials of one: half of them, or all but one more pair."""
    now = [0.0]

    class Clocked(PretendTrainer):
        def train(self, job):
            now[0] += 60
            default = job.config.encoder.hidden_size == RegressionConfig().encoder.hidden_size
            score = 1.0 if default else 0.5 if beaten else 2.0
            if not (yield Epoch(1, 1, score, 0.1)):
                return None
            return Score(score, 1, {"mse": score}, 0.1, 100)

    clock = SimpleNamespace(monotonic=lambda: now[0], perf_counter=lambda: now[0], sleep=None)
    monkeypatch.setattr(tuning, "time", clock)
    monkeypatch.setattr(tuning, "Trainer", Clocked)
    search = {"only": True, "search": "hidden_size=3..64", "pruner": "none"}
    events = list(tune(plan(tmp_path / "study", trials=0, minutes=10, confirm=3, **search)))
    trials = sum(isinstance(event, Ended) for event in events)
    again = sum(isinstance(event, Confirmed) for event in events)
    assert (trials, again) == ((5, 4) if beaten else (8, 0))
    assert now[0] <= 600


def test_the_same_command_goes_on_and_draws_the_same(tmp_path):
    whole = found(list(tune(plan(tmp_path / "a", 9)))).findings
    list(tune(plan(tmp_path / "b", 4)))
    events = list(tune(plan(tmp_path / "b", 9)))
    assert sum(isinstance(event, Ended) for event in events) == 5
    assert [row.values for row in found(events).findings.rows] == [row.values for row in whole.rows]
    again = list(tune(plan(tmp_path / "b", 9)))
    assert not [event for event in again if isinstance(event, Started)]
    assert found(again).findings.best == found(events).findings.best


def test_best_toml_trains_and_says_what_stands_behind_it(tmp_path):
    done = found(list(tune(plan(tmp_path, 6, confirm=0))))
    values = tomllib.loads((tmp_path / "best.toml").read_text())
    assert values["train"]["search_trials"] == done.config.train.search_trials == 6
    assert values["train"]["epochs"] == 3
    assert values["encoder"]["hidden_size"] == done.config.encoder.hidden_size


@pytest.mark.parametrize(
    ("given", "options", "members"),
    [(0, {}, 1), (0, {"trial_members": 2}, 2), (0, {"trial_members": 0}, 0), (3, {}, 3),
     (0, {"search": "members=0,2"}, 0)],
)  # fmt: skip
def test_trials_train_one_network_where_a_run_averages_several(
    given, options, members, tmp_path, monkeypatch
):
    kept: list[Job] = []

    class Kept(PretendTrainer):
        def stop(self) -> None:
            kept.extend(self.jobs)

    monkeypatch.setattr(tuning, "Trainer", Kept)
    config = apply(SentimentConfig(), {"members": given})
    wish = replace(plan(tmp_path / "study", 1, **options), task="sentiment", config=config)
    events = list(tune(wish))
    assert {job.config.model.members for job in kept} == {members}
    assert found(events).config.model.members == given  # what is trained at last
    told = "a run averages several" in (tmp_path / "study" / "report.html").read_text()
    assert told == (members != given)


def test_a_study_of_something_else_is_refused(tmp_path, monkeypatch):
    first = plan(tmp_path, 2)
    list(tune(first))

    def refused(other: Any, message: str) -> None:
        with pytest.raises(DataError, match=message):
            list(tune(other))

    longer = replace(first.config, train=replace(first.config.train, epochs=4))
    refused(replace(first, config=longer), "has epochs 3, not 4")
    refused(replace(first, options=replace(first.options, keep="layers")), "another space|layers")
    seeded = replace(first.config, train=replace(first.config.train, seed=7))
    refused(replace(first, config=seeded), "another --seed: 0, not 7")
    monkeypatch.setattr(PretendTrainer, "subject", replace(SUBJECT, digest="other"))
    refused(first, "of other data")
    monkeypatch.setattr(PretendTrainer, "subject", SUBJECT)
    threads = replace(first.config, train=replace(first.config.train, threads=3))
    list(tune(replace(first, config=threads)))  # where it runs is nobody's business


def test_nothing_of_others_is_overwritten(tmp_path):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(DataError, match="not a study"):
        list(tune(plan(tmp_path)))
    (tmp_path / "notes.txt").write_text('{"mine": 1}')
    with pytest.raises(DataError, match="no journal file"):
        list(tune(plan(tmp_path / "study", storage=str(tmp_path / "notes.txt"))))
    assert (tmp_path / "report.html").read_text() == "mine"
    assert (tmp_path / "notes.txt").read_text() == '{"mine": 1}'


def test_a_torn_line_of_a_killed_worker_goes(tmp_path):
    list(tune(plan(tmp_path, 3)))
    with (tmp_path / "journal.log").open("a") as file:
        file.write('{"op_code":8,"worker')
    events = list(tune(plan(tmp_path, 5)))
    assert sum(isinstance(event, Ended) for event in events) == 2


def test_what_interrupts_a_worker_gives_its_trial_back(tmp_path):
    events = tune(plan(tmp_path, 4))
    begun = [next(events) for _ in range(3)]
    assert isinstance(begun[1], Started)
    events.close()
    rest = list(tune(plan(tmp_path, 4)))
    assert next(event for event in rest if isinstance(event, Started)).values == begun[1].values
    rows = found(rest).findings.rows
    assert len(rows) == 4
    assert [row.default for row in rows].count(True) == 1


def make_ledger(path: Path) -> Ledger:
    storage = open_storage(str(path / "journal.log"))
    return Ledger(optuna.create_study(storage=storage, study_name="s", load_if_exists=True))


def test_a_silent_worker_loses_its_trial_once_and_a_late_answer_is_dropped(tmp_path, monkeypatch):
    silent, other = make_ledger(tmp_path), make_ledger(tmp_path)
    monkeypatch.setattr(ledger, "own_mark", lambda: {"machine": "elsewhere"})
    assert silent.claim(2, {}) is not None
    monkeypatch.undo()
    other.retire()
    assert [trial.state.name for trial in other.trials()] == ["RUNNING"]
    other.grace = -1.0
    other.retire()
    other.grace = 60.0
    assert not other.trials()
    assert other.claim(1, {}) is not None
    silent.beaten = -1e9
    with pytest.raises(Taken):
        silent.beat()
    assert silent.held is None
    assert other.finish(Score(1.0, 1, {}, 0.1, 1))
    assert [trial.state.name for trial in other.trials()] == ["COMPLETE"]


def test_a_trial_that_kills_its_workers_fails_in_the_end(tmp_path, monkeypatch):
    own = make_ledger(tmp_path)
    own.ask_for({"x": 1}, {"default": True})
    for _ in range(4):
        other = make_ledger(tmp_path)
        monkeypatch.setattr(ledger, "own_mark", lambda: {**own_mark(), "started": 0.0})
        other.claim(1, {})
        monkeypatch.undo()
        own.retire()
    (trial,) = own.trials()
    assert trial.user_attrs["told"]["reason"] == "its worker died, 3 times"


def test_trials_that_all_fail_are_one_line(tmp_path, monkeypatch):
    def train(self: Any, job: Job) -> Any:
        yield from ()
        return Failure("no room", "memory")

    monkeypatch.setattr(PretendTrainer, "train", train)
    with pytest.raises(TrainingError, match="no trial went to its end; the last: no room"):
        list(tune(plan(tmp_path, 30)))


def test_a_hopeless_trial_ends_early(tmp_path, monkeypatch):
    def train(self: Any, job: Job) -> Any:
        worse = 0.0 if job.config == plan(tmp_path).config else 5.0
        for epoch in range(1, 4):
            if not (yield Epoch(epoch, 3, 1.0 + worse, 0.1)):
                return None
        return Score(1.0 + worse, 3, {"mse": 1.0 + worse}, 0.1, 1)

    monkeypatch.setattr(PretendTrainer, "train", train)
    rows = found(list(tune(plan(tmp_path / "s", 4)))).findings.rows
    assert [(row.state, row.epoch) for row in rows] == [("done", 3), *[("pruned", 2)] * 3]


def test_several_processes_and_a_missing_optuna_are_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="one process"):
        list(tune(plan(tmp_path)))
    monkeypatch.delenv("WORLD_SIZE")
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(ConfigError, match=r'pip install "birnn\[tune\]"'):
        list(tune(plan(tmp_path)))


def test_folds_and_streams_are_refused(tmp_path):
    first = plan(tmp_path)
    folds = replace(first.config, data=replace(first.config.data, folds=3))
    with pytest.raises(ConfigError, match="name one of them with --fold"):
        list(tune(replace(first, config=folds)))
    texts = apply(SentimentConfig(), {"streaming": True})
    with pytest.raises(ConfigError, match="on a part of the data"):
        list(tune(replace(first, task="sentiment", config=texts)))


@pytest.mark.parametrize("url", ["nothing://x", "sqlite:///{}/no/such/folder.db", "://"])
def test_a_bad_storage_is_one_line(url, tmp_path):
    with pytest.raises(BirnnError, match="storage"):
        list(tune(plan(tmp_path / "s", storage=url.format(tmp_path))))


def test_sqlite_works_and_a_password_is_not_written(tmp_path):
    done = found(list(tune(plan(tmp_path / "s", 3, storage=f"sqlite:///{tmp_path}/a.db"))))
    assert done.findings.finished == 3
    assert without_password("postgresql://me:secret@host/x") == "postgresql://me:***@host/x"


ROWS = [Row(0, "done", 1.0, {}, default=True), Row(1, "done", 0.8, {}), Row(2, "done", 0.9, {})]


@pytest.mark.parametrize(
    ("scores", "best"),
    [
        ({}, 1),  # not confirmed: the search's word
        ({0: {1: 1.0, 2: 1.0}, 1: {1: 0.9, 2: 0.8}, 2: {1: 0.7, 2: 0.8}}, 2),
        ({0: {1: 1.0, 2: 1.0}, 1: {1: 0.7, 2: 1.2}}, 0),  # no more than an error better
        ({0: {1: 1.0}, 1: {1: 1.0}}, 0),  # the default wins ties
        ({0: {1: 1.0}, 1: {1: 0.9}}, 1),
    ],
)
def test_a_lucky_trial_is_not_named_best(scores, best):
    assert choose(ROWS, standings(scores, 0, lower=True), lower=True)[0].number == best
    up = [replace(row, score=-(row.score or 0)) for row in ROWS]
    turned = {n: {seed: -v for seed, v in own.items()} for n, own in scores.items()}
    assert choose(up, standings(turned, 0, lower=False), lower=False)[0].number == best


def test_a_report_shows_what_strangers_wrote_as_text(tmp_path):
    findings = found(list(tune(plan(tmp_path / "<script>x</script>", 6)))).findings
    bad = "<script>alert(1)</script>\x1b[31m"
    rows = [replace(row, reason=bad, values={**row.values, "tokenizer": bad})
            for row in findings.rows]  # fmt: skip
    best = replace(findings.best, values={**findings.best.values, "tokenizer": bad})
    page = study_report(replace(findings, rows=rows, best=best), tmp_path, bad)
    assert "<script>alert" not in page
    assert json.loads(json.dumps(findings.to_json()))["trials"] == 6


@pytest.mark.parametrize(("epochs", "early"), [(1, 2), (2, 2), (3, 2), (4, 3), (9, 3), (30, 10)])
def test_no_trial_is_ended_after_one_epoch(epochs, early):
    from birnn.tasks.tuning.sampling import make_pruner

    assert make_pruner("median", epochs)._n_warmup_steps == early
