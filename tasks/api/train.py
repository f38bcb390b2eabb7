"""Train from Python, as the command line does."""

import dataclasses
import shutil
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from birnn.config import with_flat
from birnn.data.tables.memory import named_source
from birnn.errors import ConfigError
from birnn.tasks import TASKS
from birnn.tasks.api.run import Run
from birnn.tasks.runs.experiment import train as run_experiment
from birnn.tasks.runs.folder import load_run
from birnn.tasks.runs.launch import Plan, make_task, resume_plan
from birnn.tasks.runs.unfinished import work_folder


def train(
    task: str,
    data: Any = None,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    seeds: int = 1,
    resume: bool = False,
    **options: Any,
) -> Run:
    """Train as the command line does, baselines, report and all; quietly.

    Args:
        task: sentiment, tagging, forecast or regression.
        data: a path or name as ``--data`` takes it, a pandas DataFrame, or a Dataset or
            DatasetDict; None: the task's own default.
        out: folder of the run; None: a temporary one that goes when the run does.
        overwrite: replace the run that ``out`` holds.
        seeds: see ``--seeds``.
        resume: go on with what an interrupted call left of ``out``; begin where there is nothing,
            and load what is complete.
        options: those of the command line with underscores: ``hidden_size=64``.

    Raises:
        ConfigError: an unknown task or option, or a value that it can't have.
        BirnnError: bad data, a loss that isn't finite, or a folder that is taken.
    """
    config = configured(task, options)
    if data is not None and "data" in options:
        raise ConfigError("data: given twice; give the data once")
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise ConfigError(f"seeds: must be a whole number of at least 1, got {seeds!r}")
    temporary = Path(tempfile.mkdtemp(prefix="birnn-")) if out is None else None
    folder = Path(out) if out is not None else temporary / "run"  # type: ignore[operator]
    plan = Plan(folder, seeds, overwrite, f"birnn.train({task!r}, …)")
    try:
        with named_source(data) as source:
            if data is not None:
                where = dataclasses.replace(config.data, data=source)
                config = dataclasses.replace(config, data=where)
            _run(task, config, plan, resume=resume)
        run = Run(load_run(folder))
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if temporary is not None:
        weakref.finalize(run, shutil.rmtree, temporary, ignore_errors=True)
    return run


def _run(task: str, config: Any, plan: Plan, *, resume: bool) -> None:
    """Train to the end, or go on to it; nothing where the run is complete."""
    made = make_task(task, config)
    if resume and (work_folder(plan.out).is_dir() or plan.out.is_dir()):
        unfinished = resume_plan(plan, config)
        if unfinished is None:
            return
        plan = unfinished
    for _ in run_experiment(made, plan):
        pass


def configured(task: str, options: Mapping[str, Any]) -> Any:
    """The configuration of ``task`` with flat ``options``.

    Raises:
        ConfigError: an unknown task or option (with the nearest right one), or a bad value.
    """
    return with_flat(TASKS[task].part("options")(), options)
