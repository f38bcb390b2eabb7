"""One worker: it opens a study or joins it, takes trials, confirms the best, says what it found.

:func:`tune` is a generator of events, the last of which holds the findings; it draws nothing.
"""

import os
import statistics
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birnn.config import flatten
from birnn.data.wording import plural
from birnn.errors import ConfigError, DataError, TrainingError
from birnn.search import Space, Value
from birnn.tasks.tuning import events
from birnn.tasks.tuning.events import TuneEvent
from birnn.tasks.tuning.finalists import confirmed, jobs_for
from birnn.tasks.tuning.folder import check_folder, default_storage, write_findings, write_study
from birnn.tasks.tuning.ledger import TOLD, Ledger, Taken
from birnn.tasks.tuning.limits import Limits, OutOfTime, Trainer
from birnn.tasks.tuning.messages import Epoch, Failure, Job, Score, Subject
from birnn.tasks.tuning.options import TuneOptions
from birnn.tasks.tuning.results import (
    Findings,
    choose,
    importance,
    ranked,
    row_of,
    standings,
)
from birnn.tasks.tuning.spaces import default_values, search_spaces, with_values
from birnn.tasks.tuning.storage import (
    close_storage,
    load_optuna,
    open_storage,
    told_of_storage,
)
from birnn.tasks.tuning.study import open_study, short_hash
from birnn.version import __version__

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import Trial

FORMAT = 1
TRIALS = 30  # where nobody says how many, or how long
SEARCH_SHARE = 0.55  # of the minutes; the rest confirms
ALL_FAILED = 8  # trials that may fail before any goes well
POLL = 0.5  # seconds
# Options that say where something runs or lies: they can differ from worker to worker.
PLACES = ("device", "threads", "engine", "data", "vectors", "seed", "search_trials")


@dataclass(frozen=True)
class TunePlan:
    """What is tuned, how, and what is fixed."""

    task: str
    config: Any  # with what was given
    fixed: Mapping[str, Any]  # what was given, by name
    options: TuneOptions = field(default_factory=TuneOptions)
    command: str = ""

    @property
    def folder(self) -> Path:
        """Of the study."""
        return Path(self.options.out or f"runs/tune-{self.task}")

    @property
    def trial_config(self) -> Any:
        """What trials begin from: the configuration, of an ensemble with so many networks alone."""
        parts: Any = getattr(self.config, "model", None)
        members = self.options.trial_members
        chosen = getattr(parts, "members", 1) or "members" in self.options.search
        if chosen or not members:
            return self.config
        return replace(self.config, model=replace(parts, members=members))

    @property
    def lighter(self) -> str:
        """What trials have less of than runs, in words."""
        if self.trial_config == self.config:
            return ""
        return f"{plural(self.options.trial_members, 'network')} each; a run averages several"

    @property
    def wanted(self) -> int:
        """Trials of the study; 0: as many as there is time for."""
        return self.options.trials or (0 if self.options.minutes else TRIALS)


def tune(plan: TunePlan) -> Generator[TuneEvent, None, None]:
    """Work at a study until it is done, or this worker's time is over.

    Raises:
        BirnnError: bad options or data, a study of something else, no trial that went well.
    """
    begun = time.monotonic()
    if int(os.environ.get("WORLD_SIZE") or 1) > 1:
        advice = "start one command on each, with one --storage"
        raise ConfigError(f"tune takes one process, not torchrun's or accelerate's: {advice}")
    load_optuna()
    options, folder = plan.options, plan.folder
    _check_data(plan)
    plan_spaces(plan, {})  # refuse a bad one before anything is read
    check_folder(folder)
    deadline = begun + 60 * options.minutes if options.minutes else float("inf")
    trainer = Trainer(Limits(options.trial_minutes, options.trial_memory), deadline)
    try:
        subject = trainer.look(Job(plan.task, plan.trial_config))
        share = SEARCH_SHARE if options.confirm else 1.0
        end = begun + 60 * options.minutes * share if options.minutes else float("inf")
        with told_of_storage(options.storage):
            worker = open_worker(plan, trainer, subject)
            yield events.Opened(folder, subject, worker.spaces, len(worker.ledger.finished()),
                                plan.wanted, plan.lighter)  # fmt: skip
            yield from worker.search(end)
            if options.confirm:
                yield from worker.confirm()
            findings = worker.findings()
            close_storage(worker.storage)
    finally:
        trainer.stop()
    config = write_findings(folder, findings, plan.config, plan.fixed, plan.command)
    yield events.Found(folder, findings, config)


def _check_data(plan: TunePlan) -> None:
    values = dict(flatten(asdict(plan.config)))
    if values.get("folds") and not values.get("fold"):
        raise ConfigError("folds: a trial is judged on one split; name one of them with --fold")
    if values.get("streaming"):
        held = "tune holds the data in memory, for one trial after another"
        raise ConfigError(f"streaming: {held}; leave it out, and tune on a part of the data")


