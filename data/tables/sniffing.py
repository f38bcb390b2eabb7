"""Which signs cut a text into fields: every usual pair is tried strictly, the most regular wins.

A reading is regular if all rows have one number of fields, but for titles above a header, comments
and a footer. Among regular ones count, in this order: the fewest such lines, the most columns of
numbers or dates alone, and custom. Another that is as regular and has other cells is told.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from birnn.data.tables.delimited import BrokenError, Row, Signs, lines_of, parse
from birnn.data.tables.dialect import NONE, Dialect, TableOptions, sign_name
from birnn.data.tables.numbers import MISSING, is_number
from birnn.data.tables.shape import (
    LOOKED_AT,
    MOST_TITLES,
    USUAL,
    Counts,
    Shape,
    data_rows,
    find_shape,
)
from birnn.errors import DataError

DELIMITERS = (",", ";", "\t", "|")
TABBED = (".tsv", ".tab")  # names that promise tabs
QUOTED = re.compile(r'"[^"]*"')
SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?")  # what spreadsheets write above a table


@dataclass(frozen=True)
class Text:
    """The beginning of a file, or all of it."""

    text: str
    whole: bool
    suffix: str = ".csv"

    @cached_property
    def returns(self) -> bool:
        """Whether lines end in a line feed, so that a bare carriage return is a letter."""
        outside = QUOTED.sub("", self.text) if self.text.count('"') % 2 == 0 else self.text
        feeds = outside.count("\n")
        bare = outside.count("\r") - outside.count("\r\n")
        return not self.text.endswith("\r") and 0 < feeds >= bare > 0


@dataclass(frozen=True)
class Reading:
    """A text under some signs."""

    signs: Signs
    rows: list[Row]
    shape: Shape
    counts: Counts
    broken: int = 0  # the line at which its quotes fail; 0: nowhere
    reason: str = ""
    usual_ends: bool = True  # rows end as most lines do

    @property
    def odd(self) -> int:
        """Rows that don't fit."""
        names = self.shape.names
        return self.counts.of("ragged") + (names is not None and len(names) != self.shape.width)

    @property
    def regular(self) -> bool:
        """Whether every row is explained."""
        return not self.broken and not self.odd

    @property
    def rank(self) -> tuple[float, ...]:
        """The less the better."""
        shape, names = self.shape, self.shape.names or []
        title = len(names) > 1 and names[0] and not any(names[1:]) and any(shape.kinds[1:])
        extra = (
            shape.titles
            + bool(title)
            + sum(
                self.counts.of(reason)
                for reason in ("comment", "footer", "total", "repeated header")
            )
        )
        usual = sum(name.strip().casefold() in USUAL for name in names)
        return (
            bool(self.broken), self.odd / max(1, self.counts.rows), not self.counts.rows,
            not self.usual_ends, self.torn, shape.width < 2, self.wrapped, extra, self.signs.padded,
            self.stray, -round(shape.typed, 6), -usual, -round(shape.typed * shape.width),
            self.spaced,
        )  # fmt: skip

    @property
    def torn(self) -> bool:
        """Whether most rows have a field that begins with a quote which ends in a later one."""
        marks = {'"', "'"} - {self.signs.quote}
        rows = [row for _, row in self.rows[self.shape.titles : LOOKED_AT]]
        torn = sum(any(_tears(row, mark) for mark in marks) for row in rows)
        return 2 * torn > len(rows)

    @property
    def stray(self) -> float:
        """The share of fields with a double quote in them, as where the wrong sign cuts."""
        cells = [cell for _, row in self.rows[:LOOKED_AT] for cell in row]
        return round(sum('"' in cell for cell in cells) / max(1, len(cells)), 6)

    @property
    def wrapped(self) -> bool:
        """Whether a field that is read without quotes stands in double ones."""
        cells = (cell for _, row in self.rows[:LOOKED_AT] for cell in row)
        return not self.signs.quote and any(len(c) > 1 and c[0] == c[-1] == '"' for c in cells)

    @property
    def spaced(self) -> float:
        """The share of fields that begin with a space, as words after a comma do."""
        cells = [cell for _, row in self.rows[:LOOKED_AT] for cell in row[1:]]
        return round(sum(cell.startswith(" ") for cell in cells) / max(1, len(cells)), 6)

    @property
    def lone_pairs(self) -> bool:
        """Whether rows are one cell each, and numbers of these have as many commas."""
        cells = [row[0] for _, row in self.rows[:LOOKED_AT] if is_number(row[0])]
        return self.shape.width == 1 and len({cell.count(",") for cell in cells} - {0}) == 1

    def cells(self) -> list[list[str]]:
        """Of all rows."""
        return [cells for _, cells in self.rows]


