"""Forecasts as rows and files: the backtest, the future, and their pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Floats, Ints
from birnn.data.series.panel import Panel
from birnn.data.series.windows import WindowSplit
from birnn.errors import DataError
from birnn.tasks.forecast.fit import ForecastTask
from birnn.tasks.forecast.forecasts import Forecasts, level_name
from birnn.tasks.forecast.info import ForecastInfo
from birnn.tasks.forecast.model import ForecastModel
from birnn.tasks.runs.folder import write_csv

CHUNK = 256  # windows that are held as rows at once

Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Future:
    """What comes after the last row of each series."""

    split: WindowSplit  # a window a series
    forecasts: Forecasts


def forecast_future(
    task: ForecastTask, model: ForecastModel, panel: Panel, info: ForecastInfo
) -> Future:
    """Forecast from the end of every series that has any observed value.

    Raises:
        DataError: known future covariates are missing.
    """
    split = future_windows(panel, info)
    return Future(split, task.predictions(model, split, info))


def future_windows(panel: Panel, info: ForecastInfo) -> WindowSplit:
    """A window from the end of every series that has any observed value.

    Raises:
        DataError: known future covariates are missing.
    """
    series = np.flatnonzero(panel.ends > 0)
    check_ahead(panel, info, series)
    return info.windows(panel, panel.ends, series, panel.ends[series])


def why_no_future(panel: Panel, info: ForecastInfo) -> str:
    """Why nothing can be forecast from the end of the series; empty where it can."""
    series = np.flatnonzero(panel.ends > 0)
    try:
        check_ahead(panel, info, series)
        for number in series:
            panel.stamps(int(number), int(panel.ends[number]), info.shape.horizon)
    except DataError as error:
        return str(error)
    return ""


def check_ahead(panel: Panel, info: ForecastInfo, series: Ints) -> None:
    """Refuse to look ahead without what must be known of the steps ahead.

    Raises:
        DataError: names the covariate, the series and the stamp of the first gap.
    """
    asked = [i for i, name in enumerate(info.future) if not name.startswith("calendar:")]
    if not asked:
        return
    horizon = info.shape.horizon
    for number in series:
        end, start = int(panel.ends[number]), int(panel.covariate_offsets[number])
        rows = int(panel.offsets[number + 1] - panel.offsets[number])
        known = np.zeros((horizon, len(asked)), dtype=bool)
        ahead = panel.future[start + end : start + min(rows, end + horizon), asked]
        known[: len(ahead)] = np.isfinite(ahead)
        if not known.all():
            step, column = np.argwhere(~known)[0]
            stamp = panel.stamps(int(number), end + int(step), 1)[0]
            raise DataError(
                f"future: {info.future[asked[column]]!r} of {panel.names[number]!r} is not known"
                f" at {stamp}; add rows with an empty target for the {horizon} steps ahead"
            )


def forecast_rows(split: WindowSplit, forecasts: Forecasts, indices: Ints) -> Rows:
    """A row a step of some windows: ``id``, ``time``, ``mean``, and the bounds of each level."""
    for start in range(0, len(indices), CHUNK):
        part = indices[start : start + CHUNK]
        points = forecasts.values[part]
        bounds = forecasts.intervals(split, part)
        levels = forecasts.calibration.levels if forecasts.calibration else ()
        for row, window in enumerate(part):
            series, origin = int(split.series[window]), int(split.origin[window])
            stamps = split.panel.stamps(series, origin, split.horizon)
            for step, stamp in enumerate(stamps):
                cells: dict[str, Any] = {"id": split.panel.names[series], "time": str(stamp)}
                cells["mean"] = float(points[row, step])
                for k, level in enumerate(levels):
                    assert bounds is not None
                    cells[f"lower_{level_name(level)}"] = float(bounds[0][row, k, step])
                    cells[f"upper_{level_name(level)}"] = float(bounds[1][row, k, step])
                yield cells


def backtest_rows(split: WindowSplit, forecasts: Forecasts) -> Rows:
    """Rows of the windows that follow each other without overlap, beside what came true."""
    windows = apart(split)
    rows = forecast_rows(split, forecasts, windows)
    for window in windows:
        actual = split.futures(np.array([window]))[0].tolist()
        for step, (value, row) in enumerate(zip(actual, rows, strict=False), start=1):
            known = {"step": step, "actual": value if np.isfinite(value) else ""}
            yield {"id": row.pop("id"), "time": row.pop("time"), **known, **row}


def apart(split: WindowSplit) -> Ints:
    """Windows a horizon apart, the last one of each series among them."""
    last = np.zeros(len(split.panel), dtype=np.int64)
    np.maximum.at(last, split.series, split.origin)
    return np.flatnonzero((last[split.series] - split.origin) % split.horizon == 0)


def write_future(
    folder: Path, task: ForecastTask, model: ForecastModel, panel: Panel, info: ForecastInfo
) -> Future | None:
    """Write ``forecast.csv``; without it where covariates of the future are not known yet."""
    try:
        future = forecast_future(task, model, panel, info)
    except DataError:
        return None
    rows = forecast_rows(future.split, future.forecasts, np.arange(len(future.split)))
    write_csv(folder / "forecast.csv", rows)
    return future


def write_pictures(
    folder: Path, split: WindowSplit, forecasts: Forecasts, future: Future | None,
    details: Mapping[str, Any],
) -> None:  # fmt: skip
    """``forecast.png``, ``error_by_step.png`` and, where there are intervals, ``coverage_…``."""
    from birnn.tasks.forecast import plots  # brings the library of pictures

    plots.save_forecasts(folder / "forecast.png", pictured(split, forecasts, future))
    steps, levels = details["per_step"], details["levels"]
    plots.save_error_by_step(folder / "error_by_step.png", steps)
    if levels:
        plots.save_coverage_by_step(folder / "coverage_by_step.png", steps, levels)


def pictured(
    split: WindowSplit, forecasts: Forecasts, future: Future | None, most: int = 4
) -> list[dict[str, Any]]:
    """Of the first series: history, the last window of the backtest, the future.

    Returns:
        For each a dictionary of its ``name`` and curves: each a tuple of stamps ``[T]``, values
        ``[T]`` and, of forecasts, bounds ``[K, T]`` below and above.
    """
    pictures = []
    for series in np.unique(split.series)[:most]:
        mine = np.flatnonzero(split.series == series)
        window = mine[[int(split.origin[mine].argmax())]]
        origin = int(split.origin[window[0]])
        panel, horizon = split.panel, split.horizon
        end = int(panel.ends[series])
        first = max(0, end - max(3 * horizon, 4 * panel.season, 60) - horizon)
        stamps = panel.stamps(int(series), first, end - first)
        curves = {
            "name": panel.names[series], "history": (stamps, panel.history(int(series))[first:]),
            "backtest": curve(split, forecasts, window, panel.stamps(int(series), origin, horizon)),
        }  # fmt: skip
        if future is not None and (place := np.flatnonzero(future.split.series == series)).size:
            stamps = panel.stamps(int(series), end, horizon)
            curves["future"] = curve(future.split, future.forecasts, place[:1], stamps)
        pictures.append(curves)
    return pictures


def curve(
    split: WindowSplit, forecasts: Forecasts, window: Ints, stamps: Any
) -> tuple[Any, Floats, Floats | None, Floats | None]:
    """One window's forecast as stamps, points and bounds."""
    lower, upper = forecasts.intervals(split, window) or ([None], [None])
    return stamps, np.asarray(forecasts.values[window][0]), lower[0], upper[0]


def chart(future: Future, number: int) -> dict[str, Any]:
    """What a terminal draws of one series; see :func:`birnn.terminal.chart.render_chart`."""
    split, window = future.split, np.array([number])
    series, end = int(split.series[number]), int(split.origin[number])
    panel, horizon = split.panel, split.horizon
    first = max(0, end - max(3 * horizon, 4 * panel.season, 60))
    bounds = future.forecasts.intervals(split, window)
    places = {"start": first, "cut": end, "end": end + horizon - 1}
    curves: dict[str, Any] = {
        "name": panel.names[series],
        "history": [float(v) if np.isfinite(v) else None for v in panel.history(series)[first:end]],
        "mean": [float(v) for v in future.forecasts.values[window][0]],
        **{name: str(panel.stamps(series, step, 1)[0]) for name, step in places.items()},
    }
    if bounds is not None and future.forecasts.calibration is not None:
        levels = future.forecasts.calibration.levels
        curves["level"] = level_name(levels[-1])  # the widest
        curves["lower"] = bounds[0][0, -1].tolist()
        curves["upper"] = bounds[1][0, -1].tolist()
    return curves
