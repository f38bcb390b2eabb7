"""Tables whose content is known, written in random dialects; what a reader makes of each is judged.

Nothing here knows how the readers decide. A file is *ambiguous* where it can be read in two
sensible ways, by rules that look at the file alone:

- **Delimiter and quotes**: every pair of a delimiter (``,`` ``;`` tab ``|``) and a quote (``"``
  ``'`` none; doubled or with backslashes where the file has one before a quote) is tried with
  Python's strict parser on the rows, header included. A rival is a pair that gives every row as
  many fields as the header, at least two, and other cells; quotes beside the meant delimiter are no
  letters of cells. It counts if the number and the share of its typed columns (numbers or dates
  alone) are at least those of the reading that was meant: equally regular. Where one is smaller,
  the meant reading is the more regular one and a warning is welcome, not needed (``arguable``).
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
  file is one of several columns; none is written.

A row of nothing may be left out, if it is counted. A text that ends in a carriage return stands in
quotes: without them nobody can tell it from the end of a line. A comment above the rows of a file
without a header counts as a line above the table.
"""

import csv
import io
import json
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from birnn.data.series.findings import SeriesOptions
from birnn.data.series.reader import read_panel
from birnn.data.tables.dialect import ReadOptions, TableOptions
from birnn.data.tables.sources import load_tables, with_plain_numbers
from birnn.errors import BirnnError

from judging import Judged, crash, kind_of, outcome, refusal

NBSP, NARROW = "\u00a0", "\u202f"
WORDS = """
    the a good bad film book very not great boring I it was plot slow twice café naïve Straße Größe
    señor déjà vu price hotel room service clean dirty loud 5 stars 10/10 don't can't it's ok yes no
    none N/A und der die das nicht sehr schön
""".split()  # noqa: SIM905
WIDE = """
    привет мир 日本語 映画 שלום עולם مرحبا فيلم 😀 👍🏽 ❤️ 🏳️‍🌈 한국어 ελληνικά zażółć
""".split()  # noqa: SIM905
MARKS = (", ", "; ", " | ", ": ", " - ", "... ", "! ", "? ", " & ", " / ", " 'so' ", ' "so" ')
LABELS = (
    ("positive", "negative", "neutral"),
    ("A", "B", "C"),
    ("1", "0"),
    ("ja", "nein"),
    ("x y", "z"),
)
NAMES = """
    text label id name title review sentence class category date value amount price city country
    comment user score Titel Größe naïve total_sales Unit-Price is_ok Datum Betrag 1st
""".split()  # noqa: SIM905
CURRENCIES = ("$", "€", "£", "¥")
MISSING = ("", "", "", "NA", "NaN", "null", "N/A", "n/a", "#N/A", "-")
TYPED = re.compile(
    r"[-+−(]?\s?[$€£¥]?\s?[-+−]?\d[\d.,'’\s]*([eE][-+]?\d+)?\s?[%$€£¥)]?(\s?[%€$£¥)])?|\d{4}-\d\d-\d\d|"
    r"\d{1,2}[./]\d{1,2}[./]\d{2,4}"
)
DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Column:
    """A column as it was meant."""

    name: str
    kind: str  # text, label, id, date, number, index, trailing
    cells: tuple[str, ...]  # as written, before any quoting
    values: tuple[float | None, ...] = ()  # of a number column; None where missing


@dataclass(frozen=True)
class Dialect:
    """How a table is written."""

    delimiter: str = ","
    quote: str = '"'  # empty: none
    quoting: str = "minimal"  # all, nonnumeric
    backslash: bool = False  # quotes inside are escaped so, else doubled
    line_end: str = "\n"
    decimal: str = "."
    thousands: str = ""
    header: bool = True
    titles: tuple[str, ...] = ()
    repeats: tuple[int, ...] = ()  # rows before which the header stands again
    comments: tuple[int, ...] = ()  # rows before which a comment stands
    blanks: tuple[int, ...] = ()
    footer: str = ""
    separator_line: bool = False  # sep=;
    trailing: str = ""  # "all": every line ends in a delimiter; "rows": all but the header
    encoding: str = "utf-8"
    form: str = "csv"  # jsonl


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


# Content


