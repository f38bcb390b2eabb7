"""Runs of one task side by side: scores, paired differences, options and curves.

Everything comes from the run folders; neither data nor models are needed. The first run is the
reference. A difference is taken on the same bootstrap resamples of the same test items (see
:mod:`birnn.tasks.scoring.bootstrap`), and only where the items are the same and in the same order:
items that two runs share by chance may have been training items of one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from birnn.data.wording import plural
from birnn.errors import ConfigError
from birnn.registry import suggestion
from birnn.tasks import TASKS
from birnn.tasks.comparing.run_summary import RunSummary, make_run, read_metrics, short_names
from birnn.tasks.runs.folder import OWN_KEYS, read_config
from birnn.tasks.runs.test_records import MissingError, TestRecord
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
        return {
            "task": self.task,
            "reference": self.runs[0].name,
            "metrics": self.metrics,
            "monitor": self.monitor,
            "test_items": self.items,
            "runs": [
                {
                    "name": run.name, "folder": str(run.folder), **run.about,
                    "test": run.scores, "differences": run.differences,
                    "history": None if run.curve is None else run.curve.columns,
                }
                for run in self.runs
            ],
            "options": self.options,
            "notes": self.notes,
        }  # fmt: skip


def compare(folders: Sequence[Path], score: str = "") -> Comparison:
    """Compare the runs in ``folders``.

    Args:
        folders: two or more, of one task.
        score: the one to show; empty: those that the task's report compares.

    Raises:
        BirnnError: too few or too many runs, one twice, runs of several tasks, an unfinished run,
            kept files that are not usable, an unknown metric. Missing predictions cost the
            differences alone.
    """
    configs = _configs(folders)
    task = configs[0]["task"]
    notes: list[str] = []
    read = []
    headline: list[str] = []
    for name, folder, config in zip(short_names(folders), folders, configs, strict=True):
        metrics = read_metrics(folder)
        record = _read_record(name, folder, config, notes)
        run = make_run(name, folder, config, metrics, record, notes)
        headline = headline or _headline(metrics, run)
        read.append((run, record))
    runs = _with_differences(read, notes)
    known = dict.fromkeys(m for run in runs for m in run.scores)
    if score and score not in known:
        raise ConfigError(
            f"--metric: {score!r} is not one of {', '.join(known)}{suggestion(score, known)}"
        )
    if sum(bool(run.differences) for run in runs) > 1:
        notes.append(
            "several comparisons with one reference: each interval holds for itself; none is"
            " adjusted for their number"
        )
    monitor = _monitor(runs, configs[0], next((k.monitors for _, k in read if k), ()))
    return Comparison(
        task, runs, [score] if score else headline, monitor, _items(read[0][1]), notes
    )


def _read_record(
    name: str, folder: Path, config: Mapping[str, Any], notes: list[str]
) -> TestRecord | None:
    """What the run keeps of its test split; None, with a note, where the file is missing."""
    reader = TASKS.require(config["task"], "test_record", "compare", folder)
    try:
        record: TestRecord = reader(folder, {k: v for k, v in config.items() if k not in OWN_KEYS})
    except MissingError as error:
        notes.append(
            f"{name}: {error.path.name} is missing, as in runs of older versions: scores of its"
            " metrics.json, no difference; train the run again for one"
        )
        return None
    return record


def _items(record: TestRecord | None) -> str:
    if record is None:
        return ""
    return plural(record.count, record.unit.removesuffix("s"))


def _configs(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """The configuration of each run, once it is clear that they can stand side by side."""
    if len(folders) < 2:
        raise ConfigError("compare takes two runs or more: python cli.py compare RUN RUN")
    if len(folders) > MOST_RUNS:
        raise ConfigError(f"compare takes at most {MOST_RUNS} runs, got {len(folders)}")
    places: set[Path] = set()
    for folder in folders:
        if folder.resolve() in places:
            raise ConfigError(f"{folder} is named twice; compare takes runs that differ")
        places.add(folder.resolve())
    configs = [read_config(folder) for folder in folders]
    task = configs[0]["task"]
    for folder, config in zip(folders, configs, strict=True):
        if config["task"] != task:
            raise ConfigError(
                f"{folder} is a run of {config['task']}, {folders[0]} of {task}: their scores"
                " can't be compared; name runs of one task"
            )
    TASKS.require(task, "test_record", "compare", folders[0])
    return configs


def _headline(metrics: Mapping[str, Any], run: RunSummary) -> list[str]:
    """The scores that the run's own report compares with baselines."""
    found: Mapping[str, Any] = next(iter(metrics["test"]["differences"].values()), {})
    names = [name for name in found if name in run.scores]
    return names or list(run.scores)[:2]


def _with_differences(
    read: Sequence[tuple[RunSummary, TestRecord | None]], notes: list[str]
) -> list[RunSummary]:  # fmt: skip
    """Each run with its differences from the first, or a note on why it has none."""
    reference, base = read[0]
    found = [reference]
    for run, record in read[1:]:
        differences: dict[str, dict[str, Any]] = {}
        if base is None or record is None:
            pass  # a note has said so
        elif record.items != base.items:
            notes.append(
                f"{run.name}: its test {record.unit} are not those of {reference.name}, or stand in"
                " another order: own scores, no difference"
            )
        elif record.reading != base.reading:
            said = ", ".join(f"{k} {v}" for k, v in record.reading.items()) or "without spans"
            notes.append(f"{run.name}: scored in another way ({said}): own scores, no difference")
        else:
            differences = _differences(base, record)
        found.append(replace(run, differences=differences))
    return found


def _differences(base: TestRecord, record: TestRecord) -> dict[str, dict[str, Any]]:
    """Run minus reference for each score that both have and that means the same in both."""
    found: dict[str, dict[str, Any]] = {}
    ours, theirs = record.evaluation, base.evaluation
    for name in ours.scores:
        if name not in theirs.scores or record.scopes.get(name) != base.scopes.get(name):
            continue
        gap = interval(
            ours.scores[name] - theirs.scores[name], ours.replicates[name] - theirs.replicates[name]
        )
        told = gap.known
        if lower_is_better(name) and not is_percent(name):  # two mixes can be one baseline
            told &= max(abs(gap.low), abs(gap.high)) >= ALIKE * abs(theirs.scores[name])
        higher, lower = told and gap.low > 0, told and gap.high < 0
        ahead: str | None = "neither"
        if higher or lower:
            ahead = "run" if higher != lower_is_better(name) else "reference"
        if not metric(name).judged:
            ahead = None
        found[name] = {**gap.to_json(), "clear": higher or lower, "ahead": ahead}
    return found


def _monitor(runs: Sequence[RunSummary], config: Mapping[str, Any], usual: Sequence[str]) -> str:
    """The validation score of the curves: the reference's own, or one that all histories have."""
    histories = [run.curve.columns for run in runs if run.curve is not None]
    train = config.get("train")
    asked = train.get("monitor", "") if isinstance(train, Mapping) else ""
    shared = [name for name in (asked, *usual) if all(name in part for part in histories)]
    return shared[0] if histories and shared else ""
