"""Runs of one task side by side: scores, paired differences, options and curves.

Everything comes from the run folders; neither data nor models are needed. The first run is the
reference. A difference is taken on the same bootstrap resamples of the same test items (see
:mod:`tasks.bootstrap`), and only where the items are the same and in the same order: items that
two runs share by chance may have been training items of one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from birnn.checkpoint import read_json
from birnn.errors import BirnnError, CheckpointError, ConfigError
from birnn.registry import resolve, suggestion
from tasks import TASKS
from tasks.compare import difference
from tasks.kept import Kept, number, read_rows
from tasks.metrics import with_intervals
from tasks.run import OWN_KEYS, read_config
from tasks.units import lower_is_better

Score = dict[str, float | None]  # value, low, high; of a difference also who is ahead
MOST_RUNS = 50
AGREE = 1e-6  # a score made anew may be so far from that of metrics.json


@dataclass(frozen=True)
class Curve:
    """What ``history.csv`` says: a list of values an epoch, by column."""

    columns: dict[str, list[float]]
    best: int  # the epoch that was kept


@dataclass(frozen=True)
class Compared:
    """A run in a comparison.

    Attributes:
        name: short and unlike those of the others.
        folder: of the run.
        config: its options, flat, under dotted names.
        about: encoder, version, engine, parameters, epochs, seconds, bytes, seeds.
        scores: of each metric ``value``, ``low``, ``high``; over several seeds ``mean``, ``std``.
        differences: from the reference, where they can be taken, with ``ahead``: ``run``,
            ``reference`` or ``neither``.
        curve: None where the history is missing or not usable.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    about: dict[str, Any]
    scores: dict[str, Score]
    differences: dict[str, dict[str, Any]] = field(default_factory=dict)
    curve: Curve | None = None


@dataclass(frozen=True)
class Comparison:
    """Runs of one task; the first is the reference."""

    task: str
    runs: list[Compared]
    metrics: list[str]  # that are shown
    monitor: str  # the validation score of the curves; empty without any
    items: str  # how many test items the reference has
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


def compare(folders: Sequence[Path], metric: str = "") -> Comparison:
    """Compare the runs in ``folders``.

    Args:
        folders: two or more, of one task.
        metric: the score to show; empty: those that the task's report compares.

    Raises:
        BirnnError: too few or too many runs, one twice, runs of several tasks, an unfinished run,
            kept files that are missing or not usable, an unknown metric.
    """
    configs = _configs(folders)
    task = configs[0]["task"]
    names = short_names(folders)
    notes: list[str] = []
    reader = resolve({task: TASKS[task].kept}, task, "task")
    read = []
    headline: list[str] = []
    for name, folder, config in zip(names, folders, configs, strict=True):
        metrics = _metrics(folder)
        groups = {k: v for k, v in config.items() if k not in OWN_KEYS}
        kept: Kept = reader(folder, groups)
        run = _run(name, folder, config, metrics, kept, notes)
        headline = headline or _headline(metrics, run)
        read.append((run, kept))
    runs = _with_differences(read, notes)
    known = dict.fromkeys(m for run in runs for m in run.scores)
    if metric and metric not in known:
        raise ConfigError(
            f"--metric: {metric!r} is not one of {', '.join(known)}{suggestion(metric, known)}"
        )
    if len(read) > 2 and any(run.differences for run in runs):
        notes.append(
            f"{len(read) - 1} comparisons with one reference: each interval holds for itself;"
            " none is adjusted for their number"
        )
    monitor = _monitor(runs, configs[0], read[0][1].monitors)
    count, unit = read[0][1].count, read[0][1].unit
    items = f"{count:,} {unit if count != 1 else unit.removesuffix('s')}"
    return Comparison(task, runs, [metric] if metric else headline, monitor, items, notes)


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
    if not TASKS[task].kept:
        able = ", ".join(name for name, entry in TASKS.items() if entry.kept)
        raise ConfigError(f"compare takes runs of {able}; {folders[0]} is of {task}")
    return configs


def short_names(folders: Sequence[Path]) -> list[str]:
    """The last part of each path, with as many parts before it as tell them all apart.

    >>> short_names([Path("/a/x/run"), Path("/a/y/run")])
    ['x/run', 'y/run']
    """
    parts = [folder.resolve().parts for folder in folders]
    for count in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-count:]) for part in parts]
        if len(set(names)) == len(names):
            break
    return names


def _metrics(folder: Path) -> dict[str, Any]:
    """``metrics.json``, of the shape that is needed here."""
    path = folder / "metrics.json"
    found = read_json(path)
    try:
        scores, train = found["test"]["model"], found["train"]
        for score in scores.values():
            for key in ("value", "low", "high"):
                if not _is_number(score[key]) and (key == "value" or score[key] is not None):
                    raise TypeError(f"{key} is {score[key]!r}")
        for key in ("parameters", "epochs", "seconds", "best_epoch", "seed"):
            if not _is_number(train[key]):
                raise TypeError(f"{key} is {train[key]!r}")
        if not isinstance(found["test"]["differences"], dict):
            raise TypeError("differences is not a table")
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path} is not usable ({error}); train the run again") from None
    return dict(found)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _headline(metrics: Mapping[str, Any], run: Compared) -> list[str]:
    """The scores that the run's own report compares with baselines."""
    found: Mapping[str, Any] = next(iter(metrics["test"]["differences"].values()), {})
    names = [name for name in found if name in run.scores]
    return names or list(run.scores)[:2]


