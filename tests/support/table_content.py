"""Tables with known content, and how a dialect writes them."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

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
CURRENCIES = ("$", "€", "£", "¥")
MISSING = ("", "", "", "NA", "NaN", "null", "N/A", "n/a", "#N/A", "-")


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


def make_column(rng: random.Random, kind: str, name: str, rows: int, dialect: Dialect) -> Column:
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


def make_dialect(rng: random.Random) -> Dialect:
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


def surroundings(rng: random.Random, dialect: Dialect, table: Sequence[Column]) -> dict[str, Any]:
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


def without_quotes(column: Column, delimiter: str) -> Column:
    """A column of what can be written without quotes."""
    if column.kind == "number":
        return column
    cells = column.cells
    for mark in ("\r", "\n", delimiter):
        cells = tuple(cell.replace(mark, " ").lstrip("\"'") for cell in cells)
    return replace(column, cells=cells)


def table_lines(columns: Sequence[Column], dialect: Dialect) -> tuple[list[str], list[str], int]:
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


def json_lines(columns: Sequence[Column]) -> list[str]:
    lines = []
    for row in range(len(columns[0].cells)):
        cells: dict[str, Any] = {}
        for column in columns:
            number = column.kind == "number"
            cells[column.name] = column.values[row] if number else column.cells[row]
        lines.append(json.dumps(cells, ensure_ascii=row % 2 == 0))
    return lines
