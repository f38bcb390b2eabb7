"""The block of tagged sentences: what is so above the words, what was predicted below them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from birnn.tasks.reporting.blocks import Block, Table

WIDTH = 26  # characters that stay on one line; longer spans can break between words
WORDS = 200  # of a sentence


class Mark(NamedTuple):
    """Words of a sentence, ``start`` to ``end - 1``, and what they are."""

    start: int
    end: int
    label: str
    sure: float | None = None  # of a predicted one
    wrong: bool = False
    before: bool = False  # whether it began on words before these
    after: bool = False


@dataclass(frozen=True)
class Cluster:
    """Words that stay together, with marks above and below them."""

    words: Sequence[str]
    gold: Sequence[Mark]
    predicted: Sequence[Mark]
    wrong: bool  # whether the two sides differ


@dataclass(frozen=True)
class Sentence:
    """A sentence of the test split."""

    where: str
    parts: Sequence[str | Cluster]  # words without any mark, or with some
    faults: Mapping[int, int]  # number of a kind of error → how many there are


@dataclass(frozen=True)
class Sentences(Block):
    """Sentences to read, search and filter; a few stand in the page, all in its data."""

    kind: ClassVar[str] = "sentences"
    scripts: ClassVar[tuple[str, ...]] = ("sentences.js",)
    title: str
    table: Table  # a row for each kind of error; the last one for sentences without any
    kinds: Sequence[str]
    labels: Mapping[str, str]  # and the colour of each
    sentences: Sequence[Sentence]
    total: int  # how many there are, shown or not
    caption: str = ""
    shown: int = 20

    def data(self) -> dict[str, Any]:
        """All sentences for a script, short."""
        numbers = {label: place for place, label in enumerate(self.labels)}
        rows = [
            [s.where, [_short(part, numbers) for part in s.parts], list(s.faults.items())]
            for s in self.sentences
        ]
        return {
            "labels": list(self.labels), "colors": list(self.labels.values()),
            "kinds": list(self.kinds), "rows": rows, "shown": self.shown, "total": self.total,
        }  # fmt: skip


def _short(part: str | Cluster, numbers: Mapping[str, int]) -> Any:
    if isinstance(part, str):
        return part

    def marks(own: Sequence[Mark]) -> list[list[Any]]:
        return [
            [m.start, m.end, numbers[m.label], m.wrong + 2 * m.before + 4 * m.after,
             *([] if m.sure is None else [round(m.sure, 4)])]
            for m in own
        ]  # fmt: skip

    return [list(part.words), marks(part.gold), marks(part.predicted), int(part.wrong)]


def laid_out(words: Sequence[str], gold: Sequence[Mark],
             predicted: Sequence[Mark]) -> list[str | Cluster]:  # fmt: skip
    """A sentence as words without marks and clusters of words with some, in their order.

    A cluster holds marks that share words; a long one is cut between words, so that lines can end
    there. Marks of one side don't overlap each other.
    """
    shown = words[:WORDS]
    parts: list[str | Cluster] = []
    at = 0
    for start, end in _groups([m for m in (*gold, *predicted) if m.end <= WORDS]):
        if start > at:
            parts.append(" ".join(shown[at:start]))
        sides = [[m for m in side if start <= m.start < end] for side in (gold, predicted)]
        spelled = [{m[:3] for m in side} for side in sides]
        parts += _cut(shown, (start, end), sides, spelled[0] != spelled[1])
        at = end
    if at < len(shown):
        parts.append(" ".join(shown[at:]))
    return [*parts, "…"] if len(words) > WORDS else parts


def _groups(marks: Sequence[Mark]) -> list[tuple[int, int]]:
    """The first and last word of marks that share words, in order."""
    groups: list[tuple[int, int]] = []
    for mark in sorted(marks, key=lambda mark: mark[:2]):
        if groups and mark.start < groups[-1][1]:
            groups[-1] = groups[-1][0], max(groups[-1][1], mark.end)
        else:
            groups.append((mark.start, mark.end))
    return groups


def _cut(words: Sequence[str], group: tuple[int, int], sides: Sequence[Sequence[Mark]],
         wrong: bool) -> Iterator[Cluster]:  # fmt: skip
    """The words of a group in pieces of at most :data:`WIDTH` characters, or of one word."""
    start, end = group
    while start < end:
        stop, size = start + 1, len(words[start])
        while stop < end and size + 1 + len(words[stop]) <= WIDTH:
            size += 1 + len(words[stop])
            stop += 1
        gold, predicted = (
            [
                m._replace(start=max(m.start, start) - start, end=min(m.end, stop) - start,
                           before=m.start < start, after=m.end > stop)
                for m in side if m.start < stop and m.end > start
            ]
            for side in sides
        )  # fmt: skip
        yield Cluster(words[start:stop], gold, predicted, wrong)
        start = stop
