"""Who works at which trial of a study: taken by one worker at a time, and never lost or doubled.

Everything is in the study's storage, so that workers need share nothing else. A trial counts in the
order of the trials' numbers, and only the first ``wanted`` of those that count are carried out; a
worker says again and again that it lives, and what a dead one held is tried anew.
"""

import os
import platform
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from birnn.search import Space, Span, Value
from birnn.tasks.tuning.messages import Failure, Score

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

BEAT = 10.0  # seconds between two signs of life
GRACE = 60.0  # seconds without one after which a worker elsewhere counts as dead
TOLD = "told"  # the attribute of a trial that holds what came of it
RETRIES = 2  # times that a trial is tried anew whose worker died


class Taken(Exception):  # noqa: N818
    """Others held this worker for dead, and have taken its trial."""


@cache
def own_mark() -> dict[str, Any]:
    """This process, so that others on the same machine can see whether it lives."""
    places = [platform.node()]
    for name in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with suppress(OSError):
            path = Path(name)
            places.append(str(path.readlink()) if path.is_symlink() else path.read_text().strip())
    started = psutil.Process().create_time()
    return {"machine": " ".join(places), "process": os.getpid(), "started": started}


def is_gone(mark: Mapping[str, Any] | None) -> bool:
    """Whether the process that made ``mark`` is known to be no more."""
    if not mark or mark.get("machine") != own_mark()["machine"]:
        return False
    try:
        process = psutil.Process(int(mark["process"]))
        alive = process.status() != psutil.STATUS_ZOMBIE
        return not alive or abs(process.create_time() - float(mark["started"])) > 1
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, KeyError, ValueError):
        return False


def counts(trial: "FrozenTrial") -> bool:
    """Whether a trial is one of the study's: neither given back nor left by a dead worker."""
    attributes = trial.user_attrs
    gone = trial.state.name == "FAIL" and ("lost" in attributes or "withdrawn" in attributes)
    return not gone


def suggested(trial: "Trial", name: str, space: Space) -> Value:
    """The value of an option in a trial."""
    if not isinstance(space, Span):
        value = trial.suggest_categorical(name, space.values)
        assert value is not None
        return value
    if space.whole:
        return trial.suggest_int(name, int(space.low), int(space.high), step=space.step,
                                 log=space.log)  # fmt: skip
    return trial.suggest_float(name, space.low, space.high, log=space.log)


@dataclass
class Ledger:
    """A study as one worker sees it."""

    study: "Study"
    grace: float = GRACE
    held: "Trial | None" = field(default=None, init=False)
    beaten: float = field(default=0.0, init=False)
    number: int = field(default=0, init=False)  # of the last sign of life
    seen: dict[int, tuple[Any, float]] = field(default_factory=dict, init=False)

    def trials(self) -> "list[FrozenTrial]":
        """Those that count, in the order of their numbers."""
        return [trial for trial in self.study.get_trials(deepcopy=False) if counts(trial)]

    def finished(self) -> "list[FrozenTrial]":
        """Those that are done."""
        return [trial for trial in self.trials() if trial.state.is_finished()]

    def claim(self, wanted: float, spaces: Mapping[str, Space], *, new: bool = True
              ) -> "tuple[Trial, dict[str, Value]] | None":  # fmt: skip
        """Take a trial, and what it tries; None where the first ``wanted`` all are done or held.

        Args:
            spaces: of the options.
            new: whether trials are made that nobody has asked for yet.
        """
        self.retire()
        trials = self.trials()
        waiting = any(trial.state.name == "WAITING" for trial in trials)
        if not waiting and (not new or len(trials) >= wanted):
            return None
        trial = self.study.ask()
        trial.set_user_attr("owner", own_mark())
        place = [part.number for part in self.trials()].index(trial.number)
        unasked = not new and "job" not in trial.user_attrs
        if place >= wanted or unasked:
            self._fail(trial.number, "withdrawn", True)
            return None
        self.held, self.beaten = trial, time.monotonic()
        default = "default" in trial.user_attrs
        return trial, {
            name: suggested(trial, name, space)
            for name, space in spaces.items()
            if not default or name in trial.user_attrs.get("asked", {})
        }

    def beat(self) -> None:
        """Say that this worker lives, if that was not said lately.

        Raises:
            Taken: nobody believes it any more.
        """
        if self.held is None or time.monotonic() - self.beaten < BEAT:
            return
        self.number += 1
        try:
            self.held.set_user_attr("beat", self.number)
        except (RuntimeError, ValueError):
            self.held = None
            raise Taken from None
        self.beaten = time.monotonic()

    def finish(self, result: Score | Failure | None, score: float | None = None,
               more: Mapping[str, Any] | None = None) -> bool:  # fmt: skip
        """What came of the trial that is held (None: it was pruned); False if it was taken."""
        from optuna.trial import TrialState

        trial, self.held = self.held, None
        assert trial is not None
        notes: dict[str, Any] = dict(more or {})
        if isinstance(result, Failure):
            notes |= {"reason": result.reason, "kind": result.kind}
        try:
            trial.set_user_attr(TOLD, notes)  # at once: each attribute is a word with a database
            if isinstance(result, Failure):
                self.study.tell(trial, state=TrialState.FAIL)
            elif result is None:
                self.study.tell(trial, state=TrialState.PRUNED)
            else:
                self.study.tell(trial, result.score if score is None else score)
        except (RuntimeError, ValueError):
            return False
        return True

    def give_back(self) -> None:
        """Let others try what this worker holds and can't end."""
        if self.held is not None:
            number, self.held = self.held.number, None
            self._retry(self._frozen(number), count=False)

    def retire(self) -> None:
        """Try anew what workers held that are no more."""
        now = time.monotonic()
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state.name != "RUNNING" or (self.held and trial.number == self.held.number):
                continue
            sign = (trial.user_attrs.get("owner"), trial.user_attrs.get("beat"))
            if self.seen.get(trial.number, (None, 0.0))[0] != sign:
                self.seen[trial.number] = sign, now
            silent = now - self.seen[trial.number][1] > self.grace
            if silent or is_gone(trial.user_attrs.get("owner")):
                self._retry(trial)

    def _frozen(self, number: int) -> "FrozenTrial":
        return self.study.get_trials(deepcopy=False)[number]

    def _retry(self, trial: "FrozenTrial", *, count: bool = True) -> None:
        attributes = trial.user_attrs
        retries = attributes.get("retries", 0) + count
        if retries > RETRIES:
            reason = f"its worker died, {retries} times"
            self._fail(trial.number, TOLD, {"reason": reason, "kind": "killed"})
            return
        if not self._fail(trial.number, "lost", True):
            return
        asked = {**attributes.get("asked", {}), **trial.params}
        if asked or "default" in attributes or "job" in attributes:
            kept = {k: v for k, v in attributes.items() if k in ("default", "job")}
            self.ask_for(asked, {**kept, "retries": retries, "after": trial.number})

    def ask_for(self, values: Mapping[str, Value], notes: Mapping[str, Any]) -> None:
        """Let some worker try these values."""
        self.study.enqueue_trial(dict(values), {**notes, "asked": dict(values)})

    def _fail(self, number: int, name: str, value: Any) -> bool:
        """End a trial as failed, with a note; False where others have ended it already."""
        from optuna.trial import TrialState

        try:
            place = self._frozen(number)._trial_id
            self.study._storage.set_trial_user_attr(place, name, value)
            self.study.tell(number, state=TrialState.FAIL)
        except (RuntimeError, ValueError):
            return False
        return True
