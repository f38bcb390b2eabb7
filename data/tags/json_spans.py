"""Rows of JSON: tokens with tags, or raw text with marked spans of characters.

Spans are read as triples ``[start, end, label]`` (spaCy, doccano) or as objects with ``start``,
``end`` and ``label`` under these or usual other names (Prodigy, doccano).
"""

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from birnn.data.tables import columns
from birnn.data.tags.conll import MAX_TOKENS, ColumnLayout, Sentence, read_lines
from birnn.data.tags.schemes import Span, tags_of
from birnn.data.text.offsets import token_offsets
from birnn.errors import DataError

TEXT_NAMES = ("text", "sentence", "content", "document", "data", "body")
SPAN_NAMES = ("spans", "entities", "label", "labels", "annotations", "ents", "ner", "tags")
FIELDS = {
    "start": ("start", "start_offset", "start_char", "begin"),
    "end": ("end", "end_offset", "end_char", "stop"),
    "label": ("label", "type", "tag", "entity", "entity_group", "class"),
}
SURROGATE = re.compile("[\ud800-\udfff]")
REASONS = ("not on token borders", "overlapping another")  # for which a span is left out
EMPTY = "without a token"  # for which a row is


class CharSpan(NamedTuple):
    """Characters ``start`` … ``end - 1`` of a text are one thing of the kind ``label``."""

    start: int
    end: int
    label: str


class JsonRows(NamedTuple):
    """The sentences of a table, how it is laid out, and the spans that no tags could spell."""

    sentences: list[Sentence]
    layout: ColumnLayout
    left_out: dict[str, list[str]]  # reason, one of REASONS or EMPTY → where, and which


def read_json(path: Path, encoding: str) -> list[tuple[int, Any]]:
    """The rows of a JSONL file (or of one JSON list), with the lines (or numbers) they stand at.

    Raises:
        DataError: not JSON, or no rows; names the line.
    """
    lines = read_lines(path, encoding)
    if path.suffix.lower() == ".json" or lines[0].strip() == "[":
        whole = _parse("\n".join(lines))
        if isinstance(whole, Mapping):
            inner = [value for value in whole.values() if isinstance(value, list)]
            whole = inner[0] if len(inner) == 1 and "text" not in whole else [whole]
        if isinstance(whole, list):
            return list(enumerate(whole, 1))
        if isinstance(_parse(next(filter(str.strip, lines))), ValueError):
            raise DataError(f"{path} is not JSON: {whole}")
    rows = [(number, _parse(line)) for number, line in enumerate(lines, 1) if line.strip()]
    for number, row in rows:
        if isinstance(row, ValueError):
            raise DataError(f"{path} line {number} is not JSON: {row}")
    return rows


def _parse(text: str) -> Any:
    """The value that ``text`` spells, or the error that it doesn't."""
    try:
        return json.loads(text)
    except ValueError as error:
        return error
    except RecursionError:
        return ValueError("nested too deeply")


def read_rows(
    rows: Sequence[tuple[int, Any]], source: str, token_column: str = "", tag_column: str = "",
    *, unit: str = "line", tagged: bool = True,
) -> JsonRows:  # fmt: skip
    """Sentences of rows that hold tokens and tags, or a text and its spans.

    Args:
        rows: objects, or pairs of a text and its spans, with their numbers, which count ``unit``.
        token_column: name of the column of tokens or of the text; default a usual name.
        tag_column: likewise, of tags or spans.
        tagged: False where tags or spans may be missing.

    Raises:
        DataError: no such column, tags that don't fit the tokens, or spans outside the text.
    """
    plain = [(number, _as_object(row, f"{source} {unit} {number}")) for number, row in rows]
    kinds: dict[str, str] = {}
    for _, row in plain:
        for name, value in row.items():
            kinds[name] = kinds.get(name) or kind_of(value)
    spans, token, tag = find_columns(kinds, source, token_column, tag_column, tagged)
    read = _of_text if spans else _of_tokens
    left_out: dict[str, list[str]] = {reason: [] for reason in REASONS}
    sentences = []
    for number, row in plain:
        where = f"{source} {unit} {number}"
        sentence = read(number, row, token, tag, where, left_out)
        if len(sentence.tokens) > MAX_TOKENS:
            raise DataError(f"{where}: more than {MAX_TOKENS:,} tokens; divide it into sentences")
        if sentence.tokens:
            sentences.append(sentence)
        else:
            left_out.setdefault(EMPTY, []).append(where)
    return JsonRows(sentences, ColumnLayout("spans" if spans else "tokens", ".jsonl"), left_out)


