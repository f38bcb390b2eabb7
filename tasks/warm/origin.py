"""The run that another begins from: what it hands on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from birnn.errors import brief
from birnn.tasks.core.beginning import Choice
from birnn.tasks.core.task import LoadedSplit, Task
from birnn.tasks.warm.carrying import Carried, carry
from birnn.tasks.warm.start import WarmStart
from birnn.tasks.warm.words import grown_vectors

if TYPE_CHECKING:
    from birnn.data.text.vectors import VectorTable

SHOWN = 5  # names in a sentence
PARTS = {"embedder": "embeddings", "encoder": "encoder", "head": "head"}


@dataclass(frozen=True)
class Origin:
    """A trained run, and how another begins from it."""

    name: str  # of its folder, or on the Hub: no path
    digest: str  # of its weights and of what it knows
    task: Task[Any, Any, Any]
    info: Any
    model: nn.Module
    start: WarmStart[Any, Any, Any]
    choice: Choice = field(default_factory=Choice)
    metrics: Mapping[str, Any] = field(default_factory=dict)  # what it says of itself
    splits: dict[str, LoadedSplit[Any]] = field(default_factory=dict)  # that were read again
    predicted: dict[str, Any] = field(default_factory=dict)  # by the run as it was

    def merged(self, fresh: Any) -> Any:
        """The info of the new run, from what its training split says."""
        return self.start.merged(self.info, fresh, self.choice)

    def vectors(self, name: str, limit: int) -> "VectorTable | None":
        """The run's own vectors; with other ones that are named, those of more words.

        Raises:
            ConfigError: they are not of the same kind.
            DataError: their file can't be read.
        """
        from birnn.data.text.vectors import VectorTable, find_vectors

        table, lexicon = getattr(self.model, "pretrained", None), self.start.lexicon(self.info)
        own = None
        if table is not None and lexicon is not None:
            values = table.values.cpu().numpy()
            own = VectorTable(self.info.vector_name, list(lexicon.vector_words), values)
        if name == self.task.config.data.vectors:
            return own
        return grown_vectors(own, find_vectors(name, limit))

    def give(self, model: nn.Module, info: Any, task: Task[Any, Any, Any]) -> None:
        """Hand the weights to a fresh ``model`` of the new run, row by row, by name."""
        old, new = self.start.axes(self.task, self.info), self.start.axes(task, info)
        carry(self.model, model, old, new)

    def told(self) -> dict[str, Any]:
        """What the new run says of where it came from."""
        return {
            "name": self.name, "digest": self.digest,
            "vocabulary": self.choice.vocabulary, "scaler": self.choice.scaler,
        }  # fmt: skip

    def changes(self, info: Any, carried: Carried) -> dict[str, list[str]]:
        """What is ``kept``, ``new``, ``gone`` and ``refitted``, in words."""
        found: dict[str, list[str]] = {"kept": [], "new": [], "gone": []}
        parts = [*carried.whole, *carried.partly]
        for part, words in PARTS.items():
            fresh = [name for name in carried.new if name.startswith(part)]
            if any(name.startswith(part) for name in parts):
                found["kept"].append(words + (" in part" if fresh else ""))
                found["new"] += fresh
            elif fresh:
                found["new"].append(words)
        found["gone"] += carried.gone
        before, after = self.start.names(self.info), self.start.names(info)
        for kind in after:
            old, new = dict.fromkeys(before.get(kind, ())), dict.fromkeys(after[kind])
            both = sum(name in old for name in new)
            of_all = f"all {both:,}" if both == len(new) > 1 else f"{both:,} of {len(new):,}"
            found["kept"].append(f"{of_all if both else 'none of the'} {kind}")
            found["new"] += _named(kind, [name for name in new if name not in old])
            found["gone"] += _named(kind, [name for name in old if name not in new])
        return {**found, "refitted": [self.start.refitted] if self.start.refitted else []}

    @property
    def source(self) -> str:
        """The name of the data that it was trained on; no path."""
        return Path(str(self.task.config.data.data)).name or "synthetic data"


def _named(kind: str, names: list[str]) -> list[str]:
    """A few of many names of a kind, or how many there are."""
    if not names:
        return []
    if len(names) > SHOWN or kind == "words":  # of which many are chance
        return [f"{len(names):,} {kind}"]
    return [f"{kind} {', '.join(brief(name) for name in names)}"]
