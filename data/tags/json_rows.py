"""Rows of JSON and of tables as sentences: tokens with tags, or texts with marked spans."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from birnn.data.tags import exports, offset_kinds
from birnn.data.tags.conll import INVISIBLE, MAX_TOKENS, Sentence, is_invisible
from birnn.data.tags.findings import (
    EMPTY,
    OUTSIDE,
    SPECIAL,
    UNMARKED,
    UNREADABLE,
    Findings,
    refuse_many,
)
from birnn.data.tags.json_columns import (
    Plain,
    find_columns,
    is_single,
    kept_column,
    kinds_of,
    spelled_lists,
)
from birnn.data.tags.json_spans import CharSpan, align, read_span, sound
from birnn.data.tags.layout import ColumnLayout
from birnn.data.tags.offset_kinds import Marked, MarkedText
from birnn.data.tags.schemes import tags_of
from birnn.data.text.offsets import token_offsets
from birnn.data.wording import plural
from birnn.errors import DataError

UNSCORED = "-100"  # a tag that no loss counts: of pieces and special tokens
SPECIALS = {"[CLS]", "[SEP]", "[PAD]", "<s>", "</s>", "<pad>", "<bos>", "<eos>"}
JOINED = "piece (##…) of a word joined to what stands before"
TRIMMED = "span with spaces at its ends, read without them"


class JsonRows(NamedTuple):
    """The sentences of a table, how it is laid out, and what was noticed."""

    sentences: list[Sentence]
    layout: ColumnLayout
    findings: Findings
    reading: dict[str, Any]  # which columns were taken, to read another file the same way

    @property
    def left_out(self) -> dict[str, list[str]]:
        """What was left out: reason → where, and which."""
        return self.findings.left_out


def read_rows(
    rows: Sequence[tuple[int, Any]], source: str, token_column: str = "", tag_column: str = "", *,
    unit: str = "line", tagged: bool = True, skip: bool = False, reading: Mapping[str, Any] = {},
) -> JsonRows:  # fmt: skip
    """The sentences of rows of tokens and tags, or of texts with spans of characters.

    Args:
        rows: numbers, as ``unit`` counts them, and objects.
        source: the file, for messages.
        token_column: column of tokens or texts; empty: the fullest of the usual names.
        tag_column: column of tags or spans; likewise.
        tagged: False where tags or spans may be missing.
        skip: leave odd rows out however many there are.
        reading: what a run remembers of its own file.

    Raises:
        DataError: no such column, or many rows whose tags don't fit the tokens or whose spans are
            none.
    """
    findings = Findings()
    odd: list[str] = []
    plain: Plain = []
    for number, where, row in exports.plain_rows(rows, source, unit, findings):
        if isinstance(row, DataError):
            odd.append(str(row))
            findings.leave_out(UNREADABLE, where)
        else:
            plain.append((number, where, row))
    refuse_many(odd, len(rows), "row", "mend them", skip=skip)
    plain = spelled_lists(plain, token_column, tag_column, findings, tagged=tagged)
    kinds = kinds_of(row for _, _, row in plain)
    token = token_column or kept_column(reading, "tokens", kinds)
    tag = tag_column or kept_column(reading, "tags", kinds)
    spans, token, tag = find_columns(kinds, source, token, tag, tagged)
    reader = _Reader(source, token, tag, findings)
    sentences = reader.texts(plain, reading) if spans else reader.lists(plain)
    if tagged:
        refuse_many(reader.odd, len(plain), "row", "mend them or take them out", skip=skip)
        refuse_many(reader.outside, reader.marked, "span", "give offsets within it", skip=skip)
    findings.notes += _counted(len(rows), len(sentences), spans, token, tag)
    taken = {"tokens": token, "tags": tag, **({"offsets": reader.kind} if spans else {})}
    layout = ColumnLayout("spans" if spans else "tokens", ".jsonl")
    return JsonRows(sentences, layout, findings, taken)


def _counted(rows: int, read: int, spans: bool, token: str, tag: str) -> list[str]:
    """How many rows there were, and which columns were taken."""
    lost = f", {rows - read:,} left out" if read < rows else ""
    words, marks = ("texts", "spans") if spans else ("tokens", "tags")
    tagged = f", {tag!r} the {marks}" if tag else ""
    count = f"{plural(rows, 'row')}: {read:,} read as sentences{lost}"
    return [count, f"columns: {token!r} holds the {words}{tagged}"]


class _Reader:
    """What stays the same from row to row of one source, and what is noticed."""

    def __init__(self, source: str, token: str, tag: str, findings: Findings):
        self.source, self.token, self.tag = source, token, tag
        self.findings = findings
        self.odd: list[str] = []
        self.outside: list[str] = []
        self.marked = 0
        self.kind = offset_kinds.CHARACTERS

    def lists(self, rows: Plain) -> list[Sentence]:
        """Rows of tokens, and of their tags."""
        sentences: list[Sentence] = []
        for number, where, row in rows:
            try:
                sentence = self._of_tokens(number, row, where)
            except DataError as error:
                self.odd.append(str(error))
                self.findings.leave_out(UNREADABLE, where)
                continue
            self._keep(sentence, where, sentences)
        return sentences

    def texts(self, rows: Plain, reading: Mapping[str, Any]) -> list[Sentence]:
        """Rows of texts with spans of characters; what the offsets count is told from all."""
        given = []
        for number, where, row in rows:
            try:
                text = self._text(row, where)
                marks = self._marks(row, text, where)
            except DataError as error:
                self.odd.append(str(error))
                self.findings.leave_out(UNREADABLE, where)
                continue
            if marks is None:
                self.findings.leave_out(UNMARKED, where)
            else:
                given.append((number, where, MarkedText(text, marks, token_offsets(text))))
        if self.tag:
            texts = [marked for _, _, marked in given]
            self.marked = sum(len(text.spans) for text in texts)
            self.kind = offset_kinds.tell_kind(texts, self.source, self.findings, reading)
        sentences: list[Sentence] = []
        for number, where, marked in given:
            self._keep(self._of_text(number, where, marked), where, sentences)
        return sentences

    def _keep(self, sentence: Sentence, where: str, sentences: list[Sentence]) -> None:
        if len(sentence.tokens) > MAX_TOKENS:
            raise DataError(f"{where}: more than {MAX_TOKENS:,} tokens; divide it into sentences")
        if sentence.tokens:
            sentences.append(sentence)
        else:
            self.findings.leave_out(EMPTY, where)

    def _of_tokens(self, number: int, row: Mapping[str, Any], where: str) -> Sentence:
        token, tag = self.token, self.tag
        tokens = _strings(row.get(token), where, token)
        if any(map(is_invisible, tokens)):
            self.findings.notice(INVISIBLE, where)
        if not tag or (row.get(tag) is None and not tokens):
            return Sentence(number, tokens, [])
        tags = [" ".join(value.split()) for value in _strings(row.get(tag), where, tag)]
        if len(tags) != len(tokens):
            raise DataError(
                f"{where}: {len(tokens)} tokens and {len(tags)} tags; give each its own"
            )
        if not all(tags):
            raise DataError(f"{where}: token {1 + tags.index('')} has no tag")
        if UNSCORED in tags:
            tokens, tags = self._scored(tokens, tags, where)
        return Sentence(number, tokens, tags)

    def _scored(
        self, tokens: list[str], tags: list[str], where: str
    ) -> tuple[list[str], list[str]]:
        """Pieces of words joined again, special tokens left out; whatever else has −100 is odd."""
        words: list[str] = []
        kept: list[str] = []
        for i, (token, tag) in enumerate(zip(tokens, tags, strict=True), 1):
            if tag != UNSCORED:
                words.append(token)
                kept.append(tag)
            elif token in SPECIALS:
                self.findings.leave_out(SPECIAL, f"{where}: token {i} {token!r}")
            elif token.startswith("##") and words:
                words[-1] += token[2:]
                self.findings.notice(JOINED, where)
            else:
                what = f"token {i} ({token[:30]!r}) has the tag -100, as pieces of words have"
                raise DataError(f"{where}: {what}; give whole words, each with its own tag")
        return words, kept

    def _text(self, row: Mapping[str, Any], where: str) -> str:
        text = "" if row.get(self.token) is None else row[self.token]
        if not isinstance(text, str):
            raise DataError(f"{where}: {self.token!r} is {str(text)[:40]!r}; a text is expected")
        return text

    def _marks(self, row: Mapping[str, Any], text: str, where: str) -> list[Marked] | None:
        """The spans of a row; None where it has been given none, not even an empty list."""
        if not self.tag:
            return []
        value = row.get(self.tag)
        if isinstance(value, Mapping):
            value = value.get("entities")
        if value in (None, ""):
            return [] if not text.strip() or row.get("answer") == "accept" else None
        if not isinstance(value, list):
            raise DataError(f"{where}: {self.tag!r} is no list; write [] where nothing is marked")
        return [read_span(item, where) for item in value]

    def _of_text(self, number: int, where: str, marked: MarkedText) -> Sentence:
        offsets = marked.offsets
        at = offset_kinds.borders(marked.text, self.kind)
        text = sound(marked.text)
        tokens = [text[start:end] for start, end in offsets]
        if not self.tag:
            return Sentence(number, tokens, [], text=text, offsets=offsets)
        spans = []
        for span in marked.spans:
            found = offset_kinds.place(span, at, self.kind)
            if found is None:
                size = f"which has {len(text)} characters"
                what = (
                    f"the span {span.start}-{span.end} {span.label!r} is empty or outside the text"
                )
                self.outside.append(f"{where}: {what}, {size}")
                self.findings.leave_out(OUTSIDE, f"{where}: {span.start}-{span.end} {span.label}")
                continue
            if text[found[0]].isspace() or text[found[1] - 1].isspace():
                self.findings.notice(TRIMMED, where)
            spans.append(CharSpan(*found, span.label))
        aligned, lost = align(offsets, spans)
        for reason, (start, end, label) in lost:
            shown = f"{text[start:end][:30]!r} ({start}-{end} {label})"
            self.findings.leave_out(reason, f"{where}: {shown}")
        tags, gold = tags_of(aligned, len(tokens), "iob2"), [span._asdict() for span in spans]
        return Sentence(number, tokens, tags, text=text, offsets=offsets, spans=gold)


def _strings(values: Any, where: str, column: str) -> list[str]:
    if values is None:
        return []
    if not isinstance(values, list):
        raise DataError(f"{where}: {column!r} is {str(values)[:40]!r}; a list of texts is expected")
    values = [value[0] if is_single(value) else value for value in values]
    for i, value in enumerate(values, 1):
        if type(value) not in (str, int):
            what = f"item {i} of {column!r} is {str(value)[:40]!r}"
            raise DataError(f"{where}: {what}; a list of texts is expected")
    return [sound(str(value)) for value in values]
