"""From a file of series to splits of windows, and what the training rows say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from birnn.arrays import Floats, Ints
from birnn.data.series.calendar import add_calendar, parse_calendar
from birnn.data.series.findings import Inspection, SeriesOptions
from birnn.data.series.panel import Panel
from birnn.data.series.reader import inspect_file, read_panel
from birnn.data.series.splits import (
    Parts,
    SplitOptions,
    enough_rows,
    hold_back,
    rolling_origin,
    split_rows,
)
from birnn.data.series.windows import WindowShape, WindowSplit, fit_scaling, windows_between
from birnn.data.splits.folds import digest_of
from birnn.data.splits.provenance import FoldPart
from birnn.data.wording import agree
from birnn.errors import ConfigError, DataError
from birnn.tasks.forecast.conformal import OWN_RADIUS, check_levels, supported, windows_needed
from birnn.tasks.forecast.forecasts import Levels, level_name
from birnn.tasks.forecast.info import ForecastInfo, auto_members, auto_normalise, choose_shape
from birnn.tasks.forecast.options import ForecastConfig, ForecastData, ForecastParts

LARGEST = 1e30  # float32 networks see scaled values, but sums of squares must stay finite
FEWEST = 20  # windows that choose an epoch, where some can be held back to calibrate


@dataclass(frozen=True)
class SeriesData:
    """A panel, cut into windows."""

    panel: Panel
    inspection: Inspection
    parts: Parts
    splits: dict[str, WindowSplit]  # train, validation, calibration, test
    info: ForecastInfo
    notes: list[str]
    fold: FoldPart | None = None


def series_options(data: ForecastData, reading: Mapping[str, Any] | None = None) -> SeriesOptions:
    """How a file is read under the options of a run, which may remember how it read its own."""
    names = {part.name for part in fields(SeriesOptions)} - {"reading"}
    return SeriesOptions(**{name: getattr(data, name) for name in names}, reading=reading or {})


def load_panel(
    data: ForecastData, source: str = "", reading: Mapping[str, Any] | None = None
) -> tuple[Panel, Inspection]:
    """Read ``source`` (the run's own if empty) and add the calendar features asked for.

    ``reading`` is what a run remembers of how it read its own file.
    """
    options = series_options(data, reading)
    panel, inspection = read_panel(source or data.data, options, horizon=data.horizon)
    return add_calendar(panel, parse_calendar(data.calendar, panel), data.horizon), inspection


def inspect_series(data: ForecastData) -> Inspection:
    """What :func:`load_panel` would find."""
    sizes = {"horizon": data.horizon, "lookback": data.lookback}
    return inspect_file(data.data, series_options(data), **sizes)


def inspect_task(task: Any) -> Inspection:
    """What the data of a forecast hold: the inspection of a task."""
    return inspect_series(task.config.data)


def load_series(config: ForecastConfig, reading: Mapping[str, Any] | None = None) -> SeriesData:
    """Read, split and scale; names, scales and sizes come from the training rows.

    Raises:
        BirnnError: unusable data or options.
    """
    data, model = config.data, config.model
    if model.min is not None and model.max is not None and model.min >= model.max:
        raise ConfigError(f"min: {model.min:g} is not below the --max of {model.max:g}")
    panel, inspection = load_panel(data, reading=reading)
    check_sizes(panel, inspection.source)
    panel, test, fold = rolled(data, panel)
    parts = split_parts(config, panel, test)
    shape = choose_shape(panel, parts.calibration, data.lookback, data.horizon, model.segment)
    check_lookback(data.lookback, parts, data.horizon)
    trained = windows_between(panel, *train_bounds(parts, shape), shape.horizon)
    info = learn_info(config, panel, parts, shape, np.unique(trained[0]))
    splits = cut_parts(panel, parts, info, trained)
    for name, split in splits.items():
        if not len(split):
            raise DataError(
                f"{inspection.source}: no {name} window of {shape.horizon} steps has a value to"
                " score; lower --horizon or hold out more"
            )
    levels, notes = usable_levels(config, splits["calibration"])
    info = replace(
        info, masked=is_masked(splits, parts), levels=levels,
        groups=radius_groups(splits["calibration"], info, levels),
        members=model.members or auto_members(len(trained[0])),
    )  # fmt: skip
    notes += split_notes(config, parts, len(panel), len(info.names))
    notes += [f"{fold.how}; this is fold {fold.fold}"] if fold else []
    return SeriesData(panel, inspection, parts, splits, info, notes, fold)


def rolled(data: ForecastData, panel: Panel) -> tuple[Panel, Ints | None, FoldPart | None]:
    """The panel as the fold of the options sees it, its test rows, and where they stand.

    Raises:
        BirnnError: a split that is named too, or too few rows.
    """
    if not data.folds or not data.fold:
        return panel, None, None
    options = SplitOptions(data.split, data.test_last)
    cut = rolling_origin(panel, data.folds, data.fold, options, data.horizon)
    rows = f"{data.test_last:,} rows" if data.test_last else f"a {data.folds + 1}th of its rows"
    how = f"{data.folds} folds with rolling origins: each tests {rows} of a series, after all that"
    values = (panel.names, panel.starts.tolist(), panel.ends.tolist(), panel.values.tobytes().hex())
    fold = FoldPart(
        data.fold, data.folds, None, int(panel.ends.sum()), digest_of(values),
        f"{how} it is trained on and before the next fold's", rolling=True,
    )  # fmt: skip
    return cut.panel, cut.test, fold


def split_parts(config: ForecastConfig, panel: Panel, test: Ints | None = None) -> Parts:
    """The rows of train, validation, calibration and test, ``[N]`` of them where that is given.

    Raises:
        BirnnError: a split that doesn't fit the rows, or leaves a part too few of them.
    """
    data = config.data
    options = SplitOptions(data.split, data.test_last, data.validation_share, data.test_share)
    train, validation, test = split_rows(panel, options, test)
    needed = max(windows_needed(max(check_levels(config.model.levels))), FEWEST)
    kept = hold_back(train, validation, config.model.calibration_share, data.horizon, needed)
    parts = Parts(train, kept, validation, test)
    enough_rows(panel, parts, data.horizon)
    return parts


def split_notes(config: ForecastConfig, parts: Parts, series: int, known: int) -> list[str]:
    """What the user should know of the split: rows that serve twice, series without training."""
    notes = []
    if config.model.calibration_share and (parts.validation == parts.calibration).all():
        notes.append(
            "too few validation rows to hold some back: the windows that choose the epoch also"
            " calibrate the intervals, which can be a little narrow"
        )
    if strangers := series - known:
        which = f"{strangers:,} of {series:,} series {agree(strangers, 'has', 'have')}"
        notes.append(f"{which} no training window: scored alone")
    return notes


def cut_parts(
    panel: Panel, parts: Parts, info: ForecastInfo, trained: tuple[Ints, Ints]
) -> dict[str, WindowSplit]:
    """The windows of each part; ``trained`` are the series and origins of the training windows.

    Where nothing is held back, the validation windows calibrate too.
    """
    first, low = first_scored(panel, parts, info), parts.train
    train = info.windows(panel, first, *trained)
    held_back = np.where(parts.validation < parts.calibration, parts.validation, low)
    splits = {"train": train}
    for name, begin, end in (
        ("validation", low, parts.validation),
        ("calibration", held_back, parts.calibration),
        ("test", parts.calibration, parts.test),
    ):
        found = windows_between(panel, np.maximum(begin, first), end, info.shape.horizon)
        splits[name] = replace(train, series=found[0], origin=found[1])
    return splits


def learn_info(
    config: ForecastConfig, panel: Panel, parts: Parts, shape: WindowShape, known: Ints
) -> ForecastInfo:
    """What the training rows say: names and scales of the ``known``, that have a training window.

    What depends on the windows of other parts is left at its least.

    Raises:
        DataError: there are none.
    """
    if not len(known):
        raise DataError(
            f"no training window of {shape.horizon} steps has a value; lower --horizon or hold"
            " out less"
        )
    scaling = fit_scaling(panel, parts.train)
    return ForecastInfo(
        [panel.names[i] for i in known], shape,
        replace(scaling, shift=scaling.shift[known], scale=scaling.scale[known]),
        panel.clock, panel.season, panel.past_names, panel.future_names, panel.static_names,
        False, (), 1, 1, config.model.normalise.replace("auto", auto_normalise(len(known))),
    )  # fmt: skip


def first_scored(panel: Panel, parts: Parts, info: ForecastInfo) -> Ints:
    """``[N]`` the rows of each series that its scale is from; targets that are scored come later.

    Without a training window, they are its rows before the test rows, or its first lookback.
    """
    lookback = np.minimum(info.shape.lookback, np.maximum(panel.ends - info.shape.horizon, 1))
    own = np.where(parts.calibration > 0, parts.calibration, lookback)
    return np.where(info.numbers(panel) > 0, parts.train, own)


def train_bounds(parts: Parts, shape: WindowShape) -> tuple[Ints, Ints]:
    """The first and last target of the training windows of each series, ``[N]`` each.

    Their lookbacks are whole where a series is long enough; elsewhere they may begin before it.
    """
    roomy = parts.train >= shape.lookback + 2 * shape.horizon
    partial = np.maximum((parts.train - shape.horizon) // 2, 1)
    return np.where(roomy, shape.lookback, np.minimum(partial, shape.lookback)), parts.train


def check_sizes(panel: Panel, source: str) -> None:
    """Refuse values that can't be squared.

    Raises:
        DataError: names the series.
    """
    for number, name in enumerate(panel.names):
        largest = np.nanmax(np.abs(panel.history(number)), initial=0.0)
        if largest > LARGEST:
            raise DataError(
                f"{source}: series {name!r} has values of up to {largest:.3g}, too large to compute"
                f" with; divide them so that they stay below {LARGEST:g}"
            )


def check_lookback(lookback: int, parts: Parts, horizon: int) -> None:
    """Refuse a lookback that was asked for and that no series has rows for.

    Raises:
        DataError: says how many rows train has.
    """
    longest = int(parts.train.max())
    if lookback and longest < lookback + horizon:
        raise DataError(
            f"too few rows for a lookback of {lookback} and a horizon of {horizon}: train has"
            f" {longest:,} of the longest series; lower --lookback or hold out less"
        )


def usable_levels(config: ForecastConfig, calibration: WindowSplit) -> tuple[Levels, list[str]]:
    """The levels that the calibration windows support, and notes on those that they don't.

    Raises:
        ConfigError: a level that was asked for is not supported.
    """
    levels = check_levels(config.model.levels)
    own = np.flatnonzero(calibration.ids[calibration.series] > 0)  # radii are those of known series
    known = np.isfinite(calibration.futures(own[:5000])).sum(0)
    count = int(known.min()) if len(own) <= 5000 else len(own)
    able = supported(count, levels)
    if able == levels:
        return levels, []
    refused = [level for level in levels if level not in able]
    names, needed = ", ".join(map(level_name, refused)), windows_needed(refused[0])
    which = f"{count:,} calibration windows can't support {names} %"
    words = f"levels: {which}, which takes at least {needed:,}"
    if config.model.levels != ForecastParts().levels:
        raise ConfigError(f"{words}; lower --levels or raise --validation-share")
    return able, [f"{words}: no such interval"]


def unseen_panel(splits: Sequence[WindowSplit]) -> Panel:
    """The panel of ``splits`` with nothing in it, NaN, after the last target of any of them."""
    panel, horizon = splits[0].panel, splits[0].horizon
    last = np.zeros(len(panel), dtype=np.int64)  # [N] of each series
    for split in splits:
        np.maximum.at(last, split.series, split.origin + horizon)
    step = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], np.diff(panel.offsets))
    seen = step < np.repeat(last, np.diff(panel.offsets))
    rows = len(panel.past) or len(panel.future)
    known = np.zeros(rows + 1, dtype=np.int64)  # of the covariates, which series can share
    np.add.at(known, np.minimum(panel.covariate_offsets, rows), 1)
    np.add.at(known, np.minimum(panel.covariate_offsets + last, rows), -1)
    told = known.cumsum()[:-1] > 0
    return replace(
        panel, values=np.where(seen, panel.values, np.nan), past=_only(panel.past, told),
        future=_only(panel.future, told),
    )  # fmt: skip


def _only(table: Floats, rows: NDArray[np.bool_]) -> Floats:
    return np.where(rows[:, None], table, np.nan) if table.size else table


def is_masked(splits: dict[str, WindowSplit], parts: Parts) -> bool:
    """Whether a window can lack a value of its lookback, as far as the test rows don't tell."""
    panel, shape = splits["train"].panel, splits["train"].shape
    early = (splits[name].origin for name in ("train", "validation", "calibration"))
    if any((origin < shape.lookback).any() for origin in early):
        return True
    return any(np.isnan(panel.history(i)[:end]).any() for i, end in enumerate(parts.calibration))


def radius_groups(calibration: WindowSplit, info: ForecastInfo, levels: Levels) -> int:
    """How many radii there are: one of each known series where all have windows enough, else 1."""
    series = len(info.names)
    if not levels or series == 1:
        return 1
    needed = OWN_RADIUS * max(windows_needed(level) for level in levels)
    group = info.numbers(calibration.panel)[calibration.series]
    counts = np.bincount(group, minlength=series + 1)[1:]
    return series if counts.min() >= needed else 1
