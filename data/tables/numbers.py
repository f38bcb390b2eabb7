"""Cells that people write numbers in, and the one place that reads them.

A column is read under one decimal and one thousands sign. Cells that only one reading allows decide
for all of it, other columns of the file where it has none; what remains open is read in the usual
way and said in a warning. Nothing is rounded: signs are taken from the text, the rest is a plain
number.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from birnn.data.arrow import encode, is_text
from birnn.data.tables.dialect import NONE, sign_name

PLAIN_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
# As programs and people write that a cell has no value; in lower case.
MISSING = frozenset((
    "", "nan", "+nan", "-nan", "na", "n/a", "#n/a", "#na", "null", "none", "<na>", "nat", "-", "–",
    "—",
))  # fmt: skip
LOOKED_AT = 2000  # cells of a column, from all over it, from which its signs are told

SPACES = "[ \u00a0\u2007\u2009\u202f\t]"
MINUS = "[-\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d]"
CODES = (
    "USD|EUR|GBP|JPY|CHF|CNY|RMB|INR|AUD|CAD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|RUB|UAH|BRL|"
    "MXN|ARS|CLP|COP|ZAR|KRW|HKD|SGD|TWD|THB|IDR|MYR|PHP|VND|ILS|AED|SAR|EGP|NGN|KES"
)
SYMBOLS = "(?:US|AU|CA|NZ|HK|A|C|R|S)?[$€£¥₹₽₩₺₴₪฿₫₦₱¢₡₲₵₸]"
CURRENCY = rf"(?:{SYMBOLS}|(?:{CODES})|zł|Kč|kr\.?|Fr\.?|Rs\.?|Ft|lei)"
CORE = rf"(?:\d(?:[\d.,'’]|{SPACES}(?=\d))*|[.,]\d+)(?:[eE][+-]?\d+)?"
CELL = re.compile(
    rf"(?P<open>\()?{SPACES}*(?P<sign>\+|{MINUS})?{SPACES}*(?P<before>{CURRENCY})?{SPACES}*"
    rf"(?P<inner>\+|{MINUS})?{SPACES}*(?P<core>{CORE}){SPACES}*(?P<after>%|‰|{CURRENCY})?{SPACES}*"
    rf"(?P<close>\))?(?P<trail>{MINUS})?"
)
# Of numbers with these decimal and thousands signs: their shape, "," and "." written as they are.
PAIRS = ((".", ","), (".", "'"), (".", " "), (",", "."), (",", "'"), (",", " "))

PLAIN = r"(?:\d+(?:{0}\d*)?|{0}\d+)(?:[eE][+-]?\d+)?"


def _shape(decimal: str, thousands: str) -> re.Pattern[str]:
    mark, point = re.escape(thousands), re.escape(decimal)
    indian = rf"|[1-9]\d?(?:{mark}\d\d)+{mark}\d{{3}}" if thousands == "," else ""
    grouped = rf"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+{indian}"
    return re.compile(rf"(?:{grouped})(?:{point}\d*)?|{PLAIN.format(point)}")


SHAPES = {pair: _shape(*pair) for pair in PAIRS}
UNGROUPED = {d: re.compile(PLAIN.format(re.escape(d))) for d in ".,"}


@dataclass(frozen=True)
class Written:
    """A cell that may be a number: its digits with all marks, its sign, and what stands beside."""

    core: str
    negative: bool
    unit: str  # a currency, % or nothing


def written(cell: str) -> Written | None:
    """The parts of a cell that looks like a number; None if it doesn't."""
    match = CELL.fullmatch(cell.strip())
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    signs = [bool(match["open"]), *(match[n] for n in ("sign", "inner", "trail"))]
    if sum(map(bool, signs)) > 1 or (match["before"] and match["after"]):
        return None
    core = re.sub(SPACES, " ", match["core"]).replace("’", "'")
    if not any(shape.fullmatch(core) for shape in SHAPES.values()):
        return None
    negative = any(sign and sign != "+" for sign in signs)
    return Written(core, negative, match["before"] or match["after"] or "")


def is_number(cell: str) -> bool:
    """Whether a cell may be a number in some usual way of writing it."""
    return written(cell) is not None