def _tears(row: Sequence[str], mark: str) -> bool:
    begun = False
    for cell in row:
        begins, ends = cell.lstrip().startswith(mark), cell.rstrip().endswith(mark)
        if begun and ends and not begins:
            return True
        begun = begun or (begins and not (ends and len(cell.strip()) > 1))
    return False


def sniff(
    text: Text, given: TableOptions, trained: Dialect | None = None
) -> tuple[list[Reading], list[str]]:
    """The readings of a text under what is ``given``, the most regular first; and warnings.

    Where a run's own file is known, another is read under the same signs if they fit it.

    Raises:
        DataError: the text holds no row.
    """
    if trained is not None and not given.sign("delimiter"):
        same = _as_trained(text, given, trained)
        if same is not None:
            return [same], []
    readings = sorted(_readings(text, given, trained), key=lambda reading: reading.rank)
    if not readings:
        raise DataError("empty: expected a header line with column names")
    best = _quoted(_first_usual(readings, text.suffix), readings, given)
    best = _in_apostrophes(best, readings, text.text, given)
    warnings = []
    if trained is not None and best.signs.delimiter != trained.delimiter:
        old, new = (sign_name(sign) for sign in (trained.delimiter, best.signs.delimiter))
        warnings.append(f"fields stand between {new}s here, where the run's data had {old}s")
    elif not given.sign("delimiter") and best.signs.delimiter not in text.text and best.lone_pairs:
        said = "each line is taken as one number, its commas as signs within it"
        warnings.append(f"{said}; --delimiter comma cuts it there")
    several = best.shape.width > 1 and not given.sign("delimiter")
    if several and text.suffix in TABBED and best.signs.delimiter != "\t":
        cut = f"fields are cut at {sign_name(best.signs.delimiter)}s"
        warnings.append(f"a {text.suffix} without tabs: {cut}; --delimiter tab does not")
    others = [reading for reading in readings if reading is not best]
    return [best, *others], warnings + _rivals(best, others)


def _as_trained(text: Text, given: TableOptions, trained: Dialect) -> Reading | None:
    """The reading under a run's signs, if it is regular and has some of the run's columns."""
    quotes = [(given.sign("quote") or trained.quote or NONE, trained.escape)]
    options = replace(given, delimiter=trained.delimiter)
    own = [r for r in _readings(text, options, trained, quotes) if r.regular]
    fitting = []
    for reading in own:
        names = [name.strip() for name in reading.shape.names or []]
        alike = set(names).intersection(trained.columns) if trained.header else not names
        if alike and (reading.shape.width > 1 or len(trained.columns) == 1 or trained.header):
            fitting.append(reading)
    return min(fitting, key=lambda reading: reading.rank, default=None)


def _readings(
    text: Text, given: TableOptions, trained: Dialect | None = None,
    quotes: Sequence[tuple[str, str]] = (),
) -> Iterator[Reading]:  # fmt: skip
    skip, delimiter = given.skip_lines or 0, given.sign("delimiter")
    if given.skip_lines is None and (match := SEPARATOR_LINE.match(text.text)):
        skip, delimiter = 1, delimiter or match[1]
    if not delimiter and _numbers_alone(text.text):
        delimiter = ";"  # any that isn't there: a decimal comma cuts no field
    if not delimiter and text.suffix in TABBED:
        lines = [line for line in text.text[:20_000].splitlines() if line.strip()]
        if 2 * sum("\t" in line for line in lines) > len(lines):
            delimiter = "\t"  # the name says it, and the lines have it
    for signs in _signs(text.text, delimiter, given.sign("quote"), quotes):
        reading = read_text(text, signs, skip, given, trained)
        if reading is not None:
            yield reading


