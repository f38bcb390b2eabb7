"""What a task is, in strings: where each of its parts lives, and how it is shown.

A specification is light, so that a command line can list every task at once; a part is imported
when it is asked for. Everything but the first four fields is optional: where a part is missing,
:meth:`Spec.part` says in one line which tasks have it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from birnn.errors import ConfigError
from birnn.registry import load, resolve
from birnn.tasks.scoring.metric_names import Metric


@dataclass(frozen=True)
class Spec:
    """A task in strings; parts are ``"module:attribute"``."""

    name: str  # of the command, and of its runs
    summary: str  # one line of help
    task: str  # the :class:`birnn.tasks.core.task.Task`
    options: str  # the frozen dataclass of its configuration
    serve: str = ""  # the :class:`birnn.tasks.serving.predictor.Predictor` of its runs
    explain: str = ""  # the :class:`birnn.tasks.serving.explaining.Explainer` of its runs
    example: str = ""  # what follows ``predict RUN`` in a card
    test_record: str = ""  # reads the test predictions that a run keeps, for ``compare``
    pool: str = ""  # from folders of folds to one: joins what ``test_record`` reads beside rows
    graph: str = ""  # the :class:`birnn.tasks.export.graph.Graph` of its runs
    predict_script: str = ""  # the module that an export copies as ``predict.py``; no attribute
    script_example: str = ""  # what follows ``python predict.py`` in an export's README
    estimator: str = ""  # the scikit-learn estimator
    inspect: str = (
        ""  # from the task to what its data hold, as in :mod:`birnn.tasks.core.inspection`
    )
    reads: str = ""  # the kind of data, of :mod:`birnn.tasks.core.kinds`, by which it is found
    report: str = ""  # from a run's files to the sections of its report that only the task has
    report_numbers: str = ""  # from a run's files to the numbers of its test split
    hub_pipeline: str = ""  # what the Hugging Face Hub calls the task
    metrics: tuple[Metric, ...] = ()  # scores that only this task has; the common ones are known
    view: str = "classification"  # in :mod:`birnn.terminal.views`: draws its details and answers
    warm: str = ""  # what is kept of a run that another begins from: a
    # :class:`birnn.tasks.warm.start.WarmStart`
    generate: str = ""  # from a run, a prompt and a
    # :class:`birnn.tasks.serving.generating.Generation` to texts
    context: str = ""  # from a task and an info to what offers states to other tasks: a
    # :class:`birnn.tasks.core.context.Contextual`
    files: tuple[str, ...] = ()  # patterns of what its runs hold beside the files of every run

    def part(self, field: str) -> Any:
        """Import and return the object that a field names."""
        return load(getattr(self, field))


class Specs(Mapping[str, Spec]):
    """Task name → its specification, imported from its ``"module:attribute"`` when asked for."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self.places = places

    def __getitem__(self, name: str) -> Spec:
        """The specification of a task.

        Raises:
            ConfigError: there is no such task; the message lists the known ones.
        """
        return cast(Spec, resolve(self.places, name, "task"))

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self.places

    def require(self, name: str, field: str, verb: str, where: object) -> Any:
        """The part ``field`` of the task ``name``, which ``verb`` needs of the run ``where``.

        Raises:
            ConfigError: the task has none; the message says which tasks do.
        """
        if not getattr(self[name], field):
            able = [other for other, spec in self.items() if getattr(spec, field)]
            raise ConfigError(f"{verb} takes a run of {', '.join(able)}; {where} is of {name}")
        return self[name].part(field)
