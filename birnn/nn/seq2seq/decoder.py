"""Decoders with attention: one whose work in training is all done at once, one that feeds itself.

``stacked``
    A recurrence over the target, attention to the source, a second recurrence that reads both, and
    a second look. No step waits for what the attention of the step before has found, so that in
    training each recurrence is one call of the compiled scans, and all attention one product.
    What was looked at is known to the second recurrence (as in GNMT, Wu et al. 2016).
``feeding``
    A recurrence whose input holds what was made of the step before, attention too (input feeding,
    Luong et al. 2015). Products of the words are taken before the loop.

Both begin in zero states; the first input is not a word but what is made of the source's summary.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from birnn.nn import engines
from birnn.nn.dropout import Dropout
from birnn.nn.encoders import Cell
from birnn.nn.scan import CellWeights, Recurrence
from birnn.nn.seq2seq.attention import Attention


class Memory(NamedTuple):
    """What a decoder knows of ``B`` sources; everything is made once."""

    states: Tensor  # [B, T, D]
    mask: Tensor  # [B, T]
    start: Tensor  # [B, E], the first input
    keys: tuple[Tensor, ...]  # [B, T, A] of each attention

    def select(self, rows: Tensor) -> "Memory":
        """Those of some sources."""
        keys = tuple(part[rows] for part in self.keys)
        return Memory(self.states[rows], self.mask[rows], self.start[rows], keys)

    def to(self, device: torch.device) -> "Memory":
        """The same on ``device``."""
        keys = tuple(part.to(device) for part in self.keys)
        return Memory(self.states.to(device), self.mask.to(device), self.start.to(device), keys)


class State(NamedTuple):
    """Where a decoder stands, with ``K`` beams of each of ``B`` sources."""

    cells: tuple[Tensor, ...]  # [B, K, H]
    seen: Tensor  # [B, K, T] how much each source step was looked at
    out: Tensor | None = None  # [B, K, E] what was read off, where that is fed back

    @property
    def steps(self) -> Tensor:
        """``[B, K]`` how many steps were taken: each looked once in all."""
        return self.seen.sum(-1).round()

    def select(self, rows: Tensor, beams: Tensor) -> "State":
        """Of the sources ``rows [R]``, the beams ``[R, K]``."""
        own = rows.unsqueeze(1), beams
        out = None if self.out is None else self.out[own]
        return State(tuple(part[own] for part in self.cells), self.seen[own], out)


class DecoderSizes(NamedTuple):
    """How large a decoder is, and how it looks at the source."""

    word: int  # E
    hidden: int  # H
    summary: int  # S, of a source's summary
    states: int  # D
    attention: str
    coverage: bool
    diagonal: bool
    dropout: float


class Decoder(nn.Module, ABC):
    """Words of the target so far, and a memory, → what is to be read off as the next word."""

    def __init__(self, sizes: DecoderSizes, recurrence: Recurrence, forget: int | None) -> None:
        super().__init__()
        self.sizes, self.recurrence, self.forget = sizes, recurrence, forget
        self.start = nn.Linear(sizes.summary, sizes.word)
        self.dropout = Dropout(sizes.dropout)

    def memory(self, states: Tensor, summary: Tensor, mask: Tensor) -> Memory:
        """What is made of encoded sources, once: ``[B, T, D]``, ``[B, S]`` and ``[B, T]``."""
        start = torch.tanh(self.start(summary))
        return Memory(states, mask, start, tuple(look.key(states) for look in self.looks()))

    @abstractmethod
    def looks(self) -> list[Attention]:
        """Its attentions, in the order of the keys."""

    @abstractmethod
    def read(self, words: Tensor, lengths: Tensor, memory: Memory) -> Tensor:
        """``[B, U, E]`` what to read off at each step, of a target that is known.

        Args:
            words: ``[B, U, E]`` inputs; the first is the memory's start, then the words.
            lengths: ``[B]`` of the targets.
            memory: of the sources.
        """

    @abstractmethod
    def begin(self, memory: Memory, beams: int) -> State:
        """Where each of ``beams`` stands before the first step."""

    @abstractmethod
    def step(self, words: Tensor, state: State, memory: Memory) -> tuple[Tensor, State, Tensor]:
        """One step of all beams, as :meth:`read` makes it.

        Args:
            words: ``[B, K, E]`` inputs.
            state: before the step.
            memory: of the sources.

        Returns:
            What to read off ``[B, K, E]``, the state after it, and where was looked ``[B, K, T]``.
        """

    def _cell(self, inputs: int) -> Cell:
        return Cell(inputs, self.sizes.hidden, self.recurrence.gates, self.forget)

    def _attention(self, *, coverage: bool = False) -> Attention:
        s = self.sizes
        flags = {"coverage": coverage, "diagonal": s.diagonal}
        return Attention(s.hidden, s.states, s.hidden, s.attention, **flags)

    def _scan(self, x: Tensor, lengths: Tensor, cell: Cell) -> Tensor:
        return engines.run(self.recurrence, x, lengths, [cell.weights()])

    def _zeros(self, memory: Memory, beams: int) -> list[Tensor]:
        """A zero state, and an LSTM's memory."""
        count = 2 if self.recurrence.name == "lstm" else 1
        shape = len(memory.states), beams, self.sizes.hidden
        return [memory.states.new_zeros(shape) for _ in range(count)]


