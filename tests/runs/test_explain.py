"""What every task that explains its answers promises: weights in order, which add up."""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from birnn.errors import ConfigError
from birnn.registry import ENCODERS
from birnn.tasks import TASKS
from birnn.tasks.core.explanation import Explanation, Wish
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.explaining import Explainer, csv_rows, explainer_of

import contract
from contract import Case

CASES = [
    pytest.param((task, variant, encoder), id=f"{task}-{variant}-{encoder}")
    for task, spec in TASKS.items()
    if spec.explain
    for variant in contract.variants(task)
    for encoder in ENCODERS
]
TEXTS = ["the lovely film", "", "Ada a bit, and &amp; http://x.y/z"]


@pytest.fixture(scope="module")
def prepare(tmp_path_factory: pytest.TempPathFactory):
    return cache(
        lambda task, variant: contract.prepare(task, variant, tmp_path_factory.mktemp(task))
    )


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, prepare) -> Case:
    task, variant, encoder = request.param
    return contract.with_encoder(prepare(task, variant), encoder)


def explainer(case: Case) -> Explainer:
    """Of a model that is not trained, with weights that move something."""
    model = contract.trained(case).eval()
    return explainer_of(LoadedRun(Path("run"), case.task, case.data.info, model))


def asked(case: Case) -> Any:
    """What the task takes from Python."""
    if TASKS[case.task.name].reads in ("texts", "tags"):
        return TEXTS
    source = case.task.config.data.data
    return source if TASKS[case.task.name].reads == "series" else pd.read_csv(source)


def complete(one: Explanation) -> None:
    weights = [cause.weight for cause in (*one.causes, *one.others)]
    assert all(map(math.isfinite, weights))
    assert one.value - one.baseline - sum(weights) == pytest.approx(one.gap, abs=1e-6)
    largest = max([abs(one.difference), *map(abs, weights)])
    assert abs(one.gap) <= 0.02 * largest + 1e-3 * abs(one.value) + 1e-4, one
    for cause in one.causes:
        if cause.parts:
            assert sum(cause.parts.values()) == pytest.approx(cause.weight, abs=1e-6)


def test_weights_add_up(case: Case) -> None:
    found = list(explainer(case).given(asked(case), "", Wish()))
    assert found or TASKS[case.task.name].reads == "tags"
    for one in found:
        complete(one)
        assert one.task == case.task.name
        record = json.loads(json.dumps(one.to_json(), allow_nan=False))
        assert record["target"] == one.target
        places = [(c.start, c.end) for c in one.causes if c.start is not None]
        assert places == sorted(places)
    assert len(list(csv_rows(found))) == 1 + sum(len(o.causes) + len(o.others) for o in found)


def test_a_choice_of_another_task_is_refused(case: Case) -> None:
    made = explainer(case)
    for name, value in (("label", "x"), ("token", "x"), ("step", 1), ("series", "x")):
        if name not in made.wishes:
            with pytest.raises(ConfigError, match="no such choice"):
                made.check(Wish(**{name: value}))


def test_a_step_of_its_own(case: Case) -> None:
    made = explainer(case)
    if "step" in made.wishes:
        mean, first = (next(made.given(asked(case), "", Wish(step=step))) for step in (0, 1))
        complete(first)
        assert first.target != mean.target
        with pytest.raises(ConfigError, match="step: 1000 is not one of"):
            list(made.given(asked(case), "", Wish(step=1000)))
