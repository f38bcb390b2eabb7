"""Labelled texts: columns found, rows cleaned, missing splits cut, provenance counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from birnn.data.samples import SAMPLES
from birnn.data.splits.provenance import audit, cut
from birnn.data.tables.sources import ReadOptions, Tables, guarded, load_tables
from birnn.data.wording import agree, plural
from birnn.errors import DataError
from birnn.registry import suggestion

TEXT_NAMES = (
    "text", "sentence", "review", "tweet", "content", "document", "comment", "message", "body",
    "utterance", "title",
)  # fmt: skip
LABEL_NAMES = (
    "label", "labels", "sentiment", "class", "category", "target", "polarity", "rating", "stars",
    "score", "intent", "topic", "emotion",
)  # fmt: skip
SPLITS = ("train", "validation", "test")
SPLIT_ALIASES = {
    "training": "train",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "eval": "test",
    "evaluation": "test",
    "testing": "test",
}
MAX_CLASSES = 1000


@dataclass(frozen=True)
class TextOptions:
    """How labelled texts are read and split."""

    data: str
    text_column: str = ""
    label_column: str = ""
    validation_share: float = 0.1
    test_share: float = 0.1
    split_seed: int = 0
    read: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True)
class LabelledText:
    """Splits with the string columns ``text`` and ``label``, both never empty, and ``row``."""

    splits: dict[str, Dataset]
    provenance: dict[str, Any]
    notes: list[str]
    warnings: list[str]


def load_labelled(options: TextOptions) -> LabelledText:
    """Load train, validation and test as ``options`` say.

    Raises:
        DataError: no such data or column, one class only, or a class in validation or test that
            train never saw; one line that says how to mend it.
    """
    read = read_labelled(options)
    clean, dropped, source, notes = read.splits, read.dropped, read.source, list(read.notes)
    splits, cuts = complete_splits(clean, options, source)
    notes += cuts
    check_unseen(splits, source)
    found = audit({name: table["text"][:] for name, table in splits.items()})
    notes.append(repeats_note(found))
    provenance = {
        "source": source,
        "rows": {name: len(table) for name, table in splits.items()},
        "classes": {
            name: dict(sorted(Counter(table["label"][:]).items())) for name, table in splits.items()
        },
        "splits": cuts or ["as the source gives them"],
        "left_out": {**dropped, "ragged_rows": read.ragged},
        "notes": notes,
        **found,
    }
    return LabelledText(splits, provenance, notes, overlap_warnings(found, splits))


@dataclass(frozen=True)
class ReadText:
    """Clean splits as the source has them."""

    splits: dict[str, Dataset]
    dropped: dict[str, dict[str, int]]  # of each split: reason → rows left out
    source: str
    notes: list[str]
    ragged: int


def read_labelled(options: TextOptions) -> ReadText:
    """Find the columns and clean the rows of every split that the source has."""
    if options.data in SAMPLES:
        table, notes = SAMPLES[options.data]()
        tables = Tables(DatasetDict({"train": table}), f"embedded {options.data}", notes)
    else:
        tables = load_tables(options.data, options.read)
    notes = list(tables.notes)
    splits: dict[str, Dataset] = {}
    dropped: dict[str, dict[str, int]] = {}
    for given, table in tables.splits.items():
        name = SPLIT_ALIASES.get(str(given), str(given))
        if name not in SPLITS:
            notes.append(f"the split {name!r} ({plural(len(table), 'row')}) is not used")
            continue
        where = tables.source if len(tables.splits) == 1 else f"{tables.source} ({given})"
        columns = find_columns(table, options.text_column, options.label_column, where)
        if columns[0] == columns[1]:
            raise DataError(f"{where}: the column {columns[0]!r} can't be both text and label")
        splits[name], dropped[name] = guarded(where, lambda t=table, c=columns: clean_rows(t, *c))
        if not len(splits[name]) and not dropped[name]["no label"]:
            raise DataError(f"{where} has no row with a text")
        lost = {reason: count for reason, count in dropped[name].items() if count}
        if lost:
            said = ", ".join(f"{count:,} with {reason}" for reason, count in lost.items())
            notes.append(f"{name}: left out {said}")
    return ReadText(splits, dropped, tables.source, notes, tables.ragged)


def load_one(options: TextOptions, name: str) -> tuple[Dataset, list[str]]:
    """One split of the source, nothing cut: the only one there is, or the one called ``name``.

    Raises:
        DataError: it has several and none of that name, or no usable row.
    """
    read = read_labelled(options)
    used = {split: table for split, table in read.splits.items() if len(table)}
    if len(used) == 1:
        return next(iter(used.values())), read.notes
    if name not in used:
        raise DataError(
            f"{read.source}: no usable {name} split; there are: {', '.join(used) or 'none'}"
        )
    return used[name], read.notes


def class_counts(table: Dataset) -> dict[str, int]:
    """How many rows each class has, by name."""
    return dict(sorted(Counter(table["label"][:]).items()))


def find_columns(table: Dataset, text: str, label: str, where: str) -> tuple[str, str]:
    """The names of the text and label columns: as given, or found by the usual names.

    Raises:
        DataError: not there; the message names those that are.
    """
    return (
        find_column(table, text, TEXT_NAMES, "text", where),
        find_column(table, label, LABEL_NAMES, "label", where),
    )


def find_column(table: Dataset, name: str, usual: Iterable[str], what: str, where: str) -> str:
    """The column called ``name``, or the first of the ``usual`` names that is there.

    Raises:
        DataError: there is none.
    """
    there = f"there are: {', '.join(table.column_names)}"
    if name:
        if name not in table.column_names:
            near = suggestion(name, table.column_names)
            raise DataError(f"{where}: there is no column {name!r}{near}; {there}")
        return name
    by_lower: dict[str, str] = {
        column.casefold(): column for column in reversed(table.column_names)
    }
    for candidate in usual:
        if candidate in by_lower:
            return by_lower[candidate]
    raise DataError(f"{where}: no {what} column found; name it with --{what}-column; {there}")


def clean_rows(table: Dataset, text: str, label: str) -> tuple[Dataset, dict[str, int]]:
    """Keep the two columns as strings and leave out rows without a text or a label.

    Returns:
        Columns ``text``, ``label`` and ``row`` (its number in the table, from 1), and how many rows
        were left out for which reason.
    """
    names = table.features[label].names if isinstance(table.features[label], ClassLabel) else None

    def text_of(value: Any) -> str:
        if isinstance(value, (list, dict, bytes)):
            raise DataError(f"the column {text!r} holds {type(value).__name__}s, not texts")
        return "" if value is None else str(value)

    def convert(batch: dict[str, list[Any]], places: list[int]) -> dict[str, list[Any]]:
        return {
            "text": [text_of(value) for value in batch[text]],
            "label": [label_text(value, names) for value in batch[label]],
            "row": [place + 1 for place in places],
        }

    kinds = {"text": Value("string"), "label": Value("string"), "row": Value("int64")}
    plain = table.map(
        convert, with_indices=True, batched=True,
        remove_columns=table.column_names, features=Features(kinds),
    )  # fmt: skip
    no_text = [not value.strip() for value in plain["text"][:]]
    no_label = [not value for value in plain["label"][:]]
    dropped = {
        "an empty text": sum(no_text),
        "no label": sum(b and not a for a, b in zip(no_text, no_label, strict=True)),
    }
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
        raise DataError(
            f"the label column holds {type(value).__name__}s ({str(value)[:40]});"
            " one label a row is expected"
        )
    if names is not None:
        return " ".join(str(names[value]).split()) if 0 <= value < len(names) else ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())


def complete_splits(
    found: Mapping[str, Dataset], options: TextOptions, source: str
) -> tuple[dict[str, Dataset], list[str]]:
    """Cut the splits that are missing from train, by text, stratified and seeded.

    Returns:
        The three splits, and a sentence for each that was cut.
    """
    splits = {name: table for name, table in found.items() if name in SPLITS and len(table)}
    if "train" not in splits:
        raise DataError(
            f"{source} has no row to train on; splits found: {', '.join(found) or 'none'}"
        )
    check_classes(splits["train"], source)
    total = len(splits["train"])
    shares = {"validation": options.validation_share, "test": options.test_share}
    notes = []
    for name in ("test", "validation"):
        if name in splits:
            continue
        train = splits["train"]
        share = shares[name] * total / len(train)
        first, second = cut(train["text"][:], train["label"][:], share, options.split_seed)
        splits["train"], splits[name] = train.select(first), train.select(second)
        seed = options.split_seed
        notes.append(
            f"{name}: {plural(len(second), 'row')} cut from train, stratified (split seed {seed})"
        )
    return {name: splits[name] for name in SPLITS}, notes


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
        raise DataError(
            f"{source}: {len(counts):,} different labels in {plural(len(train), 'row')}:"
            " that is not a class; name another with --label-column"
        )


def check_unseen(splits: Mapping[str, Dataset], source: str) -> None:
    """Refuse labels that can't be scored.

    Raises:
        DataError: validation or test has a class that train never has.
    """
    train = set(splits["train"]["label"][:])
    for name in ("validation", "test"):
        unseen = Counter(label for label in splits[name]["label"][:] if label not in train)
        if unseen:
            said = ", ".join(f"{label!r} ({count})" for label, count in unseen.most_common(3))
            raise DataError(
                f"{source}: {name} has {plural(unseen.total(), 'row')} whose label train never has:"
                f" {said}; add such rows to train or take them out"
            )


def repeats_note(found: Mapping[str, Any]) -> str:
    """How many texts repeat an earlier one of their split, exactly and normalised."""
    exact, plain = found["duplicates"]["exact"], found["duplicates"]["normalised"]
    counts = ", ".join(f"{name} {exact[name]:,} ({plain[name]:,})" for name in exact)
    return f"repeated texts (without case and spacing): {counts}"


def overlap_warnings(found: Mapping[str, Any], splits: Mapping[str, Dataset]) -> list[str]:
    """A warning for each pair of splits that share texts."""
    warnings = []
    for pair, count in found["overlap"]["normalised"].items():
        if count:
            first, second = pair.split("/")
            share = count / len(splits[second])
            warnings.append(
                f"{count:,} of {plural(len(splits[second]), f'{second} text')} ({share:.1%}) also"
                f" {agree(count, 'stands', 'stand')} in {first}: scores on {second} are flattered"
            )
    return warnings
