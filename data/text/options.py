"""How labelled texts are read: what a task says before anything is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from birnn.data.splits.cutting import SourceOptions


@dataclass(frozen=True)
class TextOptions(SourceOptions):
    """How labelled texts are read and split; empty names of columns are for usual ones."""

    text_columns: tuple[str, ...] = ("",)
    label_column: str = ""
    split_column: str = ""
    remembered: Mapping[str, str] = field(default_factory=dict)  # the columns of a run's own data
