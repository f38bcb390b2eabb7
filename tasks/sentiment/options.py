"""The options of sentiment; light to import, so that help shows at once."""

from dataclasses import dataclass, field

from birnn.config import EncoderConfig, TrainConfig, advanced, option
from birnn.data.streaming.options import StreamOptions
from birnn.search import Span, choice
from birnn.tasks.core.options import MAX_MEMBERS, TextData, context_run, vectors_name

# fmt: off


@dataclass(frozen=True)
class SentimentData(TextData):
    """Where labelled sentences come from, and how their words are described."""

    data: str = option(
        "tweets",
        "A CSV, TSV, JSON, JSONL or Parquet file; a folder with one file a split; a Hub name or"
        " alias (sst2, imdb, rotten_tomatoes); a folder saved by datasets; or the embedded tweets.",
        group="Data")
    vectors: str = vectors_name()
    context: str = context_run()
    stream: StreamOptions = field(default_factory=StreamOptions)
    vectors_limit: int = advanced(
        200_000, "Most frequent pretrained words that are kept.", low=1, group="Data")


@dataclass(frozen=True)
class SentimentParts:
    """What stands around the encoder."""

    members: int = option(
        0, "Networks trained side by side and averaged; 0: three up to 10,000 texts, else one.",
        low=0, high=MAX_MEMBERS)
    word_size: int = advanced(
        64, "Size of the trained vector of a word; 0 leaves it out.", low=0, high=8192,
        search=choice(32, 64, 128))
    gram_size: int = advanced(
        50, "Size of the character n-gram vector of a word; 0: none.", low=0, high=8192)
    gram_buckets: int = advanced(
        20_000, "Rows that character n-grams are hashed to.", low=1, high=10_000_000)
    word_dropout: float = advanced(
        0.1, "How often a word is hidden from its trained vector.", low=0, high=0.95,
        search=Span(0.0, 0.4))
    embedding_dropout: float = advanced(
        0.3, "Dropout of a word's features.", low=0, high=0.95, search=Span(0.1, 0.6))
    pooling: str = advanced(
        "max+attention+last", "Views of the states, joined with +: last, mean, max, attention.")
    head_dropout: float = advanced(
        0.5, "Dropout before the last layer.", low=0, high=0.95, search=Span(0.2, 0.7))
    wide: bool = advanced(
        True, "Add a linear model of word and character n-grams, mixed in on validation.")
    consistency: float = advanced(
        1.0, "R-Drop: weight of the divergence between two dropout views of each text; 0 is off.",
        low=0, search=Span(0.0, 4.0))
    label_smoothing: float = advanced(
        0.0, "Share of the target spread over all classes.", low=0, high=0.9, group="Training")
    class_weights: str = advanced(
        "none", "Weigh classes in the loss: balanced gives rare ones more.",
        choices=("none", "balanced"), group="Training")


@dataclass(frozen=True)
class SentimentConfig:
    """Everything that a sentiment run depends on."""

    data: SentimentData = field(default_factory=SentimentData)
    model: SentimentParts = field(default_factory=SentimentParts)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    train: TrainConfig = field(default_factory=lambda: TrainConfig(
        epochs=6, epoch_steps=20, batch_size=64, least_batch=16, learning_rate=3e-3,
        weight_decay=0.01, beta2=0.98, patience=1))
