"""The options of per-step regression; light to import, so that help shows at once."""

from dataclasses import dataclass, field

from birnn.config import LARGEST_SEED, EncoderConfig, TrainConfig, advanced, option
from birnn.data.tables.dialect import TableOptions
from birnn.tasks.core.options import (
    cut_share,
    file_encoding,
    fold_count,
    fold_group,
    one_fold,
    without_ragged,
)

# fmt: off


@dataclass(frozen=True)
class RegressionData:
    """Where sequences come from."""

    data: str = option(
        "",
        "Table with a row a step: a CSV, TSV, JSON, JSONL or Parquet file, a folder with one file"
        " a split, or a Hub name. Empty: seeded synthetic sequences.",
        group="Data")
    target: str = option("target", "Column to predict at each step.", group="Data")
    sequence_column: str = option(
        "", "Column that says which sequence a row belongs to; empty: cut every --length rows.",
        group="Data")
    length: int = option(10, "Steps of a sequence where no column says it.", low=1, group="Data")
    sequences: int = advanced(16, "Synthetic sequences to train on.", low=2, group="Data")
    features: int = advanced(5, "Features of a synthetic step.", low=1, high=8192, group="Data")
    folds: int = fold_count()
    fold: int = one_fold()
    fold_group: str = fold_group(
        "Column, such as that of machines, whose sequences of one value stay in one fold; it is no"
        " feature.")
    validation_share: float = cut_share("validation", "sequences", 0.01)
    test_share: float = cut_share("testing", "sequences", 0.01)
    split_seed: int = advanced(
        0, "Seed of the cut and of synthetic data.", low=0, high=LARGEST_SEED, group="Data")
    encoding: str = file_encoding()
    skip_ragged: bool = without_ragged()
    table: TableOptions = field(default_factory=TableOptions)


@dataclass(frozen=True)
class RegressionConfig:
    """Everything that a regression run depends on."""

    data: RegressionData = field(default_factory=RegressionData)
    encoder: EncoderConfig = field(default_factory=lambda: EncoderConfig(hidden_size=8))
    train: TrainConfig = field(default_factory=lambda: TrainConfig(
        epochs=50, batch_size=16, learning_rate=0.01, schedule="constant", warmup=0.0,
        clip_norm=0.0, patience=0))
