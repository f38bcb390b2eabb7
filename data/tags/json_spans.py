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

from birnn.data.tags import exports
from birnn.data.tags.conll import read_lines
from birnn.data.tags.findings import BORDERS, OVERLAPPING, refuse_many
from birnn.data.tags.offset_kinds import Marked
from birnn.data.tags.schemes import Span
from birnn.errors import DataError

FIELDS = {
    "start": ("start", "start_offset", "start_char", "begin"),
    "end": ("end", "end_offset", "end_char", "stop"),
    "label": ("label", "type", "tag", "tag_name", "entity", "entity_group", "class", "labels"),
}
WORDS = ("text", "surface", "value", "mention")  # what a span reads, where it says
SURROGATE = re.compile("[\ud800-\udfff]")


class CharSpan(NamedTuple):
    """Characters ``start`` … ``end - 1`` of a text are one thing of the kind ``label``."""

    start: int
    end: int
    label: str


def read_json(path: Path, encoding: str, *, skip: bool = False) -> list[tuple[int, Any]]:
    """The rows of a JSONL file (or of one JSON list), with the lines (or numbers) they stand at.

    ``skip`` leaves out lines that are not JSON however many there are.

    Raises:
        DataError: not JSON, or no rows; names the line.
    """
    lines = read_lines(path, encoding)
    if path.suffix.lower() == ".json" or lines[0].strip() == "[":
        whole = _parse("\n".join(lines))
        if not isinstance(whole, ValueError):
            whole = exports.unpacked(whole)
        if isinstance(whole, list):
            return list(enumerate(whole, 1))
        if isinstance(_parse(next(filter(str.strip, lines))), ValueError):
            raise DataError(f"{path} is not JSON: {whole}")
    rows = [(number, _parse(line)) for number, line in enumerate(lines, 1) if line.strip()]
    wrong = [(number, row) for number, row in rows if isinstance(row, ValueError)]
    told = [f"{path} line {number} is not JSON: {row}" for number, row in wrong]
    refuse_many(told, len(rows), "line", "give one object a line", skip=skip)
    return rows


def _parse(text: str) -> Any:
    """The value that ``text`` spells, or the error that it doesn't."""
    try:
        return json.loads(text)
    except ValueError as error:
        return error
    except RecursionError:
        return ValueError("nested too deeply")


def sound(text: str) -> str:
    """``text`` without halves of surrogate pairs, which no file can hold; lengths stay."""
    return SURROGATE.sub("\ufffd", text) if not text.isascii() else text


def read_span(value: Any, where: str) -> Marked:
    """A span as the source writes it, wherever it lies.

    Raises:
        DataError: it is neither a triple nor such an object.
    """
    parts: Sequence[Any] = []
    words = ""
    if isinstance(value, Mapping):
        parts = [
            next((value[name] for name in names if value.get(name) is not None), None)
            for names in FIELDS.values()
        ]
        words = next((value[name] for name in WORDS if isinstance(value.get(name), str)), "")
    elif isinstance(value, (list, tuple)) and len(value) >= 3:
        parts = value[:3]
    label = parts[2] if parts else None
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    name = " ".join(sound(str(label)).split()) if type(label) in (str, int) else ""
    if not name or any(type(part) is not int for part in parts[:2]):
        shape = '[start, end, "label"] or {"start": …, "end": …, "label": …}'
        shown = json.dumps(value, default=str)[:60]
        raise DataError(f"{where}: {shown} is no span; write {shape}")
    return Marked(parts[0], parts[1], name, words)


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
            lost.append((BORDERS, span))
        elif aligned and first < aligned[-1].end:
            lost.append((OVERLAPPING, span))
        else:
            aligned.append(Span(first, after, span.label))
    return aligned, lost


def char_spans(spans: Iterable[Span], offsets: Sequence[Sequence[int]]) -> list[CharSpan]:
    """Spans of tokens as spans of characters.

    >>> char_spans([Span(0, 2, "city")], [(0, 3), (4, 8), (9, 10)])
    [CharSpan(start=0, end=8, label='city')]
    """
    return [CharSpan(offsets[a][0], offsets[b - 1][1], label) for a, b, label in spans]
