"""Batches of near lengths: nothing lost, nothing twice, nothing too large."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from birnn.arrays import Ints
from birnn.data.splits.batching import BucketSampler, by_length, pack
from birnn.nn.batch import Batch

from strategies import quick


class Items:
    """A split whose items are their own numbers."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.lengths = np.asarray(lengths, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.lengths)

    def batch(self, indices: Ints) -> Batch:
        """A batch that tells which items it holds."""
        numbers = torch.from_numpy(np.asarray(indices))
        return Batch({"item": numbers}, torch.from_numpy(self.lengths[indices]), numbers)


lengths_of_items = st.lists(st.integers(1, 30), max_size=60)
caps = {"batch_size": st.integers(1, 9), "batch_tokens": st.integers(1, 80)}


def check_plan(plan: list[Ints], lengths: Sequence[int], size: int, tokens: int) -> None:
    assert sorted(i for batch in plan for i in batch.tolist()) == list(range(len(lengths)))
    for batch in plan:
        widest = max(lengths[i] for i in batch)
        assert 1 <= len(batch) <= size
        assert len(batch) == 1 or len(batch) * widest <= tokens


@quick
@given(lengths=lengths_of_items, **caps)
def test_prediction_batches_hold_each_item_once_within_the_caps(
    lengths: list[int], batch_size: int, batch_tokens: int
) -> None:
    check_plan(by_length(lengths, batch_size, batch_tokens), lengths, batch_size, batch_tokens)


@quick
@given(lengths=lengths_of_items, seed=st.integers(0, 99), epoch=st.integers(0, 9), **caps)
def test_training_batches_hold_each_item_once_within_the_caps(
    lengths: list[int], seed: int, epoch: int, batch_size: int, batch_tokens: int
) -> None:
    sampler = BucketSampler(Items(lengths), batch_size, batch_tokens, seed, chunk=2)
    plan = sampler.plan(epoch)
    check_plan(plan, lengths, batch_size, batch_tokens)
    assert sampler.steps(epoch) == len(plan)


@quick
@given(lengths=lengths_of_items, **caps)
def test_prediction_goes_longest_first_and_its_order_can_be_undone(
    lengths: list[int], batch_size: int, batch_tokens: int
) -> None:
    plan = by_length(lengths, batch_size, batch_tokens)
    found = np.zeros(len(lengths), dtype=np.int64)
    for indices in plan:
        found[indices] = np.asarray(lengths)[indices]
    assert found.tolist() == lengths
    assert [lengths[i] for batch in plan for i in batch] == sorted(lengths, reverse=True)


@quick
@given(lengths=lengths_of_items, **caps)
def test_packing_keeps_the_order_and_fills_each_batch(
    lengths: list[int], batch_size: int, batch_tokens: int
) -> None:
    plan = pack(np.arange(len(lengths)), np.array(lengths), batch_size, batch_tokens)
    assert [i for batch in plan for i in batch] == list(range(len(lengths)))
    for batch, following in itertools.pairwise(plan):
        longer = [*batch, following[0]]
        widest = max(lengths[i] for i in longer)
        assert len(longer) > batch_size or len(longer) * widest > batch_tokens


def test_an_item_beyond_the_token_cap_goes_alone() -> None:
    assert [b.tolist() for b in by_length([3, 50, 3], 8, 10)] == [[1], [0, 2]]


def test_no_items_make_no_batches() -> None:
    assert by_length([], 4, 100) == []


LENGTHS = np.random.default_rng(0).integers(1, 40, 500)


def plan_of(seed: int, epoch: int, **options: int) -> list[list[int]]:
    sampler = BucketSampler(Items(LENGTHS), 8, 400, seed, **options)
    return [batch.tolist() for batch in sampler.plan(epoch)]


def test_seed_and_epoch_alone_decide_the_plan() -> None:
    sampler = BucketSampler(Items(LENGTHS), 8, 400, seed=3)
    first = [batch.tolist() for batch in sampler.plan(5)]
    sampler.plan(0)
    np.random.seed(1)
    assert [batch.tolist() for batch in sampler.plan(5)] == first == plan_of(3, 5)


@pytest.mark.parametrize(("seed", "epoch"), [(3, 6), (4, 5), (5, 3)])
def test_another_seed_or_epoch_has_another_plan(seed: int, epoch: int) -> None:
    assert plan_of(seed, epoch) != plan_of(3, 5)
    assert sorted(map(sorted, plan_of(seed, epoch))) != sorted(map(sorted, plan_of(3, 5)))


def padding_share(plan: list[list[int]]) -> float:
    padded = sum(len(batch) * int(LENGTHS[batch].max()) for batch in plan)
    return 1 - int(LENGTHS.sum()) / padded


def test_near_lengths_share_a_batch() -> None:
    shuffled = np.random.default_rng(0).permutation(500).reshape(-1, 5).tolist()
    assert padding_share(plan_of(0, 0)) < 0.1 < 0.3 < padding_share(shuffled)


