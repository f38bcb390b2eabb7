"""Labelled texts: columns found, rows cleaned, missing splits cut, provenance counted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from birnn.data.samples import SAMPLES
from birnn.data.splits import cutting
from birnn.data.splits.provenance import SplitText, describe
from birnn.data.tables.columns import LABEL_NAMES, TEXT_NAMES, find_column
from birnn.data.tables.sources import Tables, guarded, load_tables
from birnn.data.wording import plural
from birnn.errors import DataError

MAX_CLASSES = 1000
BETWEEN = " \0 "  # the texts of a row, where they are compared as one; it stands in no text


@dataclass(frozen=True)
class TextOptions(cutting.SourceOptions):
    """How labelled texts are read and split; empty names of columns are for usual ones."""

    text_columns: tuple[str, ...] = ("",)
    label_column: str = ""


@dataclass(frozen=True)
class LabelledText(SplitText):
    """Splits with the string columns ``text`` and ``label``, both never empty, and ``row``.

    Where a row has several texts, the others are ``text_2``, ``text_3``, ….
    """

    reading: dict[str, Any] = field(default_factory=dict)  # as a run remembers it


def load_labelled(options: TextOptions) -> LabelledText:
    """Load train, validation and test as ``options`` say.

    Raises:
        DataError: no such data or column, one class only, or a class in validation or test that
            train never saw; one line that says how to mend it.
    """
    read, dropped = read_labelled(options)
    given = {str(name): table for name, table in read.splits.items() if len(table)}
    if "train" not in given:
        there = ", ".join(map(str, read.splits)) or "none"
        raise DataError(f"{read.source} has no row to train on; splits found: {there}")
    check_classes(given["train"], read.source)
    seed = options.split_seed

    def divide(train: Dataset, name: str, rows: float) -> tuple[Dataset, Dataset]:
        first, second = cutting.cut(joined_texts(train), train["label"][:], rows / len(train), seed)
        return train.select(first), train.select(second)

    splits, cuts = cutting.complete_splits(
        given, options.shares, divide,
        lambda rows: f"{plural(rows, 'row')} cut from train, stratified (split seed {seed})",
    )  # fmt: skip
    labels = {name: table["label"][:] for name, table in splits.items()}
    cutting.check_unseen(
        {name: zip(column, strict=True) for name, column in labels.items()},
        lambda name, _, unseen, words: (
            f"{read.source}: {name} has {plural(unseen.total(), 'row')}"
            f" whose label train never has: {words}; add such rows to train or take them out"
        ),
    )
    provenance, notes, warnings = describe(
        read.source, {name: joined_texts(table) for name, table in splits.items()}, cuts,
        {**dropped, "ragged_rows": read.ragged}, read.notes, "text",
        classes={name: dict(sorted(Counter(column).items())) for name, column in labels.items()},
    )  # fmt: skip
    return LabelledText(splits, provenance, notes, [*read.warnings, *warnings], read.reading)


def read_labelled(options: TextOptions) -> tuple[Tables, dict[str, dict[str, int]]]:
    """The source's splits, cleaned, and of each: for which reason how many rows were left out."""
    if options.data in SAMPLES:
        table, notes = SAMPLES[options.data]()
        tables = Tables(DatasetDict({"train": table}), f"embedded {options.data}", notes)
    else:
        tables = load_tables(options.data, options.read)
    notes = list(tables.notes)
    splits: dict[str, Dataset] = {}
    dropped: dict[str, dict[str, int]] = {}
    for given, table in tables.splits.items():
        name = cutting.SPLIT_ALIASES.get(str(given), str(given))
        if name not in cutting.SPLITS:
            notes.append(f"the split {name!r} ({plural(len(table), 'row')}) is not used")
            continue
        where = tables.source if len(tables.splits) == 1 else f"{tables.source} ({given})"
        columns = find_columns(table, options.text_columns, options.label_column, where)
        splits[name], dropped[name] = guarded(where, lambda t=table, c=columns: clean_rows(t, *c))
        if not len(splits[name]) and not dropped[name]["no label"]:
            raise DataError(f"{where} has no row with a text")
        lost = [f"{count:,} with {reason}" for reason, count in dropped[name].items() if count]
        if lost:
            notes.append(f"{name}: left out {', '.join(lost)}")
    return replace(tables, splits=DatasetDict(splits), notes=notes), dropped


