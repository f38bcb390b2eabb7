"""Rows of a table on their way through AdamW, in C."""

from typing import NamedTuple

from torch import Tensor

from birnn.arrays import Floats
from birnn.native import library as native
from birnn.native.adam import Constants


class Table(NamedTuple):
    """A table of float32 on the CPU, and what is kept of it."""

    weight: Tensor  # [R, D]
    average: Tensor | None  # [R, D]
    first: Tensor  # [R, D], AdamW's m
    second: Tensor  # [R, D], its v
    last: Tensor  # [R] int64, the step up to which a row is up to date


class Since(NamedTuple):
    """What has happened since each step from ``base`` on, the last one being ``done``."""

    done: int
    base: int
    drift: Floats
    lag: Floats
    kept: Floats


def update(
    table: Table, rows: Tensor, since: Since, constants: Constants,
    gradient: Tensor | None = None, rate: float = 0.0, root: float = 1.0,
) -> None:  # fmt: skip
    """Bring ``rows [U]``, each there once, up to date; with a ``gradient [U, D]``, take a step.

    Its ``rate`` and ``root`` are as :class:`birnn.native.adam.Weights` has them.
    """
    rows = rows.contiguous()
    gradient = None if gradient is None else gradient.contiguous()
    parts = {**table._asdict(), "rows": rows, "gradient": gradient}
    vectors = {name: getattr(since, name).ctypes.data for name in ("drift", "lag", "kept")}
    job = native.Rows(
        len(rows), table.weight.shape[1], -(-len(rows) // native.ROWS_PART),
        **{name: part.data_ptr() for name, part in parts.items() if part is not None},
        **vectors, done=since.done, base=since.base, rate=rate, root=root, **constants._asdict(),
    )  # fmt: skip
    native.library().rows(job)
