"""What a run has forgotten of the data that it began from, and which items stand on both sides."""

import hashlib
from collections.abc import Mapping
from typing import Any

from torch import nn

from birnn.data.wording import agree, plural
from birnn.errors import BirnnError, DataError
from birnn.tasks.core.task import Baseline, Evaluation, LoadedSplit, Task, TaskData
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.significance import difference
from birnn.tasks.warm.origin import Origin
from birnn.tasks.warm.start import WarmStart

AnyTask = Task[Any, Any, Any]
AnyData = TaskData[Any, Any]
BEFORE = "before"  # the baseline that is the run before it was trained on


def split_digest(start: WarmStart[Any, Any, Any], split: Any, info: Any) -> str:
    """The SHA-256 of the items of a split and of what is true of them."""
    digest = hashlib.sha256()
    for item in start.content(split, info):
        piece = repr(item).encode("utf-8", "surrogatepass")
        digest.update(len(piece).to_bytes(8, "little"))
        digest.update(piece)
    return digest.hexdigest()


def old_split(origin: Origin, name: str) -> LoadedSplit[Any]:
    """A split of the data that the run was trained on, if it still is what it was.

    Raises:
        DataError: it is gone, or has changed.
    """
    if name in origin.splits:
        return origin.splits[name]
    try:
        loaded = origin.task.load_split(origin.info, "", name)
    except (BirnnError, OSError, KeyError) as error:
        raise DataError(f"{origin.source} can't be read again: {_plain(origin, error)}") from None
    data = origin.metrics.get("data", {})
    rows = data.get("rows", {}).get(name)
    known = data.get("test_digest") if name == "test" else None
    found = split_digest(origin.start, loaded.split, origin.info) if known else None
    if known != found or (rows is not None and rows != len(loaded.split)):
        raise DataError(f"{origin.source} is not what {origin.name} was trained on any more")
    origin.splits[name] = loaded
    return loaded


def _plain(origin: Origin, error: Exception) -> str:
    """An error without the path of the data."""
    words = " ".join(str(error).split())
    return words.replace(str(origin.task.config.data.data), origin.source)[:300]


def shared(origin: Origin, data: AnyData) -> dict[str, Any]:
    """How many items of either test split the other run has learned from.

    ``test`` are items of the new one that stand in the old data, ``old_test`` the other way, each
    of so many (``…_of``); ``reason`` says why that is not known.
    """
    start, learned = origin.start, [name for name in data.splits if name != "test"]
    try:
        test = old_split(origin, "test").split
        before = {item for name in learned
                  for item in start.items(old_split(origin, name).split, origin.info)}  # fmt: skip
    except DataError as error:
        return {"reason": str(error)}
    after = {item for name in learned for item in start.items(data.splits[name], data.info)}
    new = list(start.items(data.splits["test"], data.info))
    old = list(start.items(test, origin.info))
    return {
        "test": sum(item in before for item in new), "test_of": len(new),
        "old_test": sum(item in after for item in old), "old_test_of": len(old),
    }  # fmt: skip


def shared_warnings(found: Mapping[str, Any], name: str, unit: str) -> list[str]:
    """Sentences that can't be missed."""
    if "reason" in found:
        return []
    sides = (
        ("test", "test", f"{name} was trained on", "scores on test are flattered"),
        ("old_test", f"{name}'s test", "this run is trained on", "forgetting is flattered"),
    )
    warnings = []
    for key, whose, where, effect in sides:
        if count := found[key]:
            total = plural(found[f"{key}_of"], f"{whose} {unit.removesuffix('s')}")
            part = f"{count:,} of {total} ({count / found[f'{key}_of']:.1%})"
            verb = agree(count, "stands", "stand")
            warnings.append(f"{part} also {verb} in what {where}: {effect}")
    return warnings


def before_training(origin: Origin, data: AnyData) -> Baseline:
    """The run as it was, on the new test split.

    Raises:
        DataError: it can't read it, or predicts something else.
    """
    start = origin.start
    split = start.seen_by(origin.task, data.splits["test"], data.info, origin.info)
    predictions = origin.task.predictions(origin.model, split, origin.info)
    common = start.common(data.info, origin.info)
    spoken = start.spoken(predictions, origin.info, common)
    return Baseline(BEFORE, f"the run {origin.name} as it was", spoken, {}, common)


def forgetting(origin: Origin, task: AnyTask, data: AnyData, model: nn.Module) -> dict[str, Any]:
    """Both runs on the old test split, and how far apart they are; or the ``reason`` why not.

    The difference is positive where the new run is better; its interval is a paired bootstrap's.
    """
    start = origin.start
    try:
        old = old_split(origin, "test").split
        split = start.seen_by(task, old, origin.info, data.info)
        common = start.common(origin.info, data.info)
        if BEFORE not in origin.predicted:
            predictions = origin.task.predictions(origin.model, old, origin.info)
            origin.predicted[BEFORE] = start.spoken(predictions, origin.info, common)
        after = start.spoken(task.predictions(model, split, data.info), data.info, common)
    except DataError as error:
        return {"reason": str(error)}
    own, other = (
        origin.task.evaluate(old, said, common, BOOTSTRAP_SEED)
        for said in (after, origin.predicted[BEFORE])
    )
    return {
        "source": origin.source, "rows": len(old), "unit": task.unit,
        "before": other.to_json(), "after": own.to_json(),
        "differences": {name: _apart(name, own, other) for name in task.headline
                        if name in own.scores and name in other.scores},
    }  # fmt: skip


def _apart(name: str, own: Evaluation, other: Evaluation) -> dict[str, Any]:
    sides = ((part.scores[name], part.replicates[name]) for part in (own, other))
    found = difference(BEFORE, name, *sides)
    return {**found.advantage.to_json(), "winner": found.winner}
