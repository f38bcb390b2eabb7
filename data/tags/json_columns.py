"""Which columns of rows hold what: told by their names, and by what stands in them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from birnn.data.tables import columns
from birnn.data.tags import exports
from birnn.data.tags.findings import Findings
from birnn.data.wording import plural
from birnn.errors import DataError

TEXT_NAMES = ("text", "sentence", "content", "document", "data", "body")
SPAN_NAMES = (
    "spans", "entities", "label", "labels", "annotations", "annotation", "ents", "ner", "tags",
    "entity",
)  # fmt: skip
EQUAL = 0.95  # of the rows that must have as many words as tags, to be divided
DIVIDERS = {" ": "spaces", ",": "commas", ";": "semicolons", "|": "pipes", "\t": "tabs"}
PAIRS = ("text", "text"), ("text", "tokens"), ("tokens", "text")  # kinds of words and tags
BRACKETS = re.compile(r"\s*\[.*\]\s*", re.DOTALL)


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


def spelled_lists(
    rows: Plain, token: str, tag: str, findings: Findings, *, tagged: bool = True
) -> Plain:
    """Columns of texts that spell lists, in brackets or with a sign between, as lists.

    Words and tags are divided where that gives each word its tag, in nearly all rows.

    Raises:
        DataError: both are texts that can't be divided so, and ``tagged`` ones are needed.
    """
    kinds = kinds_of(row for _, _, row in rows)
    texts = [name for name, kind in kinds.items() if kind == "text"]
    read = {}
    for name in texts:
        if (values := exports.listed_cells([row.get(name) for _, _, row in rows])) is not None:
            read[name] = values
    if read:
        rows = _replaced(rows, read)
        kinds = kinds_of(row for _, _, row in rows)
    usual = columns.usual_columns((*columns.TOKEN_NAMES, *TEXT_NAMES), list(kinds))
    words = token or next(iter(usual), "")
    usual = columns.usual_columns(columns.TAG_NAMES, list(kinds))
    marks = tag or next((name for name in usual if name != words), "")
    pair = kinds.get(words), kinds.get(marks)
    lists = [name for name in columns.usual_columns(columns.TOKEN_NAMES, list(kinds))
             if name not in (words, marks) and kinds[name] == "tokens"]  # fmt: skip
    if pair not in PAIRS or lists or "spans" in kinds.values():
        return rows
    divided = _side_by_side([[row.get(name) for _, _, row in rows] for name in (words, marks)])
    if divided is not None:
        cells, signs = divided
        texts = [DIVIDERS[sign] for sign, kind in zip(signs, pair, strict=True) if kind == "text"]
        at = " and ".join(dict.fromkeys(texts))
        findings.notes.append(f"{words!r} and {marks!r} are divided at {at}")
        return _replaced(rows, dict(zip((words, marks), cells, strict=True)))
    if tagged and pair[0] == "text":
        raise _not_alike(rows, words, marks)
    return rows


def _side_by_side(
    cells: Sequence[Sequence[Any]],
) -> tuple[list[list[list[Any]]], tuple[str, ...]] | None:
    """Two columns divided so that each word has its tag, in nearly all rows; and at which signs."""
    others = [sign for sign in DIVIDERS if sign != " "]  # "O, B-PER": a space is none of the signs
    orders = ([*others, " "] if _in_brackets(cells[0]) else [" ", *others]), [*others, " "]
    for signs in product(*orders):
        pair = [_divided(*part) for part in zip(cells, signs, strict=True)]
        equal = sum(len(a) == len(b) and "" not in (*a, *b) for a, b in zip(*pair, strict=True))
        if equal >= EQUAL * len(cells[0]) and any(len(part) > 1 for part in pair[0]):
            return pair, signs
    return None


def _replaced(rows: Plain, columns: Mapping[str, Sequence[Any]]) -> Plain:
    """The rows with the cells of some columns in place of theirs."""
    return [
        (number, where, {**row, **{name: cells[i] for name, cells in columns.items()}})
        for i, (number, where, row) in enumerate(rows)
    ]


def _in_brackets(cells: Sequence[Any]) -> bool:
    return all(BRACKETS.fullmatch(cell) for cell in cells if cell and isinstance(cell, str))


def _divided(cells: Sequence[Any], sign: str) -> list[list[Any]]:
    """Cells of text as lists; those that are lists stay."""
    bare = _in_brackets(cells)
    divided = []
    for cell in cells:
        if isinstance(cell, list):
            divided.append(cell)
            continue
        text = str(cell or "").strip()
        text = text[1:-1] if bare else text
        parts = [part.strip() for part in text.split(sign)] if sign != " " else text.split()
        divided.append(parts if text else [])
    return divided


def _not_alike(rows: Plain, words: str, marks: str) -> DataError:
    """Two columns of texts that don't give each word a tag: the first row that says so."""
    where, sizes = rows[0][1], [0, 0]
    for _, where, row in rows:  # noqa: B007
        sizes = [max(len(part) for sign in DIVIDERS for part in _divided([row.get(name)], sign))
                 for name in (words, marks)]  # fmt: skip
        if sizes[0] != sizes[1]:
            break
    what = f"{words!r} has {plural(sizes[0], 'word')}, {marks!r} {plural(sizes[1], 'tag')}"
    mend = (
        "give each word its tag, both divided by spaces or as lists, or name other columns with"
        " --token-column and --tag-column"
    )
    return DataError(f"{where}: {what}; {mend}")


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
    words, text = usual((*columns.TOKEN_NAMES, *TEXT_NAMES), "tokens"), usual(TEXT_NAMES, "text")
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
