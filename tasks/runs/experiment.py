"""Train, evaluate: the one path that every task and encoder takes.

:func:`train` is a generator of events, the last of which holds the report; it draws nothing.
"""

import shutil
from collections.abc import Generator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from birnn import processes
from birnn.errors import BirnnError, DataError
from birnn.nn import engines
from birnn.nn.devices import check_precision, resolve_device, use_threads
from birnn.nn.model import count_parameters
from birnn.storage.files import check_free, read_json, write_json
from birnn.storage.unfilled import Unfilled
from birnn.tasks.reporting.document import write_report
from birnn.tasks.runs.beginning import begin
from birnn.tasks.runs.card import write_card
from birnn.tasks.runs.data_digest import data_digest
from birnn.tasks.runs.estimating import with_largest_batch
from birnn.tasks.runs.events import AnyEvent, Evaluating, Finished, Prepared, SeedStarted
from birnn.tasks.runs.fitting import AnyTask, little_data
from birnn.tasks.runs.folder import RUN, room_note
from birnn.tasks.runs.growing import MemberResult, growing_run, read_done, snapshot_folder
from birnn.tasks.runs.launch import Plan
from birnn.tasks.runs.member import how_to_go_on as how_to_go_on
from birnn.tasks.runs.member import train_member
from birnn.tasks.runs.members import Member, Shared, members_of
from birnn.tasks.runs.report import add_spread
from birnn.tasks.runs.unfinished import Amendment, StartRecord, here, write_start
from birnn.tasks.scoring.metric_names import lower_is_better
from birnn.training.checkpoints import Checkpointer


def train(task: AnyTask, plan: Plan) -> Generator[AnyEvent, None, None]:
    """Train ``task`` and write the run folder ``plan.out``, whole or not at all.

    With several seeds, each stands in ``out/seed-S`` and the one that is best on validation in
    ``out`` itself, with the mean and standard deviation over all of them in ``metrics.json``.

    Whatever interrupts it, it can be taken up again: ``plan.start`` says how it began. It then ends
    with the same bits as if it had never stopped (on a CPU, with the same threads).

    Raises:
        BirnnError: bad data or configuration, a loss that isn't finite, a folder that is taken.
        Stopped: ``plan.stop`` asked for it; the message says how to go on.
    """
    check_free(plan.out, RUN, overwrite=plan.overwrite)
    members = members_of(task.config, plan.seeds)
    now = _set_machine(task, plan)
    with growing_run(plan.out, overwrite=plan.overwrite, resume=plan.start is not None) as growing:
        shared, work = Shared.load(task, members[0]), growing.work
        now = _with_data(now, shared, plan)
        if plan.largest_batch and plan.start is None:
            task = shared.task = with_largest_batch(task, shared.data)
            now = replace(now, config=asdict(task.config))
        prepared = _prepare(shared, plan, now, members)
        done = _done(work, members if plan.start else [])
        amendment = Amendment(work, now, written=plan.start is None)
        if plan.start is None:
            growing.begin()
            write_start(work, now)
        yield prepared
        results = list[MemberResult]()
        for number, member in enumerate(members, start=1):
            if len(members) > 1:
                yield SeedStarted(member.seed, number, len(members), member.fold, member.title)
            if (result := done.get(member)) is None:
                shared = shared.of(task, member)
                keeper = Checkpointer(snapshot_folder(work, member.name), plan.keep, plan.stop,
                                      amendment.together)  # fmt: skip
                target = work / member.name if len(members) > 1 else work
                result = yield from train_member(shared, plan, keeper, member, target)
            results.append(result)
        yield Evaluating("the report")
        metrics, note = _settle(work, results, prepared, plan)
    if processes.is_main():
        notes = filter(None, (note, room_note(plan.out)))
        yield Finished(plan.out, metrics, results[0].labels, "\n".join(notes) or None)


