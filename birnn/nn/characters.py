"""From the letters of a word to a vector: convolutions or a recurrent encoder.

``U`` is the distinct words of a batch, ``L`` the longest of them in characters. As everywhere,
what stands beyond a word's end never matters.
"""

import torch
from torch import Tensor, nn

from birnn.config import EncoderConfig
from birnn.errors import ConfigError
from birnn.nn.batch import sequence_mask
from birnn.nn.dropout import Dropout
from birnn.nn.encoders import build_encoder

CHARACTER_ENCODERS = ("cnn", "bigru", "bilstm", "none")
WIDTHS = (2, 3, 4)  # of the convolutions, in characters


class CharacterEncoder(nn.Module):
    """Characters ``[U, L]`` and word lengths ``[U]`` → ``[U, output_size]``."""

    output_size: int

    def __init__(self, characters: int, size: int, dropout: float) -> None:
        super().__init__()
        self.table = nn.Embedding(characters, size)
        nn.init.normal_(self.table.weight, std=size**-0.5)
        self.dropout = Dropout(dropout)

    def embed(self, ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors ``[U, L, C]``, zero beyond each word's end, and the mask ``[U, L]``."""
        mask = sequence_mask(lengths, ids.shape[1])
        vectors = self.dropout(self.table(ids.masked_fill(~mask, 0)))
        return vectors.masked_fill(~mask.unsqueeze(-1), 0.0), mask


class CharacterCNN(CharacterEncoder):
    """Convolutions of several widths, each maximised over the word (Kim et al. 2016).

    Words are bordered by zeros, so that a filter can tell a suffix from the same letters within.
    The widths share ``output_size`` as evenly as can be.
    """

    def __init__(self, characters: int, size: int, output_size: int, dropout: float) -> None:
        super().__init__(characters, size, dropout)
        self.output_size = output_size
        share, rest = divmod(output_size, len(WIDTHS))
        filters = [share + (i >= len(WIDTHS) - rest) for i in range(len(WIDTHS))]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(size, count, width, padding=width - 1)
            for count, width in zip(filters, WIDTHS, strict=True)
            if count
        )

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """``[U, L]``, ``[U]`` → ``[U, output_size]``."""
        vectors, _ = self.embed(ids, lengths)
        channels = vectors.transpose(1, 2)
        parts = []
        for convolution in self.convolutions:
            windows = convolution(channels)
            # A window counts while it holds a character of the word.
            extra = windows.shape[-1] - ids.shape[1]
            inside = sequence_mask(lengths + extra, windows.shape[-1]).unsqueeze(1)
            parts.append(windows.masked_fill(~inside, -torch.inf).amax(-1))
        return torch.tanh(torch.cat(parts, dim=-1))


class CharacterRNN(CharacterEncoder):
    """The two final states of a bidirectional encoder over the word (Lample et al. 2016)."""

    def __init__(
        self, cell: str, characters: int, size: int, output_size: int, dropout: float
    ) -> None:
        super().__init__(characters, size, dropout)
        if output_size % 2:
            raise ConfigError(f"char_size: must be even for {cell}, got {output_size}")
        self.output_size = output_size
        self.encoder = build_encoder(size, EncoderConfig(cell, output_size // 2))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """``[U, L]``, ``[U]`` → ``[U, output_size]``."""
        vectors, _ = self.embed(ids, lengths)
        summary: Tensor = self.encoder(vectors, lengths).summary
        return summary


def build_characters(
    kind: str, characters: int, size: int, output_size: int, dropout: float
) -> CharacterEncoder | None:
    """The character encoder called ``kind``; None for ``none``, or with no output to give."""
    if kind == "none" or not output_size:
        return None
    if kind == "cnn":
        return CharacterCNN(characters, size, output_size, dropout)
    return CharacterRNN(kind, characters, size, output_size, dropout)
