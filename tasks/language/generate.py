"""Text that a language model goes on to write, symbol by symbol."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from birnn.arrays import Array
from birnn.data.passages.symbols import BORDER, UNKNOWN
from birnn.errors import ConfigError
from birnn.nn.one_way.model import LanguageModel, can_carry
from birnn.nn.one_way.ngrams import NGramTables
from birnn.tasks.runs.folder import LoadedRun, single
from birnn.tasks.serving.generating import Generation


def generate(run: LoadedRun, prompt: str, wish: Generation) -> Iterator[str]:
    """Go on from ``prompt``, so many times as wished, until a document ends or is long enough.

    Each text has random numbers of its own: it does not depend on how many there are.

    Raises:
        ConfigError: an ensemble, or a recurrence that can't go on from states.
    """
    run = single(run, "generate")
    model = run.model
    assert isinstance(model, LanguageModel)
    if not can_carry(model.way(0).encoder):
        raise ConfigError(f"generate: {run.folder} has a recurrence that can't go on from states")
    symbols = run.info.symbols
    start = [BORDER, *symbols.encode(prompt).tolist()]
    for number in range(wish.count):
        written = _one(model.eval(), start, wish, np.random.default_rng([wish.seed, number]))
        yield prompt + symbols.decode(written)


@torch.inference_mode()
def _one(
    model: LanguageModel, start: list[int], wish: Generation, random: np.random.Generator
) -> list[int]:
    way = model.way(0)
    encoder, cells = way.encoder, 2 if way.encoder.recurrence.name == "lstm" else 1
    before = [tuple(model.embedding.weight.new_zeros(cells, 1, 1, encoder.config.hidden_size))
              for _ in range(encoder.config.layers)]  # fmt: skip
    read, written = list(start), list[int]()
    steps = torch.tensor([start])
    for _ in range(wish.length):
        states, before = encoder.carry(model.embedding(steps), before)
        chances = way.logits(states[0, -1], model.embedding.weight).double().log_softmax(-1)
        if model.ngrams is not None and int(model.ngrams.fitted):
            chances = mixed(model.ngrams, read, chances)
        symbol = drawn(chances.cpu().numpy(), wish, random)
        if symbol == BORDER:
            break
        written.append(symbol)
        read.append(symbol)
        steps = torch.tensor([[symbol]], device=states.device)
    return written


def mixed(tables: NGramTables, read: list[int], own: Tensor) -> Tensor:
    """The chances ``[V]`` of all symbols after what was ``read``, n-grams mixed in."""
    context = torch.tensor(read[-tables.orders[0] :], device=own.device)
    every = torch.arange(len(own), device=own.device)[:, None]
    rows = torch.cat([context.expand(len(own), -1), every], dim=1)
    last = torch.zeros_like(rows, dtype=torch.bool)
    last[:, -1] = True
    filled = torch.where(last, own[:, None], 0.0)
    return tables.mixed(0, rows, filled, last)[:, -1]


def drawn(chances: Array, wish: Generation, random: np.random.Generator) -> int:
    """A symbol by its log-chance over the temperature, among the likeliest that make ``top_p``.

    Holtzman et al. 2020 (nucleus sampling). At temperature 0, the likeliest.
    """
    chances = chances.astype(np.float64)
    chances[UNKNOWN] = -np.inf
    if wish.temperature == 0:
        return int(chances.argmax())
    scaled = chances / wish.temperature
    shares = np.exp(scaled - scaled.max())
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")
    ahead = np.cumsum(shares[order]) - shares[order]
    kept = order[ahead < wish.top_p]
    total = np.cumsum(shares[kept])
    return int(kept[min(np.searchsorted(total, random.random() * total[-1]), len(kept) - 1)])
