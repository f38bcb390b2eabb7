"""How a column file is laid out: what divides its columns, and which hold tokens and tags."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from birnn.data.tables.columns import TAG_NAMES, TOKEN_NAMES
from birnn.data.tags.columns import ENOUGH, LOOKED_AT, columns_of, find_tag, find_token, is_header
from birnn.errors import DataError
from birnn.registry import suggestion

DOCUMENT = "-DOCSTART-"
GLOBAL = "# global.columns ="
COMMENT = re.compile(r"#(?:[ \t]|begin |end |[\w.-]+ ?=|FORMAT|T_)")
PREDICTED = "BIRNN:PRED"
TAB, SPACE, BOTH = "\t", " ", "\t "  # what divides the columns of a line
DIVIDERS = {TAB: "tabs", SPACE: "spaces", BOTH: "tabs and spaces"}
OTHERS = ",;|"  # of a table, where neither tabs nor spaces do
MOSTLY = 0.8  # of the lines that have one width; below that another separator is tried
SURE = 0.98  # of the lines that must have one width to be divided in an unusual way
SENTENCE_NAMES = (
    "sentence", "sentenceid", "sentenceidx", "sentid", "sentenceno", "sentencenumber", "sent",
    "sentencenr", "sid",
)  # fmt: skip


@dataclass(frozen=True)
class ColumnLayout:
    """How a file is laid out, so that predictions can be written the same way."""

    kind: str  # columns, conllu, tokens (of JSON and tables), spans (of raw text) or text
    suffix: str  # of a file of predictions
    separator: str = TAB
    width: int = 0  # columns there are
    names: tuple[str, ...] = ()  # of the columns, if the file says
    token: int = 0  # which column
    tag: int = -1  # which column; −1: none, or a feature within one
    header: str = ""  # the line that names the columns
    sentence: int = -1  # the column that numbers the sentences; −1: blank lines divide them
    remarks: tuple[str, ...] = field(default=(), compare=False)  # why these columns, in words

    @property
    def reading(self) -> dict[str, Any]:
        """What a run keeps, to read another file the same way."""
        if self.kind == "columns":
            return {
                "token": self.token + 1, "tag": self.tag + 1, "width": self.width,
                "names": list(self.names),
            }  # fmt: skip
        return {}

    @property
    def doubts(self) -> list[str]:
        """What was guessed about the columns."""
        return [remark for remark in self.remarks if "? (" in remark]

    @property
    def words(self) -> str:
        """Which columns were taken."""
        if self.kind != "columns":
            return ""
        named = [f"{at + 1}{f' ({self.names[at]})' if self.names else ''}" if at >= 0 else "none"
                 for at in (self.token, self.tag)]  # fmt: skip
        why = f"; {'; '.join(self.remarks)}" if self.remarks else ""
        return (
            f"columns: tokens in {named[0]}, tags in {named[1]} of {self.width}, divided by"
            f" {divider(self.separator)}{why}"
        )


def divider(separator: str) -> str:
    """A separator in words."""
    return DIVIDERS.get(separator, repr(separator))


def split_line(line: str, separator: str) -> list[str]:
    r"""The fields of a line.

    >>> split_line("New\u00a0York  O ", " "), split_line("a b\t\tO", "\t")
    (['New\xa0York', 'O'], ['a b', '', 'O'])
    >>> split_line('",",O', ","), split_line('",O', ",")
    ([',', 'O'], ['"', 'O'])
    """
    if separator == TAB:
        return line.split(TAB)
    if separator == SPACE:
        return [part for part in line.split(SPACE) if part]
    if separator == BOTH:
        return [part for part in re.split("[ \t]+", line) if part]
    plain = line.split(separator)
    if '"' not in line:
        return plain
    try:
        (quoted,) = csv.reader([line], delimiter=separator, strict=True)
    except (csv.Error, ValueError):
        return plain
    return quoted


def join_fields(fields: Sequence[str], separator: str) -> str:
    """The way back from :func:`split_line`; a table's fields are quoted where they must be."""
    if separator in (TAB, SPACE, BOTH):
        return separator[0].join(fields)
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="").writerow(fields)
    return line.getvalue()


def look(
    path: Path, lines: list[str], asked: tuple[str, str], tagged: bool, reading: Mapping[str, Any]
) -> ColumnLayout:
    """Tell separator, number, names and uses of the columns."""
    for marks in ("#",), ("# ", "#begin ", "#end "):  # a file may be of hashtags alone
        body = [x for x in lines if x.strip() and not x.startswith((*marks, DOCUMENT))]
        if body:
            break
    else:
        raise DataError(f"{path} holds no sentence: expected lines with a token and its tag")
    separator = find_separator(body)
    widths = Counter(len(split_line(line, separator)) for line in body)
    width = widths.most_common(1)[0][0]
    if width == 1 and tagged:
        wanted = "expected a token and its tag, divided by a tab or spaces"
        raise DataError(f"{path} line {1 + lines.index(body[0])}: 1 column; {wanted}")
    header, names = _names(lines, separator, width, (*asked, *reading.get("names", ())))
    numbers = sentence_column(names)
    layout = ColumnLayout("columns", ".conll", separator, width, names, 0, -1, header, numbers)
    return _uses(path, lines, layout, asked, tagged, reading)


def sentence_column(names: Sequence[str]) -> int:
    """Which of ``names`` is of a column that numbers sentences; −1 for none.

    >>> sentence_column(["Sentence #", "Word", "Tag"]), sentence_column(["text", "label"])
    (0, -1)
    """
    plain = [re.sub(r"[^a-z]", "", name.casefold()) for name in names]
    return next((plain.index(name) for name in SENTENCE_NAMES if name in plain), -1)


