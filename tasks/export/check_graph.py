"""Is the exported graph the trained model? Both are asked the same, and must agree."""

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
import torch

from birnn.errors import CheckpointError
from birnn.nn.batch import Batch, sequence_mask
from birnn.tasks.export.graph import Graph, distance
from birnn.tasks.export.session import Session
from birnn.tasks.runs.folder import LoadedRun

TOLERANCE = 1e-4
BATCHES = (1, 2, 3, 8, 64)
LENGTHS = (1, 2, 7, 33, 128, 500)
SECONDS = 60.0  # after which no larger shape is tried
LEAST = 12  # shapes that are tried whatever it takes


def shapes(most: int) -> list[tuple[int, int]]:
    """Batches and longest lengths, smallest first; ``most``: steps of the longest item."""
    lengths = sorted({min(length, most) for length in LENGTHS})
    return sorted(((b, t) for b in BATCHES for t in lengths), key=lambda pair: pair[0] * pair[1])


def check_graph(run: LoadedRun, graph: Graph, session: Session, most: int) -> dict[str, Any]:
    """Compare the graph with the model on random inputs of many shapes.

    Returns:
        What was compared, for ``check.json``.

    Raises:
        CheckpointError: they differ; says at which shape and by how much.
    """
    generator = np.random.default_rng(0)
    started = perf_counter()
    tried: list[list[int]] = []
    largest = 0.0
    for items, steps in shapes(most):
        if len(tried) >= LEAST and perf_counter() - started > SECONDS:
            break
        lengths = [steps, *generator.integers(1, steps + 1, items - 1).tolist()]
        batch = graph.sample(lengths, generator)
        for name, apart in distances(run, graph, session, batch):
            largest = max(largest, apart)
            if not apart <= TOLERANCE:
                raise CheckpointError(
                    f"{run.folder}: the exported graph's {name} differ from the model's by"
                    f" {apart:.3g} (batch {items}, length {steps}), more than {TOLERANCE:g};"
                    " nothing was written"
                )
        tried.append([items, steps])
    return {"shapes": tried, "largest_difference": largest, "tolerance": TOLERANCE}


def distances(
    run: LoadedRun, graph: Graph, session: Session, batch: Batch
) -> Iterator[tuple[str, float]]:
    """How far the graph's outputs are from the model's for a batch, in the outputs' scale.

    What decides a tag and what is forecast may be large: they are measured in units of the
    largest there is, or of 1.
    """
    with torch.inference_mode():
        outputs = run.model(batch)
        wanted = graph.wanted(outputs)
        found = session.run(graph.feeds(batch))
        mask = sequence_mask(batch.lengths, int(batch.lengths.max()))
        for name, tensor in wanted.items():
            real, mine = tensor.float().numpy(), found[name].numpy()
            if real.shape[:2] == tuple(mask.shape) and graph.axes[name].get(1) == "time":
                real, mine = real[mask.numpy()], mine[mask.numpy()]
            yield name, distance(mine, real)
        decoded = run.task.decode(outputs, batch)
        again = run.task.decode(graph.read(found, batch), batch)
        pairs = zip(again, decoded, strict=True)
        yield "predictions", max(graph.apart(one, other) for one, other in pairs)
