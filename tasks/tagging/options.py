"""The options of tagging; light to import, so that help shows at once."""

from dataclasses import dataclass, field
from functools import partial

from birnn.config import EncoderConfig, TrainConfig, advanced, option
from birnn.search import Span
from birnn.tasks.core import options
from birnn.tasks.core.options import MAX_MEMBERS, advanced_data, data_option

rate = partial(advanced, low=0, high=0.95)  # of dropout


@dataclass(frozen=True)
class TaggingData:
    """Where tagged sentences come from, and how they are split and looked up."""

    data: str = data_option(
        "tweet_entities",
        "A CoNLL column file, CoNLL-U, JSONL with character spans or lists of tokens and tags, or"
        " Parquet; a folder with one file a split; a Hub name or alias (conll2003); a"
        " folder saved by datasets; or the embedded tweets with entities.",
    )
    tag_column: str = data_option(
        "",
        "Column of the tags: a name, or a number from 1 (-1 is the last). In CoNLL-U: upos, xpos,"
        " a feature such as Number, misc:Key. Empty: the last that holds tags, upos, or found by"
        " name.",
    )
    token_column: str = advanced_data(
        "", "Column of the tokens. Empty: found by name, else the first that holds words."
    )
    tag_scheme: str = advanced_data(
        "auto",
        "How tags spell spans: told by looking, a scheme, or raw: each tag alone.",
        choices=("auto", "raw", "iob1", "iob2", "iobes", "bilou"),
    )
    folds: int = options.fold_count()
    fold: int = options.one_fold()
    fold_group: str = options.fold_group(
        "What stays in one fold: document, or sentence. Empty: documents where they are marked."
    )
    validation_share: float = options.cut_share("validation", "sentences", 0.001)
    test_share: float = options.cut_share("testing", "sentences", 0.001)
    split_seed: int = options.cut_seed()
    encoding: str = advanced_data("utf-8-sig", "Encoding of text files.")
    skip_ragged: bool = advanced_data(
        False, "Leave out odd lines and rows with their sentences, however many there are."
    )
    vectors: str = options.vectors_name()
    context: str = options.context_run()
    min_frequency: int = advanced_data(
        1, "Words of train that are rarer share one trained vector.", low=1
    )
    vectors_limit: int = advanced_data(
        400_000, "Most frequent pretrained words that are kept.", low=1
    )
    span_mode: str = advanced_data(
        "conlleval",
        "What counts as a span in a gold file whose tags break their scheme: as the conlleval"
        " script reads it, or strict: well-formed spans alone.",
        choices=("conlleval", "strict"),
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
        "crf", "What joins the tags of a sentence: a learned chain, or softmax; both are legal.",
        choices=("crf", "softmax"),
    )  # fmt: skip
    span_bonus: bool = advanced(
        True, "Favour each span by what makes span F1 on validation greatest; confidences stay."
    )
    word_size: int = advanced(
        100, "Size of the trained vector of a word; 0 leaves it out.", low=0, high=8192
    )
    char_encoder: str = advanced(
        "cnn", "What reads the letters of a word.", choices=("cnn", "bigru", "bilstm", "none")
    )
    char_size: int = advanced(100, "Size of what it makes of a word.", low=0, high=8192)
    character_size: int = advanced(30, "Size of the vector of a letter.", low=1, high=1024)
    affix_size: int = advanced(
        16, "Size of the vector of each prefix and suffix of a word; 0: none.", low=0, high=1024
    )
    case: bool = advanced(True, "Tell the network how a token is written: case, digits, marks.")
    singleton_dropout: float = advanced(
        0.5, "How often a word that train has once counts as unknown in training.", low=0, high=1,
        search=Span(0.2, 0.8),
    )  # fmt: skip
    word_dropout: float = rate(
        0.02, "How often any word is hidden from its trained vector.", search=Span(0.0, 0.15)
    )
    embedding_dropout: float = rate(0.2, "Dropout of a token's features.", search=Span(0.0, 0.5))
    embedding_locked_dropout: float = rate(
        0.2, "The same, with one mask for all tokens of a sentence.", search=Span(0.0, 0.5)
    )
    character_dropout: float = rate(0.1, "Dropout of the letters' vectors.")
    head_dropout: float = rate(0.3, "Dropout before the last layer.", search=Span(0.1, 0.6))


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
            epochs=12, epoch_steps=40, batch_size=32, least_batch=8, batch_tokens=4096,
            learning_rate=2e-3, weight_decay=0.01, beta2=0.98, clip_norm=5.0, ema=0.998, patience=5,
        )
    )  # fmt: skip
