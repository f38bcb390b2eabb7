"""Training batches of a stream: windows one after the other, so that states can be carried."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from birnn import processes
from birnn.arrays import Ints
from birnn.nn.batch import Batch


@dataclass(frozen=True)
class StreamWindows:
    """A stream in ``rows`` parts side by side, read ``window`` symbols at a time.

    A batch holds ``symbols [B, T + 1]`` of the stream, and ``mirror [B, T + 1]`` of the stream read
    from its end: each window begins with the last symbol of the one before it. ``carry [B]`` is 1
    where a row goes on where it was, and 0 where it begins anew: at the beginning of an epoch, and
    now and then (``fresh``), so that a model knows how to begin. The parts begin elsewhere each
    epoch.

    Of several processes, each has some of the rows: ``place [B]`` says which.

    Batches as :class:`birnn.training.loop.Batches` wants them: a function of seed and epoch.
    """

    stream: Ints  # [S]
    rows: int
    window: int
    seed: int
    fresh: float = 0.02

    @classmethod
    def of(cls, stream: Ints, rows: int, window: int, seed: int) -> "StreamWindows":
        """With fewer rows, and shorter windows, of a short stream."""
        window = max(1, min(window, (len(stream) - 1) // 2))
        rows = max(1, min(rows, (len(stream) - 1) // (2 * window)))
        return cls(stream, rows, window, seed)

    @property
    def span(self) -> int:
        """Symbols that a row predicts in an epoch."""
        return (len(self.stream) - 1 - self.window // 2) // self.rows or 1

    def steps(self, epoch: int) -> int:
        """How many batches ``epoch`` has."""
        return -(-self.span // self.window)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of ``epoch``, from the one numbered ``start`` on."""
        generator = np.random.default_rng([self.seed, epoch])
        begin = int(generator.integers(0, max(1, len(self.stream) - self.span * self.rows)))
        carried = generator.random((self.steps(epoch), self.rows)) >= self.fresh
        carried[0] = False
        own = np.arange(self.rows)[processes.rank() :: processes.count()]
        counts, own = len(own) > 0, own if len(own) else np.arange(1)
        firsts = begin + own[:, None] * self.span
        for step in range(start, self.steps(epoch)):
            size = min(self.window, self.span - step * self.window)
            places = firsts + step * self.window + np.arange(size + 1)
            parts = {"symbols": self.stream[places], "mirror": self.stream[-1 - places],
                     "carry": carried[step, own], "place": own}  # fmt: skip
            inputs = {name: torch.from_numpy(part.astype(np.int64)) for name, part in parts.items()}
            yield Batch(inputs, torch.full((len(own),), size + 1), counts=counts)

    def last(self) -> str:
        """Where the symbols of a batch stand."""
        return "windows of the whole of train"
