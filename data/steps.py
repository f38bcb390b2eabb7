"""Sequences of feature vectors with a target at each step: synthetic, or from a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from birnn.arrays import Floats, Ints
from birnn.data.tables.columns import check_column
from birnn.errors import DataError
from birnn.nn.batch import Batch

LARGEST = 1e15  # beyond it, squares lose the digits that a fit needs


@dataclass(frozen=True)
class StepSplit:
    """``N`` sequences; item ``i`` has features ``[T_i, F]`` and a target a step, ``[T_i]``."""

    features: list[Floats]
    targets: list[Floats]
    shift: Floats  # [F + 1], subtracted before the network sees features and target
    scale: Floats  # [F + 1], divided by

    def __len__(self) -> int:
        return len(self.features)

    @property
    def lengths(self) -> Ints:
        """``[N]`` steps."""
        return np.array([len(part) for part in self.features], dtype=np.int64)

    def batch(self, indices: Ints) -> Batch:
        """Padded, scaled sequences; targets are scaled too."""
        lengths = self.lengths[indices]
        steps = int(lengths.max())
        features = np.zeros((len(indices), steps, len(self.shift) - 1), dtype=np.float32)
        targets = np.zeros((len(indices), steps), dtype=np.float32)
        for row, item in enumerate(indices):
            size = len(self.features[item])
            features[row, :size] = (self.features[item] - self.shift[:-1]) / self.scale[:-1]
            targets[row, :size] = (self.targets[item] - self.shift[-1]) / self.scale[-1]
        inputs = {"features": torch.from_numpy(features)}
        return Batch(inputs, torch.from_numpy(lengths), torch.from_numpy(targets))


def synthetic(count: int, length: int, size: int, seed: int) -> tuple[list[Floats], list[Floats]]:
    """Sequences whose target needs the steps on both sides.

    ``y_t = tanh(a·x_{t-1} + b·x_t + c·x_{t+1}) + ε`` with standard normal ``x``, fixed seeded
    ``a, b, c`` and ``ε ~ N(0, 0.1²)``; steps outside the sequence count as zero.

    Returns:
        ``count`` features ``[length, size]`` and targets ``[length]``.
    """
    before, here, after = np.random.default_rng(2024).normal(size=(3, size)) / np.sqrt(size)
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, length, size))
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
    mixed = padded[:, :-2] @ before + x @ here + padded[:, 2:] @ after
    y = np.tanh(mixed) + 0.1 * generator.normal(size=(count, length))
    return list(x), list(y)


def numeric_columns(table: Any, skip: set[str], name: str) -> Mapping[str, Floats]:
    """Every column of ``table`` but ``skip`` as finite numbers.

    Raises:
        DataError: a value that is no number or beyond 1e15; names the column and the row.
    """
    columns = {}
    for column in table.column_names:
        if column in skip:
            continue
        values = table[column][:]
        numbers = np.empty(len(values))
        for row, value in enumerate(values):
            try:
                numbers[row] = float(value)
            except (TypeError, ValueError):
                numbers[row] = np.nan
            if not abs(numbers[row]) <= LARGEST:
                where = f"{name}: column {column!r}, row {row + 1}"
                raise DataError(f"{where}: {value!r} is not a number that can be used")
        columns[column] = numbers
    return columns


def sequence_rows(table: Any, group: str, length: int) -> list[Ints]:
    """The rows of each sequence of a table; see :func:`cut_sequences`."""
    rows = len(table)
    if not group:
        return [np.arange(start, min(start + length, rows)) for start in range(0, rows, length)]
    keys = np.asarray([str(key) for key in table[group][:]])
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    places = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse))[:-1])
    return [places[k] for k in np.argsort(first)]


def cut_sequences(
    table: Any, target: str, group: str, length: int, name: str, skip: str = ""
) -> tuple[list[str], list[Floats], list[Floats]]:
    """Make sequences from the rows of a table, one a step.

    Args:
        target: the column to predict at each step.
        group: the column that says which sequence a row belongs to (rows in order); empty: the
            rows are one long recording, cut every ``length`` rows.
        skip: a column that is no feature.

    Returns:
        The feature names ``F``, features ``[T_i, F]`` and targets ``[T_i]`` of each sequence.

    Raises:
        DataError: a missing column, no feature left, or a value that is not a number.
    """
    for column, option in ((target, "--target"), (group, "--sequence-column")):
        if column:
            check_column(column, table.column_names, name, option)
    if group == target:
        raise DataError(f"{name}: the column {target!r} can't be both target and sequence")
    columns = numeric_columns(table, {group, skip}, name)
    names = [column for column in columns if column != target]
    if not names:
        raise DataError(f"{name}: no feature column beside the target {target!r}")
    features = np.stack([columns[column] for column in names], axis=1)
    order = sequence_rows(table, group, length)
    return names, [features[part] for part in order], [columns[target][part] for part in order]
