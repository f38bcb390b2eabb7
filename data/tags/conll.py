"""Column files: one token a line, blank lines between sentences, as in the CoNLL shared tasks.

Lines break at line feeds and columns at tabs (or at ASCII spaces in a file without tabs, or at what
a table of values is divided by) and nowhere else: tokens may hold U+00A0, U+2028 and the like.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from birnn.data.tables.csv_check import text_lines
from birnn.data.tags.findings import (
    COMMENTS,
    HEADERS,
    NO_TAG,
    WIDTH,
    Findings,
    refuse_many,
)
from birnn.data.tags.layout import (
    BOTH,
    COMMENT,
    DOCUMENT,
    GLOBAL,
    PREDICTED,
    SPACE,
    TAB,
    ColumnLayout,
    divider,
    join_fields,
    look,
    split_line,
)
from birnn.data.wording import plural
from birnn.errors import DataError

WEBANNO = "#FORMAT=WebAnno"
MAX_TOKENS = 50_000  # of a sentence
INVISIBLE = "token without a visible character, read as unknown"
SHORT = "line with another number of columns, read by its token alone"
ODD_GAPS = "line divided by spaces in place of tabs, or the other way about"
MISSING = "_"
KEYED = re.compile(r"#(?:begin |end |\s*[\w.:-]+\s*=)")  # a comment, however many columns it has


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


def read_lines(path: Path, encoding: str) -> list[str]:
    """The lines of a text file, broken at line feeds alone, without line ends and BOM.

    Raises:
        DataError: it can't be opened or decoded, holds NUL characters, or is empty.
    """
    lines = text_lines(path, encoding)
    if not any(map(str.strip, lines)):
        raise DataError(f"{path} is empty: expected lines with a token and its tag")
    return lines


def read_columns(
    path: Path, encoding: str, token_column: str = "", tag_column: str = "", *,
    tagged: bool = True, skip: bool = False, reading: Mapping[str, Any] = {},
) -> tuple[list[Sentence], ColumnLayout, Findings]:  # fmt: skip
    """The sentences of a column file, how it is laid out, and what was noticed.

    Args:
        token_column: number from 1 (from −1 at the end), ``first``, ``last`` or name; default the
            one called token, word or form, else the first that holds words.
        tag_column: likewise; default the last that holds tags.
        tagged: False where the tag column may be missing.
        skip: leave odd lines out however many there are.
        reading: which columns were taken of the file a run was trained on
            (:attr:`ColumnLayout.reading`); nothing to look for oneself.

    Raises:
        DataError: many lines with another number of columns, no such column, no sentence, or one
            without end; names the line.
    """
    lines = read_lines(path, encoding)
    if lines[0].startswith(WEBANNO):
        mend = "export the project as CoNLL 2002, CoNLL 2003 or CoNLL-U"
        raise DataError(f"{path} is a WebAnno (INCEpTION) TSV file, which isn't read; {mend}")
    layout = look(path, lines, (token_column, tag_column), tagged, reading)
    reader = _Reader(path, lines, layout, tagged)
    sentences = list(reader.sentences())
    mend = "give every token the same columns, and a blank line between sentences"
    if tagged:
        refuse_many(reader.odd, reader.tokens, "line", mend, skip=skip)
        told = (
            f"{place}: the token (column {layout.token + 1}) is empty" for place in reader.empty
        )
        refuse_many(told, reader.tokens, "line", "name the column with --token-column", skip=skip)
    if not sentences:
        raise DataError(f"{path} holds no sentence: expected lines with a token and its tag")
    reader.count(sentences)
    return sentences, layout, reader.findings


@lru_cache(maxsize=100_000)
def is_invisible(token: str) -> bool:
    r"""Whether nothing of a token shows: it is empty, or of spaces, selectors and joiners.

    >>> [is_invisible(token) for token in ("", "\u00a0", "\ufe0f", "\u200b", "a", "é")]
    [True, True, True, True, False, False]
    """
    return all(
        c.isspace() or "\ufe00" <= c <= "\ufe0f" or unicodedata.category(c) in ("Cf", "Cc")
        for c in token
    )


class _Reader:
    """What stays the same from sentence to sentence of one file, and what is noticed."""

    def __init__(self, path: Path, lines: list[str], layout: ColumnLayout, tagged: bool):
        self.path, self.lines, self.layout, self.tagged = path, lines, layout, tagged
        self.findings = Findings()
        self.odd: list[str] = []  # where and what
        self.empty: list[str] = []  # where a token is nothing at all
        self.tokens = 0  # lines of tokens, odd ones too
        self.blank = self.documents = self.lost = self.headers = 0
        self.known = self._known_tags()

    def _known_tags(self) -> set[str]:
        """The tags of lines that can't be comments, to tell the token # from one."""
        layout = self.layout
        if layout.tag < 0:
            return set()
        plain = (line for line in self.lines if line.strip() and line[0] != "#")
        rows = (split_line(line, layout.separator) for line in plain)
        return {row[layout.tag] for row in rows if len(row) == layout.width}

    def sentences(self) -> Iterator[Sentence]:
        """Each sentence that is read; those with an odd line are left out, and counted."""
        before: list[str] = []
        rows: list[tuple[int, list[str]]] = []  # line, fields
        spoilt = False
        number_of = ""
        for number, line in [*enumerate(self.lines, 1), (len(self.lines) + 1, "")]:
            if line and line == self.layout.header:
                self.headers += 1
                if self.headers == 1:
                    before.append(line)
                else:
                    self.findings.leave_out(HEADERS, self.place(number))
                continue
            fields = self.fields(line, number) if line.strip() else []
            ends = not any(fields) or fields[0] == DOCUMENT
            group = self.group(fields)
            if rows and (ends or (group and group != number_of)):
                if not spoilt:
                    yield self.sentence(rows, before)
                self.lost += spoilt
                before, rows, spoilt = [], [], False
            number_of = group or number_of
            if ends:
                self.documents += bool(fields and any(fields))
                self.blank += not any(fields) and number <= len(self.lines)
                if any(fields) or before:  # a blank line below a comment is kept with it
                    before.append(line if any(fields) else "")
                continue
            if self.is_comment(line, fields, first=not rows):
                self.findings.leave_out(COMMENTS, self.place(number))
                if not rows:
                    before.append(line)
                continue
            spoilt |= not self.check(number, line, fields)
            rows.append((number, fields))
            if len(rows) > MAX_TOKENS:
                what = f"a sentence of more than {MAX_TOKENS:,} tokens begins here"
                where = self.place(rows[0][0])
                raise DataError(f"{where}: {what}; divide sentences by blank lines")

    def place(self, number: int) -> str:
        """A line of the file in words."""
        return f"{self.path} line {number}"

    def group(self, fields: Sequence[str]) -> str:
        """What numbers the sentence of a line, in a table that says."""
        at = self.layout.sentence
        return fields[at].strip() if 0 <= at < len(fields) else ""

    def fields(self, line: str, number: int) -> list[str]:
        """The fields of a line, however it is divided."""
        width, separator = self.layout.width, self.layout.separator
        fields = split_line(line, separator)
        if len(fields) == width or COMMENT.match(line):
            return fields
        if len(fields) == width + 1 and not fields[-1].strip():
            return fields[:-1]
        if separator in (SPACE, BOTH) and len(fields) == width - 1 and line[0] in " \t":
            return ["", *fields]
        other = split_line(line, BOTH)
        if (
            separator in (TAB, SPACE)
            and len(other) == width
            and (TAB in line) != (separator == TAB)
        ):
            self.findings.notice(ODD_GAPS, self.place(number))
            return other
        return fields

    def is_comment(self, line: str, fields: Sequence[str], *, first: bool) -> bool:
        """``# O`` and ``#hashtag O`` are tokens, ``# id = 3`` above a sentence is none."""
        if not COMMENT.match(line):
            return False
        if len(fields) != self.layout.width:
            return True
        if not first or not self.known or (tag := fields[self.layout.tag]) in self.known:
            return False
        return bool(KEYED.match(line)) or tag.isdigit() or "/" in tag

    def check(self, number: int, line: str, fields: list[str]) -> bool:
        """Whether a line of a token can be read; notes it where it is odd."""
        layout, where = self.layout, self.place(number)
        self.tokens += 1
        if len(fields) != layout.width:
            if not self.tagged:
                self.findings.notice(SHORT, where)
                fields += [""] * (layout.width - len(fields))
                return True
            what = f"{plural(len(fields), 'column')}, where most lines have {layout.width}"
            self.odd.append(f"{where}: {what} (divided by {divider(layout.separator)})")
            self.findings.leave_out(WIDTH, where)
            return False
        if is_invisible(fields[layout.token]):
            self.findings.notice(INVISIBLE, where)
            self.empty += [] if fields[layout.token] else [where]
        if self.tagged and not fields[layout.tag].strip():
            tag = f"the tag (column {layout.tag + 1})"
            self.odd.append(f"{where}: {tag} is empty; give {'O'!r} or one")
            self.findings.leave_out(NO_TAG, where)
            return False
        return True

    def sentence(self, rows: Sequence[tuple[int, list[str]]], before: list[str]) -> Sentence:
        """Of lines that follow each other, with their fields."""
        layout = self.layout
        tags = [row[layout.tag].strip() for _, row in rows] if layout.tag >= 0 else []
        tokens = [row[layout.token] for _, row in rows]
        raw = [self.lines[number - 1] for number, _ in rows]
        return Sentence(rows[0][0], tokens, tags, raw, before)

    def count(self, sentences: Sequence[Sentence]) -> None:
        """Say how the lines of the file add up."""
        comments = len(self.findings.left_out.get(COMMENTS, ()))
        read = sum(len(sentence.tokens) for sentence in sentences)
        parts = [
            f"{read:,} of tokens in {plural(len(sentences), 'sentence')}",
            f"{self.tokens - read:,} in {plural(self.lost, 'sentence')} left out"
            if self.lost else "",
            f"{self.blank:,} blank" if self.blank else "",
            f"{comments:,} of comments" if comments else "",
            f"{self.documents:,} of documents" if self.documents else "",
            f"{self.headers:,} of headers" if self.headers else "",
        ]  # fmt: skip
        total = plural(len(self.lines), "line")
        self.findings.notes.append(f"{total}: {', '.join(part for part in parts if part)}")


