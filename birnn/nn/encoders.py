"""Recurrent encoders behind one small contract.

``forward(x [B, T, F], lengths [B]) → Encoded(states [B, T, D], summary [B, D])`` with
``D = output_size``: ``2H``, or ``H`` one way. What an item gives does not depend on what it is
batched with: see :mod:`birnn.nn.scan`.
"""

from abc import ABC
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar, NamedTuple, TypedDict, Unpack, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.config import EncoderConfig, updated
from birnn.errors import ConfigError
from birnn.nn import engines
from birnn.nn.batch import check_lengths, sequence_mask
from birnn.nn.dropout import Dropout, LockedDropout
from birnn.nn.scan import GRU, LSTM, CellWeights, Recurrence, final_states
from birnn.nn.shared_norm import is_shared, shared_batch_norm
from birnn.registry import ENCODERS, resolve, suggestion


class Encoded(NamedTuple):
    """What an encoder makes of a batch."""

    states: Tensor  # [B, T, D], zero beyond each length
    summary: Tensor  # [B, D], the final state of each direction


class EncoderOptions(TypedDict, total=False):
    """The fields of :class:`birnn.config.EncoderConfig`, as an encoder takes them by name."""

    hidden_size: int
    layers: int
    bidirectional: bool
    dropout: float
    locked_dropout: float
    norm: str
    residual: bool


class Cell(nn.Module):
    """The parameters of one direction of one layer.

    ``forget_gate`` is the index of the gate whose bias starts at 1, so that the cell remembers
    (Jozefowicz et al. 2015); None for a cell without one.
    """

    def __init__(self, input_size: int, hidden_size: int, gates: int, forget_gate: int | None):
        super().__init__()
        self.hidden_size, self.forget_gate, rows = hidden_size, forget_gate, gates * hidden_size
        self.weight_drop = 0.0  # of the recurrent matrix in training (Merity et al. 2018)
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih, self.bias_hh = (nn.Parameter(torch.empty(rows)) for _ in range(2))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot input weights, an orthogonal recurrent matrix for each gate (Saxe et al. 2014)."""
        for block in self.weight_ih.split(self.hidden_size):
            nn.init.xavier_uniform_(block)
        for block in self.weight_hh.split(self.hidden_size):
            nn.init.orthogonal_(block)
        nn.init.zeros_(self.bias_ih)
        nn.init.zeros_(self.bias_hh)
        if self.forget_gate is not None:
            start = self.forget_gate * self.hidden_size
            nn.init.ones_(self.bias_ih[start : start + self.hidden_size])

    def weights(self) -> CellWeights:
        """The parameters in the scan's order; in training, weights may be dropped for this pass."""
        recurrent: Tensor = self.weight_hh
        if self.weight_drop and self.training:
            recurrent = F.dropout(recurrent, self.weight_drop)
        return CellWeights(self.weight_ih, recurrent, self.bias_ih, self.bias_hh)


class MaskedBatchNorm(nn.Module):
    """Batch norm whose statistics count real positions only (Ioffe & Szegedy 2015)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(features)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``x [B, T, F]``, ``mask [B, T]`` → ``[B, T, F]``, zero where the mask is False."""
        norm, real = self.norm, x[mask]
        if norm.training and is_shared():
            real = shared_batch_norm(norm, real)
            return x.new_zeros(x.shape).masked_scatter(mask.unsqueeze(-1), real.to(x.dtype))
        # One position has no variance: torch refuses it, so it meets the running statistics.
        use_batch = self.training and int(mask.sum()) > 1
        statistics = norm.running_mean, norm.running_var, norm.weight, norm.bias
        real = norm(real) if use_batch else F.batch_norm(real, *statistics, eps=norm.eps)
        return x.new_zeros(x.shape).masked_scatter(mask.unsqueeze(-1), real)


