"""A layer's recurrence in C, as a function that autograd can differentiate.

Letters as in ``layout.h``: ``B`` sequences, ``T`` steps, ``F`` features, ``H`` units, ``D``
directions, ``N`` the sum of lengths.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from birnn.native import library as native
from birnn.native import tuning
from birnn.native.memory import PackedWeights, Workspace
from birnn.nn.scan import CellWeights, Recurrence

CELLS = {"gru": 0, "lstm": 1}  # as Scan.lstm counts them
STEP_VECTORS = 4  # that a step saves for each group of units, whatever the cell: KEPT of cell.h
MOST_ROWS = 64  # of a part of the batch
FEW_ROWS = 16  # of a part of the batch, for which the products take no slices: slice_of
_workspace = Workspace()
_packed = {False: PackedWeights(), True: PackedWeights()}  # by whether they are in bfloat16


def native_scan(
    recurrence: Recurrence, x: Tensor, lengths: Tensor, directions: Sequence[CellWeights],
    *, half: bool = False,
) -> Tensor:  # fmt: skip
    """Run one or both directions of a layer in float32 on the CPU, from zero states.

    With ``half``, the factors of all matrix products are rounded to bfloat16 (where the processor
    multiplies such: :attr:`birnn.native.library.Library.half`); their sums, gates, states and
    gradients stay float32.

    What a row gives does not depend, to the bit, on the rest of its batch or on how many threads
    run. Gradients flow to ``x`` and to all weights, once: second derivatives are refused.

    ``x [B, T, F]``, whose padding is never read, ``lengths [B]``, weights of the left-to-right
    direction, then of the other if there is one → ``[B, T, D*H]`` float32, zero in the padding.

    Raises:
        birnn.native.compiler.NativeError: the engine can't be compiled here.
        MemoryError: there is none left.
    """
    return native_layer(recurrence, x, lengths, directions, half=half)[0]


def native_layer(
    recurrence: Recurrence, x: Tensor, lengths: Tensor, directions: Sequence[CellWeights],
    first: Sequence[Tensor] = (), *, memory: bool = False, half: bool = False,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """As :func:`native_scan`, from the states ``first``; gradients flow to these too.

    ``first`` holds the states, and of an LSTM the memory, before the first step of each direction,
    ``[D, B, H]`` each. Beside the states comes the memory after the last step, ``[D, B, H]``, if
    that ``memory`` is asked for.
    """
    lstm, parts = CELLS[recurrence.name], [part for direction in directions for part in direction]
    edges = _Edges([part.float().contiguous() for part in first], memory and bool(lstm))
    half = half and native.library().half.make > 0
    if torch.is_grad_enabled() and any(t.requires_grad for t in (x, *first, *parts)):
        weights = [part.float().contiguous() for part in parts]
        states, last = _Differentiable.apply(
            lstm, half, x.float(), lengths, edges.memory, len(first), *edges.first, *weights
        )
        return states, last
    packed = _packed[half].find(parts)
    if packed is not None:
        layer = _Pass(lstm, x.float(), lengths, parts, edges, half=half)
        return layer.forward(for_backward=False, packed=packed), layer.last
    weights = [part.float().contiguous() for part in parts]
    layer = _Pass(lstm, x.float(), lengths, weights, edges, half=half)
    states = layer.forward(for_backward=False)
    if not _packed[half].keep(parts, layer.panels):
        _workspace.give(layer.panels)
    return states, layer.last


class _Edges(NamedTuple):
    """What stands before the first step, and whether the memory after the last one is wanted."""

    first: Sequence[Tensor] = ()  # [D, B, H]: states and, of an LSTM, memory
    memory: bool = False


class _Pass:
    """One layer over one batch ``x [B, T, F]`` in float32, forward and backward.

    There are four ``weights`` of each direction, float32 and contiguous where not packed yet.
    """

    def __init__(
        self, lstm: int, x: Tensor, lengths: Tensor, weights: Sequence[Tensor],
        edges: _Edges = _Edges(),  # noqa: B008 (frozen)
        *, half: bool = False,
    ) -> None:  # fmt: skip
        self.library, self.weights, self.edges = native.library(), weights, edges
        self.x = x.detach().contiguous()  # of a backward pass: the real rows, once they are taken
        self.shape, self.hidden = x.shape, weights[1].shape[1]
        self.panels: Tensor  # the weights, packed for the forward pass that ran last
        self.saved: Tensor | None = None  # what the backward pass reads and overwrites
        directions = len(weights) // 4
        self.places, total = self.library.places(lengths, x.shape[1])
        self.scan = native.Scan(  # as layout.h orders them
            lstm, directions, *x.shape, self.hidden, total, _blocks(x.shape[0], directions),
            0 if half else _slice(x.shape[0], directions, max(x.shape[2], self.hidden)),
            self.library.half.make if half else 0,
            *(part.data_ptr() for part in (*self.places, self.x)),
        )  # fmt: skip
        ends = (directions, x.shape[0], self.hidden)
        self.last = torch.empty(ends) if edges.memory else None  # memory after the last step
        self._point_ends(("first_state", "first_memory"), edges.first)
        if self.last is not None:
            self._point_ends(("last_memory",), [self.last])

    def take_last(self) -> Tensor | None:
        """The memory after the last step, which is then held no more, nor written again."""
        last, self.last = self.last, None
        for direction in self._directions():
            direction.last_memory = None
        return last

    def _point_ends(self, names: Sequence[str], ends: Sequence[Tensor]) -> None:
        """Tell each direction where its rows of ``[D, B, H]`` lie."""
        for name, part in zip(names, ends, strict=False):
            for i, direction in enumerate(self._directions()):
                setattr(direction, name, part[i].data_ptr())

    def _directions(self) -> list[native.Direction]:
        return [self.scan.direction[i] for i in range(self.scan.directions)]

    def forward(self, *, for_backward: bool, packed: Tensor | None = None) -> Tensor:
        """The states ``[B, T, D*H]``; ``for_backward``: and save what that pass reads."""
        states = torch.empty(*self.shape[:2], self.scan.directions * self.hidden)
        self.scan.states = states.data_ptr()
        begin = native.PACK_FORWARD if packed is None else native.FORWARD
        self.panels = self._panels(native.PACK_FORWARD, packed)
        whole = self.x  # is read until all has run
        if for_backward:
            begin = self._take_rows()
            self._save_steps()
        self.library.run(self.scan, begin, native.FORWARD)
        del whole
        if for_backward:
            _workspace.give(self.panels)
        return states

    def _take_rows(self) -> int:
        """Room for the real rows of ``x``, which a backward pass reads; the phase to begin with."""
        if self.scan.x:
            return native.PACK_FORWARD
        if self.scan.rows < self.shape[0] * self.shape[1]:
            self.x = torch.empty(self.scan.rows, self.shape[2])
        self.scan.x = self.x.data_ptr()
        return native.TAKE_ROWS if self.scan.x != self.scan.whole else native.PACK_FORWARD

    def _panels(self, phase: int, packed: Tensor | None = None) -> Tensor:
        """Room for the weights that ``phase`` packs, unless they are packed."""
        size = self.library.panels(self.scan, phase)
        panels = _workspace.take(size * self.scan.directions) if packed is None else packed
        for i, direction in enumerate(self._directions()):
            direction.panels = panels.data_ptr() + 4 * size * i
            if packed is None:
                self._point(i, self.weights)
        return panels

    def _point(self, number: int, parts: Sequence[Tensor], suffix: str = "") -> None:
        """Tell the scan where the weights of direction ``number``, or their gradients, lie."""
        for name, part in zip(CellWeights._fields, parts[4 * number :], strict=False):
            setattr(self.scan.direction[number], f"{name}{suffix}", part.data_ptr())

    def _save_steps(self) -> None:
        """Give each direction room for what the backward pass needs."""
        units = -(-self.hidden // self.library.lanes) * self.library.lanes
        plane = self.scan.rows * units
        planes = STEP_VECTORS + 1 + self.scan.lstm
        self.saved = _workspace.take(plane * planes * self.scan.directions)
        for i, direction in enumerate(self._directions()):
            direction.kept = self.saved.data_ptr() + 4 * plane * planes * i
            direction.before = direction.kept + 4 * plane * STEP_VECTORS
            direction.memory = direction.before + 4 * plane if self.scan.lstm else None

    def backward(
        self, gradient: Tensor, of_memory: Tensor | None = None, *, of_x: bool
    ) -> tuple[Tensor | None, list[Tensor], list[Tensor]]:
        """Gradients of ``x`` (if ``of_x``), of what stood first, and of all weights.

        From those of the states, and of the memory after the last step if anything used it.
        """
        if self.saved is None:  # a second backward pass: the first overwrote what was saved
            self.forward(for_backward=True)
        assert self.saved is not None
        gradient = gradient.float().contiguous()
        self.scan.state_gradient = gradient.data_ptr()
        x_gradient = torch.empty(self.shape) if of_x else None
        self.scan.x_gradient = None if x_gradient is None else x_gradient.data_ptr()
        gradients = [torch.empty_like(weight) for weight in self.weights]
        for i in range(self.scan.directions):
            self._point(i, gradients, "_gradient")
        firsts = [torch.empty_like(part) for part in self.edges.first]
        self._point_ends(("first_state_gradient", "first_memory_gradient"), firsts)
        if of_memory is not None:
            of_memory = of_memory.float().contiguous()
            self._point_ends(("last_memory_gradient",), [of_memory])
        rooms = [self._panels(native.PACK_BACKWARD)]
        if self.scan.half:
            rooms.append(_workspace.take(self.library.transposed(self.scan)))
            self.scan.transposed = rooms[-1].data_ptr()
        self.library.run(self.scan, native.PACK_BACKWARD, native.GRADIENTS)
        for room in (*rooms, self.saved):
            _workspace.give(room)
        self.saved = None
        return x_gradient, firsts, gradients


class _Differentiable(torch.autograd.Function):
    """:class:`_Pass` as autograd sees it."""

    @staticmethod
    def forward(
        ctx: Any, lstm: int, half: bool, x: Tensor, lengths: Tensor, memory: bool, firsts: int,
        *parts: Tensor,
    ) -> tuple[Tensor, Tensor | None]:  # fmt: skip
        first, weights = parts[:firsts], parts[firsts:]
        layer = _Pass(lstm, x, lengths, weights, _Edges(first, memory), half=half)
        ctx.layer = layer
        ctx.set_materialize_grads(False)
        states = layer.forward(for_backward=True)
        ctx.save_for_backward(layer.x, *parts)  # torch then notices a change in place
        return states, layer.take_last()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_states: Tensor | None, of_memory: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        _ = ctx.saved_tensors
        layer: _Pass = ctx.layer
        if of_states is None:
            of_states = torch.zeros(*layer.shape[:2], layer.scan.directions * layer.hidden)
        of_x, firsts, weights = layer.backward(of_states, of_memory, of_x=ctx.needs_input_grad[2])
        return None, None, of_x, None, None, None, *firsts, *weights


def _blocks(batch: int, directions: int) -> int:
    """Parts of the batch that run side by side: enough for all threads, four rows or more each.

    And such as leave room in the caches for what a step of them reads and writes.
    """
    enough = max(-(-torch.get_num_threads() // directions), -(-batch // MOST_ROWS))
    return max(1, min(batch // 4, enough))


def _slice(batch: int, directions: int, terms: int) -> int:
    """Terms that products of up to ``terms`` sum at once; not asked where it can't matter."""
    library = native.library()
    if terms <= min(filter(None, tuning.SLICES)) or batch <= FEW_ROWS * _blocks(batch, directions):
        return library.slice or 0
    if library.slice is None:
        library.slice = 0  # for the scan that is measured
        library.slice = tuning.best_slice(library.path, _small_scan)
    return library.slice


def _small_scan() -> Callable[[int], None]:
    """The forward pass of an LSTM of 256 units over 32 short sequences, on one thread."""
    size, batch, steps = 256, 32, 3
    rows = 4 * size
    weights = [torch.full(s, 0.01) for s in ((rows, size), (rows, size), (rows,), (rows,))]
    layer = _Pass(1, torch.ones(batch, steps, size), torch.full((batch,), steps), weights)
    layer.scan.blocks = 1
    states = layer.forward(for_backward=False)

    def scan(slice_: int) -> None:
        layer.scan.slice, layer.scan.states = slice_, states.data_ptr()
        layer.library.run(layer.scan, native.FORWARD, native.FORWARD)

    return scan
