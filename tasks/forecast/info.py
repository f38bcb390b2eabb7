"""What a forecaster knows of its training series: names, scales, sizes, clock."""

import dataclasses
import re
import zoneinfo
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Floats, Ints
from birnn.data.series.frequency import named_clock
from birnn.data.series.panel import Clock, Panel
from birnn.data.series.windows import Scaling, WindowShape, WindowSplit, fit_scaling
from birnn.errors import BirnnError, CheckpointError, ConfigError, brief
from birnn.nn.levels import NORMALISE
from birnn.storage.files import read_json
from birnn.tasks.core.options import MAX_MEMBERS
from birnn.tasks.core.stored import DAMAGED, check_strings, check_whole, reason
from birnn.tasks.core.task import Files
from birnn.tasks.forecast.conformal import check_levels
from birnn.tasks.forecast.forecasts import Levels

MAX_LOOKBACK = 720
SEASONS = 14  # of a lookback
LARGEST_SEGMENT = 48
FEW_SERIES = 20
MAX_STEPS = 10**6  # of a lookback, a horizon or a segment that a run folder gives
MAX_LEVELS = 100
ZONE = re.compile(r"|UTC|UTC[+-]\d{2}:\d{2}")  # beside the names of the time zone database


@dataclass(frozen=True)
class ForecastInfo:
    """All that must be known to build the network, scale a window, and write a forecast."""

    names: list[str]  # the series of train, in the network's order
    shape: WindowShape
    scaling: Scaling  # of series and covariates, from the training rows
    clock: Clock
    season: int  # steps; 1 for none
    past: list[str]  # names of covariates, as the next two
    future: list[str]
    static: list[str]
    masked: bool  # whether values can be missing
    levels: Levels  # of the intervals
    groups: int  # series with intervals of their own; 1 where all share theirs
    members: int  # networks
    normalise: str = "last"  # see :func:`birnn.nn.levels.level_and_spread`

    def files(self) -> Files:
        """``series.json``."""
        scaling = {name: part.tolist() for name, part in vars(self.scaling).items()}
        series = {**dataclasses.asdict(self), "scaling": scaling, "levels": list(self.levels)}
        return {"series.json": series}

    def numbers(self, panel: Panel) -> Ints:
        """``[N]`` the network's number of each series of ``panel``, from 1; 0: unknown."""
        known = {name: i + 1 for i, name in enumerate(self.names)}
        return np.array([known.get(name, 0) for name in panel.names], dtype=np.int64)

    def windows(self, panel: Panel, ends: Ints, series: Ints, origin: Ints) -> WindowSplit:
        """Windows of ``series [M]`` and ``origin [M]``, scaled by :meth:`scaling_of`."""
        scaling = self.scaling_of(panel, ends)
        return WindowSplit(panel, self.shape, scaling, series, origin, self.numbers(panel))

    def scaling_of(self, panel: Panel, ends: Ints) -> Scaling:
        """The run's own scaling of ``panel``, and for unknown series that of ``ends [N]`` rows."""
        numbers = self.numbers(panel)
        own = fit_scaling(panel, np.where(numbers > 0, 0, ends))
        known = np.maximum(numbers - 1, 0)
        return dataclasses.replace(
            self.scaling,
            shift=np.where(numbers > 0, self.scaling.shift[known], own.shift),
            scale=np.where(numbers > 0, self.scaling.scale[known], own.scale),
        )


