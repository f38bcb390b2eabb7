"""Column files: one token a line, blank lines between sentences, as in the CoNLL shared tasks.

Lines break at line feeds and columns at tabs (or at ASCII spaces in a file without tabs) and
nowhere else: tokens may hold U+00A0, U+2028 and the like.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from birnn.data.tables.columns import TAG_NAMES, TOKEN_NAMES
from birnn.data.tables.csv_check import check_text
from birnn.data.wording import plural
from birnn.errors import DataError
from birnn.registry import suggestion

DOCUMENT = "-DOCSTART-"
GLOBAL = "# global.columns ="
COMMENTS = ("# ", "#begin ", "#end ")
MAX_TOKENS = 50_000  # of a sentence
PREDICTED = "BIRNN:PRED"


class Sentence(NamedTuple):
    """One sentence of ``T`` tokens, and how it stands in its file."""

    line: int  # of its first token, or its row
    tokens: Sequence[str]  # [T]
    tags: Sequence[str]  # [T]; none where there is no tag column
    lines: Sequence[str] = ()  # of a column file, as they stand
    before: Sequence[str] = ()  # comments and -DOCSTART- above it, with blank lines between
    text: str = ""
    offsets: Sequence[tuple[int, int]] = ()  # [T]: text[start:end] is the token
    spans: Sequence[dict[str, Any]] = ()  # of the text, as the source gives them


@dataclass(frozen=True)
class ColumnLayout:
    """How a file is laid out, so that predictions can be written the same way."""

    kind: str  # columns, conllu, tokens (of JSON and tables), spans (of raw text) or text
    suffix: str  # of a file of predictions
    separator: str = "\t"
    width: int = 0  # columns there are
    names: tuple[str, ...] = ()  # of the columns, if the file says
    token: int = 0  # which column
    tag: int = -1  # which column; −1: none, or a feature within one
    header: str = ""  # the line that names the columns


def read_lines(path: Path, encoding: str) -> list[str]:
    """The lines of a text file, broken at line feeds alone, without line ends and BOM.

    Raises:
        DataError: it can't be opened or decoded, holds NUL characters, or is empty.
    """
    check_text(path, encoding)
    with path.open(encoding=encoding, newline="") as file:
        text = file.read().removeprefix("\ufeff")
    if not text.strip():
        raise DataError(f"{path} is empty: expected lines with a token and its tag")
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def read_columns(
    path: Path, encoding: str, token_column: str = "", tag_column: str = "", *, tagged: bool = True
) -> tuple[list[Sentence], ColumnLayout]:
    """The sentences of a column file.

    Args:
        token_column: number from 1 (from −1 at the end), ``first``, ``last`` or name; default the
            first, or the one called token, word or form.
        tag_column: likewise; default the last.
        tagged: False where the tag column may be missing.

    Raises:
        DataError: unequal columns, no such column, no sentence, or one without end; names the line.
    """
    lines = read_lines(path, encoding)
    layout = _look(path, lines, token_column, tag_column, tagged)
    sentences = list(_sentences(path, lines, layout, tagged))
    if not sentences:
        raise DataError(f"{path} holds no sentence: expected lines with a token and its tag")
    return sentences, layout


def split_line(line: str, separator: str) -> list[str]:
    r"""The fields of a line.

    >>> split_line("New\u00a0York  O ", " "), split_line("a b\t\tO", "\t")
    (['New\xa0York', 'O'], ['a b', '', 'O'])
    """
    return line.split("\t") if separator == "\t" else [part for part in line.split(" ") if part]


def _sentences(
    path: Path, lines: list[str], layout: ColumnLayout, tagged: bool
) -> Iterator[Sentence]:
    before: list[str] = []
    rows: list[list[str]] = []
    start = 0

    def sentence() -> Sentence:
        tags = [row[layout.tag] for row in rows] if layout.tag >= 0 else []
        raw = lines[start - 1 : start - 1 + len(rows)]
        return Sentence(start, [row[layout.token] for row in rows], tags, raw, before)

    for number, line in enumerate(lines, 1):
        if line == layout.header and not rows and not before and start == 0:
            before.append(line)
            continue
        fields = split_line(line, layout.separator) if line.strip() else []
        ends = not fields or fields[0] == DOCUMENT
        if rows and ends:
            yield sentence()
            before, rows = [], []
        # ``# O`` and ``#hashtag O`` are tokens, no comments.
        comment = not rows and line.startswith(COMMENTS) and len(fields) != layout.width
        if ends or comment:
            if fields or before:  # a blank line below a comment is kept with it
                before.append(line if fields else "")
            continue
        _check_row(f"{path} line {number}", fields, layout, tagged)
        start = start if rows else number
        rows.append(fields)
        if len(rows) > MAX_TOKENS:
            what = f"a sentence of more than {MAX_TOKENS:,} tokens begins here"
            raise DataError(f"{path} line {start}: {what}; divide sentences by blank lines")
    if rows:
        yield sentence()


def _check_row(where: str, fields: Sequence[str], layout: ColumnLayout, tagged: bool) -> None:
    if len(fields) != layout.width:
        kind = "tabs" if layout.separator == "\t" else "spaces"
        what = f"{plural(len(fields), 'column')}, where most lines have {layout.width}"
        mend = "give every token the same columns, and a blank line between sentences"
        raise DataError(f"{where}: {what} (divided by {kind}); {mend}")
    if not fields[layout.token]:
        raise DataError(f"{where}: the token (column {layout.token + 1}) is empty")
    if tagged and not fields[layout.tag]:
        raise DataError(f"{where}: the tag (column {layout.tag + 1}) is empty; give {'O'!r} or one")


def _look(path: Path, lines: list[str], token: str, tag: str, tagged: bool) -> ColumnLayout:
    """Tell separator, number and names of the columns."""
    for marks in ("#",), COMMENTS:  # a file may be of hashtags alone
        body = [x for x in lines if x.strip() and not x.startswith((*marks, DOCUMENT))]
        if body:
            break
    else:
        raise DataError(f"{path} holds no sentence: expected lines with a token and its tag")
    tabs = sum("\t" in line for line in body)
    separator = "\t" if 2 * tabs > len(body) else " "
    widths = Counter(len(split_line(line, separator)) for line in body)
    width = widths.most_common(1)[0][0]
    header, names = _names(lines, separator, width, (token, tag))
    if width == 1 and tagged:
        wanted = "expected a token and its tag, divided by a tab or spaces"
        raise DataError(f"{path} line {1 + lines.index(body[0])}: 1 column; {wanted}")
    usual = next((name for name in TOKEN_NAMES if name in map(str.casefold, names)), "first")
    token_at = find_index(token or usual, names, width, "token", str(path))
    try:
        tag_at = find_index(tag or "last", names, width, "tag", str(path))
        if tag_at == token_at:
            raise DataError(f"{path}: column {tag_at + 1} can't be both token and tag")
    except DataError:
        if tagged:
            raise
        tag_at = -1
    return ColumnLayout("columns", ".conll", separator, width, names, token_at, tag_at, header)


def _names(
    lines: list[str], separator: str, width: int, asked: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The line that names the columns, and the names, where the file has one."""
    first = next(line for line in lines if line.strip())
    if first.startswith(GLOBAL):
        names = tuple(first.removeprefix(GLOBAL).split())
        return (first, names) if len(names) == width else ("", ())
    fields = split_line(first, separator)
    plain = [field.casefold() for field in fields]
    usual = any(name in TOKEN_NAMES for name in plain) and any(name in TAG_NAMES for name in plain)
    named = any(name and name.casefold() in plain for name in asked)
    if len(fields) == width > 1 and len(set(plain)) == width and (usual or named):
        return first, tuple(fields)
    return "", ()


