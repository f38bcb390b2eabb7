"""What trackers are told of a run while it is trained, through Accelerate's own."""

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from birnn import processes
from birnn.config import flatten
from birnn.errors import BirnnError, ConfigError, brief, reason
from birnn.registry import suggestion
from birnn.tasks.core.toml_text import write_toml
from birnn.tasks.runs.events import AnyEvent, Finished, Prepared, SeedStarted
from birnn.tasks.runs.launch import Plan
from birnn.tasks.runs.tracking_options import TRACKERS, TrackConfig
from birnn.training.events import EpochEvent, ResumeEvent, StepEvent

Values = dict[str, float]


def tracked(events: Generator[AnyEvent, None, None], plan: Plan) -> Generator[AnyEvent, None, None]:
    """Hand on ``events``, and tell the trackers of ``plan.track`` of them.

    A tracker that fails on the way is left out from there on: the run goes on, and its last event
    says so.

    Raises:
        ConfigError: a tracker is unknown or not installed, or can't be started.
    """
    check_trackers(plan.track)
    told = Told(plan)
    try:
        for event in events:
            told.of(event)
            if isinstance(event, Finished) and told.lost:
                event = replace(event, note="\n".join(filter(None, [event.note, *told.lost])))
            yield event
    finally:
        events.close()
        told.close()


def check_trackers(config: TrackConfig) -> None:
    """Refuse trackers that can't be had, before anything is read.

    Raises:
        ConfigError: so it is; the message says what helps.
    """
    for name in config.names:
        if name not in TRACKERS:
            known = f"{', '.join(TRACKERS)}{suggestion(name, TRACKERS)}"
            raise ConfigError(f"track: {brief(name)} is not one of {known}")
        tracker_class(name)


def tracker_class(name: str) -> Any:
    """Accelerate's class of a tracker.

    Raises:
        ConfigError: its library isn't installed.
    """
    from accelerate import utils
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    there = getattr(utils, f"is_{name}_available", None)
    if there is None or name not in LOGGER_TYPE_TO_CLASS:
        raise ConfigError(f"track: {name} needs a newer accelerate: pip install -U accelerate")
    if not there():
        extra = '"birnn[track]"' if name == "tensorboard" else name
        raise ConfigError(f"track: {name} is not installed: pip install {extra}")
    return LOGGER_TYPE_TO_CLASS[name]


