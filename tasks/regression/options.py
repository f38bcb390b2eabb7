"""The options of per-step regression; light to import, so that help shows at once."""

from dataclasses import dataclass, field

from birnn.config import LARGEST_SEED, EncoderConfig, TrainConfig
from birnn.tasks.core.options import cut_share, data_option, file_encoding, without_ragged


@dataclass(frozen=True)
class RegressionData:
    """Where sequences come from."""

    data: str = data_option(
        "",
        "Table with a row a step: a CSV, TSV, JSON, JSONL or Parquet file, a folder with one file"
        " a split, or a Hub name. Empty: seeded synthetic sequences.",
    )
    target: str = data_option("target", "Column to predict at each step.")
    sequence_column: str = data_option(
        "", "Column that says which sequence a row belongs to; empty: cut every --length rows."
    )
    length: int = data_option(10, "Steps of a sequence where no column says it.", low=1)
    sequences: int = data_option(16, "Synthetic sequences to train on.", low=2)
    features: int = data_option(5, "Features of a synthetic step.", low=1, high=8192)
    validation_share: float = cut_share("validation", "sequences", 0.01)
    test_share: float = cut_share("testing", "sequences", 0.01)
    split_seed: int = data_option(
        0, "Seed of the cut and of synthetic data.", low=0, high=LARGEST_SEED
    )
    encoding: str = file_encoding()
    skip_ragged: bool = without_ragged()


@dataclass(frozen=True)
class RegressionConfig:
    """Everything that a regression run depends on."""

    data: RegressionData = field(default_factory=RegressionData)
    encoder: EncoderConfig = field(default_factory=lambda: EncoderConfig(hidden_size=8))
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=50, batch_size=16, learning_rate=0.01, schedule="constant", warmup=0.0,
            clip_norm=0.0, patience=0,
        )
    )  # fmt: skip
