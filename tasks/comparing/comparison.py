"""Runs of one task side by side: scores, paired differences, options and curves.

Everything comes from the run folders; neither data nor models are needed. The first run is the
reference. A difference is taken on the same bootstrap resamples of the same test items (see
:mod:`birnn.tasks.scoring.bootstrap`), and only where the items are the same and in the same order:
items that two runs share by chance may have been training items of one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from birnn.data.wording import plural
from birnn.errors import ConfigError
from birnn.registry import suggestion
from birnn.tasks import TASKS
from birnn.tasks.comparing.run_summary import RunSummary, read_run, short_names
from birnn.tasks.runs.folder import read_config
from birnn.tasks.runs.test_records import TestRecord
from birnn.tasks.scoring.bootstrap import interval
from birnn.tasks.scoring.metric_names import is_percent, lower_is_better, metric
from birnn.tasks.scoring.significance import ALIKE

MOST_RUNS = 50


@dataclass(frozen=True)
class Comparison:
    """Runs of one task; the first is the reference."""

    task: str
    runs: list[RunSummary]
    metrics: list[str]  # that are shown
    monitor: str  # the validation score of the curves; empty without any
    items: str  # how many test items the reference has; empty where it keeps none
    notes: list[str]

    @property
    def options(self) -> dict[str, list[Any]]:
        """Those options, by dotted name, that are not the same in all runs; None where absent."""
        names = dict.fromkeys(name for run in self.runs for name in run.config)
        rows = {name: [run.config.get(name) for run in self.runs] for name in names}
        return {n: row for n, row in rows.items() if any(v != row[0] for v in row)}

    def to_json(self) -> dict[str, Any]:
        """Everything, for programs."""
        runs = [{"name": run.name, "folder": str(run.folder), **run.about,
                 "test": run.scores, "differences": run.differences,
                 "history": None if run.curve is None else run.curve.columns}
                for run in self.runs]  # fmt: skip
        head = {"task": self.task, "reference": self.runs[0].name, "metrics": self.metrics}
        middle = {"monitor": self.monitor, "test_items": self.items, "runs": runs}
        return {**head, **middle, "options": self.options, "notes": self.notes}


def compare(folders: Sequence[Path], score: str = "") -> Comparison:
    """Compare the runs in ``folders``.

    The ``score`` is the one to show; empty: those that the task's report compares.

    Raises:
        BirnnError: too few or too many runs, one twice, runs of several tasks, an unfinished run,
            kept files that are not usable, an unknown metric. Missing predictions cost the
            differences alone.
    """
    configs = _configs(folders)
    named = zip(short_names(folders), folders, configs, strict=True)
    runs = [read_run(name, folder, config) for name, folder, config in named]
    notes = [note for run in runs for note in run.notes]
    runs = _with_differences(runs, notes)
    known = dict.fromkeys(metric for run in runs for metric in run.scores)
    if score and score not in known:
        near = suggestion(score, known)
        raise ConfigError(f"--metric: {score!r} is not one of {', '.join(known)}{near}")
    if sum(bool(run.differences) for run in runs) > 1:
        several = "several comparisons with one reference: each interval holds for itself"
        notes.append(f"{several}; none is adjusted for their number")
    record = runs[0].record
    items = plural(record.count, record.unit.removesuffix("s")) if record else ""
    headline = [score] if score else next((run.headline for run in runs if run.headline), [])
    return Comparison(configs[0]["task"], runs, headline, _monitor(runs), items, notes)


def _configs(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The configuration of each run, once it is clear that they can stand side by side."""
    if len(folders) < 2:
        raise ConfigError("compare takes two runs or more: python cli.py compare RUN RUN")
    if len(folders) > MOST_RUNS:
        raise ConfigError(f"compare takes at most {MOST_RUNS} runs, got {len(folders)}")
    places = [folder.resolve() for folder in folders]
    for i, folder in enumerate(folders):
        if places[i] in places[:i]:
            raise ConfigError(f"{folder} is named twice; compare takes runs that differ")
    configs = [read_config(folder) for folder in folders]
    task = configs[0]["task"]
    for folder, config in zip(folders, configs, strict=True):
        if config["task"] != task:
            kinds = f"{folder} is a run of {config['task']}, {folders[0]} of {task}"
            raise ConfigError(f"{kinds}: their scores can't be compared; name runs of one task")
    TASKS.require(task, "test_record", "compare", folders[0])
    return configs


def _with_differences(runs: Sequence[RunSummary], notes: list[str]) -> list[RunSummary]:
    """Each run with its differences from the first, or a note on why it has none."""
    reference = runs[0]
    beside = [reference]
    for run in runs[1:]:
        record, base = run.record, reference.record
        if base is None or record is None:
            pass  # a note has said so
        elif record.items != base.items:
            items = f"its test {record.unit} are not those of {reference.name}, or stand in another"
            notes.append(f"{run.name}: {items} order: own scores, no difference")
        elif record.reading != base.reading:
            way = ", ".join(f"{k} {v}" for k, v in record.reading.items()) or "without spans"
            notes.append(f"{run.name}: scored in another way ({way}): own scores, no difference")
        else:
            run = replace(run, differences=_differences(base, record))
        beside.append(run)
    return beside


def _differences(base: TestRecord, record: TestRecord) -> dict[str, dict[str, Any]]:
    """Run minus reference for each score that both have and that means the same in both."""
    differences: dict[str, dict[str, Any]] = {}
    ours, theirs = record.evaluation, base.evaluation
    for name in ours.scores:
        if name not in theirs.scores or record.scopes.get(name) != base.scopes.get(name):
            continue
        value = ours.scores[name] - theirs.scores[name]
        gap = interval(value, ours.replicates[name] - theirs.replicates[name])
        clear = gap.known and (gap.low > 0 or gap.high < 0)
        if lower_is_better(name) and not is_percent(name):  # two mixes can be one baseline
            clear &= max(abs(gap.low), abs(gap.high)) >= ALIKE * abs(theirs.scores[name])
        ahead = "neither" if metric(name).judged else None
        if ahead and clear:
            ahead = "run" if (gap.low > 0) != lower_is_better(name) else "reference"
        differences[name] = {**gap.to_json(), "clear": clear, "ahead": ahead}
    return differences


def _monitor(runs: Sequence[RunSummary]) -> str:
    """The validation score of the curves: the reference's own, or one that all histories have."""
    histories = [run.curve.columns for run in runs if run.curve is not None]
    usual = next((run.record.monitors for run in runs if run.record), ())
    names = (runs[0].config.get("train.monitor", ""), *usual)
    shared = [name for name in names if all(name in part for part in histories)]
    return shared[0] if histories and shared else ""