def _numbers_alone(text: str) -> bool:
    """Whether each line under a name is one number, and its commas are marks within it.

    Without a name where one number is missing: two columns would have a delimiter there. Pairs of
    which both numbers count are two columns.
    """
    lines = [line for line in text[:20_000].splitlines() if line.strip() and line[0] != "#"]
    plain = [line.strip("'\"") for line in lines]
    ones = [line for line in plain if is_number(line) and not re.match(r"0\d", line)]
    if len(ones) < 2 or not any("," in line for line in ones):
        return False
    top = min(plain.index(ones[0]), MOST_TITLES)
    empty = [line for line in plain[top:] if line.strip().casefold() in MISSING]
    pairs = [line.split(",") for line in ones]
    whole = len(ones) > 2 and all(len(p) == 2 and all(map(str.isdecimal, p)) for p in pairs)
    columns = zip(*pairs, strict=True) if whole else ()
    if whole and all(int(b) == int(a) + 1 for cells in columns for a, b in pairwise(cells)):
        return False
    named = top and not any("," in line for line in plain[:top])
    return bool(named or empty) and len(ones) + len(empty) + 4 > len(plain) - top


def _signs(
    text: str, delimiter: str, quote: str, quotes: Sequence[tuple[str, str]] = ()
) -> Iterator[Signs]:
    """The signs that are worth a try: those that stand in the text."""
    delimiters = [delimiter] if delimiter else [d for d in DELIMITERS if d in text] or [","]
    returns = [False]
    if re.search(r"\r(?!\n)", text):
        returns = [True, False] if "\n" in text else [False]
    for sign in delimiters:
        for mark, escape in quotes or _quotes(text, sign, quote):
            mark = "" if mark == NONE else mark
            padded = bool(mark) and bool(re.search(rf"{re.escape(sign)} +{re.escape(mark)}", text))
            for letters in returns:
                yield Signs(sign, mark, escape, False, letters)
                if padded and sign != " ":
                    yield Signs(sign, mark, escape, True, letters)


def _quotes(text: str, delimiter: str, given: str) -> Iterator[tuple[str, str]]:
    edge = rf"^|\n|\r|{re.escape(delimiter)}"
    for mark in [given] if given else ['"', "'"]:
        if mark == NONE:
            continue
        if not given and mark == "'":
            begins = re.search(rf"(?:{edge})'", text)
            if not begins or not re.search(rf"'(?:{re.escape(delimiter)}|\r|\n|$)", text):
                continue
        yield mark, ""
        if f"\\{mark}" in text and _escapes(text, mark, delimiter):
            yield mark, "\\"
    if given == NONE or (not given and '"' in text):
        yield NONE, ""


def _escapes(text: str, mark: str, delimiter: str) -> bool:
    """Whether each backslash takes a sign its meaning, so that none is lost."""
    after = set(re.findall(r"\\(?:\\\\)*([^\\]|$)", text))
    return after <= {mark, delimiter, "\n", "\r", ""} and not re.search(r"\\\Z", text)


def read_text(
    text: Text, signs: Signs, skip: int, given: TableOptions, trained: Dialect | None = None
) -> Reading | None:
    """A text under some signs; None if it holds no row."""
    rows: list[Row] = []
    broken, reason = 0, ""
    try:
        rows.extend(parse(lines_of(text.text, signs), signs, skip))
    except BrokenError as error:
        if text.whole or "unexpected end" not in str(error):
            broken, reason = error.line, str(error)
    header = given.header
    known = trained.columns if trained is not None and trained.header else ()
    if header is None and trained is not None and not trained.header:
        header = False
    shape = find_shape(rows, header, known, fixed=given.skip_lines is not None, above=skip)
    if shape is None:
        return None
    counts = Counts()
    for _ in data_rows(iter(rows[shape.titles :]), shape, counts):
        pass
    usual_ends = signs.returns == text.returns
    return Reading(signs, rows, shape, counts, broken, reason, usual_ends)


