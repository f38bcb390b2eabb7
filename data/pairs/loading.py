"""Pairs of a source, cut into splits that share no source, with what was noticed on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Ints
from birnn.data.pairs.bible import PAIR_SAMPLES
from birnn.data.pairs.columns import PairColumns, read_columns
from birnn.data.pairs.findings import KINDS, OddPairs, apart_from, odd_pairs
from birnn.data.pairs.options import PairOptions
from birnn.data.pairs.parallel import parallel_tables
from birnn.data.splits import folds
from birnn.data.splits.cutting import SPLIT_ALIASES, SPLITS, complete_splits
from birnn.data.splits.provenance import FoldPart, describe, normalise
from birnn.data.tables.columns import check_column
from birnn.data.tables.formats import FORMATS
from birnn.data.tables.sources import Tables, load_tables
from birnn.data.wording import agree, number_list, plural
from birnn.errors import DataError, brief

GROUP = "chapter"  # the column of an embedded sample whose rows stay in one split
LISTED = 5  # odd pairs that a note names
FOLDED = ("train", "validation")  # the splits that are cut into folds, where they are given


@dataclass(frozen=True)
class Pairs:
    """``N`` sources with their targets, where they stand, and what keeps some of them together."""

    sources: list[str]
    targets: list[str]
    places: list[int]  # lines, or numbers of rows from 1
    groups: list[str]
    odd: OddPairs = field(default_factory=lambda: OddPairs([], [], []))  # places, by kind
    apart: int | None = None  # from which place on, about, the sides don't belong together

    def __len__(self) -> int:
        return len(self.sources)

    def select(self, rows: Sequence[int] | Ints) -> "Pairs":
        """The pairs of these numbers."""
        return Pairs(
            [self.sources[i] for i in rows], [self.targets[i] for i in rows],
            [self.places[i] for i in rows], [self.groups[i] for i in rows], self.odd, self.apart,
        )  # fmt: skip


@dataclass(frozen=True)
class ReadPairs:
    """The pairs of each split of a source, without the empty ones."""

    tables: Tables
    splits: dict[str, Pairs]
    columns: dict[str, str]
    notes: list[str]

    @property
    def warnings(self) -> list[str]:
        """What can't be missed."""
        return [
            *self.tables.warnings,
            *(
                f"{name}: lengths of sources and targets don't go together from about row"
                f" {part.apart:,} on: is a line missing on one side?"
                for name, part in self.splits.items()
                if part.apart is not None
            ),
        ]


@dataclass(frozen=True)
class LoadedPairs:
    """Splits ready for training, and where they came from."""

    splits: dict[str, Pairs]
    provenance: dict[str, Any]
    notes: list[str]
    warnings: list[str]
    reading: dict[str, Any]
    fold: FoldPart | None = None


def read_pairs(options: PairOptions) -> ReadPairs:
    """The pairs of every split that a source holds; empty ones are left out and counted.

    Raises:
        DataError: it can't be read, or has no columns that could be source and target.
    """
    tables = _tables(options)
    notes, splits, columns = list(tables.notes), dict[str, Pairs](), dict[str, str]()
    for given, table in tables.splits.items():
        name = SPLIT_ALIASES.get(str(given).casefold(), str(given))
        where = tables.source if len(tables.splits) == 1 else f"{tables.source} ({given})"
        found = read_columns(table, options, where)
        columns = {"source": found.source, "target": found.target}
        pairs = _pairs(table, found, tables.lines.get(str(given)), options, where)
        if name not in SPLITS:
            notes.append(f"the split {name!r} ({plural(len(pairs), 'pair')}) is not used")
            continue
        splits[name] = pairs
        notes += odd_notes(name, pairs.odd)
    notes.append(f"source: {columns['source']!r}, target: {columns['target']!r}")
    return ReadPairs(tables, splits, columns, notes)


