"""Rows of large tables against dense AdamW and a dense average, step after step."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from birnn.config import TrainConfig
from birnn.training.schedules import WeightAverage, learning_rate_factor
from birnn.training.state import TrainingRun, Validation
from birnn.training.tables import LARGE, RowAdamW, caught_up, large_tables

ROWS, SIZE = 12, 3


def touched(steps: list[set[int]]) -> list[tuple[Tensor, Tensor]]:
    """Rows and their gradients at each step."""
    torch.manual_seed(0)
    found = []
    for step in steps:
        rows = torch.tensor(sorted(step), dtype=torch.int64)
        found.append((rows, torch.randn(len(rows), SIZE, dtype=torch.float64)))
    return found


def rate_of(step: int, steps: int) -> float:
    return 0.05 * learning_rate_factor(step, steps, 0.2, "cosine")


def dense(
    weight: Tensor, touches: list[tuple[Tensor, Tensor]], betas: tuple[float, float], ema: float
) -> tuple[Tensor, Tensor]:
    """Torch's AdamW and our average over the whole table."""
    table = nn.Embedding.from_pretrained(weight.clone(), freeze=False)
    optimizer = torch.optim.AdamW(table.parameters(), lr=1.0, betas=betas, weight_decay=0.0)
    average = WeightAverage(table, ema)
    for step, (rows, gradient) in enumerate(touches):
        optimizer.param_groups[0]["lr"] = rate_of(step, len(touches))
        table.weight.grad = torch.zeros_like(weight)
        table.weight.grad[rows] = gradient
        optimizer.step()
        average.update()
    return table.weight.detach(), average.average[0]


def sparse(
    weight: Tensor, touches: list[tuple[Tensor, Tensor]], betas: tuple[float, float], ema: float,
    flushes: set[int],
) -> tuple[Tensor, Tensor]:  # fmt: skip
    table = nn.Embedding.from_pretrained(weight.float(), freeze=False)
    average = WeightAverage(table, ema)
    rows_of = RowAdamW([table.weight], average.average, betas)
    for step, (rows, gradient) in enumerate(touches):
        grad = torch.sparse_coo_tensor(
            rows.unsqueeze(0), gradient.float(), weight.shape, check_invariants=True
        )
        grad = grad.coalesce()
        table.weight.grad = grad
        rows_of.step(rate_of(step, len(touches)), average.next_decay())
        average.updates += 1
        if step in flushes:
            rows_of.flush()
        if step % 7 == 3:  # a snapshot, and a run that goes on from it
            state = {name: part.clone() for name, part in rows_of.state().items()}
            kept = [{n: p.clone() for n, p in parts.items()} for _, parts in rows_of.moments()]
            rows_of = RowAdamW([table.weight], average.average, betas)
            rows_of.restore(kept, state)
    moments = {n: p.clone() for n, p in rows_of.moments()[0][1].items()}
    moved = caught_up(
        table.weight.detach().clone(), average.average[0].clone(), moments, rows_of.state(), betas
    )
    rows_of.flush()
    for ours, theirs in zip(moved[:2], (table.weight.detach(), average.average[0]), strict=True):
        torch.testing.assert_close(ours, theirs)
    for name, ours in rows_of.moments()[0][1].items():
        if name != "last":
            torch.testing.assert_close(moved[2][name], ours)
    assert int(moved[2]["step"]) == len(touches)
    return table.weight.detach().double(), average.average[0].double()


