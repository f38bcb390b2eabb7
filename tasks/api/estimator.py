"""What birnn's scikit-learn estimators share: options, training on what is given, and pickling."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from datasets import Dataset, DatasetDict
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from birnn.config import LARGEST_SEED, with_flat
from birnn.data.tables.memory import held
from birnn.errors import BirnnError, CheckpointError, ConfigError, DataError
from birnn.nn import engines
from birnn.nn.devices import use_threads
from birnn.tasks import TASKS
from birnn.tasks.api.beginning import beginning, options_from
from birnn.tasks.api.run import Run, load_files, model_files
from birnn.tasks.core.beginning import Choice
from birnn.tasks.core.task import Task, TaskData
from birnn.tasks.runs.beginning import begin
from birnn.tasks.runs.fitting import train_one
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.runs.launch import make_task
from birnn.tasks.runs.report import train_part
from birnn.training.randomness import random_states, set_random_states

Cut = Callable[[float, int], tuple[Any, Any]]
NAMED = ("encoder", "hidden_size", "layers", "dropout", "epochs", "batch_size", "learning_rate")


class InputError(DataError, ValueError):
    """Input that an estimator can't learn from: one line, and a ValueError as scikit-learn asks."""


@contextmanager
def own_generators() -> Iterator[None]:
    """Training seeds every generator; the caller's are as before when it is over."""
    states = random_states()
    try:
        yield
    finally:
        set_random_states(*states)


