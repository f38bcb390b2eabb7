"""What a study says: its trials, the finalists beside the default, and which is best."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from birnn.search import Value
from birnn.tasks.tuning.ledger import TOLD, Ledger

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

STATES = {"COMPLETE": "done", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": "running",
          "WAITING": "waiting"}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A trial."""

    number: int
    state: str  # done, pruned, failed, running or waiting
    score: float | None  # of a pruned one: where it was ended
    values: Mapping[str, Value]
    epoch: int | None = None  # that was kept, or at which it was ended
    seconds: float = 0.0
    reason: str = ""
    default: bool = False


def row_of(trial: "FrozenTrial", defaults: Mapping[str, Value]) -> Row:
    """A trial of Optuna's as a row; the default's values are ``defaults``."""
    notes, default = trial.user_attrs.get(TOLD, {}), "default" in trial.user_attrs
    steps = trial.intermediate_values
    state = STATES[trial.state.name]
    epoch = notes.get("epoch") if state == "done" else max(steps, default=None)
    values = dict(defaults) if default else dict(trial.params)
    score = trial.value if trial.values else None
    return Row(trial.number, state, score, values, epoch, notes.get("seconds", 0.0),
               notes.get("reason", ""), default)  # fmt: skip


@dataclass(frozen=True)
class Standing:
    """A finalist beside the default, on seeds that the search has not seen."""

    number: int
    scores: Mapping[int, float]  # by seed
    gain: float | None = None  # over the default on the same seeds, as a mean; more is better
    error: float | None = None  # its standard error
    better: bool = False


@dataclass(frozen=True)
class Findings:
    """All that a study has found so far."""

    task: str
    monitor: str
    lower: bool
    rows: Sequence[Row]
    best: Row
    how: str  # why that one, in a sentence
    finalists: Sequence[Standing] = ()
    importance: Mapping[str, float] = field(default_factory=dict)
    seeds: Sequence[int] = ()  # that search and confirmation have used
    lighter: str = ""  # what trials have less of than runs

    @property
    def finished(self) -> int:
        """Trials that are over."""
        return sum(row.state in ("done", "pruned", "failed") for row in self.rows)

    def of(self, number: int) -> Row:
        """A trial by its number."""
        return next(row for row in self.rows if row.number == number)

    def ranked(self) -> list[Row]:
        """The trials that went to their end, best first."""
        return ranked(self.rows, lower=self.lower)

    def to_json(self) -> dict[str, Any]:
        """For other programs."""
        own = {"task": self.task, "monitor": self.monitor, "lower_is_better": self.lower,
               "trials": self.finished}  # fmt: skip
        rows = [asdict(row) for row in self.rows]
        finalists = [{**asdict(one), "scores": {str(k): v for k, v in one.scores.items()}}
                     for one in self.finalists]  # fmt: skip
        return {**own, "best": asdict(self.best), "how": self.how, "finalists": finalists,
                "importance": dict(self.importance), "rows": rows}  # fmt: skip


def ranked(rows: Sequence[Row], *, lower: bool) -> list[Row]:
    """Those that went to their end, best first; the earlier of two that are equal."""
    done = [row for row in rows if row.state == "done" and row.score is not None]
    return sorted(done, key=lambda row: (row.score or 0.0) * (1 if lower else -1))


def standings(
    scores: Mapping[int, Mapping[int, float]], default: int, *, lower: bool
) -> list[Standing]:
    """Finalists beside the default: trial → seed → score.

    A finalist is better where it gains on average, by more than a standard error where there are
    two seeds or more to tell one.
    """
    base, sign = scores.get(default, {}), -1 if lower else 1
    found = [Standing(default, base)]
    for number, own in scores.items():
        if number == default:
            continue
        gains = [sign * (own[seed] - base[seed]) for seed in own if seed in base]
        if not gains:
            found.append(Standing(number, own))
            continue
        gain = statistics.mean(gains)
        error = statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else None
        found.append(Standing(number, own, gain, error, gain > (error or 0.0)))
    return found


def choose(rows: Sequence[Row], found: Sequence[Standing], *, lower: bool) -> tuple[Row, str]:
    """The best trial and, in a sentence, why.

    With no confirmation it is the best of the search; with one, the finalist that gains most over
    the default, or the default itself where none is better.
    """
    order = ranked(rows, lower=lower)
    by_number = {row.number: row for row in order}
    beside = [one for one in found if one.gain is not None]
    default = next((row for row in order if row.default), None)
    if beside and default is not None:
        best = max(beside, key=lambda one: (one.better, one.gain))
        if not best.better:
            return default, "no finalist was better than the default on further seeds"
        count = len([seed for seed in best.scores if seed in found[0].scores])
        seeds = f"{count} further seed{'s' if count > 1 else ''}"
        return by_number[best.number], f"better than the default on {seeds}"
    lone = [one for one in found if one.scores and one.number in by_number]
    if lone and default is None:
        sign = 1 if lower else -1
        top = min(lone, key=lambda one: sign * statistics.mean(one.scores.values()))
        return by_number[top.number], "the best finalist on further seeds; the default failed"
    if order[0].default:
        return order[0], "no trial was better"
    return order[0], "the best trial of the search, not confirmed on further seeds"


def importance(ledger: Ledger, names: Sequence[str]) -> dict[str, float]:
    """Which options mattered, as shares of 1: PED-ANOVA's, in the better trials; else empty."""
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    done = [trial for trial in ledger.trials() if trial.state.name == "COMPLETE"]
    usable = [trial for trial in done if set(names) <= trial.params.keys()]
    if len(usable) < 5 or len({trial.value for trial in usable}) < 2:
        return {}
    copy = optuna.create_study(direction=ledger.study.direction)
    copy.add_trials(usable)
    try:
        found = get_param_importances(
            copy, evaluator=PedAnovaImportanceEvaluator(), params=list(names)
        )
    except (RuntimeError, ValueError, ZeroDivisionError):
        return {}
    total = sum(found.values())
    return {name: value / total for name, value in found.items()} if total > 0 else {}
