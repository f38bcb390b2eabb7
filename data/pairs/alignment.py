"""Which piece of a source a piece of its target stands for: expectation and maximisation, in numpy.

IBM model 1 (Brown et al. 1993) with a prior for places near the diagonal (as Dyer et al. 2013) and
a null word. What is learned of train guides the attention of a decoder.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from birnn.arrays import Array, Floats, Ints
from birnn.progress import tell

ROUNDS = 5
WIDTH = 0.1  # of the prior: away from the diagonal by so much of a text, a place weighs half
NULL = 0.08  # how often a target piece stands for nothing
SURE = 0.3  # the least share of a piece that is taken to be its source
LEARNED = 20_000_000  # pairs of pieces that are learned from, at most
AT_ONCE = 2_000_000  # of them
TABLE = 1 << 24  # chances that are kept; of more kinds of pairs some share theirs


@dataclass(frozen=True)
class Cells:
    """All pairs of a source piece and a target piece of some texts, target piece by target piece.

    Attributes:
        token: ``[C]`` which target piece a cell belongs to.
        source: ``[C]`` numbers of the source pieces.
        key: ``[C]`` where the chance of the pair stands.
        prior: ``[C]`` adds up to 1 over the cells of a target piece.
        place: ``[C]`` of the source piece in its text.
        target: ``[N]`` numbers of the target pieces.
    """

    token: Ints
    source: Ints
    key: Ints
    prior: Floats
    place: Ints
    target: Ints

    @classmethod
    def of(cls, sources: Sequence[Ints], targets: Sequence[Ints], kinds: int, table: int) -> "Cells":
        """Of texts side by side; targets have ``kinds`` different pieces."""
        across = np.array([len(row) for row in sources])
        down = np.array([len(row) for row in targets])
        text = np.repeat(np.arange(len(down)), down)  # [N]
        target = np.concatenate(targets)
        sizes = across[text]
        token = np.repeat(np.arange(len(target)), sizes)
        place = np.arange(len(token)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        source = np.concatenate(sources)[(np.cumsum(across) - across)[text][token] + place]
        step = np.arange(len(target)) - (np.cumsum(down) - down)[text]
        off = (place + 0.5) / sizes[token] - ((step + 0.5) / down[text])[token]
        # A rational function: its bits are the same on every processor.
        near = 1 / (1 + np.square(off / WIDTH))
        prior = near / np.bincount(token, near)[token]
        key = (source.astype(np.int64) * kinds + target[token]) % table
        return cls(token, source, key, prior, place, target)


@dataclass
class Chances:
    """How often target pieces stood for source pieces, and for nothing."""

    counts: Floats  # [table]
    totals: Floats  # [S] of each source piece
    null: Floats  # [K] of each target piece

    def shares(self, cells: Cells) -> tuple[Floats, Floats]:
        """``[C]`` what each cell has of its target piece, and ``[N]`` what nothing has."""
        chance = self.counts[cells.key] / np.maximum(self.totals[cells.source], 1e-12)
        own = (1 - NULL) * cells.prior * chance
        none = NULL * self.null[cells.target] / self.null.sum()
        total = np.maximum(np.bincount(cells.token, own, len(cells.target)) + none, 1e-300)
        return own / total[cells.token], none / total


def align(
    sources: Sequence[Ints], targets: Sequence[Ints], source_kinds: int, target_kinds: int
) -> list[Ints]:
    """Of each target ``[U]``: the place in its source that a piece stands for, or -1.

    Args:
        sources: ``[T]`` numbers below ``source_kinds`` for each text.
        targets: the same of their translations, below ``target_kinds``.
        source_kinds: numbers of source pieces.
        target_kinds: numbers of target pieces.
    """
    table = min(source_kinds * target_kinds, TABLE)
    chances = Chances(np.ones(table), np.ones(source_kinds), np.ones(target_kinds))
    known = list(_parts(sources, targets, target_kinds, table, LEARNED))
    for number in range(ROUNDS):
        tell("aligning", number / (ROUNDS + 1))
        new = Chances(np.zeros(table), np.zeros(source_kinds), np.full(target_kinds, 1e-6))
        for cells in known:
            shares, none = chances.shares(cells)
            new.counts += np.bincount(cells.key, shares, table)
            new.totals += np.bincount(cells.source, shares, source_kinds)
            new.null += np.bincount(cells.target, none, target_kinds)
        chances = new
    del known
    links: list[Ints] = []
    for cells in _parts(sources, targets, target_kinds, table, 0):
        links += np.split(best(cells, chances), _borders(targets[len(links) :], cells))
    return links


def best(cells: Cells, chances: Chances) -> Ints:
    """``[N]``: the place of the likeliest source piece of each target piece, -1 if none is sure."""
    shares, _ = chances.shares(cells)
    order = np.lexsort((cells.place, -shares, cells.token))
    first = order[np.searchsorted(cells.token[order], np.arange(len(cells.target)))]
    return np.where(shares[first] >= SURE, cells.place[first], -1)


def _borders(targets: Sequence[Ints], cells: Cells) -> Ints:
    """Where the targets of a part end, all but the last of them."""
    ends = np.cumsum([len(row) for row in targets[: len(cells.target)]])
    return np.asarray(ends[ends < len(cells.target)])


def _parts(
    sources: Sequence[Ints], targets: Sequence[Ints], kinds: int, table: int, most: int
) -> Iterator[Cells]:
    """The texts in parts of bounded size; with ``most``, of so many cells, evenly spaced texts."""
    sizes = np.array([len(s) * len(t) for s, t in zip(sources, targets, strict=True)])
    every = max(1, -(-int(sizes.sum()) // most)) if most else 1
    chosen = np.arange(0, len(sizes), every)
    number = np.cumsum(sizes[chosen]) // AT_ONCE
    for part in np.split(chosen, np.flatnonzero(np.diff(number)) + 1):
        yield Cells.of([sources[i] for i in part], [targets[i] for i in part], kinds, table)
