"""A study that workers share: opened by whoever comes first, refused where it is another."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from birnn.errors import DataError, brief
from birnn.tasks.tuning.ledger import Ledger

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.study import Study

RECORD = "birnn"  # the attribute of a study that says what it is of
PATIENCE = 10.0  # seconds until the first worker of a study must have said so
WORDS = {
    "format": "of another format", "version": "of another version of birnn",
    "task": "of another task", "data": "of other data", "monitor": "scored otherwise",
    "space": "of another space", "seed": "of another --seed", "seeds": "of other --tune-seeds",
    "jobs": "of other finalists",
}  # fmt: skip


def open_study(
    storage: "BaseStorage", name: str, lower: bool, record: Mapping[str, Any],
    begin: Callable[[Ledger], None], sampler: "BaseSampler | None" = None, pruner: Any = None,
) -> Ledger:  # fmt: skip
    """The study ``name``; who makes it lets ``begin`` ask for its first trials.

    Raises:
        DataError: there is one of that name, of something else.
    """
    import optuna
    from optuna.exceptions import DuplicatedStudyError

    how: dict[str, Any] = {"sampler": sampler, "pruner": pruner}
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, direction="minimize" if lower else "maximize", **how
        )
        new = True
    except DuplicatedStudyError:
        study, new = optuna.load_study(storage=storage, study_name=name, **how), False
    ledger = Ledger(study)
    if not new:
        new = not _is_ready(study)
        if new and (study.trials and any(t.state.name != "WAITING" for t in study.trials)):
            raise DataError(f"study: {name!r} in that storage is none of birnn's; name another")
    if new:
        if not study.trials:
            begin(ledger)
        study.set_user_attr(RECORD, dict(record))
    _check_same(name, study.user_attrs[RECORD], record)
    return ledger


def _is_ready(study: "Study") -> bool:
    """Whether a study says what it is of, now or soon: its maker may be at it."""
    end = time.monotonic() + PATIENCE
    while RECORD not in study.user_attrs:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def _check_same(name: str, there: Any, here: Mapping[str, Any]) -> None:
    if not isinstance(there, dict):
        raise DataError(f"study: {name!r} in that storage is none of birnn's; name another")
    mend = "go on with what it began with, or name another --out or --study"
    for key, value in json.loads(json.dumps(dict(here))).items():
        known = there.get(key)
        if known == value:
            continue
        if key == "fixed":
            options = sorted(set(known or {}) | set(value))
            name_, old, new = next(
                (n, (known or {}).get(n), value.get(n))
                for n in options
                if (known or {}).get(n) != value.get(n)
            )
            told = f"has {name_} {brief(old)}, not {brief(new)}"
        else:
            told = f"is {WORDS[key]}"
            if key in ("version", "task", "monitor", "seed", "seeds"):
                told += f": {brief(known)}, not {brief(value)}"
        raise DataError(f"study: {name!r} {told}; {mend}")


def short_hash(parts: Iterable[Any]) -> str:
    """A few letters that tell lists apart."""
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()[:8]