def kind_of(value: Any) -> str:
    """What a value can be: ``text``, ``tokens`` (or their tags), ``spans``, or ``""`` (anything).

    >>> kind_of("New York"), kind_of(["New", "York"]), kind_of([[0, 8, "city"]]), kind_of([])
    ('text', 'tokens', 'spans', '')
    """
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "spans" if isinstance(value.get("entities"), list) else "other"
    if isinstance(value, list):
        first = next((item for item in value if item is not None), None)
        if first is None:
            return ""
        return "spans" if isinstance(first, (list, tuple, Mapping)) else "tokens"
    return "" if value is None else "other"


def find_columns(
    kinds: Mapping[str, str], source: str, token: str, tag: str, tagged: bool
) -> tuple[bool, str, str]:
    """Which columns hold what: whether it is text with spans, and the names of the two columns.

    Args:
        kinds: of each column, as :func:`kind_of` says.
        token: name of the column of tokens or of the text; empty: a usual one.
        tag: likewise, of tags or spans.
        tagged: False where the latter may be missing; its name is then empty.

    Raises:
        DataError: no such column, or one that holds something else.
    """

    def usual(names: Iterable[str], kind: str, but: str = "") -> str:
        there = columns.usual_columns(names, list(kinds))
        return next((name for name in there if kinds[name] in (kind, "") and name != but), "")

    for name in filter(None, (token, tag if tagged else "")):
        columns.check_column(name, kinds, source)
    tokens = token or usual(columns.TOKEN_NAMES, "tokens") or usual(TEXT_NAMES, "text")
    if token and kinds[token] not in ("text", "tokens"):
        raise DataError(f"{source}: the column {token!r} holds neither texts nor lists of tokens")
    if not tokens or kinds[tokens] not in ("text", "tokens"):
        raise columns.no_column("token", kinds, source)
    spans = kinds[tokens] == "text"
    wanted, names = ("spans", SPAN_NAMES) if spans else ("tokens", columns.TAG_NAMES)
    tags = tag if tag in kinds else usual(names, wanted, tokens)
    if tags and (kinds[tags] not in (wanted, "") or tags == tokens):
        what = "lists of spans" if spans else "lists of tags"
        raise DataError(f"{source}: the column {tags!r} holds no {what}, as {tokens!r} needs")
    if not tags and tagged:
        raise columns.no_column("tag", kinds, source)
    return spans, tokens, tags


def _as_object(row: Any, where: str) -> Mapping[str, Any]:
    if isinstance(row, Mapping):
        return row
    if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str):
        return {"text": row[0], "spans": row[1]}
    shape = '{"text": "…", "spans": [[0, 5, "PER"]]} or {"tokens": ["…"], "tags": ["…"]}'
    raise DataError(f"{where}: expected an object such as {shape}")


