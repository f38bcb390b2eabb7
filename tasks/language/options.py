"""The options of language models; light to import, so that help shows at once."""

from dataclasses import dataclass, field

from birnn.config import EncoderConfig, TrainConfig, advanced, option
from birnn.data.tables.dialect import TableOptions
from birnn.tasks.core.options import (
    advanced_data,
    cut_seed,
    cut_share,
    data_option,
    file_encoding,
    without_ragged,
)

# fmt: off


@dataclass(frozen=True)
class LanguageData:
    """Where texts come from, and how they become symbols."""

    data: str = data_option(
        "kjv",
        "A text file; a folder of such; a CSV, TSV, JSON, JSONL or Parquet file with a text a row;"
        " a Hub name; or the embedded New Testament (kjv).")
    documents: str = data_option(
        "whole", "What a document of running text is: a whole file, or each of its lines.",
        choices=("whole", "lines"))
    text_column: str = data_option("", "Column of the texts of a table. Empty: found.")
    validation_share: float = advanced_data(
        0.05, "Share of the text cut for validation where no split holds it.", low=0.001, high=0.5)
    test_share: float = cut_share("testing", "the text", 0.001)
    split_seed: int = cut_seed()
    encoding: str = file_encoding()
    skip_ragged: bool = without_ragged()
    table: TableOptions = field(default_factory=TableOptions)
    unit: str = data_option(
        "characters", "What is predicted, one after the other: characters, words, or"
        " SentencePiece's pieces of words.", choices=("characters", "words", "pieces"))
    min_frequency: int = advanced_data(
        0, "Symbols of train that are rarer count as unknown; 0: once for characters, twice for"
        " words.", low=0)
    vocabulary_limit: int = advanced_data(
        20_000, "Symbols at most, the most frequent ones; others count as unknown.",
        low=1, high=1_000_000)
    passage: int = advanced_data(
        1000, "Symbols that are scored together, at most; longer documents are cut.",
        low=16, high=1_000_000)
    overlap: int = advanced_data(
        256, "Symbols of its document that are read on both sides of a passage to score it.",
        low=1, high=100_000)


@dataclass(frozen=True)
class LanguageParts:
    """What stands around the encoder."""

    symbol_size: int = option(64, "Size of the vector of a symbol.", low=1, high=8192)
    tied: bool = advanced(
        False, "Symbols are read off by their vectors: fewer weights where there are many.")
    window: int = advanced(
        50, "Symbols through which an error is traced back; states are carried beyond.",
        low=1, high=100_000)
    embedding_dropout: float = advanced(
        0.0, "Dropout of a symbol's vector, one mask for a window.", low=0, high=0.95)
    output_dropout: float = advanced(
        0.1, "Dropout of the states before the last layer.", low=0, high=0.95)
    weight_drop: float = advanced(
        0.0, "How often a recurrent weight is dropped for a window (AWD-LSTM).", low=0, high=0.95)
    ngram_order: int = advanced(
        8, "Symbols of the longest n-gram that may be counted; validation chooses.",
        low=1, high=16)
    mix: bool = advanced(
        True, "Mix n-grams into the network's chances, by weights chosen on validation.")


@dataclass(frozen=True)
class LanguageConfig:
    """Everything that a run depends on."""

    data: LanguageData = field(default_factory=LanguageData)
    model: LanguageParts = field(default_factory=LanguageParts)
    encoder: EncoderConfig = field(
        default_factory=lambda: EncoderConfig(encoder="bilstm", hidden_size=256))
    train: TrainConfig = field(
        default_factory=lambda: TrainConfig(
            epochs=4, batch_size=16, batch_tokens=100_000, learning_rate=0.012, beta2=0.99,
            clip_norm=1.0, patience=3))
