"""Which columns of a table are time, series, values and covariates."""

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from birnn.arrays import Codes, Ints
from birnn.data.series.columns import NumberColumn, may_be_numeric, read_ids, read_numbers
from birnn.data.series.findings import SeriesOptions
from birnn.data.series.stamps import BAD, Stamps, first_cell, read_stamps
from birnn.data.tables.columns import usual_columns
from birnn.errors import DataError
from birnn.registry import suggestion

TIME_NAMES = (
    "ds", "timestamp", "datetime", "date_time", "date", "time", "stamp", "utc_timestamp", "month",
    "day", "week", "quarter", "year", "hour", "period", "t", "step", "index", "",
)  # fmt: skip
COUNTED = {"month", "day", "week", "quarter", "year", "hour", "period", "t", "step", "index"}
ID_NAMES = (
    "unique_id", "series_id", "item_id", "id", "series", "store", "store_id", "item", "sku",
    "product", "product_id", "symbol", "ticker", "station", "station_id", "sensor", "sensor_id",
    "meter", "meter_id", "customer", "customer_id", "country", "region", "state", "city", "site",
    "location", "source", "name", "group", "key", "entity", "variable", "channel",
)  # fmt: skip
VALUE_NAMES = (
    "y", "value", "values", "target", "demand", "sales", "count", "quantity", "load", "price",
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Columns and their parts."""

    layout: str  # wide or long
    time_column: str  # empty for none: rows are counted
    stamps: Stamps  # of the R rows
    id_columns: list[str]  # empty for wide
    codes: Codes  # [R] the frame of each row: series by first appearance, 0 if wide; -1: no id
    names: list[str]  # of the frames; one empty name for wide
    targets: list[str]  # columns of values
    past: list[str]  # columns of covariates
    future: list[str]
    static: list[str]
    numbers: dict[str, NumberColumn]  # what was read of the columns already
    notes: list[str] = field(default_factory=list)


def listed(names: str) -> list[str]:
    """The parts of a list with commas, each once."""
    return list(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))


def columns_named(option: str, names: str, there: list[str], where: str) -> list[str]:
    """The columns that an option names; one whose name holds a comma may be named alone.

    Raises:
        DataError: not there; names those that are.
    """
    if names.strip() in there:
        return [names.strip()]
    for name in listed(names):
        if name not in there:
            known = f"{', '.join(there[:40])}{', …' if len(there) > 40 else ''}"
            lacks = f"there is no column {name!r} (--{option}){suggestion(name, there)}"
            raise DataError(f"{where}: {lacks}; there are: {known}")
    return listed(names)


def find_layout(table: pa.Table, options: SeriesOptions, where: str) -> Layout:
    """Find the columns, or take them as named.

    Raises:
        DataError: a column isn't there, stands for two things, holds no stamps, or no column holds
            numbers.
    """
    there = list(table.column_names)
    parts = {
        option: columns_named(option.replace("_", "-"), getattr(options, option), there, where)
        for option in ("time_column", "id_column", "target", "past", "future", "static")
    }
    taken: dict[str, str] = {}
    for option, names in parts.items():
        for name in names:
            if name in taken:
                one, two = (text.replace("_", "-") for text in (taken[name], option))
                raise DataError(f"{where}: the column {name!r} can't be both --{one} and --{two}")
            taken[name] = option
    if len(parts["time_column"]) > 1:
        raise DataError(f"{where}: --time-column names several columns; name one")
    if options.layout == "wide" and parts["id_column"]:
        raise DataError(f"{where}: --id-column is for the long layout, not for --layout wide")
    time, stamps, notes = _find_time(table, parts["time_column"], set(taken), parts, where)
    free = [name for name in there if name not in taken and name != time]
    ids = parts["id_column"] or _find_ids(table, options.layout, free, stamps)
    if options.layout == "long" and not ids:
        raise DataError(f"{where}: no column of ids found; name it with --id-column")
    codes, names = read_ids(table, ids) if ids else (np.zeros(table.num_rows, np.int32), [""])
    if parts["static"] and not ids:
        raise DataError(f"{where}: --static is for the long layout; a wide file has none")
    free = [name for name in free if name not in ids]
    targets, numbers, more = _find_targets(table, parts["target"], free, bool(ids), where)
    return Layout(
        "long" if ids else "wide", time, stamps, ids, codes, names, targets,
        parts["past"], parts["future"], parts["static"], numbers, notes + more,
    )  # fmt: skip


def _find_time(
    table: pa.Table, named: list[str], taken: set[str], parts: dict[str, list[str]], where: str
) -> tuple[str, Stamps, list[str]]:
    if named:
        stamps = read_stamps(table.column(named[0]), named[0])
        if stamps is None:
            begins = f"it begins with {first_cell(table.column(named[0]))[:40]!r}"
            raise DataError(f"{where}: the column {named[0]!r} holds no stamps; {begins}")
        return named[0], stamps, stamps.notes
    usual = usual_columns(TIME_NAMES, table.column_names)
    for name in dict.fromkeys([*usual, *table.column_names]):
        if name in taken:
            continue
        column = table.column(name)
        known = name in usual and name.casefold() not in COUNTED
        looks = known or read_stamps(column.slice(0, 50), name) is not None
        stamps = read_stamps(column, name) if looks else None
        if stamps is None:
            continue
        if stamps.whole and not known and not _counts_up(table, stamps, name, parts["id_column"]):
            continue
        rest = [other for other in table.column_names if other not in (name, *parts["id_column"])]
        if stamps.whole and not any(may_be_numeric(table.column(other)) for other in rest):
            continue  # it is what is to be forecast
        return name, stamps, stamps.notes
    note = "no time column found: rows are counted 0, 1, 2, …; name one with --time-column"
    return "", Stamps(np.arange(table.num_rows), whole=True), [note]


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


def _find_ids(table: pa.Table, layout: str, free: list[str], stamps: Stamps) -> list[str]:
    """Columns of ids: by name, or text under which no stamp stands twice."""
    if layout == "wide":
        return []
    likely = usual_columns(ID_NAMES, free)
    steps = np.diff(stamps.values)
    repeated = not (steps > 0).all() and bool(pd.Series(stamps.values).duplicated().any())
    if not repeated and layout == "auto":
        return _ids_apart(table, likely, steps)
    others = (name for name in free if name not in likely)
    texts = (x for x in others if not read_numbers(table.column(x).slice(0, 1000)).numeric)
    tried = [[name] for name in likely] + ([likely] if len(likely) > 1 else [])
    tried += [[name] for name in texts]
    fallback: list[str] = []
    for columns in tried:
        codes, names = read_ids(table, columns)
        if not 1 <= len(names) <= max(1, table.num_rows // 2):
            continue
        if not pd.DataFrame({"code": codes, "stamp": stamps.values}).duplicated().any():
            return columns
        if not fallback and columns[0] in likely:
            fallback = columns
    return fallback


def _ids_apart(table: pa.Table, likely: list[str], steps: Ints) -> list[str]:
    """Ids in a file where no stamp stands twice: by a sure name, or if time rises within each."""
    for name in likely:
        sure = name.casefold() in ("unique_id", "series_id", "item_id")
        if not sure and (steps > 0).all():
            continue
        codes, names = read_ids(table, [name])
        several = len(names) <= max(1, table.num_rows // 2)
        if several and (sure or ((steps > 0) | (np.diff(codes) != 0)).all()):
            return [name]
    return []


def _find_targets(
    table: pa.Table, named: list[str], free: list[str], long: bool, where: str
) -> tuple[list[str], dict[str, NumberColumn], list[str]]:
    """The columns of values, what was read of them, and notes on what is left out."""
    if long and len(named) > 1:
        raise DataError(f"{where}: the long layout has one column of values; name one --target")
    numbers = {name: read_numbers(table.column(name)) for name in named}
    for name, column in numbers.items():
        if not column.numeric:
            begins = f"no numbers; it begins with {column.cell[:40]!r}"
            what = begins if column.filled else "nothing"
            raise DataError(f"{where}: the target {name!r} holds {what}; name another --target")
    if named:
        return named, numbers, []
    begun = [name for name in free if may_be_numeric(table.column(name))]
    if long:
        usual = [name for known in VALUE_NAMES for name in begun if name.casefold() == known]
        if len(begun) > 1 and not usual:
            what = f"several columns of numbers ({', '.join(begun[:10])})"
            raise DataError(f"{where}: {what}; name the one to forecast with --target")
        begun = (usual or begun)[:1]
    numbers = {name: read_numbers(table.column(name)) for name in begun}
    targets = [name for name, column in numbers.items() if column.numeric]
    if not targets:
        known = f"{', '.join(table.column_names)}{_why_no_numbers(table, free)}"
        raise DataError(f"{where}: no column of numbers to forecast; there are: {known}")
    left = [name for name in free if name not in targets]
    notes = [f"not used: {', '.join(left[:10])}{', …' if len(left) > 10 else ''}"] if left else []
    return targets, {name: numbers[name] for name in targets}, notes


def _why_no_numbers(table: pa.Table, free: list[str]) -> str:
    """A guess, in words, for a file without numbers."""
    if len(table.column_names) == 1 and any(sign in table.column_names[0] for sign in ";\t|"):
        return "; fields seem to be separated by another sign: save the file with commas"
    for name in free:
        cell = first_cell(table.column(name))
        if re.fullmatch(r"[+-]?\d[\d.]*,\d+", cell):
            return f"; {name!r} seems to have decimal commas ({cell}): write points"
    return ""