class Encoder(nn.Module, ABC):
    """Recurrent layers over steps of ``F = input_size``; a subclass gives its recurrence.

    >>> BiGRU(5, hidden_size=8, layers=2, dropout=0.1).output_size
    16

    ``options`` are fields of the configuration by name, instead of ``config`` or on top of it.

    Raises:
        ConfigError: an option that there is not (with the nearest right one), or a value that it
            can't have.
    """

    name: ClassVar[str]  # in birnn.registry.ENCODERS
    recurrence: ClassVar[Recurrence]
    forget_gate: ClassVar[int | None] = None

    def __init__(
        self, input_size: int, config: EncoderConfig | None = None,
        **options: Unpack[EncoderOptions],
    ) -> None:  # fmt: skip
        super().__init__()
        if config is not None and not isinstance(config, EncoderConfig):
            raise ConfigError(f"{type(self).__name__}: options have names, as in hidden_size=128")
        for option in set(options) - set(EncoderOptions.__annotations__):
            near = suggestion(option, EncoderOptions.__annotations__)
            raise ConfigError(f"{type(self).__name__}: unknown option {option!r}{near}")
        config = replace(updated(config or EncoderConfig(), options), encoder=self.name)
        self.config, self.input_size = config, input_size
        self.output_size = config.hidden_size * (2 if config.bidirectional else 1)
        sizes = [input_size] + [self.output_size] * (config.layers - 1)
        self.forward_cells = nn.ModuleList(self._cell(size) for size in sizes)
        both = sizes if config.bidirectional else []
        self.backward_cells = nn.ModuleList(self._cell(size) for size in both)
        self.norms = nn.ModuleList(_norm(config.norm, self.output_size) for _ in sizes)
        self.locked_dropout = LockedDropout(config.locked_dropout)
        self.dropout = Dropout(config.dropout)

    def _cell(self, input_size: int) -> Cell:
        return Cell(input_size, self.config.hidden_size, self.recurrence.gates, self.forget_gate)

    def forward(self, x: Tensor, lengths: Tensor) -> Encoded:
        """Encode ``x [B, T, F]`` with true ``lengths [B]``.

        Raises:
            ValueError: lengths that don't fit, or steps of another size than ``input_size``.
        """
        check_lengths(x, lengths)
        if x.shape[-1] != self.input_size:
            raise ValueError(f"expected {self.input_size} features a step, got {tuple(x.shape)}")
        x = self.locked_dropout(x)
        for layer in range(self.config.layers):
            x = self._layer(layer, self.dropout(x) if layer else x, lengths)
        x = self.locked_dropout(x)
        return Encoded(x, final_states(x, lengths, bidirectional=self.config.bidirectional))

    def carry(
        self, x: Tensor, before: Sequence[Sequence[Tensor]]
    ) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
        """Go on from states: encode ``x [B, T, F]``, without padding, in one direction.

        Args:
            x: steps that follow those after which the states were.
            before: of each layer the state ``[1, B, H]``, of an LSTM with its memory.

        Returns:
            The states ``[B, T, H]``, and ``before`` after the last step.

        Raises:
            ConfigError: an encoder of two directions, or of a recurrence that can't go on.
        """
        if self.config.bidirectional or self.recurrence not in (GRU, LSTM):
            raise ConfigError(f"encoder: {self.name} as it is set can't go on from states")
        lengths, after = torch.full((x.shape[0],), x.shape[1], device=x.device), []
        x = self.locked_dropout(x)
        for layer, first in enumerate(before):
            x = self.dropout(x) if layer else x
            weights = cast(Cell, self.forward_cells[layer]).weights()
            states, last = engines.run_on(self.recurrence, x, weights, first)
            after.append(last)
            x = self._finished(layer, x, states, lengths)
        return self.locked_dropout(x), after

    def _layer(self, layer: int, x: Tensor, lengths: Tensor) -> Tensor:
        """One recurrent layer: ``[B, T, ·] → [B, T, D]``, zero in the padding."""
        stacks = self.forward_cells, self.backward_cells
        weights = [cast(Cell, cells[layer]).weights() for cells in stacks if len(cells)]
        return self._finished(layer, x, engines.run(self.recurrence, x, lengths, weights), lengths)

    def _finished(self, layer: int, x: Tensor, states: Tensor, lengths: Tensor) -> Tensor:
        """Normed states with the residual added, zero in the padding."""
        if self.config.norm == "none" and not self.config.residual:
            return states
        mask = sequence_mask(lengths, x.shape[1])
        norm = self.norms[layer]
        states = norm(states, mask) if isinstance(norm, MaskedBatchNorm) else norm(states)
        if self.config.residual and x.shape[-1] == states.shape[-1]:
            states = states + x
        zeroed: Tensor = states.masked_fill(~mask.unsqueeze(-1), 0.0)
        return zeroed


def _norm(name: str, features: int) -> nn.Module:
    if name == "batch":
        return MaskedBatchNorm(features)
    return nn.LayerNorm(features) if name == "layer" else nn.Identity()


class BiGRU(Encoder):
    """Gated recurrent units in both directions (Cho et al. 2014)."""

    name = "bigru"
    recurrence = GRU


class BiLSTM(Encoder):
    """Long short-term memory in both directions (Graves & Schmidhuber 2005)."""

    name = "bilstm"
    recurrence = LSTM
    forget_gate = 1


def build_encoder(input_size: int, config: EncoderConfig) -> Encoder:
    """The encoder that ``config`` names, for steps of ``input_size`` features."""
    encoder: Encoder = resolve(ENCODERS, config.encoder, "encoder")(input_size, config)
    return encoder
