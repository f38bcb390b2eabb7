"""The network: front, encoder, and a head for each step or for the whole recording."""

from typing import cast

import torch
from torch import Tensor, nn

from birnn.config import EncoderConfig
from birnn.nn.audio.ctc import Outputs
from birnn.nn.audio.front import Front
from birnn.nn.batch import Batch
from birnn.nn.dropout import Dropout
from birnn.nn.encoders import build_encoder
from birnn.nn.pooling import Pooling

POOLED = ("mean", "max")


class SymbolHead(nn.Module):
    """A linear layer on each step: logarithms of the shares of ``K`` symbols."""

    def __init__(self, size: int, symbols: int, dropout: float) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.linear = small(nn.Linear(size, symbols))


class LabelHead(nn.Module):
    """Mean and maximum over the steps, and a linear layer: ``[B, C]`` logits."""

    def __init__(self, size: int, labels: int, dropout: float) -> None:
        super().__init__()
        self.pooling = Pooling(size, POOLED)
        self.dropout = Dropout(dropout)
        self.linear = small(nn.Linear(self.pooling.output_size, labels))


def small(linear: nn.Linear) -> nn.Linear:
    """A last layer that says nearly nothing before it has learned."""
    nn.init.normal_(linear.weight, std=0.02)
    nn.init.zeros_(linear.bias)
    return linear


class SpeechModel(nn.Module):
    """Frames → steps → states → symbols of each step, or labels of each recording."""

    def __init__(
        self, front: Front, encoder: EncoderConfig, outputs: int, dropout: float, *, single: bool
    ) -> None:
        super().__init__()
        self.embedder = front
        self.encoder = build_encoder(front.output_size, encoder)
        head = LabelHead if single else SymbolHead
        self.head: nn.Module = head(self.encoder.output_size, outputs, dropout)

    def forward(self, batch: Batch) -> Outputs | Tensor:
        """Of texts an :class:`Outputs`; of labels logits ``[B, C]``."""
        steps, lengths = self.embedder(batch)
        encoded = self.encoder(steps, lengths)
        head = self.head
        if isinstance(head, LabelHead):
            vector = head.pooling(encoded, lengths).vector
            return cast(Tensor, head.linear(head.dropout(vector)))
        assert isinstance(head, SymbolHead)
        logits: Tensor = head.linear(head.dropout(encoded.states))
        return Outputs(torch.log_softmax(logits.float(), -1), lengths)
