"""What the rows of a delimited file are: titles, a header, data, footers, and what fits nowhere."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from birnn.data.tables.columns import LABEL_NAMES, TAG_NAMES, TEXT_NAMES, TOKEN_NAMES
from birnn.data.tables.delimited import Row
from birnn.data.tables.numbers import MISSING, is_number

MOST_TITLES = 30  # lines above a header
LOOKED_AT = 400  # rows from which the kinds of columns are told
TYPED = 0.9  # of a column's cells are of one kind
SURE = 7  # rows for each value of a column of labels, before its name is surely no value
DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?([T ]+\d{1,2}:\d\d.*)?|\d{1,2}:\d\d(:\d\d.*)?"
    r"|\d{4}-?[QW]\d{1,2}|\d{1,2}[ -][^\W\d]{3,9}\.?[ -]\d{2,4}|[^\W\d]{3,9}[ -]\d{1,2},? \d{4}"
)
TOTALS = frozenset((
    "total", "totals", "sum", "grand total", "average", "mean", "summe", "gesamt", "mittelwert",
    "somme", "moyenne", "totale", "suma", "totaal", "итого", "всего", "合計",
))  # fmt: skip
SUMMARIES = TOTALS | {  # of a row below a table; above one they name columns
    "subtotal", "sub total", "avg", "min", "max", "minimum", "maximum", "median", "count", "std",
    "overall", "summa", "gesamtsumme", "durchschnitt", "zwischensumme", "media", "promedio",
}  # fmt: skip
REMARKS = (
    "source", "note", "end of", "export", "generated", "total", "©", "*", "(", "--", "==",
    "quelle", "stand:", "created", "report", "copyright", "legend",
)  # fmt: skip
MOST_BELOW = 10  # rows of totals and remarks below a table
USUAL = frozenset((
    *TEXT_NAMES, *LABEL_NAMES, *TOKEN_NAMES, *TAG_NAMES, "id", "date", "time", "timestamp", "ds",
    "y", "value", "datetime", "name", "datum",
))  # fmt: skip


def kind_of(cell: str) -> str:
    """``number``, ``date``, ``none`` where it is missing or names a total, else ``text``."""
    plain = cell.strip()
    if plain.casefold() in MISSING or plain.strip(" :").casefold() in TOTALS:
        return "none"
    if DATE.fullmatch(plain) and not re.fullmatch(r"\d+\.\d+", plain):
        return "date"
    return "number" if is_number(plain) else "text"


def column_kinds(rows: Sequence[Sequence[str]]) -> list[str]:
    """Of each column: number or date where nearly all of its cells are, else text (or none)."""
    kinds = []
    for cells in zip(*_without_remarks(rows), strict=True):
        counts = Counter(map(kind_of, cells))
        filled = sum(n for kind, n in counts.items() if kind != "none")
        most = max((n, kind) for kind, n in [*counts.items(), ("text", 0)] if kind != "none")
        kinds.append(most[1] if filled and most[0] >= TYPED * filled else "text" if filled else "")
    return kinds


def _without_remarks(rows: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
    """The rows of a table but for the last ones that may be totals or remarks, of few rows."""
    end = len(rows)
    while len(rows) - end < min(MOST_BELOW, len(rows) // 2) and len(rows[end - 1]) > 1:
        filled = [cell for cell in rows[end - 1] if cell.strip()]
        if len(filled) > 1 and not any(map(_sums_up, filled)):
            break
        end -= 1
    return rows[:end] if len(rows) < LOOKED_AT else rows


def _sums_up(cell: str) -> bool:
    """Whether a cell begins with a word for a total, or ends in one.

    >>> _sums_up("Grand Total:"), _sums_up("total of sales"), _sums_up("a total loss")
    (True, True, False)
    """
    plain = cell.strip(" :*=-").casefold()
    words = plain.split() or [""]
    return plain in SUMMARIES or (len(words) < 5 and bool(SUMMARIES & {words[0], words[-1]}))


@dataclass(frozen=True)
class Shape:
    """How the rows of a file are laid out."""

    width: int  # fields of a row
    skip: int  # lines above the header, or above the first row
    names: list[str] | None  # as the header has them; None without one
    titles: int  # rows above that are none
    kinds: list[str] = field(default_factory=list)  # of the columns
    units: bool = False  # the first row under the header names units
    doubt: str = ""  # why the first row might be what it was not taken for
    padded: str = ""  # a header of one field less: its rows end in a delimiter, or begin with names

    @property
    def typed(self) -> float:
        """The share of columns that hold numbers or dates alone."""
        return sum(kind in ("number", "date") for kind in self.kinds) / max(1, len(self.kinds))


def find_shape(
    rows: Sequence[Row], header: bool | None = None, known: Sequence[str] = (), *,
    fixed: bool = False, above: int = 0,
) -> Shape | None:  # fmt: skip
    """The layout of the first rows of a file; None if there are none.

    Args:
        header: whether there is one, where that was said.
        known: columns that the header should name, where a run was trained on them.
        fixed: no titles stand above it.
        above: lines that were left out before these rows.
    """
    if not rows:
        return None
    width = _width(rows)
    first, padded = _first(rows, width, known, 1 if fixed else MOST_TITLES)
    if padded and header is not False:
        names = ["", *rows[first][1]] if padded == "start" else [*rows[first][1], ""]
        kinds = column_kinds(_even(rows[first:], width))
        return Shape(width, rows[first][0] - 1, names, first, kinds, padded=padded)
    body = _even(rows[first:], width)
    if not body:
        return Shape(width, rows[0][0] - 1, rows[0][1], 0)
    skip = rows[first][0] - 1
    rest = column_kinds([row for row in body[1:] if row != body[0]] or body[1:])
    doubt = ""
    if header is None and not any(map(str.strip, rows[first][1])):
        header, doubt = False, "the first line is empty"
    elif header is None:
        header, doubt = has_header(body[0], body[1:], rest, known)
        if header and width == 1 and known and _is_text(body, known):
            header, doubt = False, "it is none of the run's columns, and a text like the others"
        wide = not header and first and len(rows[first - 1][1]) == width > 1
        if wide or (width == 1 and _set_apart(rows[first:], above)):
            doubt = "what stands above it is taken as titles, as by --skip-lines"
    elif header and first and not fixed:
        named, unsure = has_header(body[0], body[1:], rest, known)
        if not named and not unsure:  # a row of data under lines that don't fit
            return Shape(width, rows[0][0] - 1, rows[0][1], 0, rest)
    if not header:
        return Shape(width, skip, None, first, column_kinds(body), doubt=doubt)
    units = _units(body[1:], column_kinds(body[2:])) if len(body) > 4 else False
    kinds = column_kinds([row for row in body[2:] if row != body[0]]) if units else rest
    return Shape(width, skip, body[0], first, kinds, units, doubt)


def _is_text(body: Sequence[Sequence[str]], known: Sequence[str]) -> bool:
    """Whether the first line of a lone column of texts is one of them, and not its name.

    Where it can't be told it is a text, so that none is lost: a name beside sentences is a word or
    two.
    """
    first, *others = (row[0].strip() for row in body)
    names = {*USUAL, *(name.strip().casefold() for name in known)}
    if first.casefold() in names or column_kinds(body[1:] or body) != ["text"]:
        return False
    sentences = sum(len(cell.split()) > 2 for cell in others)
    return len(first.split()) > 2 or 2 * sentences < len(others)


def _set_apart(rows: Sequence[Row], above: int) -> bool:
    """Whether a line stands above the first row or below it that is none of the table's."""
    line, cells = rows[0]
    lines = 1 + sum(max(cell.count("\n"), cell.count("\r")) for cell in cells)
    return line > above + 1 or (len(rows) > 1 and rows[1][0] > line + lines)


