"""The options of each task; light to import, so that the command line can show them at once."""

from dataclasses import dataclass, field
from typing import Any

from birnn.config import LARGEST_SEED, EncoderConfig, TrainConfig, option


def cut_share(split: str, unit: str, low: float) -> Any:
    """How much of train is cut for a split that the data lacks."""
    text = f"Share of {unit} cut for {split} where no split holds them."
    return option(0.1, text, low=low, high=0.5, group="Data")


def cut_seed() -> Any:
    """How a missing split is cut."""
    text = "Seed of the cut; it stays the same for every --seed."
    return option(0, text, low=0, high=LARGEST_SEED, group="Data")


def vectors_name() -> Any:
    """Which pretrained vectors are used."""
    return option(
        "auto",
        "Pretrained word vectors: a GloVe or fastText text file, glove.6B.50d (samples extra),"
        " another torchtext name, none, or auto (glove.6B.50d where installed).",
        group="Data",
    )


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
    validation_share: float = cut_share("validation", "sequences", 0.01)
    test_share: float = cut_share("testing", "sequences", 0.01)
    split_seed: int = option(
        0, "Seed of the cut and of synthetic data.", low=0, high=LARGEST_SEED, group="Data"
    )
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
    validation_share: float = cut_share("validation", "rows", 0.001)
    test_share: float = cut_share("testing", "rows", 0.001)
    split_seed: int = cut_seed()
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
    vectors: str = vectors_name()
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


@dataclass(frozen=True)
class TaggingData:
    """Where tagged sentences come from, and how they are split and looked up."""

    data: str = option(
        "tweet_entities",
        "A CoNLL column file, CoNLL-U, JSONL with character spans or lists of tokens and tags, or"
        " Parquet; a folder with one file a split; a Hub name or alias (conll2003); a"
        " folder saved by datasets; or the embedded tweets with entities.",
        group="Data",
    )
    tag_column: str = option(
        "",
        "Column of the tags: a name, or a number from 1 (-1 is the last). In CoNLL-U: upos, xpos,"
        " a feature such as Number, misc:Key. Empty: the last, upos, or found by name.",
        group="Data",
    )
    token_column: str = option(
        "", "Column of the tokens. Empty: the first, or found by name.", group="Data"
    )
    validation_share: float = cut_share("validation", "sentences", 0.001)
    test_share: float = cut_share("testing", "sentences", 0.001)
    split_seed: int = cut_seed()
    encoding: str = option("utf-8-sig", "Encoding of text files.", group="Data")
    vectors: str = vectors_name()
    min_frequency: int = option(
        1, "Words of train that are rarer share one trained vector.", low=1, group="Data"
    )
    vectors_limit: int = option(
        400_000, "Most frequent pretrained words that are kept.", low=1, group="Data"
    )
    span_mode: str = option(
        "conlleval",
        "What counts as a span in a gold file whose tags break their scheme: as the conlleval"
        " script reads it, or strict: well-formed spans alone.",
        choices=("conlleval", "strict"),
        group="Data",
    )


