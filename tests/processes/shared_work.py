"""What one process does alone, or several share: training without dropout, of every task.

Run as a program, this is one of several processes: its arguments are a file of pickled cases and
one for what the main process found.
"""

import dataclasses
import pickle
import sys
from pathlib import Path
from typing import Any

import torch

from birnn import processes
from birnn.config import apply, flat_names
from birnn.errors import Stopped
from birnn.tasks.runs.experiment import train
from birnn.tasks.runs.fitting import train_one
from birnn.tasks.runs.launch import Plan, make_task, resume_plan
from birnn.tasks.serving.parts import Parts
from birnn.training import tables
from birnn.training.checkpoint_options import StopRequest
from birnn.training.events import StepEvent
from birnn.training.launching import join_processes

STOP_AFTER = 3  # steps


@dataclasses.dataclass(frozen=True)
class Case:
    """A task, how it is trained, and the numbers from which on a table is large."""

    task: str
    config: Any
    large: int = tables.LARGE


def without_dropout(config: Any) -> Any:
    """The configuration with all that is drawn while it trains at 0."""
    drawn = [name for name in flat_names(config) if "dropout" in name]
    return apply(config, dict.fromkeys(drawn, 0.0))


def outcome(case: Case) -> dict[str, Any]:
    """The losses and validation scores of each epoch, and the test scores."""
    tables.LARGE = case.large
    task = make_task(case.task, case.config)
    data = task.load()
    steps = train_one(task, data, task.config.train)
    try:
        while True:
            next(steps)
    except StopIteration as end:
        trained = end.value
    with processes.sharing():
        predictions = task.backtest(trained.model, data, trained.stop.epoch)
    if not processes.is_main():
        return {}
    test = task.evaluate(data.splits["test"], predictions, data.info, 0)
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in trained.history]
    return {"history": rows, "test": dict(test.scores), "tokens": trained.stop.tokens}


def train_whole(case: Case, out: Path, *, stop: bool = False) -> None:
    """Train ``case`` into ``out``, or go on with it; to ``stop``, the last process is asked to."""
    task, request = make_task(case.task, case.config), StopRequest()
    asked = Plan(out, overwrite=True, stop=request)
    begun = processes.from_main(lambda: (out.parent / f".{out.name}.partial").exists())
    plan = processes.from_main(lambda: resume_plan(asked, case.config)) if begun else asked
    assert plan is not None
    last = processes.rank() == processes.count() - 1
    try:
        for event in train(task, dataclasses.replace(plan, stop=request)):
            if stop and last and isinstance(event, StepEvent) and event.step == STOP_AFTER:
                request.asked = True
    except Stopped:
        assert stop


def weights(out: Path) -> dict[str, torch.Tensor]:
    """Those of a run that is whole."""
    from safetensors.torch import load_file

    return load_file(out / "model.safetensors")


def scores(run: Path) -> dict[str, Any]:
    """What ``evaluate`` finds of a run."""
    from birnn.tasks.runs.evaluation import evaluate
    from birnn.tasks.runs.folder import load_run

    return evaluate(load_run(run), "", "test").metrics


def rounds() -> list[list[list[int]]]:
    """Parts of ten items: all, those from the fourth on, and the first three, then no more."""
    parts = Parts(10, 3, lambda start: [processes.rank(), *range(start, min(start + 3, 10))])
    found = []
    with processes.sharing():
        if processes.is_main():
            found = [list(parts.since()), list(parts.since(3)), [next(iter(parts.since()))]]
        parts.assist()
    return found


def main() -> None:
    """Do all cases, and train the first one three times: whole, stopped, and gone on with."""
    cases: dict[str, Case] = pickle.loads(Path(sys.argv[1]).read_bytes())
    home, found = Path(sys.argv[1]).parent, {}
    torch.set_num_threads(1)
    with join_processes():
        for name, case in cases.items():
            if name != "stopped":
                found[name] = outcome(case)
        train_whole(cases["stopped"], home / "whole")
        for out in (home / "again", home / "alone"):
            train_whole(cases["stopped"], out, stop=True)
        train_whole(cases["stopped"], home / "again")
        found |= {"scores": scores(home / "whole"), "parts": rounds()}
        if processes.is_main():
            Path(sys.argv[2]).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main()
