"""What a classifier answers: a label, and a probability for each class, of each row of texts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.data.tables.formats import FORMATS
from birnn.data.wording import plural
from birnn.errors import ConfigError
from birnn.tasks.runs.folder import LoadedRun, predictions_of
from birnn.tasks.serving.parts import Parts
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.python_inputs import TextColumns, read_columns, read_texts
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Form, Request, Streamed
from birnn.tasks.serving.texts import read_inputs, read_text_columns

CHUNK = 8192  # rows that are held as batches and features at once

SAMPLE = "What a lovely day, I could not be happier!"
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

    @property
    def takes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Texts alone, where a row is one text; else a table."""
        return ("texts", "table") if len(self.columns) == 1 else ("table",)

    def about(self) -> dict[str, Any]:
        """The classes, and the columns of texts where a row has several."""
        several = {"columns": list(self.sources)} if len(self.columns) > 1 else {}
        return {"labels": list(self.run.info.labels), **several}

    def sample(self) -> dict[str, Any]:
        """A text; of several columns, a row."""
        if len(self.columns) == 1:
            return {"text": SAMPLE}
        return {"rows": [dict.fromkeys(self.sources, SAMPLE)]}

    def probabilities(self, columns: Columns, *, explain: bool) -> tuple[list[Array], Weights]:
        """``[C]`` for each row and, with ``explain``, what each text's words counted for."""
        return predictions_of(self.run, lambda one: self._rows(one, columns))[1], []

    @staticmethod
    def _rows(run: LoadedRun, columns: Columns) -> Any:
        """Raw texts as a split of a model, whose words are its own."""
        task: Any = run.task
        return task.rows(columns, run.info)

    def label(self, columns: Columns, *, explain: bool = False) -> Labels:
        """Label rows, in their order: the texts, ``label`` and ``probabilities`` of each."""
        labels = Labels(notes=notes(columns))
        for records, weights in self._parts(columns, explain=explain).since():
            labels.records += records
            labels.weights += weights
        return labels

    def _parts(
        self, columns: Columns, *, explain: bool
    ) -> Parts[tuple[list[dict[str, Any]], Weights]]:
        """The records of :meth:`label`, and weights, of which a part is held at once."""
        names = self.run.info.labels

        def make(start: int) -> tuple[list[dict[str, Any]], Weights]:
            chunk = {name: part[start : start + CHUNK] for name, part in columns.items()}
            rows, weights = self.probabilities(chunk, explain=explain)
            records = []
            for row, shares in zip(zip(*chunk.values(), strict=True), rows, strict=True):
                record: dict[str, Any] = dict(zip(columns, row, strict=True))
                record["label"] = names[int(shares.argmax())]
                record["probabilities"] = dict(zip(names, map(float, shares), strict=True))
                records.append(record)
            return records, weights

        return Parts(len(next(iter(columns.values()))), CHUNK, make)

    def answer(self, request: Request) -> Answer:
        """Label texts, a file of them, or a pipe."""
        self.check(request)
        columns = self._texts(request)
        parts = None if request.explain else self._parts(columns, explain=False)
        if parts is None:
            labels = self.label(columns, explain=True)
            records: Any = labels.records
            weights = labels.weights
        else:
            since, weights = parts.since, []
            records = Streamed(parts.count, lambda begin: (part for part, _ in since(begin)))
        write = partial(write_labels, records=records, columns=self.columns,
                        escape=request.escape_formulas)  # fmt: skip
        form = None if request.explain else Form(partial(_csv_rows, columns=self.columns), _lines)
        return Answer(records, write, notes(columns), weights, form=form, parts=parts)

    def texts(self, request: Request) -> tuple[Sequence[str], list[str]]:
        """The texts of a file, where a row is one text."""
        columns = self._texts(request)
        return columns[self.columns[0]], [*request.told, *notes(columns)]

    def write_texts(self, path: Path, records: Iterable[dict[str, Any]]) -> None:
        """As :func:`write_labels`."""
        write_labels(path, records, self.columns)

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


def notes(columns: Columns) -> list[str]:
    """What is to be said of rows to label."""
    rows = zip(*columns.values(), strict=True)
    if not (empty := sum(not any(part.strip() for part in row) for row in rows)):
        return []
    return [f"note: {plural(empty, 'empty text')} got the answer for a text without words"]


def write_labels(path: Path, records: Iterable[dict[str, Any]], columns: Sequence[str] = ("text",),
                 *, escape: bool = False) -> None:  # fmt: skip
    """Write labelled rows, whose texts are in ``columns``, as :func:`.records.write_records`.

    JSON holds the records, a CSV a row each, a ``.txt`` the labels alone.
    """
    rows = _csv_rows(records, columns=columns)
    write_records(path, records, rows, _lines(records), escape=escape)


def _lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (record["label"] for record in records)


def _csv_rows(
    records: Iterable[dict[str, Any]], start: int = 0, *, columns: Sequence[str]
) -> Iterator[list[Any]]:
    names, header = [*columns, "label"], True
    for record in records:
        shares = record["probabilities"]
        if header:
            yield [*names, *(f"p_{label}" for label in shares)]
            header = False
        yield [*(record[name] for name in names), *shares.values()]
    if header:
        yield names
