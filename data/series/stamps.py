"""Stamps of a column → whole numbers: nanoseconds since 1970 (UTC), or the integers there.

Text is read with fixed formats, found from the cells and tried over the whole column; the order of
day and month is decided from the whole column. ISO 8601 goes through Arrow's parser.
"""

import re
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Ints
from birnn.errors import DataError

BAD = np.iinfo(np.int64).min  # where there is no stamp
SLICE = 1_000_000  # rows that are text in memory at once

YMD = r"(?P<year>\d{4})(?P<sep>[-/.])\d{1,2}(?P<day>(?P=sep)\d{1,2})?"
DMY = r"(?P<first>\d{1,2})(?P<sep2>[-/.])(?P<second>\d{1,2})(?P=sep2)(?P<last>\d{4}|\d{2})"
TIME = r"(?:(?P<gap>[T ])\d{1,2}:\d{2}(?P<sec>:\d{2})?(?P<part>\.\d{1,9})?(?P<half> ?[AaPp][Mm])?)?"
ZONE = r"(?P<zone> ?(?:Z|[+-]\d{2}:?\d{2}))?"
NUMERIC = re.compile(f"(?:{YMD}|{DMY}){TIME}{ZONE}")
QUARTER = re.compile(r"\d{4}[- ]?[Qq][1-4]")
WORDS = re.compile(r"(?=.*\d{4})(?=.*[A-Za-z]{3}).{6,40}")
WEEK = re.compile(r"\d{4}-?W\d{2}")
SHORT_MONTH = re.compile(r"[A-Za-z]{3}[- ]\d{2}")
ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?$"
DATE_NAME = re.compile(r"date|time|month|day|^ds$|period|stamp", re.IGNORECASE)
UNIX = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 10**9}


@dataclass(frozen=True)
class Stamps:
    """``R`` stamps: nanoseconds since 1970 (UTC; of local time without a zone), or numbers."""

    values: Ints  # [R], BAD where a cell can't be read
    whole: bool  # these are whole numbers
    zone: str = ""  # empty for none
    cell: str = ""  # the first text that can't be read; empty for none, or for an empty cell
    notes: list[str] = field(default_factory=list)  # how they were read, if that could be otherwise