def find_index(name: str, names: Sequence[str], width: int, what: str, where: str) -> int:
    """Which of ``width`` columns ``name`` is, from 0.

    >>> [find_index(name, ("form", "ner"), 2, "tag", "x") for name in ("1", "-1", "last", "NER")]
    [0, 1, 1, 1]

    Raises:
        DataError: none of them; names those there are.
    """
    plain = [known.casefold() for known in names]
    if name.casefold() in plain:
        return plain.index(name.casefold())
    try:
        index = int({"first": "1", "last": "-1"}.get(name.casefold(), name))
    except ValueError:
        index = 0
    if 1 <= abs(index) <= width:
        return index - 1 if index > 0 else width + index
    there = ", ".join(names) if names else f"1 to {width} (the file doesn't name them)"
    near = suggestion(name.casefold(), plain)
    raise DataError(f"{where}: there is no {what} column {name!r}{near}; there are: {there}")


def column_lines(
    lines: Sequence[str], before: Sequence[str], predicted: Sequence[str], layout: ColumnLayout
) -> Iterator[str]:
    """The lines of a sentence of ``T`` tokens with its ``T`` predictions as the last column.

    Where the gold tag is not the last column it is repeated before the prediction, so that scorers
    that read the last two columns work. Of the lines ``before`` the sentence, those that name
    columns or documents get the new columns too.
    """
    separator = layout.separator

    def extend(line: str, fields: Sequence[str], prediction: str, gap: str = separator) -> str:
        gold = [] if layout.tag in (-1, layout.width - 1) else [fields[layout.tag]]
        body = line if separator == "\t" else line.rstrip(" ")
        return gap.join([body, *gold, prediction])

    for line in before:
        fields = split_line(line, separator)
        if line and line == layout.header:
            gap = " " if line.startswith(GLOBAL) else separator
            yield extend(line, layout.names, PREDICTED, gap)
        elif len(fields) == layout.width and layout.tag >= 0:
            yield extend(line, fields, fields[layout.tag])
        else:
            yield line
    for line, tag in zip(lines, predicted, strict=True):
        yield extend(line, split_line(line, separator), tag)
