"""Tables whose content is known, written in random dialects; what a reader makes of each is judged.

Nothing here knows how the readers decide. A file is *ambiguous* where it can be read in two
sensible ways, by rules that look at the file alone:

- **Delimiter and quotes**: every pair of a delimiter (``,`` ``;`` tab ``|``) and a quote (``"``
  ``'`` none; doubled or with backslashes where the file has one before a quote) is tried with
  Python's strict parser on the rows, header included. A rival is a pair that gives every row as
  many fields as the header, at least two (of one column: one, under its own delimiter, where not
  all cells stand in quotes and none that does has doubled ones), and other cells; quotes beside
  the meant delimiter are no letters of cells. It counts if the number and the share of its typed
  columns (numbers or dates alone) are at least those of the reading that was meant: equally
  regular. Where one is smaller, the meant reading is the more regular one and a warning is welcome,
  not needed (``arguable``).
- **Numbers**: the number columns of a file share one convention. Every pair of a decimal mark and
  a thousands mark (in groups of three) is tried on all their cells; two that fit with other values
  and give the cells of a column as many decimals are ambiguous, as in a file that has ``1,234``
  and ``2,345`` and no other cell with a mark. ``1,234`` beside ``719`` is a group of thousands.
- **Header**: without one, a column whose first cell is as much a number or a date as the others
  says so. Where no column is typed nothing in the file says it: ambiguous. With a header,
  convention decides (``arguable`` where no column is typed: a warning lets it be a row).
- **One column**: a title or a footer can't be told from its cells: ambiguous. A word right above
  numbers is their header, so without one no lone title stands there. A header can be a
  title where all cells below have the same marks in them (``arguable``). Without a header such a
  file is one of several columns; none is written. Nor can whole numbers in two columns without a
  header be told from one column of decimal commas, where a title stands above: ambiguous.

A row of nothing may be left out, if it is counted, and a last column of nothing that has no name,
if it is said. A text that ends in a carriage return stands in quotes: without them nobody can tell
it from the end of a line. A comment above the rows of a file
without a header counts as a line above the table.
"""

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from birnn.data.series.findings import SeriesOptions
from birnn.data.series.reader import read_panel
from birnn.data.tables.dialect import ReadOptions, TableOptions
from birnn.data.tables.sources import load_tables, with_plain_numbers
from birnn.errors import BirnnError

from judging import Judged, crash, first_made, kind_of, outcome, refusal
from rival_readings import split_below, weigh
from table_content import (
    MISSING,
    Column,
    Dialect,
    json_lines,
    make_column,
    make_dialect,
    surroundings,
    table_lines,
    without_quotes,
)

NAMES = """
    text label id name title review sentence class category date value amount price city country
    comment user score Titel Größe naïve total_sales Unit-Price is_ok Datum Betrag 1st
""".split()  # noqa: SIM905


@dataclass(frozen=True)
class Sample:
    """A file and what it holds."""

    seed: int
    name: str
    data: bytes
    columns: tuple[Column, ...]
    dialect: Dialect
    options: dict[str, Any]
    verdict: str  # clear, arguable, ambiguous
    why: str = ""
    decide: tuple[str, ...] = ()  # any of these options in a warning is enough
    left_out: int = 0  # lines among the rows that are none: comments, repeated headers, a footer

    @property
    def encoding(self) -> str:
        """Of the bytes."""
        return "utf-8" if self.dialect.form == "jsonl" else self.dialect.encoding

    @property
    def tags(self) -> list[str]:
        """What is special about it, for the counts."""
        known, plain = self.dialect, Dialect()
        if known.form == "jsonl":
            return ["jsonl"]
        tags = [
            f"{f.name} {value if isinstance(value, str) else bool(value)!r:.10}"
            for f in fields(known)
            if (value := getattr(known, f.name)) != getattr(plain, f.name)
            and f.name not in ("titles", "repeats", "comments", "blanks", "footer")
        ]
        tags += [n for n in ("titles", "repeats", "comments", "blanks") if getattr(known, n)]
        tags += ["footer"] * bool(known.footer) + ["one column"] * (len(self.columns) == 1)
        tags += ["few rows"] * (self.rows < 4)
        return tags + sorted({f"{c.kind} column" for c in self.columns})

    @property
    def rows(self) -> int:
        """Of data."""
        return len(self.columns[0].cells)


def make(seed: int) -> Sample:
    """The sample of a seed."""
    return first_made("tables", seed, _attempt)