class StackedDecoder(Decoder):
    """Two recurrences, the second of which reads what the first one's attention has found."""

    def __init__(self, sizes: DecoderSizes, recurrence: Recurrence, forget: int | None) -> None:
        super().__init__(sizes, recurrence, forget)
        word, hidden, states = sizes.word, sizes.hidden, sizes.states
        self.first = self._cell(word)
        self.look = self._attention()
        self.second = self._cell(hidden + states)
        self.again = self._attention(coverage=sizes.coverage)
        self.out = nn.Linear(2 * hidden + states, word)

    def looks(self) -> list[Attention]:
        """The first and the second look."""
        return [self.look, self.again]

    def read(self, words: Tensor, lengths: Tensor, memory: Memory) -> Tensor:
        """Each recurrence in one call, each look in one product."""
        first = self._scan(words, lengths, self.first)
        steps = torch.arange(words.shape[1], device=words.device)
        seen = self.look(first, memory.keys[0], memory.mask, steps)
        second = self._scan(self._second_input(first, seen, memory), lengths, self.second)
        # What was looked at before each step: by the first look, which waits for none.
        before = seen.cumsum(1) - seen if self.sizes.coverage else None
        return self._out(first, second, self._again(second, memory, steps, before), memory)

    def begin(self, memory: Memory, beams: int) -> State:
        """Zero states, and nothing looked at."""
        cells = self._zeros(memory, beams)
        return State((*cells, *cells), nothing_seen(memory, beams))

    def step(self, words: Tensor, state: State, memory: Memory) -> tuple[Tensor, State, Tensor]:
        """As :meth:`read`, one step on."""
        half = len(state.cells) // 2
        before, after = state.cells[:half], state.cells[half:]
        one = advance(words, before, self.first.weights())
        seen = self.look(one[0], memory.keys[0], memory.mask, state.steps)
        two = advance(self._second_input(one[0], seen, memory), after, self.second.weights())
        weights = self._again(two[0], memory, state.steps, state.seen)
        out = self._out(one[0], two[0], weights, memory)
        return out, State((*one, *two), state.seen + seen), weights

    def _second_input(self, first: Tensor, seen: Tensor, memory: Memory) -> Tensor:
        context = torch.bmm(seen.to(memory.states.dtype), memory.states)
        made: Tensor = self.dropout(torch.cat([first, context], -1))
        return made

    def _again(
        self, second: Tensor, memory: Memory, steps: Tensor, before: Tensor | None
    ) -> Tensor:
        weights: Tensor = self.again(second, memory.keys[1], memory.mask, steps, before)
        return weights

    def _out(self, first: Tensor, second: Tensor, weights: Tensor, memory: Memory) -> Tensor:
        context = torch.bmm(weights.to(memory.states.dtype), memory.states)
        together = torch.cat([first, second, context], -1)
        made: Tensor = self.dropout(torch.tanh(self.out(self.dropout(together))))
        return made


