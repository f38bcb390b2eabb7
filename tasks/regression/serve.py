"""Use a trained regressor: a number at each step of sequences."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from birnn.arrays import Array, Floats, Ints
from birnn.data.steps import LARGEST, StepSplit, numeric_columns, sequence_rows
from birnn.data.tables.columns import check_column
from birnn.data.tables.kinds import is_dataset, is_frame
from birnn.data.tables.sources import load_tables
from birnn.errors import ConfigError, DataError
from birnn.registry import suggestion
from birnn.tasks.core.task import Record
from birnn.tasks.runs.folder import LoadedRun, predictions_of
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.python_inputs import ordered
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Request, Streamed

PREDICTED = "predicted"  # the column of a table's predictions
SAMPLE = 12  # steps of an example
CHUNK = 8192  # rows of a table that are held at once


class RegressionPredictor(Predictor):
    """A loaded regressor: the rows of a table get a prediction each."""

    outputs = (".csv", ".json", ".jsonl")
    refuses: ClassVar[Mapping[str, str]] = {
        **Predictor.refuses,
        "best": "n_best: this run predicts numbers; the option is for taggers",
        "texts": "a run of regression takes no texts; give a table, a row a step, with --input",
        "text_column": "text_column: a run of regression reads no texts",
    }

    takes = ("table",)

    def about(self) -> dict[str, Any]:
        """The columns that a table must have."""
        group = self.run.task.config.data.sequence_column
        return {"columns": [*self.run.info.features, *([group] if group else [])]}

    def sample(self) -> dict[str, Any]:
        """A few steps, waves around the features' means."""
        info, group = self.run.info, self.run.task.config.data.sequence_column
        steps = np.sin(np.arange(SAMPLE)[:, None] + np.arange(len(info.features)))
        values = (info.shift[:-1] + info.scale[:-1] * steps).tolist()
        rows = [{n: float(f"{v:.6g}") for n, v in zip(info.features, row, strict=True)}
                for row in values]  # fmt: skip
        return {"rows": [{**row, **({group: "1"} if group else {})} for row in rows]}

    def answer(self, request: Request) -> Answer:
        """The rows of a table, each a step, with what is predicted for it."""
        self.check(request)
        if not request.input:
            raise ConfigError("nothing to predict from: give a table, a row a step, with --input")
        found = read_table(self.run, request)
        table, predicted = found.table, np.zeros(len(found.table))
        for rows, part in zip(
            found.rows, self.sequences([found.features[r] for r in found.rows]), strict=True
        ):
            predicted[rows] = part

        def records_of(begin: int) -> Iterator[list[Record]]:
            for start in range(begin, len(table), CHUNK):
                parts = table[start : start + CHUNK]
                cells = zip(*parts.values(), strict=True)
                values = predicted[start : start + CHUNK].tolist()
                yield [
                    {**dict(zip(parts, map(plain, row), strict=True)), PREDICTED: value}
                    for row, value in zip(cells, values, strict=True)
                ]

        records = Streamed(len(table), records_of)

        def write(path: Path) -> None:
            header = [[*table.column_names, PREDICTED]]
            lines = chain(header, (record.values() for record in records))
            write_records(path, records, lines, escape=request.escape_formulas)

        return Answer(records, write, [f"note: {note}" for note in found.notes])

    def sequences(self, features: Sequence[Array]) -> list[Array]:
        """``[T]`` for each ``[T, F]``, in the target's own unit."""
        if not features:
            return []
        info, empty = self.run.info, [np.zeros(len(part)) for part in features]

        def split_for(run: LoadedRun) -> StepSplit:
            return StepSplit(list(features), empty, run.info.shift, run.info.scale)

        rows = predictions_of(self.run, split_for)[1]
        return [row.astype(np.float64) * info.scale[-1] + info.shift[-1] for row in rows]

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """A row a step: ``sequence``, ``step``, ``predicted``."""
        features, _ = step_sequences(data, self.run)
        rows = enumerate(self.sequences(features))
        steps = ((i, t, value) for i, row in rows for t, value in enumerate(row))
        return [{"sequence": i, "step": t, "predicted": float(value)} for i, t, value in steps]

    def predict(self, data: Any, column: str) -> Any:
        """See :meth:`birnn.tasks.api.run.Run.predict`."""
        features, back = step_sequences(data, self.run)
        return back(self.sequences(features))


