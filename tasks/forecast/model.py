"""The forecaster: segments of the lookback → a bidirectional encoder → all steps ahead at once.

Segments and the direct head follow SegRNN (Lin et al. 2023), the encoder reads the lookback both
ways, and a linear map (NLinear, Zeng et al. 2023, fitted in closed form) is mixed in.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.arrays import Floats
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.dropout import Dropout
from birnn.nn.encoders import Encoded
from birnn.nn.levels import filled_lookback, level_and_spread, observed_values
from birnn.nn.model import Embedder, SequenceModel
from birnn.nn.precision import full

AHEAD_SIZE = 32  # units in which the state meets what is known of a step ahead


@dataclass(frozen=True)
class InputSizes:
    """What a window brings along."""

    segment: int  # w
    covariates: int = 0  # P + K
    ahead: int = 0  # K
    static: int = 0  # S
    series: int = 0  # known series, for a trained vector each
    masked: bool = False  # whether values can be missing
    season: int = 1  # steps


def window_level(batch: Batch, normalise: str, season: int) -> Batch:
    """``batch`` with the level and the spread of each window among its inputs, unless they are.

    ``values`` and ``mask [B, T, w]`` of :func:`birnn.nn.levels.observed_values`, ``level [B]`` and
    ``spread [B]`` of :func:`birnn.nn.levels.level_and_spread`.
    """
    inputs = batch.inputs
    if "level" in inputs:
        return batch
    values, mask = observed_values(inputs["segments"], inputs["observed"], batch.lengths)
    level, spread = level_and_spread(values, mask, normalise, season)
    known = {"values": values, "mask": mask, "level": level, "spread": spread}
    return replace(batch, inputs={**inputs, **known})


class SegmentEmbedder(Embedder):
    """A linear layer and ReLU on each segment and what is known of it: vectors of size ``D``.

    How inputs are normalised is said at :func:`birnn.nn.levels.level_and_spread`. The trained
    vector of a series has the size ``series_size``; 0 for none.
    """

    def __init__(
        self, sizes: InputSizes, output_size: int, series_size: int, normalise: str, dropout: float
    ) -> None:
        super().__init__()
        self.output_size, self.sizes, self.normalise = output_size, sizes, normalise
        # Row 0 is the vector of a series that training has not seen.
        self.series = nn.Embedding(sizes.series + 1, series_size) if series_size else None
        width = sizes.segment * (1 + sizes.masked + sizes.covariates) + sizes.static + series_size
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(width, output_size)

    def read(self, batch: Batch) -> Batch:
        """``batch`` with what all networks of a model read alike, worked out once for all.

        Beside its inputs then stand :func:`window_level`'s, and ``read [B, T, F]``: all that a step
        is described by, but for the vector of the series.
        """
        if "read" in batch.inputs:
            return batch
        batch = window_level(batch, self.normalise, self.sizes.season)
        inputs = batch.inputs
        values, mask, level, spread = (inputs[n] for n in ("values", "mask", "level", "spread"))
        parts = [(values - level[:, None, None]) * mask / spread[:, None, None]]
        if self.sizes.masked:
            parts.append(mask)
        if self.sizes.covariates:
            real = sequence_mask(batch.lengths, values.shape[1])[:, :, None]
            parts.append(inputs["covariates"].flatten(2).masked_fill(~real, 0.0))
        if self.sizes.static:
            parts.append(inputs["static"].unsqueeze(1).expand(-1, values.shape[1], -1))
        return replace(batch, inputs={**inputs, "read": torch.cat(parts, dim=-1)})

    def forward(self, batch: Batch) -> Tensor:
        """``[B, T, D]``."""
        steps = self.read(batch).inputs["read"]
        if self.series is not None:
            series = self.series(batch.inputs["series"]).unsqueeze(1)
            steps = torch.cat([steps, series.expand(-1, steps.shape[1], -1)], dim=-1)
        return torch.relu(self.linear(self.dropout(steps)))


class ForecastHead(nn.Module, ABC):
    """The final states of size ``D`` → ``H`` steps ahead, each with ``Q`` numbers.

    ``Q`` is odd; 1 for a point. Dropout is that of the encoder's summary.
    """

    def __init__(
        self, input_size: int, horizon: int, quantiles: int, sizes: InputSizes, normalise: str,
        dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.horizon, self.quantiles = horizon, quantiles
        self.sizes, self.normalise = sizes, normalise
        self.dropout = Dropout(dropout)
        self.ahead = AheadLayer(input_size, sizes.ahead, quantiles) if sizes.ahead else None
        self.add_layers(input_size)

    @abstractmethod
    def add_layers(self, input_size: int) -> None:
        """The layers of :meth:`states_to_steps`."""

    @abstractmethod
    def states_to_steps(self, summary: Tensor) -> Tensor:
        """``[B, D] → [B, H, Q]``."""

    def forward(self, encoded: Encoded, batch: Batch) -> Tensor:
        """``[B, H, Q]`` in scaled units, ascending over ``Q``."""
        summary = self.dropout(encoded.summary)
        steps = self.states_to_steps(summary)
        if self.ahead is not None:
            steps = steps + self.ahead(summary, batch.inputs["ahead"])
        inputs = window_level(batch, self.normalise, self.sizes.season).inputs
        level, spread = inputs["level"][:, None, None], inputs["spread"][:, None, None]
        return level + spread * monotone(full(steps))


class DirectHead(ForecastHead):
    """One linear layer from the summary to all steps."""

    def add_layers(self, input_size: int) -> None:
        """A linear layer."""
        self.linear = nn.Linear(input_size, self.horizon * self.quantiles)

    def states_to_steps(self, summary: Tensor) -> Tensor:
        """``[B, D] → [B, H, Q]``."""
        steps: Tensor = self.linear(summary).unflatten(1, (self.horizon, self.quantiles))
        return steps


class SegmentHead(ForecastHead):
    """SegRNN's parallel decoder: one GRU step from the summary for each segment ahead.

    The input of a step is the trained vector of its place; a last segment that sticks out beyond
    the horizon is cut.
    """

    def add_layers(self, input_size: int) -> None:
        """Vectors of the places, a GRU cell, and a linear layer."""
        self.segment = self.sizes.segment
        places = -(-self.horizon // self.segment)
        self.places = nn.Parameter(torch.empty(places, input_size))
        nn.init.normal_(self.places, std=input_size**-0.5)
        self.cell = nn.GRUCell(input_size, input_size)
        self.linear = nn.Linear(input_size, self.segment * self.quantiles)

    def states_to_steps(self, summary: Tensor) -> Tensor:
        """``[B, D] → [B, H, Q]``."""
        count, places = summary.shape[0], len(self.places)
        queries = self.places.repeat(count, 1)
        states = self.cell(queries, summary.repeat_interleave(places, dim=0))
        steps: Tensor = self.linear(self.dropout(states))
        return steps.view(count, places * self.segment, self.quantiles)[:, : self.horizon]


# What turns the final states into the steps ahead.
DECODERS: dict[str, type[ForecastHead]] = {"direct": DirectHead, "segments": SegmentHead}


class AheadLayer(nn.Module):
    """What is known of each step ahead, read in the light of the state."""

    def __init__(self, input_size: int, ahead: int, quantiles: int) -> None:
        super().__init__()
        self.state = nn.Linear(input_size, AHEAD_SIZE)
        self.known = nn.Linear(ahead, AHEAD_SIZE, bias=False)
        self.out = nn.Linear(AHEAD_SIZE, quantiles)

    def forward(self, summary: Tensor, ahead: Tensor) -> Tensor:
        """``[B, D]`` and ``[B, H, K]`` → ``[B, H, Q]``."""
        met: Tensor = self.out((self.state(summary).unsqueeze(1) + self.known(ahead)).relu())
        return met


def monotone(steps: Tensor) -> Tensor:
    """Quantiles that can't cross: the median, and positive distances outwards from it.

    ``[..., Q]`` with odd ``Q`` → ``[..., Q]``, ascending; the middle one as it was.
    """
    middle = steps.shape[-1] // 2
    if not middle:
        return steps
    centre = steps[..., middle : middle + 1]
    below = F.softplus(steps[..., :middle]).flip(-1).cumsum(-1).flip(-1)
    above = F.softplus(steps[..., middle + 1 :]).cumsum(-1)
    return torch.cat([centre - below, centre, centre + above], dim=-1)


class ForecastOutputs(NamedTuple):
    """What the whole model says of a batch, in scaled units."""

    members: Tensor  # [M, B, H, Q], each network's: what training sees
    recurrent: Tensor  # [B, H, Q], their mean
    linear: Tensor | None  # [B, H]; None in training, which has no use for it
    mixed: Tensor  # [B, H, Q], what is predicted


class ForecastModel(nn.Module):
    """``(1 − a) · networks + a · linear map``.

    The networks are trained side by side from different weights and averaged. The linear map of
    the last-value-subtracted lookback is fitted apart, in closed form; ``a`` is chosen on
    validation. The quantiles of the networks move along with their median.

    Args:
        lookback, horizon: ``L`` and ``H``.
        groups, levels: ``G`` series with intervals of their own, 1 if all share them; ``K`` levels.
    """

    mix: Tensor
    linear_weight: Tensor
    linear_bias: Tensor
    radius: Tensor
    forecaster: Tensor
    validation_errors: dict[str, float]  # of it and the baselines, while a run is made

    def __init__(
        self, members: Sequence[SequenceModel], lookback: int, horizon: int, groups: int,
        levels: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.members = nn.ModuleList(members)
        self.lookback = lookback
        self.validation_errors = {}
        self.register_buffer("mix", torch.zeros(()))
        self.register_buffer("linear_weight", torch.zeros(horizon, lookback))
        self.register_buffer("linear_bias", torch.zeros(horizon))
        # Half widths of the intervals, in units of a series' scale.
        self.register_buffer("radius", torch.zeros(groups, levels, horizon))
        # Which forecaster predict uses: 0 the model, then the baselines in their order.
        self.register_buffer("forecaster", torch.zeros((), dtype=torch.int64))

    def forward(self, batch: Batch) -> ForecastOutputs:
        """Forecast each window."""
        batch = self._read(batch)
        members = torch.stack([member(batch) for member in self.members])
        recurrent = members.mean(0)
        if self.training:
            return ForecastOutputs(members, recurrent, None, recurrent)
        linear = self.linear(batch)
        middle = recurrent.shape[-1] // 2
        median = recurrent[..., middle : middle + 1]
        mixed = recurrent + self.mix * (linear.unsqueeze(-1) - median)
        return ForecastOutputs(members, recurrent, linear, mixed)

    def _read(self, batch: Batch) -> Batch:
        """See :meth:`SegmentEmbedder.read`."""
        embedder = self.members[0].get_submodule("embedder")
        assert isinstance(embedder, SegmentEmbedder)
        return embedder.read(batch)

    @property
    def has_linear(self) -> bool:
        """Whether there is a linear map. It could be fitted, that is."""
        return bool(self.linear_weight.any())

    def set_linear(self, weight: Floats, bias: Floats) -> None:
        """Take over a linear map of ``weight [H, L]`` and ``bias [H]``."""
        self.linear_weight.copy_(torch.from_numpy(weight))
        self.linear_bias.copy_(torch.from_numpy(bias))

    def linear(self, batch: Batch) -> Tensor:
        """The linear map's forecast, ``[B, H]``."""
        inputs = self._read(batch).inputs
        history = filled_lookback(inputs["values"], inputs["mask"], batch.lengths, self.lookback)
        last = history[:, -1:]
        return last + F.linear(history - last, self.linear_weight, self.linear_bias)
