"""Sentiment on texts that do not fit in memory."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from birnn.config import TrainConfig
from birnn.data.tables.plain import PlainTable
from birnn.data.text.batches import TextSplit, tokenize
from birnn.data.text.options import TextOptions
from birnn.data.text.tokenizers import get_tokenizer
from birnn.data.text.words import Lexicon
from birnn.errors import ConfigError
from birnn.tasks.core.classification import class_order
from birnn.tasks.core.task import TaskData
from birnn.tasks.sentiment.info import TextInfo
from birnn.tasks.sentiment.options import SentimentConfig

if TYPE_CHECKING:
    from birnn.data.streaming.batches import StreamBatches
    from birnn.data.streaming.loading import StreamedText
    from birnn.data.streaming.texts import Row
    from birnn.tasks.sentiment.task import Sentiment


def checked(config: SentimentConfig) -> SentimentConfig:
    """The configuration of a streaming run: an epoch is what lies between two validations.

    Raises:
        ConfigError: it asks for what a stream can't do.
    """
    stream = config.data.stream
    if config.data.data == SentimentConfig().data.data:  # the embedded ones
        raise ConfigError("streaming: name the files to stream with --data")
    if config.model.class_weights != "none":
        raise ConfigError("class_weights: a stream's classes are not weighed; leave the option out")
    if config.data.split_column:
        raise ConfigError("split_column: a stream is split by files, or by the hash of its texts")
    if config.data.folds:
        raise ConfigError("folds: a stream is not cut into folds; leave --folds or --streaming out")
    epochs = -(-stream.steps // stream.validate_every)
    if config.train.epochs not in (epochs, SentimentConfig().train.epochs):
        raise ConfigError("epochs: a stream is trained on for --steps; leave --epochs out")
    members = config.model.members or 1
    return replace(
        config, train=replace(config.train, epochs=epochs),
        model=replace(config.model, members=members),
    )  # fmt: skip


def load(task: "Sentiment", options: TextOptions) -> "StreamedText":
    """What is known before training: held-out splits, a sample of train, words and labels."""
    from birnn.data.streaming.loading import Words, load_streamed

    data = task.config.data
    words = Words(
        data.tokenizer, get_tokenizer(data.tokenizer), data.max_length, data.min_frequency
    )
    return load_streamed(options, data.stream, words)


def info_of(info: TextInfo, texts: "StreamedText") -> TextInfo:
    """The info of the sample, with the words and labels of the stream."""
    lexicon = Lexicon(list(texts.words), info.lexicon.vector_words, info.lexicon.buckets)
    return replace(info, labels=sorted(texts.labels, key=class_order), lexicon=lexicon)


def streamed_data(
    task: "Sentiment", data: TaskData[TextInfo, TextSplit], texts: "StreamedText"
) -> TaskData[TextInfo, TextSplit]:
    """The loaded data, whose batches of train come from the stream."""
    from birnn.data.streaming.batches import Lot, StreamBatches

    options, info = task.config.data, data.info

    def split(rows: "Sequence[Row]") -> TextSplit:
        table = PlainTable({"text": [r.text for r in rows], "label": [r.label for r in rows]})
        tokens = tokenize(table, options.tokenizer, options.max_length)
        return task.split(tokens, info, ngrams=False)

    def batches(config: TrainConfig) -> "StreamBatches":
        stream, each = options.stream, config.accumulate
        lot = Lot(
            stream.shuffle_buffer, config.batch_size, config.batch_tokens, config.seed, task.views,
            stream.validate_every * each, stream.steps * each,
        )  # fmt: skip
        return StreamBatches(texts.stream, lot, split, info.labels)

    return replace(data, stream=batches, stream_identity=texts.identity())


def one_split(
    task: "Sentiment", options: TextOptions, name: str, labels: Sequence[str]
) -> tuple[Any, list[str]]:
    """A split that is held in memory, as it was for training; train is its sample."""
    from birnn.data.streaming.loading import HELD, SAMPLE, open_stream
    from birnn.data.streaming.texts import as_table, look

    stream = open_stream(options, task.config.data.stream)
    found = look(stream, SAMPLE, most=HELD)
    rows = [row for row in found.splits[name] if row.label in labels]
    return as_table(rows), []
