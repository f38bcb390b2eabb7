"""Look into a file before training: whose data it is, what it holds, what is odd about it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from birnn.config import apply, flat_names
from birnn.data.tables.dialect import ReadOptions, TableOptions
from birnn.errors import ConfigError
from birnn.tasks import TASKS
from birnn.tasks.core.kinds import SERIES, kind_of
from birnn.tasks.runs.launch import make_task


def inspect_words(
    words: Sequence[str], given: Mapping[str, Any]
) -> tuple[str, Any, list[str]]:  # fmt: skip
    """The inspection of what a command names: a file, or a task and a file.

    Returns:
        The task, its inspection, and the tasks that could read the file too, if none was named.

    Raises:
        BirnnError: as :func:`inspect_data`, or too many words.
    """
    options = {key: value for key, value in given.items() if key not in ("task", "data")}
    name, source = str(given.get("task", "")), str(given.get("data", ""))
    places = list(words)
    if places and places[0] in TASKS and (len(places) > 1 or not Path(places[0]).exists()):
        if name not in ("", places[0]):
            raise ConfigError(f"task: {places[0]} and --task {name} are both named; give one")
        name = places.pop(0)
    if len(places) > 1 or (places and source not in ("", places[0])):
        both = " and ".join([*places, *([f"--data {source}"] if source else [])])
        raise ConfigError(f"data: {both} are both named; give one")
    source = places[0] if places else source
    chosen = name or find_task(source, options)
    others = [] if name else [other for other, spec in TASKS.items() if spec.inspect]
    inspection = inspect_data(chosen, source, options)
    return chosen, inspection, [other for other in others if other != chosen]


def find_task(source: str, given: Mapping[str, Any]) -> str:
    """The first task that has an inspection and whose kind of data ``source`` holds."""
    able = {name: spec for name, spec in TASKS.items() if spec.inspect}
    kind = kind_of(source, _read_options(given)) if source else SERIES
    return next((name for name, spec in able.items() if spec.reads == kind), next(iter(able)))


def inspect_data(name: str, source: str, given: Mapping[str, Any]) -> Any:
    """The inspection of a task's data.

    Args:
        name: the task.
        source: the data; empty: the task's default.
        given: options of the task's data, by name.

    Raises:
        BirnnError: no such task, or one that has no inspection; an option that it doesn't have;
            or data that can't be read at all.
    """
    spec = TASKS[name]
    if not spec.inspect:
        able = ", ".join(other for other, spec in TASKS.items() if spec.inspect)
        raise ConfigError(f"inspect reads data of {able}; {name} offers no inspection")
    config = spec.part("options")()
    unknown = [key for key in given if key not in flat_names(config.data)]
    if unknown:
        flag = "--" + unknown[0].replace("_", "-")
        raise ConfigError(f"{flag} is no option of {name}'s data; name its task with --task")
    data = apply(config.data, given)
    config = replace(config, data=replace(data, data=source or data.data))
    return spec.part("inspect")(make_task(name, config))


def _read_options(given: Mapping[str, Any]) -> ReadOptions:
    """How a file is looked at first."""
    own = {key: given[key] for key in ("encoding", "skip_ragged") if key in given}
    return ReadOptions(**own, table=apply(TableOptions(), given))
