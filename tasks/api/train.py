"""Train from Python, as the command line does."""

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from birnn.config import from_dict, with_flat
from birnn.data.tables.memory import named_source
from birnn.errors import ConfigError
from birnn.storage.scratch import scratch_folder
from birnn.tasks import TASKS
from birnn.tasks.api.beginning import beginning, made_choice, options_from
from birnn.tasks.api.run import Run
from birnn.tasks.runs.experiment import train as run_experiment
from birnn.tasks.runs.folder import load_run
from birnn.tasks.runs.launch import Plan, make_task, resume_plan
from birnn.tasks.runs.tracking import tracked
from birnn.tasks.runs.tracking_options import TrackConfig
from birnn.tasks.runs.unfinished import has_begun


def train(task: str, data: Any = None, out: str | Path | None = None, *, overwrite: bool = False,
          seeds: int = 1, jobs: int = 1, ensemble: bool = False, resume: bool = False,
          from_run: str | Path = "", from_vocabulary: str = "grow", from_scaler: str = "keep",
          **options: Any) -> Run:  # fmt: skip
    """Train as the command line does, baselines, report and all; quietly.

    Args:
        task: sentiment, tagging, forecast or regression.
        data: a path or name as ``--data`` takes it, a pandas DataFrame, or a Dataset or
            DatasetDict; None: the task's own default.
        out: folder of the run; None: a temporary one that goes when the run does.
        overwrite: replace the run that ``out`` holds.
        seeds: see ``--seeds``.
        jobs: see ``--jobs``; other processes read the data anew, so it must be a path or a name.
        ensemble: see ``--ensemble``.
        resume: go on with what an interrupted call left of ``out``; begin where there is nothing,
            and load what is complete.
        from_run: a trained run to begin from, as ``--from`` takes it: its options count where no
            others are given.
        from_vocabulary, from_scaler: see the command line.
        options: those of the command line, of trackers too, with underscores: ``hidden_size=64``.

    Raises:
        ConfigError: an unknown task or option, or a value that it can't have.
        BirnnError: bad data, a loss that isn't finite, or a folder that is taken.
    """
    begin = beginning(str(from_run), made_choice(from_vocabulary, from_scaler))
    track, config = _options(task, str(from_run), options)
    if data is not None and "data" in options:
        raise ConfigError("data: given twice; give the data once")
    _check_counts(seeds=seeds, jobs=jobs)
    words = f"birnn.train({task!r}, …)"
    with _folder(out) as (folder, keep):
        plan = Plan(folder, seeds, overwrite, words, track=track, begin=begin, jobs=jobs,
                    ensemble=ensemble)  # fmt: skip
        with named_source(data) as source:
            if data is not None:
                config = replace(config, data=replace(config.data, data=source))
            made = make_task(task, config)
            going_on = resume_plan(plan, config) if resume and has_begun(folder) else plan
            if going_on:  # else it is complete
                deque(tracked(run_experiment(made, going_on), going_on), maxlen=0)
        run = Run(load_run(folder))
        keep(run)
    return run


def _options(task: str, origin: str, given: dict[str, Any]) -> tuple[TrackConfig, Any]:
    """Those of trackers, and those of the task: its own, or of the run that it begins from.

    Raises:
        BirnnError: an unknown option, a value that it can't have, or no such run.
    """
    names = [field.name for field in fields(TrackConfig) if field.name in given]
    track = from_dict(TrackConfig, {name: given[name] for name in names})
    config = options_from(task, origin) if origin else TASKS[task].part("options")()
    return track, with_flat(config, {k: v for k, v in given.items() if k not in names})


def _check_counts(**counts: Any) -> None:
    """Refuse what is no whole number of at least 1."""
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ConfigError(f"{name}: must be a whole number of at least 1, got {count!r}")


@contextmanager
def _folder(out: str | Path | None) -> Iterator[tuple[Path, Callable[[Run], object]]]:
    """Where a run goes, and what ties its life to it: a temporary folder goes with its run."""
    if out is not None:
        yield Path(out), lambda run: None
        return
    home = scratch_folder()
    try:
        yield home.path / "run", lambda run: weakref.finalize(run, home.close)
    except BaseException:
        home.close()
        raise
