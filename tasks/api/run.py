"""birnn from Python: load a run, predict what a program holds, train, save, and share."""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from huggingface_hub import ModelHubMixin

from birnn.config import with_flat
from birnn.data.tables.memory import from_arrow, named_source
from birnn.nn.model import count_parameters
from birnn.storage.files import new_folder, read_json, write_json
from birnn.storage.scratch import scratch
from birnn.tasks.api.hub import push, run_folder, write_repository
from birnn.tasks.core.explanation import Explanation, Wish
from birnn.tasks.runs.card import write_card
from birnn.tasks.runs.evaluation import Reading, evaluate, reread
from birnn.tasks.runs.folder import RUN, LoadedRun, load_run, single, write_model
from birnn.tasks.serving.explaining import explainer_of
from birnn.tasks.serving.predictor import predictor_of, rereading

# What lies beside the model.
COPIED = (".json", ".bin", ".csv", ".png", ".jsonl", ".conll", ".conllu", ".md", ".html")


class Run(ModelHubMixin, library_name="birnn"):  # type: ignore[misc, call-arg]
    """A trained model, ready to use: on the CPU, unless it was loaded to another device.

    Made by :func:`load`, :func:`train`, :meth:`from_pretrained`, or an estimator's ``run_``.
    """

    # The mixin would write and read a config.json of its own making; a run's is ours.
    _hub_mixin_config: ClassVar[Any] = {}

    def __init__(self, loaded: LoadedRun, metrics: Mapping[str, Any] | None = None) -> None:
        self.loaded = loaded
        self._metrics = metrics
        self._predictor = predictor_of(loaded)

    __module__ = "birnn"  # what a pickle names

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: the bytes of its files: JSON and safetensors, no class."""
        return {"files": model_files(self.loaded), "metrics": self._metrics,
                "folder": str(self.folder)}  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        """What :meth:`__getstate__` gave."""
        self.loaded = load_files(state["files"], Path(state["folder"]))
        self._metrics = state["metrics"]
        self._predictor = predictor_of(self.loaded)

    def __repr__(self) -> str:
        return f"<Run of {self.task}, {self.config.encoder.encoder}, in {self.loaded.folder}>"

    @property
    def task(self) -> str:
        """The name of its task: ``sentiment``, say."""
        return self.loaded.task.name

    @property
    def config(self) -> Any:
        """The frozen configuration: ``run.config.encoder.hidden_size``."""
        return self.loaded.task.config

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.loaded.folder

    @property
    def labels(self) -> list[str]:
        """Classes, or the network's tags; empty for tasks of numbers."""
        return list(getattr(self.loaded.info, "labels", []))

    @property
    def metrics(self) -> dict[str, Any]:
        """What ``metrics.json`` holds; empty where the run has none."""
        if self._metrics is None:
            path = self.folder / "metrics.json"
            self._metrics = read_json(path) if path.is_file() else {}
        return dict(self._metrics)

    def predict(self, data: Any, *, text_column: str = "", **reading: Any) -> Any:
        """Predict; what comes back has the shape of what goes in.

        =========== ==================================== ==========================================
        task        ``data``                             back
        =========== ==================================== ==========================================
        sentiment   a text                               its label
        .           a list, array or Series of texts     as many labels: list, array, Series
        .           a DataFrame                          a DataFrame with the column ``label``
        .           a Dataset, or a table of Arrow's     a list of labels
        tagging     lists of tokens                      a list of tags for each
        .           raw texts                            a list of (token, tag) for each
        forecast    DataFrame, Dataset or path           a DataFrame: id, time, mean, bounds
        regression  ``[N, T, F]``, or list of ``[T, F]``  ``[N, T]``, or a list of ``[T]``
        .           a DataFrame, a row a step            a Series ``predicted`` with its index
        =========== ==================================== ==========================================

        The ``text_column`` of a table, if empty, is found by its usual names. Series are read as
        the run's own were, but for what ``reading`` says: options of the command line, such as
        ``date_format``, ``day_first``, ``time_columns``, ``id_column``, ``delimiter``, ``decimal``.

        Raises:
            ConfigError: an option that the task hasn't.
            DataError: a row without a text, of another kind, or of another shape; names it.
        """
        return rereading(self._predictor, reading).predict(from_arrow(data), text_column)

    def predict_proba(self, data: Any, *, text_column: str = "") -> Any:
        """Probabilities: ``[N, C]`` of classes, or ``[T, K]`` of tags for each sentence.

        The columns are :attr:`labels`; a DataFrame or Series gives a DataFrame with its index.

        Raises:
            ConfigError: a task of numbers.
            DataError: as :meth:`predict`.
        """
        return self._predictor.predict_proba(from_arrow(data), text_column)

    def predict_records(self, data: Any, *, text_column: str = "",
                        **reading: Any) -> list[dict[str, Any]]:  # fmt: skip
        """The records that ``python cli.py predict RUN --json`` prints.

        Raises:
            BirnnError: as :meth:`predict`.
        """
        return rereading(self._predictor, reading).records(from_arrow(data), text_column)

    def explain(
        self, data: Any, *, label: str = "", token: str = "", step: int = 0, series: str = "",
        text_column: str = "", **reading: Any,
    ) -> list[Explanation]:  # fmt: skip
        """What moved the answers to ``data``, which is given as to :meth:`predict`.

        A classifier gives an explanation a text, a tagger one a predicted span (of raw tags one a
        token), a forecaster one a series, a regressor one a sequence.

        Args:
            label: the class to explain, the type of the spans, or with ``token`` the tag; empty:
                what is predicted.
            token: of a tagger: a token's number from 1, or the token.
            step: of a horizon or a sequence, from 1; 0: the mean over all its steps.
            series: the name of one series; empty: all.

        Raises:
            BirnnError: as :meth:`predict`, or a choice that the task hasn't.
        """
        predictor = rereading(self._predictor, reading)
        explainer = explainer_of(predictor.run, predictor.table)
        wish = Wish(label, token, step, series)
        explainer.check(wish)
        return list(explainer.given(from_arrow(data), text_column, wish))

    def evaluate(self, data: Any = None, split: str = "test",
                 **reading: Any) -> dict[str, dict[str, Any]]:  # fmt: skip
        """Scores with 95 % intervals: name → ``value``, ``low``, ``high``.

        The ``data`` is labelled, a path or a table; None: the run's own, split as for training. A
        file is read as the run's own was, but for what ``reading`` says: ``delimiter``, ``quote``,
        ``decimal``, ``thousands``, ``header``, ``skip_lines``, ``encoding``, ``skip_ragged``,
        ``text_column``, ``label_column`` and, for series, ``date_format``, ``day_first``,
        ``time_columns``, ``id_column``, as on the command line.

        Raises:
            BirnnError: unusable data, labels that the run doesn't know, or options that its task
                hasn't.
        """
        given = with_flat(Reading(), reading)
        run = reread(self.loaded, given)
        with named_source(data) as source:
            return dict(evaluate(run, source, split, given.table).metrics["test"]["model"])

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write the run folder, with all that lies beside the model; returns its path.

        Raises:
            DataError: the folder is taken, or can't be written.
        """
        single(self.loaded, "save")
        with new_folder(Path(folder), RUN, overwrite=overwrite) as made:
            if self.folder.is_dir():
                for path in self.folder.iterdir():
                    if path.suffix in COPIED and path.is_file():
                        shutil.copyfile(path, made / path.name)
            run = self.loaded
            write_model(made, run.task, run.info, run.model, run.engine)
            if self.metrics and not (made / "metrics.json").exists():
                write_json(made / "metrics.json", self.metrics)
                write_card(made / "README.md", "", self.metrics)
        return Path(folder)

    def save_pretrained(self, save_directory: str | Path, *, repo_id: str | None = None,
                        push_to_hub: bool = False,
                        **push_to_hub_kwargs: Any) -> str | None:  # fmt: skip
        """Write what a repository on the Hub holds, as :func:`.hub.write_repository` does.

        The folder is made if it isn't there; what else it holds stays. ``repo_id``, USER/NAME,
        stands in the card; ``push_to_hub`` also sends it there, as :meth:`push_to_hub` does.

        Raises:
            BirnnError: it can't be written or sent.
        """
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        write_repository(folder, self.loaded, self._known_metrics(), repo_id or "")
        if not push_to_hub:
            return None
        return self.push_to_hub(repo_id or folder.name, **push_to_hub_kwargs)

    def push_to_hub(self, repo_id: str, *, private: bool | None = None, **options: Any) -> str:
        """Send what :meth:`save_pretrained` writes to the Hub; returns the address.

        The ``repo_id`` is USER/NAME; ``private``: whether a new repository is, None: as its owner's
        default; ``options``: ``token``, ``commit_message``, ``revision``.

        Raises:
            BirnnError: the Hub refused, or can't be reached.
        """
        return push(self.loaded, self._known_metrics(), repo_id, private=private, **options)[0]

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, *,
                        revision: str | None = None, force_download: bool = False,
                        token: str | bool | None = None, cache_dir: str | Path | None = None,
                        local_files_only: bool = False) -> "Run":  # fmt: skip
        """:func:`load`, with the options of :mod:`huggingface_hub`.

        Raises:
            CheckpointError: nothing there, no way to it, or not a run.
        """
        folder = run_folder(pretrained_model_name_or_path, revision, token=token,
                            cache_dir=cache_dir, force_download=force_download,
                            local_files_only=local_files_only)  # fmt: skip
        return cls(load_run(folder))

    def _known_metrics(self) -> dict[str, Any]:
        """The metrics, or the little that is known of a run without any."""
        parameters = count_parameters(self.loaded.model)
        return self.metrics or {
            "task": self.task, "encoder": self.config.encoder.encoder,
            "data": {"source": self.config.data.data or "not known", "rows": {}, "splits": []},
            "train": {"parameters": parameters, "epochs": 0, "seconds": 0.0}}  # fmt: skip


def model_files(run: LoadedRun) -> dict[str, bytes]:
    """Name → content of the files that :func:`load_files` needs."""
    single(run, "pickle")
    with scratch() as folder:
        write_model(folder, run.task, run.info, run.model, run.engine)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def load_files(files: Mapping[str, bytes], folder: Path) -> LoadedRun:
    """The run whose files are in memory, as if it lay in ``folder``.

    Raises:
        CheckpointError: they are no run.
    """
    with scratch() as made:
        for name, content in files.items():
            (made / name).write_bytes(content)
        return replace(load_run(made), folder=folder)


def load(name: str | Path, revision: str | None = None, *, device: str = "cpu") -> Run:
    """Load a run, its model to ``device``: JSON and safetensors only.

    The ``name`` is its folder, ``hf://USER/NAME[@REVISION]``, or ``USER/NAME`` where no such
    folder is; the ``revision`` is that of a run on the Hub.

    Raises:
        CheckpointError: nothing there, no way to it, or not a usable run.
    """
    return Run(load_run(run_folder(name, revision), device))


def push_run(name: str, repository: str, *, private: bool, to: str = "",
             report: bool = False) -> tuple[str, list[str]]:  # fmt: skip
    """As :func:`.hub.push`, of the run ``name``; with its ``report``, if that is asked for.

    Raises:
        BirnnError: not a usable run, or it can't be written or sent.
    """
    run = load(name)
    return push(run.loaded, run._known_metrics(), repository, to, report=report, private=private)
