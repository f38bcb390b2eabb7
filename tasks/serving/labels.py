"""What a classifier answers: a label, and a probability for each class, of each row of texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.data.tables.sources import FORMATS
from birnn.data.wording import plural
from birnn.errors import ConfigError
from birnn.tasks.core.inference import predict
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.python_inputs import TextColumns, read_columns, read_texts
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Request
from birnn.tasks.serving.texts import read_inputs, read_text_columns

CHUNK = 8192  # rows that are held as batches and features at once

Columns = Mapping[str, Sequence[str]]
Weights = list[list[tuple[str, float]]]  # of each text's words


@dataclass
class Labels:
    """Records of labelled rows, in input order."""

    records: list[dict[str, Any]] = field(default_factory=list)
    weights: Weights = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class LabelPredictor(Predictor):
    """Labels of rows with one text or several, of a task that is a ``Classification``."""

    def __init__(self, run: LoadedRun) -> None:
        super().__init__(run)
        task: Any = run.task
        self.columns: tuple[str, ...] = task.text_columns  # of records
        self.sources: tuple[str, ...] = task.source_columns  # of files and tables
        self.usual = "" if self.columns == ("text",) else self.sources[0]  # empty: by usual names

    def probabilities(self, columns: Columns, *, explain: bool) -> tuple[list[Array], Weights]:
        """``[C]`` for each row and, with ``explain``, what each text's words counted for."""
        task: Any = self.run.task
        return predict(task, self.run.model, task.rows(columns, self.run.info)), []

    def label(self, columns: Columns, *, explain: bool = False) -> Labels:
        """Label rows, in their order: the texts, ``label`` and ``probabilities`` of each."""
        labels, names = Labels(), self.run.info.labels
        texts = list(zip(*columns.values(), strict=True))
        if empty := sum(not any(part.strip() for part in row) for row in texts):
            count = plural(empty, "empty text")
            labels.notes.append(f"note: {count} got the answer for a text without words")
        for start in range(0, len(texts), CHUNK):
            chunk = {name: part[start : start + CHUNK] for name, part in columns.items()}
            rows, weights = self.probabilities(chunk, explain=explain)
            for row, shares in zip(texts[start : start + CHUNK], rows, strict=True):
                record: dict[str, Any] = dict(zip(columns, row, strict=True))
                record["label"] = names[int(shares.argmax())]
                record["probabilities"] = dict(zip(names, map(float, shares), strict=True))
                labels.records.append(record)
            labels.weights += weights
        return labels

    def answer(self, request: Request) -> Answer:
        """Label texts, a file of them, or a pipe."""
        self.check(request)
        labels = self.label(self._texts(request), explain=request.explain)

        write = partial(write_labels, records=labels.records, columns=self.columns,
                        escape=request.escape_formulas)  # fmt: skip
        return Answer(labels.records, write, labels.notes, labels.weights)

    def _texts(self, request: Request) -> Columns:
        if len(self.columns) == 1:
            asked = replace(request, text_column=request.text_column or self.usual)
            return {self.columns[0]: read_inputs(asked)}
        if request.texts or not request.input:
            advice = f"give them with --input FILE ({', '.join(FORMATS)})"
            raise ConfigError(f"this run reads {' and '.join(self.sources)} of each row: {advice}")
        return dict(zip(self.columns, read_text_columns(request, self.sources), strict=True))

    def _read(self, data: Any, column: str) -> TextColumns:
        if len(self.columns) == 1:
            known = self.run.task.columns
            return read_texts(data, column or self.usual, self.columns[0], known)
        texts = read_columns(data, self.sources)
        return replace(texts, columns=dict(zip(self.columns, texts.columns.values(), strict=True)))

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """The texts, ``label`` and ``probabilities`` of each row."""
        return self.label(self._read(data, column).columns).records

    def predict(self, data: Any, column: str) -> Any:
        """A label for each row."""
        texts = self._read(data, column)
        return texts.like("label", [row["label"] for row in self.label(texts.columns).records])

    def predict_proba(self, data: Any, column: str) -> Any:
        """``[N, C]``; of one text ``[C]``."""
        texts = self._read(data, column)
        labels, records = self.run.info.labels, self.label(texts.columns).records
        rows = [list(record["probabilities"].values()) for record in records]
        return texts.table(labels, np.array(rows, dtype=np.float64).reshape(-1, len(labels)))


def write_labels(path: Path, records: Sequence[dict[str, Any]], columns: Sequence[str] = ("text",),
                 *, escape: bool = False) -> None:  # fmt: skip
    """Write labelled rows, whose texts are in ``columns``, as :func:`.records.write_records`.

    JSON holds the records, a CSV a row each, a ``.txt`` the labels alone.
    """
    classes = list(records[0]["probabilities"]) if records else []
    names = [*columns, "label"]
    rows = ([*(r[n] for n in names), *(r["probabilities"][c] for c in classes)] for r in records)
    lines = (record["label"] for record in records)
    header = [*names, *(f"p_{label}" for label in classes)]
    write_records(path, records, chain([header], rows), lines, escape=escape)