@dataclass(frozen=True)
class Style:
    """How the numbers of a column are written."""

    decimal: str = "."
    thousands: str = ""
    unit: str = ""  # beside each number
    doubtful: str = ""  # a cell that another decimal sign would make another number

    def plain(self, cell: str) -> str | None:
        """The number as Python writes it, no digit changed; None for what is none in this style.

        >>> Style(",", ".", "€").plain("−1.234,50 €")
        '-1234.50'
        """
        parts = written(cell)
        if parts is None or (parts.unit and parts.unit != self.unit):
            return None
        if self.unit in ("%", "‰") and not parts.unit:
            return None
        core = parts.core
        if not (self.thousands and SHAPES[self.decimal, self.thousands].fullmatch(core)) and not (
            UNGROUPED[self.decimal].fullmatch(core)
        ):
            return None
        core = core.replace(self.thousands, "") if self.thousands else core
        return ("-" if parts.negative else "") + core.replace(self.decimal, ".")


def find_style(
    cells: Iterable[str], decimal: str = "", thousands: str = "", likely: str = ""
) -> Style | None:
    """How the numbers among ``cells`` are written; None where most cells are none.

    Args:
        decimal: the only decimal sign there is, if that is known.
        thousands: the only thousands sign, or ``none``.
        likely: the decimal sign that counts where no cell tells.
    """
    filled = [cell for cell in cells if cell.strip().casefold() not in MISSING]
    found = [parts for cell in filled if (parts := written(cell)) is not None]
    if not found or 2 * len(found) < len(filled):
        return None
    units = Counter(parts.unit for parts in found if parts.unit).most_common(1)
    cores = [parts.core for parts in found]
    fits = {
        (d, t): sum(bool(_pattern(d, t).fullmatch(core)) for core in cores)
        for d, t in PAIRS
        if decimal in ("", d) and thousands in ("", NONE, t)
    }
    if thousands == NONE:
        fits = {(d, ""): sum(bool(_pattern(d, "").fullmatch(c)) for c in cores) for d, _ in fits}
    if not fits:  # decimal and thousands are one sign
        return None
    best = max(fits.values())
    fitting = [pair for pair, count in fits.items() if count == best]
    decimals = list(dict.fromkeys(d for d, _ in fitting))
    open_ones = [core for core in cores if "." in core or "," in core] if decimals[1:] else []
    chosen = decimals[0]
    if decimals[1:]:
        chosen = likely if likely in decimals else _usual_decimal(cores)
    marks = [t for d, t in fitting if d == chosen and any(t in core for core in cores)]
    doubtful = open_ones[0] if open_ones and likely not in decimals else ""
    return Style(chosen, marks[0] if marks else "", units[0][0] if units else "", doubtful)


def _pattern(decimal: str, thousands: str) -> re.Pattern[str]:
    return SHAPES[decimal, thousands] if thousands else UNGROUPED[decimal]


def _usual_decimal(cores: Sequence[str]) -> str:
    """The decimal sign where each cell allows both: groups of three after a comma are thousands.

    Those after a point are decimals, unless other cells have none: decimals that lose their zeros
    would have fewer digits here and there.
    """
    marked = [core for core in cores if "." in core or "," in core]
    if any("," in core for core in marked):
        return "."
    return "," if len(marked) < len(cores) else "."


@dataclass(frozen=True)
class Numbers:
    """A table whose cells of numbers are plain, and how they were written."""

    table: pa.Table
    # Column → decimal and thousands sign where its cells show one, as a Dialect keeps them.
    signs: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def plain_numbers(
    table: pa.Table, decimal: str = "", thousands: str = "",
    trained: Mapping[str, tuple[str, str]] | None = None, but: Collection[str] = (),
) -> Numbers:  # fmt: skip
    """Write the numbers of all columns of text as Python does; what is no number stays as it is.

    Args:
        decimal: the decimal sign of the file, if it is known; ``thousands`` likewise.
        trained: column → the signs under which a run read it; its decimal sign counts before what
            the file alone would suggest.
        but: columns that are left alone.
    """
    trained = trained or {}
    usual = {d for d, _ in trained.values()}
    shared = usual.pop() if len(usual) == 1 else ""
    cells = {
        name: cells for name in table.column_names
        if name not in but and (cells := _distinct(table.column(name)))
    }  # fmt: skip
    known = {name: decimal or trained.get(name, (shared, ""))[0] for name in cells}
    styles = {name: find_style(cells[name], known[name], thousands) for name in cells}
    told = {s.decimal for n, s in styles.items() if s and not s.doubtful and _tells(s, cells[n])}
    decides = bool(shared or told)
    told = told or _told_by_groups(styles, cells)
    likely = shared or (told.pop() if len(told) == 1 else "")
    columns, signs, notes, warnings = {}, {}, [], []
    for name, first in styles.items():
        style = find_style(cells[name], known[name], thousands, likely) if first else None
        if style is None or first is None:
            continue
        if not decides:
            style = replace(style, doubtful=first.doubtful)
        new = {
            cell: plain for cell in cells[name] if (plain := style.plain(cell)) not in (None, cell)
        }
        new = {cell: plain for cell, plain in new.items() if not _same(cell, plain)}
        if new:
            columns[name] = _with_cells(table.column(name), new)
            notes.append(_note(name, style, new))
        if style.thousands or _tells(style, cells[name]):
            signs[name] = (style.decimal, style.thousands)
        warnings += _doubts(name, style, cells[name], bool(known[name]))
    for name, column in columns.items():
        table = table.set_column(table.column_names.index(name), name, column)
    return Numbers(table, signs, notes, warnings)