class Told:
    """What was told of a run, to which trackers.

    Attributes:
        lost: of each tracker that failed, a sentence.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.config = plan, plan.track
        self.lost: list[str] = []
        self.name, self.step = plan.out.name, 0
        self.options: Mapping[str, Any] = {}
        self.open: dict[str, Any] = {}  # Accelerate's trackers, by their names
        self.ready = False

    def of(self, event: AnyEvent) -> None:
        """Tell of ``event``; of several processes, the main one does."""
        if not self.config.names or not processes.is_main():
            return
        if isinstance(event, Prepared):
            self.options = {"config": event.task.config}
            if not self.plan.start and len(event.seeds) == 1 and not event.folds:
                self.start()
        elif isinstance(event, SeedStarted):
            self.close()
            self.name, self.step = (
                f"{self.plan.out.name}-{event.title.replace(', ', '-').replace(' ', '-')}",
                0,
            )
            if not self.plan.start:
                self.start()
        elif isinstance(event, ResumeEvent):
            self.step = event.step
            self.start()
        elif isinstance(event, StepEvent):
            self.step = event.step
            if event.step % self.config.track_steps == 0:
                self.log({"train/loss": event.loss})
        elif isinstance(event, EpochEvent):
            scores = {f"validation/{name}": value for name, value in event.scores.items()}
            self.log({"epoch": event.epoch, "train/epoch_loss": event.loss, **scores,
                      "learning_rate": event.learning_rate, "seconds": event.seconds})  # fmt: skip
        elif isinstance(event, Finished):
            if self.name != self.plan.out.name:
                self.close()
                self.name = self.plan.out.name
            try:
                self.log(test_values(event.metrics))
            except ConfigError as error:  # the run is complete, whatever a tracker lacks
                self.lost.append(f"note: {error}")
            self.close()

    def log(self, values: Values) -> None:
        """Tell all trackers of ``values`` at the step that training is at."""
        self.start()
        values = {name: float(value) for name, value in values.items() if math.isfinite(value)}
        for name, tracker in list(self.open.items()):
            self._safely(name, lambda t=tracker: t.log(values, step=self.step))  # type: ignore[misc]

    def start(self) -> None:
        """Open all trackers for a run of this name.

        Raises:
            ConfigError: one can't be opened.
        """
        if self.ready:
            return
        self.ready = True
        options = write_toml(self.options)
        for name in self.config.names:
            if any(lost.startswith(f"note: {name} ") for lost in self.lost):
                continue
            try:
                tracker = self._make(name)
                if hasattr(tracker, "start"):  # earlier versions start when they are made
                    tracker.start()
            except BirnnError:
                raise
            except Exception as error:
                to = f" at {self.config.track_to}" if self.config.track_to else ""
                mend = "see --track-to" if name in ("tensorboard", "mlflow") else "leave it out"
                why = f"{name} can't be started{to}: {reason_of(error)}; {mend}"
                raise ConfigError(f"track: {why}") from error
            self.open[name] = tracker
            self._safely(name, lambda t=tracker: describe(t, options, self.options))  # type: ignore[misc]

    def _make(self, name: str) -> Any:
        kind, to = tracker_class(name), self.config.track_to
        if name == "tensorboard":
            folder = Path(to) if to else self.plan.out.resolve().parent / "tensorboard"
            purge = {"purge_step": self.step} if self.plan.start else {}
            return kind(free_name(folder, self.name, again=bool(purge)), logging_dir=str(folder),
                        **purge)  # fmt: skip
        if name == "mlflow":
            if to:
                import mlflow

                mlflow.set_tracking_uri(to)
            return kind(experiment_name=self.config.track_project, run_name=self.name)
        return kind(self.config.track_project, name=self.name)

    def close(self) -> None:
        """Close all trackers; a later run opens them anew."""
        for name, tracker in self.open.items():
            self._safely(name, getattr(tracker, "finish", lambda: None))
        self.open, self.ready = {}, False

    def _safely(self, name: str, work: Callable[[], Any]) -> None:
        """Do ``work`` with a tracker; one that fails is told of no more."""
        try:
            work()
        except Exception as error:  # whatever a tracker's library raises, the run goes on
            self.open = {other: there for other, there in self.open.items() if other != name}
            self.lost.append(f"note: {name} was told no more after step {self.step:,}: "
                             f"{reason_of(error)}")  # fmt: skip


def reason_of(error: Exception) -> str:
    """The first line of what a library says."""
    said = reason(error) if isinstance(error, OSError) else str(error)
    return next(iter(said.strip().splitlines()), "") or type(error).__name__


def describe(tracker: Any, text: str, options: Mapping[str, Any]) -> None:
    """Tell a tracker what is trained; to TensorBoard as text, its parameters are for sweeps."""
    if tracker.name == "tensorboard":
        tracker.log({"options": "\n".join(f"    {line}" for line in text.splitlines())}, step=0)
    else:
        tracker.store_init_configuration(plain_options(options))


def plain_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by name, as text, numbers and truth values."""
    return dict(flatten({name: asdict(part) for name, part in options.items()}))


def free_name(folder: Path, name: str, *, again: bool) -> str:
    """A name in ``folder`` that no earlier run has; ``again``: the newest that this one has."""
    number, found = 1, name
    while (folder / found).exists():
        number += 1
        if again and not (folder / f"{name}-{number}").exists():
            break
        found = f"{name}-{number}"
    return found


def test_values(metrics: Mapping[str, Any]) -> Values:
    """The scores of the test split, of the model and of its baselines."""
    test = metrics["test"]
    parts = {"test": test["model"], **{f"test_{k}": v for k, v in test["baselines"].items()}}
    return {f"{part}/{name}": score["value"] for part, scores in parts.items()
            for name, score in scores.items() if score["value"] is not None}  # fmt: skip
