"""Files whose header holds the dates: a row for each series, a column for each time."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from birnn.arrays import Ints
from birnn.data.series.columns import NumberColumn, read_ids, read_numbers
from birnn.data.series.parts import part_numbers, role_of
from birnn.data.stamps import words
from birnn.data.stamps.column import read_stamps
from birnn.data.stamps.dates import are_years
from birnn.data.stamps.reading import BAD, Asked, Doubt, Stamps
from birnn.errors import DataError

FEWEST = 4  # dates in a header
VALUE = "value"


@dataclass(frozen=True)
class Turned:
    """``R`` rows of ``T`` columns as ``R · T`` values, one row after the other."""

    stamps: Stamps  # [R · T]
    ids: list[str]
    numbers: NumberColumn
    rows: Ints  # [R · T] which row of the table each was


def turn(table: pa.Table, ids: list[str], asked: Asked) -> Turned | None:
    """Turn a table in whose header most names are dates, or months beside a column of years."""
    names = table.column_names
    dated = [name for name in names if name not in ids and _looks_dated(name)]
    if len(dated) >= FEWEST and 2 * len(dated) >= len(names):
        header = pa.chunked_array([pa.array([_plain(name) for name in dated])])
        stamps = read_stamps(header, "date", asked)
        if stamps is None or (stamps.values == BAD).any() or _repeats(stamps.values):
            return None
        if stamps.whole and not are_years(stamps.values).all():
            return None
        values = np.tile(stamps.values, table.num_rows)
        stamps = replace(stamps, doubts=[*stamps.doubts, *_undated(names, dated)])
        return _turned(table, dated, ids, replace(stamps, values=values))
    months = {name: words.month_number(name) for name in names if name.isalpha()}
    months = {name: month for name, month in months.items() if month}
    years = [name for name in names if role_of(name) == "y"]
    if len(set(months.values())) < 12 or not years:
        return None
    year = part_numbers(table.column(years[0]), "y")
    if not are_years(year).all():
        return None
    number = (year[:, None] - 1970) * 12 + np.array(list(months.values())) - 1
    moments = number.ravel().astype("datetime64[M]").astype("datetime64[ns]").astype(np.int64)
    return _turned(table, list(months), ids, Stamps(moments), but=years[0])


def _undated(names: list[str], dated: list[str]) -> list[Doubt]:
    """A doubt about each name that is no date and stands between names that are."""
    inner = names[names.index(dated[0]) : names.index(dated[-1])]
    odd = ", ".join(repr(name) for name in inner if name not in dated)
    done = "they are left out (--date-format says how dates are written)"
    return [Doubt(f"among columns that are dates, these can't be read: {odd}", done)] if odd else []


def _plain(name: str) -> str:
    """A date as R and others write it into a header: ``X2015.07.01``, ``1960 [YR1960]``."""
    return re.sub(r"^X(?=\d)|\s*\[.*\]$", "", name.strip())


def _looks_dated(name: str) -> bool:
    text = _plain(name)
    if text.isdecimal() and len(text) not in (4, 6, 8, 10, 12, 14):
        return False
    column = pa.chunked_array([pa.array([text])])
    orders = (Asked(day_first=True), Asked(day_first=False))
    try:
        return any(read_stamps(column, "date", asked) is not None for asked in orders)
    except DataError:
        return False


def _repeats(values: Ints) -> bool:
    return len(np.unique(values)) < len(values)


def _turned(
    table: pa.Table, dated: list[str], ids: list[str], stamps: Stamps, but: str = ""
) -> Turned:
    columns = [read_numbers(table.column(name)) for name in dated]
    rows, many = table.num_rows, len(dated)
    numbers = np.stack([column.values for column in columns], axis=1).ravel()

    def places(which: str) -> Ints:
        found = [getattr(column, which) * many + at for at, column in enumerate(columns)]
        return np.sort(np.concatenate(found))

    cell = next((column.cell for column in columns if column.cell), "")
    filled = sum(column.filled for column in columns)
    text, infinite = places("text"), places("infinite")
    rest = [name for name in table.column_names if name not in dated and name != but]
    whole = NumberColumn(numbers, filled, text, cell, infinite)
    return Turned(stamps, ids or _ids(table, rest), whole, np.repeat(np.arange(rows), many))


def _ids(table: pa.Table, rest: list[str]) -> list[str]:
    """The fewest of the other columns, from the left, that name each row by itself."""
    for name in rest:
        if len(read_ids(table, [name])[1]) == table.num_rows:
            return [name]
    for many in range(2, len(rest) + 1):
        if len(read_ids(table, rest[:many])[1]) == table.num_rows:
            return rest[:many]
    return rest
