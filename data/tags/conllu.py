"""CoNLL-U and CoNLL-U Plus files, through the package ``conllu``.

The package parses identifiers and features; line numbers, which it doesn't know, are kept here.
Ranges of multiword tokens (3-4) and empty nodes (5.1) are no tokens to tag; their lines are kept.
See https://universaldependencies.org/format.html and …/ext-format.html.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from conllu import parse_token_and_metadata
from conllu.exceptions import ParseException
from conllu.parser import parse_dict_value, parse_id_value

from birnn.data.tables.columns import check_column
from birnn.data.tags.conll import INVISIBLE, Sentence, is_invisible, read_lines
from birnn.data.tags.findings import UNREADABLE, Findings, refuse_many
from birnn.data.tags.layout import GLOBAL, PREDICTED, ColumnLayout
from birnn.data.wording import plural
from birnn.errors import DataError
from birnn.registry import suggestion

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
MISSING = "_"

Block = list[tuple[int, str]]  # numbered lines
Parser = Callable[[list[str], int], Any]


def read_conllu(
    path: Path, encoding: str, tag_column: str = "", *, tagged: bool = True, skip: bool = False
) -> tuple[list[Sentence], ColumnLayout, Findings]:
    """The sentences of a CoNLL-U file, its words tagged with one of its fields.

    Args:
        tag_column: a column (UPOS if empty), a feature (``Number`` or ``feats:Number``), or
            ``misc:Key``. A word without the feature has the tag ``_``.
        tagged: False where no word needs to have that feature.
        skip: leave odd sentences out however many there are.

    Raises:
        DataError: no such column or feature; in many sentences another number of columns, or
            identifiers that are not 1, 2, 3, …; names the line.
    """
    lines = read_lines(path, encoding)
    names = _names(path, lines)
    column, key = _find(path, names, tag_column or "UPOS", tagged)
    reader = _Reader(path, names, column, key)
    sentences, odd = _sentences(lines, reader, tagged)
    findings = reader.findings
    total = len(sentences) + len(odd)
    refuse_many(odd, total, "sentence", "mend it or take it out", skip=skip)
    findings.notes.append(f"{plural(total, 'sentence')}: {len(sentences):,} read")
    if not sentences:
        raise DataError(f"{path} holds no sentence: expected lines of {len(names)} columns")
    if tagged:
        reader.check_key(tag_column)
    token, tag = names.index("FORM"), -1 if key else column
    layout = ColumnLayout("conllu", ".conllu", "\t", len(names), names, token, tag)
    return sentences, layout, findings


def _sentences(
    lines: Sequence[str], reader: "_Reader", tagged: bool
) -> tuple[list[Sentence], list[str]]:
    """The sentences, and what is wrong with those that are left out."""
    sentences, odd = [], []
    above: list[str] = []  # comments that stand apart, above a blank line
    for filled, run in groupby(enumerate(lines, 1), key=lambda pair: bool(pair[1].strip())):
        if not filled:
            continue
        block = list(run)
        try:
            sentence = reader.sentence(block, above)
        except DataError as error:
            if not tagged:
                raise
            odd.append(str(error))
            reader.findings.leave_out(UNREADABLE, f"{reader.path} line {block[0][0]}")
            continue
        if sentence.tokens:
            sentences.append(sentence)
        above = [] if sentence.tokens else [*sentence.before, *sentence.lines, ""]
    return sentences, odd


def _names(path: Path, lines: Sequence[str]) -> tuple[str, ...]:
    if not lines[0].startswith(GLOBAL):
        return COLUMNS
    names = tuple(lines[0].removeprefix(GLOBAL).split())
    if not {"ID", "FORM"} <= set(names):
        there = ", ".join(names)
        raise DataError(f"{path} line 1: the columns ID and FORM are needed; there are: {there}")
    return names


def _find(path: Path, names: Sequence[str], asked: str, tagged: bool) -> tuple[int, str]:
    """The column that holds the tag, and the key within it (empty: the column as it stands)."""
    plain = [name.casefold() for name in names]
    if asked.casefold() in plain:
        return plain.index(asked.casefold()), ""
    field, _, key = asked.rpartition(":")
    field = field.casefold() or "feats"
    if field in plain and key:
        return plain.index(field), key
    if tagged:
        check_column(asked, names, str(path))
    return -1, ""


class _Reader:
    """What stays the same from sentence to sentence of one file."""

    def __init__(self, path: Path, names: Sequence[str], column: int, key: str):
        self.path, self.names, self.column, self.key = path, names, column, key
        self.form, self.id = names.index("FORM"), names.index("ID")
        self.seen: set[str] = set()  # keys of features
        self.findings = Findings()
        # Only what is needed is parsed: a treebank of a few hundred thousand words takes seconds.
        needed = 1 + max(names.index("ID"), column if key else 0)
        self.fields = [name.lower() for name in names[:needed]]
        self.parsers: dict[str, Parser] = dict.fromkeys(self.fields, lambda fields, i: fields[i])
        self.parsers["id"] = lambda fields, i: parse_id_value(fields[i])
        if key:
            self.parsers[self.fields[column]] = lambda fields, i: parse_dict_value(fields[i]) or {}

    def sentence(self, block: Block, above: Sequence[str]) -> Sentence:
        """The sentence of ``block``; without tokens if it holds comments alone."""
        body = [(number, line) for number, line in block if not line.startswith("#")]
        rows = [self.row(number, line) for number, line in body]
        plain = None if self.key else counted([row[self.id] for row in rows])
        parsed = self.parse(body) if plain is None else [{"id": number} for number in plain]
        check_ids(self.path, [number for number, _ in body], [token["id"] for token in parsed])
        tokens, tags, start = [], [], 0
        for (number, _), row, token in zip(body, rows, parsed, strict=True):
            if not isinstance(token["id"], int):
                continue
            start = start or number
            tokens.append(row[self.form])
            if is_invisible(row[self.form]):
                self.findings.notice(INVISIBLE, f"{self.path} line {number}")
            if self.key:
                features = token[self.fields[self.column]]
                self.seen.update(features)
                tags.append(features.get(self.key) or MISSING)
            elif self.column >= 0:
                tags.append(row[self.column])
        first = body[0][0] if body else block[-1][0] + 1
        before = [*above, *(line for number, line in block if number < first)]
        return Sentence(start, tokens, tags, [line for n, line in block if n >= first], before)

    def check_key(self, asked: str) -> None:
        """Refuse a feature that no word has; ``asked`` is what the user called it."""
        if not self.key or self.key in self.seen:
            return
        near = suggestion(self.key, [*self.seen, *self.names])
        there = f"{self.names[self.column]} there are: {', '.join(sorted(self.seen)) or 'none'}"
        what = f"no column or feature {asked!r}{near}; columns: {', '.join(self.names)}"
        raise DataError(f"{self.path}: {what}; in {there}")

    def row(self, number: int, line: str) -> list[str]:
        """The columns of a line."""
        row = line.split("\t")
        filled = "" not in row or all(value for at, value in enumerate(row) if at != self.form)
        if len(row) != len(self.names) or not filled:
            what = f"{len(row)} columns" if filled else "an empty column"
            asked = f"{len(self.names)}, divided by single tabs, with _ where there is nothing"
            raise DataError(f"{self.path} line {number}: {what}; CoNLL-U asks for {asked}")
        return row

    def parse(self, body: Block) -> list[Any]:
        """What the package makes of the lines; of those it refuses, one is named."""

        def tokens(text: str) -> list[Any]:
            return list(parse_token_and_metadata(text, self.fields, self.parsers))

        # It also breaks columns at two spaces, which a word may hold; words are not taken from it.
        lines = [line.replace("  ", "__") if "  " in line else line for _, line in body]
        try:
            return tokens("\n".join(lines)) if lines else []
        except ParseException:
            for (number, _), line in zip(body, lines, strict=True):
                try:
                    tokens(line)
                except ParseException as error:
                    reason = " ".join(str(error).split()).rstrip(".")
                    raise DataError(f"{self.path} line {number} is not CoNLL-U: {reason}") from None
            raise


def counted(ids: Sequence[str]) -> range | None:
    """The numbers of words that are numbered 1, 2, 3, … and nothing else; None of any other.

    >>> counted(["1", "2"]), counted(["1", "1.1", "2"])
    (range(1, 3), None)
    """
    numbers = range(1, len(ids) + 1)
    return numbers if list(map(str, numbers)) == list(ids) else None


def check_ids(path: Path, lines: Sequence[int], ids: Sequence[Any]) -> None:
    """Refuse identifiers out of order: words count from 1, ranges and empty nodes fit in.

    Raises:
        DataError: one that doesn't; names its line.
    """
    word = node = reach = 0
    for number, value in zip(lines, ids, strict=True):
        if isinstance(value, int):
            sound = value == word + 1
            word, node = word + 1, 0
        elif value is None:
            sound = False
        elif value[1] == "-":
            sound = value[0] == word + 1 > reach
            reach = value[2]
        else:
            sound = value[0] == word and value[2] == node + 1
            node = value[2]
        if not sound:
            shown = value if isinstance(value, int) else "".join(map(str, value or MISSING))
            what = f"the ID {shown} is out of order; number the words of each sentence 1, 2, 3, …"
            mend = "and leave a blank line between sentences"
            raise DataError(f"{path} line {number}: {what}, {mend}")
    if reach > word:
        what = f"a range of words reaches {reach}, but the sentence ends at {word}"
        raise DataError(f"{path} line {lines[-1]}: {what}")


def word_lines(lines: Sequence[str]) -> list[int]:
    r"""Which lines of a sentence are of words, not of ranges, empty nodes or comments.

    >>> word_lines(["1-2\tdon't", "1\tdo", "2\tn't", "2.1\tgo"])
    [1, 2]
    """
    return [i for i, line in enumerate(lines) if line.partition("\t")[0].isdigit()]


def conllu_lines(
    lines: Sequence[str], before: Sequence[str], predicted: Sequence[str], layout: ColumnLayout
) -> Iterator[str]:
    """The lines of a sentence of ``T`` words with ``T`` predictions as the last column."""
    yield from (line for line in before if not line.startswith(GLOBAL))
    words = dict(zip(word_lines(lines), predicted, strict=True))
    for i, line in enumerate(lines):
        body = line.rpartition("\t")[0] if PREDICTED in layout.names else line
        yield line if line.startswith("#") else f"{body}\t{words.get(i, MISSING)}"


def global_columns(layout: ColumnLayout) -> str:
    """The first line of a CoNLL-U Plus file with predictions."""
    return " ".join([GLOBAL, *(name for name in layout.names if name != PREDICTED), PREDICTED])