def odd_notes(name: str, odd: OddPairs) -> list[str]:
    """What is said of the odd pairs of a split, and what is done with them."""
    return [
        f"{name}: {plural(len(places), 'pair')} {KINDS[kind]} ({_places(places)}):"
        f" {'left out' if kind == 'empty' else 'kept'}"
        for kind, places in odd._asdict().items()
        if places
    ]


def _places(places: Sequence[int]) -> str:
    return f"row {number_list(places[:LISTED])}{', …' if len(places) > LISTED else ''}"


def _tables(options: PairOptions) -> Tables:
    if options.data in PAIR_SAMPLES and not options.target_data:
        table, notes = PAIR_SAMPLES[options.data]()
        return Tables({"train": table}, f"embedded {options.data}", notes)
    told = bool(options.source_column or options.target_column or options.remembered)
    found = parallel_tables(options.data, options.target_data, options.read, told=told)
    path = Path(options.data).expanduser()
    if found is None and path.is_file() and path.suffix.lower() not in FORMATS:
        tables = ", ".join(FORMATS)
        raise DataError(
            f"{path}: a file of lines needs another of their translations, --target-data; tables"
            f" are {tables}"
        )
    return found or load_tables(options.data, options.read, aliases={}, samples=[*PAIR_SAMPLES])


def _pairs(table: Any, found: PairColumns, lines: Ints | None, options: PairOptions,
           where: str) -> Pairs:  # fmt: skip
    assert found.targets is not None
    sources, targets = (_texts(cells, where) for cells in (found.sources, found.targets))
    group = options.fold.group or (GROUP if options.data in PAIR_SAMPLES else "")
    groups = [""] * len(sources)
    if group:
        check_column(group, table.column_names, where)
        groups = _texts(table[group][:], where)
    places = list(range(1, len(sources) + 1))
    if lines is not None and len(lines) == len(sources):
        places = lines.tolist()
    odd = odd_pairs(sources, targets)
    empty = set(odd.empty)
    filled = [i for i in range(len(sources)) if i not in empty]
    told = OddPairs(*([places[i] for i in kind] for kind in odd))
    pairs = Pairs(sources, targets, places, groups, told).select(filled)
    first = apart_from(pairs.sources, pairs.targets)
    return pairs if first is None else replace(pairs, apart=pairs.places[first])


def _texts(cells: Sequence[Any], where: str) -> list[str]:
    """Cells as texts; half a surrogate pair, which no encoding can hold, is a question mark.

    Raises:
        DataError: a cell holds several things.
    """
    for row, cell in enumerate(cells, start=1):
        if isinstance(cell, (Mapping, list, tuple)):
            what = f"a cell is no text but a {type(cell).__name__}: {brief(cell)}"
            raise DataError(f"{where} row {row}: {what}; leave the row out")
    texts = ("" if cell is None else str(cell) for cell in cells)
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def load_pairs(options: PairOptions) -> LoadedPairs:
    """Read a source and cut the splits that it lacks.

    Raises:
        DataError: as :func:`read_pairs`, no split to train on, or too few pairs to cut from.
    """
    read = read_pairs(options)
    splits, source = read.splits, read.tables.source
    if "train" not in splits:
        raise DataError(f"{source} has no train split; there are: {', '.join(splits) or 'none'}")
    empty = [name for name, part in splits.items() if not len(part)]
    if empty:
        raise DataError(f"{source}: no pair of {empty[0]} has both a source and a target")
    fold = None
    if options.fold:
        splits, cuts, fold = _fold(splits, options)
    else:
        splits, cuts = _complete(splits, options, source)
    left = {name: len(part.odd.empty) for name, part in read.splits.items()}
    own = {"odd": {n: {k: len(v) for k, v in p.odd._asdict().items()}
                   for n, p in read.splits.items()}}  # fmt: skip
    texts = {name: part.sources for name, part in splits.items()}
    provenance, notes, warnings = describe(source, texts, cuts, left, read.notes, "source", **own)
    provenance["unit"] = "pairs"
    reading = {**read.tables.reading, "columns": read.columns}
    return LoadedPairs(splits, provenance, notes, [*read.warnings, *warnings], reading, fold)


