"""Which columns of a table hold the texts and the labels: named, remembered, or told by content."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from birnn.data.tables.columns import (
    LABEL_NAMES,
    TEXT_NAMES,
    check_column,
    no_column,
    usual_columns,
)
from birnn.data.tables.disk_table import column_chunks
from birnn.data.tables.kinds import is_a
from birnn.data.text.labels import MAX_CLASSES
from birnn.data.wording import plural
from birnn.errors import DataError

MORE_TEXTS = (
    "texts", "sentences", "reviews", "tweets", "comments", "phrase", "headline", "statement",
    "post", "article", "description", "summary", "question", "caption", "paragraph", "passage",
    "abstract", "excerpt", "feedback", "quote", "transcript", "snippet", "verbatim",
)  # fmt: skip
MORE_LABELS = (
    "choice", "choices", "accept", "cats", "classification", "verdict", "stance", "annotation",
    "gold", "y", "tag", "genre", "type", "kind",
)  # fmt: skip
# The last word of a name that speaks of a text, or of a label, and is not one.
NOT_TEXT = {
    "id", "ids", "key", "count", "counts", "num", "number", "length", "len", "date", "time", "year",
    "url", "link", "lang", "language", "author", "user", "source", "index", "created", "updated",
    "at",    *(name for name in LABEL_NAMES if name not in ("topic",)),
}  # fmt: skip
NOT_LABEL = {
    "confidence", "date", "time", "count", "counts", "num", "length", "len", "url", "reason",
    "gold", "created", "updated", "user", "annotator", "lang", "language", "source", "by",
}  # fmt: skip
LABEL_FIRST = ("label", "labels", "class", "category")  # a label in words, as in label_text
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_a-zA-Z]+")
FEW = 20  # classes of a column without a usual name
SPOKEN = 2.0  # spaces in a text, on average, of a column without a usual name
LONGER = 2.0  # than all others must such a column be
SAMPLE = 1_000  # filled cells from which it is told whether a column holds sentences
UNUSUAL = 10_000  # the rank of a name that says nothing


@dataclass(frozen=True)
class Asked:
    """Columns by what they hold, ``text``, ``text_2``, … and ``label``; empty to find them."""

    texts: tuple[str, ...] = ("",)
    label: str | None = ""  # None: there is none
    remembered: Mapping[str, str] = field(default_factory=dict)  # those of the run, if there


@dataclass(frozen=True)
class Columns:
    """The columns that were taken, those that were not, and what is to be said of it."""

    texts: list[str]
    label: str  # empty: there is none
    unused: list[str]
    notes: list[str]
    warnings: list[str] = field(default_factory=list)  # where it could well be otherwise

    def to_json(self) -> dict[str, str]:
        """What a run remembers."""
        names = {text_name(number): name for number, name in enumerate(self.texts)}
        return {**names, **({"label": self.label} if self.label else {})}


class Measure(NamedTuple):
    """What the cells of a column of texts are like."""

    filled: int
    characters: float  # of a filled cell, on average
    spaces: float


def text_name(number: int) -> str:
    """What tables of texts call a row's text of that number, from 0."""
    return f"text_{number + 1}" if number else "text"


def same_name(name: str, names: Sequence[str]) -> str:
    """The one of ``names`` that is ``name``, whatever the case and the spaces; else ``""``.

    >>> same_name("Text", ["id", "text "]), same_name("Text", ["body"])
    ('text ', '')
    """
    if name in names:
        return name
    near = [other for other in names if _plain(other) == _plain(name)]
    return near[0] if len(near) == 1 else ""


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").split())


def words_of(name: str) -> list[str]:
    """The words of a column's name.

    >>> words_of("Review Text"), words_of("textID"), words_of("airline_sentiment"), words_of("y")
    (['review', 'text'], ['text', 'id'], ['airline', 'sentiment'], ['y'])
    """
    return [word.casefold() for word in WORD.findall(name)]


