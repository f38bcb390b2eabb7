"""``GRU`` and ``LSTM`` in the place of torch's own: the same modules, computed by our engines.

Constructor, parameters, ``state_dict``, arguments and results are those of ``torch.nn.GRU`` and
``torch.nn.LSTM``, of which these are subclasses: a model becomes faster by one changed import. Two
things are new. ``module(x, lengths=lengths)`` takes a padded batch with its true lengths, as exact
as a packed one. And where the compiled engine runs, what a sequence gives does not depend, to the
bit, on what it is batched with; its gradients can be had once, not differentiated again.

Whatever no engine of ours does is computed by torch, as ever: projections, other precisions than
float32, traced and compiled models, and on a GPU what is dense or has states to begin with.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from birnn.nn import engines, scan
from birnn.nn.batch import check_lengths
from birnn.nn.scan import CellWeights, Recurrence, closed_layer, final_states
from birnn.registry import load

States = Tensor | tuple[Tensor, Tensor]  # h, or of an LSTM (h, c): [layers * D, B, H] each


class DropIn(nn.RNNBase):
    """What both modules have in common."""

    recurrence: Recurrence

    def forward(self, input: Any, hx: Any = None, *, lengths: Tensor | None = None) -> Any:
        """Run all layers.

        Args:
            input: ``[T, B, F]``; ``[B, T, F]`` with ``batch_first``; ``[T, F]``; or packed.
            hx: states before the first step, ``[layers * D, B, H]`` (``[layers * D, H]`` beside
                ``[T, F]``); of an LSTM two of them, ``(h, c)``. Zero if not given.
            lengths: ``[B]``, true lengths of a padded ``input``: what stands beyond never matters,
                and the states there are zero.

        Returns:
            The states of the last layer in the form of ``input``, and those after the last step in
            the form of ``hx``.

        Raises:
            ValueError, RuntimeError: shapes that don't fit; as torch's modules.
        """
        packed = isinstance(input, PackedSequence)
        if lengths is not None and (packed or input.dim() != 3):
            raise ValueError("lengths go with a padded batch, of three dimensions")
        engine = self._engine(input.data if packed else input)
        if engine is engines.CUDNN and (hx is not None or not (packed or lengths is not None)):
            engine = None
        if engine is None:
            return self._as_torch(input, hx, lengths)
        if packed:
            return self._run_packed(engine, input, hx)
        if input.dim() == 2:
            across = 0 if self.batch_first else 1
            states, last = self._run(engine, input.unsqueeze(across), _each(hx, _batch_of_one))
            return states.squeeze(across), _each(last, lambda part: part.squeeze(1))
        return self._run(engine, input, hx, lengths)

    def _engine(self, x: Tensor) -> engines.Engine | None:
        """The engine of ours that can run a batch like ``x``, if one can."""
        odd = self.proj_size or x.dim() not in (2, 3) or not x.numel()
        kinds = {x.dtype, engines.precision(x), self.weight_ih_l0.dtype}
        if odd or torch.compiler.is_compiling() or kinds != {torch.float32}:
            return None
        engine = engines.choose(engines.Work(self.recurrence, x.device, torch.float32))
        return engine if engine in (engines.NATIVE, engines.CUDNN) else None

    def _as_torch(self, input: Any, hx: Any, lengths: Tensor | None) -> Any:
        """What torch's own module gives."""
        if lengths is None:
            return super().forward(input, hx)
        check_lengths(input if self.batch_first else input.transpose(0, 1), lengths)
        how = {"batch_first": self.batch_first}
        packed = pack_padded_sequence(input, lengths.cpu(), enforce_sorted=False, **how)
        states, last = super().forward(packed, hx)
        steps = input.shape[1 if self.batch_first else 0]
        return pad_packed_sequence(states, total_length=steps, **how)[0], last

    def _run_packed(self, engine: engines.Engine, packed: PackedSequence, hx: Any) -> Any:
        data, sizes, order, back = packed
        self.check_input(data, sizes)
        x, lengths = pad_packed_sequence(PackedSequence(data, sizes), batch_first=True)
        first = _each(hx, lambda part: part if order is None else part.index_select(1, order))
        states, last = self._layers(engine, x, first, lengths.to(data.device))
        rows = pack_padded_sequence(states, lengths, batch_first=True).data
        last = _each(last, lambda part: part if back is None else part.index_select(1, back))
        return PackedSequence(rows, sizes, order, back), last

    def _run(
        self, engine: engines.Engine, x: Tensor, hx: Any, lengths: Tensor | None = None
    ) -> Any:
        self.check_input(x, None)
        x = x if self.batch_first else x.transpose(0, 1)
        if lengths is None:
            lengths = torch.full((x.shape[0],), x.shape[1])
        check_lengths(x, lengths)
        states, last = self._layers(engine, x, hx, lengths.to(x.device))
        return states if self.batch_first else states.transpose(0, 1), last

    def _layers(
        self, engine: engines.Engine, x: Tensor, hx: Any, lengths: Tensor
    ) -> tuple[Tensor, States]:
        """All layers over ``x [B, T, F]``: the last one's states, and those after the last step."""
        ways, items = 1 + self.bidirectional, x.shape[0]
        first = () if hx is None else (hx,) if isinstance(hx, Tensor) else tuple(hx)
        for part in first:
            self.check_hidden_size(part, (self.num_layers * ways, items, self.hidden_size))
        ends = []
        for layer in range(self.num_layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training)
            begin = [part[layer * ways : (layer + 1) * ways] for part in first]
            weights = [self._cell(layer, way) for way in range(ways)]
            if engine is engines.NATIVE:
                run = load("birnn.native.scan:native_layer")
                x, memory = run(self.recurrence, x, lengths, weights, begin, memory=True)
            else:
                x, memory = closed_layer(self.recurrence, x, lengths, weights)
            state = final_states(x, lengths, bidirectional=self.bidirectional)
            state = state.unflatten(1, (ways, self.hidden_size)).transpose(0, 1)
            ends.append((state,) if memory is None else (state, memory))
        joined = tuple(torch.cat(parts) for parts in zip(*ends, strict=True))
        return x, joined[0] if len(joined) == 1 else (joined[0], joined[1])

    def _cell(self, layer: int, way: int) -> CellWeights:
        """The weights of one direction of a layer."""
        end = f"_l{layer}{'_reverse' if way else ''}"
        matrices = getattr(self, f"weight_ih{end}"), getattr(self, f"weight_hh{end}")
        if self.bias:
            return CellWeights(
                *matrices, getattr(self, f"bias_ih{end}"), getattr(self, f"bias_hh{end}")
            )
        none = matrices[0].new_zeros(matrices[0].shape[0])
        return CellWeights(*matrices, none, none)


def _each(states: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """``change`` of h, or of h and c; None stays."""
    if states is None or isinstance(states, Tensor):
        return states if states is None else change(states)
    return tuple(change(part) for part in states)


def _batch_of_one(part: Tensor) -> Tensor:
    if part.dim() != 2:
        raise RuntimeError(f"beside an input of 2 dimensions hx has 2 too, got {part.dim()}")
    return part.unsqueeze(1)


class GRU(DropIn, nn.GRU):
    """``torch.nn.GRU``, computed by the engine of the moment."""

    recurrence = scan.GRU


class LSTM(DropIn, nn.LSTM):
    """``torch.nn.LSTM``, computed by the engine of the moment."""

    recurrence = scan.LSTM