def writable(layout: ColumnLayout, tags: Iterable[str]) -> ColumnLayout:
    """The layout of a file of predictions: divided by tabs where one of ``tags`` holds a space."""
    spaced = layout.kind == "columns" and any(" " in tag for tag in tags)
    if layout.separator == BOTH or (layout.separator == SPACE and spaced):
        return replace(layout, separator=TAB)
    return layout


def column_lines(
    lines: Sequence[str], before: Sequence[str], predicted: Sequence[str], layout: ColumnLayout,
    out: ColumnLayout | None = None,
) -> Iterator[str]:  # fmt: skip
    """The lines of a sentence of ``T`` tokens with its ``T`` predictions as the last column.

    Where the gold tag is not the last column it is repeated before the prediction, so that scorers
    that read the last two columns work. Of the lines ``before`` the sentence, those that name
    columns or documents get the new columns too. ``out`` is of :func:`writable`.
    """
    separator, width = layout.separator, layout.width
    written = separator if out is None else out.separator

    def extend(line: str, fields: Sequence[str], prediction: str, gap: str = written) -> str:
        gold = [] if layout.tag in (-1, width - 1) else [_field(fields, layout.tag)]
        if gap != separator and line != layout.header:
            return join_fields([*fields, *gold, prediction], gap)
        body = line if separator != SPACE else line.rstrip(" ")
        return gap.join([body, *(join_fields([field], gap) for field in (*gold, prediction))])

    for line in before:
        fields = split_line(line, separator)
        if line and line == layout.header:
            gap = " " if line.startswith(GLOBAL) else written
            body = line if gap in (" ", separator) else join_fields(fields, gap)
            yield extend(body, layout.names, PREDICTED, gap)
        elif len(fields) == width and layout.tag >= 0 and not COMMENT.match(line):
            yield extend(line, fields, fields[layout.tag])
        else:
            yield line
    for line, tag in zip(lines, predicted, strict=True):
        fields = split_line(line, separator)
        yield extend(
            line, [""] * (width - len(fields)) + fields if written != separator else fields, tag
        )


def _field(fields: Sequence[str], at: int) -> str:
    return fields[at] if at < len(fields) else MISSING
