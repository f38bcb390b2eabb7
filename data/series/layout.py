"""Which columns of a table are time, series, values and covariates."""

import re
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from birnn.arrays import Codes, Ints
from birnn.data.series.columns import NumberColumn, may_be_numeric, read_ids, read_numbers
from birnn.data.series.findings import SeriesOptions
from birnn.data.series.ids import VALUE_NAMES, Ids, find_ids
from birnn.data.series.panel import Clock
from birnn.data.series.parts import TimeColumns
from birnn.data.series.remembered import Remembered
from birnn.data.series.time import (
    calendar_parts,
    find_counts,
    find_time,
    named_time,
    refuse_dates,
)
from birnn.data.series.turned import VALUE, turn
from birnn.data.stamps.column import first_cell
from birnn.data.stamps.reading import Asked, Doubt, Stamps
from birnn.errors import DataError
from birnn.registry import suggestion


@dataclass(frozen=True)
class Layout:
    """Columns and their parts."""

    layout: str  # wide or long
    time_columns: list[str]  # several that are joined; empty for none: rows are counted
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
    doubts: list[Doubt] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)  # columns that tell shared stamps apart
    turned: bool = False  # the dates stood in the header
    lines: Ints = field(default_factory=lambda: np.empty(0, np.int64))  # [R] of the file

    @property
    def time(self) -> str:
        """The columns of the time in words; empty for none."""
        return ", ".join(self.time_columns)

    def remembered(self, clock: Clock | None, *, moved: bool) -> Remembered:
        """What another file is to be read by."""
        frequency = "" if clock is None else clock.frequency or str(clock.step)
        stamps = self.stamps
        return Remembered(
            self.layout, self.turned, self.time_columns, self.id_columns, self.targets,
            stamps.orders, stamps.number, stamps.zone, frequency, stamps.whole,
            clock.day if clock else 0, moved,
        )  # fmt: skip


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


ROW_NAME = re.compile(
    r"(?i)#|(s\.? ?|sl\.? ?)?n[or]\.?|num(ber)?|id|idx|index|row([_ ]?(id|no|num|number))?"
    r"|rec(ord)?([_ ]?(id|no))?|obs(ervation)?|line"
)
COLUMNS = ("time_columns", "time_column", "id_column", "target", "past", "future", "static")


def find_layout(
    table: pa.Table, lines: Ints, options: SeriesOptions, where: str, run: Remembered | None
) -> Layout:
    """Find the columns, as named, or as a run's were; ``lines`` ``[R]`` of the file begin rows.

    Raises:
        DataError: a column isn't there, stands for two things, holds no stamps, or no column holds
            numbers.
    """
    parts = _named(table, options, where, run)
    time_named = parts.pop("time_columns") or parts.pop("time_column")
    parts.pop("time_column", None)
    taken = {name for names in parts.values() for name in names}
    formats = tuple(part.strip() for part in options.date_format.split("|") if part.strip())
    asked = (run or Remembered()).asked(formats, options.day_first)
    if not time_named and (run is None or run.turned) and options.layout != "wide":
        turned = _turned(table, parts, asked, where, lines)
        if turned is not None:
            return turned
    time = _time(table, time_named, taken, parts["id_column"], asked, where, run)
    free = [name for name in table.column_names if name not in taken | set(time.columns)]
    ids = Ids(parts["id_column"])
    if not ids.columns and (run is None or run.layout == "long"):
        ids = find_ids(table, options.layout, free, time.stamps)
    if options.layout == "long" and not ids.columns:
        raise DataError(f"{where}: no column of ids found; name it with --id-column")
    codes, names = read_ids(table, ids.columns)
    if parts["static"] and not ids.columns:
        raise DataError(f"{where}: --static is for the long layout; a wide file has none")
    free = [name for name in free if name not in ids.columns]
    aside = _aside(table, free, time, parts["target"])
    candidates = [name for name in free if name not in aside]
    targets, numbers, more = _find_targets(
        table, parts["target"], candidates, bool(ids.columns), where, run
    )
    notes = [*time.stamps.notes, *ids.notes, *more, *_left_aside(aside, targets)]
    return Layout(
        "long" if ids.columns else "wide", time.columns, time.stamps, ids.columns, codes, names,
        targets, parts["past"], parts["future"], parts["static"], numbers, notes,
        [*time.stamps.doubts, *ids.doubts], ids.shared, lines=lines,
    )  # fmt: skip


def _aside(table: pa.Table, free: list[str], time: TimeColumns, named: list[str]) -> dict[str, str]:
    """The columns of numbers that are no values unless they are named, and why."""
    aside = dict.fromkeys(calendar_parts(table, free, time.stamps), "parts of the time")
    others = [name for name in free if name not in aside]
    counts = [name for name in others if time.columns and not named and counts_rows(table, name)]
    if len(counts) < len(others):
        aside |= dict.fromkeys(counts, "numbers of rows; --target takes them")
    return aside


def _left_aside(aside: dict[str, str], targets: list[str]) -> list[str]:
    notes = []
    for why in dict.fromkeys(aside.values()):
        if left := [name for name in aside if aside[name] == why and name not in targets]:
            notes.append(f"not used: {', '.join(left)} ({why})")
    return notes


