"""The best few trials, trained again beside the default: a lucky one is not named best."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from birnn.tasks.tuning.ledger import counts
from birnn.tasks.tuning.results import Row, ranked

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

Job = dict[str, int]


def jobs_for(
    rows: Sequence[Row], seeds: Sequence[int], finalists: int, *, lower: bool
) -> list[Job]:
    """Which trials are trained with which seeds, in the order of what they tell.

    First the best beside the default, seed by seed, then the next. Where the default is best of all
    there is nothing to tell.
    """
    order = ranked(rows, lower=lower)
    default = [row for row in order if row.default]
    better = order[: order.index(default[0])] if default else order
    better = better[:finalists]
    jobs: list[Job] = []
    for row in better:
        for seed in seeds:
            for one in (*default, row):
                job = {"trial": one.number, "seed": seed}
                if job not in jobs:
                    jobs.append(job)
    return jobs


def confirmed(storage: "BaseStorage", name: str) -> dict[int, dict[int, float]]:
    """Trial → seed → score, of all confirmations of the study ``name``."""
    found: dict[int, dict[int, float]] = {}
    for study in storage.get_all_studies():
        if study.study_name.startswith(f"{name} confirmation "):
            for trial in storage.get_all_trials(study._study_id, deepcopy=False):
                job: Any = trial.user_attrs.get("job")
                if trial.state.name == "COMPLETE" and counts(trial) and trial.value is not None:
                    found.setdefault(job["trial"], {})[job["seed"]] = trial.value
    return found