def _first_usual(readings: Sequence[Reading], suffix: str) -> Reading:
    """Of readings that are equally good, the one that custom prefers."""
    best = [reading for reading in readings if reading.rank == readings[0].rank]
    order = ("\t", *DELIMITERS) if suffix in TABBED else DELIMITERS

    apostrophes = any(_stands_in(reading, "'") for reading in best if reading.signs.quote != "'")

    def custom(reading: Reading) -> tuple[int, bool, int]:
        signs = reading.signs
        place = order.index(signs.delimiter) if signs.delimiter in order else len(order)
        quotes = ("'", '"', "") if apostrophes else ('"', "", "'")
        known = quotes.index(signs.quote) if signs.quote in quotes else 0
        return (place, bool(signs.escape), known)

    return min(best, key=custom)


def _quoted(best: Reading, readings: Sequence[Reading], given: TableOptions) -> Reading:
    """In place of an irregular reading without quotes, the one whose quotes fail at a line."""
    if best.regular or best.signs.quote or given.quote:
        return best
    signs = replace(best.signs, quote='"')
    return next((r for r in readings if r.signs == signs and r.broken), best)


def _in_apostrophes(
    best: Reading, readings: Sequence[Reading], text: str, given: TableOptions
) -> Reading:
    """In place of a reading whose apostrophes are letters, the one that finds them doubled."""
    if given.quote or best.signs.quote == "'" or "''" not in text:
        return best
    edge = re.escape(best.signs.delimiter)
    field = rf"(?:(?<=^)|(?<=[\n\r{edge}]))'((?:[^']|'')*)'(?=[\n\r{edge}]|$)"
    if not any("''" in cell for cell in re.findall(field, text)):
        return best
    signs = replace(best.signs, quote="'", escape="")
    return next((r for r in readings if r.signs == signs and r.regular), best)


def _stands_in(reading: Reading, mark: str) -> bool:
    """Whether all names, or all cells of a column, stand between two of ``mark``.

    Or one that does has others within it, all of them doubled, as quoting leaves them.
    """
    doubled = re.compile(rf"{mark}(?:[^{mark}]|{mark}{mark})*{mark}{mark}[^{mark}]+{mark}")
    if any(doubled.fullmatch(cell) for _, row in reading.rows for cell in row):
        return True
    names = [name.strip() for name in reading.shape.names or []]
    if names and all(len(n) > 1 and n[0] == n[-1] == mark for n in names):
        return True
    body = [cells for _, cells in reading.rows[reading.shape.titles + 1 :]]
    body = [cells for cells in body if len(cells) == reading.shape.width]
    for column in zip(*body, strict=True):
        filled = [cell for cell in column if cell.strip()]
        if len(filled) > 1 and all(len(c) > 1 and c[0] == c[-1] == mark for c in filled):
            return True
    return False


def _rivals(best: Reading, readings: Sequence[Reading]) -> list[str]:
    """What to say of other readings that are as regular and have other cells."""
    if not best.regular:
        return []
    pairs = best.shape.width == 2 and best.signs.delimiter == "," and best.shape.names is None
    if pairs and all(is_number(",".join(cells)) for _, cells in best.rows[best.shape.titles :]):
        return ["each line could be one number with a decimal comma: --delimiter semicolon"]
    for other in readings:
        if not other.regular or other.cells() == best.cells():
            continue
        if other.shape.width < 2 and other.signs.delimiter != best.signs.delimiter:
            continue
        if other.rank[:9] > best.rank[:9] or other.shape.typed < best.shape.typed:
            continue
        if other.signs.delimiter != best.signs.delimiter:
            signs = [sign_name(r.signs.delimiter) for r in (best, other)]
            said = f"fields are cut at {signs[0]}s; {signs[1]}s would do as well"
            return [f"{said}: --delimiter {signs[1]}"]
        if _sensible(best, other):
            quote = other.signs.quote or NONE
            here = f"quotes are {best.signs.quote or 'letters'}; they could be read otherwise"
            return [f"{here}: --quote {quote!r}"]
    return []


def _sensible(best: Reading, other: Reading) -> bool:
    """Whether a reading with other quotes could be meant: no quotes where no cell stands in any."""
    if other.signs.quote or best.signs.quote == "'":
        return True
    cells = (cell for _, row in other.rows for cell in row)
    return not any(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in cells)