def numbers_sentences(lines: Sequence[str]) -> bool:
    """Whether a header names a column of words, and one that numbers their sentences."""
    filled = [line for line in lines[:LOOKED_AT] if line.strip()]
    if not filled:
        return False
    names = split_line(filled[0], find_separator(filled))
    return sentence_column(names) >= 0 and bool({*map(str.casefold, names)} & {*TOKEN_NAMES})


def is_word_table(lines: Sequence[str]) -> bool:
    """Whether a table has a row a word: blank lines, or a column, divide its sentences."""
    if numbers_sentences(lines):
        return True
    filled = [line for line in lines if line.strip()]
    separator = find_separator(filled[:LOOKED_AT]) if filled else TAB
    body = lines[: len(lines) - next((i for i, x in enumerate(reversed(lines)) if x.strip()), 0)]
    return any(not line.strip(f" {separator}") for line in body)


def find_separator(body: Sequence[str]) -> str:
    r"""What divides the columns of most lines.

    >>> [find_separator(lines) for lines in (["a\tO"], ["a O"], ["a,O"] * 3, ["a X\tO"] * 20)]
    ['\t', ' ', ',', '\t ']
    """

    def regular(separator: str) -> tuple[int, float]:
        """The usual number of columns, and how many lines have it."""
        counts = Counter(len(split_line(line, separator)) for line in body)
        width, lines = counts.most_common(1)[0]
        return width, lines / len(body)

    separator = TAB if 2 * sum(TAB in line for line in body) > len(body) else SPACE
    (width, share), (wider, both) = regular(separator), regular(BOTH)
    # A type may hold a space, and so may a token, but not each of many.
    first_only = all(SPACE not in line.partition(TAB)[2] for line in body)
    table = sentence_column(split_line(body[0], TAB)) >= 0
    if wider > width and both == 1 and first_only and not table and len(body) >= ENOUGH:
        return BOTH
    if width == 1 or share < MOSTLY:
        for other in OTHERS:
            columns, lines = regular(other)
            if columns > 1 and lines >= max(SURE, share) and len(body) > 2:
                return other
    return separator


def _uses(
    path: Path, lines: list[str], layout: ColumnLayout, asked: tuple[str, str], tagged: bool,
    reading: Mapping[str, Any],
) -> ColumnLayout:  # fmt: skip
    """Which columns hold tokens and tags: as asked, as a run remembers, or by what they hold."""
    names, width = layout.names, layout.width
    token, tag = asked
    known = [*_remembered(reading, layout, tagged)]
    columns = columns_of(_blocks(lines, layout))
    if layout.sentence >= 0:
        columns[layout.sentence] = replace(columns[layout.sentence], numbering=True)
    remarks = []
    usual = next((name for name in TOKEN_NAMES if name in map(str.casefold, names)), "")
    if token or usual:
        token_at = find_index(token or usual, names, width, "token", str(path))
    elif known:
        token_at = known[0]
    else:
        token_at, why = find_token(columns)
        remarks += [f"{why} (--token-column)"] if why else []
    try:
        if tag:
            tag_at = find_index(tag, names, width, "tag", str(path))
        elif len(known) > 1:
            tag_at = known[1]
        else:
            tag_at, why = find_tag(columns, token_at)
            remarks += [f"{why} (--tag-column)"] if why else []
        if tag_at == token_at:
            raise DataError(f"{path}: column {tag_at + 1} can't be both token and tag")
    except DataError:
        if tagged:
            raise
        tag_at = -1
    layout = replace(layout, token=token_at, tag=tag_at, remarks=tuple(remarks))
    if not layout.header and not reading and tagged:
        first = next((line for line in lines if line.strip()), "")
        fields = split_line(first, layout.separator)
        if len(fields) == width and is_header(fields, columns[tag_at].values, tag_at):
            remarks.append(f"the first line names them: {', '.join(fields)}")
            return replace(layout, header=first, names=tuple(fields), remarks=tuple(remarks))
    return layout


def _remembered(reading: Mapping[str, Any], layout: ColumnLayout, tagged: bool) -> Iterator[int]:
    """The columns of tokens and tags, from 0, where a run's file was laid out like this one."""
    if "token" not in reading:
        return
    kept = reading["names"]
    for name in ("token", "tag"):
        at = int(reading[name]) - 1
        if layout.names and kept and kept[at] in layout.names:
            yield layout.names.index(kept[at])
        elif not (layout.names and kept) and layout.width == reading["width"]:
            yield at
        elif not tagged and name == "token" and at < layout.width == reading["width"] - 1:
            yield at  # without the column of tags
        else:
            return


def _blocks(lines: list[str], layout: ColumnLayout) -> list[list[list[str]]]:
    """The fields of each sentence's regular lines, of the first few thousand sentences."""
    blocks: list[list[list[str]]] = [[]]
    group = ""
    for line in lines:
        fields = split_line(line, layout.separator) if line.strip() else []
        if not any(fields) or fields[0] == DOCUMENT:
            blocks.append([])
        elif len(fields) == layout.width and line != layout.header and not line.startswith("# "):
            own = fields[layout.sentence].strip() if layout.sentence >= 0 else ""
            if own and own != group:
                blocks.append([])
            group = own or group
            blocks[-1].append(fields)
        if len(blocks) > LOOKED_AT:
            break
    return [block for block in blocks if block]


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
    usual = any(name in TOKEN_NAMES for name in plain) and (
        any(name in TAG_NAMES for name in plain) or sentence_column(fields) >= 0
    )
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