def _columns(rng: random.Random, dialect: Dialect) -> list[Column]:
    some = (2, 3, 5, 8, 20, 60, 120, 300)
    rows = rng.choice(some) if rng.random() < 0.5 else rng.randrange(3, 40)
    count = rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 8))
    kinds = [rng.choice(("text", "text", "label", "number", "number", "id")) for _ in range(count)]
    others = [i for i, kind in enumerate(kinds) if kind != "number"]
    if "number" in kinds and others:
        kinds[rng.choice(others)] = "date"
    names = rng.sample(NAMES, count)
    if dialect.encoding == "utf-8" and rng.random() < 0.05:
        names[0] = rng.choice(("Überschrift", "Дата", "日付", "prix (€)", "a b"))
    columns = [make_column(rng, k, n, rows, dialect) for k, n in zip(kinds, names, strict=True)]
    if dialect.form == "csv" and dialect.header and rng.random() < 0.06:
        index = rng.choice(("", "", "Unnamed: 0"))
        columns.insert(0, Column(index, "index", tuple(map(str, range(rows)))))
    return columns


def _attempt(seed: int, rng: random.Random) -> Sample | None:
    """None where the dialect can't write the content."""
    dialect = make_dialect(rng)
    columns = _columns(rng, dialect)
    lines, body, left_out = json_lines(columns), list[str](), 0
    if dialect.form == "csv":
        around = surroundings(rng, dialect, columns)
        dialect = replace(dialect, **around)
        if not dialect.quote:
            columns = [without_quotes(column, dialect.delimiter) for column in columns]
            alone = len(columns) == 1 and "" in columns[0].cells
            if alone or any(dialect.delimiter in c for k in columns for c in k.cells):
                return None
        lines, body, left_out = table_lines(columns, dialect)
        if len(columns) == 1 and not dialect.header and split_below(["", *body]):
            return None
        if dialect.backslash and not any(f"\\{dialect.quote}" in line for line in body):
            return None
    encoding = "utf-8" if dialect.form == "jsonl" else dialect.encoding
    end = "\n" if dialect.form == "jsonl" else dialect.line_end
    text = end.join(lines) + (end if rng.random() < 0.9 else "")
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        return None
    suffix = rng.choice(("tsv", "csv")) if dialect.delimiter == "\t" else "csv"
    name = f"table-{seed}.{'jsonl' if dialect.form == 'jsonl' else suffix}"
    options = {"encoding": encoding} if encoding in ("cp1252", "latin-1") else {}
    weighed = weigh(body, columns, dialect)
    return Sample(seed, name, data, tuple(columns), dialect, options, *weighed, left_out)


# Judging


def told(sample: Sample) -> ReadOptions:
    """The options that say all of how a CSV file is written."""
    known, lines = sample.dialect, len(sample.dialect.titles) + sample.dialect.separator_line
    thousands = re.sub(r"\s", " ", known.thousands) or "none"
    table = TableOptions(
        known.delimiter, known.quote or "none", known.decimal, thousands, known.header, lines
    )
    return ReadOptions(**sample.options, table=table)


def judge(sample: Sample, folder: Path, options: ReadOptions | None = None) -> Judged:
    """Write a sample into a folder, read it, and compare what was read with what was meant.

    With ``options`` that tell all of it (see :func:`told`) nothing is ambiguous.
    """
    path = folder / sample.name
    path.write_bytes(sample.data)
    notes: tuple[str, ...] = ()
    if options is not None:
        sample = replace(sample, verdict="clear")
    options = options or ReadOptions(**sample.options)
    try:
        tables = load_tables(str(path), options)
        numbers = with_plain_numbers(tables, options)
        notes = (*numbers.notes, *numbers.warnings)
        (split,) = tables.splits.values()
        table = split.with_format("arrow")[:]
        names = list(table.column_names)
        cells = [[_shown(v) for v in table.column(i).to_pylist()] for i in range(len(names))]
        if sample.dialect.form == "jsonl":  # keys have no order
            ordered = sorted(sample.columns, key=lambda column: names.index(column.name))
            sample = replace(sample, columns=tuple(ordered))
        filled = [row for row in zip(*cells, strict=True) if any(row)]
        if notes and len(cells[0]) == len(filled) < sample.rows:
            sample = _without_empty_rows(sample)
        last = sample.columns[-1]
        if not (sample.dialect.header or any(last.cells)) and "no cell: left out" in str(notes):
            sample = replace(sample, columns=sample.columns[:-1])
        wrong = _compared(sample, names, cells) or _counted(sample, notes)
        if not wrong:
            wrong, more = _numbers_read(sample, names, path, options)
            notes += more
    except BirnnError as error:
        return refusal(sample.verdict, error, path)
    except Exception as error:
        return crash(sample.verdict, error)
    finally:
        path.unlink()
    kind = kind_of(wrong) + (" (JSON lines)" if sample.dialect.form == "jsonl" else "")
    return outcome(sample.verdict, wrong, notes, sample.decide, sample.why, kind)