def sound(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no file can hold; lengths stay."""
    return SURROGATE.sub("\ufffd", text) if not text.isascii() else text


def _of_tokens(
    number: int, row: Mapping[str, Any], token: str, tag: str, where: str, _: Any
) -> Sentence:
    tokens = _strings(row.get(token), where, token)
    if "" in tokens:
        raise DataError(f"{where}: item {1 + tokens.index('')} of {token!r} is an empty token")
    if not tag or (row.get(tag) is None and not tokens):
        return Sentence(number, tokens, [])
    tags = [value.strip() for value in _strings(row.get(tag), where, tag)]
    if len(tags) != len(tokens):
        raise DataError(f"{where}: {len(tokens)} tokens and {len(tags)} tags; give each its own")
    if not all(tags):
        raise DataError(f"{where}: token {1 + tags.index('')} has no tag")
    return Sentence(number, tokens, tags)


def _strings(values: Any, where: str, column: str) -> list[str]:
    if values is None:
        return []
    if not isinstance(values, list):
        raise DataError(f"{where}: {column!r} is {str(values)[:40]!r}; a list of texts is expected")
    for i, value in enumerate(values, 1):
        if type(value) not in (str, int):
            what = f"item {i} of {column!r} is {str(value)[:40]!r}"
            raise DataError(f"{where}: {what}; a list of texts is expected")
    return [sound(str(value)) for value in values]


def _of_text(
    number: int, row: Mapping[str, Any], column: str, target: str, where: str,
    left_out: dict[str, list[str]],
) -> Sentence:  # fmt: skip
    text = "" if row.get(column) is None else row[column]
    if not isinstance(text, str):
        raise DataError(f"{where}: {column!r} is {str(text)[:40]!r}; a text is expected")
    text = sound(text)
    offsets = token_offsets(text)
    tokens = [text[start:end] for start, end in offsets]
    if not target:
        return Sentence(number, tokens, [], text=text, offsets=offsets)
    value = row.get(target)
    if isinstance(value, Mapping):
        value = value.get("entities")
    if not isinstance(value, list):
        raise DataError(f"{where}: {target!r} is no list; write [] where nothing is marked")
    marked = [read_span(item, text, where) for item in value]
    aligned, lost = align(offsets, marked)
    for reason, (start, end, label) in lost:
        left_out[reason].append(f"{where}: {text[start:end][:30]!r} ({start}-{end} {label})")
    tags, gold = tags_of(aligned, len(tokens), "iob2"), [span._asdict() for span in marked]
    return Sentence(number, tokens, tags, text=text, offsets=offsets, spans=gold)


def read_span(value: Any, text: str, where: str) -> CharSpan:
    """A span as the source writes it.

    Raises:
        DataError: it is neither a triple nor such an object, or lies outside the text.
    """
    parts: Sequence[Any] = []
    if isinstance(value, Mapping):
        parts = [
            next((value[name] for name in names if value.get(name) is not None), None)
            for names in FIELDS.values()
        ]
    elif isinstance(value, (list, tuple)) and len(value) >= 3:
        parts = value[:3]
    label = " ".join(sound(str(parts[2])).split()) if parts and type(parts[2]) in (str, int) else ""
    if not label or any(type(part) is not int for part in parts[:2]):
        shape = '[start, end, "label"] or {"start": …, "end": …, "label": …}'
        shown = json.dumps(value, default=str)[:60]
        raise DataError(f"{where}: {shown} is no span; write {shape}")
    start, end = parts[0], parts[1]
    if not 0 <= start < end <= len(text):
        outside = f"empty or outside the text, which has {len(text)} characters"
        raise DataError(f"{where}: the span {start}-{end} {label!r} is {outside}")
    return CharSpan(start, end, label)


def align(
    offsets: Sequence[tuple[int, int]], marked: Iterable[CharSpan]
) -> tuple[list[Span], list[tuple[str, CharSpan]]]:
    """Spans of characters as spans of tokens, and those that no tags can spell, with the reason.

    Spaces at the ends of a span don't count. Of spans that overlap the one that begins first stays,
    of those the longest. A span that begins or ends within a token is left out: to cut the token
    there would tell the model where spans are.
    """
    starts, ends = [start for start, _ in offsets], [end for _, end in offsets]
    aligned: list[Span] = []
    lost = []
    for span in sorted(marked, key=lambda span: (span.start, -span.end, span.label)):
        first, after = bisect_left(starts, span.start), bisect_right(ends, span.end)
        # No token may reach over a border; where there is none there are spaces.
        cut = bisect_right(ends, span.start) < first or bisect_left(starts, span.end) > after
        if cut or first >= after:
            lost.append((REASONS[0], span))
        elif aligned and first < aligned[-1].end:
            lost.append((REASONS[1], span))
        else:
            aligned.append(Span(first, after, span.label))
    return aligned, lost


def char_spans(spans: Iterable[Span], offsets: Sequence[Sequence[int]]) -> list[CharSpan]:
    """Spans of tokens as spans of characters.

    >>> char_spans([Span(0, 2, "city")], [(0, 3), (4, 8), (9, 10)])
    [CharSpan(start=0, end=8, label='city')]
    """
    return [CharSpan(offsets[a][0], offsets[b - 1][1], label) for a, b, label in spans]
