"""States of a frozen language model at the borders of tokens, as features of these.

From the model that reads left to right comes the state after a token's last symbol, from the one
that reads right to left the state after its first: each has then read the whole token, and all
that stands before or after it (Akbik et al. 2018, contextual string embeddings).
"""

from dataclasses import replace
from typing import Protocol

import torch
from torch import Tensor, nn

from birnn.nn.batch import Batch, reverse_index


class Directions(Protocol):
    """What gives states of symbols, in one direction or two."""

    directions: nn.ModuleList

    def states(self, number: int, symbols: Tensor, lengths: Tensor) -> Tensor:
        """``[B, L, H]``, in the order in which that direction reads."""


class BorderStates(nn.Module):
    """A frozen model, whose weights are buffers: nothing trains them, and a run holds them."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        freeze(self)

    def train(self, mode: bool = True) -> "BorderStates":
        """Stays in evaluation mode."""
        super().train(mode=False)
        return self

    @torch.no_grad()
    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """``[B, T, C]`` from what :class:`birnn.data.splits.spelled.Spelled` gives of a batch."""
        model: Directions = self.model  # type: ignore[assignment]
        symbols, lengths = inputs["context_symbols"], inputs["context_symbols_lengths"]
        index = reverse_index(lengths, symbols.shape[1])
        rows = symbols, symbols.gather(1, index)
        places = inputs["context_ends"] - 1, inputs["context_begins"]
        found = []
        for number in range(len(model.directions)):
            states = model.states(number, rows[number], lengths)
            at = places[number].clamp(min=0)
            if number:  # where it stands in the reversed row
                at = (lengths.unsqueeze(1) - 1 - at).clamp(min=0)
            found.append(states.gather(1, at.unsqueeze(-1).expand(-1, -1, states.shape[-1])))
        return torch.cat(found, dim=-1)


def freeze(module: nn.Module) -> None:
    """Make buffers of all parameters, under the same names."""
    for part in module.modules():
        for name, parameter in list(part.named_parameters(recurse=False)):
            delattr(part, name)
            part.register_buffer(name, parameter.detach())


def with_context(states: BorderStates | None, batch: Batch) -> Batch:
    """``batch`` with ``context [B, T, C]``, unless it is there or there is no such model."""
    if states is None or "context" in batch.inputs:
        return batch
    return replace(batch, inputs={**batch.inputs, "context": states(batch.inputs)})
