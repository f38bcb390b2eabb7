"""Which column, or columns, of a table hold the time."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from birnn.data.arrow import is_text
from birnn.data.series.columns import may_be_numeric, read_ids
from birnn.data.series.ids import ID_NAMES
from birnn.data.series.parts import (
    TimeColumns,
    find_parts,
    join_named,
    part_numbers,
    read_if_written,
    role_of,
    with_clock,
)
from birnn.data.stamps.column import first_cell, first_cells, read_stamps
from birnn.data.stamps.dates import are_years
from birnn.data.stamps.names import COUNTED, DATE_NAME, TIME_NAMES
from birnn.data.stamps.reading import BAD, Asked, Stamps
from birnn.data.tables.columns import usual_columns
from birnn.errors import DataError

# What looks like a date though it can't be read: numbers with signs between, or a year and a word.
DATE_LIKE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}|\d{1,2}[-/. ]?[^\W\d]{3,}[-/. ,]*\d{2,4}"
    r"|[^\W\d]{3,}[-/. ]*\d{1,2},? \d{4}|\b(?:19|20)\d\d[-/. ]?[^\W\d]|\d{1,2}:\d{2}"
)


LOOKED = 10_000  # rows in which the first stamps are looked for
PARTS = {
    "y": lambda index: index.year, "m": lambda index: index.month, "d": lambda index: index.day,
    "H": lambda index: index.hour, "M": lambda index: index.minute,
    "q": lambda index: index.quarter, "n": lambda index: index.day_of_year,
    "w": lambda index: index.isocalendar().week.to_numpy(),
}  # fmt: skip


def named_time(table: pa.Table, names: list[str], asked: Asked, where: str) -> TimeColumns:
    """The columns that are named.

    Raises:
        DataError: they hold no stamps.
    """
    if len(names) > 1:
        return join_named(table, names, asked, where)
    stamps = read_stamps(table.column(names[0]), names[0], asked)
    if stamps is None:
        begins = f"it begins with {first_cell(table.column(names[0]))[:40]!r}"
        mend = "say how they are written with --date-format, as in '%d %b %Y'"
        raise DataError(f"{where}: the column {names[0]!r} holds no stamps; {begins}; {mend}")
    return TimeColumns(names, stamps)


def find_time(table: pa.Table, taken: set[str], asked: Asked) -> TimeColumns | None:
    """The fullest column of dates, joined with a time of day where there is one; else parts."""
    free = [name for name in table.column_names if name not in taken]
    ranked = list(dict.fromkeys([*usual_columns(TIME_NAMES, free), *free]))
    found = {name: _dates(table.column(name), name, asked) for name in ranked}
    able = {name: stamps for name, stamps in found.items() if stamps is not None}
    if not able:
        parts = find_parts(table, free, asked)
        if parts is None and asked.written:
            form = " | ".join(asked.written)
            raise DataError(f"no column is written as --date-format says ({form})")
        return parts

    def fullness(name: str) -> tuple[bool, bool, int]:
        stamps = able[name]
        still = len(stamps.values) > 1 and len(pd.unique(stamps.values)) == 1
        return still, bool(stamps.number), -len(stamps.known)

    best = min(able, key=fullness)
    others = [name for name in able if name != best]
    rest = [name for name in free if name not in able]
    time = with_clock(table, best, able[best], rest, asked) or TimeColumns([best], able[best])
    if not others:
        return time
    could = f"so could be {', '.join(map(repr, others[:5]))}"
    return time.noted(f"{best!r} is taken as the time; {could} (--time-column)")


def _dates(column: pa.ChunkedArray, name: str, asked: Asked) -> Stamps | None:
    """The stamps of a column, if enough of it are dates."""
    # In a few cells the order of day and month may be open; here it does not matter.
    look = replace(asked, day_first=True) if asked.day_first is None else asked
    # Stacked series repeat their stamps: a few rows may hold one or two of them.
    some = pa.chunked_array([pc.unique(column.slice(0, LOOKED))[:50]])
    looked = read_if_written(some, name, look)
    if looked is None and not first_cells(some):
        looked = read_if_written(column, name, asked)
    elif looked is not None and looked.whole:
        return None
    stamps = read_stamps(column, name, asked) if looked is not None else None
    enough = stamps is not None and not stamps.whole and _enough(stamps, column, name)
    return stamps if enough else None


def _enough(stamps: Stamps, column: pa.ChunkedArray, name: str) -> bool:
    """Whether enough cells are stamps: half where the name says dates, else nine in ten."""
    filled = len(column) - column.null_count
    if is_text(column.type):
        filled = pc.sum(pc.not_equal(pc.utf8_trim_whitespace(column), "")).as_py() or 0
    least = 0.5 if DATE_NAME.search(name) else 0.9
    return bool(len(stamps.known) >= max(least * filled, 1))


def find_counts(table: pa.Table, taken: set[str], ids: list[str]) -> TimeColumns | None:
    """A column of whole numbers that count steps."""
    usual = usual_columns(TIME_NAMES, table.column_names)
    for name in dict.fromkeys([*usual, *table.column_names]):
        if name in taken:
            continue
        known = name in usual and name.casefold() not in COUNTED
        stamps = read_stamps(table.column(name), name)
        if stamps is None or not stamps.whole:
            continue
        years = _are_years(table, stamps, name, ids)
        if not (known or years or _counts_up(table, stamps, name, ids)):
            continue
        rest = [other for other in table.column_names if other not in (name, *ids)]
        if any(may_be_numeric(table.column(other)) for other in rest):  # else it is forecast itself
            return TimeColumns([name], stamps)
    return None


def _are_years(table: pa.Table, stamps: Stamps, name: str, ids: list[str]) -> bool:
    """Whether whole numbers are years: most of a span of years, once, or once for each series."""
    values = stamps.values
    if not are_years(values).all():
        return False
    years = np.unique(values)
    step = int(np.gcd.reduce(np.diff(years))) if len(years) > 1 else 1
    filled = len(years) / ((years[-1] - years[0]) / step + 1)
    if DATE_NAME.search(name):
        return bool(filled >= 0.5)
    if filled < 0.8 or len(years) < 4 or years[0] < 1800 or years[-1] > 2200 or step > 10:
        return False
    if len(years) == len(values):
        return True
    for other in ids or [column for column in table.column_names if column != name]:
        codes, names = read_ids(table, [other])
        pairs = len({*zip(codes.tolist(), values.tolist(), strict=True)})
        if pairs == len(values) and len(names) <= len(values) // 2:
            return True
    return False


def _counts_up(table: pa.Table, stamps: Stamps, name: str, ids: list[str]) -> bool:
    """Whether whole numbers count steps: they rise all the way, or within each series."""
    values = stamps.values
    if (values == BAD).any():
        return False
    rising = np.diff(values) > 0
    if rising.all():
        return len(values) > 1
    others = [column for column in table.column_names if column != name]
    ids = ids or usual_columns(ID_NAMES, others)[:1]
    if not ids or name.casefold() not in COUNTED:
        return False
    codes, _ = read_ids(table, ids)
    return bool((rising | (np.diff(codes) != 0)).all())


def refuse_dates(table: pa.Table, taken: set[str], where: str) -> None:
    """Refuse to count the rows of a file one of whose columns looks like dates.

    Raises:
        DataError: shows the first such cell, and the option that says how to read it.
    """
    for name in table.column_names if len(table.column_names) > 1 else ():
        if name in taken:
            continue
        column = table.column(name)
        if not is_text(column.type):
            continue
        some = first_cells(column)
        odd = [text for text in some if DATE_LIKE.search(text)]
        dated = DATE_NAME.search(name) and any(re.search(r"\d", text) for text in some)
        worded = not all(re.fullmatch(r"[+-]?[\d.,]+", text) for text in some)
        if some and ((2 * len(odd) > len(some) and worded) or (dated and worded and odd)):
            shown = (odd or some)[0][:40]
            mend = "say how its dates are written with --date-format, as in '%d %b %Y'"
            other = "or name another --time-column"
            raise DataError(
                f"{where}: the column {name!r} looks like dates, but {shown!r} can't be read;"
                f" {mend}, {other}"
            )


def calendar_parts(table: pa.Table, names: list[str], stamps: Stamps) -> list[str]:
    """Columns that repeat a part of the stamps under its name: a year, month, day, hour."""
    known = np.flatnonzero(stamps.values != BAD)
    roles = {name: role for name in names if (role := role_of(name)) in PARTS}
    if stamps.whole or not len(known) or not roles:
        return []
    index = pd.DatetimeIndex(stamps.values[known].astype("datetime64[ns]"))
    return [
        name
        for name, role in roles.items()
        if np.array_equal(part_numbers(table.column(name), role)[known], PARTS[role](index))
    ]
