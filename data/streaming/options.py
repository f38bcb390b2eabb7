"""How a run trains on what does not fit in memory; light to import."""

from dataclasses import dataclass, fields
from functools import partial

from birnn.config import option
from birnn.errors import ConfigError

stream_option = partial(option, group="Streaming", level="advanced")


@dataclass(frozen=True)
class StreamOptions:
    """Texts that are read while they are trained on."""

    streaming: bool = stream_option(
        False, "Train on texts that do not fit in memory: Parquet, JSONL or CSV shards, named by a"
        " file, a folder or a pattern, or a Hub name.",
    )  # fmt: skip
    steps: int = stream_option(
        10_000, "Optimizer steps of a streaming run, in place of --epochs.", low=1
    )
    validate_every: int = stream_option(
        1_000, "Steps after which a streaming run is validated: its epoch.", low=1
    )
    shuffle_buffer: int = stream_option(
        50_000, "Texts that are in memory at once, shuffled and put into batches of near lengths.",
        low=1, high=10_000_000,
    )  # fmt: skip
    vocabulary: str = stream_option(
        "", "Words of a streaming run: a text file of one a line, or a run. Empty: counted in one"
        " pass over train.",
    )  # fmt: skip
    vocabulary_sample: int = stream_option(
        0, "Count words and labels in so many texts of train, not in all; 0: in all.", low=0
    )
    vocabulary_size: int = stream_option(
        200_000, "Words that are kept at most, the most frequent of a stream.", low=1
    )
    held_out: int = stream_option(
        10_000, "Texts that validation and test have at most where they are cut from a stream.",
        low=10, high=1_000_000,
    )  # fmt: skip


def check_unused(stream: StreamOptions) -> None:
    """Refuse options that would change nothing: those of a stream where there is none.

    Raises:
        ConfigError: one was given.
    """
    usual = StreamOptions()
    given = [f.name for f in fields(stream) if getattr(stream, f.name) != getattr(usual, f.name)]
    if given and not stream.streaming:
        raise ConfigError(f"{given[0]}: it is for streams; add --streaming, or leave it out")
