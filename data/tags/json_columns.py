"""Which columns of rows hold what: told by their names, and by what stands in them."""

from collections.abc import Iterable, Mapping
from typing import Any

from birnn.data.tables import columns
from birnn.data.tags import exports
from birnn.data.tags.findings import Findings
from birnn.errors import DataError

TEXT_NAMES = ("text", "sentence", "content", "document", "data", "body")
SPAN_NAMES = (
    "spans", "entities", "label", "labels", "annotations", "annotation", "ents", "ner", "tags",
    "entity",
)  # fmt: skip
EQUAL = 0.95  # of the rows that must have as many words as tags, to be divided at spaces


def kept_column(reading: Mapping[str, Any], part: str, kinds: Mapping[str, str]) -> str:
    """The column that a run remembers, where it is there and holds something."""
    name = str(reading.get(part, ""))
    return name if kinds.get(name) else ""


def kinds_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What each column can be, as :func:`kind_of` says."""
    kinds: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            kinds[name] = kinds.get(name) or kind_of(value)
    return kinds


Plain = list[tuple[int, str, Mapping[str, Any]]]  # number, place and row


def spelled_lists(rows: Plain, token: str, tag: str, findings: Findings) -> Plain:
    """Columns of texts that spell lists, in brackets or divided by spaces, as lists."""
    kinds = kinds_of(row for _, _, row in rows)
    texts = [name for name, kind in kinds.items() if kind == "text"]
    read = {}
    for name in texts:
        if (values := exports.listed_cells([row.get(name) for _, _, row in rows])) is not None:
            read[name] = values
    if read:
        rows = [(number, where, {**row, **{name: read[name][i] for name in read}})
                for i, (number, where, row) in enumerate(rows)]  # fmt: skip
        kinds = kinds_of(row for _, _, row in rows)
    if not set(kinds.values()) & {"tokens", "spans"}:
        names = list(kinds)
        usual = columns.usual_columns((*columns.TOKEN_NAMES, *TEXT_NAMES), names)
        words = token or next(iter(usual), "")
        usual = columns.usual_columns(columns.TAG_NAMES, names)
        marks = tag or next((name for name in usual if name != words), "")
        if kinds.get(words) == kinds.get(marks) == "text" and _side_by_side(rows, words, marks):
            findings.notes.append(f"{words!r} and {marks!r} are divided at spaces")
            return [(number, where, {**row, **{name: str(row.get(name) or "").split()
                                               for name in (words, marks)}})
                    for number, where, row in rows]  # fmt: skip
    return rows


def _side_by_side(rows: Plain, words: str, marks: str) -> bool:
    """Whether two columns of texts have as many words, in nearly all rows, and several in some."""
    sizes = [tuple(len(str(row.get(name) or "").split()) for name in (words, marks))
             for _, _, row in rows]  # fmt: skip
    equal = sum(a == b for a, b in sizes)
    return equal >= EQUAL * len(sizes) and any(a > 1 for a, _ in sizes)


def kind_of(value: Any) -> str:
    """What a value can be: ``text``, ``tokens`` (or their tags), ``spans``, or ``""`` (anything).

    >>> kind_of("New York"), kind_of(["New", "York"]), kind_of([[0, 8, "city"]]), kind_of([])
    ('text', 'tokens', 'spans', '')
    """
    if isinstance(value, str):
        return "text" if value else ""
    if isinstance(value, Mapping):
        return "spans" if isinstance(value.get("entities"), list) else "other"
    if isinstance(value, list):
        first = next((item for item in value if item is not None), None)
        if first is None:
            return ""
        if isinstance(first, list) and all(is_single(item) for item in value):
            return "tokens"  # one-item lists
        return "spans" if isinstance(first, (list, tuple, Mapping)) else "tokens"
    return "" if value is None else "other"


def is_single(value: Any) -> bool:
    """Whether it is a list of one plain value."""
    return isinstance(value, list) and len(value) == 1 and type(value[0]) in (str, int)


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

    def usual(names: Iterable[str], *wanted: str, but: str = "") -> str:
        """The first of usual name that is of the first kind of ``wanted`` that any is of."""
        there = [name for name in columns.usual_columns(names, list(kinds)) if name != but]
        return next((name for kind in wanted for name in there if kinds[name] == kind), "")

    for name in filter(None, (token, tag if tagged else "")):
        columns.check_column(name, kinds, source)
    words, text = usual(columns.TOKEN_NAMES, "tokens"), usual(TEXT_NAMES, "text")
    if words and text and not tag and not usual(columns.TAG_NAMES, "tokens", but=words):
        words = "" if usual(SPAN_NAMES, "spans") else words  # the marks are of the text
    tokens = token or words or text
    if token and kinds[token] not in ("text", "tokens"):
        raise DataError(f"{source}: the column {token!r} holds neither texts nor lists of tokens")
    if not tokens or kinds[tokens] not in ("text", "tokens"):
        raise columns.no_column("token", kinds, source)
    spans = kinds[tokens] == "text"
    wanted, names = ("spans", SPAN_NAMES) if spans else ("tokens", columns.TAG_NAMES)
    tags = tag if tag in kinds else usual(names, wanted, "", but=tokens)
    if tags and (kinds[tags] not in (wanted, "") or tags == tokens):
        what = "lists of spans" if spans else "lists of tags"
        raise DataError(f"{source}: the column {tags!r} holds no {what}, as {tokens!r} needs")
    if not tags and tagged:
        raise columns.no_column("tag", kinds, source)
    return spans, tokens, tags
