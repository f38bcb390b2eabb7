"""A forecaster in a page: an example of what it reads, other last values, and what is drawn."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from birnn.data.series.panel import Panel
from birnn.data.series.remembered import Remembered, parse_remembered
from birnn.errors import DataError
from birnn.tasks.forecast.forecasts import level_name
from birnn.tasks.forecast.info import ForecastInfo
from birnn.tasks.forecast.output import Future
from birnn.tasks.serving.request import Change

START = "2024-01-01"
FEWEST, MOST = 30, 120  # steps of the example


def columns_of(reading: Mapping[str, Any], info: ForecastInfo) -> dict[str, list[str]]:
    """The columns of a file that a run reads as its own: of series, times, values, covariates."""
    stored = reading.get("series")
    known = parse_remembered(stored) if stored else Remembered()
    ahead = [name for name in info.future if not name.startswith("calendar:")]
    return {
        "id": known.id_columns, "time": known.time_columns or ["time"],
        "values": known.targets or info.names[:1], "past": info.past, "future": ahead,
        "static": info.static,
    }  # fmt: skip


def example(reading: Mapping[str, Any], info: ForecastInfo) -> str:
    """A short CSV with the run's own columns; empty where a stamp takes several of them."""
    columns = columns_of(reading, info)
    if len(columns["time"]) > 1 or len(columns["id"]) > 1:
        return ""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([name for names in columns.values() for name in names])
    writer.writerows(_rows(columns, info))
    return file.getvalue()


def _rows(columns: Mapping[str, list[str]], info: ForecastInfo) -> Iterator[list[Any]]:
    """Waves around the run's own level, and the steps ahead where covariates are known ahead."""
    import pandas as pd

    horizon, season = info.shape.horizon, max(info.season, 2)
    steps = max(horizon + 2, min(info.shape.lookback, MOST), FEWEST)
    ahead = horizon if columns["future"] else 0
    begin = pd.Timestamp(START, tz="UTC").value if info.clock.frequency else 0
    stamps = info.clock.stamps(begin, 0, steps + ahead)
    level, spread = float(info.scaling.shift[0]), float(info.scaling.scale[0])
    numbers = sum(len(columns[name]) for name in ("past", "future", "static"))
    for step, stamp in enumerate(stamps):
        wave = level + spread * math.sin(2 * math.pi * step / season)
        value = f"{wave:.6g}" if step < steps else ""
        known = [info.names[0]] if columns["id"] else []
        yield [*known, str(stamp), *[value] * len(columns["values"]), *[0] * numbers]


def changed(panel: Panel, changes: Sequence[Change]) -> Panel:
    """The panel with other values at some steps of its histories.

    Raises:
        DataError: there is no such series or step.
    """
    if not changes:
        return panel
    places = {name: number for number, name in enumerate(panel.names)}
    values = panel.values.copy()
    for change in changes:
        number = places.get(change.series)
        if number is None:
            raise DataError(f"changes: there is no series {change.series[:80]!r}")
        end = int(panel.ends[number])
        if not -end <= change.step < 0:
            steps = f"its steps are {-end} to -1, the last"
            raise DataError(f"changes: series {change.series[:80]!r} has no step {change.step};"
                            f" {steps}")  # fmt: skip
        values[int(panel.offsets[number]) + end + change.step] = change.value
    return replace(panel, values=values)


def drawn(future: Future, most: int) -> list[dict[str, Any]]:
    """The end of the first series, and what comes after: stamps, values, bounds of each level.

    Returns:
        For each series its ``name``; ``times [T + H]``; ``history [T]``, None where a value is
        missing; ``mean [H]``; and ``bands`` of ``level``, ``lower [H]`` and ``upper [H]``, the
        narrowest first.
    """
    split, panel, pictures = future.split, future.split.panel, []
    calibration = future.forecasts.calibration
    for window in range(min(most, len(split))):
        series, end = int(split.series[window]), int(split.origin[window])
        first = max(0, end - max(4 * split.horizon, 4 * panel.season, 90))
        bounds = future.forecasts.intervals(split, np.array([window]))
        bands = []
        if bounds is not None and calibration is not None:
            bands = [
                {"level": level_name(level), "lower": lower.tolist(), "upper": upper.tolist()}
                for level, lower, upper in zip(
                    calibration.levels, bounds[0][0], bounds[1][0], strict=True
                )
            ]
        points = np.asarray(future.forecasts.values[np.array([window])][0])
        history = panel.history(series)[first:end]
        stamps = panel.stamps(series, first, end - first + split.horizon)
        pictures.append({
            "name": panel.names[series], "times": [str(stamp) for stamp in stamps],
            "history": [float(v) if np.isfinite(v) else None for v in history],
            "mean": points.tolist(), "bands": bands,
        })  # fmt: skip
    return pictures
