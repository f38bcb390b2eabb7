"""Rows of a table of texts as plain columns: what can't be used is left out and counted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, Features, Value

from birnn.data.tables.annotations import ACCEPTED, is_answers
from birnn.data.text.choosing import Columns, same_name, text_name
from birnn.data.text.labels import known_labels, read_labels
from birnn.data.text.splits import RawSplit
from birnn.data.wording import number_list, plural
from birnn.errors import DataError

BETWEEN = " \0 "  # the texts of a row, where they are compared as one; it stands in no text
NO_TEXT, UNLABELLED = "an empty text", "no label"  # why a row is left out
ANSWER = "answer"  # the column of Prodigy's
LISTED = 8  # rows of one reason


@dataclass(frozen=True)
class Cleaned:
    """The rows of a split that can be used, and where the others stand."""

    table: Dataset  # text, text_2, …, label, row: its number in the file, from 1
    places: list[int]  # of each row: its line, where the file has lines
    left_out: dict[str, list[int]]  # reason → where they stand
    notes: list[str]
    unlabelled: int = 0  # rows with texts and no label

    @property
    def counts(self) -> dict[str, int]:
        """Reason → how many rows were left out."""
        return {reason: len(rows) for reason, rows in self.left_out.items()}


def clean_rows(part: RawSplit, columns: Columns) -> Cleaned:
    """Keep the columns as strings; leave out rows without a label or without one of the texts.

    Rows that a person rejected or passed over (Prodigy's ``answer``) are left out too.

    Args:
        part: a split's table, as it was read.
        columns: which of its columns hold what.

    Raises:
        DataError: a column of texts holds something else, or a row has several labels.
    """
    table, places = part.table, part.places
    names = [text_name(number) for number in range(len(columns.texts))]
    texts = {name: _texts(part, column) for name, column in zip(names, columns.texts, strict=True)}
    count, notes = len(table), list[str]()
    labels = [""] * count
    if columns.label:
        read = read_labels(*_label_cells(table, columns.label))
        labels, notes = read.texts, read.notes
        if read.several:
            rows = number_list(places[row] for row in read.several[:LISTED])
            many = f"{plural(len(read.several), 'row')} with several labels ({part.unit} {rows}"
            more = ", …" if len(read.several) > LISTED else ""
            mend = "give each row one, or name another column with --label-column"
            raise DataError(f"column {columns.label!r}: {many}{more}); {mend}")
    reasons = _reasons(table, texts, labels)
    plain = Dataset.from_dict(
        {**texts, "label": labels, "row": list(part.rows)},
        features=Features({**{name: Value("string") for name in (*names, "label")},
                           "row": Value("int64")}),
    )  # fmt: skip
    keep = [row for row, reason in enumerate(reasons) if not reason]
    left_out: dict[str, list[int]] = {NO_TEXT: [], UNLABELLED: []}
    for place, reason in zip(places, reasons, strict=True):
        if reason:
            left_out.setdefault(reason, []).append(place)
    unlabelled = len(left_out[UNLABELLED])
    kept = plain if len(keep) == count else plain.select(keep)
    return Cleaned(kept, [places[row] for row in keep], left_out, notes, unlabelled)


def _label_cells(table: Dataset, column: str) -> tuple[list[Any], list[str] | None]:
    """The cells of a column of labels, and the names of the classes, where these are named."""
    cells: list[Any] = table[column][:]
    kind = table.features[column]
    inner = getattr(kind, "feature", kind)  # of lists of labels
    if isinstance(inner, ClassLabel):
        return cells, list(inner.names)
    if getattr(kind, "dtype", "") in ("float16", "float32"):  # 0.1, not its nearest double
        cells = [None if cell is None else float(str(np.float32(cell))) for cell in cells]
    return cells, None


def _reasons(table: Dataset, texts: dict[str, list[str]], labels: Sequence[str]) -> list[str]:
    """Of each row why it is left out; ``""`` if it isn't."""
    reasons = [""] * len(table)
    answer = same_name(ANSWER, table.column_names)
    answers = table[answer][:] if answer else []
    if answers and not is_answers(answers):
        answers = []
    for row, cells in enumerate(zip(*texts.values(), strict=True)):
        if not all(map(str.strip, cells)):
            reasons[row] = NO_TEXT
        elif answers and answers[row] not in (ACCEPTED, None, ""):
            reasons[row] = f"the answer {answers[row]!r}"
        elif not labels[row]:
            reasons[row] = UNLABELLED
    return reasons


def _texts(part: RawSplit, column: str) -> list[str]:
    values = part.table[column][:]
    for value, place in zip(values, part.places, strict=True):
        if isinstance(value, (list, dict, bytes)):
            what = f"holds no text but a {type(value).__name__} ({part.unit} {place})"
            mend = "mend it, or name another column with --text-column"
            raise DataError(f"the column {column!r} {what}; {mend}")
    return ["" if value is None else str(value) for value in values]


def joined_texts(table: Dataset) -> list[str]:
    """What rows of :func:`clean_rows` are compared by: the text, or all texts of a row."""
    names = [name for name in table.column_names if name == "text" or name.startswith("text_")]
    texts: list[list[str]] = [table[name][:] for name in names]
    return texts[0] if len(texts) == 1 else [BETWEEN.join(row) for row in zip(*texts, strict=True)]


def with_known_labels(table: Dataset, known: Sequence[str]) -> tuple[Dataset, list[str]]:
    """Labels in the spelling of the ``known`` classes, and what is said of those changed."""
    before = table["label"][:]
    labels, changed = known_labels(before, known)
    if not changed:
        return table, []
    counts = Counter(label for label in before if label in changed)
    words = ", ".join(f"{label!r} as {changed[label]!r} ({n:,})" for label, n in counts.items())
    order = table.column_names
    renewed = table.remove_columns("label").add_column("label", labels).select_columns(order)
    return renewed, [f"labels in the spelling of the run's classes: {words}"]


def rows_in_words(name: str, part: Cleaned, unit: str) -> str:
    """How the rows of a split add up: those read, those used, those left out and why.

    The first few that are left out are named by where they stand.
    """
    used = len(part.table)
    lost = sum(part.counts.values())
    read = f"{name}: {plural(used + lost, 'row')} read"
    if not lost:
        return f"{read}, all used"
    why = [
        f"{len(rows):,} with {reason} ({unit} {number_list(rows[:LISTED])}"
        + (", …)" if len(rows) > LISTED else ")")
        for reason, rows in part.left_out.items() if rows
    ]  # fmt: skip
    return f"{read}, {used:,} used, {lost:,} left out: {', '.join(why)}"