def _width(rows: Sequence[Row]) -> int:
    """Fields of most rows; where most have one, of the first row."""
    counts = Counter(len(cells) for _, cells in rows if not cells[0].startswith("#"))
    if not counts:
        return len(rows[0][1])
    width = max(counts, key=lambda n: (counts[n], n))
    return width if width > 1 else len(rows[0][1])


def _even(rows: Sequence[Row], width: int) -> list[list[str]]:
    even = (cells for _, cells in rows if len(cells) == width and any(map(str.strip, cells)))
    return list(islice(even, LOOKED_AT))


def _first(rows: Sequence[Row], width: int, known: Sequence[str], most: int) -> tuple[int, str]:
    """The number of the row, among the first ``most``, that is the header or the first of data.

    And which field it lacks, if it has one less than the others: see :func:`_short_header`.
    """
    top = rows[:most]
    if width == 1:
        return _first_of_one(rows) if most > 1 else 0, ""
    for number, (_, cells) in enumerate(top):
        if len(set(known).intersection(map(str.strip, cells))) > len(known) / 2:
            return number, ""
    for number, (_, cells) in enumerate(top):
        filled = sum(bool(cell.strip()) for cell in cells)
        if len(cells) == width and filled:
            if filled == 1 and cells[0].strip() and _is_title(cells[0], rows[number + 1 :], width):
                continue
            return number, ""
        if len(cells) == 1 and cells[0].startswith("#"):
            continue
        if len(cells) == width - 1 and filled:
            padded = _short_header(cells, _even(rows[number + 1 :], width))
            if padded:
                return number, padded
        if filled > 1:
            return 0, ""  # no title: a row that doesn't fit
    return 0, ""