@dataclass(frozen=True)
class TaggingParts:
    """What stands around the encoder."""

    members: int = option(
        0, "Networks trained side by side and averaged; 0: three up to 5,000 sentences, two up to"
        " 20,000, else one.",
        low=0, high=MAX_MEMBERS,
    )  # fmt: skip
    decoder: str = option(
        "crf",
        "What joins the tags of a sentence: a learned chain, or softmax; both are legal.",
        choices=("crf", "softmax"),
    )
    span_bonus: bool = option(
        True, "Favour each span by what makes span F1 on validation greatest; confidences stay."
    )
    word_size: int = option(
        100, "Size of the trained vector of a word; 0 leaves it out.", low=0, high=8192
    )
    char_encoder: str = option(
        "cnn", "What reads the letters of a word.", choices=("cnn", "bigru", "bilstm", "none")
    )
    char_size: int = option(100, "Size of what it makes of a word.", low=0, high=8192)
    character_size: int = option(30, "Size of the vector of a letter.", low=1, high=1024)
    affix_size: int = option(
        16, "Size of the vector of each prefix and suffix of a word; 0: none.", low=0, high=1024
    )
    case: bool = option(True, "Tell the network how a token is written: case, digits, marks.")
    singleton_dropout: float = option(
        0.5, "How often a word that train has once counts as unknown in training.", low=0, high=1
    )
    word_dropout: float = option(
        0.02, "How often any word is hidden from its trained vector.", low=0, high=0.95
    )
    embedding_dropout: float = option(0.2, "Dropout of a token's features.", low=0, high=0.95)
    embedding_locked_dropout: float = option(
        0.2, "The same, with one mask for all tokens of a sentence.", low=0, high=0.95
    )
    character_dropout: float = option(0.1, "Dropout of the letters' vectors.", low=0, high=0.95)
    head_dropout: float = option(0.3, "Dropout before the last layer.", low=0, high=0.95)


@dataclass(frozen=True)
class TaggingConfig:
    """Everything that a tagging run depends on."""

    data: TaggingData = field(default_factory=TaggingData)
    model: TaggingParts = field(default_factory=TaggingParts)
    encoder: EncoderConfig = field(
        default_factory=lambda: EncoderConfig(
            encoder="bilstm", hidden_size=200, layers=2, dropout=0.2, locked_dropout=0.2
        )
    )
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=12,
            batch_size=32,
            batch_tokens=4096,
            learning_rate=2e-3,
            weight_decay=0.01,
            beta2=0.98,
            clip_norm=5.0,
            ema=0.998,
            patience=5,
        )
    )


@dataclass(frozen=True)
class ForecastingData:
    """Where series come from, how they are read, and how their rows are split."""

    data: str = option(
        "temperatures",
        "A CSV, TSV, JSON, JSONL or Parquet file, wide (a column a series) or long (a row a series"
        " and time); a folder saved by datasets; a Hub name; or the embedded temperatures.",
        group="Data",
    )
    target: str = option(
        "", "Column to forecast; several with commas. Empty: every numeric column.", group="Data"
    )
    time_column: str = option("", "Column of the stamps. Empty: found.", group="Data")
    id_column: str = option(
        "", "Column that names the series (long files). Empty: found.", group="Data"
    )
    layout: str = option(
        "auto", "How the file is laid out.", choices=("auto", "wide", "long"), group="Data"
    )
    frequency: str = option(
        "", "Time between steps as pandas writes it: h, 15min, D, MS. Empty: found.", group="Data"
    )
    season: int = option(
        0, "Steps of a season. 0: from the frequency, or found.", low=0, high=100_000, group="Data"
    )
    past: str = option(
        "", "Columns, with commas, that are known up to the present alone.", group="Data"
    )
    future: str = option(
        "", "Columns, with commas, that are known ahead, in rows with an empty target.",
        group="Data",
    )  # fmt: skip
    static: str = option("", "Columns, with commas, that describe a whole series.", group="Data")
    calendar: str = option(
        "", "Calendar features: minute, hour, weekday, monthday, month, with commas.", group="Data"
    )
    missing: str = option(
        "mask",
        "What is done about empty and infinite cells and gaps: masked in input and loss,"
        " interpolated, the series left out, or nothing but an error.",
        choices=("mask", "interpolate", "drop", "fail"),
        group="Data",
    )
    duplicates: str = option(
        "fail", "What is done about a stamp that a series has twice.",
        choices=("fail", "mean", "first", "last"), group="Data",
    )  # fmt: skip
    text: str = option(
        "fail", "What is done about words in a column of numbers.", choices=("fail", "missing"),
        group="Data",
    )  # fmt: skip
    horizon: int = option(24, "Steps to forecast.", low=1, high=100_000, group="Data")
    lookback: int = option(
        0, "Steps that are read. 0: fourteen seasons, at most 720 and a third of the history.",
        low=0, high=100_000, group="Data",
    )  # fmt: skip
    split: str = option(
        "",
        "Rows of train, validation and test (8640,2880,2880), or the dates on which validation and"
        " test begin (2017-07-01,2017-11-01). Empty: by share.",
        group="Data",
    )
    test_last: int = option(
        0, "Hold out this many last rows of each series for testing. 0: by share.",
        low=0, group="Data",
    )  # fmt: skip
    validation_share: float = option(
        0.2, "Share of the rows before the test rows that validate.", low=0.01, high=0.5,
        group="Data",
    )  # fmt: skip
    test_share: float = option(
        0.2, "Share of all rows that test, the last ones.", low=0.01, high=0.5, group="Data"
    )
    encoding: str = option("utf-8-sig", "Encoding of CSV and JSON files.", group="Data")
    skip_ragged: bool = option(
        False, "Leave out CSV rows with too many or too few fields.", group="Data"
    )