def test_batches_do_not_come_in_order_of_length() -> None:
    widest = [int(LENGTHS[batch].max()) for batch in plan_of(0, 0)]
    assert widest not in (sorted(widest), sorted(widest, reverse=True))


def test_epochs_yield_the_batches_of_their_plan() -> None:
    sampler = BucketSampler(Items(LENGTHS), 8, 400, seed=3)
    found = [batch.inputs["item"].tolist() for batch in sampler.epoch(2)]
    assert found == plan_of(3, 2)


def test_two_views_hold_the_batch_twice_one_copy_after_the_other() -> None:
    sampler = BucketSampler(Items(LENGTHS), 8, 400, seed=3, views=2)
    for batch, plan in zip(sampler.epoch(2), plan_of(3, 2), strict=True):
        assert batch.views == 2
        assert batch.inputs["item"].tolist() == plan + plan
        assert batch.lengths.tolist() == LENGTHS[plan + plan].tolist()
        assert batch.targets is not None
        assert batch.targets.tolist() == plan + plan


@quick
@given(count=st.integers(0, 40), length=st.integers(1, 30), seed=st.integers(0, 9), **caps)
def test_equal_lengths_are_packed_as_the_loop_packs_them(
    count: int, length: int, seed: int, batch_size: int, batch_tokens: int
) -> None:
    order = np.random.default_rng(seed).permutation(count)
    equal = np.full(count, length)
    # One more item, which is not packed, is of another length: that takes the loop.
    other = np.append(equal, length + 1)
    found, wanted = (pack(order, each, batch_size, batch_tokens) for each in (equal, other))
    assert [batch.tolist() for batch in found] == [batch.tolist() for batch in wanted]


@quick
@given(lengths=lengths_of_items, limit=st.integers(1, 70), epoch=st.integers(0, 3), **caps)
def test_a_limit_draws_that_many_items_once_each(
    lengths: list[int], limit: int, epoch: int, batch_size: int, batch_tokens: int
) -> None:
    sampler = BucketSampler(Items(lengths), batch_size, batch_tokens, 0, limit=limit)
    items = [i for batch in sampler.plan(epoch) for i in batch.tolist()]
    assert len(items) == len(set(items)) == min(limit, len(lengths))
    assert set(items) <= set(range(len(lengths)))


def test_a_limit_draws_anew_for_each_epoch_and_reaches_every_item() -> None:
    sampler = BucketSampler(Items(LENGTHS), 8, 400, seed=3, limit=100)
    drawn = [{i for batch in sampler.plan(e) for i in batch.tolist()} for e in range(60)]
    assert drawn[0] != drawn[1]
    assert set.union(*drawn) == set(range(len(LENGTHS)))


def test_a_limit_that_all_items_meet_changes_nothing() -> None:
    assert plan_of(3, 5, limit=500) == plan_of(3, 5, limit=0)


@quick
@given(lengths=lengths_of_items, least=st.integers(1, 40), limit=st.integers(0, 20), **caps)
def test_an_epoch_of_too_few_batches_goes_over_its_items_again(
    lengths: list[int], least: int, limit: int, batch_size: int, batch_tokens: int
) -> None:
    sampler = BucketSampler(Items(lengths), batch_size, batch_tokens, 0, limit=limit, least=least)
    plan = sampler.plan(1)
    assert len(plan) >= least if lengths else not plan
    assert sampler.steps(1) == len(plan)
    assert [b.tolist() for b in plan] == [b.tolist() for b in sampler.plan(1)]
    if not limit:  # whole passes: each item as often as any other
        counts = np.bincount(np.concatenate([*plan, []]).astype(int), minlength=len(lengths))
        assert len(set(counts.tolist())) <= 1


def test_passes_of_one_epoch_differ() -> None:
    plan = plan_of(0, 0, least=150)
    half = len(plan) // 2
    assert sorted(map(sorted, plan[:half])) != sorted(map(sorted, plan[half:]))


@pytest.mark.parametrize(
    ("items", "size", "steps"),
    [(2000, 32, 63), (1280, 32, 40), (1279, 32, 40), (640, 16, 40), (400, 8, 50), (100, 8, 52)],
)
def test_few_items_make_smaller_batches_and_then_more_passes(
    items: int, size: int, steps: int
) -> None:
    split = Items([1] * items)
    sampler = BucketSampler(split, 32, 4096, 0, least=40, least_batch=8)
    assert (sampler.batch_size, sampler.steps(0)) == (size, steps)
    assert BucketSampler(split, 32, 4096, 0, least=40).batch_size == 32


def test_enough_batches_are_what_they_were() -> None:
    plain = BucketSampler(Items(LENGTHS), 8, 400, 3)
    asked = BucketSampler(Items(LENGTHS), 8, 400, 3, least=plain.batches(), least_batch=1)
    assert [b.tolist() for b in asked.plan(4)] == [b.tolist() for b in plain.plan(4)]