def _first_of_one(rows: Sequence[Row]) -> int:
    """The header of a single column: the last line above numbers or dates that is none."""
    kinds = [kind_of(cells[0]) if len(cells) == 1 else "" for _, cells in rows[:LOOKED_AT]]
    words = next((i for i, kind in enumerate(kinds) if kind != "text"), 0)
    typed = [kind for kind in kinds[words:] if kind != "none"]
    return words - 1 if words > 1 and len(typed) > 1 and "text" not in typed else 0


def _is_title(cell: str, rows: Sequence[Row], width: int) -> bool:
    """Whether a lone ``cell`` above ``rows`` is a title: a header, or rows that need none, follow.

    Or rows after an empty one. A number or a date above others is a row that lacks its other cells.
    """
    body = _even(rows, width)
    typed = column_kinds(body)[:1] if kind_of(cell) in ("number", "date") else []
    if typed == [kind_of(cell)]:
        return False
    if rows and len(body) > 1 and not any(map(str.strip, rows[0][1])):
        return True
    while body and sum(bool(cell.strip()) for cell in body[0]) == 1:
        body = body[1:]  # another title
    if len(body) < 2:
        return False
    header, doubt = has_header(body[0], body[1:], column_kinds(body[1:]))
    return header or not doubt


def _short_header(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Which field a header lacks that has one less than the rows: the last, if it is empty."""
    if not body or not all(map(str.strip, header[1:])):
        return ""
    if not any(row[-1].strip() for row in body):
        return "end"
    if not header[0].strip():
        return ""
    names = [row[0] for row in body]
    if len(header) > 1 and len(set(names)) == len(names) and _names_columns(header, body):
        return "start"
    return ""


def _names_columns(header: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    kinds = column_kinds([row[1:] for row in body])
    pairs = list(zip(header, kinds, strict=True))
    typed = [kind_of(name) == "text" for name, kind in pairs if kind in ("number", "date")]
    return bool(typed) and all(typed)


def has_header(
    first: Sequence[str],
    rest: Sequence[Sequence[str]],
    kinds: Sequence[str],
    known: Sequence[str] = (),
) -> tuple[bool, str]:
    """Whether the ``first`` row names the columns, and why it might be otherwise; "" where sure."""
    cells = [cell.strip() for cell in first]
    if set(known).intersection(cells):
        return True, ""
    if not rest:
        return True, "no other row holds a cell"
    if len(set(cells)) == len(cells) and _counts(cells):
        return True, "the header is numbers"
    if not cells[0] and any(cells) and _numbered([row[0] for row in rest]):
        return True, ""
    typed = [(cell, kind) for cell, kind in zip(cells, kinds, strict=True)
             if kind in ("number", "date")]  # fmt: skip
    same = [kind_of(cell) == kind for cell, kind in typed if kind_of(cell) != "none"]
    if same and all(same):
        if len(same) > 2 and len(set(cells)) == len(cells) and _rises([c for c, _ in typed]):
            return True, "the header is numbers"
        return False, ""
    named = [kind for cell, kind in typed if kind_of(cell) == "text"]
    if named and (len(rest) > 1 or len(named) > 1):
        return True, ""
    lower = [cell.casefold() for cell in cells]
    nameless = any(not c and kind == "text" for c, kind in zip(cells, kinds, strict=True))
    if any(name in USUAL for name in lower) and not nameless and not _recurs(cells, rest):
        return True, ""
    if named:
        return sum(same) <= len(named) and not _recurs(cells, rest), "one row tells little"
    if _recurs(cells, rest):
        return False, "no column holds numbers or dates alone"
    if not nameless and _surely_named(cells, rest):
        return True, ""
    return True, "no column holds numbers or dates alone"


def _counts(cells: Sequence[str]) -> bool:
    """Whether they are 0, 1, 2, … or 1, 2, 3, …, as pandas names columns."""
    numbers = list(map(str, range(len(cells) + 1)))
    return len(cells) > 2 and list(cells) in (numbers[:-1], numbers[1:])


def _numbered(column: Sequence[str]) -> bool:
    """Whether they are 0, 1, 2, … or 1, 2, 3, …, as pandas numbers rows."""
    numbers = [int(cell) for cell in column if cell.isascii() and cell.isdigit()]
    if 2 * len(numbers) <= len(column) or numbers[0] not in (0, 1):
        return False
    return all(b == a + 1 for a, b in pairwise(numbers))


def _rises(cells: Sequence[str]) -> bool:
    """Whether they are years, months or dates, one after the other: a series a row."""
    years = all(re.fullmatch(r"(1[6-9]|20|21)\d\d", cell) for cell in cells)
    day = r"(1[6-9]|20|21)\d\d[-/.]?\d\d([-/.]?\d\d([T ]?\d\d(:?\d\d(:?\d\d(\.?\d+)?)?)?)?)?"
    dates = all(re.fullmatch(day, cell) for cell in cells)
    months = all(re.fullmatch(r"(0?[1-9]|1[0-2])\.(1[6-9]|20|21)\d\d", cell) for cell in cells)
    order = [(c[-4:], c[:-5].zfill(2)) for c in cells] if months else [(c, "") for c in cells]
    rises = all(a < b for a, b in pairwise(order)) or all(a > b for a, b in pairwise(order))
    return (years or dates or months) and rises


def _recurs(cells: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether a cell of the first row stands in its column again, as values do.

    A header that stands there twice recurs as a whole; where all rows are one, it is a value.
    """
    others = [row for row in rest if [c.strip() for c in row] != list(cells)] or rest
    columns = zip(*others, strict=True) if others else [()] * len(cells)
    pairs = zip(cells, columns, strict=True)
    return any(cell and cell in map(str.strip, column) for cell, column in pairs)


def _surely_named(cells: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Whether a column has few values, each often, and its first cell is none of them."""
    for cell, column in zip(cells, zip(*rest, strict=True), strict=True):
        values = Counter(column)
        if cell and len(rest) >= SURE * len(values) and cell not in values:
            return True
    return False


def _units(rows: Sequence[Sequence[str]], kinds: Sequence[str]) -> bool:
    """Whether the first row holds units: no column of numbers or dates has one there."""
    cells = list(zip(map(str.strip, rows[0]), kinds, strict=True))
    typed = [kind_of(cell) for cell, kind in cells if kind in ("number", "date")]
    others = [cell for cell, kind in cells if kind not in ("number", "date")]
    plain = typed and all(kind in ("text", "none") for kind in typed) and "text" in typed
    return bool(plain) and (len(typed) > 1 or not any(others))


@dataclass
class Counts:
    """Rows of a file, and why some are left out; they add up."""

    rows: int = 0  # in the file: all but titles, header and blank lines
    left_out: dict[str, list[int]] = field(default_factory=dict)  # reason → lines
    more: Counter[str] = field(default_factory=Counter)  # beyond those listed

    LISTED = 100

    def leave(self, reason: str, line: int) -> None:
        """Count a row that is left out."""
        lines = self.left_out.setdefault(reason, [])
        if len(lines) < self.LISTED:
            lines.append(line)
        else:
            self.more[reason] += 1

    def of(self, reason: str) -> int:
        """How many rows are left out for a reason."""
        return len(self.left_out.get(reason, ())) + self.more[reason]

    @property
    def lost(self) -> int:
        """How many rows are left out."""
        return sum(map(self.of, self.left_out))

    def words(self) -> str:
        """Rows in the file, rows read, rows left out with their lines."""
        text = f"rows: {self.rows:,} in the file, {self.rows - self.lost:,} read"
        parts = []
        for reason, lines in self.left_out.items():
            more = ", …" if self.of(reason) > 3 else ""
            places = f"line {', '.join(map(str, lines[:3]))}{more}"
            parts.append(f"{reason}: {self.of(reason):,} ({places})")
        return text + (f", {self.lost:,} left out ({', '.join(parts)})" if parts else "")


def data_rows(rows: Iterator[Row], shape: Shape, counts: Counts) -> Iterator[Row]:
    """The rows of data under a header; what else stands there is counted.

    Rows are held back where the end of the file would tell what they are.
    """
    header = [name.strip() for name in shape.names] if shape.names is not None else None
    begins = header[0] if header else None
    held: list[Row] = []  # odd ones that nothing follows yet
    below: list[Row] = []  # the same of totals and remarks
    for number, row in enumerate(rows):
        cells = row[1]
        first = cells[0].strip()
        plain = len(cells) == shape.width and first and first != begins and number > 1
        if not plain:
            if number == 0 and header is not None:
                continue
            if reason := _no_data(row, number, header, shape):
                counts.rows += 1
                counts.leave(reason, row[0])
                continue
        counts.rows += 1
        if len(cells) != shape.width:
            held.append(row)
            continue
        for odd, _ in held:
            counts.leave("ragged", odd)
        held = []
        if counts.rows > 2 and len(below) < MOST_BELOW and _below(cells, shape):
            below.append(row)
            continue
        yield from below
        below = []
        yield row
    for line, cells in below:
        counts.leave(_below(cells, shape), line)
    for line, cells in held:
        footer = len(held) <= 5 and _is_footer(cells, shape)
        counts.leave("footer" if footer else "ragged", line)


def _no_data(row: Row, number: int, header: Sequence[str] | None, shape: Shape) -> str:
    """Why a row under the header is none of data; empty if it is one, or fits nowhere."""
    cells = row[1]
    if number == 1 and shape.units:
        return "units under the header"
    if len(cells) != shape.width and cells[0].lstrip().startswith("#"):
        return "comment"
    if _is_header(cells, header, shape):
        return "repeated header"
    blank = len(cells) == shape.width and not any(map(str.strip, cells))
    return "empty" if blank and "date" in shape.kinds else ""


def _is_header(cells: Sequence[str], header: Sequence[str] | None, shape: Shape) -> bool:
    if header is None or shape.width == 1:
        return False
    same = [cell.strip() for cell in cells]
    return same == header or (bool(shape.padded) and same == [name for name in header if name])


def _below(cells: Sequence[str], shape: Shape) -> str:
    """What a row is, if no other follows: a ``total``, a ``footer``, ``empty``, or ``""``: data.

    Words where the other rows have a date or a number tell it; in a table with dates also words
    beside none.
    """
    if len(shape.kinds) != len(cells):
        return ""
    pairs = [(cell.strip(), kind) for cell, kind in zip(cells, shape.kinds, strict=True)]
    filled = [(cell, kind) for cell, kind in pairs if cell]
    if not filled:
        return "" if "text" in shape.kinds else "empty"
    typed = ("number", "date")
    undated = "date" in shape.kinds and not any(cell for cell, kind in pairs if kind == "date")
    if any(_sums_up(cell) and (kind in typed or undated) for cell, kind in filled):
        return "total"
    ((cell, kind), *others) = filled
    if others or kind_of(cell) != "text" or not (kind in typed or undated):
        return ""
    dated = "date" in shape.kinds or "text" not in shape.kinds
    return "footer" if dated or cell.casefold().startswith(REMARKS) else ""


def _is_footer(cells: Sequence[str], shape: Shape) -> bool:
    """Whether an odd row at the end is a remark: one cell, no date or number, and not a word."""
    filled = [cell for cell in cells if cell.strip()]
    if shape.width < 2 or len(filled) > 1 or len(cells) >= shape.width:
        return False
    if not filled or shape.kinds[:1] in (["number"], ["date"]):
        return not filled or kind_of(filled[0]) == "text"
    return filled[0].strip().casefold().startswith(REMARKS)
