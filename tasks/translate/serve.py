"""Use a trained translator: translations of texts, and the next best ones."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from birnn.data.wording import plural
from birnn.tasks.core.task import Record
from birnn.tasks.runs.folder import LoadedRun, single
from birnn.tasks.serving.parts import Parts
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.python_inputs import TextColumns, read_texts
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Form, Request, Streamed
from birnn.tasks.serving.texts import read_inputs
from birnn.tasks.translate.translating import Translations, search_of, translated

CHUNK = 1024  # texts that are translated before the next are read
FIELDS = ("source", "translation", "score")


class TranslatePredictor(Predictor):
    """A loaded translator."""

    refuses: ClassVar[Mapping[str, str]] = {
        "explain": "explain: a translation has no label to explain; the report draws alignments"
    }

    takes = ("texts", "n_best")

    def about(self) -> dict[str, Any]:
        """The columns that the run was trained on."""
        return {"columns": dict(self.run.task.columns)}

    def sample(self) -> dict[str, Any]:
        """A short text."""
        return {"text": "And he said unto them, Go ye up."}

    def answer(self, request: Request) -> Answer:
        """Translate texts, a file of them, or a pipe."""
        self.check(request)
        texts = self._texts(request)
        parts = self.parts(texts, request.best)
        records = Streamed(len(texts), parts.since)
        escape = request.escape_formulas

        def write(path: Path) -> None:
            write_records(path, records, _rows(records), _lines(records), escape=escape)

        return Answer(records, write, self.notes(texts), form=Form(_rows, _lines), parts=parts)

    def _texts(self, request: Request) -> Sequence[str]:
        """The texts of a request; of a table, the column that held the run's own sources."""
        return read_inputs(replace(request, columns=as_texts(request.columns)))

    def texts(self, request: Request) -> tuple[Sequence[str], list[str]]:
        """The texts of a file."""
        texts = self._texts(request)
        return texts, [*request.told, *self.notes(texts)]

    def write_texts(self, path: Path, records: Iterable[dict[str, Any]]) -> None:
        """A row a text; a ``.txt`` holds the translations alone."""
        held = list(records)
        write_records(path, held, _rows(held), _lines(held))

    def notes(self, texts: Sequence[str]) -> list[str]:
        """What is to be said of texts; those that stay on the disk are not gone through for it."""
        if not isinstance(texts, list):
            return []
        most = self.run.task.config.data.max_length
        cut = self.run.info.source.cut
        empty = sum(not text.strip() for text in texts)
        long = sum(len(text) > most and len(cut(text)) > most for text in texts)
        said = [f"note: {plural(empty, 'empty text')} without a translation"] if empty else []
        if long:
            said.append(f"note: {plural(long, 'text')} translated up to {most:,} pieces alone")
        return said

    def parts(self, texts: Sequence[str], best: int = 0) -> Parts[list[Record]]:
        """The records of texts, a part at a time."""

        def make(start: int) -> list[Record]:
            return translate(self.run, list(texts[start : start + CHUNK]), best)

        return Parts(len(texts), CHUNK, make)

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """The source, its translation and the score of each text."""
        texts = self._read(data, column).texts
        return list(chain.from_iterable(self.parts(texts).since()))

    def predict(self, data: Any, column: str) -> Any:
        """The translation of each text."""
        rows = self._read(data, column)
        said = [row["translation"] for part in self.parts(rows.texts).since() for row in part]
        return rows.like("translation", said)

    def _read(self, data: Any, column: str) -> TextColumns:
        return read_texts(data, column, "source", as_texts(self.run.task.columns))


def as_texts(columns: Mapping[str, str]) -> dict[str, str]:
    """Of a run's columns that of sources, as whoever reads texts names it."""
    return {"text": columns["source"]} if "source" in columns else {}


def translate(run: LoadedRun, texts: list[str], best: int = 0) -> list[Record]:
    """A record of each text; with ``best`` so many translations of it, the best first."""
    filled = [text for text in texts if text.strip()]
    if run.members:
        if best:
            single(run, "n_best")
        answers = iter(_jointly(run, filled))
    else:
        answers = iter(_alone(run, filled, best))
    return [next(answers) if text.strip() else _record(text, "", 0.0) for text in texts]


def _alone(run: LoadedRun, texts: list[str], best: int) -> list[Record]:
    task: Any = run.task
    parts, train = task.config.model, task.config.train
    how = search_of(parts, max(parts.beam, best))
    split = task.split(texts, None, run.info)
    records: dict[int, Record] = {}
    for item, found in translated(run.model, split, train, how, parts) if texts else ():
        record = _record(texts[item], found[0].text, found[0].score)
        if best:
            others = [{"translation": one.text, "score": one.score} for one in found[:best]]
            record["n_best"] = others
        records[item] = record
    return [records[item] for item in range(len(texts))]


def _jointly(run: LoadedRun, texts: list[str]) -> list[Record]:
    if not texts:
        return []
    parts = []
    for member in run.members:
        task: Any = member.task
        split = task.split(texts, None, member.info)
        parts.append((split, task.predictions(member.model, split, member.info), member.info))
    joint: Translations = run.task.combined(parts, run.info)
    rows = zip(texts, joint.texts, joint.scores, strict=True)
    return [_record(*row) for row in rows]


def _record(source: str, translation: str, score: float) -> Record:
    return dict(zip(FIELDS, (source, translation, score), strict=True))


def _rows(records: Iterable[Mapping[str, Any]], start: int = 0) -> Iterator[Iterable[Any]]:
    yield FIELDS
    for record in records:
        yield [record[name] for name in FIELDS]


def _lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return (str(record["translation"]).replace("\n", " ") for record in records)