def _done(work: Path, members: list[Member]) -> dict[Member, MemberResult | None]:
    """What is left of those of ``members`` that are done."""
    return processes.from_main(lambda: {m: read_done(work, m.name) for m in members})


def _with_data(now: StartRecord, shared: Shared, plan: Plan) -> StartRecord:
    """How the run begins, with the digest of its data: what it began with, and every process's.

    Raises:
        DataError: it is not.
    """
    now = replace(now, data=data_digest(shared.task, shared.data))
    processes.agree(now.data, "data")
    if plan.start and plan.start.data != now.data:
        change = "the data has changed since the run began"
        raise DataError(f"{change}: put it back, or start another run with --out")
    return now


def _set_machine(task: AnyTask, plan: Plan) -> StartRecord:
    """Set threads and engine as asked for, or as the run began; how the run begins here."""
    settings = task.config.train
    alike = plan.start is not None and plan.start.processes == processes.count()
    use_threads(settings.threads or (plan.start.threads if plan.start and alike else 0))
    check_precision(resolve_device(settings.device), settings.mixed_precision)
    engine = engines.engine_for(task.config.encoder, settings)
    engines.force(settings.engine)
    return StartRecord(task.name, asdict(task.config), plan.seeds, plan.overwrite, plan.command,
                       plan.keep, torch.get_num_threads(), engine.name,
                       folder=here(), track=plan.track,
                       processes=processes.count(),
                       origin=begin(task, plan.begin, plan.start))  # fmt: skip


def _prepare(shared: Shared, plan: Plan, now: StartRecord, members: list[Member]) -> Prepared:
    """What is about to be trained; the model is only counted."""
    task, data = shared.task, shared.data
    settings = task.config.train
    with torch.device("meta"), Unfilled():
        parameters = count_parameters(task.model(data.info))
    start = plan.start or now
    pairs = [("threads", start.threads, now.threads), ("engine", start.engine, now.engine),
             ("processes", start.processes, now.processes)]  # fmt: skip
    told = "the last bits can differ from one long run's"
    other = [f"{name} {old} → {new}: {told}" for name, old, new in pairs if old and old != new]
    seeds = list(dict.fromkeys(member.seed for member in members))
    return Prepared(task, data, parameters, str(resolve_device(settings.device)), now.threads,
                    engines.engine_for(task.config.encoder, settings), seeds,
                    task.monitor(data.info), plan.out, [*plan.changes, *other],
                    little_data(task, data, settings))  # fmt: skip


def _settle(
    work: Path, results: list[MemberResult], prepared: Prepared, plan: Plan
) -> tuple[dict[str, Any], str | None]:
    """The metrics of the run, whose report is written, or a note that says why not."""

    def settle() -> tuple[dict[str, Any], str | None]:
        metrics = _settle_seeds(work, results, prepared.monitor, plan.command)
        return metrics, _write_report(work, prepared.task, plan.out.name)

    return processes.from_main(settle)


def _settle_seeds(work: Path, results: list[MemberResult], monitor: str,
                  command: str) -> dict[str, Any]:  # fmt: skip
    """The metrics of the run; of several seeds, the best on validation becomes the run."""
    sign = -1 if lower_is_better(monitor) else 1
    best = max(results, key=lambda result: sign * result.score)
    metrics = best.metrics
    if len(results) > 1:
        shutil.copytree(work / f"seed-{best.seed}", work, dirs_exist_ok=True)
        seeds = [result.seed for result in results]
        add_spread(metrics, [result.metrics for result in results], seeds, best.seed)
        write_json(work / "metrics.json", metrics)
        write_card(work / "README.md", command, metrics)
    return metrics


def _write_report(work: Path, task: AnyTask, name: str) -> str | None:
    """Write ``report.html``; a run is whole without it, and then it is said why it has none."""
    try:
        write_report(work, read_json(work / "config.json"), task.config, name)
    except BirnnError as error:
        return f"note: no report.html: {error}"
    return None