def show_spaces(plan: TunePlan) -> dict[str, Space]:
    """What would be searched; the data are read, nothing is written."""
    _check_data(plan)
    trainer = Trainer(Limits())
    try:
        subject = trainer.look(Job(plan.task, plan.trial_config))
    finally:
        trainer.stop()
    return plan_spaces(plan, subject.spaces)


def plan_spaces(plan: TunePlan, own: Mapping[str, Space]) -> dict[str, Space]:
    """What is searched; ``own`` are the spaces that depend on the data."""
    options = plan.options
    return search_spaces(
        plan.config, own, plan.fixed, asked=options.search, only=options.only,
        keep=options.keep,
    )  # fmt: skip


def open_worker(plan: TunePlan, trainer: Trainer, subject: Subject) -> "Worker":
    """Open the study of a plan, or join it."""
    from birnn.tasks.tuning.sampling import AroundDefault, make_pruner

    options, folder = plan.options, plan.folder
    spaces = plan_spaces(plan, subject.spaces)
    defaults = default_values(plan.trial_config, spaces)
    place = options.storage or default_storage(folder)
    storage = open_storage(place)
    name = options.study or folder.resolve().name
    values = dict(flatten(asdict(plan.trial_config)))
    fixed = {k: v for k, v in values.items() if k not in spaces and k not in PLACES}
    record = {
        "format": FORMAT, "version": __version__, "task": plan.task, "data": subject.digest,
        "monitor": subject.monitor, "space": {name: str(space) for name, space in spaces.items()},
        "fixed": fixed, "seed": plan.config.train.seed, "seeds": options.tune_seeds,
    }  # fmt: skip
    held = {name: v for name, v in defaults.items() if spaces[name].holds(v)}
    sampler = AroundDefault(spaces, defaults, options.sampler_seed, options.startup)
    ledger = open_study(
        storage, name, subject.lower, record, lambda own: own.ask_for(held, {"default": True}),
        sampler, make_pruner(options.pruner, plan.config.train.epochs),
    )  # fmt: skip
    write_study(folder, {**record, "study": name}, place)
    return Worker(plan, trainer, subject, spaces, defaults, storage, name, ledger)


