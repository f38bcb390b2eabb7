"""Use a trained run: score it on labelled data, or predict texts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from birnn.arrays import Array
from birnn.data.tables.columns import TEXT_NAMES, find_column
from birnn.data.tables.csv_cells import RowWriter
from birnn.data.tables.csv_check import check_text
from birnn.data.tables.sources import FORMATS, ReadOptions, guarded, load_tables
from birnn.data.wording import plural
from birnn.errors import ConfigError, DataError
from birnn.nn.word_embedder import word_weights
from birnn.storage.files import atomic_path, read_json
from birnn.tasks.core.inference import predict, run_split
from birnn.tasks.runs.folder import LoadedRun, load_run
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.metrics import with_intervals
from birnn.tasks.sentiment.task import Sentiment
from birnn.tasks.serving.request import Answer, Request

OUTPUTS = (".csv", ".json", ".jsonl", ".txt")
CHUNK = 8192  # texts that are held as batches and features at once


@dataclass(frozen=True)
class Scored:
    """A loaded run's scores on a split."""

    title: str
    pairs: list[tuple[str, str]]
    metrics: dict[str, Any]


@dataclass
class Predictions:
    """Records of predicted texts, in input order."""

    records: list[dict[str, Any]] = field(default_factory=list)
    weights: list[list[tuple[str, float]]] = field(default_factory=list)  # of each text's words
    notes: list[str] = field(default_factory=list)


def evaluate(folder: Path, data: str, split: str) -> Scored:
    """Score the run in ``folder``.

    Args:
        data: labelled data; empty: the run's own, split as it was for training.
        split: train, validation or test; data in one piece is scored whole.

    Raises:
        BirnnError: an unusable run or data, or labels that the run doesn't know.
    """
    return evaluate_run(load_run(folder), data, split)


def evaluate_run(run: LoadedRun, data: str, split: str) -> Scored:
    """Score a loaded run; see :func:`evaluate`."""
    if split not in ("train", "validation", "test"):
        raise ConfigError(f"split: {split!r} is not one of train, validation, test")
    folder = run.folder
    part = run.task.load_split(run.info, data, split)
    notes = part.notes if data else [*part.notes, *changed_since(folder, split, len(part.split))]
    predictions = run.task.predictions(run.model, part.split, run.info)
    found = run.task.evaluate(part.split, predictions, run.info, BOOTSTRAP_SEED)
    scores = with_intervals(found.scores, found.replicates)
    metrics = {
        "task": run.task.name,
        "encoder": run.task.config.encoder.encoder,
        "test": {"model": {k: v.to_json() for k, v in scores.items()}, "baselines": {}},
        "data": {"source": part.source, "rows": len(part.split), "notes": notes},
        "train": {},
        "details": run.task.details(part.split, predictions, run.info),
    }
    pairs = [("run", str(folder)), ("data", part.source), ("rows", f"{len(part.split):,}")]
    pairs += [("", note) for note in notes]
    return Scored(f"{run.task.name} with {metrics['encoder']}", pairs, metrics)


def changed_since(folder: Path, split: str, rows: int) -> list[str]:
    """A warning where the run's own data now gives ``split`` another number of rows.

    The cut then differs from that of training, and rows that were trained on can be scored.
    """
    path = folder / "metrics.json"
    found = read_json(path) if path.is_file() else {}
    try:
        then = found["data"]["rows"][split]
    except (KeyError, TypeError, IndexError):
        return []
    if type(then) is not int or then == rows:
        return []
    return [
        f"WARNING: the data has changed since training ({split} had {plural(then, 'row')}, now"
        f" {rows:,}): rows that were trained on may be scored here"
    ]


def read_inputs(
    texts: Sequence[str], path: str, column: str, encoding: str, standard_input: BinaryIO | None
) -> list[str]:
    """The texts to predict: as given, from a file, or from standard input, one a line.

    Half a surrogate pair, which no encoding can hold, becomes a question mark.

    Raises:
        ConfigError: texts and a file at once, or nothing at all.
        DataError: a file that can't be read or has no text column.
    """
    if texts and path:
        raise ConfigError("give texts or --input, not both")
    found = list(texts) if texts else _read_source(path, column, encoding, standard_input)
    if not found:
        raise ConfigError("nothing to predict: the input holds no text")
    return [encodable(text) for text in found]


