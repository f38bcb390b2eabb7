"""The run that another begins from, or whose states it reads: loaded, checked, and told of."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from birnn.errors import CheckpointError, ConfigError, DataError
from birnn.storage.files import read_json
from birnn.storage.unfilled import Unfilled
from birnn.tasks import TASKS
from birnn.tasks.core.beginning import Choice
from birnn.tasks.core.context import Context, with_weights
from birnn.tasks.core.task import Baseline, Task, TaskData
from birnn.tasks.runs.folder import config_of, load_run, read_config, single
from birnn.tasks.runs.unfinished import StartRecord
from birnn.tasks.warm.carrying import compare
from birnn.tasks.warm.forgetting import before_training, forgetting, shared, shared_warnings
from birnn.tasks.warm.origin import Origin
from birnn.tasks.warm.wording import in_words

AnyTask = Task[Any, Any, Any]
AnyData = TaskData[Any, Any]


@dataclass(frozen=True)
class Begin:
    """From which run another begins, and how."""

    folder: Path
    name: str  # as it is told: of the folder, or on the Hub
    choice: Choice = field(default_factory=Choice)
    place: str = ""  # as it was given, for whoever takes the new run up

    def record(self, digest: str) -> dict[str, str]:
        """What ``run.json`` keeps of it."""
        return {"place": self.place, "digest": digest, **asdict(self.choice)}


def begin_config(task: str, folder: Path, name: str) -> Any:
    """The options of a run of ``task`` that begins from the one in ``folder``.

    Raises:
        ConfigError: a run of another task.
        CheckpointError: it is no usable run.
    """
    config = read_config(folder)
    _check_task(task, config["task"], name)
    if "ensemble" in config:
        raise ConfigError(f"from: {name} is an ensemble; name one of its members, a folder within")
    spec = TASKS[task]
    own = config_of(spec.part("options"), config)
    info = spec.part("task")(own).read_info(folder)
    return TASKS.require(task, "warm", "--from", name)().config(own, info)


def _check_task(task: str, other: str, name: str) -> None:
    if task != other:
        raise ConfigError(f"from: {name} is a run of {other}: python cli.py {other} --from …")


def load_origin(begin: Begin, task: AnyTask, known: Mapping[str, str]) -> Origin:
    """Load the run that ``task`` begins from.

    Args:
        begin: where it lies.
        task: of the new run, with its options.
        known: what :meth:`Begin.record` gave when the new run began, if it is taken up.

    Raises:
        BirnnError: no usable run, one of another task or shape, or not the one it was.
    """
    loaded = load_run(begin.folder)
    _check_task(task.name, loaded.task.name, begin.name)
    start = TASKS.require(task.name, "warm", "--from", begin.name)()
    digest = run_digest(begin.folder, loaded.info)
    if known and known["digest"] != digest:
        change = f"{begin.name}, from which it began, has changed"
        raise DataError(f"from: {change}: put it back, or start another run with --out")
    path = begin.folder / "metrics.json"
    try:
        metrics = read_json(path) if path.is_file() else {}
    except CheckpointError:
        metrics = {}
    start.check(start.config(loaded.task.config, loaded.info), task.config, begin.name)
    if not task.config.data.data and loaded.task.config.data.data:
        raise ConfigError(f"from: name the data to train {begin.name} on with --data")
    return Origin(begin.name, digest, loaded.task, loaded.info, loaded.model, start, begin.choice,
                  metrics if isinstance(metrics, dict) else {})  # fmt: skip


def begin(task: AnyTask, asked: Begin | None, start: StartRecord | None) -> dict[str, str]:
    """Let ``task`` know the run that it begins from, if any; what ``run.json`` says of that.

    Raises:
        BirnnError: as :func:`load_origin`.
    """
    if asked is None:
        return {}
    if start is not None:
        same = {**asked.record(""), "digest": start.origin.get("digest")}
        if same != start.origin:
            began = f"the run began from {start.origin.get('place') or 'no other'}"
            raise ConfigError(f"from: {began}; that can't change on the way: leave it out")
    origin = load_origin(asked, task, start.origin if start else {})
    task.origin, task.began = origin, origin.told()
    return asked.record(origin.digest)


def run_digest(folder: Path, info: Any) -> str:
    """The SHA-256 of a run's weights and of what it knows."""
    digest = hashlib.sha256(json.dumps(info.files(), sort_keys=True).encode())
    with (folder / "model.safetensors").open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def load_context(place: str) -> Context:
    """The run in a folder whose states are features of another, with its weights at hand.

    Raises:
        ConfigError: there is no usable run, or one that offers no states.
    """
    try:
        run = single(load_run(Path(place).expanduser()), "context")
    except CheckpointError as error:
        raise ConfigError(f"context: {error}") from None
    options = json.loads(json.dumps(asdict(run.task.config)))
    # Where its own data lay is nobody's business.
    options["data"] = {**options["data"], "data": ""}
    context = Context.of(run.task, options, run.info, run.folder.resolve().name)
    return with_weights(context, run.model.state_dict())


@dataclass(frozen=True)
class Told:
    """What a run says of the one that it began from."""

    origin: Origin
    facts: Mapping[str, Any]  # its ``from`` in ``metrics.json``

    def baselines(self, data: AnyData) -> list[Baseline]:
        """The run as it was, where it can be scored on the new test split."""
        try:
            return [before_training(self.origin, data)]
        except DataError:
            return []

    def metrics(self, task: AnyTask, data: AnyData, model: torch.nn.Module) -> dict[str, Any]:
        """Where the run came from, and what it has forgotten."""
        return {"from": dict(self.facts), "forgetting": forgetting(self.origin, task, data, model)}


def tell_of(task: AnyTask, data: AnyData) -> tuple[AnyData, Told | None]:
    """The data with what is to be said of the beginning, and what reports say later."""
    if not isinstance(origin := task.origin, Origin):
        return data, None
    with torch.device("meta"), Unfilled():
        model = task.model(data.info)
    axes = origin.start.axes(origin.task, origin.info), origin.start.axes(task, data.info)
    changes = origin.changes(data.info, compare(origin.model, model, *axes))
    both = shared(origin, data)
    facts = {**origin.told(), **changes, "shared": both}
    notes = [in_words(facts)]
    if "reason" in both:
        notes.append(f"no look for items that both runs have: {both['reason']}")
    unit = data.provenance.get("unit", task.unit)
    warnings = [*data.warnings, *shared_warnings(both, origin.name, unit)]
    return replace(data, notes=[*data.notes, *notes], warnings=warnings), Told(origin, facts)
