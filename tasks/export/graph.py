"""What the exported graphs of all tasks share: modules that take padded arrays instead of bags.

A graph is a copy of the trained model in which the few operations that ONNX has no word for are
replaced by plain ones with the same weights. :class:`Graph` says how a task's batches are fed to
it, so that a graph can stand in for the model wherever the task uses one.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from birnn.arrays import Array
from birnn.errors import ConfigError
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.encoders import MaskedBatchNorm
from birnn.nn.word_embedder import PretrainedVectors, WordEmbedder

Arrays = dict[str, Array]
Axes = dict[str, dict[int, str]]


def check_no_context(run: Any) -> None:
    """Refuse a run that reads the states of another.

    Raises:
        ConfigError: so it is.
    """
    if getattr(run.info, "context", None) is not None:
        reads = "it reads the states of another run (--context), which are no network to export"
        raise ConfigError(f"{run.folder}: {reads}; train one without")


class PaddedVectors(nn.Module):
    """``PretrainedVectors`` of padded ``vector_rows [U, R]`` and their numbers ``[U]``."""

    values: Tensor

    def __init__(self, table: PretrainedVectors) -> None:
        super().__init__()
        self.scale = table.scale
        self.register_buffer("values", table.values)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """``[U, D]``; 0 where a word has no row."""
        rows = self.get_buffer("values")[inputs["vector_rows"]].float() * self.scale
        counts = inputs["vector_counts"]
        return padded_sum(rows, counts) / counts.clamp(min=1).unsqueeze(-1)


class FixedBatchNorm(nn.Module):
    """:class:`birnn.nn.encoders.MaskedBatchNorm` as it predicts: a factor and a shift."""

    factor: Tensor
    shift: Tensor

    def __init__(self, norm: MaskedBatchNorm) -> None:
        super().__init__()
        inner = norm.norm
        assert inner.running_mean is not None
        assert inner.running_var is not None
        factor = inner.weight / (inner.running_var + inner.eps).sqrt()
        self.register_buffer("factor", factor)
        self.register_buffer("shift", inner.bias - inner.running_mean * factor)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, T, F]``."""
        return x * self.factor + self.shift


class PlainGRUCell(nn.Module):
    """``nn.GRUCell`` in operations that ONNX has."""

    def __init__(self, cell: nn.GRUCell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        """``[B, F]``, ``[B, H]`` → ``[B, H]``."""
        cell = self.cell
        of_x = nn.functional.linear(x, cell.weight_ih, cell.bias_ih).chunk(3, 1)
        of_state = nn.functional.linear(state, cell.weight_hh, cell.bias_hh).chunk(3, 1)
        reset, update = torch.sigmoid(of_x[0] + of_state[0]), torch.sigmoid(of_x[1] + of_state[1])
        new = torch.tanh(of_x[2] + reset * of_state[2])
        return new + update * (state - new)


def padded_sum(rows: Tensor, counts: Tensor) -> Tensor:
    """The sum of the first ``counts [U]`` of ``rows [U, G, D]``: ``[U, D]``."""
    return (rows * sequence_mask(counts, rows.shape[1]).unsqueeze(-1)).sum(1)


def padded_grams(table: nn.EmbeddingBag, inputs: Mapping[str, Tensor]) -> Tensor:
    """What :class:`birnn.nn.word_embedder.WordEmbedder` makes of n-grams, from padded rows."""
    counts = inputs["gram_counts"]
    total = padded_sum(table.weight[inputs["gram_ids"]], counts)
    return total / counts.clamp(min=1).unsqueeze(-1).to(total.dtype).sqrt()


PLAIN: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    MaskedBatchNorm: FixedBatchNorm, nn.GRUCell: PlainGRUCell, PretrainedVectors: PaddedVectors,
}  # fmt: skip


def plain_copy(model: nn.Module) -> nn.Module:
    """A copy of ``model`` that a trace can follow, with the same weights."""
    model = copy.deepcopy(model).eval().requires_grad_(False)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if plain := PLAIN.get(type(child)):
                setattr(parent, name, plain(child))
        if isinstance(parent, WordEmbedder) and parent.grams is not None:
            vars(parent)["_characters"] = partial(padded_grams, parent.grams)
    return model


