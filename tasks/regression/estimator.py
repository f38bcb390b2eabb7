"""The scikit-learn regressor of sequences."""

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from birnn.arrays import Array
from birnn.data.steps import StepSplit
from birnn.errors import BirnnError
from birnn.tasks.api.estimator import BirnnEstimator, InputError, provenance, with_data
from birnn.tasks.core.task import TaskData
from birnn.tasks.regression.serve import step_features
from birnn.tasks.regression.task import scaled_info


class SequenceRegressor(RegressorMixin, BirnnEstimator):  # type: ignore[misc]
    """A regressor of each step: ``X`` is a list of ``[T, F]`` or ``[N, T, F]``, ``y`` of ``[T]``.

    ``score`` is R² over all steps.
    """

    __module__ = "birnn"  # what a pickle names
    task: ClassVar[str] = "regression"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array = False, True
        return tags

    def fit(self, X: Any, y: Any) -> "SequenceRegressor":
        """Learn from ``N`` sequences and their targets.

        Raises:
            InputError: shapes that don't match, what is no number, or too few sequences.
        """
        features, targets = _steps(X), _targets(y)
        _check_pairs(features, targets)
        task = self._task()
        seed, count = task.config.train.seed, len(features)
        size = max(1, round(self.validation_fraction * count))
        if size >= count:
            raise InputError(f"X: {count} sequences are too few to cut validation from")
        order = np.random.default_rng(seed).permutation(count)
        rows = {"validation": np.sort(order[:size]), "train": np.sort(order[size:])}
        parts = {k: ([features[i] for i in p], [targets[i] for i in p]) for k, p in rows.items()}
        self.n_features_in_ = features[0].shape[1]
        names = [f"x{i + 1}" for i in range(self.n_features_in_)]
        info = scaled_info(names, "target", *parts["train"])
        splits = {k: StepSplit(*part, info.shift, info.scale) for k, part in parts.items()}
        data = TaskData(splits, info, provenance(count - size, size, "sequences", seed))
        self._learn(with_data(task, data=data.provenance["source"]), data)
        return self

    def predict(self, X: Any) -> Any:
        """``[T]`` for each sequence: a list, or ``[N, T]`` for an array ``[N, T, F]``."""
        run, features = self._fitted(), _steps(X, self.n_features_in_)
        array = isinstance(X, np.ndarray) and X.ndim == 3
        return run.predict(np.stack(features) if array else features)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R² over all steps."""
        if sample_weight is not None:
            raise InputError("sample_weight: sequences are scored step by step, unweighted")
        features, targets = _steps(X), _targets(y)
        _check_pairs(features, targets)
        return float(r2_score(np.concatenate(targets), np.concatenate(self.predict(features))))


def _steps(X: Any, size: int | None = None) -> list[Array]:
    try:
        features = step_features(X, size)
    except BirnnError as error:
        raise InputError(f"X: {error}") from None
    if not features:
        raise InputError("X: holds no sequence")
    return features


def _targets(y: Any) -> list[Array]:
    try:
        return [part[:, 0] for part in step_features([np.reshape(row, (-1, 1)) for row in y], 1)]
    except BirnnError as error:
        raise InputError(f"y: {error}") from None


def _check_pairs(features: list[Array], targets: list[Array]) -> None:
    if len(features) != len(targets):
        raise InputError(f"y: {len(targets)} sequences for the {len(features)} of X")
    for number, (x, y) in enumerate(zip(features, targets, strict=True), 1):
        if len(x) != len(y):
            raise InputError(f"y: sequence {number} has {len(y)} steps, X has {len(x)}")
