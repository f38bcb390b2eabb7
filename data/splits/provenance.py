"""Where the rows came from: duplicates within splits and overlap between them."""

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

from birnn.arrays import Ints
from birnn.data.wording import agree, plural

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True)
class FoldPart:
    """The test split of a fold beside the whole data."""

    fold: int  # from 1
    folds: int
    items: Ints | None  # [M] numbers of its items in the whole data, from 0; None: rolling origins
    total: int  # items of the whole data
    digest: str  # of the whole data, however it is cut: the same in all folds
    how: str  # the folds are cut, in a sentence
    rolling: bool = False  # whether later folds train on more


@dataclass(frozen=True)
class SplitText:
    """Splits of texts, where they came from, and what is to be said of them."""

    splits: "dict[str, Dataset]"
    provenance: dict[str, Any]
    notes: list[str]
    warnings: list[str]
    fold: FoldPart | None = field(default=None, kw_only=True)


def normalise(text: str) -> str:
    r"""What two texts are compared by: without case and spacing.

    >>> normalise("  So  GOOD\n")
    'so good'
    """
    return " ".join(text.casefold().split())


def duplicates(texts: Iterable[str]) -> int:
    """How many texts repeat an earlier one."""
    hashes = [hash(text) for text in texts]
    return len(hashes) - len(set(hashes))


def overlaps(splits: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """For each pair of splits, how many texts of the later one also stand in the earlier one.

    >>> overlaps({"train": ["a", "b"], "test": ["b", "b", "c"]})
    {'train/test': 2}
    """
    sets = {name: set(texts) for name, texts in splits.items()}
    return {
        f"{first}/{second}": sum(text in sets[first] for text in splits[second])
        for first, second in combinations(splits, 2)
    }


def audit(splits: Mapping[str, Sequence[str]]) -> dict[str, dict[str, dict[str, int]]]:
    """Duplicates within and overlap between splits, by exact and by normalised text."""
    exact = {name: list(texts) for name, texts in splits.items()}
    plain = {name: [normalise(text) for text in texts] for name, texts in exact.items()}
    both = {"exact": exact, "normalised": plain}
    repeats = {
        how: {name: duplicates(texts) for name, texts in kind.items()} for how, kind in both.items()
    }
    return {"duplicates": repeats, "overlap": {how: overlaps(kind) for how, kind in both.items()}}


def repeats_note(repeats: Mapping[str, Any], unit: str) -> str:
    """How many texts (of the name ``unit``) repeat an earlier one, exactly and normalised."""
    exact, plain = repeats["duplicates"]["exact"], repeats["duplicates"]["normalised"]
    counts = [
        f"{name} {exact[name]:,} exactly, {plain[name]:,} without case and spacing"
        for name in exact
        if plain[name]
    ]
    return f"repeated {unit}s: {'; '.join(counts)}" if counts else f"no {unit} repeats another"


def overlap_warnings(
    repeats: Mapping[str, Any], splits: Mapping[str, Sized], unit: str
) -> list[str]:
    """A warning for each pair of splits that share texts (of the name ``unit``)."""
    warnings = []
    for pair, count in repeats["overlap"]["normalised"].items():
        if count:
            first, second = pair.split("/")
            size = len(splits[second])
            part = f"{count:,} of {plural(size, f'{second} {unit}')} ({count / size:.1%}) also"
            where = f"{agree(count, 'stands', 'stand')} in {first}"
            warnings.append(f"{part} {where}: scores on {second} are flattered")
    return warnings


def describe(
    source: str, texts: Mapping[str, Sequence[str]], cuts: list[str], left_out: Mapping[str, Any],
    notes: Sequence[str], unit: str, **own: Any,
) -> tuple[dict[str, Any], list[str], list[str]]:  # fmt: skip
    """The ``data`` part of ``metrics.json``, all notes, and warnings.

    Args:
        texts: of each split, one a row, to tell repeated ones by; ``unit`` is what one is called.
        cuts: what was said of splits that were cut.
        left_out: of each split, or for each reason, how much.
        notes: what was noticed before.
        own: what the task alone counts.
    """
    repeats = audit(texts)
    notes = [*notes, *cuts, repeats_note(repeats, unit)]
    provenance = {
        "source": source, "rows": {name: len(part) for name, part in texts.items()}, **own,
        "splits": cuts or ["as the source gives them"], "left_out": left_out, "notes": notes,
        **repeats,
    }  # fmt: skip
    return provenance, notes, overlap_warnings(repeats, texts, unit)
