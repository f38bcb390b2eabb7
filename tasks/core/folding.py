"""Which fold of the data a task's options name."""

from typing import Any

from birnn.data.splits.cutting import FoldOptions


def fold_options(data: Any) -> FoldOptions:
    """The fold of the options ``data``; none where all are asked for, or there are none."""
    if not data.folds or not data.fold:
        return FoldOptions()
    return FoldOptions(data.folds, data.fold, data.fold_group)
