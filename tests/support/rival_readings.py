"""What a table leaves open: other readings of it that are as sensible as the one meant."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from table_content import MISSING, NARROW, NBSP, Column, Dialect

TYPED = re.compile(
    r"[-+−(]?\s?[$€£¥]?\s?[-+−]?\d[\d.,'’ \u00a0\u202f]*([eE][-+]?\d+)?\s?[%$€£¥)]?(\s?[%€$£¥)])?"
    r"|\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}"
)
DELIMITERS = (",", ";", "\t", "|")


def _parsed(
    lines: Sequence[str], delimiter: str, quote: str, backslash: bool, end: str = "\n",
    least: int = 2,
) -> list[list[str]]:  # fmt: skip
    """The fields of each row; empty if strict parsing fails or rows differ in width."""
    # A line break that a rival has outside its quotes ends the row.
    text = "\n".join(re.sub(r"\r(?!\n)", "\x01", line) for line in lines)
    if end == "\r":
        text = end.join(lines)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        doublequote=not backslash, escapechar="\\" if backslash else None,
    )  # fmt: skip
    try:
        rows = [row for row in reader if row or least > 1]  # a blank line is no row of one
    except csv.Error:
        return []
    rows = [[c.replace("\x01", "\r") for c in row] for row in rows]
    return rows if len({len(row) for row in rows}) == 1 and len(rows[0]) >= least else []


def _typed(rows: Sequence[Sequence[str]], header: bool) -> tuple[int, float]:
    """How many columns hold numbers or dates alone, and their share."""
    columns = list(zip(*rows[header:], strict=True))
    typed = sum(_is_typed(column) for column in columns)
    return typed, typed / max(1, len(columns))


def _is_typed(cells: Sequence[str]) -> bool:
    held = [c for c in cells if c not in MISSING]
    return bool(held) and all(TYPED.fullmatch(c) for c in held)


def rivals(
    body: Sequence[str], dialect: Dialect, columns: int = 2
) -> Iterator[tuple[str, list[list[str]]]]:
    """Other readings with as many fields in every row: the option that decides, and the cells."""
    escaped = any(f"\\{q}" in line for line in body for q in "\"'")
    least = 1 if columns == 1 and not _surely_quoted(body, dialect.quote) else 2
    for delimiter in DELIMITERS:
        for quote in ('"', "'", ""):
            for backslash in (False, True) if escaped and quote else (False,):
                if (delimiter, quote, backslash) != (
                    dialect.delimiter, dialect.quote, dialect.backslash and bool(quote)
                ):  # fmt: skip
                    option = "--delimiter" if delimiter != dialect.delimiter else "--quote"
                    fewest = least if option == "--quote" else 2
                    rows = _parsed(body, delimiter, quote, backslash, dialect.line_end, fewest)
                    sensible = _quotes_inside if option == "--delimiter" else _sensible
                    if rows and sensible(rows, quote, dialect):
                        yield option, rows


def _surely_quoted(lines: Sequence[str], mark: str) -> bool:
    """Whether all lines of one column stand in quotes, or one that does has doubled ones in it."""
    quoted = [len(line) > 1 and line[0] == line[-1] == mark for line in lines]
    inside = [line[1:-1] for line, stands in zip(lines, quoted, strict=True) if stands]
    return all(quoted) or any(mark * 2 in cell for cell in inside)


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


def split_below(body: Sequence[str]) -> bool:
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
    pairs = columns[1:] and not columns[2:] and dialect.titles and not dialect.header
    if pairs and all(re.fullmatch(r"[-−(]?\d+,\d+\)?", line) for line in body):
        return "ambiguous", "lines that could be one number under a name", ("--delimiter",)
    for option, rows in rivals(body, dialect, len(columns)):
        if rows[dialect.header :] == truth and (not dialect.header or rows[0] == names):
            continue
        number, share = _typed(rows, dialect.header)
        if number >= typed and share >= typed / len(columns):
            return "ambiguous", f"a rival reading by {option}", ("--delimiter", "--quote")
        arguable = f"a less regular reading by {option}"
    if len(columns) == 1 and dialect.header and split_below(body):
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
