"""The best sequences of a linear chain, in C."""

import torch
from torch import Tensor

from birnn.native import library as native
from birnn.nn.chain import Potentials


def best_paths(emissions: Tensor, lengths: Tensor, potentials: Potentials) -> Tensor:
    """What :func:`birnn.nn.decoding.best_path` gives, all in float32 on the CPU.

    ``emissions [B, T, K]``, ``lengths [B]`` → tags ``[B, T]``, 0 in the padding.

    Raises:
        ValueError: an item has no legal sequence of its length.
    """
    batch, steps, tags = emissions.shape
    parts = [emissions.contiguous(), lengths.contiguous(), *(p.contiguous() for p in potentials)]
    path = torch.empty(batch, steps, dtype=torch.int64)
    names = ("emissions", "length", "moves", "start", "end", "path")
    addresses = (part.data_ptr() for part in (*parts, path))
    chain = native.Chain(batch, steps, tags, **dict(zip(names, addresses, strict=True)))
    item = native.library().best_paths(chain)
    if item >= 0:
        raise ValueError(f"item {item}: no legal sequence has length {int(lengths[item])}")
    return path
