"""Score a trained run on labelled data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

from birnn import processes
from birnn.config import apply, flat_names
from birnn.data.stamps.options import AS_IN_RUN, StampOptions
from birnn.data.tables.dialect import AS_FOUND, TableOptions
from birnn.data.wording import plural
from birnn.errors import ConfigError
from birnn.storage.files import read_json
from birnn.tasks.runs.folder import LoadedRun, predictions_of, single
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.warm.learned import learned_from

if TYPE_CHECKING:
    from birnn.tasks.runs.fitting import AnyTask


@dataclass(frozen=True)
class Scored:
    """A loaded run's scores on a split."""

    title: str
    pairs: list[tuple[str, str]]
    metrics: dict[str, Any]


def evaluate(run: LoadedRun, data: str, split: str, table: TableOptions = AS_FOUND) -> Scored:
    """Score a loaded run.

    The ``data`` is labelled; empty: the run's own, split as it was for training. The ``split`` is
    train, validation or test; data in one piece is scored whole. ``table`` says how files are read
    where that is not as the run's own were.

    Raises:
        BirnnError: unusable data, or labels that the run doesn't know.
    """
    if split not in ("train", "validation", "test"):
        raise ConfigError(f"split: {split!r} is not one of train, validation, test")
    task = with_table(run.task, table, other=bool(data))
    loaded = task.load_split(run.info, data, split)
    cut = bool(getattr(task.config.data, "fold", 0))
    if run.members and cut and not data:
        single(run, "evaluate: there is no row of its own that none was trained on: give --data")
    rows = len(loaded.split)
    notes = [*loaded.notes, *_warnings(run, loaded.split, data, split)]
    seen = f"{rows} {crc32(loaded.split.lengths.tobytes())}"
    processes.agree(f"{seen} {_weights(run)}", "data, or another run,")
    if run.members and processes.count() > 1:
        single(run, "several processes don't share an ensemble")

    def split_for(one: LoadedRun) -> Any:
        return one.task.load_split(one.info, data, split).split if run.members else loaded.split

    with processes.sharing():
        _, predictions = predictions_of(run, split_for)

    def score() -> Scored:
        evaluation = task.evaluate(loaded.split, predictions, run.info, BOOTSTRAP_SEED)
        metrics = {"task": task.name, "encoder": task.config.encoder.encoder,
                   "test": {"model": evaluation.to_json(), "baselines": {}},
                   "data": {"source": loaded.source, "rows": rows, "notes": notes}, "train": {},
                   "details": task.details(loaded.split, predictions, run.info)}  # fmt: skip
        pairs = [("run", str(run.folder)), ("data", loaded.source), ("rows", f"{rows:,}")]
        pairs += [("", note) for note in notes]
        return Scored(f"{task.name} with {metrics['encoder']}", pairs, metrics)

    return processes.from_main(score)


def _weights(run: LoadedRun) -> int:
    """What tells weights apart; of one process, nothing has to."""
    if processes.count() == 1:
        return 0
    parts = (tensor.cpu().contiguous().numpy() for tensor in run.model.state_dict().values())
    return reduce(lambda sum, part: crc32(part.tobytes(), sum), parts, 0)


@dataclass(frozen=True)
class Reading:
    """How a program's other data is read, where that is not as the run's own was."""

    text_column: str = ""
    label_column: str = ""
    encoding: str = ""
    skip_ragged: bool = False
    table: TableOptions = field(default_factory=TableOptions)
    stamps: StampOptions = field(default_factory=StampOptions)


def reread(run: LoadedRun, given: Reading) -> LoadedRun:
    """The run as it is, but that files are read as ``given``, except for the signs of tables.

    Raises:
        ConfigError: its task has no such option.
    """
    names = ("text_column", "label_column", "encoding", "skip_ragged")
    return with_file(with_stamps(run, given.stamps), {name: getattr(given, name) for name in names})


def with_stamps(run: LoadedRun, given: StampOptions) -> LoadedRun:
    """The run as it is, but that stamps of series are read as ``given``.

    Raises:
        ConfigError: it is no run of series.
    """
    chosen = {k: v for k, v in asdict(given).items() if v != getattr(AS_IN_RUN, k)}
    if not chosen:
        return run
    if unknown := [name for name in chosen if name not in flat_names(run.task.config)]:
        raise ConfigError(f"{unknown[0]}: {run.folder} is no run of series")
    if "time_columns" in chosen:
        chosen["time_column"] = ""
    return _with(run, chosen)


def with_file(run: LoadedRun, given: Mapping[str, str | bool]) -> LoadedRun:
    """The run as it is, but that files are read by these options where they are not empty.

    Raises:
        ConfigError: its task has no such option.
    """
    chosen = {name: value for name, value in given.items() if value}
    if unknown := [name for name in chosen if name not in flat_names(run.task.config)]:
        raise ConfigError(f"{unknown[0]}: {run.task.name} has no such option")
    return _with(run, chosen)


def _with(run: LoadedRun, chosen: dict[str, Any]) -> LoadedRun:
    """What is chosen counts before what the run remembers."""
    task = type(run.task)(apply(run.task.config, chosen))
    columns = {k: v for k, v in run.task.columns.items() if f"{k}_column" not in chosen}
    known = run.task.reading
    task.reading = {**known, "columns": columns} if "columns" in known else known
    return replace(run, task=task)


def with_table(task: "AnyTask", given: TableOptions, *, other: bool) -> "AnyTask":
    """The task as it is, but that files are read as ``given``.

    Where ``other`` data than the run's own is read, training's options count as far as the run
    remembers what they led to.
    """
    names = flat_names(task.config)
    if not names.issuperset(asdict(AS_FOUND)):
        if given != AS_FOUND:
            raise ConfigError(f"{task.name} reads no tables: leave out what says how")
        return task
    usual = asdict(AS_FOUND) if other else {}
    chosen = {k: v for k, v in asdict(given).items() if v != getattr(AS_FOUND, k)}
    again = type(task)(apply(task.config, {**usual, **chosen}))
    again.reading = task.reading
    return again


def _warnings(run: LoadedRun, rows: Any, data: str, split: str) -> list[str]:
    """What flatters the scores of ``rows``, if anything does."""
    if not data:
        return changed_since(run.folder, split, len(rows))
    folders = [one.folder for one in run.members or (run,)]
    return learned_from(folders, run.task, rows, run.info)


def changed_since(folder: Path, split: str, rows: int) -> list[str]:
    """A warning where the run's own data now gives ``split`` another number of rows.

    The cut then differs from that of training, and rows that were trained on can be scored.
    """
    path = folder / "metrics.json"
    metrics = read_json(path) if path.is_file() else {}
    try:
        then = metrics["data"]["rows"][split]
    except (KeyError, TypeError, IndexError):
        return []
    if type(then) is not int or then == rows:
        return []
    return [f"WARNING: the data has changed since training ({split} had {plural(then, 'row')}, now"
            f" {rows:,}): rows that were trained on may be scored here"]  # fmt: skip
