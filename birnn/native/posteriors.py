"""Forward-backward over a linear chain of tags, in C."""

import torch
from torch import Tensor

from birnn.native import library as native
from birnn.nn.chain import Observed, Potentials


def posteriors(
    emissions: Tensor, tags: Tensor | None, lengths: Tensor, potentials: Potentials
) -> Observed | None:
    """Of ``emissions [B, T, K]``, ``lengths [B]``, gold ``tags [B, T]``, all float32 on the CPU.

    None where a probability underflows, a number is none or a tag there is not: logarithms serve.
    """
    batch, steps, size = emissions.shape
    given = [
        emissions.contiguous(),
        lengths.long().contiguous(),
        *(p.contiguous() for p in potentials),
    ]
    gold = None if tags is None else tags.long().contiguous()
    columns = -(-size // native.library().lanes) * native.library().lanes
    made = Observed(
        torch.empty(batch, steps, size), torch.empty(batch, size, size),
        torch.empty(batch), torch.empty(batch),
    )  # fmt: skip
    work = torch.empty(2 * size + 2, columns)
    tables = work[:size], work[size:-2], work[-2], work[-1]
    names = ("emissions", "length", "moves", "start", "end", "onward", "back", "first", "last",
             "unary", "expected", "value", "score")  # fmt: skip
    parts = (part.data_ptr() for part in (*given, *tables, *made))
    chain = native.Posteriors(batch, steps, size, **dict(zip(names, parts, strict=True)))
    if gold is not None:
        chain.gold = gold.data_ptr()
    return made if native.library().posteriors(chain) else None
