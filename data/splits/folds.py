"""Folds of a data set: every item is tested once, and what belongs together stays together.

scikit-learn deals the items out; here it is said which of them are one: repeated texts, and groups.
Origins that roll forward in time are in :mod:`birnn.data.series.splits`.
"""

import hashlib
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from birnn.arrays import Ints
from birnn.data.splits.cutting import FoldOptions, cut
from birnn.data.splits.provenance import FoldPart as FoldPart
from birnn.data.splits.provenance import normalise
from birnn.data.wording import plural
from birnn.errors import DataError

MOST_CHAINED = 1.5  # of a fold's fair share, that may be bound together through repeated items


@dataclass(frozen=True)
class FoldCut:
    """The item numbers of a fold's splits, each ascending."""

    train: Ints
    validation: Ints
    test: Ints


def digest_of(parts: Iterable[object]) -> str:
    """A digest of values by how they are written, in their order; borders count."""
    total = hashlib.sha256()
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "little") + data)
    return total.hexdigest()


def bound_together(*keys: Sequence[object]) -> Ints:
    """``[N]`` a number for each item, the same where two share any key, be it through others.

    Each of ``keys`` holds one for each item; an empty text is none.

    >>> bound_together(["a", "b", "a", "c"], ["x", "y", "y", "z"]).tolist()
    [0, 0, 0, 1]
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(keys[0])
    rows, columns, size = list[int](), list[int](), count
    for column in keys:
        places: dict[object, int] = {}
        for item, key in enumerate(column):
            if key != "":
                rows.append(item)
                columns.append(size + places.setdefault(key, len(places)))
        size += len(places)
    graph = coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), (size, size))
    found = connected_components(graph, directed=False)[1][:count]
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def bind(twins: Sequence[str], groups: Sequence[str], folds: int) -> tuple[Ints, str]:
    """``[N]`` as :func:`bound_together` has it, of repeated items and groups, and what to say.

    Short repeated items (``Thanks!``) can chain most groups together, which would leave one fold
    with nearly everything. Then groups alone are kept whole, and it is said. An item without a
    group is bound to its twins among these.
    """
    if not groups:
        return bound_together(twins), ""
    both = bound_together(twins, groups)
    largest = int(np.bincount(both).max())
    if largest * folds <= MOST_CHAINED * len(twins):
        return both, ""
    alone = [twin if group == "" else "" for twin, group in zip(twins, groups, strict=True)]
    share = f"{largest / len(twins):.0%}"
    chained = f"repeated items would chain groups with {share} of all into one fold"
    return bound_together(alone, groups), f"{chained}: they may stand in several, groups don't"


def deal(bound: Ints, labels: Sequence[str], folds: int, seed: int, *, grouped: bool) -> Ints:
    """``[N]`` the fold of each item, from 1, stratified by label; bound items stay together.

    Where items are bound by more than being alike (``grouped``), the sizes of what is bound count
    (:class:`sklearn.model_selection.StratifiedGroupKFold`); else each counts once
    (:class:`sklearn.model_selection.StratifiedKFold`), which is fast.

    Raises:
        DataError: fewer distinct items, or groups, than folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    _, first, member = np.unique(bound, return_index=True, return_inverse=True)
    what = "groups" if grouped else "distinct items"
    if len(first) < folds:
        raise DataError(f"folds: {len(first)} {what} are too few for {folds} folds; lower --folds")
    classes = np.asarray(labels, dtype=object).astype(str)
    counts = np.unique(classes if grouped else classes[first], return_counts=True)[1]
    if counts.max() < folds:  # no class reaches every fold: nothing can be stratified by
        classes = np.full(len(classes), "")
    found = np.zeros(len(bound), dtype=np.int64)
    kind = StratifiedGroupKFold if grouped else StratifiedKFold
    splitter = kind(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        if grouped:
            parts = [test for _, test in splitter.split(classes, classes, bound)]
        else:
            dealt = splitter.split(first, classes[first])
            parts = [np.flatnonzero(np.isin(member, test)) for _, test in dealt]
    for number, test in enumerate(parts, start=1):
        if not len(test):
            raise DataError(f"folds: {len(first)} {what} leave fold {number} empty; lower --folds")
        found[test] = number
    return found


def check_classes(found: Ints, labels: Sequence[str], bound: Ints, *, grouped: bool) -> None:
    """Refuse a class that a fold would be tested on and not trained on.

    Raises:
        DataError: a class has all its items in one fold; names it.
    """
    classes = np.asarray(labels, dtype=object).astype(str)
    for name in np.unique(classes):
        own = classes == name
        if len(np.unique(found[own])) < 2:
            parts = len(np.unique(bound[own]))
            what = plural(parts, "group" if grouped else "distinct text")
            mend = "add such rows or take them out"
            if parts > 1:
                mend = "another --split-seed can part them, or add such rows"
            alone = "fall into one fold: the model of that fold would not know it"
            raise DataError(f"folds: all rows of the class {str(name)!r} ({what}) {alone}; {mend}")


def cut_fold(
    bound: Ints, labels: Sequence[str], options: FoldOptions, share: float, seed: int, found: Ints
) -> FoldCut:  # fmt: skip
    """The items of one fold's splits: test is the fold, validation a ``share`` of the rest.

    Validation is cut as it is without folds, and what is bound together stays together there too.
    ``found`` is what :func:`deal` gave.

    Raises:
        DataError: the rest is too little to cut validation from.
    """
    rest = np.flatnonzero(found != options.fold)
    test = np.flatnonzero(found == options.fold)
    names = [str(number) for number in bound[rest]]
    first, second = cut(names, [labels[int(i)] for i in rest], share, seed)
    return FoldCut(rest[first], rest[second], test)


def in_words(
    options: FoldOptions, grouped: str, stratified: str, unit: str = "rows", chained: str = ""
) -> str:
    """How the folds are cut, in a sentence; ``chained`` is what :func:`bind` has to say."""
    by = f", stratified by {stratified}" if stratified else ""
    kept = f"{unit} of one {grouped} and repeated ones stay" if grouped else "repeated ones stay"
    kept = f"{unit} of one {grouped} stay" if chained else kept
    return f"{options.folds} folds{by}; {kept} in one fold"


def apart_note(count: int, one: str) -> str:
    """What is said of a test split that is given apart."""
    return (
        f"test ({plural(count, one)}, given apart) is in no fold and is not scored: score it once,"
        " at the end, with evaluate RUN --data … --split test"
    )


def twins(texts: Sequence[str]) -> list[str]:
    """What two texts are told to be one by."""
    return [normalise(text) for text in texts]
