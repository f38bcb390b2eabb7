"""What a recording is: where its sound lies, what is said in it, and by whom."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from birnn.arrays import Array
from birnn.data.audio.waves import Wave, read_wave
from birnn.data.splits.cutting import FoldOptions
from birnn.data.tables.dialect import ReadOptions


@dataclass(frozen=True)
class Recording:
    """One row of a list of recordings."""

    name: str  # of the file as the user wrote it, or what stands for one
    path: Path | None  # None: the samples are at hand
    text: str = ""  # what is said, or its label
    speaker: str = ""  # empty: not known
    row: int = 0  # in its table, from 1
    samples: Array | None = None  # [S] float32
    rate: int = 0  # of the samples

    def wave(self, rate: int, longest: float) -> Wave:
        """Its sound; see :func:`birnn.data.audio.waves.read_wave`."""
        from birnn.data.audio.waves import sound

        if self.samples is not None:
            return sound(self.samples, self.rate, rate, self.name)
        assert self.path is not None
        return read_wave(self.path, rate, longest)


@dataclass(frozen=True)
class SoundOptions:
    """What is read, how, and how it is split."""

    source: str
    path_column: str = ""
    text_column: str = ""
    speaker_column: str = ""
    split_column: str = ""
    speaker_pattern: str = ""
    split_by: str = "speaker"
    validation_share: float = 0.1
    test_share: float = 0.1
    split_seed: int = 0
    lower: bool = True
    read: ReadOptions = field(default_factory=ReadOptions)
    fold: FoldOptions = field(default_factory=FoldOptions)
    known: dict[str, str] = field(default_factory=dict)  # columns of a run's own data
    texts: bool = True  # whether each recording must have one


@dataclass(frozen=True)
class Listing:
    """Recordings of each split, and where they came from."""

    splits: dict[str, list[Recording]]
    source: str
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    reading: dict[str, Any] = field(default_factory=dict)
