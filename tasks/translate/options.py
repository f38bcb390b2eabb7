"""The options of translation; light to import, so that help shows at once."""

from dataclasses import dataclass, field

from birnn.config import EncoderConfig, TrainConfig, advanced, option
from birnn.data.tables.dialect import TableOptions
from birnn.search import Span, choice
from birnn.tasks.core.options import (
    advanced_data,
    cut_seed,
    cut_share,
    data_option,
    file_encoding,
    fold_count,
    fold_group,
    one_fold,
    without_ragged,
)

# fmt: off


@dataclass(frozen=True)
class TranslateData:
    """Where pairs come from, and into which pieces they are cut."""

    data: str = data_option(
        "verses",
        "Pairs: a TSV, CSV, JSON, JSONL or Parquet file, a folder with one file a split or with"
        " parallel files (train.en, train.de), a Hub name; or the embedded verses (old to plain"
        " English).")
    target_data: str = advanced_data(
        "", "A text file whose lines translate those of the file --data.")
    source_column: str = data_option(
        "", "Column, or language in a column of translations, to translate from. Empty: found.")
    target_column: str = data_option("", "The same, to translate to.")
    units: str = data_option(
        "pieces", "What is read and written: SentencePiece's pieces of words, or words.",
        choices=("pieces", "words"))
    vocabulary_limit: int = advanced_data(
        4000, "Different pieces, or words, at most.", low=16, high=200_000)
    joint: bool = advanced_data(
        True, "One vocabulary for both sides, with one table of vectors; else one each.")
    max_length: int = advanced_data(
        200, "Pieces of a text that are read.", low=1, high=100_000)
    folds: int = fold_count()
    fold: int = one_fold()
    fold_group: str = fold_group(
        "Column, such as that of documents, whose pairs of one value stay in one fold.")
    validation_share: float = cut_share("validation", "pairs", 0.001)
    test_share: float = cut_share("testing", "pairs", 0.001)
    split_seed: int = cut_seed()
    encoding: str = file_encoding()
    skip_ragged: bool = without_ragged()
    table: TableOptions = field(default_factory=TableOptions)


@dataclass(frozen=True)
class TranslateParts:
    """What stands around the encoder, and how translations are searched for."""

    beam: int = option(
        5, "Translations that are followed at once; 1 takes the likeliest piece each time.",
        low=1, high=100)
    length_penalty: float = advanced(
        1.0, "Favour of longer translations: 0 for none (Wu et al. 2016).", low=0, high=10)
    coverage_penalty: float = advanced(
        0.0, "Cost of source pieces that no step looked at (Wu et al. 2016).", low=0, high=10)
    copy_unknown: bool = advanced(
        True, "Copy the source's piece that was looked at where an unknown one is said.")
    decoder: str = advanced(
        "stacked", "Two recurrences and two looks, all steps at once in training (stacked), or one"
        " whose input holds what was read off the step before (feeding: input feeding).",
        choices=("stacked", "feeding"))
    attention: str = advanced(
        "multiplicative", "How the source's steps are scored.",
        choices=("multiplicative", "additive"), search=choice("multiplicative", "additive"))
    coverage: bool = advanced(False, "Attention knows what was looked at before.")
    diagonal: bool = advanced(
        True, "Attention begins near the diagonal, where most translations go along their source.")
    word_size: int = advanced(128, "Size of the vector of a piece.", low=1, high=8192)
    decoder_size: int = advanced(
        0, "Units of a recurrent layer of the decoder; 0: twice those of the encoder.",
        low=0, high=8192)
    tied: bool = advanced(True, "Pieces are read off by the table by which they are read.")
    word_dropout: float = advanced(
        0.1, "How often a piece is hidden from the network.", low=0, high=0.95,
        search=Span(0.0, 0.3))
    embedding_dropout: float = advanced(
        0.2, "Dropout of the vectors of pieces.", low=0, high=0.95, search=Span(0.0, 0.5))
    decoder_dropout: float = advanced(
        0.3, "Dropout within the decoder.", low=0, high=0.95, search=Span(0.1, 0.6))
    label_smoothing: float = advanced(
        0.1, "Share of the target spread over all pieces.", low=0, high=0.9, group="Training")
    bleu_tokenizer: str = advanced(
        "13a", "How sacrebleu finds the words that BLEU counts.",
        choices=("13a", "intl", "char", "none"))


@dataclass(frozen=True)
class TranslateConfig:
    """Everything that a translation run depends on."""

    data: TranslateData = field(default_factory=TranslateData)
    model: TranslateParts = field(default_factory=TranslateParts)
    encoder: EncoderConfig = field(default_factory=lambda: EncoderConfig(
        hidden_size=128, locked_dropout=0.2))
    train: TrainConfig = field(default_factory=lambda: TrainConfig(
        epochs=3, batch_size=64, batch_tokens=2048, learning_rate=2e-3, beta2=0.98,
        weight_decay=0.01, patience=3))
