"""The options of speech; light to import, so that help shows at once."""

from dataclasses import dataclass, field
from functools import partial

from birnn.config import EncoderConfig, TrainConfig, advanced
from birnn.data.tables.dialect import TableOptions
from birnn.search import Span
from birnn.tasks.core import options
from birnn.tasks.core.options import advanced_data, data_option

rate = partial(advanced, low=0, high=0.95)  # of dropout


@dataclass(frozen=True)
class SpeechData:
    """Where recordings come from, how they are split, and what a frame of one is."""

    data: str = data_option(
        "spoken",
        "A CSV, JSONL or Parquet file with a path and a text a row; a folder with one subfolder a"
        " label; or spoken: digits and commands by synthetic voices.",
    )
    labels: bool = data_option(
        False, "One label for a whole recording, instead of the text that is said in it."
    )
    path_column: str = advanced_data("", "Column of the paths. Empty: found.")
    text_column: str = data_option("", "Column of the texts, or labels. Empty: found.")
    speaker_column: str = data_option(
        "", "Column of the speakers. Empty: found; none: no such column."
    )
    speaker_pattern: str = advanced_data(
        "", "Regular expression whose first group finds the speaker in a file's name."
    )
    split_column: str = advanced_data(
        "", "Column that names each row's split. Empty: one called split; none: no such column."
    )
    split_by: str = data_option(
        "speaker", "What splits are cut by: no speaker stands in two, or recordings alone.",
        choices=("speaker", "recording"),
    )  # fmt: skip
    folds: int = options.fold_count()
    fold: int = options.one_fold()
    fold_group: str = options.fold_group("What stays in one fold: speaker. Empty: a recording.")
    validation_share: float = options.cut_share("validation", "recordings", 0.001)
    test_share: float = options.cut_share("testing", "recordings", 0.001)
    split_seed: int = options.cut_seed()
    encoding: str = options.file_encoding()
    skip_ragged: bool = options.without_ragged()
    table: TableOptions = field(default_factory=TableOptions)
    lower: bool = advanced_data(True, "Texts in small letters.")
    units: str = advanced_data(
        "characters",
        "What is read of a text: its characters, or symbols with spaces between (phonemes).",
        choices=("characters", "symbols"),
    )
    sample_rate: int = advanced_data(
        0, "Samples a second that recordings are brought to. 0: as most are, at most 16,000.",
        low=0, high=192_000,
    )  # fmt: skip
    max_seconds: float = advanced_data(
        30.0, "A longer recording is left out.", low=0.1, high=3600
    )  # fmt: skip
    mels: int = advanced_data(40, "Mel bands of a frame.", low=4, high=256)
    window: float = advanced_data(0.025, "Seconds of a frame.", low=0.002, high=1)
    hop: float = advanced_data(0.010, "Seconds from a frame to the next.", low=0.001, high=1)
    normalise: str = advanced_data(
        "file",
        "Bands are brought to mean 0 and deviation 1 over each recording, or over all of its"
        " speaker's in the same data.",
        choices=("file", "speaker"),
    )


@dataclass(frozen=True)
class SpeechParts:
    """What stands around the encoder, and what is changed in training."""

    channels: int = advanced(24, "Channels of the convolutions.", low=1, high=1024)
    subsampling: int = advanced(2, "Frames that become one step: 1, 2 or 4.", low=1, high=4)
    deltas: bool = advanced(False, "Slopes of the bands, and theirs, beside the bands.")
    front_size: int = advanced(96, "Features of a step.", low=1, high=8192)
    front_dropout: float = rate(0.05, "Dropout of a step's features.", search=Span(0.0, 0.4))
    head_dropout: float = rate(0.1, "Dropout before the last layer.", search=Span(0.0, 0.5))
    beam: int = advanced(
        1, "Prefixes of a text that are followed when it is read; 1: the best symbol of each step.",
        low=1, high=1000,
    )  # fmt: skip
    known_words: bool = advanced(False, "With --beam: only words that train has.")
    language_model: str = advanced(
        "", "With --beam: the folder of a run that scores texts, by which its best are ordered."
    )
    language_weight: float = advanced(0.3, "How much that run counts.", low=0, high=10)
    speed: float = advanced(
        0.1, "In training, recordings are up to so much faster or slower.", low=0, high=0.5
    )
    voice: float = advanced(
        0.15, "In training, bands are stretched by up to so much, as by another throat.",
        low=0, high=0.5,
    )  # fmt: skip
    synthetic_voices: int = advanced(
        0, "Synthetic voices (espeak-ng, of the samples extra) that say train's texts beside the"
        " people.",
        low=0, high=2000,
    )  # fmt: skip
    synthetic_language: str = advanced("en", "Their language, as espeak-ng names it.")
    noise: float = advanced(0.5, "How often noise is added in training.", low=0, high=1)
    band_masks: int = advanced(1, "Bands of frequency hidden in training.", low=0, high=16)
    time_masks: int = advanced(1, "Spans of time hidden in training.", low=0, high=16)


@dataclass(frozen=True)
class SpeechConfig:
    """Everything that a speech run depends on."""

    data: SpeechData = field(default_factory=SpeechData)
    model: SpeechParts = field(default_factory=SpeechParts)
    encoder: EncoderConfig = field(
        default_factory=lambda: EncoderConfig(
            encoder="bilstm", hidden_size=96, layers=2, dropout=0.1
        )
    )
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=40, epoch_steps=60, batch_size=32, least_batch=8, batch_tokens=20_000,
            learning_rate=3e-3, beta2=0.98, weight_decay=0.01, clip_norm=5.0, ema=0.99, patience=10,
        )
    )  # fmt: skip
