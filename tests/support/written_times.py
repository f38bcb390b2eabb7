"""Series whose stamps and values are known, written in random formats and layouts, and judged.

Nothing here knows how the reader decides. A file is *ambiguous* where it can be read in two
sensible ways, by rules that look at the file alone:

- **Orders of day, month and year**: every order is tried on all cells, and those that give a date
  for each are compared by the share of a regular grid that they fill (equal steps, one day of each
  month, the last days of months, business days). With the year in four digits in front there is
  one order; else day first and month first, and with two digits year first too. Dots and month
  names say day first. A rival that fills as much as the meant reading (nine tenths of its share)
  makes a file ambiguous; one that fills less leaves a warning welcome, not needed (``arguable``).
- **Whole numbers**: day numbers as Excel writes them are numbers too, always; year and month as
  ``YYYYMM`` within one year count up by one: ambiguous. Years are read as years or as numbers, both
  are right.
- **Series that follow each other** without a stamp in common may be one series under a label that
  changes: ambiguous where it fills nine tenths of a regular grid, clear where pauses are longer, or
  where the label is called id.
- **Ids that are numbers** could be values: a refusal is right, and so is a reading (``arguable``).

The stamps of a period (month, quarter, week, range) are its start.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from birnn.data.series.findings import SeriesOptions
from birnn.data.series.panel import Panel
from birnn.data.series.reader import read_panel
from birnn.errors import BirnnError

from judging import Judged, crash, first_made, outcome, refusal
from stamp_formats import Columns, Format, one_column, parts_apart

TIME_NAMES = """
    date time timestamp datetime ds Date Time period when Datum Zeit fecha data 日期 Zeitstempel t
    index DATE
