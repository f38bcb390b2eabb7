"""Use a trained regressor from Python: a number at each step of sequences."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from datasets import Dataset

from birnn.arrays import Array
from birnn.data.steps import LARGEST, StepSplit
from birnn.errors import DataError
from birnn.registry import suggestion
from birnn.tasks.core.inference import predict
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.python_inputs import ordered


class RegressionPredictor(Predictor):
    """A loaded regressor; it answers programs alone."""

    def sequences(self, features: Sequence[Array]) -> list[Array]:
        """``[T]`` for each ``[T, F]``, in the target's own unit."""
        if not features:
            return []
        info, empty = self.run.info, [np.zeros(len(part)) for part in features]
        split = StepSplit(list(features), empty, info.shift, info.scale)
        rows = predict(self.run.task, self.run.model, split)
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
    if isinstance(data, Dataset):
        features, back = step_sequences(data.to_pandas(), run)
        return features, lambda rows: back(rows).tolist()
    if isinstance(data, pd.DataFrame):
        return _of_frame(data, run)
    if isinstance(data, np.ndarray) and data.ndim == 3:
        return step_features(data, size), lambda rows: np.stack(rows) if rows else np.zeros((0, 0))
    if ordered(data):
        return step_features(data, size), lambda rows: rows
    kinds = f"an array [N, T, {size}], a list of arrays [T, {size}], or a DataFrame"
    raise DataError(f"sequences: give {kinds}")


def _of_frame(frame: Any, run: LoadedRun) -> tuple[list[Array], Callable[[list[Array]], Any]]:
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