def counts_rows(table: pa.Table, name: str) -> bool:
    """Whether a column numbers the rows: by its name, and by 0, 1, 2, … or 1, 2, 3, …."""
    if not ROW_NAME.fullmatch(name.strip()):
        return False
    values = read_numbers(table.column(name)).values
    return len(values) > 1 and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _named(
    table: pa.Table, options: SeriesOptions, where: str, run: Remembered | None
) -> dict[str, list[str]]:
    """The columns that options name, and those that a run had.

    Raises:
        DataError: a column isn't there, or stands for two things.
    """
    there = list(table.column_names)
    parts = {
        option: columns_named(option.replace("_", "-"), getattr(options, option), there, where)
        for option in COLUMNS
    }
    if parts["time_columns"] and parts["time_column"]:
        raise DataError(f"{where}: --time-column and --time-columns both name the time; give one")
    if len(parts["time_column"]) > 1:
        mend = "name one, or those that are joined with --time-columns"
        raise DataError(f"{where}: --time-column names several columns; {mend}")
    if options.layout == "wide" and parts["id_column"]:
        raise DataError(f"{where}: --id-column is for the long layout, not for --layout wide")
    if run is not None and not run.turned:
        if not parts["id_column"]:
            parts["id_column"] = _ids_of(run, there, where)
        if not (parts["time_columns"] or parts["time_column"]):
            parts["time_columns"] = run.time_columns if set(run.time_columns) <= set(there) else []
    taken: dict[str, str] = {}
    for option, names in parts.items():
        for name in names:
            if name in taken:
                one, two = (text.replace("_", "-") for text in (taken[name], option))
                raise DataError(f"{where}: the column {name!r} can't be both --{one} and --{two}")
            taken[name] = option
    return parts


def _ids_of(run: Remembered, there: list[str], where: str) -> list[str]:
    lost = [name for name in run.id_columns if name not in there]
    if lost:
        known = ", ".join(map(repr, run.id_columns))
        raise DataError(
            f"{where}: the run named its series by {known}, and there is no column {lost[0]!r}"
            f"{suggestion(lost[0], there)}; there are: {', '.join(there[:40])}"
        )
    return run.id_columns


def _time(
    table: pa.Table, named: list[str], taken: set[str], ids: list[str], asked: Asked, where: str,
    run: Remembered | None,
) -> TimeColumns:  # fmt: skip
    """The time's columns; without any, rows are counted.

    Raises:
        DataError: a column looks like dates, and can't be read.
    """
    try:
        if named:
            return named_time(table, named, asked, where)
        found = None
        if run is None or run.time_columns or run.turned:
            found = find_time(table, taken, asked) or find_counts(table, taken, ids)
    except DataError as error:
        text = str(error)
        raise DataError(text if text.startswith(where) else f"{where}: {text}") from None
    if found is not None and run is not None and run.time_columns:
        names = ", ".join(map(repr, run.time_columns))
        told = f"the run took its time from {names}, which is not there: {found.columns[0]!r} is"
        return found.noted(f"{told} taken")
    if found is not None:
        return found
    if run is None or run.time_columns:
        refuse_dates(table, taken, where)
    note = "no time column found: rows are counted 0, 1, 2, …; name one with --time-column"
    return TimeColumns([], Stamps(np.arange(table.num_rows), whole=True, notes=[note]))


def _turned(
    table: pa.Table, parts: dict[str, list[str]], asked: Asked, where: str, lines: Ints
) -> Layout | None:
    """A layout whose dates stand in the header; ``None`` for another."""
    found = turn(table, parts["id_column"], asked)
    if found is None:
        return None
    for option in ("past", "future", "static", "target"):
        if parts[option]:
            mend = "write a row for each series and time, as pandas' melt does"
            raise DataError(f"{where}: the dates stand in the header: --{option} can't be; {mend}")
    codes, names = read_ids(table, found.ids)
    many = len(found.rows) // max(table.num_rows, 1)
    told = f"the dates stand in the header: {many} columns are turned into rows of {VALUE!r}"
    left = [*found.stamps.notes, told]
    if found.ids:
        left.append(f"each row is a series, named by {', '.join(map(repr, found.ids))}")
    return Layout(
        "long" if found.ids else "wide", [], found.stamps, found.ids, np.repeat(codes, many),
        names, [VALUE], [], [], [], {VALUE: found.numbers}, left, found.stamps.doubts,
        turned=True, lines=lines[found.rows],
    )  # fmt: skip


def _find_targets(
    table: pa.Table, named: list[str], free: list[str], long: bool, where: str,
    run: Remembered | None,
) -> tuple[list[str], dict[str, NumberColumn], list[str]]:  # fmt: skip
    """The columns of values, what was read of them, and notes on what is left out."""
    named = named or [name for name in (run.targets if run else []) if name in free]
    if long and len(named) > 1:
        raise DataError(f"{where}: the long layout has one column of values; name one --target")
    numbers = {name: read_numbers(table.column(name)) for name in named}
    for name, column in numbers.items():
        if not column.numeric:
            begins = f"no numbers; it begins with {column.cell[:40]!r}"
            what = begins if column.filled else "nothing"
            raise DataError(f"{where}: the target {name!r} holds {what}; name another --target")
    if named:
        return named, numbers, _not_used(free, named) if run else []
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
    notes = _not_used(free, targets)
    if run and run.targets:
        lost = ", ".join(map(repr, run.targets[:10]))
        notes.append(f"none of the run's columns of values ({lost}) is there: others are taken")
    return targets, {name: numbers[name] for name in targets}, notes


def _not_used(free: list[str], targets: list[str]) -> list[str]:
    left = [name for name in free if name not in targets]
    return [f"not used: {', '.join(left[:10])}{', …' if len(left) > 10 else ''}"] if left else []


def _why_no_numbers(table: pa.Table, free: list[str]) -> str:
    """A guess, in words, for a file without numbers."""
    if len(table.column_names) == 1 and any(sign in table.column_names[0] for sign in ";\t|"):
        return "; fields seem to be separated by another sign: name it with --delimiter"
    for name in free:
        cell = first_cell(table.column(name))
        if re.fullmatch(r"[+-]?\d[\d.]*,\d+", cell):
            return f"; {name!r} seems to have decimal commas ({cell}): say --decimal ,"
    return ""