def _text(rng: random.Random, wide: bool, delimiter: str) -> str:
    words = [
        rng.choice(WIDE) if wide and rng.random() < 0.15 else rng.choice(WORDS)
        for _ in range(rng.choice((1, 2, 3, 5, 8, 13)))
    ]
    text = " ".join(words)
    if rng.random() < 0.35:
        text = text.replace(" ", rng.choice((*MARKS, delimiter)), 1)
    if rng.random() < 0.1:
        text += rng.choice(("!", ".", '"', "'", ' "end"', "\n", " ", ", "))
    if rng.random() < 0.04:
        text = rng.choice((" ", "  ", "#", "'", "-", "=", "@", '"')) + text
    if rng.random() < 0.05:
        text = text.replace(" ", rng.choice(("\n", "\r\n", "\n\n", "\r", "  ")), 1)
    if rng.random() < 0.03:
        text = rng.choice(("NA", "None", "null", "nan", "007", "12345678901234567890", "1.0", "-"))
    return text


def _texts(rng: random.Random, rows: int, wide: bool, delimiter: str) -> tuple[str, ...]:
    missing = rng.choice((0, 0, 0.05, 0.3))
    return tuple("" if rng.random() < missing else _text(rng, wide, delimiter) for _ in range(rows))


def _number(value: float, places: int, decimal: str, thousands: str) -> str:
    whole, _, rest = f"{abs(value):,.{places}f}".partition(".")
    return whole.replace(",", thousands) + (decimal + rest if places else "")


def _numbers(
    rng: random.Random, rows: int, dialect: Dialect
) -> tuple[tuple[str, ...], tuple[float | None, ...]]:
    """Cells of a number column, and their values."""
    style = rng.choices(("plain", "currency", "percent", "scientific"), (60, 20, 20, 2))[0]
    places = rng.choice((0, 0, 1, 2, 2, 3, 4)) if style != "scientific" else 6
    size = rng.choice((1, 100, 10_000, 5_000_000)) if style != "percent" else 100
    missing, spelling = rng.choice((0, 0, 0.1)), rng.choice(MISSING)
    negative = rng.choice((0, 0, 0.3))
    minus = rng.choice(("-", "-", "-", "−", "(")) if style != "scientific" else "-"
    sign, after = rng.choice(CURRENCIES), rng.random() < 0.5
    gap = rng.choice(("", " ", NBSP))
    cells: list[str] = []
    values: list[float | None] = []
    for row in range(rows):
        if row > 2 and rng.random() < missing:
            cells.append(spelling)
            values.append(None)
            continue
        value = round(rng.random() * size, places)
        cell = _number(value, places, dialect.decimal, dialect.thousands)
        if style == "scientific":
            cell, value = f"{value:.3e}".replace(".", dialect.decimal), float(f"{value:.3e}")
        elif style == "percent":
            cell += gap + "%"
        elif style == "currency":
            cell = cell + gap + sign if after else sign + gap + cell
        if value and rng.random() < negative:
            cell, value = minus + cell + ")" * (minus == "("), -value
        cells.append(cell)
        values.append(value)
    return tuple(cells), tuple(values)


def _column(rng: random.Random, kind: str, name: str, rows: int, dialect: Dialect) -> Column:
    wide = not dialect.encoding.startswith(("cp", "latin"))
    if kind == "text":
        return Column(name, kind, _texts(rng, rows, wide, dialect.delimiter))
    if kind == "label":
        labels = rng.choice(LABELS)
        return Column(name, kind, tuple(rng.choice(labels) for _ in range(rows)))
    if kind == "id":
        start, width = rng.randrange(1, 5000), rng.choice((0, 6, 19))
        return Column(name, kind, tuple(f"{start + row:0{width}d}" for row in range(rows)))
    if kind == "date":
        first = date(2000, 1, 1) + timedelta(rng.randrange(8000))
        return Column(name, kind, tuple(str(first + timedelta(row)) for row in range(rows)))
    return Column(name, kind, *_numbers(rng, rows, dialect))


def _dialect(rng: random.Random) -> Dialect:
    delimiter = rng.choice((",", ",", ",", ";", ";", "\t", "|"))
    quote = rng.choice(('"',) * 12 + ("'", ""))
    decimal = "," if rng.random() < (0.6 if delimiter == ";" else 0.15) else "."
    marks = ("",) * 4 + ((",",) if decimal == "." else (".",)) * 2 + (" ", NBSP, NARROW, "'")
    thousands = rng.choice(marks)
    encoding = rng.choice(
        ("utf-8",) * 8 + ("utf-8-sig", "utf-8-sig", "utf-16", "cp1252", "latin-1")
    )
    if encoding in ("cp1252", "latin-1"):
        thousands = thousands.replace(NARROW, "")
    return Dialect(
        delimiter, quote, rng.choice(("minimal", "minimal", "minimal", "all", "nonnumeric")),
        bool(quote) and rng.random() < 0.06, rng.choice(("\n",) * 6 + ("\r\n",) * 3 + ("\r",)),
        decimal, thousands, rng.random() > 0.12, encoding=encoding,
        form="jsonl" if rng.random() < 0.06 else "csv",
    )  # fmt: skip