def choose_columns(table: Any, asked: Asked, where: str, *, labelled: bool = True) -> Columns:
    """The columns of texts and of the label.

    A named column is taken; then one that the run's own data had; then what has a usual name, or a
    usual word in it, of several texts the fuller and longer one; then the only column whose cells
    can be it.

    Args:
        table: as it was read.
        asked: names, remembered ones too.
        where: the table in words.
        labelled: False: there may be no label.

    Raises:
        DataError: a name that isn't there, or no column that could be it; names those there are.
    """
    names, notes, warnings = list(table.column_names), list[str](), list[str]()
    label = ""
    if asked.label is not None:
        label = _named(asked.label, asked.remembered.get("label", ""), names, where)
    texts = [
        _named(name, asked.remembered.get(text_name(i), ""), names, where)
        for i, name in enumerate(asked.texts)
    ]
    if not label and asked.label is not None:
        label = _find_label(table, [name for name in names if name not in texts], notes)
    if not texts[0] and len(texts) == 1:
        if known := asked.remembered.get("text"):
            notes.append(f"text: the run's own data had it in {known!r}, which isn't here")
        others = [name for name in names if name != label]
        texts = [_find_text(table, others, notes, warnings)]
    if not texts[0]:
        raise no_column("text", names, where)
    if not label and asked.label is not None:
        label = _only_classes(table, [name for name in names if name not in texts], notes)
    if not label and asked.label is not None and labelled:
        raise no_column("label", names, where)
    if label in texts:
        raise DataError(f"{where}: the column {label!r} can't be both text and label")
    if len(set(texts)) < len(texts):
        raise DataError(f"{where}: the texts of a row need columns of their own, not {texts}")
    taken = [*texts, label]
    return Columns(texts, label, [name for name in names if name not in taken], notes, warnings)


def choose_text(
    table: Any, name: str, remembered: Mapping[str, str], where: str
) -> tuple[str, list[str]]:
    """The column of texts of a table to predict, and what is to be said of it.

    Raises:
        DataError: no such column, or none that could be it; names those there are.
    """
    texts = {key: value for key, value in remembered.items() if key == "text"}
    try:
        columns = choose_columns(table, Asked((name,), None, texts), where)
    except DataError:
        if name or table.column_names != ["1"] or not measure(table, "1"):
            raise
        return "1", []  # short texts without a header: it is nothing else
    if not name and columns.unused and all(_goes_on(table, other) for other in columns.unused):
        what = "sentences seem to be cut at the delimiter, and none of the columns is the run's"
        mend = "--delimiter tab takes each line as one text, --text-column a column"
        raise DataError(f"{where}: {what}; {mend}")
    return columns.texts[0], [*columns.notes, *columns.warnings]


def _goes_on(table: Any, name: str) -> bool:
    """Whether all cells of a column begin with a space, as a sentence does after its comma."""
    filled = False
    for chunk in column_chunks(table, name):
        cells = [cell for cell in chunk.to_pylist() if cell]
        if not all(isinstance(cell, str) and cell[0] == " " for cell in cells):
            return False
        filled = filled or bool(cells)
    return filled


def describe_columns(columns: Columns) -> str:
    """Which columns were taken, and which were not, in one line."""
    texts = " and ".join(map(repr, columns.texts))
    parts = [f"text from {texts}", f"label from {columns.label!r}" if columns.label else "no label"]
    if columns.unused:
        some = ", ".join(map(repr, columns.unused[:8]))
        more = len(columns.unused) - 8
        parts.append(f"not used: {some}" + (f" and {more} more" if more > 0 else ""))
    return f"columns: {', '.join(parts)}"


def _named(name: str, remembered: str, names: Sequence[str], where: str) -> str:
    """The column that is asked for by name, or that the run remembers if it is there."""
    if not name:
        return same_name(remembered, names) if remembered else ""
    found = same_name(name, names)
    if not found:
        check_column(name, names, where)
    return found


def _rank(name: str, usual: Sequence[str], more: Sequence[str], but: set[str]) -> int:
    """How usual a name is: the smaller the more; a large number for one that isn't."""
    plain, words = _plain(name), words_of(name)
    known = [*usual, *more]
    if plain in known:
        return known.index(plain)
    inner = [known.index(word) for word in words if word in known]
    if not inner or words[-1] in but:
        return UNUSUAL
    return 1_000 + min(inner)


