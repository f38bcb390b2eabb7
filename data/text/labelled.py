"""Labelled texts: rows read and cleaned, missing splits cut, provenance counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from birnn.data.splits import cutting
from birnn.data.splits.provenance import SplitText, describe
from birnn.data.tables.hugging_face import guarded
from birnn.data.text.choosing import (
    Asked,
    Columns,
    choose_columns,
    describe_columns,
    same_name,
)
from birnn.data.text.folded import cut_texts
from birnn.data.text.labels import MAX_CLASSES as MAX_CLASSES
from birnn.data.text.labels import class_warnings
from birnn.data.text.labels import label_text as label_text
from birnn.data.text.options import TextOptions as TextOptions
from birnn.data.text.rows import LISTED, Cleaned, clean_rows, joined_texts, rows_in_words
from birnn.data.text.splits import RawTexts, read_raw
from birnn.data.text.twins import (
    Contradiction,
    contradictions,
    contradictions_in_words,
    wordless,
)
from birnn.data.wording import number_list, plural
from birnn.errors import DataError

NO_CLASS = "-1"  # what a test split has in place of labels that are kept secret


@dataclass(frozen=True)
class LabelledText(SplitText):
    """Splits with the string columns ``text`` and ``label``, both never empty, and ``row``.

    Where a row has several texts, the others are ``text_2``, ``text_3``, ….
    """

    reading: dict[str, Any] = field(default_factory=dict)  # as a run remembers it


@dataclass(frozen=True)
class ReadTexts:
    """All splits of a source, cleaned, nothing cut."""

    raw: RawTexts
    columns: Columns  # of train, or of the first split
    splits: dict[str, Cleaned]  # those that are used
    unlabelled: dict[str, int]  # splits without labels → their texts
    notes: list[str]
    warnings: list[str]

    @property
    def source(self) -> str:
        """In plain words."""
        return self.raw.tables.source

    @property
    def reading(self) -> dict[str, Any]:
        """What a run remembers."""
        return {**self.raw.tables.reading, "columns": self.columns.to_json()}

    @property
    def left_out(self) -> dict[str, dict[str, int]]:
        """Of each split: for which reason how many rows were left out."""
        return {name: part.counts for name, part in self.splits.items()}


def load_labelled(options: TextOptions) -> LabelledText:
    """Load train, validation and test as ``options`` say.

    Raises:
        DataError: no such data or column, one class only, or a class in validation or test that
            train never saw; one line that says how to mend it.
    """
    read = read_labelled(options)
    given = {name: part.table for name, part in read.splits.items()}
    if "train" not in given:
        there = ", ".join([*given, *read.unlabelled]) or "none"
        raise DataError(f"{read.source} has no row to train on with a label; splits found: {there}")
    check_classes(given["train"], read.source)
    fold = None
    if options.fold:
        splits, cuts, fold = cut_texts(read.raw, read.splits, options)
    else:
        splits, cuts = _complete(given, options)
    labels = {name: table["label"][:] for name, table in splits.items()}
    cutting.check_unseen(
        {name: zip(column, strict=True) for name, column in labels.items()},
        lambda name, _, unseen, words: (
            f"{read.source}: {name} has {plural(unseen.total(), 'row')}"
            f" whose label train never has: {words}; add such rows to train or take them out"
        ),
    )
    twins = find_contradictions(read)
    provenance, notes, warnings = describe(
        read.source, {name: joined_texts(table) for name, table in splits.items()}, cuts,
        {**read.left_out, "ragged_rows": read.raw.tables.ragged}, read.notes, "text",
        classes={name: dict(sorted(Counter(column).items())) for name, column in labels.items()},
        columns=read.columns.to_json(), unlabelled=read.unlabelled,
        contradictions={"texts": len(twins), "rows": sum(len(one.rows) for one in twins)},
    )  # fmt: skip
    return LabelledText(splits, provenance, notes, [*read.warnings, *warnings], read.reading,
                        fold=fold)  # fmt: skip


def _complete(given: Mapping[str, Any], options: TextOptions) -> tuple[dict[str, Any], list[str]]:
    """The three splits, those that are missing cut from train; and what was cut."""
    seed = options.split_seed

    def divide(train: Any, name: str, rows: float) -> tuple[Any, Any]:
        first, second = cutting.cut(joined_texts(train), train["label"][:], rows / len(train), seed)
        return train.select(first), train.select(second)

    return cutting.complete_splits(
        given, options.shares, divide,
        lambda rows: f"{plural(rows, 'row')} cut from train, stratified (split seed {seed})",
    )  # fmt: skip


def read_labelled(options: TextOptions) -> ReadTexts:
    """The source's splits, cleaned; nothing is cut.

    Raises:
        DataError: it can't be read, lacks a column, or holds no text.
    """
    raw = read_raw(options, options.split_column)
    notes, warnings = list(raw.notes), list(raw.tables.warnings)
    ordered = [name for name in cutting.SPLITS if name in raw.splits]
    if not ordered:
        there = ", ".join(map(str, raw.tables.splits)) or "none"
        raise DataError(f"{raw.tables.source} has no row to train on; splits found: {there}")
    first = ordered[0]
    asked = Asked(options.text_columns, options.label_column, options.remembered)
    columns = choose_columns(raw.splits[first].table, asked, _where(raw, first))
    notes += [describe_columns(columns), *columns.notes]
    warnings += columns.warnings
    splits: dict[str, Cleaned] = {}
    for name in ordered:
        own = columns if name == first else _same_columns(raw, name, options, columns, warnings)
        if own is not None:
            splits[name] = _clean(raw, name, own, splits.get(first))
    unlabelled = {n: part.unlabelled for n, part in splits.items() if not len(part.table)}
    labelled = {name: part for name, part in splits.items() if name not in unlabelled}
    notes += [rows_in_words(n, part, raw.splits[n].unit) for n, part in labelled.items()]
    notes += [_unlabelled_note(raw, name, count) for name, count in unlabelled.items()]
    notes += dict.fromkeys(note for part in splits.values() for note in part.notes)
    read = ReadTexts(raw, columns, labelled, unlabelled, notes, warnings)
    return _with_remarks(read)


def _where(raw: RawTexts, name: str) -> str:
    """A split in words."""
    return raw.tables.source if len(raw.splits) == 1 else f"{raw.tables.source} ({name})"


def _same_columns(
    raw: RawTexts, name: str, options: TextOptions, first: Columns, warnings: list[str]
) -> Columns | None:
    """The columns of a split that are those of the first; None where it has no texts.

    Raises:
        DataError: a column of texts that was named is not there.
    """
    table = raw.splits[name].table
    label = same_name(first.label, table.column_names) or None
    asked = Asked(options.text_columns, label, first.to_json())
    try:
        return choose_columns(table, asked, _where(raw, name))
    except DataError:
        if any(options.text_columns):
            raise
        there = ", ".join(table.column_names)
        warnings.append(f"{name} is not used: it has no column of texts; there are: {there}")
        return None


def _clean(raw: RawTexts, name: str, columns: Columns, train: Cleaned | None) -> Cleaned:
    """The usable rows of a split; labels that are all -1, as no row of train's is, are none."""
    part, where = raw.splits[name], _where(raw, name)
    read: Cleaned = guarded(where, lambda: clean_rows(part, columns))
    hidden = train is not None and set(read.table.unique("label")) == {NO_CLASS}
    if hidden and train is not None and NO_CLASS not in train.table.unique("label"):
        none = replace(columns, label="")
        read = clean_rows(part, none)
    if not len(read.table) and not read.unlabelled:
        raise DataError(f"{where} has no row with a text")
    return read


