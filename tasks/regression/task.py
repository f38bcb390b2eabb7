"""Per-step regression: a number for every step of a sequence.

The defaults are the two-page reference model that the project grew from: a bidirectional cell
(input 5, hidden 8), a linear layer, mean squared error, Adam at 0.01, 50 epochs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from birnn.arrays import Array
from birnn.data.splits.cutting import SPLITS, complete_splits, cut_items
from birnn.data.splits.provenance import FoldPart
from birnn.data.steps import StepSplit, cut_sequences, sequence_rows, synthetic
from birnn.data.tables.columns import check_column
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.sources import Tables, load_tables, with_plain_numbers
from birnn.data.wording import number_list
from birnn.errors import CheckpointError, ConfigError, DataError
from birnn.nn.batch import Batch, sequence_mask
from birnn.nn.encoders import Encoded
from birnn.nn.model import Embedder, Features
from birnn.storage.files import read_json
from birnn.tasks.core import task as contract
from birnn.tasks.core.folding import fold_options
from birnn.tasks.core.stored import DAMAGED, check_strings, reason
from birnn.tasks.core.task import Baseline, Evaluation, Predictions, Record, Task, TaskData
from birnn.tasks.regression.folds import FOLDED, Pairs, fold_sequences
from birnn.tasks.regression.options import RegressionConfig
from birnn.tasks.scoring.metrics import regression_replicates, regression_scores
from birnn.training.events import EpochEvent
from birnn.training.losses import LossSum

MAX_SYNTHETIC = 20_000_000  # numbers of a split
SYNTHETIC_HELD_OUT = {"validation": 64, "test": 256}


@dataclass(frozen=True)
class StepInfo:
    """Names and scale of the columns."""

    features: list[str]
    target: str
    shift: Array  # [F + 1], the target last
    scale: Array  # [F + 1]

    def files(self) -> contract.Files:
        """``scaler.json``."""
        scaler = {"shift": self.shift.tolist(), "scale": self.scale.tolist()}
        return {"scaler.json": {"features": self.features, "target": self.target, **scaler}}


def scaled_info(names: list[str], target: str, features: Sequence[Array],
                targets: Sequence[Array]) -> StepInfo:  # fmt: skip
    """The mean and scale of the columns over all steps of ``[T_i, F]`` and ``[T_i]``."""
    from sklearn.preprocessing import StandardScaler

    steps = np.column_stack([np.concatenate(features), np.concatenate(targets)])
    scaler = StandardScaler().fit(steps)
    return StepInfo(names, target, scaler.mean_, scaler.scale_)


class StepHead(nn.Module):
    """One linear layer on each step's states."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.linear = nn.Linear(input_size, 1)

    def forward(self, encoded: Encoded, batch: Batch) -> Tensor:
        """``[B, T, D] → [B, T]``."""
        return cast(Tensor, self.linear(encoded.states).squeeze(-1))