def _without_empty_rows(sample: Sample) -> Sample:
    """The sample without rows in which every cell is empty."""
    every = zip(*(c.cells for c in sample.columns if c.kind != "index"), strict=True)
    rows = [number for number, cells in enumerate(every) if any(cells)]

    def kept(column: Column) -> Column:
        values = tuple(column.values[row] for row in rows) if column.values else ()
        return replace(column, cells=tuple(column.cells[row] for row in rows), values=values)

    return replace(sample, columns=tuple(map(kept, sample.columns)))


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _compared(sample: Sample, names: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """What differs between a table as read and as meant; empty for nothing.

    An unnamed index and the empty column of a trailing delimiter may be left out, or named.
    """
    meant = list(sample.columns)
    if sample.dialect.trailing and len(names) > len(meant):
        if any(cells[-1]):
            return f"a trailing delimiter's column holds {next(filter(None, cells[-1]))!r}"
        names, cells = names[:-1], cells[:-1]
    if meant[0].kind == "index" and len(names) == len(meant) - 1:
        meant = meant[1:]
    if len(names) != len(meant):
        return f"{len(names)} columns ({list(names)[:4]}) for {len(meant)}"
    for name, read, column in zip(names, cells, meant, strict=True):
        if column.name and sample.dialect.header and name != column.name:
            return f"a column called {name!r} for {column.name!r}"
        if len(read) != len(column.cells):
            return f"{len(read)} rows for {len(column.cells)}"
        for row, (got, cell) in enumerate(zip(read, column.cells, strict=True)):
            if got != cell and not (column.values and _equal(got, column.values[row])):
                where = f"row {row + 1} of {column.name!r}"
                return f"{column.kind} column, {where}: {got!r} for {cell!r}"
    return ""


def _equal(got: str, value: float | None) -> bool:
    """Whether a cell is a number that was written another way."""
    if value is None:
        return got in MISSING
    try:
        return math.isclose(float(got), value, rel_tol=1e-12)
    except ValueError:
        return False


COUNTS = re.compile(r"rows: ([\d,]+) in the file, ([\d,]+) read(?:, ([\d,]+) left out)?")


def _counted(sample: Sample, notes: Sequence[str]) -> str:
    """Whether rows in the file, rows read and rows left out are told, and add up."""
    if sample.dialect.form == "jsonl":
        return ""
    said = next(filter(None, map(COUNTS.search, notes)), None)
    if said is None:
        return "no word of the number of rows"
    held, read, left = (int((number or "0").replace(",", "")) for number in said.groups())
    if (held, read) != (sample.rows + left, sample.rows) or left < sample.left_out:
        return f"counts: {said[0]} for {sample.rows} rows and {sample.left_out} other lines"
    return ""


def _numbers_read(
    sample: Sample, names: Sequence[str], path: Path, told: ReadOptions
) -> tuple[str, tuple[str, ...]]:
    """Each number column as a series over the dates: what differs, and what was said."""
    columns = sample.columns[-len(names) :] if not sample.dialect.trailing else sample.columns
    kinds = [column.kind for column in columns]
    if "date" not in kinds or "number" not in kinds or len(names) < len(columns):
        return "", ()
    dates = columns[kinds.index("date")].cells
    notes: tuple[str, ...] = ()
    for name, column in zip(names, columns, strict=False):
        if column.kind != "number" or sum(v is not None for v in column.values) < 3:
            continue
        options = SeriesOptions(
            time_column=names[kinds.index("date")],
            target=name,
            layout="wide",
            table=told.table,
            **sample.options,
        )
        panel, inspection = read_panel(str(path), options)
        notes += (*inspection.notes, *(f.text + "; " + f.treatment for f in inspection.findings))
        history = panel.history(0)
        stamps = [str(s.date()) for s in panel.stamps(0, 0, len(history))]
        read = {s: v for s, v in zip(stamps, history, strict=True) if not math.isnan(v)}
        held = zip(dates, column.values, strict=True)
        for row, (day, value) in enumerate(held):
            got = read.pop(day, None)
            if (got is None) != (value is None) or (
                value is not None and not math.isclose(got or 0, value, rel_tol=1e-5, abs_tol=1e-9)
            ):
                return (
                    f"series of row {row + 1} of {name!r}: {got} for {column.cells[row]!r}",
                    notes,
                )
        if read:
            return f"{name!r} holds {len(read)} more values", notes
    return "", notes


def described(sample: Sample) -> str:
    """The sample in one line, for who replays it."""
    kinds = ", ".join(f"{c.name}:{c.kind}" for c in sample.columns)
    return f"{sample.name} {sample.rows} rows of {kinds}; {sample.dialect} {sample.options}"
