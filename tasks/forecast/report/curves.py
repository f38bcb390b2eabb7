"""The curves of a forecaster's report, from the files of its run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from birnn.arrays import Ints
from birnn.data.series.panel import Clock
from birnn.errors import CheckpointError, DataError
from birnn.tasks.core.run_rows import number, read_rows
from birnn.tasks.forecast.forecasts import level_name
from birnn.tasks.forecast.info import read_forecast_info
from birnn.tasks.forecast.report_extras import FORECASTS, decimals, lines_that_fit, rounded
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.series import Curve, SeriesLine

LARGEST_FILE = 256 << 20  # bytes of predictions.csv that a report reads
SHOWN_LEVELS = 4  # of the intervals, where there is room; else the narrowest and the widest


@dataclass(frozen=True)
class Curves:
    """What a report draws of the series."""

    lines: list[SeriesLine]
    levels: list[str]  # in per cent
    moments: bool
    zone: str
    series: int  # how many there are, drawn or not
    notes: list[str]  # what is left out


@dataclass
class Rows:
    """Rows of a CSV file of forecasts, of one series."""

    stamps: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    actual: list[float] = field(default_factory=list)
    numbers: list[list[float]] = field(default_factory=list)  # mean, then low and high by level


def read_curves(files: RunFiles) -> Curves:
    """The series that the run keeps, the worst first.

    Raises:
        CheckpointError: a file is missing or not what it should be.
    """
    clock, details = read_forecast_info(files.folder).clock, files.metrics["details"]
    every = [level_name(float(level)) for level in details.get("levels", [])]
    stored, notes = files.extras.get("histories", {}), []
    if stored:
        names = [str(line["name"]) for line in stored["lines"]]
        count = int(stored["series"])
    else:
        names = [str(row["series"]) for row in details["per_series"]]
        count = len(names)
        notes.append("Runs of older versions keep no history: only what was forecast is drawn.")
    steps = len(details["per_step"])
    names = names[: lines_that_fit(steps, len(every))]
    levels = every
    if len(every) > SHOWN_LEVELS or 2 * steps * (1 + 2 * len(every)) * len(names) > FORECASTS:
        levels = [*every[:1], *every[-1:]] if len(every) > 1 else every
    backtest, left_out = read_backtest(files.folder, set(names), levels)
    future = read_forecasts(files.folder / "forecast.csv", set(names), levels)
    windows = windows_that_fit(len(names), steps, len(levels))
    histories = {str(line["name"]): line for line in stored.get("lines", [])}
    lines = [
        line for name in names
        if (line := series_line(name, clock, steps * windows, histories.get(name),
                                backtest.get(name), future.get(name)))
    ]  # fmt: skip
    notes += [*left_out, *_notes(lines, stored, backtest, steps * windows, count)]
    if levels != every:
        notes.append(
            f"Of the {len(every)} intervals the {' and the '.join(levels)} % ones are here."
        )
    zone = "UTC" if clock.zone else ""
    return Curves(lines, levels, bool(clock.frequency), zone, count, notes)


def _notes(lines: Sequence[SeriesLine], stored: Mapping[str, Any], backtest: Mapping[str, Rows],
           most: int, count: int) -> Iterator[str]:  # fmt: skip
    """What is left out, in sentences."""
    if len(lines) < count:
        yield f"The {len(lines):,} worst of {count:,} series are here."
    if cut := [line for line in stored.get("lines", []) if line["first"]]:
        longest = max(len(line["values"]) for line in cut)
        which = "each series" if len(stored["lines"]) > 1 else "the history"
        yield f"The last {longest:,} steps of {which} are here."
    if any(len(rows.stamps) > most for rows in backtest.values()):
        yield f"Of the backtest the last {most:,} steps are here; all are in predictions.csv."


def windows_that_fit(series: int, horizon: int, levels: int) -> int:
    """How many windows of the backtest of each series there is room for."""
    return max(1, FORECASTS // (max(series, 1) * horizon * (1 + 2 * levels)) - 1)


def read_backtest(folder: Path, names: set[str],
                  levels: Sequence[str]) -> tuple[dict[str, Rows], list[str]]:  # fmt: skip
    """The rows of ``predictions.csv`` by series, and what is to be said of them."""
    path = folder / "predictions.csv"
    if path.is_file() and path.stat().st_size > LARGEST_FILE:
        size = path.stat().st_size >> 20
        return {}, [f"predictions.csv has {size:,} MiB: the backtest is not drawn."]
    return read_forecasts(path, names, levels, backtest=True), []


def read_forecasts(path: Path, names: set[str], levels: Sequence[str], *,
                   backtest: bool = False) -> dict[str, Rows]:  # fmt: skip
    """The rows of a CSV file of forecasts by series; none where there is no such file.

    Raises:
        CheckpointError: it is not as a run wrote it.
    """
    found: dict[str, Rows] = {}
    if not backtest and not path.is_file():
        return found
    columns = ["mean", *chain(*((f"lower_{k}", f"upper_{k}") for k in levels))]
    needed = ("id", "time", *columns, *(("step", "actual") if backtest else ()))
    for row in read_rows(path, needed):
        if row["id"] not in names:
            continue
        own = found.setdefault(row["id"], Rows())
        own.stamps.append(row["time"])
        own.numbers.append([number(path, row, name) for name in columns])
        if backtest:
            own.steps.append(int(number(path, row, "step")))
            own.actual.append(number(path, row, "actual") if row["actual"] else np.nan)
    return found


def places_in_time(stamps: Sequence[str], clock: Clock) -> Ints:
    """Stamps as they stand in CSV files: in ms since 1970, or as whole numbers.

    Raises:
        CheckpointError: one is neither.
    """
    try:
        if not clock.frequency:
            return np.array([int(stamp) for stamp in stamps], dtype=np.int64)
        moments = pd.to_datetime(list(stamps), utc=True, format="ISO8601")
    except ValueError as error:
        raise CheckpointError(f"a stamp of a forecast is not readable: {error}") from None
    return in_milliseconds(moments)


def in_milliseconds(stamps: pd.Index) -> Ints:
    """Points in time, of UTC where they have a zone, in ms since 1970; numbers as they are."""
    if not isinstance(stamps, pd.DatetimeIndex):
        return np.asarray(stamps, dtype=np.int64)
    plain = stamps.tz_convert(None) if stamps.tz is not None else stamps
    return np.asarray(plain.to_numpy().astype("datetime64[ms]").astype(np.int64))


def series_line(name: str, clock: Clock, most: int, stored: Mapping[str, Any] | None,
                backtest: Rows | None, future: Rows | None) -> SeriesLine | None:  # fmt: skip
    """A series on one grid; None where nothing is known of it.

    Args:
        name: of the series.
        clock: of its steps.
        most: steps of the backtest that there is room for, the last ones.
        stored: its history, as training keeps it; None in older runs.
        backtest: its rows of ``predictions.csv``.
        future: its rows of ``forecast.csv``.
    """
    places = {kind: places_in_time(rows.stamps, clock)
              for kind, rows in (("backtest", backtest), ("future", future)) if rows}  # fmt: skip
    values, grid = np.array([]), np.array([], dtype=np.int64)
    if stored is not None:
        values = np.array([np.nan if v is None else float(v) for v in stored["values"]])
        grid = _grid(clock, int(stored["start"]), int(stored["first"]), len(values))
    elif backtest:
        order = np.unique(places["backtest"], return_index=True)
        grid, values = order[0], np.array(backtest.actual)[order[1]]
    grid = np.unique(np.concatenate([grid, places.get("future", grid[:0])]))
    if not len(grid):
        return None
    digits = decimals(
        np.concatenate([values, *(rows.numbers[0] for rows in (backtest, future) if rows)])
    )
    curves = {
        kind: curve(rows, places[kind][-most:], grid, digits)
        for kind, rows in (("backtest", backtest), ("future", future)) if rows
    }  # fmt: skip
    origins: list[int] = []
    if backtest:
        firsts = places["backtest"][np.array(backtest.steps) == 1]
        origins = np.flatnonzero(np.isin(grid, firsts)).tolist()
    return SeriesLine(name, grid, rounded(values, digits), curves.get("backtest"),
                      curves.get("future"), origins)  # fmt: skip


def _grid(clock: Clock, start: int, first: int, count: int) -> Ints:
    try:
        return in_milliseconds(clock.stamps(start, first, count))
    except (DataError, ValueError, OverflowError) as error:
        raise CheckpointError(f"a history of report.json has no stamps: {error}") from None


def curve(rows: Rows, places: Ints, grid: Ints, digits: int) -> Curve | None:
    """The last forecasts of a series, on its grid; None where none of them lies on it."""
    numbers = np.array(rows.numbers[-len(places) :])
    at = np.searchsorted(grid, places)
    inside = at < len(grid)
    inside &= grid[np.minimum(at, len(grid) - 1)] == places
    if not inside.any():
        return None
    first, last = int(at[inside].min()), int(at[inside].max())
    whole = np.full((last + 1 - first, numbers.shape[1]), np.nan)
    whole[at[inside] - first] = numbers[inside]
    columns = [rounded(column, digits) for column in whole.T]
    return Curve(first, columns[0], columns[1::2], columns[2::2])
