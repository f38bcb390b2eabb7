"""Train, evaluate: the one path that every task and encoder takes.

:func:`train` is a generator of events, the last of which holds the report; it draws nothing.
"""

from collections.abc import Generator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from birnn import processes
from birnn.errors import DataError
from birnn.nn import engines
from birnn.nn.devices import check_precision, default_threads, resolve_device, use_threads
from birnn.nn.model import count_parameters
from birnn.storage.files import check_free
from birnn.storage.unfilled import Unfilled
from birnn.tasks import TASKS
from birnn.tasks.core.data_digest import data_digest
from birnn.tasks.runs.beginning import begin
from birnn.tasks.runs.estimating import with_largest_batch
from birnn.tasks.runs.events import (
    AnyEvent,
    Evaluating,
    Finished,
    OfMember,
    Prepared,
    SeedStarted,
)
from birnn.tasks.runs.fitting import AnyData, AnyTask, little_data
from birnn.tasks.runs.folder import RUN, room_note
from birnn.tasks.runs.growing import MemberResult, growing_run, read_done, snapshot_folder
from birnn.tasks.runs.jobs import check_members, run_jobs
from birnn.tasks.runs.launch import Plan
from birnn.tasks.runs.member import how_to_go_on as how_to_go_on
from birnn.tasks.runs.member import train_member
from birnn.tasks.runs.members import Member, Shared, members_of, task_of
from birnn.tasks.runs.settling import Done, report_of, settle
from birnn.tasks.runs.unfinished import Amendment, StartRecord, here, write_start
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
    check_members(task, plan, len(members))
    now = _set_machine(task, plan)
    if members[0].fold:
        TASKS.require(task.name, "test_record", "--folds", plan.out)
    with growing_run(plan.out, overwrite=plan.overwrite, resume=plan.start is not None) as growing:
        shared, work = Shared.load(task, members[0]), growing.work
        now = _with_data(now, shared, plan)
        if plan.largest_batch and plan.start is None:
            task = with_largest_batch(task, shared.data)
            shared.task = task_of(task, members[0])
            now = replace(now, config=asdict(task.config))
        prepared = _prepare(task, shared, plan, now, members)
        amendment = Amendment(work, now, written=plan.start is None)
        if plan.start is None:
            growing.begin()
            write_start(work, now)
        yield prepared
        results = yield from _train_all(shared, plan, members, amendment, task)
        yield Evaluating("the report")
        metrics, note = _settle(work, results, replace(shared, task=task), prepared.monitor, plan)
    if processes.is_main():
        notes = filter(None, (note, room_note(plan.out)))
        yield Finished(plan.out, metrics, results[0].result.labels, "\n".join(notes) or None)


def _train_all(
    shared: Shared, plan: Plan, members: list[Member], amendment: Amendment, task: AnyTask
) -> Generator[AnyEvent, None, list[Done]]:
    """Train those members that are not done yet, one after the other or side by side."""
    work, several = amendment.work, len(members) > 1
    done = _done(work, members if plan.start else [])
    if plan.jobs > 1 and several:
        left = [member for member in members if done.get(member) is None]
        for event in run_jobs(task, plan, left, amendment.start.threads):
            if isinstance(event, OfMember):
                amendment.write()
            yield event
        done = _done(work, members)
    results = list[Done]()
    for number, member in enumerate(members, start=1):
        if several and plan.jobs == 1:
            yield SeedStarted(member.seed, number, len(members), member.fold, member.title)
        if (result := done.get(member)) is None:
            shared = shared.of(task, member)
            folder = snapshot_folder(work, member.name)
            keeper = Checkpointer(folder, plan.keep, plan.stop, amendment.together)
            target = work / member.name if several else work
            result = yield from train_member(shared, plan, keeper, member, target)
        results.append(Done(member, result))
    return results


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
    began = plan.start.threads if plan.start and alike else _fair_share(plan.jobs)
    use_threads(settings.threads or began)
    check_precision(resolve_device(settings.device), settings.mixed_precision)
    engine = engines.engine_for(task.config.encoder, settings)
    engines.force(settings.engine)
    return StartRecord(task.name, asdict(task.config), plan.seeds, plan.overwrite, plan.command,
                       plan.keep, torch.get_num_threads(), engine.name,
                       folder=here(), track=plan.track,
                       processes=processes.count(), ensemble=plan.ensemble,
                       origin=begin(task, plan.begin, plan.start))  # fmt: skip


def _fair_share(jobs: int) -> int:
    """The threads of each of several jobs; 0, as many as are usual, for one alone."""
    return max(1, default_threads() // jobs) if jobs > 1 else 0


def _prepare(
    task: AnyTask, shared: Shared, plan: Plan, now: StartRecord, members: list[Member]
) -> Prepared:
    """What is about to be trained; the model is only counted."""
    data = shared.data
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
                    _folds_in_words(data, members), plan.jobs,
                    little_data(task, data, settings))  # fmt: skip


def _settle(
    work: Path, results: list[Done], shared: Shared, monitor: str, plan: Plan
) -> tuple[dict[str, Any], str | None]:
    """The metrics of the run, whose report is written, or a note that says why not."""

    def made() -> tuple[dict[str, Any], str | None]:
        metrics = settle(shared, work, results, monitor, plan)
        return metrics, report_of(work, shared.task, plan.out.name)

    return processes.from_main(made)


def _folds_in_words(data: AnyData, members: list[Member]) -> str:
    """How the folds are cut; empty where not all of them are trained."""
    return data.fold.how if data.fold is not None and members[0].fold else ""
