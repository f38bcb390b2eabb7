"""The run that another begins from, by the name that a person gives it."""

from pathlib import Path
from typing import Any

from birnn.errors import ConfigError, brief
from birnn.tasks.api.hub import SCHEME, run_folder
from birnn.tasks.core.beginning import Choice
from birnn.tasks.runs.beginning import Begin, begin_config
from birnn.tasks.runs.unfinished import place_from


def options_from(task: str, run: str) -> Any:
    """The options of a run of ``task`` that begins from ``run``: a folder, or a name on the Hub.

    Raises:
        BirnnError: it is no usable run of the task.
    """
    folder = run_folder(run)
    return begin_config(task, folder, _shown(run, folder))


def beginning(run: str, choice: Choice, folder: str = "") -> Begin | None:
    """Where a run begins that was asked to begin from ``run``; None if that is empty.

    The ``folder`` is where it was asked for, if that may be elsewhere.

    Raises:
        ConfigError: a choice that goes with no run.
        CheckpointError: there is no such run on the Hub.
    """
    if not run:
        for name, value in vars(choice).items():
            if value != getattr(Choice(), name):
                raise ConfigError(f"from_{name}: it belongs to --from, which is not given")
        return None
    found = run_folder(place_from(folder, run))
    return Begin(found, _shown(run, found), choice, run)


def made_choice(vocabulary: str, scaler: str) -> Choice:
    """What becomes of a run's words and scales.

    Raises:
        ConfigError: a word that says nothing of them.
    """
    for name, value, known in (("vocabulary", vocabulary, ("grow", "keep", "refit")),
                               ("scaler", scaler, ("keep", "refit"))):  # fmt: skip
        if value not in known:
            raise ConfigError(f"from_{name}: {brief(value)} is not one of {', '.join(known)}")
    return Choice(vocabulary, scaler)


def _shown(run: str, folder: Path) -> str:
    """What a run is called elsewhere: a folder by its last name."""
    return run if run.startswith(SCHEME) else folder.resolve().name
