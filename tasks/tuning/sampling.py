"""What is tried next: Optuna's TPE, seeded by the trial, that begins around the default.

Optuna is optional: this module is imported where it is known to be there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna import pruners
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from birnn.search import Space, Span, Value

KEPT = 0.7  # share of the options that a trial of the beginning keeps at their defaults
TOLD = (TrialState.COMPLETE, TrialState.PRUNED)


def distribution(space: Space) -> BaseDistribution:
    """A space in Optuna's words."""
    if not isinstance(space, Span):
        return CategoricalDistribution(space.values)
    if space.whole:
        return IntDistribution(int(space.low), int(space.high), space.log, space.step)
    return FloatDistribution(space.low, space.high, space.log)


@dataclass
class AroundDefault(BaseSampler):
    """A sampler whose draws depend on ``seed``, the trial's number and the trials before alone.

    So a study that is taken up goes on as it would have, and workers never draw the same.

    Attributes:
        spaces: of the options.
        defaults: of these options.
        startup: trials that are drawn at random, most options kept at their defaults.
    """

    spaces: Mapping[str, Space]
    defaults: Mapping[str, Value]
    seed: int
    startup: int

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """All options, whatever trials before have had."""
        return {name: distribution(space) for name, space in self.spaces.items()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """All options together; in the beginning those that stay at their defaults."""
        if trial.user_attrs.get("asked"):
            return {}
        own = [self.seed, trial.number]
        if len(study.get_trials(deepcopy=False, states=TOLD)) >= self.startup:
            guided = TPESampler(n_startup_trials=0, multivariate=True, constant_liar=True,
                                seed=_number(own))  # fmt: skip
            return guided.sample_relative(study, trial, search_space)
        order = np.random.default_rng(own).permutation(list(search_space))
        names = [str(name) for name in order[: int(KEPT * len(order))]]
        return {n: self.defaults[n] for n in names if self.spaces[n].holds(self.defaults[n])}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:  # fmt: skip
        """An option that :meth:`sample_relative` leaves open: at random."""
        drawn = RandomSampler(seed=_number([self.seed, trial.number, *param_name.encode()]))
        return drawn.sample_independent(study, trial, param_name, param_distribution)


def _number(parts: list[int]) -> int:
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def make_pruner(name: str, epochs: int) -> pruners.BasePruner:
    """What ends a trial before its last epoch; the first of all is only ever a measure."""
    # Slow learners can end better: a third of the epochs is waited for, three where there are.
    early = max(2, min(max(3, epochs // 3), epochs - 1))
    if name == "median":
        return pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=early)
    if name == "asha":
        return pruners.SuccessiveHalvingPruner(min_resource=early, reduction_factor=3)
    return pruners.NopPruner()