def _around(rng: random.Random, dialect: Dialect, table: Sequence[Column]) -> dict[str, Any]:
    """What stands around the rows of a CSV file, rarely more than one kind of it.

    Nobody can tell a title from the header of one column of texts: there is none. Nor one line
    that stands right above a column of numbers without a header: a blank one follows it.
    """
    columns, rows, kinds = len(table), len(table[0].cells), {column.kind for column in table}
    some: dict[str, Any] = {}
    places = tuple(sorted(rng.sample(range(rows), min(rows, rng.choice((1, 1, 2, 3))))))
    lone_text = columns == 1 and kinds <= {"text", "label"}
    if rng.random() < 0.08 and not lone_text:
        titles = ("Report: daily figures", "Exported on Monday", "", "Source", "All shops")
        some["titles"] = tuple(rng.sample(titles, rng.choice((1, 2, 3))))
        if columns == 1 and not dialect.header and len(some["titles"]) == 1:
            some["titles"] += ("",)  # right above numbers it is their header
        if rng.random() < 0.3:  # as spreadsheets write them: as wide as the table
            wide = dialect.delimiter * (columns - 1)
            some["titles"] = tuple(title + wide for title in some["titles"])
    if dialect.header and columns > 1 and rng.random() < 0.05 and rows > 3:
        some["repeats"] = tuple(p for p in places if p > 0)
    if columns > 1 and rng.random() < 0.04:
        some["comments"] = tuple({0, *places[:1]} if rng.random() < 0.5 else {0})
    if columns > 1 and rng.random() < 0.05:
        some["blanks"] = places
    if columns > 1 and rng.random() < 0.04:
        some["footer"] = rng.choice(("End of report", "(written by hand)", "Source: us"))
    if rng.random() < 0.03 and dialect.delimiter != "\t":
        some["separator_line"] = True
    if columns > 1 and rng.random() < 0.05:
        some["trailing"] = rng.choice(("all", "all", "rows"))
    return some


# Writing


def _written_cell(cell: str, kind: str, dialect: Dialect, alone: bool) -> str:
    quote = dialect.quote
    if not quote:
        return cell
    special = (dialect.delimiter, quote, "\n", "\r") if dialect.line_end == "\r" else (
        dialect.delimiter, quote, "\n")  # fmt: skip
    needs = (
        any(mark in cell for mark in special)
        or cell.endswith("\r")
        or (alone and not cell)
        or cell.startswith('"')
    )
    wanted = dialect.quoting == "all" or (
        dialect.quoting == "nonnumeric" and kind not in ("number", "index", "id")
    )
    if not (needs or wanted):
        return cell
    if dialect.backslash:
        return quote + cell.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote
    return quote + cell.replace(quote, quote * 2) + quote


def _line(cells: Sequence[str], kinds: Sequence[str], dialect: Dialect) -> str:
    alone = len(cells) == 1
    return dialect.delimiter.join(
        _written_cell(c, k, dialect, alone) for c, k in zip(cells, kinds, strict=True)
    )


def _without_quotes(column: Column, delimiter: str) -> Column:
    """A column of what can be written without quotes."""
    if column.kind == "number":
        return column
    cells = column.cells
    for mark in ("\r", "\n", delimiter):
        cells = tuple(cell.replace(mark, " ").lstrip("\"'") for cell in cells)
    return replace(column, cells=cells)


