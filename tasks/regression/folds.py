"""Sequences cut into folds."""

from collections.abc import Mapping, Sequence
from typing import Any

from birnn.arrays import Array
from birnn.data.splits import folds
from birnn.data.splits.cutting import FoldOptions
from birnn.data.splits.provenance import FoldPart

FOLDED = ("train", "validation")  # the splits that are cut into folds, where they are given
Pairs = list[tuple[Array, Array]]  # features [T_i, F] and target [T_i] of each sequence


def fold_sequences(
    parts: Mapping[str, Pairs], groups: Sequence[Sequence[Any]] | None, fold: FoldOptions,
    share: float, seed: int,
) -> tuple[dict[str, Pairs], list[str], FoldPart]:  # fmt: skip
    """The splits of one fold of train and validation, what was cut, and where its sequences stand.

    A test split that is given apart is left out. ``groups`` are those of each sequence of each
    split; ``share`` of all sequences validate.

    Raises:
        DataError: too few sequences or groups.
    """
    whole = [pair for name in FOLDED for pair in parts.get(name, [])]
    twins = [x.tobytes() + y.tobytes() for x, y in whole]
    own = [str(cell) for part in groups or () for cell in part]
    bound = folds.bound_together(twins, *([own] if own else []))
    labels = [""] * len(whole)
    found = folds.deal(bound, labels, fold.folds, seed, grouped=bool(own))
    rest = max(int((found != fold.fold).sum()), 1)
    cut = folds.cut_fold(bound, labels, fold, min(share * len(whole) / rest, 0.5), seed, found)
    how = folds.in_words(fold, fold.group, "", "sequences")
    sizes = f"train {len(cut.train):,}, validation {len(cut.validation):,}, test {len(cut.test):,}"
    notes = [f"{how} (split seed {seed}); fold {fold.fold}: {sizes}"]
    if "test" in parts:
        notes.append(folds.apart_note(len(parts["test"]), "sequence"))
    splits = {
        name: [whole[i] for i in getattr(cut, name)] for name in ("train", "validation", "test")
    }
    digest = folds.digest_of(part.hex() for part in twins)
    return splits, notes, FoldPart(fold.fold, fold.folds, cut.test, len(whole), digest, how)