@settings(max_examples=40, deadline=None)
@given(
    steps=st.lists(st.sets(st.integers(0, ROWS - 1), max_size=5), min_size=1, max_size=60),
    betas=st.sampled_from([(0.9, 0.999), (0.9, 0.98), (0.5, 0.9)]),
    ema=st.sampled_from([0.5, 0.9, 0.998]),
    flushes=st.sets(st.integers(0, 59), max_size=3),
)
def test_rows_and_averages_end_where_a_dense_optimizer_takes_them(
    steps: list[set[int]], betas: tuple[float, float], ema: float, flushes: set[int]
) -> None:
    weight = torch.randn(
        ROWS, SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    touches = touched(steps)
    wanted = dense(weight, touches, betas, ema)
    found = sparse(weight, touches, betas, ema, flushes)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_row_that_was_never_read_stays_and_a_long_rest_changes_nothing() -> None:
    weight = torch.randn(ROWS, SIZE, dtype=torch.float64)
    touches = touched([{0, 1}] + [set()] * 2000 + [{0}])
    wanted = dense(weight, touches, (0.9, 0.98), 0.99)
    found = sparse(weight, touches, (0.9, 0.98), 0.99, set())
    assert torch.equal(found[0][2:], weight[2:].float().double())
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


def test_only_large_tables_that_nothing_else_uses_are_taken() -> None:
    rows = LARGE // 16

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.large, self.small = nn.Embedding(rows, 16), nn.Embedding(rows // 2, 16)
            self.tied, self.frozen = nn.Embedding(rows, 16), nn.Embedding(rows, 16)
            self.out = nn.Linear(16, rows, bias=False)
            self.out.weight = self.tied.weight
            self.frozen.weight.requires_grad_(False)
            self.decayed = nn.Embedding(rows, 16)
            self.decayed.weight_decay = 0.1

    model = Model()
    assert large_tables(model, (0.9, 0.98)) == [model.large]
    assert large_tables(model, (0.9, 0.5)) == []
    assert large_tables(copy.deepcopy(model).to("meta"), (0.9, 0.98)) == []


@pytest.mark.parametrize("rows", [[1, 1, 0], [2]])
def test_rows_that_are_read_twice_count_once(rows: list[int]) -> None:
    table = nn.Embedding(ROWS, SIZE, sparse=True)
    other = copy.deepcopy(table)
    other.sparse = False
    optimizer = torch.optim.AdamW(other.parameters(), lr=0.1, betas=(0.9, 0.98), weight_decay=0.0)
    rows_of = RowAdamW([table.weight], [], (0.9, 0.98))
    for _ in range(3):
        for each in (table, other):
            each(torch.tensor(rows)).square().sum().backward()
        assert table.weight.grad is not None
        table.weight.grad = table.weight.grad.coalesce()
        rows_of.step(0.1, 0.0)
        assert table.weight.grad is None
        optimizer.step()
        optimizer.zero_grad()
    rows_of.flush()
    torch.testing.assert_close(table.weight, other.weight)


def test_a_snapshot_goes_on_where_there_are_no_such_tables_and_comes_back(monkeypatch) -> None:
    """A run that is trained row by row, then densely, then row by row again, beside a dense one."""
    model = nn.Sequential(nn.Embedding(LARGE // 16, 16), nn.Linear(16, 1))
    config = TrainConfig(device="cpu", ema=0.9, beta2=0.98)
    never = Validation(lambda: {"none": 0.0}, "none", lower_is_better=True)
    torch.manual_seed(0)
    batches = [torch.randint(0, 40, (8,)) for _ in range(12)]

    def train(run: TrainingRun, some: list[Tensor]) -> None:
        for batch in some:
            run.optimizer.zero_grad()
            run.model(batch).square().sum().backward()
            run.step(run.gradients(), torch.tensor(0.5), 8)

    def weights(run: TrainingRun) -> list[Tensor]:
        run.rows.flush()
        assert run.average is not None
        return [p.detach() for p in run.model.parameters()] + run.average.average

    def begun(*, tables: bool) -> TrainingRun:
        with monkeypatch.context() as patch:
            if not tables:
                patch.setattr("birnn.training.state.large_tables", lambda *_: [])
            return TrainingRun(copy.deepcopy(model), config, never)

    dense = begun(tables=False)
    train(dense, batches)
    moved = begun(tables=True)
    assert moved._tables
    train(moved, batches[:5])
    for start, end, tables in ((5, 9, False), (9, 12, True)):
        snapshot = moved.snapshot()
        moved = begun(tables=tables)
        moved.restore(snapshot)
        train(moved, batches[start:end])
    for ours, theirs in zip(weights(moved), weights(dense), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
