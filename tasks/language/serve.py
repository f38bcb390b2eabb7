"""What a language model answers: how likely each symbol of a text is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from birnn.arrays import Array
from birnn.data.passages.split import PassageSplit
from birnn.tasks.runs.folder import LoadedRun, predictions_of
from birnn.tasks.serving.parts import Parts
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.python_inputs import TextColumns, read_texts
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Form, Request, Streamed
from birnn.tasks.serving.texts import read_inputs

CHUNK = 1024  # texts that are scored at once
SAMPLE = "In the beginning was the Word."
COLUMNS = ("text", "bits_per_character", "backward_bits_per_character")


class LanguagePredictor(Predictor):
    """Scores of texts, a document each, by symbol."""

    takes = ("texts",)
    refuses: ClassVar[Mapping[str, str]] = {
        "best": "n_best: this run scores texts; the option is for taggers",
        "explain": "explain: the score of each symbol is in the records; see --json",
    }

    def about(self) -> dict[str, Any]:
        """How many symbols it knows."""
        return {"symbols": len(self.run.info.symbols)}

    def sample(self) -> dict[str, Any]:
        """A text."""
        return {"text": SAMPLE}

    def score(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        """A record of each text: bits a character of both models, and of each symbol."""

        def split_for(run: LoadedRun) -> PassageSplit:
            task: Any = run.task
            split: PassageSplit = task.split(texts, run.info)
            return split

        split, rows = predictions_of(self.run, split_for)
        whole = list(by_document(split, rows))
        return [self._record(text, row) for text, row in zip(texts, whole, strict=True)]

    def _record(self, text: str, row: Array) -> dict[str, Any]:
        """``row [n + 2, 2]``: the first border, the text's symbols, the last border."""
        bits = -row.astype(np.float64) / np.log(2)
        characters = len(text) + 1  # the end is predicted too
        record: dict[str, Any] = {
            "text": text, "bits_per_character": float(bits[:, 0].sum() / characters),
        }  # fmt: skip
        if both := self.run.task.config.encoder.bidirectional:
            record[COLUMNS[2]] = float(bits[:, 1].sum() / characters)
        symbols, inner = self.run.info.symbols, bits[1:-1]
        shown = symbols.pieces(text)
        record["symbols"] = [
            {"symbol": s, "bits": float(b[0]), **({"backward_bits": float(b[1])} if both else {})}
            for s, b in zip(shown, inner, strict=True)
        ]
        record["end_bits"] = float(bits[-1, 0])
        return record

    def _parts(self, texts: Sequence[str]) -> Parts[list[dict[str, Any]]]:
        return Parts(len(texts), CHUNK, lambda start: self.score(texts[start : start + CHUNK]))

    def answer(self, request: Request) -> Answer:
        """Score texts, a file of them, or a pipe."""
        self.check(request)
        texts = read_inputs(request)
        parts = self._parts(texts)
        records = Streamed(parts.count, parts.since)
        write = partial(write_scores, records=records, escape=request.escape_formulas)
        return Answer(records, write, form=Form(csv_rows, _lines), parts=parts)

    def texts(self, request: Request) -> tuple[Sequence[str], list[str]]:
        """The texts of a file."""
        return read_inputs(request), request.told

    def write_texts(self, path: Path, records: Iterable[dict[str, Any]]) -> None:
        """As :func:`write_scores`."""
        write_scores(path, records)

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """A record of each text."""
        return [r for part in self._parts(self._read(data, column).texts).since() for r in part]

    def predict(self, data: Any, column: str) -> Any:
        """Bits a character of each text, left to right."""
        texts = self._read(data, column)
        values = [r["bits_per_character"] for r in self.records(list(texts.texts), "")]
        return texts.like("bits_per_character", values)

    def _read(self, data: Any, column: str) -> TextColumns:
        return read_texts(data, column, "text", self.run.task.columns)


def by_document(split: PassageSplit, rows: Sequence[Array]) -> Iterator[Array]:
    """The rows of passages, joined to those of whole documents."""
    parts: list[Array] = []
    for row, closes in zip(rows, split.closes, strict=True):
        parts.append(row)
        if closes:
            yield np.concatenate(parts)
            parts = []


def write_scores(path: Path, records: Iterable[dict[str, Any]], *, escape: bool = False) -> None:
    """Write scored texts: a CSV has a row a text, JSON every symbol, a ``.txt`` the bits alone."""
    write_records(path, records, csv_rows(records), _lines(records), escape=escape)


def csv_rows(records: Iterable[dict[str, Any]], start: int = 0) -> Iterator[list[Any]]:
    """A table of texts and their bits a character."""
    header = True
    for record in records:
        names = [name for name in COLUMNS if name in record]
        if header:
            yield names
            header = False
        yield [record[name] for name in names]
    if header:
        yield list(COLUMNS[:2])


def _lines(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (f"{record['bits_per_character']:.6g}" for record in records)
