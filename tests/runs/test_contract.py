"""Every task with every encoder, by the tables: a new entry is covered by itself."""

from functools import cache
from pathlib import Path

import pytest

from birnn.registry import ENCODERS
from birnn.tasks import TASKS

import contract
from contract import Case

# Each task with each encoder, and each of its variants with one of them. A task without a tiny.py
# still has its cases: they fail and say what to add.
CASES = [
    pytest.param((task, variant, encoder), id=f"{task}-{variant}-{encoder}")
    for task in TASKS
    for number, variant in enumerate(contract.variants(task))
    for encoder in (ENCODERS if not number else [*ENCODERS][:1])
]


@pytest.fixture(scope="module")
def prepare(tmp_path_factory: pytest.TempPathFactory):
    """Tiny data of a task, made and read once."""
    return cache(
        lambda task, variant: contract.prepare(task, variant, tmp_path_factory.mktemp(task))
    )


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, prepare) -> Case:
    """One task with one encoder."""
    task, variant, encoder = request.param
    return contract.with_encoder(prepare(task, variant), encoder)


def test_the_first_loss_is_near_its_analytic_value(case: Case) -> None:
    contract.check_start(case)


def test_one_batch_can_be_overfitted(case: Case) -> None:
    contract.check_overfit(case)


def test_gradients_reach_every_parameter(case: Case) -> None:
    contract.check_gradients(case)


def test_a_stopped_training_goes_on_with_the_same_bits(case: Case, tmp_path: Path) -> None:
    contract.check_resume(case, tmp_path)


def test_order_changes_nothing(case: Case) -> None:
    contract.check_order(case)


def test_batch_size_changes_nothing(case: Case) -> None:
    contract.check_batch_size(case)


def test_padding_changes_nothing(case: Case) -> None:
    contract.check_padding(case)


def test_counts_add_up_over_batches(case: Case) -> None:
    contract.check_counts_add_up(case)


def test_an_epoch_is_judged_by_its_scores_alone(case: Case) -> None:
    contract.check_validation(case)


def test_a_saved_model_predicts_the_same(case: Case, tmp_path: Path) -> None:
    contract.check_saved(case, tmp_path)


def test_the_same_seed_gives_the_same_bits(case: Case) -> None:
    contract.check_same_seed(case)


def test_a_task_without_a_tiny_configuration_fails_and_says_so() -> None:
    with pytest.raises(pytest.fail.Exception, match="'chess' has no tiny configuration: add one"):
        contract.tiny("chess")
    assert contract.variants("chess") == ("missing",)
