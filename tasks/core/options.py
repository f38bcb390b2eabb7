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


def file_encoding() -> Any:
    """How the bytes of a file become text."""
    return option("utf-8-sig", "Encoding of CSV and JSON files.", group="Data")


def without_ragged() -> Any:
    """Whether rows that don't fit the header are left out."""
    return option(False, "Leave out CSV rows with too many or too few fields.", group="Data")


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
    encoding: str = file_encoding()
    skip_ragged: bool = without_ragged()


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
    encoding: str = file_encoding()
    skip_ragged: bool = without_ragged()
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