""".split()  # noqa: SIM905
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "America/Sao_Paulo",
    "Europe/London", "America/Los_Angeles", "Asia/Tokyo",
)  # fmt: skip
# Frequency → resolution that its stamps need, and how often it is taken.
FREQUENCIES = {
    "s": ("s", 1), "min": ("min", 2), "5min": ("min", 2), "15min": ("min", 4), "30min": ("min", 3),
    "h": ("h", 10), "2h": ("h", 2), "6h": ("h", 2), "D": ("D", 24), "B": ("D", 6),
    "W-SUN": ("D", 3), "W-MON": ("W", 4), "W-WED": ("D", 2), "MS": ("M", 14), "ME": ("D", 4),
    "M15": ("D", 2), "M28": ("D", 1), "M30": ("D", 2), "QS": ("Q", 4), "QE": ("D", 2),
    "YS": ("Y", 3), "YE": ("D", 1), "BME": ("D", 1),
}  # fmt: skip
DAY_FIRST = ("--day-first", "--month-first", "--year-first", "--date-format")


@dataclass(frozen=True)
class Sample:
    """A file and what it holds."""

    seed: int
    name: str
    data: bytes
    frequency: str
    zone: str
    format: str
    order: str
    family: str
    layout: str
    series: dict[str, pd.Series]  # values by stamp, in order of time, without the missing rows
    steps: dict[str, int]  # from the first to the last value of each
    verdict: str
    why: str = ""
    decide: tuple[str, ...] = ()
    encoding: str = "utf-8"

    @property
    def tags(self) -> list[str]:
        """What is special about it, for the counts."""
        return [
            f"format {self.family}", f"layout {self.layout}", f"frequency {self.frequency}",
            f"zone {self.zone or 'none'}", *["semicolons"] * (b";" in self.data),
        ]  # fmt: skip


# The index


def _index(rng: random.Random, frequency: str, zone: str | None) -> pd.DatetimeIndex:
    year = rng.randrange(1990, 2030) if rng.random() < 0.93 else rng.randrange(1905, 2095)
    start = pd.Timestamp(year, rng.randrange(1, 13), rng.randrange(1, 29))
    few = frequency[0] in "YQ"
    count = rng.randrange(8, 40) if few else rng.choice((8, 12, 24, 30, 60, 100, 200, 400))
    if frequency[0] == "M" and frequency[1:].isdigit():
        months = pd.period_range(start.to_period("M"), periods=count, freq="M")
        days = np.minimum(int(frequency[1:]), months.days_in_month)
        return pd.DatetimeIndex(months.start_time + pd.to_timedelta(days - 1, unit="D"))
    if frequency in ("s", "min", "5min", "15min", "30min", "h", "2h", "6h"):
        start += pd.Timedelta(rng.choice((0, 0, 0, 6, 13)), "h")
    if year > 2080 and few:
        start -= pd.DateOffset(years=40)
    return pd.date_range(start, periods=count, freq=frequency, tz=zone)


def _zone(rng: random.Random, resolution: str) -> str | None:
    if resolution not in ("s", "min", "h", "D") or rng.random() < 0.75:
        return None
    return rng.choice(("UTC", "UTC", "Etc/GMT-2", "Etc/GMT+5", *ZONES))


# Files


def _series(
    rng: random.Random, index: pd.DatetimeIndex, layout: str
) -> tuple[dict[str, pd.Series], dict[str, int]]:
    """Values of each series on its part of the index, and how many steps each spans."""
    count = {"one": 1, "wide": rng.randrange(2, 4), "across": rng.randrange(2, 6)}.get(
        layout, rng.randrange(2, 6)
    )
    names = _names(rng, layout, count)
    spans = [(0, len(index))] * count
    if layout == "long" and len(index) >= 24:
        kind = rng.choice(("same", "same", "starts", "apart"))
        if kind == "apart":
            size = len(index) // count
            pause = rng.choice((0, 3, size // 3))
            if size - pause >= 8:
                spans = [(at * size, (at + 1) * size - pause) for at in range(count)]
        elif kind == "starts":
            spans = [(rng.randrange(len(index) // 2), len(index)) for _ in names]
    series, steps = {}, {}
    gaps = rng.random() < 0.12 and layout != "across"
    lost = {at for at in range(len(index)) if gaps and rng.random() < 0.04}
    for number, (name, (first, last)) in enumerate(zip(names, spans, strict=True)):
        own = [at for at in range(first, last)
               if last - first < 30 or at in (first, last - 1) or at not in lost]  # fmt: skip
        values = [round(50 + 10 * number + 9 * math.sin(at) + rng.random(), 2) for at in own]
        series[name] = pd.Series(values, index=index[own])
        steps[name] = last - first
    return series, steps


def _names(rng: random.Random, layout: str, count: int) -> list[str]:
    if layout in ("one", "wide"):
        some = ("y", "value", "sales", "load", "Umsatz", "temp", "kWh", "price", "OT", "demand")
        return rng.sample(some, count)
    numbers = ("1", "2", "3", "4", "5") if layout == "long" else ("p0", "p1", "p2", "p3", "p4")
    some = rng.choice((("A", "B", "C", "D", "E"), ("north", "south", "east", "west", "up town"),
                       numbers, ("shop_1", "shop_2", "shop_3", "shop_4", "shop_5")))  # fmt: skip
    return list(some[:count])


def _text(rng: random.Random, rows: Sequence[Sequence[str]], values: int) -> str:
    """The file: commas, semicolons and decimal commas, or tabs; values from a column on."""
    delimiter, decimal = rng.choice(((",", "."),) * 8 + ((";", ","),) * 2 + (("\t", "."),))
    lines = []
    for number, row in enumerate(rows):
        cells = list(row)
        if number:
            cells[values:] = [cell.replace(".", decimal) for cell in cells[values:]]
        lines.append(delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in cells))
    return "\n".join(lines) + "\n"


def _rows(
    rng: random.Random, layout: str, columns: Columns, series: dict[str, pd.Series]
) -> list[list[str]]:
    """The table, header first."""
    times = [name for name, _ in columns]
    if layout == "across":
        stamps = next(iter(series.values())).index
        rows = [[rng.choice(("Page", "id", "name", "")), *(columns[0][1](t) for t in stamps)]]
        return rows + [[name, *map(str, own)] for name, own in series.items()]
    if layout in ("one", "wide"):
        frame = pd.DataFrame(series)
        rows = [[w(t) for _, w in columns] + [f"{v}" for v in row]
                for t, row in zip(frame.index, frame.to_numpy(), strict=True)]  # fmt: skip
        header = [*times, *series]
    else:
        first = rng.random() < 0.5
        rows = [(t, [w(t) for _, w in columns], name, str(v))
                for name, own in series.items() for t, v in own.items()]  # fmt: skip
        if rng.random() < 0.5:
            rows.sort(key=lambda row: row[0])
        rows = [[n, *c, v] if first else [*c, n, v] for _, c, n, v in rows]
        name = rng.choice(("shop", "id", "unique_id", "store", "series", "Filiale", "station"))
        header = [name, *times, "value"] if first else [*times, name, "value"]
    order = rng.random()
    if order < 0.12:
        rows.reverse()
    elif order < 0.18:
        rng.shuffle(rows)
    return [header, *rows]


def _attempt(seed: int, rng: random.Random) -> Sample | None:
    weights = [weight for _, weight in FREQUENCIES.values()]
    frequency = rng.choices(list(FREQUENCIES), weights)[0]
    resolution = FREQUENCIES[frequency][0]
    zone = _zone(rng, resolution)
    try:
        index = _index(rng, frequency, zone)
    except (ValueError, pd.errors.OutOfBoundsDatetime):
        return None
    if index.tz is not None and resolution == "D" and (index != index.normalize()).any():
        return None
    layout = rng.choice(("one",) * 10 + ("wide",) * 3 + ("long",) * 6 + ("across",))
    several = parts_apart(rng, index, resolution) if rng.random() < 0.14 else None
    if several is not None and layout != "across":
        form, columns = several
    else:
        form = one_column(rng, index, resolution)
        names = [*TIME_NAMES, *{"M": ["Month"], "D": ["day", "jour"]}.get(resolution, ())]
        columns = [(rng.choice(names) if rng.random() < 0.95 else "", form.write)]
    if layout == "across" and (form.number or len(index) > 120 or form.name.startswith("unix")):
        return None
    series, steps = _series(rng, index, layout)
    rows = _rows(rng, layout, columns, series)
    if len(set(rows[0])) < len(rows[0]):
        return None
    last = {"across": len(rows[0]) - 1, "long": 1}.get(layout, len(series))
    text = _text(rng, rows, len(rows[0]) - last)
    weighed = weigh(form, series)
    named = {"id", "unique_id"} & set(rows[0])
    if weighed[0] != "ambiguous" and _follow(index, series) and not named:
        weighed = ("ambiguous", "series that follow each other", ("--id-column", "--layout"))
    return Sample(
        seed, f"times-{seed}.csv", text.encode(), frequency, str(index.tz or ""), form.name,
        form.order, form.family, layout, series, steps, *weighed,
    )  # fmt: skip


def make(seed: int) -> Sample:
    """The sample of a seed."""
    return first_made("times", seed, _attempt)


# What a file leaves open


def _filled(stamps: pd.DatetimeIndex) -> float:
    """The largest share of a regular grid that stamps fill, a stamp that repeats counted once."""
    if len(stamps) < 2:
        return 1.0
    unique = stamps.unique().sort_values()
    seconds = unique.as_unit("s").asi8
    steps = np.diff(seconds)
    shares = [0.0]
    if len(steps) and not (steps % steps.min()).any():
        shares.append(len(unique) / ((seconds[-1] - seconds[0]) / steps.min() + 1))
    months = np.asarray(unique.year * 12 + unique.month)
    ends = np.asarray(unique.days_in_month)
    days = np.asarray(unique.day)
    jumps = np.diff(months)
    monthly = len(jumps) and jumps.min() > 0 and not (jumps % jumps.min()).any()
    if monthly and (days == np.minimum(days.max(), ends)).all():
        shares.append(len(unique) / ((months[-1] - months[0]) / jumps.min() + 1))
    if (unique.day_of_week < 5).all() and (unique == unique.normalize()).all():
        dates = unique.to_numpy().astype("datetime64[D]")
        shares.append(len(unique) / (np.busday_count(dates[0], dates[-1]) + 1))
    return max(shares) * len(unique) / len(stamps)


def _reread(stamps: pd.DatetimeIndex, order: str, other: str, two: bool) -> pd.DatetimeIndex | None:
    """Stamps that were written in one order, read in another; None where one is no date."""
    parts = {"y": stamps.year % 100 if two else stamps.year, "m": stamps.month, "d": stamps.day}
    read = {to: np.asarray(parts[letter]) for letter, to in zip(order, other, strict=True)}
    if two:
        read["y"] = read["y"] + np.where(read["y"] < 69, 2000, 1900)
    frame = pd.DataFrame({"year": read["y"], "month": read["m"], "day": read["d"]})
    if (frame["month"] > 12).any() or (frame["month"] < 1).any():
        return None
    days = pd.to_datetime(frame, errors="coerce")
    if days.isna().any():
        return None
    return pd.DatetimeIndex(days) + (stamps - stamps.normalize())


def _follow(index: pd.DatetimeIndex, series: dict[str, pd.Series]) -> bool:
    """Whether series stand one after the other, with short pauses if any."""
    spans = [index.get_indexer(own.index[[0, -1]]) for own in series.values()]
    apart = all(late[0] > soon[1] for soon, late in pairwise(spans))
    used = sum(last - first + 1 for first, last in spans)
    return len(spans) > 1 and apart and used >= 0.9 * (spans[-1][1] - spans[0][0] + 1)


def weigh(form: Format, series: dict[str, pd.Series]) -> tuple[str, str, tuple[str, ...]]:
    """Verdict, reason, and the options that decide; the rules stand at the top of this file."""
    verdict = ("clear", "", ())
    if all(name.isdigit() for name in series):
        verdict = ("arguable", "ids are numbers", ())
    indexes = [own.index.tz_localize(None) for own in series.values()]
    if form.number == "excel":
        return "ambiguous", "day numbers", ("--date-format", "--time-columns", "--time-column")
    if form.number == "yyyymm" and len({t.year for index in indexes for t in index}) == 1:
        return "ambiguous", "months within one year", ("--date-format",)
    if not form.order or (form.order == "ymd" and not form.two):
        return verdict
    # What is written never tells seconds of day apart, so their order doesn't matter.
    truth = sum(map(_filled, indexes))
    for other in ("dmy", "mdy", *(("ymd",) if form.two else ())):
        if other == form.order:
            continue
        read = [_reread(index, form.order, other, form.two) for index in indexes]
        if any(stamps is None for stamps in read):
            continue
        if all((a == b).all() for a, b in zip(read, indexes, strict=True)):
            continue
        share = sum(_filled(stamps) for stamps in read if stamps is not None)
        dots = form.separator == "." and other == "mdy"
        if share >= 0.9 * truth and not dots:
            return "ambiguous", f"{form.order} or {other}", DAY_FIRST
        verdict = ("arguable", f"{form.order}, less regular as {other}", ())
    return verdict


# Judging


def described(sample: Sample) -> str:
    """The sample in one line, for who replays it."""
    lengths = ", ".join(f"{name} {len(own)}" for name, own in sample.series.items())
    return (
        f"{sample.name}: {sample.frequency} {sample.zone}, {sample.format}, {sample.layout} "
        f"({lengths}); {sample.verdict} {sample.why}"
    )


def told(sample: Sample) -> SeriesOptions | None:
    """The options that decide the order of a date; None where the file leaves none open."""
    if sample.order in ("dmy", "mdy"):
        return SeriesOptions(day_first=sample.order == "dmy")
    return None


def judge(sample: Sample, folder: Path, options: SeriesOptions | None = None) -> Judged:
    """Write a sample into a folder, read it, and compare what was read with what was meant.

    With ``options`` that decide (see :func:`told`) nothing is ambiguous.
    """
    path = folder / sample.name
    if options is not None:
        sample = replace(sample, verdict="clear")
    path.write_bytes(sample.data)
    try:
        panel, inspection = read_panel(str(path), options or SeriesOptions())
        notes = [*inspection.notes, *(f"{f.text}; {f.treatment}" for f in inspection.findings)]
        problem, wrong = _compared(sample, panel)
    except BirnnError as error:
        return refusal(sample.verdict, error, path)
    except Exception as error:
        return crash(sample.verdict, error)
    finally:
        path.unlink()
    kind = f"{problem}; {sample.family}; {sample.layout}"
    return outcome(sample.verdict, wrong, notes, sample.decide, sample.why, kind)


def _compared(sample: Sample, panel: Panel) -> tuple[str, str]:
    """What kind of thing differs between a panel and what was meant, and where; empty for none."""
    how = f"{sample.format}, {sample.frequency} {sample.zone}, {sample.layout}: "
    names = {str(name) for name in panel.names}
    if names != set(sample.series):
        return "other series", f"{how}{sorted(names)[:5]} for {sorted(sample.series)[:5]}"
    for number, name in enumerate(map(str, panel.names)):
        history = panel.history(number)
        stamps = panel.stamps(number, 0, len(history))
        held = ~np.isnan(history)
        known = sample.series[name]
        if int(held.sum()) != len(known):
            return "number of values", f"{how}{int(held.sum())} values for {len(known)}"
        if not _same(stamps[held], known.index):
            counted = not isinstance(stamps, pd.DatetimeIndex)
            problem = "rows counted" if counted else "other stamps"
            return problem, how + _first(stamps[held], known.index)
        if not np.allclose(history[held], known.to_numpy(), rtol=1e-5):
            return "order of values", f"{how}values in another order"
        if len(history) != sample.steps[name]:
            steps = f"{len(history)} steps of {panel.clock.frequency}"
            return "other frequency", f"{how}{steps} for {sample.steps[name]}"
    return "", ""


def _same(stamps: Any, known: pd.DatetimeIndex) -> bool:
    """Whether stamps are those that were meant.

    Instants may be given in any zone; without one, as local days, or as local times of an offset
    that never moves. Years may be numbers.
    """
    if not isinstance(stamps, pd.DatetimeIndex):
        return bool((np.asarray(stamps) == known.year).all())
    if known.tz is not None and stamps.tz is not None:
        return bool((stamps.tz_convert("UTC") == known.tz_convert("UTC")).all())
    local = known.tz_localize(None)
    if known.tz is not None:
        fixed = len({t.utcoffset() for t in known}) == 1
        if not fixed and (local != local.normalize()).any():
            return False
    return bool((stamps.tz_localize(None) == local).all())


def _first(stamps: Any, known: pd.DatetimeIndex) -> str:
    """The first stamp that differs, in words."""
    for got, meant in zip(stamps, known, strict=True):
        if not isinstance(got, pd.Timestamp):
            return f"{got} for {meant}"
        if (got != meant) if (got.tzinfo is None) == (meant.tzinfo is None) else True:
            return f"{got} for {meant}"
    return "other stamps"
