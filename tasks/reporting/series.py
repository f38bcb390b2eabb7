"""The block of series: history, backtest and future, to zoom into, one series at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from birnn.arrays import Ints
from birnn.tasks.reporting.blocks import Block, Chart

Values = Sequence[float | None]  # None: a gap


@dataclass(frozen=True)
class Curve:
    """Forecasts of steps that follow each other."""

    at: int  # the first step of the grid that it speaks of
    mean: Values
    low: Sequence[Values] = ()  # of each level, the narrowest first
    high: Sequence[Values] = ()


@dataclass(frozen=True)
class SeriesLine:
    """One series."""

    name: str
    grid: Ints  # [T] ascending: ms since 1970, or numbers of steps
    history: Values  # of the first steps of the grid
    backtest: Curve | None = None
    future: Curve | None = None
    origins: Sequence[int] = ()  # steps of the grid at which windows of the backtest begin


@dataclass(frozen=True)
class Series(Block):
    """Series to choose and to zoom into; one stands in the page as a picture."""

    kind: ClassVar[str] = "series"
    scripts: ClassVar[tuple[str, ...]] = ("series.js",)
    title: str
    lines: Sequence[SeriesLine]
    levels: Sequence[str]  # in per cent, ascending
    moments: bool  # whether steps are points in time, rather than numbers
    picture: Chart  # of the first series, where no script runs
    caption: str = ""
    zone: str = ""  # in which moments are shown

    @property
    def intervals(self) -> str:
        """The levels in words."""
        *others, last = self.levels
        return f"{' and '.join(filter(None, [', '.join(others), last]))} % intervals"

    def data(self) -> dict[str, Any]:
        """All series for a script, short."""
        return {
            "levels": list(self.levels), "moments": self.moments, "zone": self.zone,
            "series": [
                {
                    "name": line.name, "x": short_grid(line.grid), "history": list(line.history),
                    "backtest": _short(line.backtest), "future": _short(line.future),
                    "origins": list(line.origins),
                }
                for line in self.lines
            ],
        }  # fmt: skip


def _short(curve: Curve | None) -> list[Any] | None:
    if curve is None:
        return None
    bands = [[list(part) for part in side] for side in (curve.low, curve.high)]
    return [curve.at, list(curve.mean), *bands]


def short_grid(grid: Ints) -> list[Any]:
    """``[first, unit, number]`` of equal steps; else ``[first, unit, [steps in units]]``."""
    first = int(grid[0])
    if len(grid) == 1:
        return [first, 1, 1]
    apart = np.diff(grid)
    unit = int(np.gcd.reduce(apart))
    if (apart == unit).all():
        return [first, unit, len(grid)]
    return [first, unit, (apart // unit).tolist()]
