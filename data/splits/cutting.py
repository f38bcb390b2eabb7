"""The one place that cuts splits: those that a source lacks come from train, seeded and fair."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from birnn.arrays import Ints
from birnn.data.splits.provenance import normalise
from birnn.data.tables.dialect import ReadOptions
from birnn.errors import DataError

SPLITS = ("train", "validation", "test")
SPLIT_ALIASES = {
    "training": "train", "valid": "validation", "val": "validation", "dev": "validation",
    "eval": "test", "evaluation": "test", "testing": "test",
}  # fmt: skip

Item = TypeVar("Item")
Items = TypeVar("Items", bound=Sized)


@dataclass(frozen=True)
class FoldOptions:
    """Which fold is tested; there are none where ``folds`` is 0."""

    folds: int = 0
    fold: int = 1  # from 1
    group: str = ""  # the column whose values stay together

    def __bool__(self) -> bool:
        return bool(self.folds)


@dataclass(frozen=True)
class SourceOptions:
    """What is read, how, and how much of train is cut for the splits that it lacks."""

    data: str
    validation_share: float = 0.1
    test_share: float = 0.1
    split_seed: int = 0
    read: ReadOptions = field(default_factory=ReadOptions)
    fold: FoldOptions = field(default_factory=FoldOptions, kw_only=True)

    @property
    def shares(self) -> dict[str, float]:
        """As :func:`complete_splits` takes them."""
        return {"test": self.test_share, "validation": self.validation_share}


def complete_splits(
    given: Mapping[str, Items],
    shares: Mapping[str, float],
    divide: Callable[[Items, str, float], tuple[Items, Items]],
    note: Callable[[int], str],
) -> tuple[dict[str, Items], list[str]]:
    """Cut the splits that are missing from train, in the order of ``shares``.

    Args:
        given: the splits there are, train among them.
        shares: of the whole of train, for each split that may be cut.
        divide: from what is left of train, the name of a split and how many items it should have
            (not rounded), to the new train and that split.
        note: what is said of a split of so many items that was cut.

    Returns:
        The three splits, and a sentence for each that was cut.
    """
    splits = dict(given)
    total = len(splits["train"])
    notes = []
    for name, share in shares.items():
        if name not in splits:
            splits["train"], splits[name] = divide(splits["train"], name, share * total)
            notes.append(f"{name}: {note(len(splits[name]))}")
    return {name: splits[name] for name in SPLITS}, notes


def check_unseen(
    kinds: Mapping[str, Iterable[Iterable[str]]],
    refusal: Callable[[str, int, Counter[str], str], str],
) -> None:
    """Refuse what can't be scored.

    Args:
        kinds: of each split, what must be known of each item: its label, or its tags.
        refusal: the message, from the split's name, its first such item, all kinds that train
            never has with their counts, and the most common ones of them in words.

    Raises:
        DataError: validation or test has a kind that train never has.
    """
    known = {kind for item in kinds["train"] for kind in item}
    for name in ("validation", "test"):
        items = enumerate(kinds[name])
        new = [(i, kind) for i, item in items for kind in item if kind not in known]
        if new:
            unseen = Counter(kind for _, kind in new)
            words = ", ".join(f"{kind!r} ({count})" for kind, count in unseen.most_common(3))
            raise DataError(refusal(name, new[0][0], unseen, words))


def cut_items(
    items: Sequence[Item], size: int, random: np.random.Generator
) -> tuple[list[Item], list[Item]]:
    """Split items in two at random: all but ``size`` of them, and those."""
    order = random.permutation(len(items))
    return [items[i] for i in order[size:]], [items[i] for i in order[:size]]


def cut(texts: Sequence[str], labels: Sequence[str], share: float, seed: int) -> tuple[Ints, Ints]:
    """Split rows in two, stratified by label, with no text (normalised) on both sides.

    ``share``, strictly between 0 and 1, is how many of the distinct texts go to the second part.

    Returns:
        Row numbers of the first and of the second part, each ascending.

    Raises:
        DataError: too few distinct texts to take a share from each class.
    """
    from sklearn.model_selection import train_test_split

    rows = list(_twins(texts).values())
    classes = np.array([labels[members[0]] for members in rows])
    names, counts = np.unique(classes, return_counts=True)
    # A class of one text can't stand on both sides: it is trained on.
    rare = np.isin(classes, names[counts < 2])
    common = np.flatnonzero(~rare)
    kinds = len(np.unique(classes[common]))
    size = max(round(share * len(common)), kinds)
    if len(common) - size < kinds or kinds == 0:
        among = f" in {len(names)} classes" if len(names) > 1 else ""
        few = f"{len(rows)} distinct texts{among} are too few to cut a split from"
        raise DataError(f"{few}; give more rows, or files for train, validation and test")
    parts = train_test_split(common, test_size=size, stratify=classes[common], random_state=seed)
    parts[0] = np.concatenate([parts[0], np.flatnonzero(rare)])
    members = (sorted(row for group in part for row in rows[group]) for part in parts)
    first, second = (np.array(part, dtype=np.int64) for part in members)
    return first, second


def cut_covering(
    texts: Sequence[str], labels: Sequence[str], kinds: Sequence[set[str]], share: float, seed: int
) -> tuple[Ints, Ints]:
    """As :func:`cut`, so that the first part has all ``kinds`` that the second has."""
    labels = list(labels)
    twins = _twins(texts)
    while True:
        first, second = cut(texts, labels, share, seed)
        missing = set().union(*(kinds[i] for i in second)) - set().union(*(kinds[i] for i in first))
        if not missing:
            return first, second
        for i in second:
            if kinds[i] & missing:
                missing -= kinds[i]
                for twin in twins[normalise(texts[i])]:
                    labels[twin] = f"kept {i}"  # a class of one text: it is trained on


def _twins(texts: Sequence[str]) -> dict[str, list[int]]:
    """The rows of each normalised text."""
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        rows.setdefault(normalise(text), []).append(row)
    return rows