def _lines(columns: Sequence[Column], dialect: Dialect) -> tuple[list[str], list[str], int]:
    """All lines; those of the table alone; how many of the others are no data."""
    kinds = [column.kind for column in columns]
    end = dialect.delimiter if dialect.trailing else ""
    head = _line([c.name for c in columns], ["text"] * len(columns), dialect)
    lines, body = list(dialect.titles), [head] if dialect.header else []
    head += end if dialect.trailing == "all" else ""
    if dialect.separator_line:
        lines.insert(0, f"sep={dialect.delimiter}")
    lines += [head] if dialect.header else []
    for row, cells in enumerate(zip(*(c.cells for c in columns), strict=True)):
        lines += ["# a comment"] * (row in dialect.comments)
        lines += [""] * (row in dialect.blanks)
        lines += [head] * (row in dialect.repeats)
        body.append(_line(cells, kinds, dialect))
        lines.append(body[-1] + end)
    lines += [dialect.footer] if dialect.footer else []
    above = not dialect.header and 0 in dialect.comments  # one line more above the table
    left_out = len(dialect.comments) - above + len(dialect.repeats) + bool(dialect.footer)
    return lines, body, left_out


def _json_lines(columns: Sequence[Column]) -> list[str]:
    lines = []
    for row in range(len(columns[0].cells)):
        cells: dict[str, Any] = {}
        for column in columns:
            number = column.kind == "number"
            cells[column.name] = column.values[row] if number else column.cells[row]
        lines.append(json.dumps(cells, ensure_ascii=row % 2 == 0))
    return lines


# What a file leaves open


def _parsed(lines: Sequence[str], delimiter: str, quote: str, backslash: bool) -> list[list[str]]:
    """The fields of each row; empty if strict parsing fails or rows differ in width."""
    # A line break that a rival has outside its quotes ends the row.
    text = "\n".join(re.sub(r"\r(?!\n)", "\x01", line) for line in lines)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        doublequote=not backslash, escapechar="\\" if backslash else None,
    )  # fmt: skip
    try:
        rows = list(reader)
    except csv.Error:
        return []
    rows = [[c.replace("\x01", "\r") for c in row] for row in rows]
    return rows if len({len(row) for row in rows}) == 1 and len(rows[0]) > 1 else []


def _typed(rows: Sequence[Sequence[str]], header: bool) -> tuple[int, float]:
    """How many columns hold numbers or dates alone, and their share."""
    columns = list(zip(*rows[header:], strict=True))
    typed = sum(_is_typed(column) for column in columns)
    return typed, typed / max(1, len(columns))


def _is_typed(cells: Sequence[str]) -> bool:
    held = [c for c in cells if c not in MISSING]
    return bool(held) and all(TYPED.fullmatch(c) for c in held)


def rivals(body: Sequence[str], dialect: Dialect) -> Iterator[tuple[str, list[list[str]]]]:
    """Other readings with as many fields in every row: the option that decides, and the cells."""
    escaped = any(f"\\{q}" in line for line in body for q in "\"'")
    for delimiter in DELIMITERS:
        for quote in ('"', "'", ""):
            for backslash in (False, True) if escaped and quote else (False,):
                if (delimiter, quote, backslash) != (
                    dialect.delimiter, dialect.quote, dialect.backslash and bool(quote)
                ):  # fmt: skip
                    rows = _parsed(body, delimiter, quote, backslash)
                    option = "--delimiter" if delimiter != dialect.delimiter else "--quote"
                    sensible = _quotes_inside if option == "--delimiter" else _sensible
                    if rows and sensible(rows, quote, dialect):
                        yield option, rows


def _quotes_inside(rows: list[list[str]], quote: str, dialect: Dialect) -> bool:
    """Whether no cell of a rival holds quotes beside the delimiter that they tell of."""
    if not dialect.quote:
        return True
    signs = (dialect.delimiter + dialect.quote, dialect.quote + dialect.delimiter)
    return not any(sign in cell for row in rows for cell in row for sign in signs)


def _sensible(rows: list[list[str]], quote: str, dialect: Dialect) -> bool:
    """Whether the usual ``"`` leaves open that ``quote`` may have been meant.

    ``'`` is one where a whole column stands in it; no quote at all where no cell has both ends in
    ``"``, the sign of quoting.
    """
    if quote == '"' or dialect.quote == "'":
        return True
    if quote == "":
        wrapped = any(c[:1] == c[-1:] == '"' and len(c) > 1 for row in rows for c in row)
        return not wrapped and dialect.quote != '"'
    return False