def _ranked(
    names: Sequence[str], usual: Sequence[str], more: Sequence[str], but: set[str],
    fits: Callable[[str], Any],
) -> list[str]:  # fmt: skip
    """Those of ``names`` that a usual name or word speaks for, and that fit, best first."""
    ranks = {name: _rank(name, usual, more, but) for name in names}
    usable = [name for name, rank in ranks.items() if rank < UNUSUAL and fits(name)]
    return sorted(usable, key=lambda name: ranks[name])


def _find_text(table: Any, names: Sequence[str], notes: list[str], warnings: list[str]) -> str:
    """The column of texts; ``""`` if none can be it."""
    names = [name for name in names if not {*words_of(name)[:1]} & {*LABEL_FIRST}]
    sizes = {name: size for name in names if (size := measure(table, name)) is not None}
    named = _ranked(names, TEXT_NAMES, MORE_TEXTS, NOT_TEXT, lambda name: name in sizes)

    def share(name: str) -> float:
        return sizes[name].filled * sizes[name].characters

    if named:
        best = max(named, key=share)  # of equals the most usual one
        others = [name for name in named if name != best]
        if others:
            close = max(map(share, others)) > share(best) / LONGER
            (warnings if close else notes).append(_why(table, best, others, sizes))
        return best
    spoken = sorted((n for n, size in sizes.items() if size.spaces >= SPOKEN), key=share)
    if exact := usual_columns(TEXT_NAMES, names):
        return exact[0]  # whatever it holds: reading it says what is wrong
    if not spoken or (len(spoken) > 1 and share(spoken[-1]) < LONGER * share(spoken[-2])):
        return ""
    best = spoken[-1]
    notes.append(f"text: no column has a usual name; {best!r} holds sentences: --text-column takes"
                 " another")  # fmt: skip
    return best


def _why(table: Any, best: str, others: Sequence[str], sizes: Mapping[str, Measure]) -> str:
    """Why one column of texts was taken, of several that could be it."""

    def size(name: str) -> str:
        filled, characters, _ = sizes[name]
        return f"{name!r} has {filled:,} filled of {characters:.0f} characters"

    could = ", ".join(map(repr, others[:3]))
    why = f"of {plural(len(table), 'row')}, {'; '.join(map(size, [best, *others[:2]]))}"
    mend = f"--text-column {_shell(others[0])} takes the other"
    alike = any(sizes[best][:2] == sizes[name][:2] for name in others)
    both = all(sizes[best][:2] >= sizes[name][:2] and sizes[best][1] >= sizes[name][1]
               for name in others)  # fmt: skip
    rule = "is the fuller and longer one" if both else "holds more text in all"
    rule = "is as full and long and the more usual name" if alike else rule
    return f"text: {could} could be it too, {best!r} {rule} ({why}); {mend}"


def _shell(name: str) -> str:
    return name if name.isidentifier() else f"{name!r}"


def _column(table: Any, name: str) -> Any:
    """A column as Arrow has it; a copy of the table for each would take the square of many."""
    if getattr(table, "_indices", None) is None:
        return table.data.column(name)
    return table.with_format("arrow")[:].column(name)


def measure(table: Any, name: str) -> Measure | None:
    """What the filled cells of a column of strings are like; None if they are no texts."""
    filled = characters = 0
    first: list[pa.Array] = []
    for chunk in column_chunks(table, name):
        if pa.types.is_dictionary(chunk.type):
            chunk = chunk.cast(chunk.type.value_type)
        if not (pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type)):
            return None
        cells = pc.utf8_trim_whitespace(chunk.drop_null())
        cells = cells.filter(pc.greater(pc.utf8_length(cells), 0))
        if filled < SAMPLE:
            first.append(cells.slice(0, SAMPLE - filled))
        filled += len(cells)
        characters += pc.sum(pc.utf8_length(cells)).as_py() or 0
    if not filled:
        return None
    some = pa.chunked_array(first)
    digits = pc.match_substring_regex(some, r"^[-+]?[\d.,:/ ]+$")
    if pc.sum(digits).as_py() > 0.9 * len(some):
        return None
    return Measure(filled, characters / filled, pc.mean(pc.count_substring(some, " ")).as_py())