def _unlabelled_note(raw: RawTexts, name: str, count: int) -> str:
    """What is said of a split of texts without labels."""
    texts = plural(count, "text")
    return f"{name}: {texts} without labels ({raw.place_of(name)}): not scored; predict labels them"


def find_contradictions(read: ReadTexts) -> list[Contradiction]:
    """The texts of all splits that stand with several labels."""
    parts = read.splits.values()
    return contradictions(
        (text for part in parts for text in joined_texts(part.table)),
        (label for part in parts for label in part.table["label"][:]),
        (place for part in parts for place in part.places),
    )


def _with_remarks(read: ReadTexts) -> ReadTexts:
    """What should be looked at, beside what was left out."""
    warnings, notes = list(read.warnings), list(read.notes)
    unit = next(iter(read.raw.splits.values())).unit
    counts = Counter(label for part in read.splits.values() for label in part.table["label"][:])
    warnings += class_warnings(counts)
    if twins := find_contradictions(read):
        warnings.append(f"{contradictions_in_words(twins, unit)}: no model can be right on all")
    rows = [
        row for part in read.splits.values()
        for text, row in zip(joined_texts(part.table), part.places, strict=True)
        if wordless(text)
    ]  # fmt: skip
    if rows:
        what = f"{plural(len(rows), 'text')} without a letter or digit"
        notes.append(f"{what} ({unit} {number_list(rows[:LISTED])}): used as they are")
    return replace(read, notes=notes, warnings=warnings)


def load_one(options: TextOptions, name: str) -> tuple[Any, list[str]]:
    """One split of the source, nothing cut: the only one there is, or the one called ``name``.

    Raises:
        DataError: it has several and none of that name, or no usable row.
    """
    read = read_labelled(options)
    used = {split: part.table for split, part in read.splits.items()}
    if len(used) == 1:
        return next(iter(used.values())), [*read.notes, *read.warnings]
    if name not in used:
        there = ", ".join(used) or "none"
        hint = "; it holds texts without labels: predict labels them" if read.unlabelled else ""
        raise DataError(f"{read.source}: no usable {name} split; there are: {there}{hint}")
    return used[name], [*read.notes, *read.warnings]


def find_columns(table: Any, texts: Sequence[str], label: str, where: str) -> tuple[list[str], str]:
    """The names of the columns of texts and of the label: as given, or found by the usual names.

    Raises:
        DataError: not there; the message names those that are. Or one stands for two things.
    """
    columns = choose_columns(table, Asked(tuple(texts), label), where)
    return columns.texts, columns.label


def check_classes(train: Any, source: str) -> None:
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