def choose_shape(
    panel: Panel, rows: Ints, lookback: int, horizon: int, segment: int
) -> WindowShape:
    """Sizes of the windows, where the user left them open.

    Args:
        rows: ``[N]`` rows of each series before its test rows.
        lookback: ``L``; 0: fourteen seasons (two horizons where there is none), at most 720 and a
            third of the median history, in whole segments.
        segment: ``w``; 0: the season, or its largest divisor of at most 48.

    Raises:
        ConfigError: a segment longer than the lookback.
    """
    size = segment or auto_segment(panel.season)
    if lookback:
        if segment > lookback:
            raise ConfigError(f"segment: {segment} steps don't fit the lookback of {lookback}")
        return WindowShape(lookback, horizon, min(size, lookback))
    third = max(int(np.median(rows)) // 3, 1)
    base = SEASONS * panel.season if panel.season > 1 else 2 * horizon
    wanted = min(MAX_LOOKBACK, base, third)
    size = segment or min(size, max(wanted // 2, 1))
    return WindowShape(max(wanted // size, 1) * size, horizon, size)


def auto_segment(season: int) -> int:
    """Steps that are read at once: a season where it is 4 to 48 steps long."""
    if season < 4:
        return 8
    return max(d for d in range(1, min(season, LARGEST_SEGMENT) + 1) if season % d == 0)


def auto_members(windows: int) -> int:
    """How many networks are averaged: the fewer windows there are, the more it helps."""
    return 5 if windows <= 5_000 else 3 if windows <= 20_000 else 2


def auto_normalise(series: int) -> str:
    """What windows lose where the user left it open.

    On validation, ETTh1's 7 series want their level (the last value) alone taken away, the 414
    of M4 Hourly, whose windows differ in size, their mean and scale.
    """
    return "last" if series <= FEW_SERIES else "mean"


def read_forecast_info(folder: Path) -> ForecastInfo:
    """Restore what :meth:`ForecastInfo.files` wrote.

    Raises:
        CheckpointError: it is missing or is not what it should be.
    """
    path = folder / "series.json"
    series = read_json(path)
    try:
        return _parse(series)
    except (BirnnError, *DAMAGED) as error:
        raise CheckpointError(f"{path} is not usable ({reason(error)})") from None


def _parse(series: dict[str, Any]) -> ForecastInfo:
    for name, least in (("names", 1), ("past", 0), ("future", 0), ("static", 0)):
        check_strings(name, series[name], least)
    numbers = {
        name: check_whole(name, series[name], 1, most)
        for name, most in (("season", 10**6), ("groups", 10**7), ("members", MAX_MEMBERS))
    }
    shape = WindowShape(**{k: check_whole(k, v, 1, MAX_STEPS) for k, v in series["shape"].items()})
    sizes: dict[str, tuple[int, ...]] = dict.fromkeys(("shift", "scale"), (len(series["names"]),))
    sizes |= {k: (2, len(series[k])) for k in ("past", "future", "static")}
    parts = {name: _numbers(series["scaling"][name], size) for name, size in sizes.items()}
    if not (parts["scale"] > 0).all():
        raise ValueError("a scale is not positive")
    clock, levels = _clock(series["clock"]), series["levels"]
    for name, good in (
        ("groups", numbers["groups"] in (1, len(series["names"]))),
        ("masked", type(series["masked"]) is bool),
        ("normalise", series["normalise"] in NORMALISE),
        ("levels", isinstance(levels, list) and len(levels) <= MAX_LEVELS),
    ):
        if not good:
            raise ValueError(f"{name} {brief(series[name])}")
    if levels:  # few calibration windows support none
        check_levels(",".join(f"{100 * float(level):g}" for level in levels))
    return ForecastInfo(
        series["names"], shape, Scaling(**parts), clock, numbers["season"], series["past"],
        series["future"], series["static"], series["masked"], tuple(map(float, levels)),
        numbers["groups"], numbers["members"], series["normalise"],
    )  # fmt: skip


def _clock(stored: dict[str, Any]) -> Clock:
    """The clock of a run; pandas reads files for some names of zones, so few names are taken."""
    frequency, zone = stored["frequency"], stored["zone"]
    if not isinstance(frequency, str) or len(frequency) > 40:
        raise ValueError(f"frequency {brief(frequency)}")
    zones = zoneinfo.available_timezones()
    if not isinstance(zone, str) or not (zone in zones or ZONE.fullmatch(zone)):
        raise ValueError(f"zone {brief(zone)}")
    step = check_whole("step", stored["step"], 1, 10**12)
    if frequency:
        clock = named_clock(frequency, whole=False, zone=zone)
        if clock.frequency != frequency or step != 1:
            raise ValueError(f"frequency {brief(frequency)}")
    day = check_whole("day", stored.get("day", 0), 0, 30)
    if day and not re.fullmatch(r"\d*MS", frequency):
        raise ValueError(f"day {day}")
    clock = Clock(frequency, step, zone, day)
    clock.stamps(0, 0, 1)
    return clock


def _numbers(values: Any, shape: tuple[int, ...]) -> Floats:
    scales = np.array(values, dtype=np.float64).reshape(shape)
    if not np.isfinite(scales).all():
        raise ValueError("a scale is not finite")
    return scales
