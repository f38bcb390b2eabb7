"""From the letters of a word to a vector: convolutions or a recurrent encoder.

``U`` is the distinct words of a batch, ``L`` the longest of them in characters. As everywhere,
what stands beyond a word's end never matters.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from birnn.config import EncoderConfig
from birnn.errors import ConfigError
from birnn.nn import engines
from birnn.nn.batch import sequence_mask
from birnn.nn.dropout import Dropout
from birnn.nn.encoders import build_encoder
from birnn.registry import load

CHARACTER_ENCODERS = ("cnn", "bigru", "bilstm", "none")
WIDTHS = (2, 3, 4)  # of the convolutions, in characters
BORDER = max(WIDTHS) - 1  # zeros beside a word, so that no window holds letters of two
ALIGNED = 16  # a product of fewer rows may sum in another order, which a word must not show


class Strip(NamedTuple):
    """The letters of ``U`` words in one row, without the padding of a table ``[U, L]``.

    A window of a convolution begins at each of the first ``M`` places.
    """

    letters: Tensor  # [M + BORDER], ids from 1 on; 0 between words
    words: Tensor  # [len(WIDTHS), M], whose letters a window holds; U where it holds none


def strip_of(ids: Tensor, lengths: Tensor) -> Strip:
    """Words ``[U, L]`` of ``lengths [U]``, on the CPU, as a strip.

    >>> strip_of(torch.tensor([[7, 8], [9, 0]]), torch.tensor([2, 1])).letters.tolist()[:12]
    [0, 0, 0, 8, 9, 0, 0, 0, 10, 0, 0, 0]
    """
    bordered = F.pad(ids + 1, (BORDER, 0))
    letters = bordered[sequence_mask(lengths + BORDER, bordered.shape[1])]
    places = len(letters) + -len(letters) % ALIGNED
    words = torch.repeat_interleave(lengths + BORDER)
    words = F.pad(words, (0, places - len(words)), value=len(lengths))
    letters = F.pad(letters, (0, places + BORDER - len(letters)))
    held, kept = letters[:places] > 0, []
    for reach in range(1, max(WIDTHS)):
        held = held | (letters[reach : places + reach] > 0)
        kept.append(held)
    return Strip(letters, torch.where(torch.stack(kept), words, len(lengths)))


class CharacterEncoder(nn.Module):
    """Characters ``[U, L]`` and word lengths ``[U]`` → ``[U, output_size]``.

    Where the words also come as a strip, either may be read.
    """

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

    def forward(self, ids: Tensor, lengths: Tensor, strip: Strip | None = None) -> Tensor:
        """``[U, L]``, ``[U]`` → ``[U, output_size]``."""
        parts = self._padded(ids, lengths) if strip is None else self._along(strip, lengths)
        return torch.tanh(torch.cat(parts, dim=-1))

    def _padded(self, ids: Tensor, lengths: Tensor) -> list[Tensor]:
        """The maxima of each width ``[U, ·]``, by operations that any exported graph has."""
        vectors, _ = self.embed(ids, lengths)
        channels = vectors.transpose(1, 2)
        parts = []
        for convolution in self.convolutions:
            windows = convolution(channels)
            # A window counts while it holds a character of the word.
            extra = windows.shape[-1] - ids.shape[1]
            inside = sequence_mask(lengths + extra, windows.shape[-1]).unsqueeze(1)
            parts.append(windows.masked_fill(~inside, -torch.inf).amax(-1))
        return parts

    def _along(self, strip: Strip, lengths: Tensor) -> list[Tensor]:
        """The same, with no padding computed: in C, or one product a width."""
        table = F.pad(self.table.weight, (0, 0, 1, 0))
        vectors = self.dropout(F.embedding(strip.letters, table)).contiguous()
        parts, widths = [], []
        for convolution in self.convolutions:
            assert isinstance(convolution, nn.Conv1d)
            # As a window's letters lie in memory: one after the other.
            parts.append((convolution.weight.transpose(1, 2).flatten(1), convolution.bias))
            widths.append(convolution.weight.shape[2])
        if vectors.is_cpu and vectors.dtype == torch.float32 and engines.compiled_serves():
            largest = load("birnn.native.letters:largest_windows")
            starts = BORDER + (lengths + BORDER).cumsum(0) - (lengths + BORDER)
            return [largest(vectors, starts, lengths, parts)]
        return [
            _Largest.apply(vectors, *part, strip.words[width - min(WIDTHS)], len(lengths))
            for part, width in zip(parts, widths, strict=True)
        ]


class _Largest(torch.autograd.Function):
    """What a convolution's windows of a word are at most, feature by feature, ``[U, F]``.

    Of ``vectors [M + BORDER, C]`` of a strip's letters, ``weights [F, width * C]`` and ``bias
    [F]``; ``words [M]`` says whose a window is, and it is nobody's at ``U = count``. Equal largest
    windows share the gradient.
    """

    @staticmethod
    def forward(
        ctx: Any, vectors: Tensor, weights: Tensor, bias: Tensor, words: Tensor, count: int
    ) -> Tensor:
        with torch.autocast(vectors.device.type, enabled=False):
            scores = torch.addmm(bias, _windows(vectors, weights, words), weights.t())
        largest = scores.new_full((count + 1, scores.shape[1]), -torch.inf)
        # An expanded index takes a quick way.
        largest.scatter_reduce_(0, words.unsqueeze(1).expand_as(scores), scores, "amax")
        ctx.save_for_backward(vectors, weights, words, scores, largest)
        return largest[:-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        vectors, weights, words, scores, largest = ctx.saved_tensors
        # As numbers, not as bools: several times as quick.
        wins = largest.index_select(0, words).eq_(scores)
        winners = torch.zeros_like(largest)
        winners.scatter_add_(0, words.unsqueeze(1).expand_as(wins), wins)
        shares = F.pad(grad / winners[:-1], (0, 0, 0, 1))
        onward = wins.mul_(shares.index_select(0, words))
        with torch.autocast(vectors.device.type, enabled=False):
            taught = onward.t() @ _windows(vectors, weights, words)
            windows = onward @ weights
        letters = torch.zeros_like(vectors)
        for reach, part in enumerate(windows.split(vectors.shape[1], dim=1)):
            letters[reach : reach + len(words)] += part
        return letters, taught, grad.sum(0), None, None


def _windows(vectors: Tensor, weights: Tensor, words: Tensor) -> Tensor:
    """The windows ``[M, width * C]`` that begin at each place."""
    return vectors.as_strided((len(words), weights.shape[1]), (vectors.shape[1], 1)).contiguous()


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

    def forward(self, ids: Tensor, lengths: Tensor, strip: Strip | None = None) -> Tensor:
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