def read_stamps(column: pa.ChunkedArray, name: str) -> Stamps | None:
    """Read a column ``[R]`` of stamps: text, timestamps, dates, or numbers.

    Its name tells dates from counts. ``None`` where the first cells are neither.

    Raises:
        DataError: a stamp outside the years 1678 to 2261.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _typed(column, name)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _integers(column.cast(pa.float64(), safe=False), name)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return None
    first = first_cell(column)
    if re.match(r"^[+-]?\d+(\.0*)?$", first):
        return _integers(column, name)
    if _shape(first, day_first=False) is None:
        return None
    return _texts(column, name, aware=_has_zone(first))


def first_cell(column: pa.ChunkedArray) -> str:
    """The first text of 50 cells, without the spaces around it; empty if there is none."""
    texts = ("" if value is None else str(value).strip() for value in column[:50].to_pylist())
    return next(filter(None, texts), "")


def _typed(column: pa.ChunkedArray, name: str) -> Stamps:
    zone = getattr(column.type, "tz", None) or ""
    if zone and zone[0] in "+-":
        zone = "UTC" if zone[1:] == "00:00" else f"UTC{zone}"
    try:
        exact = column.cast(pa.timestamp("ns", getattr(column.type, "tz", None)))
    except pa.ArrowInvalid:
        raise _outside(name) from None
    return Stamps(pc.fill_null(exact.cast(pa.int64()), BAD).to_numpy(), whole=False, zone=zone)


def _outside(name: str) -> DataError:
    what = "has stamps outside the years 1678 to 2261; use whole numbers for them"
    return DataError(f"the column {name!r} {what}")


def _integers(column: pa.ChunkedArray, name: str) -> Stamps | None:
    """Whole numbers as they are, or the stamps that they stand for."""
    values, cell = np.full(len(column), BAD), ""
    for start in range(0, len(column), SLICE):
        part = column.slice(start, SLICE)
        if pa.types.is_floating(part.type):
            numbers = part.to_numpy()
            good = np.isfinite(numbers) & (numbers == np.floor(numbers)) & (abs(numbers) < 2**53)
            values[start : start + len(part)][good] = numbers[good].astype(np.int64)
            continue
        text = pc.fill_null(pc.utf8_trim_whitespace(part), "")
        whole = pc.match_substring_regex(text, r"^[+-]?\d{1,18}(\.0*)?$")
        if not cell and not pc.all(whole).as_py():
            cell = pc.filter(text, pc.invert(whole))[0].as_py()
        digits = pc.replace_substring_regex(pc.if_else(whole, text, None), r"^\+|\.0*$", "")
        values[start : start + len(part)] = pc.fill_null(digits.cast(pa.int64()), BAD).to_numpy()
    known = values[values != BAD]
    whole = Stamps(values, whole=True, cell=cell)
    return (_dated(values, known, name) or whole) if len(known) else None


def _dated(values: Ints, known: Ints, name: str) -> Stamps | None:
    """Stamps written as whole numbers: 20160701, 201607, or Unix time."""
    low, high = int(known.min()), int(known.max())
    for unit, parts in UNIX.items():
        if 9 * 10**8 * parts <= low and high < 42 * 10**8 * parts:
            scaled = np.where(values == BAD, BAD, values * (10**9 // parts))
            return Stamps(scaled, False, "UTC", notes=[f"{name!r} is read as Unix {unit} (UTC)"])
    days = low >= 16780101 and high < 22610101
    months = low >= 167801 and high < 226101
    if not (days or months) or (len(np.unique(known[:100])) < 13 and not DATE_NAME.search(name)):
        return None
    distinct, places = np.unique(known, return_inverse=True)
    form = "%Y%m%d" if days else "%Y%m"
    parsed = pd.to_datetime(pd.Index(distinct.astype(str)), format=form, errors="coerce")
    if parsed.isna().any():
        return None
    result = np.full(len(values), BAD)
    result[values != BAD] = nanoseconds(parsed, name)[places]
    words = "year, month and day" if days else "year and month"
    return Stamps(result, False, notes=[f"{name!r} is read as {words} ({low})"])


def nanoseconds(stamps: pd.DatetimeIndex, name: str) -> Ints:
    """``[R]`` nanoseconds since 1970 (UTC) of pandas stamps; :data:`BAD` for none.

    Raises:
        DataError: a stamp that 64 bits can't hold.
    """
    try:
        return np.asarray(stamps.as_unit("ns").asi8)
    except pd.errors.OutOfBoundsDatetime:
        raise _outside(name) from None


def _has_zone(text: str) -> bool:
    match = NUMERIC.fullmatch(text)
    return bool(match and match["zone"])


def _shape(text: str, day_first: bool) -> str | None:
    """The format that a cell is written in, as ``strptime`` takes it; ``None`` for no stamp."""
    if QUARTER.fullmatch(text):
        return "quarter"
    if WEEK.fullmatch(text):
        return "week" if text[4] == "W" else "-week"
    if SHORT_MONTH.fullmatch(text):
        return f"%b{text[3]}%y"
    match = NUMERIC.fullmatch(text)
    if match is None:
        if not WORDS.fullmatch(text):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the order of day and month
            guess: str | None = pd.tseries.api.guess_datetime_format(text)
            fits = pd.notna(pd.to_datetime(text, format="mixed", errors="coerce"))
        return guess or ("mixed" if fits else None)
    half = match["half"]
    if match["year"]:
        form = f"%Y{match['sep']}%m" + (f"{match['sep']}%d" if match["day"] else "")
    else:
        parts = ["%d", "%m"] if day_first else ["%m", "%d"]
        form = match["sep2"].join([*parts, "%Y" if len(match["last"]) == 4 else "%y"])
    if match["gap"]:
        form += f"{match['gap']}{'%I' if half else '%H'}:%M" + (":%S" if match["sec"] else "")
        form += (".%f" if match["part"] else "") + (f"{half[:-2]}%p" if half else "")
    if match["zone"]:
        form += (" " if match["zone"][0] == " " else "") + "%z"
    return form


def _texts(column: pa.ChunkedArray, name: str, aware: bool) -> Stamps:
    day_first, notes = _day_order(column, name)
    if day_first is None:
        chosen = [_parse(column, name, aware, order) for order in (False, True)]
        better = _regularity(chosen[1].values) > _regularity(chosen[0].values)
        order = "day before month" if better else "month before day"
        notes = [f"{name!r}: no stamp tells day from month; read as {order}, see whether it is so"]
        return replace(chosen[better], notes=chosen[better].notes + notes)
    stamps = _parse(column, name, aware, day_first)
    return replace(stamps, notes=stamps.notes + notes)


def _day_order(column: pa.ChunkedArray, name: str) -> tuple[bool | None, list[str]]:
    """Whether day stands before month, as the largest numbers tell; ``None``: either may."""
    largest = {"a": 0, "b": 0}
    for start in range(0, len(column), SLICE):
        part = pc.utf8_trim_whitespace(column.slice(start, SLICE))
        pairs = pc.extract_regex(part, r"^(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.]\d{2}")
        for key, before in largest.items():
            top = pc.max(pc.struct_field(pairs, key).cast(pa.int64())).as_py() or 0
            largest[key] = max(before, top)
    first, second = largest.values()
    if not first:
        return False, []
    if max(first, second) <= 12:
        return None, []
    order = "day before month" if first > 12 else "month before day"
    return first > 12, [f"{name!r} is read with the {order}"]


def _regularity(values: Ints) -> tuple[float, float]:
    """How orderly stamps stand: share of steps forward, and of the most common step."""
    steps = np.diff(values[:SLICE])
    if not len(steps):
        return 0.0, 0.0
    counts = np.unique(steps, return_counts=True)[1]
    return float((steps >= 0).mean().round(3)), float(counts.max() / len(steps))


def _parse(column: pa.ChunkedArray, name: str, aware: bool, day_first: bool) -> Stamps:
    """Parse a slice at a time, and each distinct text of it once."""
    values, cell = np.full(len(column), BAD), ""
    zones: set[str] = set()
    forms: list[str] = []
    for start in range(0, len(column), SLICE):
        part = pc.fill_null(pc.utf8_trim_whitespace(column.slice(start, SLICE)), "")
        target = values[start : start + len(part)]
        if not aware and pc.all(pc.match_substring_regex(part, ISO)).as_py():
            try:
                target[:] = part.cast(pa.timestamp("ns")).cast(pa.int64()).to_numpy()
                continue
            except pa.ArrowInvalid:
                pass  # no such day, say: told apart below
        coded = part.combine_chunks().dictionary_encode()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.combine_chunks()
        distinct = pd.Index(coded.dictionary.to_pylist(), dtype=object)
        if aware:
            zones |= set(distinct.str.extract(r"(Z|[+-]\d{2}:?\d{2})$", expand=False).dropna())
        stamps = _distinct(distinct, name, aware, day_first, forms)
        target[:] = stamps[coded.indices.to_numpy(zero_copy_only=False)]
        unread = distinct[stamps == BAD]
        cell = cell or next((text for text in unread if text), "")
    notes = []
    if any("%y" in form for form in forms):
        notes.append(f"{name!r} has years of two digits; 69 to 99 are read as 1969 to 1999")
    zone, notes = _common_zone(zones, name, notes) if aware else ("", notes)
    return Stamps(values, False, zone, cell, notes)


def _common_zone(zones: set[str], name: str, notes: list[str]) -> tuple[str, list[str]]:
    offsets = {"+00:00" if z == "Z" else z if ":" in z else f"{z[:3]}:{z[3:]}" for z in zones}
    if len(offsets) > 1:
        some = ", ".join(sorted(offsets)[:4])
        return "UTC", [*notes, f"{name!r} has stamps of several offsets ({some}); read in UTC"]
    only = offsets.pop() if offsets else "+00:00"
    return ("UTC" if only[1:] == "00:00" else f"UTC{only}"), notes


def _distinct(texts: pd.Index, name: str, aware: bool, day_first: bool, forms: list[str]) -> Ints:
    """``[U]`` distinct texts as nanoseconds; adds to ``forms`` what they are written in."""
    values = np.full(len(texts), BAD)
    left = np.flatnonzero(texts != "")
    refused: list[int] = []
    for form in forms:
        left = _fill(values, texts, left, form, name)
    while len(left) and len(forms) < 12 and len(refused) < 20:
        text = texts[left[0]]
        shaped = _shape(text, day_first)
        if shaped is None or shaped in forms or (_has_zone(text) != aware and shaped != "mixed"):
            refused.append(int(left[0]))
            left = left[1:]
            continue
        forms.append(shaped)
        left = _fill(values, texts, left, shaped, name)
    return values


def _fill(values: Ints, texts: pd.Index, left: Ints, form: str, name: str) -> Ints:
    """Fill in what is written in ``form``; returns the places that aren't."""
    if not len(left):
        return left
    some = texts[left]
    if form == "quarter":
        plain = [re.sub("[- ]", "", t).upper() if QUARTER.fullmatch(t) else "NaT" for t in some]
        index = pd.PeriodIndex(plain, freq="Q").to_timestamp()  # 2001-Q1, by its first day
    else:
        if form.endswith("week"):  # ISO 8601, by its Monday
            dash = form.removesuffix("week")
            some, form = some + f"{dash}1", f"%G{dash}W%V{dash}%u"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about formats that pandas will drop
            utc = "%z" in form
            index = pd.DatetimeIndex(pd.to_datetime(some, format=form, errors="coerce", utc=utc))
            if index.hasnans:
                _check_years(some[index.isna()][0], form, name)
    fits = ~index.isna()
    values[left[fits]] = nanoseconds(index[fits], name)
    return np.asarray(left[~fits])


def _check_years(text: str, form: str, name: str) -> None:
    """Refuse years that nanoseconds can't count: to pandas 2 they are no stamps, as any text is."""
    try:
        pd.to_datetime(text, format=form, utc="%z" in form)
    except pd.errors.OutOfBoundsDatetime:
        raise _outside(name) from None
    except ValueError:
        return
