"""Use a trained run: the text or the label of recordings."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from birnn.arrays import Array
from birnn.data.audio.listing import expanded, list_recordings
from birnn.data.audio.recordings import Recording
from birnn.data.tables.columns import check_column
from birnn.data.tables.kinds import is_dataset, is_frame
from birnn.errors import ConfigError, DataError
from birnn.tasks.core.task import Record
from birnn.tasks.runs.folder import LoadedRun, predictions_of
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Request
from birnn.tasks.speech.goals import text_confidence
from birnn.tasks.speech.search import said_text
from birnn.tasks.speech.words import timed_words


class SpeechPredictor(Predictor):
    """A loaded recogniser: recordings get a text, with its words' times, or a label."""

    outputs = (".csv", ".json", ".jsonl", ".txt")
    refuses: ClassVar[dict[str, str]] = {
        **Predictor.refuses,
        "best": "n_best: a run of speech gives one answer a recording",
        "text_column": "text_column: a run of speech reads recordings; see --input",
    }

    def about(self) -> dict[str, Any]:
        """The labels, or symbols, and the rate that recordings are brought to."""
        info = self.run.info
        return {"labels": [label for label in info.labels if label], "rate": info.features.rate}

    def answer(self, request: Request) -> Answer:
        """Recordings: a file, a folder, or a table with their paths; or paths as texts."""
        self.check(request)
        rows, told = self.rows(request)
        records, notes = self.recognise(rows)
        write = partial(_write, records=records, escape=request.escape_formulas)
        return Answer(records, write, [f"note: {note}" for note in (*told, *notes)])

    def rows(self, request: Request) -> tuple[list[Recording], list[str]]:
        """The recordings that a request names, and what is to be said of them.

        Raises:
            BirnnError: none is named, or they can't be listed.
        """
        if request.texts and request.input:
            raise ConfigError("give paths of recordings or --input, not both")
        if request.texts:
            return of_paths(request.texts), []
        if not request.input:
            raise ConfigError(
                "nothing to recognise: give a recording, a folder or a table with --input"
            )
        task: Any = self.run.task
        options = replace(task.sound_options(request.input, texts=False), read=request.read)
        listing = list_recordings(options)
        rows = [row for part in listing.splits.values() for row in part]
        return rows, [*listing.notes, *listing.warnings]

    def recognise(self, rows: list[Recording]) -> tuple[list[Record], list[str]]:
        """A record of each recording that can be used, and what is said of others.

        Raises:
            DataError: none can be used.
        """
        notes: list[str] = []

        def split_for(run: LoadedRun) -> Any:
            task: Any = run.task
            split, left = task.read(rows, run.info)
            if not len(split):
                raise DataError("; ".join(left) or "nothing to recognise: no recording is given")
            notes[:] = left
            return split

        split, predictions = predictions_of(self.run, split_for)
        pairs = zip(split.recordings, predictions, strict=True)
        return [{"path": row.name, **self.result(found)} for row, found in pairs], notes

    def result(self, predicted: Array) -> Record:
        """What is said of a recording."""
        info = self.run.info
        if info.single:
            shares = dict(zip(info.labels, map(float, predicted), strict=True))
            return {"label": info.labels[int(predicted.argmax())], "probabilities": shares}
        step = self.run.task.config.model.subsampling * info.features.hop
        words = timed_words(predicted, info, step)
        return {"text": said_text(predicted, info), "confidence": text_confidence(predicted),
                "words": words}  # fmt: skip

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """The records of recordings; see :meth:`predict`."""
        return self.recognise(self.given(data, column))[0]

    def predict(self, data: Any, column: str) -> Any:
        """The text or label of each recording.

        ``data`` is a path, a list of paths or of samples ``[S]`` at the run's rate, or a table with
        a column of paths.
        """
        rows = self.given(data, column)
        key = "label" if self.run.info.single else "text"
        records, notes = self.recognise(rows)
        if len(records) < len(rows):
            raise DataError("; ".join(notes))
        said = [record[key] for record in records]
        return said[0] if isinstance(data, (str, Path)) else said

    def predict_proba(self, data: Any, column: str) -> Any:
        """``[N, C]`` probabilities of labels."""
        if not self.run.info.single:
            raise ConfigError("predict_proba: this run writes texts; use predict")
        records = self.records(data, column)
        return np.array([list(record["probabilities"].values()) for record in records])

    def given(self, data: Any, column: str) -> list[Recording]:
        """What a program hands over, as recordings.

        Raises:
            DataError: no paths and no samples.
        """
        if isinstance(data, (str, Path)):
            return of_paths([str(data)])
        if is_frame(data) or is_dataset(data):
            names = [str(name) for name in (data.columns if is_frame(data) else data.column_names)]
            column = column or self.run.task.columns.get("path", "path")
            check_column(column, names, "the table")
            home = Path(self.run.task.config.data.data).expanduser().parent
            return of_paths([str(cell) for cell in data[column]], home)
        rows: list[Recording] = []
        for number, part in enumerate(data, start=1):
            if isinstance(part, (str, Path)):
                rows += of_paths([str(part)])
                continue
            samples = np.asarray(part, dtype=np.float32)
            if samples.ndim != 1:
                raise DataError(f"recording {number}: give a path, or samples [S]")
            rate = self.run.info.features.rate
            rows.append(Recording(f"recording {number}", None, samples=samples, rate=rate))
        return rows


def of_paths(paths: list[str], home: Path | None = None) -> list[Recording]:
    """Recordings by their paths; a relative one that is not there is looked for in ``home``."""
    rows = []
    for number, name in enumerate(paths, start=1):
        path = expanded(name)
        if home is not None and not path.is_file():
            path = home / path
        rows.append(Recording(name, path, row=number))
    return rows


def _write(path: Path, records: list[Record], *, escape: bool) -> None:
    lines = (str(record.get("text", record.get("label"))) for record in records)
    write_records(path, records, _rows(records), lines, escape=escape)


def _rows(records: list[Record]) -> Iterator[list[Any]]:
    """A CSV row each: words are left out of it, probabilities have a column each."""
    header = True
    for record in records:
        plain = {
            name: value for name, value in record.items() if not isinstance(value, (list, dict))
        }
        shares = {f"p_{n}": p for n, p in record.get("probabilities", {}).items()}
        if header:
            yield [*plain, *shares]
            header = False
        yield [*plain.values(), *shares.values()]
