"""Who wins: paired bootstrap differences, and one plain sentence about them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from birnn.arrays import Array
from birnn.tasks.scoring.bootstrap import Interval, interval
from birnn.tasks.scoring.metric_names import is_percent, lower_is_better, unsigned_zero
from birnn.tasks.scoring.metric_names import metric as metric_of

ALIKE = 0.0005  # shares of an error that no table would show; a mix can be all baseline


@dataclass(frozen=True)
class Difference:
    """How much better the model is than a baseline, in the metric's own unit."""

    baseline: str
    metric: str
    advantage: Interval  # positive where the model is better, whichever way the metric points
    skill: Interval | None = None  # 1 − model / baseline, of an error

    @property
    def behind(self) -> bool:
        """Whether the baseline's score is better, be it by chance; not where they are alike."""
        alike = self.skill is not None and abs(self.skill.value) < ALIKE
        return self.advantage.value < 0 and not alike

    @property
    def winner(self) -> str:
        """``model``, ``baseline``, or ``neither`` where the interval holds 0 or isn't known."""
        if not self.advantage.known:
            return "neither"
        if self.skill is not None and max(abs(self.skill.low), abs(self.skill.high)) < ALIKE:
            return "neither"
        if self.advantage.low > 0:
            return "model"
        return "baseline" if self.advantage.high < 0 else "neither"


def difference(baseline: str, metric: str, model: tuple[float, Array], other: tuple[float, Array],
               *, relative: bool = False) -> Difference:  # fmt: skip
    """Compare two models on the same resamples: each given as its value and its replicates.

    With ``relative``, also by how much of the baseline's error the model's is lower.
    """
    sign = -1.0 if lower_is_better(metric) else 1.0
    gap = interval(sign * (model[0] - other[0]), sign * (model[1] - other[1]))
    if not relative or other[0] <= 0:
        return Difference(baseline, metric, gap)
    with np.errstate(divide="ignore", invalid="ignore"):
        skill = interval(1 - model[0] / other[0], 1 - model[1] / other[1])
    return Difference(baseline, metric, gap, skill)


def strongest(parts: Sequence[Difference]) -> str:
    """The baseline that comes nearest to the model, on the first metric of ``parts``."""
    first = [part for part in parts if part.metric == parts[0].metric]
    return min(first, key=lambda part: part.advantage.value).baseline


def verdict(label: str, *parts: Difference) -> str:
    """One plain sentence on who wins against the baseline ``label``, from a part a metric."""

    def gaps(winner: str, join: str) -> str:
        return " and in ".join(_gap(part, join) for part in parts if part.winner == winner)

    wins, losses, ties = gaps("model", " by "), gaps("baseline", " by "), gaps("neither", ": ")
    clauses = [f"the model beats {label} in {wins}"] if wins else []
    clauses += [f"{label} beats the model in {losses}"] if losses else []
    if ties:
        between = "" if clauses else f" between the model and {label}"
        clauses.append(f"no clear winner{between} in {ties}")
    sentence = "; ".join(clauses) + (": prefer the simpler one." if losses else ".")
    return sentence[0].upper() + sentence[1:]


def _gap(part: Difference, join: str) -> str:
    """The metric, how far apart the two are, and the interval of that."""
    known = metric_of(part.metric)
    plain = 4 if known.digits > 1 else known.digits
    scale, digits, unit = (100.0, 1, " points") if is_percent(part.metric) else (1.0, plain, "")
    gap_of = part.advantage
    if part.skill is not None:
        gap_of, scale, digits, unit = part.skill, 100.0, 1, " %"
    scale *= -1.0 if part.winner == "baseline" else 1.0
    low, high = sorted((gap_of.low * scale, gap_of.high * scale))
    metric = known.title or part.metric.replace("_", " ").replace("f1", "F1")
    if part.skill is not None:
        metric = metric.upper()
    half = 0.5 * 10.0**-digits  # what is less is written as 0
    most = max(map(abs, (gap_of.value * scale, low, high))) if gap_of.known else half
    if most < half and part.winner == "neither":
        return f"{metric} " + (f"(less than {half:g}{unit} apart)" if most else "(equal)")
    values = (gap_of.value * scale, low, high)
    least = 20 * half if digits == 4 else half  # four zeros and a digit say little
    gap, *bounds = (
        f"{n:.2g}" if 0 < abs(n) < least else unsigned_zero(f"{n:.{digits}f}") for n in values
    )
    if not gap_of.known:
        return f"{metric}{join}{gap}{unit} (too little data for an interval)"
    return f"{metric}{join}{gap}{unit} (95 % interval {bounds[0]} to {bounds[1]})"
