"""From the shares of symbols to texts: prefix beam search, and where each symbol stands.

``T`` steps, ``K`` symbols, of which number 0 is the blank; shares come as logarithms ``[T, K]``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from birnn.arrays import Array
from birnn.nn.audio.ctc import BLANK

FAINT = -12.0  # a symbol less likely in a step than e to this is not tried there
NEVER = -np.inf

Prefix = tuple[int, ...]
# The logarithm of how likely a symbol is after a prefix; None in its place: that the text ends.
Continues = Callable[[Prefix, int | None], float]


@dataclass(frozen=True)
class Found:
    """A text of a beam."""

    symbols: Prefix
    score: float  # what beams are ordered by: CTC, and the language model's weighted part
    likelihood: float  # the logarithm of the share that CTC gives it, of the paths that were kept


@dataclass
class _Sums:
    """Logarithms of the summed shares of the paths to a prefix, and of its language model."""

    blank: float = NEVER  # of paths that end in a blank
    symbol: float = NEVER  # of those that end in its last symbol
    language: float = 0.0

    @property
    def paths(self) -> float:
        return float(np.logaddexp(self.blank, self.symbol))

    @property
    def score(self) -> float:
        return self.paths + self.language


def prefix_beam(
    scores: Array, width: int, language: Continues | None = None, weight: float = 0.5,
    bonus: float = 0.0,
) -> list[Found]:  # fmt: skip
    """The likeliest texts of ``scores [T, K]``, best first, ``width`` at most.

    All paths to a text are summed, not the best one alone (Graves et al. 2006; Hannun et al.
    2014). With a ``width`` that holds every prefix it is exact, but for symbols that are fainter
    in a step than ``e^-12``.

    Args:
        scores: logarithms of shares.
        width: prefixes that are kept after each step.
        language: how likely a symbol is after a prefix; its logarithm counts ``weight`` times.
        weight: of ``language``.
        bonus: added for each symbol, against a language model's liking for short texts.
    """
    beams: dict[Prefix, _Sums] = {(): _Sums(blank=0.0)}

    def known(prefix: Prefix, symbol: int) -> float:
        return bonus + (weight * language(prefix, symbol) if language else 0.0)

    for step in scores:
        following = _after(beams, step, known)
        kept = sorted(following, key=lambda p: (-following[p].score, p))[:width]
        beams = {prefix: following[prefix] for prefix in kept}
    ends = {p: weight * language(p, None) if language else 0.0 for p in beams}
    found = [Found(p, sums.score + ends[p], sums.paths) for p, sums in beams.items()]
    return sorted(found, key=lambda one: (-one.score, one.symbols))


def _after(
    beams: dict[Prefix, _Sums], step: Array, known: Callable[[Prefix, int], float]
) -> dict[Prefix, _Sums]:
    """All prefixes after one more step ``[K]``; ``known`` scores a symbol after a prefix."""
    likely = [int(k) for k in np.flatnonzero(step > FAINT) if k != BLANK]
    following: dict[Prefix, _Sums] = {}
    for prefix, sums in beams.items():
        same = following.setdefault(prefix, _Sums(language=sums.language))
        same.blank = float(np.logaddexp(same.blank, sums.paths + step[BLANK]))
        if prefix:
            repeat = sums.symbol + step[prefix[-1]]
            same.symbol = float(np.logaddexp(same.symbol, repeat))
        for symbol in likely:
            # An equal neighbour is a new symbol after a blank alone.
            source = sums.blank if prefix and symbol == prefix[-1] else sums.paths
            if source == NEVER:
                continue
            longer = (*prefix, symbol)
            if longer not in following:
                following[longer] = _Sums(language=sums.language + known(prefix, symbol))
            grown = following[longer]
            grown.symbol = float(np.logaddexp(grown.symbol, source + step[symbol]))
    return following


def aligned(scores: Array, symbols: Prefix) -> Array:
    """Where ``symbols`` stand on their best path through ``scores [T, K]``: ``[L, 4]``.

    Rows are as :class:`birnn.nn.audio.ctc.Symbol`; found by Viterbi's algorithm over the symbols
    with blanks between. There must be steps enough (:func:`birnn.nn.audio.ctc.steps_needed`).
    """
    if not symbols:
        return np.zeros((0, 4), dtype=np.float32)
    states = np.full(2 * len(symbols) + 1, BLANK)
    states[1::2] = symbols
    # From a symbol one can step over the blank to the next one, if that differs.
    over = np.zeros(len(states), dtype=bool)
    over[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), NEVER)
    best[:2] = scores[0, states[:2]]
    back = np.zeros((len(scores), len(states)), dtype=np.int64)
    for t in range(1, len(scores)):
        ways = np.full((3, len(states)), NEVER)
        ways[0], ways[1, 1:] = best, best[:-1]
        ways[2, 2:] = np.where(over[2:], best[:-2], NEVER)
        back[t] = ways.argmax(0)
        best = ways.max(0) + scores[t, states]
    path = np.empty(len(scores), dtype=np.int64)
    path[-1] = len(states) - 1 - int(best[-2] > best[-1])
    for t in range(len(scores) - 1, 0, -1):
        path[t - 1] = path[t] - back[t, path[t]]
    rows = []
    for number, symbol in enumerate(symbols):
        steps = np.flatnonzero(path == 2 * number + 1)
        sure = float(np.exp(scores[steps, symbol].max()))
        rows.append((symbol, int(steps[0]), int(steps[-1]) + 1, sure))
    return np.array(rows, dtype=np.float32)