@dataclass(frozen=True)
class ForecastingParts:
    """What stands around the encoder, and what comes of it."""

    members: int = option(
        0, "Networks trained side by side and averaged; 0: more for less data.",
        low=0, high=MAX_MEMBERS,
    )  # fmt: skip
    segment: int = option(
        0, "Steps that are read at once. 0: a season, or near it.", low=0, high=10_000
    )
    segment_size: int = option(128, "Size of the vector of a segment.", low=1, high=8192)
    series_size: int = option(
        0, "Size of a trained vector of each series; 0: all are treated alike.", low=0, high=1024
    )
    normalise: str = option(
        "auto",
        "What a window loses before it is read: its last value, its last season's mean, either and"
        " its scale, its mean and scale, or nothing. auto: last for up to 20 series, else mean.",
        choices=("auto", "last", "scale", "season", "season_scale", "mean", "none"),
    )
    decoder: str = option(
        "direct",
        "What makes the steps ahead: one linear layer, or SegRNN's parallel decoder of segments.",
        choices=("direct", "segments"),
    )
    linear: bool = option(True, "Mix in a linear model fitted in closed form, as validation says.")
    input_dropout: float = option(0.0, "Dropout of what is read.", low=0, high=0.95)
    head_dropout: float = option(0.3, "Dropout before the last layer.", low=0, high=0.95)
    loss: str = option(
        "mae",
        "What training minimises; quantile also forecasts the bounds of each level.",
        choices=("mae", "mse", "huber", "quantile"),
        group="Training",
    )
    epoch_windows: int = option(
        100_000, "Windows, drawn anew, that an epoch has at most; 0: all.", low=0,
        group="Training",
    )  # fmt: skip
    refit: int = option(
        0,
        "Train again, on all rows before, for each of this many parts of the test rows.",
        low=0, high=100, group="Training",
    )  # fmt: skip
    levels: str = option(
        "80,90,95", "Per cent of the future that each interval shall cover.", group="Intervals"
    )
    calibration_share: float = option(
        0.5, "Share of the validation rows, the last ones, that calibrate intervals alone.",
        low=0.0, high=0.9, group="Intervals",
    )  # fmt: skip
    min: float | None = option(None, "No forecast is lower.", group="Intervals")
    max: float | None = option(None, "No forecast is higher.", group="Intervals")
    best: bool = option(
        False, "Let predict use whatever was best on validation, be it a baseline.", group="Run"
    )


@dataclass(frozen=True)
class ForecastingConfig:
    """Everything that a forecasting run depends on."""

    data: ForecastingData = field(default_factory=ForecastingData)
    model: ForecastingParts = field(default_factory=ForecastingParts)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=8,
            batch_size=256,
            batch_tokens=1_000_000,
            learning_rate=3e-3,
            ema=0.99,
            patience=3,
        )
    )