def _told_by_groups(
    styles: Mapping[str, Style | None], cells: Mapping[str, Collection[str]]
) -> set[str]:
    """The decimal signs of columns that leave it open, as the groups of others suggest them.

    A mark that surely groups digits is no decimal sign, nor are points that some numbers of a
    column lack; where spaces or apostrophes group digits, points and commas are.
    """
    told = set()
    spaced = any(style and style.thousands in (" ", "'") for style in styles.values())
    for name, style in styles.items():
        if style is not None and not style.doubtful and style.thousands in (".", ","):
            told.add(style.decimal)
        if style is None or not style.doubtful:
            continue
        cores = [parts.core for cell in cells[name] if (parts := written(cell)) is not None]
        comma = any("," in core for core in cores)
        if spaced:
            told.add("," if comma else ".")
        elif not comma and _usual_decimal(cores) == ",":
            told.add(",")
    return told


def _same(cell: str, plain: str) -> bool:
    """Whether a cell is read as the same number without being written anew."""
    bare = cell.strip()
    return bool(re.fullmatch(PLAIN_NUMBER, bare)) and float(bare) == float(plain)


def _tells(style: Style, cells: Collection[str]) -> bool:
    """Whether a number has a decimal part."""
    return any(style.decimal in cell for cell in cells)


def _distinct(column: pa.ChunkedArray) -> list[str]:
    """The distinct cells of a column of text that may hold numbers; empty for any other.

    Of a column of plain numbers none are looked at but those that could have thousands points.
    """
    if not is_text(column.type) or not len(column):
        return []
    step = max(1, len(column) // LOOKED_AT)
    some = column.take(pa.array(range(0, len(column), step))).to_pylist()
    filled = [cell for cell in some if cell and cell.strip().casefold() not in MISSING]
    like = sum(is_number(cell) for cell in filled)
    if not like or 3 * like < len(filled):
        return []
    return [cell for cell in pc.unique(column).to_pylist() if cell is not None]


def _with_cells(column: pa.ChunkedArray, new: Mapping[str, str]) -> pa.ChunkedArray:
    """The column with some of its cells written anew."""
    coded = encode(column)
    words = [new.get(cell, cell) for cell in coded.dictionary.to_pylist()]
    plain = pa.array(words, column.type).take(coded.indices)
    return pa.chunked_array([plain], column.type)


def _note(name: str, style: Style, new: Mapping[str, str]) -> str:
    """How a column is read, by its longest number."""
    cell = max(new, key=lambda text: (len(text), text))
    unit = f", {style.unit} left out" if style.unit else ""
    return f"numbers of {name!r}: {cell!r} is {new[cell]}{unit}"


def _doubts(name: str, style: Style, cells: Collection[str], known: bool) -> list[str]:
    """What could be read in two ways, or only in another than was said."""
    other = "," if style.decimal == "." else "."
    words, option = sign_name(other), f"--decimal {sign_name(other)}"
    if style.doubtful:
        here = f"{style.doubtful!r} is read as {style.plain(style.doubtful)}"
        return [f"numbers of {name!r}: {here}; if its {sign_name(style.decimal)} groups digits or"
                f" its {words} is decimal, say {option}"]  # fmt: skip
    lost = [cell for cell in cells if style.plain(cell) is None and is_number(cell)]
    if known and lost and (read := Style(other, style.decimal, style.unit).plain(lost[0])):
        here = f"with a decimal {sign_name(style.decimal)}, as was said or as the run's data has"
        return [f"numbers of {name!r}: {here}, {lost[0]!r} is read as no number; {option} reads it"
                f" as {read}"]  # fmt: skip
    return []