def padded_rows(ids: Tensor, offsets: Tensor) -> tuple[Array, Array]:
    """Joined rows of ids as ``[U, G]``, 0 beyond each row's end, and their numbers ``[U]``."""
    flat, starts = ids.numpy(), offsets.numpy()
    counts = np.diff(np.append(starts, len(flat)))
    return spread(flat, counts), counts


def spread(flat: Array, counts: Array) -> Array:
    """``flat [M]`` in rows of ``counts [U]``, at least one column: ``[U, G]``."""
    mask = np.arange(max(int(counts.max(initial=1)), 1)) < counts[:, None]
    rows = np.zeros(mask.shape, dtype=flat.dtype)
    rows[mask] = flat
    return rows


def distance(answer: Array, wanted: Array) -> float:
    """The largest difference, over the largest size where that is above 1; inf for a NaN."""
    if answer.shape != wanted.shape:
        return float("inf")
    if not wanted.size:
        return 0.0
    apart = float(np.abs(answer.astype(np.float64) - wanted).max())
    size = max(float(np.abs(wanted).max()), 1.0)
    return apart / size if np.isfinite(apart) else float("inf")


class Graph(ABC, nn.Module):
    """The trained model of a loaded run as a function of named arrays."""

    axes: ClassVar[Axes]  # of inputs and outputs: which have a size of their own, and its name

    def __init__(self, run: Any) -> None:
        super().__init__()
        self.info, self.task = run.info, run.task
        self.plain = plain_copy(run.model)

    @property
    @abstractmethod
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order; ``lengths`` comes last."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""

    @abstractmethod
    def feeds(self, batch: Batch) -> Arrays:
        """A batch of the task as the graph's inputs."""

    @abstractmethod
    def read(self, answers: Mapping[str, Tensor], batch: Batch) -> Any:
        """The graph's outputs as the model's."""

    @abstractmethod
    def wanted(self, outputs: Any) -> Mapping[str, Tensor]:
        """The model's outputs as the graph's."""

    @abstractmethod
    def answer(self, inputs: Mapping[str, Tensor], lengths: Tensor) -> tuple[Tensor, ...]:
        """The outputs, in order."""

    @abstractmethod
    def sample(self, lengths: Sequence[int], generator: np.random.Generator) -> Batch:
        """A random batch that a run could meet, of items with these lengths."""

    @abstractmethod
    def card(self) -> dict[str, Any]:
        """``model.json``: what ``predict.py`` needs beside the graph."""

    @abstractmethod
    def compare_script(
        self, run: Any, made: Path, predictor: Callable[[Path], Any]
    ) -> tuple[float | None, str]:
        """How far the script in the folder ``made`` is from the run on made-up input.

        Returns:
            The largest difference, and what was compared; None where nothing can be, and why.
        """

    def longest(self, steps: int) -> int:
        """The longest item of at most ``steps`` steps that a run can meet."""
        return steps

    def apart(self, answer: Array, wanted: Array) -> float:
        """How far two predictions of an item are apart, both as the task decodes them."""
        return distance(answer, wanted)

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Inputs in the order of :attr:`inputs` → outputs in that of :attr:`outputs`."""
        named = dict(zip(self.inputs, tensors, strict=True))
        return self.answer(named, named.pop("lengths"))


def ragged_sample(
    rows: int, words: int, most: int, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """For each of ``words`` words 0 to ``most`` ids below ``rows``: ids and offsets, as bags."""
    counts = generator.integers(0, most + 1, words)
    flat = generator.integers(0, rows, int(counts.sum()))
    return torch.from_numpy(flat), torch.from_numpy(np.cumsum(counts) - counts)


def types_sample(lengths: Sequence[int], words: int, generator: np.random.Generator) -> Tensor:
    """``[B, T]`` numbers of words, 0 in the padding."""
    counts = np.array(lengths)
    return torch.from_numpy(spread(generator.integers(0, words, int(counts.sum())), counts))
