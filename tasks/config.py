"""The options of each task; light to import, so that the command line can show them at once."""

from dataclasses import dataclass, field

from birnn.config import EncoderConfig, TrainConfig, option


@dataclass(frozen=True)
class RegressionData:
    """Where sequences come from."""

    data: str = option(
        "",
        "Table with a row a step: a CSV, TSV, JSON, JSONL or Parquet file, a folder with one file"
        " a split, or a Hub name. Empty: seeded synthetic sequences.",
        group="Data",
    )
    target: str = option("target", "Column to predict at each step.", group="Data")
    sequence_column: str = option(
        "", "Column that says which sequence a row belongs to; empty: cut every --length rows.",
        group="Data",
    )  # fmt: skip
    length: int = option(10, "Steps of a sequence where no column says it.", low=1, group="Data")
    sequences: int = option(16, "Synthetic sequences to train on.", low=2, group="Data")
    features: int = option(5, "Features of a synthetic step.", low=1, high=8192, group="Data")
    validation_share: float = option(
        0.1, "Share of sequences cut for validation where no split holds them.",
        low=0.01, high=0.5, group="Data",
    )  # fmt: skip
    test_share: float = option(
        0.1, "Share of sequences cut for testing where no split holds them.",
        low=0.01, high=0.5, group="Data",
    )  # fmt: skip
    split_seed: int = option(0, "Seed of the cut and of synthetic data.", low=0, group="Data")
    encoding: str = option("utf-8-sig", "Encoding of CSV and JSON files.", group="Data")
    skip_ragged: bool = option(
        False, "Leave out CSV rows with too many or too few fields.", group="Data"
    )


@dataclass(frozen=True)
class RegressionConfig:
    """Everything that a regression run depends on."""

    data: RegressionData = field(default_factory=RegressionData)
    encoder: EncoderConfig = field(default_factory=lambda: EncoderConfig(hidden_size=8))
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=50,
            batch_size=16,
            learning_rate=0.01,
            schedule="constant",
            warmup=0.0,
            clip_norm=0.0,
            patience=0,
        )
    )


@dataclass(frozen=True)
class SentimentData:
    """Where labelled sentences come from, and how they are split and tokenised."""

    data: str = option(
        "tweets",
        "A CSV, TSV, JSON, JSONL or Parquet file; a folder with one file a split; a Hub name or"
        " alias (sst2, imdb, rotten_tomatoes); a folder saved by datasets; or the embedded tweets.",
        group="Data",
    )
    text_column: str = option("", "Column of the texts. Empty: found by name.", group="Data")
    label_column: str = option("", "Column of the labels. Empty: found by name.", group="Data")
    validation_share: float = option(
        0.1, "Share of rows cut for validation where no split holds them.",
        low=0.001, high=0.5, group="Data",
    )  # fmt: skip
    test_share: float = option(
        0.1, "Share of rows cut for testing where no split holds them.",
        low=0.001, high=0.5, group="Data",
    )  # fmt: skip
    split_seed: int = option(
        0, "Seed of the cut; it stays the same for every --seed.", low=0, group="Data"
    )
    encoding: str = option("utf-8-sig", "Encoding of CSV and JSON files.", group="Data")
    skip_ragged: bool = option(
        False, "Leave out CSV rows with too many or too few fields.", group="Data"
    )
    tokenizer: str = option(
        "social",
        "How texts become words: social keeps hashtags, handles, emoticons and n't whole.",
        choices=(
            "social", "basic_english", "whitespace",
            "spacy", "moses", "toktok", "revtok", "subword",
        ),
        group="Data",
    )  # fmt: skip
    max_length: int = option(512, "Words of a text that are read.", low=1, group="Data")
    min_frequency: int = option(
        2, "Words of train that are rarer share one trained vector.", low=1, group="Data"
    )
    vectors: str = option(
        "auto",
        "Pretrained word vectors: a GloVe or fastText text file, glove.6B.50d (samples extra),"
        " another torchtext name, none, or auto (glove.6B.50d where installed).",
        group="Data",
    )
    vectors_limit: int = option(
        200_000, "Most frequent pretrained words that are kept.", low=1, group="Data"
    )


MAX_MEMBERS = 16


@dataclass(frozen=True)
class SentimentParts:
    """What stands around the encoder."""

    members: int = option(
        0, "Networks trained side by side and averaged; 0: three up to 10,000 texts, else one.",
        low=0, high=MAX_MEMBERS,
    )  # fmt: skip
    word_size: int = option(
        64, "Size of the trained vector of a word; 0 leaves it out.", low=0, high=8192
    )
    gram_size: int = option(
        50, "Size of the character n-gram vector of a word; 0: none.", low=0, high=8192
    )
    gram_buckets: int = option(
        20_000, "Rows that character n-grams are hashed to.", low=1, high=10_000_000
    )
    word_dropout: float = option(
        0.1, "How often a word is hidden from its trained vector.", low=0, high=0.95
    )
    embedding_dropout: float = option(0.3, "Dropout of a word's features.", low=0, high=0.95)
    pooling: str = option(
        "max+attention+last", "Views of the states, joined with +: last, mean, max, attention."
    )
    head_dropout: float = option(0.5, "Dropout before the last layer.", low=0, high=0.95)
    wide: bool = option(
        True, "Add a linear model of word and character n-grams, mixed in on validation."
    )
    consistency: float = option(
        1.0,
        "R-Drop: weight of the divergence between two dropout views of each text; 0 is off.",
        low=0,
    )
    label_smoothing: float = option(
        0.0, "Share of the target spread over all classes.", low=0, high=0.9, group="Training"
    )
    class_weights: str = option(
        "none",
        "Weigh classes in the loss: balanced gives rare ones more.",
        choices=("none", "balanced"),
        group="Training",
    )


@dataclass(frozen=True)
class SentimentConfig:
    """Everything that a sentiment run depends on."""

    data: SentimentData = field(default_factory=SentimentData)
    model: SentimentParts = field(default_factory=SentimentParts)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=6, batch_size=64, learning_rate=3e-3, weight_decay=0.01, beta2=0.98, patience=1
        )
    )