def _find_label(table: Any, names: Sequence[str], notes: list[str]) -> str:
    """The column of labels by its name: the first that holds classes, else the first of all."""

    def fits(name: str) -> bool:
        """Whether it is called like a label exactly, or holds no sentences."""
        exact = _plain(name) in (*LABEL_NAMES, *MORE_LABELS)
        return exact or not ((size := measure(table, name)) and size.spaces >= SPOKEN)

    named = _ranked(names, LABEL_NAMES, MORE_LABELS, NOT_LABEL, fits)
    if not named:
        return ""
    usable = [name for name in named if holds_classes(table, name)]
    best = (usable or named)[0]
    if best != named[0]:
        notes.append(f"label: {named[0]!r} holds no classes, {best!r} does; --label-column takes"
                     " another")  # fmt: skip
    if others := [name for name in usable if name != best]:
        could = ", ".join(map(repr, others[:3]))
        mend = f"--label-column {_shell(others[0])} takes the other"
        notes.append(f"label: {could} could be it too, {best!r} is the more usual name; {mend}")
    return best


def distinct(table: Any, name: str) -> tuple[int, int]:
    """How many different values a column has, and how many cells are filled."""
    column = _column(table, name).drop_null()
    if pa.types.is_nested(column.type) or isinstance(column.type, pa.BaseExtensionType):
        cells = [str(value) for value in table[name][:] if value is not None]  # values of any kind
        return len(set(cells)), len(cells)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.utf8_trim_whitespace(column)
        column = column.filter(pc.greater(pc.utf8_length(column), 0))
    return pc.count_distinct(column).as_py(), len(column)


def holds_classes(table: Any, name: str) -> bool:
    """Whether a column can be of labels: at least two values, far fewer than rows."""
    if is_a(table.features[name], "datasets", "ClassLabel"):
        return True
    there, filled = distinct(table, name)
    return 2 <= there <= min(MAX_CLASSES, max(2, filled // 2))


def _only_classes(table: Any, names: Sequence[str], notes: list[str]) -> str:
    """The only column of few values, whatever its name; ``""`` if there are none, or several."""
    few = []
    for name in names:
        words = words_of(name)
        if words and (words[-1] in NOT_LABEL or words[-1] in ("id", "year", "split", "fold")):
            continue
        there, filled = distinct(table, name)
        if 2 <= there <= min(FEW, filled // 5) and filled > 0.5 * len(table):
            few.append((name, there))
    if len(few) != 1:
        return ""
    name, there = few[0]
    notes.append(f"label: no column has a usual name; {name!r} has {there} values: --label-column"
                 " takes another")  # fmt: skip
    return name


def looks_labelled(table: Any) -> bool:
    """Whether a table seems to hold labelled texts rather than numbers: sentences, and classes."""
    sizes = {n: size for n in table.column_names if (size := measure(table, n)) is not None}
    usual = [n for n in sizes if _rank(n, TEXT_NAMES, MORE_TEXTS, NOT_TEXT) < UNUSUAL]
    try:
        columns = choose_columns(table, Asked(), "")
    except DataError:
        return any(sizes[name].spaces >= SPOKEN for name in usual)
    text, label = columns.texts[0], columns.label
    if text not in sizes:
        return False
    if _plain(text) in TEXT_NAMES and _plain(label) in LABEL_NAMES:
        return True
    known = _rank(label, LABEL_NAMES, MORE_LABELS, NOT_LABEL) < UNUSUAL
    if text in usual and known:
        return sizes[text].spaces >= 1
    there, filled = distinct(table, text)
    return sizes[text].spaces >= SPOKEN and (text in usual or there > filled / 2)
