"""Options that several tasks have; light to import, so that help shows at once."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from birnn.config import LARGEST_SEED, option
from birnn.data.tables.dialect import TableOptions

MAX_MEMBERS = 16
MAX_FOLDS = 100
VECTORS = "pretrained word vectors (--vectors; the samples extra brings glove.6B.50d)"  # advice

data_option = partial(option, group="Data")
advanced_data = partial(data_option, level="advanced")


def cut_share(split: str, unit: str, low: float) -> Any:
    """How much of train is cut for a split that the data lacks."""
    text = f"Share of {unit} cut for {split} where no split holds them."
    return advanced_data(0.1, text, low=low, high=0.5)


def cut_seed() -> Any:
    """How a missing split is cut."""
    text = "Seed of the cut; it stays the same for every --seed."
    return advanced_data(0, text, low=0, high=LARGEST_SEED)


def fold_count() -> Any:
    """How many folds the data is cut into."""
    text = (
        "Cut the data into this many folds, train once for each and test on it: every row is tested"
        " once. 0: one split."
    )
    return option(0, text, low=0, high=MAX_FOLDS, group="Run", level="advanced")


def one_fold() -> Any:
    """Which of the folds."""
    text = "Train this one of the --folds alone, as on another machine. 0: all."
    return option(0, text, low=0, high=MAX_FOLDS, group="Run", level="advanced")


def fold_group(what: str) -> Any:
    """What stays together in one fold."""
    return option("", what, group="Run", level="advanced")


def file_encoding() -> Any:
    """How the bytes of a file become text."""
    return advanced_data("utf-8-sig", "Encoding of CSV and JSON files.")


def without_ragged() -> Any:
    """Whether rows that don't fit the header are left out."""
    text = "Leave out CSV rows with too many or too few fields, broken lines of JSON."
    return advanced_data(False, text)


def vectors_name() -> Any:
    """Which pretrained vectors are used."""
    return data_option(
        "auto",
        "Pretrained word vectors: a GloVe or fastText text file, glove.6B.50d (samples extra),"
        " another torchtext name, none, or auto (glove.6B.50d where installed).")  # fmt: skip


def context_run() -> Any:
    """The run whose states are features of tokens."""
    text = (
        "Run of a model of running text, whose frozen states at each token are features; it is"
        " copied into the new run."
    )
    return advanced_data("", text)


@dataclass(frozen=True)
class TextData:
    """Where labelled texts come from, and how they are split and tokenised."""

    data: str = data_option(
        "",
        "A CSV, TSV, JSON, JSONL or Parquet file; a folder with one file a split; a Hub name; or a"
        " folder saved by datasets.")  # fmt: skip
    text_column: str = data_option("", "Column of the texts. Empty: found.")
    label_column: str = data_option("", "Column of the labels. Empty: found.")
    split_column: str = advanced_data(
        "", "Column that names each row's split. Empty: one called split that does; none: no such"
        " column.")  # fmt: skip
    folds: int = fold_count()
    fold: int = one_fold()
    fold_group: str = fold_group(
        "Column, such as that of authors, whose rows of one value stay in one fold.")  # fmt: skip
    validation_share: float = cut_share("validation", "rows", 0.001)
    test_share: float = cut_share("testing", "rows", 0.001)
    split_seed: int = cut_seed()
    encoding: str = file_encoding()
    skip_ragged: bool = without_ragged()
    table: TableOptions = field(default_factory=TableOptions)
    tokenizer: str = advanced_data(
        "social",
        "How texts become words: social keeps hashtags, handles, emoticons and n't whole.",
        choices=("social", "basic_english", "whitespace", "spacy", "moses", "toktok", "revtok",
                 "subword"))  # fmt: skip
    max_length: int = advanced_data(512, "Words of a text that are read.", low=1)
    min_frequency: int = advanced_data(2, "Words of train that are rarer share one trained vector.",
                                       low=1)  # fmt: skip
