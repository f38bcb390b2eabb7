"""A training command, from the options that are given to the report."""

import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from birnn import processes
from birnn.errors import ConfigError, LostProcessError, MemoryLimitError, Stopped
from birnn.tasks import TASKS
from birnn.tasks.core.toml_text import write_toml
from birnn.terminal.command_options import OriginOptions, RunOptions
from birnn.terminal.signals import stop


def begun_options(name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configurations that the options of a training command change: those of a begun run.

    Raises:
        BirnnError: ``--resume`` names no run, or one of another task.
    """
    if not given.get("resume"):
        if not given.get("from_"):
            return {"config": TASKS[name].part("options")(), "run": RunOptions()}
        from birnn.tasks.api.beginning import options_from

        return {"config": options_from(name, given["from_"]), "run": RunOptions()}
    from birnn.tasks.runs.launch import changeable_config, unfinished_start

    resume, out = given["resume"], given.get("out") or ""
    start = processes.from_main(lambda: unfinished_start(name, resume, out))
    run = (
        replace(
            RunOptions(),
            seeds=start.seeds,
            keep=start.keep,
            track=start.track,
            ensemble=start.ensemble,
        )
        if start
        else RunOptions()
    )
    if start and start.origin:
        began = start.origin
        origin = OriginOptions(began["place"], began["vocabulary"], began["scaler"])
        run = replace(run, origin=origin)
    return {"config": changeable_config(name, start), "run": run}


def with_source(config: Any, source: str, *, resume: bool = False) -> Any:
    """The configuration with the data that were named without ``--data``.

    Raises:
        ConfigError: ``--data`` names other data.
    """
    if not source:
        return config
    if not resume and config.data.data not in (source, type(config.data)().data, ""):
        raise ConfigError(f"data: {source} and --data {config.data.data} are both named; give one")
    return replace(config, data=replace(config.data, data=source))


def show_training(name: str, config: Any, run: RunOptions) -> None:
    """Print the options as TOML, for ``--config``; nothing is read but how a run began.

    Raises:
        BirnnError: the run to go on with is complete, or there is none.
    """
    if run.resume:
        from birnn.tasks.runs.launch import unfinished_start

        if unfinished_start(name, run.resume, run.out) is None:
            complete = f"{run.resume} is complete; its configuration is in its config.json"
            raise ConfigError(f"resume: {complete}")
    print(write_toml({"config": config, "run": run}), end="")


def show_estimate(name: str, config: Any, run: RunOptions) -> None:
    """Say what training would take; nothing is written.

    Raises:
        BirnnError: bad data or options, or memory that doesn't suffice.
    """
    from birnn.terminal.views.working import working

    with working("measuring"):
        from birnn.tasks.runs.beginning import begin
        from birnn.tasks.runs.estimating import estimate_run
        from birnn.tasks.runs.launch import Plan, make_task
        from birnn.terminal.views.training import draw_estimate

        task = make_task(name, config)
        begin(task, with_origin(Plan(Path()), run.origin).begin, None)
        estimate, members = estimate_run(task, run.seeds)
    draw_estimate(estimate, members)


def with_origin(plan: Any, origin: OriginOptions) -> Any:
    """The plan with the run that it begins from, if there is one.

    Raises:
        BirnnError: there is no such run, or options that go with one have none.
    """
    from birnn.tasks.api.beginning import beginning
    from birnn.tasks.core.beginning import Choice

    choice = Choice(origin.from_vocabulary, origin.from_scaler)
    folder = plan.start.folder if plan.start else ""
    return replace(plan, begin=beginning(origin.from_, choice, folder))


def run_training(name: str, config: Any, run: RunOptions) -> None:
    """Train a task, drawing its events; or go on with an unfinished run.

    Raises:
        BirnnError: as :func:`birnn.tasks.runs.experiment.train`.
        MemoryLimitError, Stopped: memory, or a signal, ended it; the message says how to go on.
    """
    from birnn.terminal.console import console

    if run.estimate:
        show_estimate(name, config, run)
        return
    with console().status("loading libraries"):
        from birnn.progress import told_to
        from birnn.tasks.runs.experiment import how_to_go_on, train
        from birnn.tasks.runs.growing import resumable, run_name, work_folder
        from birnn.tasks.runs.launch import Plan, make_task, resume_plan
        from birnn.tasks.runs.tracking import tracked
        from birnn.terminal.views.progress import TrainingDisplay
    named = time.strftime(f"runs/{name}-{config.encoder.encoder}-%Y%m%d-%H%M%S")
    out = Path(run.out or processes.from_main(lambda: named))
    words = "python cli.py " + shlex.join(sys.argv[1:])
    if run.resume:
        out = run_name(Path(run.resume))
    settings = run.seeds, run.overwrite, words, run.keep, run.track, run.largest_batch
    asked = Plan(out, *settings, jobs=run.jobs, ensemble=run.ensemble, stop=stop)
    plan = processes.from_main(lambda: resume_plan(asked, config)) if run.resume else asked
    if plan is None:
        console().print(f"{out} is complete: nothing is left to do.", markup=False)
        return
    plan = with_origin(replace(plan, stop=stop), run.origin)  # each process hears its own signals
    task = make_task(name, config)
    events, display = tracked(train(task, plan), plan), TrainingDisplay()
    try:
        with told_to(display.share):
            display.draw(events)
    except (MemoryLimitError, LostProcessError) as error:
        more = f"; {how_to_go_on(task, out)}" if resumable(work_folder(out)) else ""
        raise type(error)(f"{error}{more}") from None
    except KeyboardInterrupt:
        events.close()
        more = f"the run is complete: {out}" if display.finished else "no run was written"
        if not display.finished and (run.resume or resumable(work_folder(out))):
            more = how_to_go_on(task, out)
        raise Stopped(f"stopped; {more}") from None