def load_one(options: TextOptions, name: str) -> tuple[Dataset, list[str]]:
    """One split of the source, nothing cut: the only one there is, or the one called ``name``.

    Raises:
        DataError: it has several and none of that name, or no usable row.
    """
    read, _ = read_labelled(options)
    used = {str(split): table for split, table in read.splits.items() if len(table)}
    if len(used) == 1:
        return next(iter(used.values())), read.notes
    if name not in used:
        there = ", ".join(used) or "none"
        raise DataError(f"{read.source}: no usable {name} split; there are: {there}")
    return used[name], read.notes


def find_columns(
    table: Dataset, texts: Sequence[str], label: str, where: str
) -> tuple[list[str], str]:
    """The names of the columns of texts and of the label: as given, or found by the usual names.

    Raises:
        DataError: not there; the message names those that are. Or one stands for two things.
    """
    columns = [find_column(table, name, TEXT_NAMES, "text", where) for name in texts]
    target = find_column(table, label, LABEL_NAMES, "label", where)
    if target in columns:
        raise DataError(f"{where}: the column {target!r} can't be both text and label")
    if len(set(columns)) < len(columns):
        raise DataError(f"{where}: the texts of a row need columns of their own, not {columns}")
    return columns, target


def joined_texts(table: Dataset) -> list[str]:
    """What rows of :func:`clean_rows` are compared by: the text, or all texts of a row."""
    names = [name for name in table.column_names if name == "text" or name.startswith("text_")]
    texts: list[list[str]] = [table[name][:] for name in names]
    return texts[0] if len(texts) == 1 else [BETWEEN.join(row) for row in zip(*texts, strict=True)]


def clean_rows(table: Dataset, texts: Sequence[str], label: str) -> tuple[Dataset, dict[str, int]]:
    """Keep the columns as strings and leave out rows without a label or without one of the texts.

    Returns:
        Columns ``text`` (then ``text_2``, …), ``label`` and ``row`` (its number in the table, from
        1), and how many rows were left out for which reason.
    """
    classes = table.features[label].names if isinstance(table.features[label], ClassLabel) else None
    names = ["text", *(f"text_{number}" for number in range(2, len(texts) + 1))]

    def text_of(value: Any, column: str) -> str:
        if isinstance(value, (list, dict, bytes)):
            raise DataError(f"the column {column!r} holds {type(value).__name__}s, not texts")
        return "" if value is None else str(value)

    def convert(batch: dict[str, list[Any]], places: list[int]) -> dict[str, list[Any]]:
        columns = {
            name: [text_of(value, column) for value in batch[column]]
            for name, column in zip(names, texts, strict=True)
        }
        labels = [label_text(value, classes) for value in batch[label]]
        return {**columns, "label": labels, "row": [place + 1 for place in places]}

    strings = {name: Value("string") for name in (*names, "label")}
    plain = table.map(
        convert, with_indices=True, batched=True, remove_columns=table.column_names,
        features=Features({**strings, "row": Value("int64")}),
    )  # fmt: skip
    columns = [plain[name][:] for name in names]
    no_text = [not all(map(str.strip, row)) for row in zip(*columns, strict=True)]
    both = zip(plain["label"][:], no_text, strict=True)
    no_label = [not label and not empty for label, empty in both]
    dropped = {"an empty text": sum(no_text), "no label": sum(no_label)}
    keep = [i for i, (a, b) in enumerate(zip(no_text, no_label, strict=True)) if not (a or b)]
    return (plain if len(keep) == len(plain) else plain.select(keep)), dropped


def label_text(value: Any, names: list[str] | None) -> str:
    """A label as text; ``""`` where there is none (missing, or -1 of a set of named classes).

    >>> label_text(1, ["bad", "good"]), label_text(-1, ["bad", "good"]), label_text(4.0, None)
    ('good', '', '4')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, (list, dict)):
        shown = f"{type(value).__name__}s ({str(value)[:40]})"
        raise DataError(f"the label column holds {shown}; one label a row is expected")
    if names is not None:
        value = names[value] if 0 <= value < len(names) else ""
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())


def check_classes(train: Dataset, source: str) -> None:
    """Refuse labels that can't be learned.

    Raises:
        DataError: one class only, or nearly as many classes as rows.
    """
    counts = Counter(train["label"][:])
    if len(counts) < 2:
        only = next(iter(counts))
        raise DataError(f"{source}: only one class in train ({only!r}); at least two are needed")
    if len(counts) > MAX_CLASSES or len(counts) > max(2, len(train) // 2):
        count = f"{len(counts):,} different labels in {plural(len(train), 'row')}"
        mend = "that is not a class; name another with --label-column"
        raise DataError(f"{source}: {count}: {mend}")