def load_one_pairs(options: PairOptions, name: str) -> tuple[Pairs, list[str]]:
    """Pairs to score, of a source in one piece or of its split ``name``.

    Raises:
        DataError: as :func:`read_pairs`, or no such split.
    """
    read = read_pairs(options)
    if name not in read.splits and len(read.splits) != 1:
        there = ", ".join(read.splits) or "none"
        raise DataError(f"{options.data}: no {name} split; there are: {there}")
    pairs = read.splits[name] if name in read.splits else next(iter(read.splits.values()))
    if not len(pairs):
        raise DataError(f"{options.data}: no pair has both a source and a target")
    return pairs, [*read.notes, *read.warnings]


def _keys(pairs: Pairs) -> list[str]:
    """What keeps pairs on one side of a cut: their group, else their source."""
    both = zip(pairs.groups, pairs.sources, strict=True)
    return [f"g{group}" if group else f"s{normalise(source)}" for group, source in both]


def _complete(
    splits: Mapping[str, Pairs], options: PairOptions, source: str
) -> tuple[dict[str, Pairs], list[str]]:
    """The three splits; those that are missing are cut from train by whole groups."""
    generator = np.random.default_rng(options.split_seed)
    total = len(splits["train"])

    def divide(train: Pairs, name: str, size: float) -> tuple[Pairs, Pairs]:
        keys = np.unique(_keys(train), return_inverse=True)[1]
        order = generator.permutation(int(keys.max()) + 1)
        counts = np.bincount(keys)[order]
        taken = int(np.searchsorted(np.cumsum(counts), max(1, round(size)))) + 1
        if taken >= len(order):
            few = f"{plural(total, 'pair')} {agree(total, 'is', 'are')} too few to cut {name} from"
            raise DataError(f"{source}: {few}; give more, or a file for each split")
        own = np.isin(keys, order[:taken])
        return train.select(np.flatnonzero(~own)), train.select(np.flatnonzero(own))

    whole = any(splits["train"].groups)
    what = f"whole {GROUP}s" if whole and not options.fold.group else "equal sources together"
    cut = f"pairs cut from train ({what}; seed {options.split_seed})"
    return complete_splits(splits, options.shares, divide, lambda count: f"{count:,} {cut}")


def _fold(
    splits: Mapping[str, Pairs], options: PairOptions
) -> tuple[dict[str, Pairs], list[str], FoldPart]:
    """The splits of one fold of train and validation."""
    own = [splits[name] for name in FOLDED if name in splits]
    whole = Pairs(
        [text for part in own for text in part.sources],
        [text for part in own for text in part.targets],
        [place for part in own for place in part.places],
        [group for part in own for group in part.groups],
    )
    fold, labels = options.fold, [""] * len(whole)
    bound = folds.bound_together(_keys(whole))
    grouped = any(whole.groups)
    found = folds.deal(bound, labels, fold.folds, options.split_seed, grouped=grouped)
    rest = max(int((found != fold.fold).sum()), 1)
    share = min(options.validation_share * len(whole) / rest, 0.5)
    cut = folds.cut_fold(bound, labels, fold, share, options.split_seed, found)
    how = folds.in_words(fold, fold.group, "", "pairs")
    rows = {name: getattr(cut, name) for name in SPLITS}
    sizes = ", ".join(f"{name} {len(part):,}" for name, part in rows.items())
    notes = [f"{how} (split seed {options.split_seed}); fold {fold.fold}: {sizes}"]
    if "test" in splits:
        notes.append(folds.apart_note(len(splits["test"]), "pair"))
    digest = folds.digest_of([*whole.sources, *whole.targets])
    part = FoldPart(fold.fold, fold.folds, cut.test, len(whole), digest, how)
    return {name: whole.select(numbers) for name, numbers in rows.items()}, notes, part
