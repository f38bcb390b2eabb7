"""Another run's states as features of tokens: what is kept of that run, and what it gives.

A task that has such states names in its specification, as ``context``, a class made from a task
and an info (:class:`Contextual`). Whoever uses a run keeps a copy of it: its options and what it
knows among the files of its own run, its weights in its own model.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from birnn.arrays import Array, Codes, Ints
from birnn.config import from_dict
from birnn.data.splits.batching import by_length
from birnn.data.splits.spelled import Speller
from birnn.nn.batch import Batch
from birnn.nn.one_way.context import BorderStates
from birnn.progress import tell
from birnn.registry import load
from birnn.storage.cache import cached_array
from birnn.storage.files import read_json
from birnn.tasks.core.stored import stored

FILE = "context.json"
SYMBOLS, ITEMS = 65_536, 64  # of a batch


class Contextual(Speller, Protocol):
    """What a task's class ``context`` does."""

    size: int  # of a token's features

    def network(self) -> BorderStates:
        """The frozen network, with whatever weights."""


@dataclass(frozen=True)
class Context:
    """A copy of a run that others take states from."""

    task: str
    options: Mapping[str, Any]
    info: Any
    speller: Contextual
    name: str  # of the run, in words
    # At hand only while a model is being made:
    weights: Mapping[str, torch.Tensor] | None = None

    @classmethod
    def of(cls, task: Any, options: Mapping[str, Any], info: Any, name: str) -> "Context":
        """Of a task and what a run of it knows.

        Raises:
            ConfigError: the task offers no states.
        """
        kind = load("birnn.tasks:TASKS").require(task.name, "context", "--context", name)
        return cls(task.name, options, info, kind(task, info), name)

    @property
    def size(self) -> int:
        """Features of a token."""
        return self.speller.size

    def files(self) -> dict[str, Any]:
        """``context.json``, and what the run itself keeps of what it knows."""
        own = {"task": self.task, "options": dict(self.options), "name": self.name}
        return {FILE: own, **self.info.files()}

    def network(self) -> BorderStates:
        """The frozen network, with its weights if they are at hand."""
        network = self.speller.network()
        if self.weights is not None and not any(b.is_meta for b in network.buffers()):
            own = network.model.state_dict()  # what else the run has, states don't need
            network.model.load_state_dict({name: self.weights[name] for name in own})
        return network.train()


def read_context(folder: Path) -> Context | None:
    """What :meth:`Context.files` wrote; None where a run has none.

    Raises:
        CheckpointError: it is not what it should be.
    """
    if not (folder / FILE).is_file():
        return None
    kept = read_json(folder / FILE)
    with stored(folder, "context is"):
        options, spec = kept["options"], load("birnn.tasks:TASKS")[str(kept["task"])]
        task = spec.part("task")(from_dict(spec.part("options"), options))
        return Context.of(task, options, task.read_info(folder), str(kept["name"]))


def with_states(context: Context, splits: Mapping[str, Any]) -> dict[str, Any]:
    """Splits with the states at their tokens.

    They hold their ``types`` and ``starts``, or ``tokens`` that do.
    """
    found = {}
    for name, split in splits.items():
        tokens = getattr(split, "tokens", split)
        states = states_of(context, split, tokens.starts, tokens.types)
        found[name] = replace(split, context=states)
    return found


def states_of(context: Context, split: Any, starts: Ints, types: Codes) -> Array:
    """``[M, C]``: the states at all tokens of a split, one sentence after the other.

    They are made once, and kept on the disk for the next run on the same sentences.

    Args:
        context: with its weights.
        split: whose batches hold what :meth:`birnn.data.splits.spelled.Spelled.inputs` gives.
        starts: of the sentences among the tokens.
        types: which of the distinct tokens stands at each place.
    """
    digest = sha256(str(sorted(context.files().items())).encode())
    for weight in context.network().state_dict().values():
        digest.update(weight.contiguous().numpy().tobytes())
    spelled = split.spelled
    for part in (spelled.symbols, spelled.sizes, types, split.lengths):
        digest.update(np.ascontiguousarray(part).tobytes())
    shape = (len(types), context.size)

    def make(target: Array) -> None:
        for places, states in _states(context, split, starts, types):
            target[places] = states

    states: Array = cached_array(f"context-{digest.hexdigest()[:32]}", shape, make)
    return states


def _states(
    context: Context, split: Any, starts: Ints, types: Codes
) -> Iterator[tuple[Ints, Array]]:
    network, lengths = context.network().eval(), split.lengths
    plan, done = by_length(split.spelled.lengths(types, starts, lengths), ITEMS, SYMBOLS), 0
    for indices in plan:
        batch: Batch = split.batch(indices)
        with torch.inference_mode():
            states = network(batch.inputs).numpy()
        for item, row in zip(indices, states, strict=True):
            size = int(lengths[item])
            yield starts[item] + np.arange(size), row[:size]
        done += len(indices)
        tell(f"states of {context.name}", done / len(lengths))


def with_weights(context: Context, weights: Mapping[str, torch.Tensor]) -> Context:
    """The same with weights at hand."""
    with suppress(AttributeError):
        weights = {name: weight.cpu() for name, weight in weights.items()}
    return replace(context, weights=weights)
