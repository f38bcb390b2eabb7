"""The members of a run: one training for each seed and each fold."""

from dataclasses import dataclass, replace
from typing import Any

from birnn.config import LARGEST_SEED
from birnn.errors import ConfigError
from birnn.tasks.core.task import Baseline
from birnn.tasks.runs.beginning import Told, tell_of
from birnn.tasks.runs.fitting import AnyData, AnyTask


@dataclass(frozen=True)
class Member:
    """One training of a run."""

    seed: int
    fold: int = 0  # from 1; 0: the run has no folds
    folds: int = 0  # of the run
    seeds: int = 1  # of the run

    @property
    def name(self) -> str:
        """Of its folder: ``seed-3``, ``fold-2`` or ``fold-2-seed-3``."""
        if not self.fold:
            return f"seed-{self.seed}"
        return f"fold-{self.fold}" + (f"-seed-{self.seed}" if self.seeds > 1 else "")

    @property
    def title(self) -> str:
        """In words: ``seed 3``, ``fold 2`` or ``fold 2, seed 3``."""
        seed = f"seed {self.seed}"
        if not self.fold:
            return seed
        return f"fold {self.fold}" + (f", {seed}" if self.seeds > 1 else "")


def members_of(config: Any, seeds: int) -> list[Member]:
    """All trainings of a run, fold by fold.

    Raises:
        ConfigError: there are no so many seeds, or no such fold.
    """
    first = config.train.seed
    if first + seeds - 1 > LARGEST_SEED:
        raise ConfigError(f"seeds: --seed {first} leaves no room for {seeds} of them")
    numbers = range(first, first + seeds)
    folds, fold = getattr(config.data, "folds", 0), getattr(config.data, "fold", 0)
    if folds == 1:
        raise ConfigError("folds: one fold would leave nothing to train on; give 2 or more, or 0")
    if fold > folds:
        raise ConfigError(f"fold: there is no fold {fold} of {folds}; see --folds")
    if not folds or fold:
        return [Member(seed, seeds=seeds) for seed in numbers]
    return [Member(seed, k, folds, seeds) for k in range(1, folds + 1) for seed in numbers]


@dataclass
class Shared:
    """What the members of one fold share: its data, and the baselines once they are fitted."""

    task: AnyTask
    data: AnyData
    fold: int
    baselines: list[Baseline]
    told: Told | None = None  # of the run that they begin from

    @classmethod
    def load(cls, task: AnyTask, member: Member) -> "Shared":
        """Read the data of a member's fold; the task is that of the whole run."""
        own = task_of(task, member)
        data, told = tell_of(own, own.load())
        return cls(own, data, member.fold, [], told)

    def of(self, task: AnyTask, member: Member) -> "Shared":
        """What ``member`` needs: this, or the data of another fold."""
        return self if member.fold == self.fold else Shared.load(task, member)


def task_of(task: AnyTask, member: Member) -> AnyTask:
    """The task whose data are those of a member's fold."""
    if not member.fold:
        return task
    own = type(task)(replace(task.config, data=replace(task.config.data, fold=member.fold)))
    own.reading, own.origin, own.began = task.reading, task.origin, task.began
    return own
