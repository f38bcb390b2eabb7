"""The best sequences of a linear chain, in C."""

import torch
from torch import Tensor

from birnn.native import library as native
from birnn.nn.chain import Potentials


def best_paths(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Tensor:
    """Tags ``[B, T]``, 0 in the padding, as :func:`birnn.nn.decoding.best_path` says.

    Args:
        emissions: ``[B, T, K]`` float32 on the CPU.
        lengths: ``[B]``, each in ``1..T``.
        potentials: of the chain, float32.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    batch, steps, tags = emissions.shape
    parts = [emissions.contiguous(), lengths.contiguous(), *(p.contiguous() for p in potentials)]
    path = torch.empty(batch, steps, dtype=torch.int64)
    chain = native.Chain(
        batch=batch,
        steps=steps,
        tags=tags,
        emissions=parts[0].data_ptr(),
        length=parts[1].data_ptr(),
        moves=parts[2].data_ptr(),
        start=parts[3].data_ptr(),
        end=parts[4].data_ptr(),
        path=path.data_ptr(),
    )
    item = native.library().best_paths(chain)
    if item >= 0:
        raise ValueError(f"item {item}: no legal sequence has length {int(lengths[item])}")
    return path