@dataclass(frozen=True)
class StepTable:
    """A table to predict: a row a step."""

    table: Any
    features: Floats  # [R, F] of the rows, in the order of the run's columns
    rows: list[Ints]  # of each sequence, its rows in their order
    notes: list[str]


def read_table(run: LoadedRun, request: Request) -> StepTable:
    """Read the table that a request names; the target may be among its columns or not.

    Raises:
        BirnnError: it can't be read, or lacks a column.
    """
    where, options, names = request.input, run.task.config.data, run.info.features
    tables = load_tables(where, request.read, aliases={})
    if len(tables.splits) > 1:
        raise ConfigError(f"input: {where} holds several splits; name one file")
    table = next(iter(tables.splits.values()))
    group = options.sequence_column
    for name in (*names, *([group] if group else [])):
        check_column(name, table.column_names, where)
    if PREDICTED in table.column_names:
        raise DataError(f"{where} has a column {PREDICTED!r} already: rename it")
    columns = numeric_columns(table, set(table.column_names) - set(names), where)
    features = np.stack([columns[name] for name in names], axis=1)
    order = sequence_rows(table, group, options.length)
    return StepTable(table, features, list(order), [*tables.notes, *tables.warnings])


def plain(cell: Any) -> Any:
    """A cell of a table as JSON can hold it."""
    if isinstance(cell, float) and not np.isfinite(cell):
        return None
    return cell if cell is None or isinstance(cell, (str, int, float)) else str(cell)


def step_features(data: Any, size: int | None = None) -> list[Array]:
    """Sequences ``[T_i, F]`` of an array or a list of them; ``size``: ``F``, else the first's.

    Raises:
        DataError: another shape, no step, or what is no number; names the sequence.
    """
    sequences = []
    for number, part in enumerate(data, 1):
        try:
            array = np.asarray(part, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"sequence {number}: not an array of numbers ({error})") from None
        size = size if size is not None or array.ndim != 2 else array.shape[1]
        if array.ndim != 2 or array.shape[1] != size or not len(array):
            wanted = f"[T, {size}]" if size is not None else "[T, F]"
            raise DataError(f"sequence {number}: the shape {list(array.shape)} is not {wanted}")
        if not (np.abs(array) <= LARGEST).all():
            raise DataError(f"sequence {number}: holds NaN, infinity or a number beyond 1e15")
        sequences.append(array)
    return sequences


def step_sequences(data: Any, run: LoadedRun) -> tuple[list[Array], Callable[[list[Array]], Any]]:
    """Sequences of ``data``, and what gives their predictions its shape.

    A DataFrame or Dataset has the run's feature columns; its rows are cut into sequences as the
    run's data were.

    Raises:
        DataError: as :func:`step_features`, or a column that is missing.
    """
    size = len(run.info.features)
    if is_dataset(data):
        features, back = step_sequences(data.to_pandas(), run)
        return features, lambda rows: back(rows).tolist()
    if is_frame(data):
        return _of_frame(data, run)
    if isinstance(data, np.ndarray) and data.ndim == 3:
        return step_features(data, size), lambda rows: np.stack(rows) if rows else np.zeros((0, 0))
    if ordered(data):
        return step_features(data, size), lambda rows: rows
    kinds = f"an array [N, T, {size}], a list of arrays [T, {size}], or a DataFrame"
    raise DataError(f"sequences: give {kinds}")


def _of_frame(frame: Any, run: LoadedRun) -> tuple[list[Array], Callable[[list[Array]], Any]]:
    import pandas as pd

    options, names = run.task.config.data, run.info.features
    group = options.sequence_column
    for name in [*names, *([group] if group else [])]:
        if name not in frame.columns:
            near = suggestion(name, map(str, frame.columns))
            raise DataError(f"the DataFrame has no column {name!r}{near}")
    codes = np.arange(len(frame)) // options.length
    if group:
        codes = pd.factorize(frame[group].astype(str))[0]
    rows = [np.flatnonzero(codes == code) for code in range(int(codes.max(initial=-1)) + 1)]

    def back(predictions: list[Array]) -> Any:
        flat = np.zeros(len(frame))
        for places, predicted in zip(rows, predictions, strict=True):
            flat[places] = predicted
        return pd.Series(flat, index=frame.index, name="predicted")

    return step_features([frame[names].iloc[places] for places in rows], len(names)), back
