"""What a loaded run answers to what a program holds, for each task."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from birnn.arrays import Array
from birnn.data.steps import StepSplit
from birnn.data.tables.memory import as_tables, held
from birnn.data.tags.batches import TagSplit
from birnn.errors import ConfigError, DataError
from birnn.nn.crf import marginals
from birnn.tasks.core.inference import predict, run_split
from birnn.tasks.forecast.serve import forecast_source
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.python_inputs import (
    Sentences,
    Texts,
    read_sentences,
    read_texts,
    step_sequences,
)
from birnn.tasks.serving.texts import label_texts
from birnn.tasks.tagging.serve import tag_raw, tag_sentences, tag_tokens


class Answers(Protocol):
    """How a task answers; see :class:`birnn.tasks.api.run.Run`."""

    def predict(self, data: Any, column: str) -> Any:
        """What is predicted."""

    def predict_proba(self, data: Any, column: str) -> Any:
        """Probabilities."""

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """The command line's records."""


class TextAnswers:
    """Labels of texts."""

    def __init__(self, run: LoadedRun) -> None:
        self.run = run

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """``text``, ``label`` and ``probabilities`` of each text."""
        return self._records(read_texts(data, column))

    def predict(self, data: Any, column: str) -> Any:
        """A label for each text."""
        texts = read_texts(data, column)
        return texts.like("label", [row["label"] for row in self._records(texts)])

    def predict_proba(self, data: Any, column: str) -> Any:
        """``[N, C]``; of one text ``[C]``."""
        texts = read_texts(data, column)
        labels = self.run.info.labels
        rows = [list(row["probabilities"].values()) for row in self._records(texts)]
        return texts.table(labels, np.array(rows, dtype=np.float64).reshape(-1, len(labels)))

    def _records(self, texts: Texts) -> list[dict[str, Any]]:
        return label_texts(self.run, texts.texts).records if texts.texts else []


class TagAnswers:
    """Tags of tokens."""

    def __init__(self, run: LoadedRun) -> None:
        self.run = run

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """Records of raw texts, with their places, or of lists of tokens."""
        found = self._read(data, column)
        if isinstance(found, Texts):
            return tag_raw(self.run, found.texts).records
        filled = [tokens for tokens in found.tokens if tokens]
        records = iter(tag_tokens(self.run, filled)[1] if filled else [])
        return [next(records) if tokens else {"tokens": []} for tokens in found.tokens]

    def predict(self, data: Any, column: str) -> Any:
        """Tags of each list of tokens; of raw texts pairs of token and tag."""
        found = self._read(data, column)
        if isinstance(found, Texts):
            rows = tag_raw(self.run, found.texts).records
            pairs = [[(t["text"], t["tag"]) for t in row["tokens"]] for row in rows]
            return found.like("tags", pairs)
        return found.like("tags", tag_sentences(self.run, found.tokens))

    def predict_proba(self, data: Any, column: str) -> Any:
        """``[T, K]`` the probability of each of the network's tags at each token."""
        found = self._read(data, column)
        if isinstance(found, Texts):
            raise DataError("predict_proba: a tagger takes lists of tokens here, not raw texts")
        return found.like("probabilities", self._marginals(found.tokens))

    def _marginals(self, sentences: Sequence[Sequence[str]]) -> list[Array]:
        task, size = self.run.task, len(self.run.info.labels)
        rows: list[Array] = [np.zeros((0, size)) for _ in sentences]
        full = [i for i, tokens in enumerate(sentences) if tokens]
        if not full:
            return rows
        split = TagSplit.of([sentences[i] for i in full], self.run.info.lexicon)
        for indices, batch, outputs in run_split(self.run.model, split, task.config.train):
            unary = marginals(outputs.scores, batch.lengths, outputs.chain).unary.double().numpy()
            for item, row, length in zip(indices, unary, batch.lengths.tolist(), strict=True):
                rows[full[item]] = row[:length]
        return rows

    def _read(self, data: Any, column: str) -> Texts | Sentences:
        return read_sentences(data, column or self.run.task.config.data.token_column)


class SeriesAnswers:
    """What comes after the last row of each series."""

    def __init__(self, run: LoadedRun) -> None:
        self.run = run

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """A row a series and step: ``id``, ``time``, ``mean``, ``lower_…`` and ``upper_…``."""
        encoding = self.run.task.config.data.encoding
        if isinstance(data, (str, Path)):
            return forecast_source(self.run, str(data), encoding)[1]
        tables, words = as_tables(data)
        with held(tables, words) as source:
            return forecast_source(self.run, source, encoding)[1]

    def predict(self, data: Any, column: str) -> Any:
        """The records as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.records(data, column))

    def predict_proba(self, data: Any, column: str) -> Any:
        """Refused: the intervals stand beside the forecasts."""
        raise ConfigError(
            "predict_proba: a forecast has no classes; predict gives the bounds of its intervals"
        )


class StepAnswers:
    """A number at each step."""

    def __init__(self, run: LoadedRun) -> None:
        self.run = run

    def sequences(self, features: Sequence[Array]) -> list[Array]:
        """``[T]`` for each ``[T, F]``, in the target's own unit."""
        if not features:
            return []
        info = self.run.info
        empty = [np.zeros(len(part)) for part in features]
        split = StepSplit(list(features), empty, info.shift, info.scale)
        rows = predict(self.run.task, self.run.model, split)
        return [row.astype(np.float64) * info.scale[-1] + info.shift[-1] for row in rows]

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """A row a step: ``sequence``, ``step``, ``predicted``."""
        features, _ = step_sequences(data, self.run)
        return [
            {"sequence": i, "step": t, "predicted": float(value)}
            for i, row in enumerate(self.sequences(features))
            for t, value in enumerate(row)
        ]

    def predict(self, data: Any, column: str) -> Any:
        """See :meth:`birnn.tasks.api.run.Run.predict`."""
        features, back = step_sequences(data, self.run)
        return back(self.sequences(features))

    def predict_proba(self, data: Any, column: str) -> Any:
        """Refused: numbers have none."""
        raise ConfigError("predict_proba: this run predicts numbers; use predict")


ANSWERS: dict[str, type[Answers]] = {
    "sentiment": TextAnswers,
    "tagging": TagAnswers,
    "forecast": SeriesAnswers,
    "regression": StepAnswers,
}


def answerer(run: LoadedRun) -> Answers:
    """What answers for a run."""
    make: Any = ANSWERS[run.task.name]
    found: Answers = make(run)
    return found
