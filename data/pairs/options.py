"""How pairs of texts are read: what a task says before anything is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from birnn.data.splits.cutting import SourceOptions


@dataclass(frozen=True)
class PairOptions(SourceOptions):
    """How pairs are read and split; empty names of columns are found."""

    source_column: str = ""
    target_column: str = ""
    target_data: str = ""  # a file of lines beside the one of sources
    remembered: Mapping[str, str] = field(default_factory=dict)  # the columns of a run's own data
