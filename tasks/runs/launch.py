"""How a run is started, or gone on with: the same from the command line and from Python."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from birnn.errors import ConfigError
from birnn.tasks import TASKS
from birnn.tasks.core.task import Task
from birnn.tasks.runs.beginning import Begin
from birnn.tasks.runs.growing import run_name
from birnn.tasks.runs.tracking_options import TrackConfig
from birnn.tasks.runs.unfinished import StartRecord, check_changes, read_start, start_config
from birnn.training.checkpoint_options import CheckpointConfig, StopRequest


@dataclass(frozen=True)
class Plan:
    """What is made, where, and how it is kept on the way."""

    out: Path
    seeds: int = 1
    overwrite: bool = False
    command: str = ""
    keep: CheckpointConfig = field(default_factory=CheckpointConfig)
    track: TrackConfig = field(default_factory=TrackConfig)
    largest_batch: bool = False  # that the GPU holds
    start: StartRecord | None = None  # how it began, if it is taken up
    changes: list[str] = field(default_factory=list)  # what was given anew
    begin: Begin | None = None  # the run that it begins from
    jobs: int = 1  # members that are trained side by side
    ensemble: bool = False  # whether the run is all its members together
    stop: StopRequest = field(default_factory=StopRequest)


def make_task(name: str, config: Any) -> Task[Any, Any, Any]:
    """The task ``name`` with a configuration.

    Raises:
        ConfigError: there is no such task, or it refuses the configuration.
    """
    return cast(Task[Any, Any, Any], TASKS[name].part("task")(config))


def unfinished_start(name: str, run: str, out: str) -> StartRecord | None:
    """How the run began that ``--resume run`` names; None if it is complete.

    Raises:
        BirnnError: it is no run, one of another task than ``name``, or not the one that a given
            ``out`` names.
    """
    folder = run_name(Path(run))
    if out and Path(out).resolve() != folder.resolve():
        raise ConfigError(f"out: --resume {folder} names the run already; leave --out out")
    start = read_start(folder)
    if start is not None and start.task != name:
        raise ConfigError(f"{folder} is a run of {start.task}: python cli.py {start.task} --resume")
    return start


def changeable_config(name: str, start: StartRecord | None) -> Any:
    """The configuration that options change: of the run that is taken up, else the default."""
    return start_config(start) if start else TASKS[name].part("options")()


def resume_plan(plan: Plan, config: Any) -> Plan | None:
    """The plan that goes on with the unfinished run ``plan.out``; None if it is complete.

    Raises:
        BirnnError: there is no such run, or ``config`` changes what it is.
    """
    start = read_start(plan.out)
    if start is None:
        return None
    changes = check_changes(start, config, plan.seeds)
    overwrite, ensemble = plan.overwrite or start.overwrite, plan.ensemble or start.ensemble
    return replace(
        plan,
        overwrite=overwrite,
        ensemble=ensemble,
        command=start.command,
        start=start,
        changes=changes,
    )
