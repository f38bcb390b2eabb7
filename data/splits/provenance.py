"""Where the rows came from: duplicates within splits, overlap between them, and fair cuts."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
from sklearn.model_selection import train_test_split

from birnn.arrays import Ints
from birnn.errors import DataError


def normalise(text: str) -> str:
    r"""What two texts are compared by: without case and spacing.

    >>> normalise("  So  GOOD\n")
    'so good'
    """
    return " ".join(text.casefold().split())


def duplicates(texts: Iterable[str]) -> int:
    """How many texts repeat an earlier one."""
    seen: set[int] = set()
    count = 0
    for text in texts:
        key = hash(text)
        count += key in seen
        seen.add(key)
    return count


def overlaps(splits: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """For each pair of splits, how many texts of the later one also stand in the earlier one.

    >>> overlaps({"train": ["a", "b"], "test": ["b", "b", "c"]})
    {'train/test': 2}
    """
    sets = {name: set(texts) for name, texts in splits.items()}
    return {
        f"{first}/{second}": sum(text in sets[first] for text in splits[second])
        for first, second in combinations(splits, 2)
    }


def audit(splits: Mapping[str, Sequence[str]]) -> dict[str, dict[str, dict[str, int]]]:
    """Duplicates within and overlap between splits, by exact and by normalised text."""
    exact = {name: list(texts) for name, texts in splits.items()}
    plain = {name: [normalise(text) for text in texts] for name, texts in exact.items()}
    return {
        "duplicates": {
            "exact": {name: duplicates(texts) for name, texts in exact.items()},
            "normalised": {name: duplicates(texts) for name, texts in plain.items()},
        },
        "overlap": {"exact": overlaps(exact), "normalised": overlaps(plain)},
    }


def cut(texts: Sequence[str], labels: Sequence[str], share: float, seed: int) -> tuple[Ints, Ints]:
    """Split rows in two, stratified by label, with no text (normalised) on both sides.

    Args:
        texts: ``N`` texts.
        labels: their classes.
        share: of the distinct texts, how many go to the second part; strictly between 0 and 1.
        seed: of the shuffle.

    Returns:
        Row numbers of the first and of the second part, each ascending.

    Raises:
        DataError: too few distinct texts to take a share from each class.
    """
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        groups.setdefault(normalise(text), []).append(row)
    rows = list(groups.values())
    classes = np.array([labels[members[0]] for members in rows])
    names, counts = np.unique(classes, return_counts=True)
    # A class of one text can't stand on both sides: it is trained on.
    rare = np.isin(classes, names[counts < 2])
    common = np.flatnonzero(~rare)
    kinds = len(np.unique(classes[common]))
    size = max(round(share * len(common)), kinds)
    if len(common) - size < kinds or kinds == 0:
        raise DataError(
            f"{len(rows)} distinct texts in {len(names)} classes are too few to cut a split from;"
            " give more rows, or files for train, validation and test"
        )
    first, second = train_test_split(
        common, test_size=size, stratify=classes[common], random_state=seed
    )
    first = np.concatenate([first, np.flatnonzero(rare)])

    def members(part: Ints) -> Ints:
        return np.array(sorted(row for group in part for row in rows[group]), dtype=np.int64)

    return members(first), members(second)