def encodable(text: str) -> str:
    """``text`` with a question mark for half a surrogate pair, which no encoding can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _read_source(
    path: str, column: str, encoding: str, standard_input: BinaryIO | None
) -> list[str]:
    if not path:
        if standard_input is None:
            raise ConfigError("nothing to predict: give texts in quotes, --input FILE, or a pipe")
        try:
            lines = standard_input.read().decode(encoding).split("\n")
        except UnicodeDecodeError as error:
            raise DataError(f"standard input is not {encoding}: {error.reason}") from None
        except LookupError:
            raise DataError(f"encoding: there is no {encoding!r}; try utf-8") from None
        return [line.removesuffix("\r") for line in (lines[:-1] if not lines[-1] else lines)]
    suffix = Path(path).suffix.lower()
    if suffix == ".txt":
        return _read_lines(Path(path), encoding)
    if suffix not in FORMATS:
        raise DataError(f"input: {path} has an unknown format; known: .txt, {', '.join(FORMATS)}")
    table = next(iter(load_tables(path, ReadOptions(encoding)).splits.values()))
    name = find_column(table, column, TEXT_NAMES, "text", path)
    values = guarded(path, lambda: table[name][:])
    return ["" if value is None else str(value) for value in values]


def _read_lines(path: Path, encoding: str) -> list[str]:
    check_text(path, encoding)
    lines = path.read_text(encoding=encoding).split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def predict_texts(folder: Path, texts: Sequence[str], *, explain: bool = False) -> Predictions:
    """Predict ``texts`` with the run in ``folder``, in their order.

    Args:
        explain: also return what attention pooling looked at.

    Raises:
        ConfigError: the run is of another task, or has no attention to explain with.
    """
    return label_texts(load_run(folder), texts, explain=explain)


def label_texts(run: LoadedRun, texts: Sequence[str], *, explain: bool = False) -> Predictions:
    """Predict ``texts`` with a loaded run; see :func:`predict_texts`."""
    if not isinstance(run.task, Sentiment):
        raise ConfigError(
            f"predict takes texts; {run.folder} is a {run.task.name} run: use evaluate"
        )
    if explain and "attention" not in run.task.pooling:
        raise ConfigError("explain: this run has no attention; train with --pooling attention")
    found = Predictions()
    empty = sum(not text.strip() for text in texts)
    if empty:
        found.notes.append(
            f"note: {plural(empty, 'empty text')} got the answer for a text without words"
        )
    for start in range(0, len(texts), CHUNK):
        part = list(texts[start : start + CHUNK])
        probabilities, weights = _predict_chunk(run, run.task, part, explain)
        for text, row in zip(part, probabilities, strict=True):
            label = run.info.labels[int(row.argmax())]
            shares = {name: float(p) for name, p in zip(run.info.labels, row, strict=True)}
            found.records.append({"text": text, "label": label, "probabilities": shares})
        found.weights += weights
    return found


def _predict_chunk(
    run: LoadedRun, task: Sentiment, texts: list[str], explain: bool
) -> tuple[list[Array], list[list[tuple[str, float]]]]:
    split = task.texts(texts, run.info)
    probabilities = predict(task, run.model, split)
    if not explain:
        return probabilities, []
    words: list[list[tuple[str, float]]] = [[] for _ in texts]
    for indices, batch, outputs in run_split(run.model, split, task.config.train):
        for item, row in zip(indices, word_weights(batch, outputs.attention), strict=True):
            words[item] = list(zip(split.table[int(item)]["tokens"], row, strict=True))
    return probabilities, words


def serve_texts(folder: Path, request: Request) -> Answer:
    """Label what is asked for.

    Raises:
        BirnnError: an unusable run, input or output; nothing is predicted before these are checked.
    """
    if request.output:
        check_output(Path(request.output), OUTPUTS)
    if request.best:
        raise ConfigError("n_best: this run labels whole texts; the option is for taggers")
    texts = read_inputs(
        request.texts, request.input, request.text_column, request.encoding, request.standard_input
    )
    found = predict_texts(folder, texts, explain=request.explain)

    def write(path: Path) -> None:
        write_records(path, found.records, escape=request.escape_formulas)

    return Answer(found.records, write, found.notes, found.weights)


def check_output(path: Path, known: Sequence[str]) -> None:
    """Refuse an output that can't be written, before any work.

    Raises:
        ConfigError: an unknown extension or a folder that isn't there.
    """
    if path.suffix.lower() not in known:
        raise ConfigError(f"output: {path} must end in one of {', '.join(known)}")
    if not path.parent.is_dir():
        raise ConfigError(f"output: there is no folder {path.parent}")


def write_records(path: Path, records: Sequence[dict[str, Any]], *, escape: bool = False) -> None:
    """Write records in the format that the extension names; a ``.txt`` holds the labels alone.

    Args:
        escape: cells of a CSV file that a spreadsheet would run as a formula.
    """
    kind = path.suffix.lower()
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        if kind == ".csv":
            _write_csv(file, records, escape=escape)
        elif kind == ".json":
            json.dump(list(records), file, ensure_ascii=False, indent=1)
            file.write("\n")
        else:
            file.writelines(_lines(kind, records))


def _lines(kind: str, records: Sequence[dict[str, Any]]) -> Iterator[str]:
    for record in records:
        text = record["label"] if kind == ".txt" else json.dumps(record, ensure_ascii=False)
        yield f"{text}\n"


def _write_csv(file: TextIO, records: Sequence[dict[str, Any]], *, escape: bool) -> None:
    writer = RowWriter(file, escape=escape)
    labels = list(records[0]["probabilities"]) if records else []
    writer.row(["text", "label", *(f"p_{label}" for label in labels)])
    for record in records:
        shares = record["probabilities"]
        writer.row([record["text"], record["label"], *(shares[label] for label in labels)])
