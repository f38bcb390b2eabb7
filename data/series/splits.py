"""Chronological splits of a panel: train, then validation, then calibration, then test.

A window belongs to the part in which all its targets lie; its lookback may reach into the parts
before. So nothing that is learned from a part has seen a target of a later one.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from birnn.arrays import Ints
from birnn.data.series.panel import Panel
from birnn.errors import ConfigError, DataError

# Windows overlap: however many there are, what they choose rests on those that don't.
APART = 15


@dataclass(frozen=True)
class SplitOptions:
    """How rows are split; see :class:`birnn.tasks.forecast.options.ForecastData`."""

    split: str = ""
    test_last: int = 0
    validation_share: float = 0.2
    test_share: float = 0.2


@dataclass(frozen=True)
class Rolled:
    """A panel as it was when a fold's test rows ended; they are its last ``test [N]``."""

    panel: Panel
    test: Ints


def rolling_origin(panel: Panel, folds: int, fold: int, options: SplitOptions,
                   horizon: int) -> Rolled:  # fmt: skip
    """What fold number ``fold``, from 1, of ``folds`` sees of a panel: nothing after its test rows.

    The test rows of the folds follow each other and end with the series. A fold has as many as
    ``test_last`` says, else a series' rows over ``folds + 1``, as
    :class:`sklearn.model_selection.TimeSeriesSplit` has it (Tashman 2000 on rolling origins).

    Raises:
        ConfigError: a split is named, too.
        DataError: no series is long enough.
    """
    if options.split:
        raise ConfigError("split: it names one test split; with --folds give --test-last, or none")
    size = panel.ends // (folds + 1)
    if options.test_last:
        size = np.where(panel.ends > folds * options.test_last, options.test_last, 0)
    if size.max() < horizon:
        longest = f"the longest series has {int(panel.ends.max()):,}"
        few = f"too few rows for {folds} folds with a horizon of {horizon}: {longest}"
        least = f", and --test-last is {options.test_last}" if options.test_last else ""
        raise DataError(f"folds: {few}{least}; lower --folds, --test-last or --horizon")
    ends = np.where(size > 0, panel.ends - (folds - fold) * size, panel.ends)
    values = panel.values.copy()
    for start, end, stop in zip(panel.offsets, ends, panel.offsets[1:], strict=False):
        values[start + end : stop] = np.nan  # what comes later is not there
    return Rolled(replace(panel, ends=ends, values=values), size)


@dataclass(frozen=True)
class Parts:
    """Where the parts of each series end, ``[N]`` steps each; one begins where the last ended."""

    train: Ints
    validation: Ints
    calibration: Ints  # equal to ``validation`` where nothing is held back
    test: Ints


def split_rows(
    panel: Panel, options: SplitOptions, test: Ints | None = None
) -> tuple[Ints, Ints, Ints]:
    """Where train, validation and test of each series end, ``[N]`` steps each.

    Of the last rows, ``test [N]`` of each series are tested, where that is given.

    Raises:
        ConfigError: a split that can't be read, or two ways of splitting at once.
        DataError: rows or dates that the panel doesn't have.
    """
    if options.split and options.test_last:
        raise ConfigError("split: --split and --test-last say two different things; give one")
    if options.split:
        return _named_split(panel, options.split)
    if test is not None:
        validation = panel.ends - test
    elif options.test_last:
        validation = panel.ends - options.test_last
        if not (validation > 0).any():
            longest = f"the longest has {int(panel.ends.max())}"
            most = f"no series has more than {options.test_last} rows ({longest})"
            raise DataError(f"test_last: {most}; hold out fewer")
    else:
        validation = panel.ends - np.round(options.test_share * panel.ends).astype(np.int64)
    validation = np.maximum(validation, 0)
    rows = np.round(options.validation_share * validation).astype(np.int64)
    if options.test_last:  # as many rows choose, and as many calibrate, where that leaves half
        rows = np.minimum(2 * options.test_last, validation // 2)
    return validation - rows, validation, panel.ends


def _named_split(panel: Panel, text: str) -> tuple[Ints, Ints, Ints]:
    words = [word.strip() for word in text.split(",")]
    if all(word.isdigit() for word in words) and len(words) == 3:
        sizes = np.cumsum([int(word) for word in words])
        longest = int(panel.ends.max())
        if sizes[-1] > longest:
            asked = f"{text} asks for {sizes[-1]:,} rows"
            raise DataError(f"split: {asked}; the longest series has {longest:,}")
        train, validation, test = (np.minimum(panel.ends, size) for size in sizes)
        return train, validation, test
    if len(words) != 2:
        rows = "three numbers of rows (8640,2880,2880)"
        dates = "the two dates on which validation and test begin (2017-07-01,2017-11-01)"
        raise ConfigError(f"split: {text!r} is neither {rows} nor {dates}")
    train, validation = (_steps_before(panel, word) for word in words)
    if (train > validation).any():
        raise ConfigError(f"split: {text!r}: validation must begin before test does")
    return train, validation, panel.ends


def _steps_before(panel: Panel, word: str) -> Ints:
    """``[N]`` how many steps of each series' history come before a date or a whole number."""
    if panel.clock.frequency:
        try:
            stamp = pd.Timestamp(word)
        except ValueError:
            stamp = pd.NaT
        if stamp is pd.NaT:  # an empty word is none either
            raise ConfigError(f"split: {word!r} is not a date; write it as 2017-07-01")
        zone = panel.clock.zone or None
        if stamp.tzinfo is None and zone:
            # The clocks may skip this hour, or strike it twice.
            stamp = stamp.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        elif stamp.tzinfo is not None and not zone:
            raise ConfigError(f"split: {word!r} has a time zone, the data have none")
    else:
        try:
            stamp = int(word)
        except ValueError:
            what = "is not a whole number, as the time column holds"
            raise ConfigError(f"split: {word!r} {what}") from None
    before = [panel.stamps(i, 0, int(end)).searchsorted(stamp) for i, end in enumerate(panel.ends)]
    return np.array(before, dtype=np.int64)


def hold_back(train: Ints, validation: Ints, share: float, horizon: int, needed: int) -> Ints:
    """Where the rows that choose end and those that calibrate begin, ``[N]``.

    A ``share`` of the rows between the ends ``train`` and ``validation`` is held back. Either part
    must have as many windows as ``needed``, all series together; where one hasn't, or where fewer
    than ``APART`` of them lie apart, nothing is held back: the same windows choose and calibrate.
    """
    rows = validation - train
    back = np.round(share * rows).astype(np.int64)
    enough = (back >= horizon) & (rows - back >= horizon)
    for part in (back[enough], (rows - back)[enough]):
        if (part - horizon + 1).sum() < needed or (part // horizon).sum() < APART:
            return validation
    return np.asarray(np.where(enough, validation - back, validation))


def enough_rows(panel: Panel, parts: Parts, horizon: int) -> None:
    """Refuse parts that can't hold one window.

    Raises:
        DataError: says how many rows there are and what would help.
    """
    for name, rows, hint in (
        ("train", parts.train - 1, "hold out less"),  # a window needs a step to look back at
        ("validation", parts.validation - parts.train, "raise --validation-share"),
        ("test", parts.test - parts.calibration, "raise --test-share or --test-last"),
    ):
        most = int(rows.max())
        if most < horizon:
            left = f"of which {max(most, 0):,} are left for {name}"
            longest = f"the longest series has {int(panel.ends.max()):,}, {left}"
            few = f"too few rows for a horizon of {horizon}"
            raise DataError(f"{few}: {longest}; lower --horizon or {hint}")