@dataclass
class Worker:
    """What one worker knows and does."""

    plan: TunePlan
    trainer: Trainer
    subject: Subject
    spaces: Mapping[str, Space]
    defaults: Mapping[str, Value]
    storage: "BaseStorage"
    name: str  # of the study
    ledger: Ledger

    @property
    def seeds(self) -> list[int]:
        """Of a trial."""
        first = self.plan.config.train.seed
        return list(range(first, first + self.plan.options.tune_seeds))

    def search(self, end: float) -> Generator[TuneEvent, None, None]:
        """Take trials until all are done or it is ``end``; later, while none beats the default."""
        wanted, last, first = self.plan.wanted or float("inf"), "", end
        while time.monotonic() < (end := self._end(first)) and self._fits(end):
            finished = self.ledger.finished()
            if len(finished) >= wanted:
                return
            if len(finished) >= ALL_FAILED and all(t.state.name == "FAIL" for t in finished):
                return
            taken = self.ledger.claim(wanted, self.spaces)
            if taken is not None:
                last = ""
                yield from self._carry_out(self.ledger, self._trial(*taken))
                continue
            running = sum(trial.state.name == "RUNNING" for trial in self.ledger.trials())
            if (words := f"{running}") != last:
                last = words
                yield events.Waiting(running, "trials of other workers")
            time.sleep(POLL)

    def _end(self, end: float) -> float:
        """When the search ends: what is kept for confirmations is of use where there are some.

        Enough is left for one more seed of the default and of what beats it at last.
        """
        rows = [row_of(trial, self.defaults) for trial in self.ledger.finished()]
        default = [row.seconds for row in rows if row.default and row.state == "done"]
        if not default or jobs_for(rows, [0], 1, lower=self.subject.lower):
            return end
        pair = 2 * 1.1 * default[0] / self.plan.options.tune_seeds
        return max(end, self.trainer.deadline - pair)

    def _fits(self, end: float) -> bool:
        """Whether there is time for half a trial, at least, as far as others tell."""
        took = [trial.user_attrs[TOLD]["seconds"] for trial in self.ledger.finished()
                if trial.state.name == "COMPLETE"]  # fmt: skip
        return not took or time.monotonic() + statistics.median(took) / 2 < end

    def _carry_out(
        self, ledger: Ledger, work: Generator[TuneEvent, None, None]
    ) -> Generator[TuneEvent, None, None]:
        """Do what is held; whatever interrupts it, others can take it."""
        self.trainer.alive = ledger.beat
        try:
            yield from work
        except Taken:
            self.trainer.stop()
        except OutOfTime:
            pass
        finally:
            self.trainer.alive = lambda: None
            ledger.give_back()

    def _trial(
        self, trial: "Trial", values: Mapping[str, Value]
    ) -> Generator[TuneEvent, None, None]:
        default = "default" in trial.user_attrs
        config = with_values(self.plan.trial_config, {} if default else values)
        yield events.Started(trial.number, dict(self.defaults) if default else dict(values))
        started, scores = time.perf_counter(), list[Score]()
        result: Score | Failure | None = None

        def judge(epoch: Epoch) -> bool:
            if len(scores):
                return True
            trial.report(epoch.score, epoch.epoch)
            return default or not trial.should_prune()

        for seed in self.seeds:
            result = yield from self._train(trial.number, config, seed, judge)
            if not isinstance(result, Score):
                break
            scores.append(result)
        notes: dict[str, Any] = {"seconds": round(time.perf_counter() - started, 3)}
        score = statistics.mean(part.score for part in scores) if scores else None
        if isinstance(result, Score):
            notes |= {"epoch": result.epoch, "scores": dict(result.scores),
                      "parameters": result.parameters,
                      "each": [part.score for part in scores]}  # fmt: skip
        if self.ledger.finish(result, score, notes):
            yield self._ended(trial.number)

    def _ended(self, number: int) -> events.Ended:
        rows = [row_of(trial, self.defaults) for trial in self.ledger.trials()]
        order = ranked(rows, lower=self.subject.lower)
        row = next(row for row in rows if row.number == number)
        done = sum(row.state in ("done", "pruned", "failed") for row in rows)
        return events.Ended(row, done, bool(order) and order[0].number == number)

    def _train(self, number: int, config: Any, seed: int, judge: Callable[[Epoch], bool]
               ) -> Generator[TuneEvent, None, Score | Failure | None]:  # fmt: skip
        """Train a configuration with a seed."""
        config = replace(config, train=replace(config.train, seed=seed))
        training = self.trainer.train(Job(self.plan.task, config, self.subject.monitor))
        try:
            epoch = next(training)
            while True:
                go_on = judge(epoch)
                yield events.Reported(number, epoch.epoch, epoch.epochs, epoch.score)
                epoch = training.send(go_on)
        except StopIteration as over:
            result: Score | Failure | None = over.value
            return result

    def confirm(self) -> Generator[TuneEvent, None, None]:
        """Train the best few and the default with further seeds, as far as there is time."""
        options, lower = self.plan.options, self.subject.lower
        rows = [row_of(trial, self.defaults) for trial in self.ledger.finished()]
        first = self.seeds[-1] + 1
        seeds = list(range(first, first + options.confirm))
        jobs = jobs_for(rows, seeds, options.finalists, lower=lower)
        if not jobs:
            return

        def begin(own: Ledger) -> None:
            known = confirmed(self.storage, self.name)
            for job in jobs:
                if job["seed"] not in known.get(job["trial"], {}):
                    own.ask_for({}, {"job": job})

        name = f"{self.name} confirmation {short_hash(jobs)}"
        ledger = open_study(self.storage, name, lower, {"format": FORMAT, "jobs": jobs}, begin)
        took = {row.number: row.seconds / options.tune_seeds for row in rows}
        while left_over := [t for t in ledger.trials() if not t.state.is_finished()]:
            left = self.trainer.deadline - time.monotonic()
            waiting = [trial for trial in left_over if trial.state.name == "WAITING"]
            needed = took.get(waiting[0].user_attrs["job"]["trial"], 0.0) if waiting else 0.0
            if left < 1.1 * needed or left <= 0:
                return
            if (taken := ledger.claim(float("inf"), {}, new=False)) is not None:
                job = taken[0].user_attrs["job"]
                yield from self._carry_out(ledger, self._confirmation(ledger, job))
            else:
                time.sleep(POLL)

    def _confirmation(
        self, ledger: Ledger, job: Mapping[str, int]
    ) -> Generator[TuneEvent, None, None]:
        number, seed = job["trial"], job["seed"]
        row = row_of(self.ledger.study.get_trials(deepcopy=False)[number], self.defaults)
        values = {} if row.default else row.values
        yield events.Started(number, row.values, "confirmation", seed)
        config = with_values(self.plan.trial_config, values)
        result = yield from self._train(number, config, seed, lambda epoch: True)
        if ledger.finish(result):
            score = result.score if isinstance(result, Score) else None
            reason = result.reason if isinstance(result, Failure) else ""
            yield events.Confirmed(number, seed, score, reason)

    def findings(self) -> Findings:
        """What the study says now.

        Raises:
            TrainingError: no trial went to its end.
            DataError: there is none.
        """
        rows = [row_of(trial, self.defaults) for trial in self.ledger.trials()]
        lower = self.subject.lower
        order = ranked(rows, lower=lower)
        if not order:
            if failed := [row for row in rows if row.state == "failed"]:
                raise TrainingError(f"no trial went to its end; the last: {failed[-1].reason}")
            raise DataError("no trial went to its end in that time; give more --minutes")
        default = next((row.number for row in rows if row.default), -1)
        known = confirmed(self.storage, self.name)
        found = standings(known, default, lower=lower) if known else []
        best, how = choose(rows, found, lower=lower)
        used = {seed for scores in known.values() for seed in scores} | set(self.seeds)
        return Findings(
            self.plan.task, self.subject.monitor, lower, rows, best, how, found,
            importance(self.ledger, list(self.spaces)), sorted(used), self.plan.lighter,
        )  # fmt: skip
