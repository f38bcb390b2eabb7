"""What a task is, in strings: where each of its parts lives, and how it is shown.

A specification is light, so that a command line can list every task at once; a part is imported
when it is asked for. Everything but the first four fields is optional: where a part is missing,
:meth:`Spec.part` says in one line which tasks have it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from birnn.errors import ConfigError
from birnn.registry import load, resolve
from birnn.tasks.scoring.metric_names import Metric


@dataclass(frozen=True)
class Spec:
    """A task in strings; parts are ``"module:attribute"``.

    Attributes:
        name: of the command, and of its runs.
        summary: one line of help.
        task: the :class:`birnn.tasks.core.task.Task`.
        options: the frozen dataclass of its configuration.
        serve: the :class:`birnn.tasks.serving.predictor.Predictor` of its runs.
        example: what follows ``predict RUN`` in a card.
        test_record: reads the test predictions that a run keeps, for ``compare``.
        graph: the :class:`birnn.tasks.export.graph.Graph` of its runs.
        predict_script: the module that an export copies as ``predict.py``; no attribute.
        script_example: what follows ``python predict.py`` in an export's README.
        estimator: the scikit-learn estimator.
        hub_pipeline: what the Hugging Face Hub calls the task.
        metrics: scores that only this task has; the common ones are known.
        view: the module of :mod:`birnn.terminal.views` that draws its details and answers.
        files: patterns of what its runs hold beside the files of every run.
    """

    name: str
    summary: str
    task: str
    options: str
    serve: str = ""
    example: str = ""
    test_record: str = ""
    graph: str = ""
    predict_script: str = ""
    script_example: str = ""
    estimator: str = ""
    hub_pipeline: str = ""
    metrics: tuple[Metric, ...] = ()
    view: str = "classification"
    files: tuple[str, ...] = ()

    def part(self, field: str) -> Any:
        """Import and return the object that a field names."""
        return load(getattr(self, field))


class Specs(Mapping[str, Spec]):
    """Task name → its specification, imported when it is asked for.

    Args:
        places: task name → ``"module:attribute"`` of its :class:`Spec`.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self.places = places

    def __getitem__(self, name: str) -> Spec:
        """The specification of a task.

        Raises:
            ConfigError: there is no such task; the message lists the known ones.
        """
        found: Spec = resolve(self.places, name, "task")
        return found

    def __iter__(self) -> Iterator[str]:
        """The names, in order."""
        return iter(self.places)

    def __len__(self) -> int:
        """How many tasks there are."""
        return len(self.places)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a task."""
        return isinstance(name, str) and name in self.places

    def require(self, name: str, field: str, verb: str, where: object) -> Any:
        """The part of a task that ``verb`` needs.

        Args:
            name: of the task.
            field: of its specification.
            verb: what is asked for, as it begins the message.
            where: the run that it is asked of.

        Raises:
            ConfigError: the task has none; the message says which tasks do.
        """
        if not getattr(self[name], field):
            able = [other for other, spec in self.items() if getattr(spec, field)]
            raise ConfigError(f"{verb} takes a run of {', '.join(able)}; {where} is of {name}")
        return self[name].part(field)