class BirnnEstimator(BaseEstimator):  # type: ignore[misc]
    """An estimator around one task; ``run_`` holds what was learned.

    Args:
        encoder: ``bigru`` or ``bilstm``, with ``layers`` of ``hidden_size`` units a direction and
            ``dropout`` between them; None, here and below: the default of the command line.
        epochs: passes over the training rows, at most, in batches of up to ``batch_size`` rows.
        learning_rate: the peak one.
        validation_fraction: of the rows given to ``fit``, how many choose the epoch and what is
            tuned; they are not trained on.
        random_state: seed of weights, order and cut; None: a new one each time.
        options: any other options of the command line, with underscores.
        from_run: a trained run to begin from, as ``--from`` takes it.
    """

    task: ClassVar[str]

    def __init__(self, *, encoder: str | None = None, hidden_size: int | None = None,
                 layers: int | None = None, dropout: float | None = None, epochs: int | None = None,
                 batch_size: int | None = None, learning_rate: float | None = None,
                 validation_fraction: float = 0.1, random_state: Any = 0,
                 options: Mapping[str, Any] | None = None,
                 from_run: str | Path | None = None) -> None:  # fmt: skip
        self.encoder, self.hidden_size, self.layers = encoder, hidden_size, layers
        self.dropout, self.epochs, self.batch_size = dropout, epochs, batch_size
        self.learning_rate, self.validation_fraction = learning_rate, validation_fraction
        self.random_state, self.options, self.from_run = random_state, options, from_run

    def _task(self) -> Task[Any, Any, Any]:
        """The task as the parameters configure it; refuses a value that one can't have."""
        given = dict(self.options or {})
        for name in NAMED:
            if (value := getattr(self, name)) is None:
                continue
            if name in given:
                raise InputError(f"options: {name} is a parameter of its own; give it once")
            given[name] = value.item() if isinstance(value, np.generic) else value
        if "seed" in given:
            raise InputError("options: the seed is the parameter random_state")
        if not 0 < self.validation_fraction < 1:
            got = f"got {self.validation_fraction!r}"
            raise InputError(f"validation_fraction: must lie between 0 and 1, {got}")
        try:
            return self._made({**given, "seed": self._seed()})
        except (ConfigError, CheckpointError) as error:
            raise InputError(str(error)) from None

    def _made(self, options: Mapping[str, Any]) -> Task[Any, Any, Any]:
        """The task with these options, and with the run that it begins from."""
        if self.from_run is None:
            return make_task(self.task, with_flat(TASKS[self.task].part("options")(), options))
        origin = str(self.from_run)
        here = {"data": "rows in memory", **options}
        task = make_task(self.task, with_flat(options_from(self.task, origin), here))
        begin(task, beginning(origin, Choice()), None)
        return task

    def _seed(self) -> int:
        state = self.random_state
        if isinstance(state, (int, np.integer)) and not isinstance(state, bool):
            return int(state)
        return int(check_random_state(state).randint(LARGEST_SEED))

    def _learn(self, task: Task[Any, Any, Any], data: TaskData[Any, Any]) -> None:
        """Train on the splits ``train`` and ``validation`` of ``data``; sets ``run_``."""
        settings = task.config.train
        if settings.threads:  # else as the caller, or joblib, has set them
            use_threads(settings.threads)
        training = train_one(task, data, settings)
        with own_generators(), engines.forced(settings.engine):
            try:
                while True:
                    next(training)
            except StopIteration as end:
                trained = end.value
            except BirnnError as error:
                raise InputError(str(error)) from None
        loaded = LoadedRun(Path("memory"), task, data.info, trained.model.requires_grad_(False))
        left_out = ("stopped", "tokens_per_second", "items_per_second", "peak_memory")
        train = {k: v for k, v in train_part(trained).items() if k not in left_out}
        about = {"task": task.name, "encoder": task.config.encoder.encoder}
        self.run_ = Run(loaded, {**about, "data": data.provenance, "train": train})

    def _learn_tables(self, rows: Mapping[str, Sequence[Any]], cut: Cut, unit: str,
                      **columns: str) -> TaskData[Any, Any]:  # fmt: skip
        """Train on columns of rows, held as a table that the task's own reader reads.

        ``cut``: share and seed → numbers of the rows to train on, and of those held out;
        ``columns``: options of the data that name the columns.
        """
        task = self._task()
        seed, count = task.config.train.seed, len(next(iter(rows.values())))
        words = f"{count:,} {unit} in memory"
        try:
            first, second = cut(self.validation_fraction, seed)
            parts = {"train": first, "validation": second, "test": second}
            tables = DatasetDict()
            for name, part in parts.items():
                chosen = {column: [cells[i] for i in part] for column, cells in rows.items()}
                tables[name] = Dataset.from_dict(chosen)
            task = with_data(task, data=words, **columns)
            with own_generators(), held(tables, words):
                data = task.load()
        except BirnnError as error:
            raise InputError(f"fit: {error}") from None
        data.splits.pop("test")
        data.provenance.clear()
        data.provenance.update(provenance(len(first), len(second), unit, seed))
        self._learn(task, data)
        return data

    def _fitted(self) -> Run:
        check_is_fitted(self, "run_")
        return self.run_

    def __getstate__(self) -> dict[str, Any]:
        """Parameters, and the run as the bytes of its files: JSON and safetensors."""
        state = dict(super().__getstate__())
        run = state.pop("run_", None)
        if run is not None:
            state["_run_files"] = model_files(run.loaded), run.metrics
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        files, metrics = state.pop("_run_files", (None, None))
        state.setdefault("from_run", None)  # an older pickle
        super().__setstate__(state)
        if files is not None:
            self.run_ = Run(load_files(files, Path("memory")), metrics)


def with_data(task: Task[Any, Any, Any], **options: Any) -> Task[Any, Any, Any]:
    """The task with other options of its data."""
    config: Any = task.config
    data = dataclasses.replace(config.data, **options)
    own = type(task)(dataclasses.replace(config, data=data))
    own.origin, own.began = task.origin, task.began
    return own


def provenance(train: int, validation: int, unit: str, seed: int) -> dict[str, Any]:
    """The ``data`` part of the metrics of a fit."""
    return {
        "source": f"{train + validation:,} {unit} in memory", "unit": unit,
        "rows": {"train": train, "validation": validation},
        "splits": [f"validation: {validation:,} {unit} cut from them (seed {seed})"]}  # fmt: skip