class FeedingDecoder(Decoder):
    """One recurrence whose input holds what was read off the step before (input feeding)."""

    def __init__(self, sizes: DecoderSizes, recurrence: Recurrence, forget: int | None) -> None:
        super().__init__(sizes, recurrence, forget)
        word, hidden, states = sizes.word, sizes.hidden, sizes.states
        self.cell = self._cell(2 * word)
        self.look = self._attention(coverage=sizes.coverage)
        self.out = nn.Linear(hidden + states, word)

    def looks(self) -> list[Attention]:
        """The one look."""
        return [self.look]

    def read(self, words: Tensor, lengths: Tensor, memory: Memory) -> Tensor:
        """Step by step: each waits for the one before; the words' products are taken at once."""
        weights = self.cell.weights()
        word = self.sizes.word
        of_words = nn.functional.linear(words, weights.input[:, :word], weights.input_bias)
        state, made = self.begin(memory, 1), []
        for product in of_words.unbind(1):
            out, state, _ = self._on(product.unsqueeze(1), state, memory, weights)
            made.append(out)
        return torch.cat(made, 1)

    def begin(self, memory: Memory, beams: int) -> State:
        """Zero states, nothing looked at, nothing read off."""
        out = memory.states.new_zeros(len(memory.states), beams, self.sizes.word)
        return State(tuple(self._zeros(memory, beams)), nothing_seen(memory, beams), out)

    def step(self, words: Tensor, state: State, memory: Memory) -> tuple[Tensor, State, Tensor]:
        """As one of :meth:`read`."""
        weights = self.cell.weights()
        word = self.sizes.word
        product = nn.functional.linear(words, weights.input[:, :word], weights.input_bias)
        return self._on(product, state, memory, weights)

    def _on(
        self, product: Tensor, state: State, memory: Memory, weights: CellWeights
    ) -> tuple[Tensor, State, Tensor]:
        assert state.out is not None
        gates = product + nn.functional.linear(state.out, weights.input[:, self.sizes.word :])
        new = gated(gates, state.cells, weights)
        seen = self.look(new[0], memory.keys[0], memory.mask, state.steps, state.seen)
        context = torch.bmm(seen.to(memory.states.dtype), memory.states)
        together = torch.cat([new[0], context], -1)
        out = self.dropout(torch.tanh(self.out(self.dropout(together))))
        return out, State(new, state.seen + seen, out), seen


def nothing_seen(memory: Memory, beams: int) -> Tensor:
    """``[B, K, T]`` zeros."""
    return memory.states.new_zeros(len(memory.states), beams, memory.states.shape[1])


def advance(x: Tensor, state: tuple[Tensor, ...], weights: CellWeights) -> tuple[Tensor, ...]:
    """One step of a cell: ``x [B, K, F]`` and its states ``[B, K, H]`` → those after it."""
    return gated(nn.functional.linear(x, weights.input, weights.input_bias), state, weights)


def gated(gates: Tensor, state: tuple[Tensor, ...], weights: CellWeights) -> tuple[Tensor, ...]:
    """One step of a GRU (3 gates) or an LSTM, whose inputs' products ``[B, K, G*H]`` are taken.

    The equations are those of :func:`birnn.nn.scan.gru_scan` and
    :func:`birnn.nn.scan.lstm_scan`.
    """
    recurrent = nn.functional.linear(state[0], weights.recurrent, weights.recurrent_bias)
    if len(state) == 1:
        reset, update, new = gates.chunk(3, -1)
        reset_h, update_h, new_h = recurrent.chunk(3, -1)
        made = torch.tanh(new + torch.sigmoid(reset + reset_h) * new_h)
        return (made + torch.sigmoid(update + update_h) * (state[0] - made),)
    enter, forget, cell, leave = (gates + recurrent).chunk(4, -1)
    kept = torch.sigmoid(forget) * state[1] + torch.sigmoid(enter) * torch.tanh(cell)
    return torch.sigmoid(leave) * torch.tanh(kept), kept


DECODERS: dict[str, type[Decoder]] = {"stacked": StackedDecoder, "feeding": FeedingDecoder}
