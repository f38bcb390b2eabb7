"""The reference model: a plain torch module, trained side by side, and the data it reads."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from birnn.config import EncoderConfig
from birnn.data.steps import synthetic
from birnn.errors import DataError
from birnn.nn.batch import Batch
from birnn.nn.encoders import Encoder
from birnn.tasks.regression.options import RegressionConfig, RegressionData
from birnn.tasks.regression.task import Regression
from birnn.tasks.runs.events import Finished
from birnn.tasks.runs.experiment import train
from birnn.tasks.runs.folder import load_run
from birnn.tasks.runs.launch import Plan
from birnn.training.events import EpochEvent
from birnn.training.randomness import seed_everything

PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Reference(nn.Module):
    """The two-page model that the project grew from."""

    def __init__(self, cell: type[nn.GRU] | type[nn.LSTM]) -> None:
        super().__init__()
        self.rnn = cell(5, 8, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(16, 1)

    def forward(self, x: Tensor) -> Tensor:
        """``[B, T, 5] → [B, T]``."""
        return self.linear(self.rnn(x)[0]).squeeze(-1)


@torch.no_grad()
def take_over(reference: Reference, encoder: Encoder, linear: nn.Linear) -> None:
    for part in PARTS:
        getattr(reference.rnn, f"{part}_l0").copy_(getattr(encoder.forward_cells[0], part))
        reverse = getattr(reference.rnn, f"{part}_l0_reverse")
        reverse.copy_(getattr(encoder.backward_cells[0], part))
    reference.linear.load_state_dict(linear.state_dict())


def reference_losses(reference: Reference, batch: Batch, epochs: int) -> list[float]:
    optimizer = torch.optim.Adam(reference.parameters(), lr=0.01)
    losses = []
    for _ in range(epochs):
        loss = nn.MSELoss()(reference(batch.inputs["features"]), batch.targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(("encoder", "cell"), [("bigru", nn.GRU), ("bilstm", nn.LSTM)])
def test_the_defaults_find_the_losses_of_the_plain_module(
    encoder: str, cell: type[nn.GRU] | type[nn.LSTM], tmp_path: Path
) -> None:
    task = Regression(RegressionConfig(encoder=EncoderConfig(encoder, hidden_size=8)))
    data = task.load()
    seed_everything(0)
    start = task.model(data.info)
    reference = Reference(cell)
    take_over(reference, start.encoder, start.head.linear)
    wanted = reference_losses(reference, data.splits["train"].batch(np.arange(16)), 50)
    events = list(train(task, Plan(tmp_path / "run")))
    found = [event.loss for event in events if isinstance(event, EpochEvent)]
    assert len(found) == 50
    assert found == pytest.approx(wanted, rel=1e-5)
    assert found[-1] < 0.5 * found[0]
    check_run_folder(tmp_path / "run", events[-1])


def check_run_folder(folder: Path, last: object) -> None:
    assert isinstance(last, Finished)
    assert set(last.metrics["test"]["baselines"]) == {"mean", "linear"}
    assert {p.name for p in folder.iterdir()} >= {
        "config.json", "model.safetensors", "scaler.json", "metrics.json", "history.csv",
        "learned.bin", "predictions.csv", "README.md",
    }  # fmt: skip
    assert load_run(folder).task.name == "regression"


def epoch(number: int, epochs: int, loss: float) -> EpochEvent:
    return EpochEvent(number, epochs, loss, {"mse": 1.0}, 0.01, 0.1, 160, improved=True)


def test_the_reference_models_line_is_printed_every_ten_epochs_and_at_the_end() -> None:
    line = Regression(RegressionConfig()).epoch_line
    assert line(epoch(10, 50, 0.43214)) == "Epoch [10/50], Loss: 0.4321"
    assert line(epoch(50, 50, 1.0)) == "Epoch [50/50], Loss: 1.0000"
    assert line(epoch(7, 7, 0.5)) == "Epoch [7/7], Loss: 0.5000"
    assert line(epoch(9, 50, 0.5)) is None


def test_synthetic_targets_follow_the_formula() -> None:
    x, y = synthetic(40, 10, 5, seed=3)
    drawn = np.random.default_rng(2024).normal(size=(3, 5)) / math.sqrt(5)
    noise = []
    for sequence, targets in zip(x, y, strict=True):
        for t, target in enumerate(targets):
            near = [sequence[s] if 0 <= s < 10 else np.zeros(5) for s in (t - 1, t, t + 1)]
            noise.append(target - math.tanh(sum(a @ b for a, b in zip(drawn, near, strict=True))))
    assert np.shape(x) == (40, 10, 5)
    assert np.shape(y) == (40, 10)
    assert abs(np.mean(noise)) < 5 * 0.1 / math.sqrt(400)
    assert np.std(noise) == pytest.approx(0.1, rel=0.2)
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.25
    assert (np.mean(x), np.std(x)) == (pytest.approx(0, abs=0.12), pytest.approx(1, rel=0.1))


def test_synthetic_data_depend_on_their_seed_alone() -> None:
    first = synthetic(3, 4, 2, seed=1)
    np.random.seed(0)
    again, other = synthetic(3, 4, 2, seed=1), synthetic(3, 4, 2, seed=2)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.allclose(first[0], other[0])


def test_synthetic_splits_differ_from_each_other_and_by_split_seed() -> None:
    seen = []
    for seed in (0, 1):
        config = RegressionConfig(RegressionData(split_seed=seed, sequences=4))
        splits = Regression(config).load().splits
        seen += [splits[name].features[0].tobytes() for name in ("train", "validation", "test")]
        assert [len(splits[name]) for name in splits] == [4, 64, 256]
    assert len(set(seen)) == 6


def test_synthetic_data_reach_the_network_unscaled() -> None:
    data = Regression(RegressionConfig()).load()
    train_split = data.splits["train"]
    batch = train_split.batch(np.arange(16))
    assert batch.inputs["features"].shape == (16, 10, 5)
    np.testing.assert_allclose(batch.inputs["features"], np.stack(train_split.features), rtol=1e-6)
    assert batch.targets is not None
    np.testing.assert_allclose(batch.targets, np.stack(train_split.targets), rtol=1e-6)


def write(path: Path, lines: Sequence[str]) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def load(path: str, **options: object) -> Regression:
    return Regression(RegressionConfig(RegressionData(path, **options)))  # type: ignore[arg-type]


ROWS = [
    f"{who},{i},{10 * i},{100 * i}"
    for i, who in enumerate(["b", "a", "b", "c", "a", "b", "d", "e", "c", "f"], start=1)
]


def test_a_column_tells_the_sequences_and_rows_keep_their_order(tmp_path: Path) -> None:
    path = write(tmp_path / "steps.csv", ["who,x1,x2,target", *ROWS])
    data = load(path, sequence_column="who").load()
    assert data.info.features == ["x1", "x2"]
    found = {
        tuple(y): x.tolist()
        for split in data.splits.values()
        for x, y in zip(split.features, split.targets, strict=True)
    }
    assert found == {
        (100, 300, 600): [[1, 10], [3, 30], [6, 60]],
        (200, 500): [[2, 20], [5, 50]],
        (400, 900): [[4, 40], [9, 90]],
        (700,): [[7, 70]],
        (800,): [[8, 80]],
        (1000,): [[10, 100]],
    }


def test_sequences_come_in_the_order_of_their_first_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "steps.csv", ["who,x1,x2,target", *ROWS])
    task = load(path, sequence_column="who")
    found = task.load_split(task.load().info, path, "test").split.targets
    assert [int(targets[0]) for targets in found] == [100, 200, 400, 700, 800, 1000]


def test_scale_and_shift_are_those_of_the_training_steps(tmp_path: Path) -> None:
    path = write(tmp_path / "steps.csv", ["who,x1,x2,target", *ROWS])
    data = load(path, sequence_column="who").load()
    part = data.splits["train"]
    table = np.column_stack([np.concatenate(part.features), np.concatenate(part.targets)])
    np.testing.assert_allclose(data.info.shift, table.mean(0))
    np.testing.assert_allclose(data.info.scale, table.std(0))
    batch = part.batch(np.arange(len(part)))
    for i, n in enumerate(batch.lengths.tolist()):
        scaled = (part.features[i] - table[:, :2].mean(0)) / table[:, :2].std(0)
        np.testing.assert_allclose(batch.inputs["features"][i, :n], scaled, rtol=1e-5)
        assert torch.all(batch.inputs["features"][i, n:] == 0)


def test_without_a_column_the_rows_are_cut_at_the_length(tmp_path: Path) -> None:
    path = write(tmp_path / "steps.csv", ["x,target", *(f"{i},{i}" for i in range(23))])
    splits = load(path, length=5).load().splits
    starts = sorted(float(x[0, 0]) for split in splits.values() for x in split.features)
    assert starts == [0, 5, 10, 15, 20]
    assert sorted(n for split in splits.values() for n in split.lengths) == [3, 5, 5, 5, 5]


def test_predictions_are_scored_in_the_targets_own_unit(tmp_path: Path) -> None:
    path = write(tmp_path / "steps.csv", ["who,x1,x2,target", *ROWS])
    task = load(path, sequence_column="who")
    data = task.load()
    test = data.splits["test"]
    scaled = [(y + 3 - test.shift[-1]) / test.scale[-1] for y in test.targets]
    assert task.evaluate(test, scaled, data.info, 0).scores["mse"] == pytest.approx(9)
    rows = task.records(test, scaled, data.info)
    assert [row["predicted"] - row["target"] for row in rows] == pytest.approx([3] * len(rows))


@pytest.mark.parametrize(
    ("header", "options", "message"),
    [
        ("x1,x2,x3,y", {}, r"'target'; there are: x1, x2, x3, y; name one with --target$"),
        ("x1,x2,x3,targte", {}, r"'target' \(did you mean 'targte'\?\); there are: x1, x2, x3"),
        ("x1,x2,x3,target", {"target": "z"}, "there is no column 'z'; there are: x1"),
        ("x1,x2,x3,target", {"sequence_column": "id"}, "'id'; .*; name one with --seq"),
    ],
)
def test_a_missing_column_is_a_data_error_naming_those_there_are(
    tmp_path: Path, header: str, options: dict[str, str], message: str
) -> None:
    path = write(tmp_path / "steps.csv", [header, *["1,2,3,4"] * 40])
    with pytest.raises(DataError, match=message):
        load(path, **options).load()


@pytest.mark.parametrize("value", ["x", "", "nan", "inf", "1e300"])
def test_a_value_that_is_no_usable_number_is_named_with_its_row(tmp_path: Path, value: str) -> None:
    path = write(tmp_path / "steps.csv", ["x,target", *["1,2"] * 39, f"{value},2"])
    with pytest.raises(DataError, match=f"column 'x', row 40: '{value}' is not a number"):
        load(path).load()


def test_a_table_without_features_is_a_data_error(tmp_path: Path) -> None:
    path = write(tmp_path / "steps.csv", ["target", *["1"] * 40])
    with pytest.raises(DataError, match="no feature column beside the target 'target'"):
        load(path).load()


def test_too_few_sequences_are_a_data_error(tmp_path: Path) -> None:
    path = write(tmp_path / "steps.csv", ["x,target", *["1,2"] * 12])
    with pytest.raises(DataError, match="2 sequences are too few to cut"):
        load(path).load()


def test_data_with_other_features_is_refused_by_a_trained_run(tmp_path: Path) -> None:
    task = load(write(tmp_path / "a.csv", ["x,target", *["1,2", "2,3"] * 40]))
    info = task.load().info
    other = write(tmp_path / "b.csv", ["z,target", "1,2"])
    with pytest.raises(DataError, match="trained on the features x; here are z"):
        task.load_split(info, other, "test")


def test_other_data_are_scaled_as_the_run_was(tmp_path: Path) -> None:
    task = load(write(tmp_path / "a.csv", ["x,target", *["1,2", "3,6"] * 40]))
    info = task.load().info
    other = write(tmp_path / "b.csv", ["x,target", "3,4"])
    batch = task.load_split(info, other, "test").split.batch(np.array([0]))
    assert batch.inputs["features"].tolist() == [[[1.0]]]
    assert batch.targets is not None
    assert batch.targets.tolist() == [[0.0]]


def test_a_constant_column_does_no_harm(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", ["x,c,target", *(f"{i},7,{i}" for i in range(60))])
    batch = load(path).load().splits["train"].batch(np.array([0, 1]))
    assert torch.all(torch.isfinite(batch.inputs["features"]))