def _run(
    name: str, folder: Path, config: Mapping[str, Any], metrics: Mapping[str, Any], kept: Kept,
    notes: list[str],
) -> Compared:  # fmt: skip
    said = metrics["test"]["model"]
    scores: dict[str, Score] = {
        metric: dict(part.to_json())
        for metric, part in with_intervals(
            kept.evaluation.scores, kept.evaluation.replicates
        ).items()
    }
    for metric, score in said.items():
        own = scores.setdefault(metric, {k: score[k] for k in ("value", "low", "high")})
        own |= {k: score[k] for k in ("mean", "std") if _is_number(score.get(k))}
        value = own["value"]
        assert value is not None
        if abs(value - score["value"]) > AGREE * max(1.0, abs(score["value"])):
            notes.append(
                f"{name}: {metric} is {value:.6g} by its predictions and {score['value']:.6g} in"
                " metrics.json; one of the two was changed"
            )
    train = metrics["train"]
    seeds = train.get("seeds") if isinstance(train.get("seeds"), list) else None
    if seeds:
        notes.append(
            f"{name}: mean ± deviation of {len(seeds)} seeds; the score is of seed"
            f" {train['seed']}, the best on validation"
        )
    about = {
        "encoder": str(metrics.get("encoder", "")),
        "version": str(config.get("version", "")),
        "engine": str(config.get("engine", "")),
        **{k: train[k] for k in ("parameters", "epochs", "best_epoch", "seconds", "seed")},
        "seeds": seeds,
        "bytes": sum(p.stat().st_size for p in folder.iterdir() if p.is_file()),
    }
    flat = flatten({k: v for k, v in config.items() if k not in ("format", "task")})
    curve = _curve(name, folder, int(train["best_epoch"]), notes)
    return Compared(name, folder, flat, about, scores, {}, curve)


def flatten(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested tables as one, under dotted names."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= flatten(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found


def _curve(name: str, folder: Path, best: int, notes: list[str]) -> Curve | None:
    """The history; None, with a note, where there is none: scores don't need it."""
    path = folder / "history.csv"
    columns: dict[str, list[float]] = {}
    try:
        for row in read_rows(path, ("epoch", "loss")):
            for column in row:
                columns.setdefault(column, []).append(number(path, row, column))
    except BirnnError as error:
        notes.append(f"{name}: no curve ({str(error).split(':')[0]})")
        return None
    return Curve(columns, best) if columns else None


def _with_differences(
    read: Sequence[tuple[Compared, Kept]], notes: list[str]
) -> list[Compared]:  # fmt: skip
    """Each run with its differences from the first, or a note on why it has none."""
    reference, base = read[0]
    found = [reference]
    for run, kept in read[1:]:
        differences: dict[str, dict[str, Any]] = {}
        if kept.items != base.items:
            notes.append(
                f"{run.name}: its test {kept.unit} are not those of {reference.name}, or stand in"
                " another order: own scores, no difference"
            )
        elif kept.reading != base.reading:
            said = ", ".join(f"{k} {v}" for k, v in kept.reading.items())
            notes.append(f"{run.name}: scored in another way ({said}): own scores, no difference")
        else:
            differences = _differences(base, kept)
        found.append(
            Compared(
                run.name, run.folder, run.config, run.about, run.scores, differences, run.curve
            )
        )
    return found


def _differences(base: Kept, kept: Kept) -> dict[str, dict[str, Any]]:
    """Run minus reference for each score that both have and that means the same in both."""
    found: dict[str, dict[str, Any]] = {}
    ours, theirs = kept.evaluation, base.evaluation
    for name in ours.scores:
        if name not in theirs.scores or kept.scopes.get(name) != base.scopes.get(name):
            continue
        part = difference(
            "reference", name,
            (ours.scores[name], ours.replicates[name]),
            (theirs.scores[name], theirs.replicates[name]),
        )  # fmt: skip
        gap = part.advantage.to_json()
        if lower_is_better(name):  # an advantage is turned: the difference is not
            low, high = gap["low"], gap["high"]
            gap = {
                "value": ours.scores[name] - theirs.scores[name],
                "low": None if high is None else -high,
                "high": None if low is None else -low,
            }
        ahead = {"model": "run", "baseline": "reference", "neither": "neither"}[part.winner]
        found[name] = {**gap, "ahead": ahead}
    return found


def _monitor(runs: Sequence[Compared], config: Mapping[str, Any], usual: Sequence[str]) -> str:
    """The validation score of the curves: the reference's own, or one that all histories have."""
    histories = [run.curve.columns for run in runs if run.curve is not None]
    train = config.get("train")
    asked = train.get("monitor", "") if isinstance(train, Mapping) else ""
    shared = [name for name in (asked, *usual) if all(name in part for part in histories)]
    return shared[0] if histories and shared else ""
