"""Sequences of tokens, joined: which stand where, and how some of them are padded to a batch."""

from typing import Any

import numpy as np

from birnn.arrays import Bools, Codes, Ints


def encoded_tokens(column: Any) -> tuple[list[str], Codes]:
    """The distinct tokens of an Arrow column of lists, and which of them stands at each place."""
    import pyarrow as pa
    import pyarrow.compute as pc

    flat = pc.list_flatten(column.combine_chunks()).dictionary_encode()
    flat = flat.combine_chunks() if isinstance(flat, pa.ChunkedArray) else flat
    types = flat.indices.to_numpy(zero_copy_only=False)
    return [str(token) for token in flat.dictionary.to_pylist()], np.asarray(types, dtype=np.int32)


def padded_places(starts: Ints, lengths: Ints) -> tuple[Ints, Bools]:
    """Where the ``m`` tokens of ``B`` sequences stand, ``[m]``, and their mask ``[B, T]``.

    A sequence begins at its ``starts [B]`` and has ``lengths [B]``. The mask's true cells in
    reading order are the ``m`` tokens.
    """
    steps = np.arange(int(lengths.max()))
    mask = steps < lengths[:, None]
    return (starts[:, None] + steps)[mask], mask


def renumbered(types: Codes, count: int) -> tuple[Ints, Ints]:
    """The distinct values of ``types [m]`` below ``count``, ascending ``[U]``, and their places.

    The places ``[m]`` say which of them each value is.
    """
    met = np.zeros(count, dtype=bool)
    met[types] = True
    distinct = np.flatnonzero(met)
    numbers = np.empty(count, dtype=np.int64)
    numbers[distinct] = np.arange(len(distinct))
    return distinct, numbers[types]