def conventions(columns: Sequence[Column]) -> dict[tuple[float, ...], bool]:
    """The values that the cells of all number columns can have under any one convention.

    Each with whether it is regular: the cells of a column have as many decimals.
    """
    numbers = [
        [
            re.sub(r"[$€£¥%()−]|^[\s\u00a0]*-", "", cell).strip()
            for cell, value in zip(column.cells, column.values, strict=True) if value is not None
        ] for column in columns if column.kind == "number"
    ]  # fmt: skip
    found: dict[tuple[float, ...], bool] = {}
    for decimal in ".,":
        for mark in ("", ",", ".", " ", NBSP, NARROW, "'"):
            if mark == decimal:
                continue
            group = rf"[1-9]\d{{0,2}}({re.escape(mark)}\d{{3}})+" if mark else r"\d+"
            rest = rf"({re.escape(decimal)}\d+)?"
            shape = re.compile(rf"{group}{rest}|\d+{rest}(e[-+]\d+)?")
            if all(shape.fullmatch(cell) for cells in numbers for cell in cells):
                plain = [[c.replace(mark, "") if mark else c for c in cells] for cells in numbers]
                places = [{len(c.partition(decimal)[2]) for c in cells} for cells in plain]
                values = tuple(float(c.replace(decimal, ".")) for cells in plain for c in cells)
                found[values] = found.get(values, False) or all(len(p) < 2 for p in places)
    return found


def _split_below(body: Sequence[str]) -> bool:
    """Whether the rows of one column are several under a delimiter, if the header is a title."""
    return any(_parsed(body[1:], delimiter, '"', False) for delimiter in DELIMITERS)


def weigh(
    body: Sequence[str], columns: Sequence[Column], dialect: Dialect
) -> tuple[str, str, tuple[str, ...]]:
    """Verdict, reason, and the options that decide; the rules stand at the top of this file."""
    if dialect.form == "jsonl":
        return "clear", "", ()
    kinds = {column.kind for column in columns}
    if len(columns) == 1 and (dialect.titles or dialect.footer):
        return "ambiguous", "a title over one column", ("--skip-lines", "--header", "--no-header")
    truth = [[c.cells[row] for c in columns] for row in range(len(columns[0].cells))]
    typed = sum(_is_typed(column.cells) for column in columns)
    names = [c.name for c in columns]
    arguable = ""
    for option, rows in rivals(body, dialect):
        if rows[dialect.header :] == truth and (not dialect.header or rows[0] == names):
            continue
        number, share = _typed(rows, dialect.header)
        if number >= typed and share >= typed / len(columns):
            return "ambiguous", f"a rival reading by {option}", ("--delimiter", "--quote")
        arguable = f"a less regular reading by {option}"
    if len(columns) == 1 and dialect.header and _split_below(body):
        asked = ("--delimiter", "--header", "--no-header")
        return "arguable", "rows without their header have more fields", asked
    ways = conventions(columns) if "number" in kinds else {}
    arguable = "less regular numbers" if len(ways) > 1 else arguable
    if sum(ways.values()) > 1:
        return "ambiguous", "two readings of the numbers", ("--decimal", "--thousands")
    if not kinds & {"number", "date", "id", "index"}:
        if not dialect.header and not any(_is_typed(c.cells) for c in columns):
            return "ambiguous", "no header, and text alone", ("--no-header", "--header")
        return "arguable", "text alone under a header", ("--no-header", "--header")
    return ("arguable", arguable, ()) if arguable else ("clear", "", ())


def make(seed: int) -> Sample:
    """The sample of a seed."""
    for attempt in range(1000):
        sample = _attempt(seed, random.Random(f"tables {seed} {attempt}"))
        if sample is not None:
            return sample
    raise AssertionError(f"seed {seed} writes nothing")


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
    columns = [_column(rng, k, n, rows, dialect) for k, n in zip(kinds, names, strict=True)]
    if dialect.form == "csv" and dialect.header and rng.random() < 0.06:
        index = rng.choice(("", "", "Unnamed: 0"))
        columns.insert(0, Column(index, "index", tuple(map(str, range(rows)))))
    return columns


def _attempt(seed: int, rng: random.Random) -> Sample | None:
    """None where the dialect can't write the content."""
    dialect = _dialect(rng)
    columns = _columns(rng, dialect)
    lines, body, left_out = _json_lines(columns), list[str](), 0
    if dialect.form == "csv":
        around = _around(rng, dialect, columns)
        dialect = replace(dialect, **around)
        if not dialect.quote:
            columns = [_without_quotes(column, dialect.delimiter) for column in columns]
            alone = len(columns) == 1 and "" in columns[0].cells
            if alone or any(dialect.delimiter in c for k in columns for c in k.cells):
                return None
        lines, body, left_out = _lines(columns, dialect)
        if len(columns) == 1 and not dialect.header and _split_below(["", *body]):
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