class Regression(Task[RegressionConfig, StepInfo, StepSplit]):
    """A bidirectional encoder and a linear layer on each step."""

    name = "regression"
    unit, length_unit = "sequences", "steps"
    monitors = ("mse", "mae")
    headline = ("mse",)
    item_column = "sequence"

    def load(self) -> TaskData[StepInfo, StepSplit]:
        """Read the table, or draw synthetic sequences."""
        if not self.config.data.data:
            return self._synthetic()
        tables = self.tables(self.config.data.data)
        names, parts, notes, fold = self._sequences(tables)
        info = scaled_info(names, self.config.data.target, *zip(*parts["train"], strict=True))
        data = self._data(parts, info, tables.source, [*tables.notes, *notes])
        return replace(data, warnings=tables.warnings, reading=tables.reading, fold=fold)

    def load_split(self, info: StepInfo, source: str, name: str) -> contract.LoadedSplit[StepSplit]:
        """Sequences to score, scaled as the run was."""
        if not source:
            own = self.load()
            _check_features(own.provenance["source"], own.info.features, info.features)
            split = replace(own.splits[name], shift=info.shift, scale=info.scale)
            return contract.LoadedSplit(split, f"{own.provenance['source']} ({name})", own.notes)
        tables = self.tables(source)
        splits = {str(key): table for key, table in tables.splits.items()}
        if len(splits) > 1 and name not in splits:
            raise DataError(f"{source}: no {name} split; there are: {', '.join(splits)}")
        table = splits[name] if name in splits else next(iter(splits.values()))
        names, x, y = self._cut(table, info.target, source)
        _check_features(source, names, info.features)
        notes = [*tables.notes, *tables.warnings]
        return contract.LoadedSplit(StepSplit(x, y, info.shift, info.scale), source, notes)

    def tables(self, source: str) -> Tables:
        """The tables of ``source``, read as the options say."""
        data = self.config.data
        read = ReadOptions(data.encoding, data.skip_ragged, data.table, self.trained)
        return with_plain_numbers(
            load_tables(source, read, aliases={}), read, {data.sequence_column, data.fold_group}
        )

    def _cut(self, table: Any, target: str,
             where: str) -> tuple[list[str], list[Array], list[Array]]:  # fmt: skip
        options = self.config.data
        return cut_sequences(
            table, target, options.sequence_column, options.length, where, options.fold_group
        )

    def _synthetic(self) -> TaskData[StepInfo, StepSplit]:
        options = self.config.data
        rows = max(options.sequences, *SYNTHETIC_HELD_OUT.values()) * options.length
        if rows * (options.features + 1) > MAX_SYNTHETIC:
            what = f"synthetic data of more than {MAX_SYNTHETIC:,} numbers a split are not made"
            raise ConfigError(f"{what}; lower --sequences, --length or --features")
        parts, size = {}, options.features
        for number, split in enumerate(SPLITS):
            count = SYNTHETIC_HELD_OUT.get(split, options.sequences)
            drawn = synthetic(count, options.length, size, 3 * options.split_seed + number)
            parts[split] = list(zip(*drawn, strict=True))
        names = [f"x{i + 1}" for i in range(size)]
        # Drawn with unit scale: the network sees synthetic data as it is, like the reference.
        info = StepInfo(names, "target", np.zeros(size + 1), np.ones(size + 1))
        source = f"synthetic sequences of {options.length} steps (seed {options.split_seed})"
        notes: list[str] = []
        fold = None
        if options.folds and options.fold:
            parts, notes, fold = self._fold(parts)
        return replace(self._data(parts, info, source, notes), fold=fold)

    def _sequences(
        self, tables: Tables
    ) -> tuple[list[str], dict[str, Pairs], list[str], FoldPart | None]:
        """Sequences of each split; a missing split is cut from train, by whole sequences."""
        options = self.config.data
        names: list[str] = []
        parts: dict[str, Pairs] = {}
        for split, table in tables.splits.items():
            where = f"{tables.source} ({split})"
            columns, x, y = self._cut(table, options.target, where)
            if names and columns != names:
                differ = f"differ from the first split's {', '.join(names)}"
                raise DataError(f"{where}: the feature columns {', '.join(columns)} {differ}")
            names, parts[str(split)] = columns, list(zip(x, y, strict=True))
        if "train" not in parts:
            raise DataError(f"{tables.source} has no train split; there are: {', '.join(parts)}")
        if options.folds and options.fold:
            return names, *self._fold(parts, tables)
        generator = np.random.default_rng(options.split_seed)
        total = len(parts["train"])

        def divide(train: Pairs, name: str, sequences: float) -> tuple[Pairs, Pairs]:
            size = max(1, round(sequences))
            if size >= len(train):
                raise DataError(
                    f"{tables.source}: {total} sequences are too few to cut {name} from"
                )
            return cut_items(train, size, generator)

        shares = {"validation": options.validation_share, "test": options.test_share}
        cut = f"sequences cut from train (seed {options.split_seed})"
        cuts = complete_splits(parts, shares, divide, lambda count: f"{count} {cut}")
        return names, *cuts, None

    def _fold(
        self, parts: dict[str, Pairs], tables: Tables | None = None
    ) -> tuple[dict[str, Pairs], list[str], FoldPart | None]:
        """The splits of the fold that the options name."""
        options, groups = self.config.data, None
        fold = fold_options(options)
        if fold.group:
            if tables is None:
                raise ConfigError("fold_group: synthetic sequences are in no groups")
            held = {str(name): table for name, table in tables.splits.items()}
            groups = []
            for name in (name for name in FOLDED if name in held):
                table = held[name]
                check_column(fold.group, table.column_names, f"{tables.source} ({name})")
                rows = sequence_rows(table, options.sequence_column, options.length)
                groups.append([table[fold.group][:][int(own[0])] for own in rows])
        return fold_sequences(parts, groups, fold, options.validation_share, options.split_seed)

    def _data(self, parts: Mapping[str, Pairs], info: StepInfo, source: str,
              notes: list[str]) -> TaskData[StepInfo, StepSplit]:  # fmt: skip
        info = self.origin.merged(info) if self.origin else info
        scale = info.shift, info.scale
        splits = {name: StepSplit([x for x, _ in parts[name]], [y for _, y in parts[name]], *scale)
                  for name in SPLITS}  # fmt: skip
        provenance = {"source": source, "rows": {k: len(split) for k, split in splits.items()},
                      "steps": {k: int(split.lengths.sum()) for k, split in splits.items()},
                      "splits": notes or ["as the source gives them"]}  # fmt: skip
        return TaskData(splits, info, provenance, notes)

    def name_items(self, split: StepSplit, items: Array) -> str:
        """Sequences of train, from 1."""
        return f"sequences {number_list(items + 1)} of train"

    def read_info(self, folder: Path) -> StepInfo:
        """Restore ``scaler.json``."""
        scaler = read_json(folder / "scaler.json")
        try:
            names = scaler["features"]
            check_strings("features", names, least=1)
            shift, scale = (np.array(scaler[k], dtype=np.float64) for k in ("shift", "scale"))
            info = StepInfo(names, str(scaler["target"]), shift, scale)
            shapes = {(len(info.features) + 1,), info.shift.shape, info.scale.shape}
            finite = np.isfinite(info.shift).all() and np.isfinite(info.scale).all()
            if len(shapes) > 1 or not finite or not np.all(info.scale > 0):
                raise ValueError("sizes differ or a scale is not positive")
        except DAMAGED as error:
            path = folder / "scaler.json"
            raise CheckpointError(f"{path} is not a scaler ({reason(error)})") from None
        return info

    def embedder(self, info: StepInfo) -> Embedder:
        """The features as they are."""
        return Features(len(info.features))

    def head(self, input_size: int, info: StepInfo) -> nn.Module:
        """A linear layer on each step."""
        return StepHead(input_size)

    def loss(self, outputs: Tensor, batch: Batch) -> LossSum:
        """Squared error over real steps."""
        assert batch.targets is not None
        mask = sequence_mask(batch.lengths, outputs.shape[1])
        error = (outputs - batch.targets).masked_fill(~mask, 0.0)
        return LossSum(error.square().sum(), batch.lengths.sum())

    def decode(self, outputs: Tensor, batch: Batch) -> list[Array]:
        """``[T_i]`` for each item, scaled; :meth:`evaluate` brings it to the target's unit."""
        rows = zip(outputs.float().cpu().numpy(), batch.lengths.tolist(), strict=True)
        return [row[:length] for row, length in rows]

    def count(self, outputs: Tensor, batch: Batch, info: StepInfo) -> Mapping[str, Array]:
        """Squared and absolute error sums, and steps."""
        assert batch.targets is not None
        mask = sequence_mask(batch.lengths, outputs.shape[1])
        error = (outputs - batch.targets)[mask].double().cpu().numpy()
        return {"sums": np.array([np.square(error).sum(), np.abs(error).sum(), float(len(error))])}

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``mse`` and ``mae`` in scaled units."""
        squared, absolute, steps = counts["sums"]
        return {"mse": float(squared / steps), "mae": float(absolute / steps)}

    def evaluate(self, split: StepSplit, predictions: Predictions, info: StepInfo,
                 seed: int) -> Evaluation:  # fmt: skip
        """Scores in the target's own unit, resampled by whole sequences."""
        gold = np.concatenate(split.targets)
        predicted = np.concatenate(list(predictions)) * split.scale[-1] + split.shift[-1]
        sequence = np.repeat(np.arange(len(split)), split.lengths)
        replicates = regression_replicates(gold, predicted, sequence, seed)
        return Evaluation(regression_scores(gold, predicted), replicates)

    def combined(
        self, parts: Sequence[tuple[StepSplit, Any, StepInfo]], info: StepInfo
    ) -> Predictions:
        """The mean in the target's own unit, scaled as the first model's."""
        units = [[row * own.scale[-1] + own.shift[-1] for row in rows] for _, rows, own in parts]
        means = (np.mean(rows, axis=0) for rows in zip(*units, strict=True))
        return [(row - info.shift[-1]) / info.scale[-1] for row in means]

    def baselines(self, data: TaskData[StepInfo, StepSplit]) -> list[Baseline]:
        """The mean of train, and least squares on each step's own features."""
        from sklearn.dummy import DummyRegressor
        from sklearn.linear_model import LinearRegression

        train, test = data.splits["train"], data.splits["test"]
        x, y = np.concatenate(train.features), np.concatenate(train.targets)
        held_out = np.concatenate(test.features)
        ends = np.cumsum(test.lengths)[:-1]
        baselines = []
        for name, label, model in (
            ("mean", "the mean of train", DummyRegressor()),
            ("linear", "least squares on each step alone", LinearRegression()),
        ):
            predicted = model.fit(x, y).predict(held_out)
            scaled = (predicted - test.shift[-1]) / test.scale[-1]
            baselines.append(Baseline(name, label, np.split(scaled, ends), {}))
        return baselines

    def records(self, split: StepSplit, predictions: Predictions, info: StepInfo) -> list[Record]:
        """A row a step."""
        return [{"sequence": i, "step": t, "target": float(split.targets[i][t]),
                 "predicted": float(value * info.scale[-1] + info.shift[-1])}
                for i, row in enumerate(predictions) for t, value in enumerate(row)]  # fmt: skip

    def epoch_line(self, event: EpochEvent) -> str | None:
        """The reference model's line, every ten epochs."""
        if event.epoch % 10 and event.epoch != event.epochs:
            return None
        return f"Epoch [{event.epoch}/{event.epochs}], Loss: {event.loss:.4f}"


def _check_features(where: str, names: list[str], trained: list[str]) -> None:
    if names != trained:
        wanted = f"the run was trained on the features {', '.join(trained)}"
        raise DataError(f"{where}: {wanted}; here are {', '.join(names)}")
