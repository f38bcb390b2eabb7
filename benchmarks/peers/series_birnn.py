"""The forecaster by this library: its task, its loop; the network alone, without the linear part.

As shipped it reads segments of 24 steps both ways. The variant ``steps`` reads step by step and one
way, which is the recurrence that the others run.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ett import BETWEEN, HIDDEN, HORIZON, LOOKBACK, TEST, TRAIN, WINDOWS, Values, measure
from measuring import Clock
from ours import VERSION, train

from birnn.config import from_dict
from birnn.tasks.forecast.fit import forecast_split
from birnn.tasks.forecast.options import ForecastConfig
from birnn.tasks.forecast.output import forecast_future
from birnn.tasks.forecast.task import Forecast

EPOCHS = 60  # more than the time allows
LEARNING_RATE = 1e-3
STEPS_BATCH, STEP_SIZE = 128, 8


def config(path: Path, cell: str, seed: int, variant: str) -> ForecastConfig:
    """The defaults with one network and a constant rate."""
    values: dict[str, dict[str, Any]] = {
        "data": {
            "data": str(path), "split": f"{TRAIN},{BETWEEN},{TEST}",
            "lookback": LOOKBACK, "horizon": HORIZON,
        },
        "model": {"members": 1, "linear": False},
        "encoder": {"encoder": f"bi{cell}", "hidden_size": HIDDEN},
        "train": {
            "epochs": EPOCHS, "patience": 0, "learning_rate": LEARNING_RATE, "ema": 0.0,
            "schedule": "constant", "warmup": 0.0, "seed": seed,
        },
    }  # fmt: skip
    if variant == "steps":
        values["model"] |= {"segment": 1, "segment_size": STEP_SIZE}
        values["encoder"] |= {"bidirectional": False}
        values["train"] |= {"batch_size": STEPS_BATCH}
    return from_dict(ForecastConfig, values)


class Ours:
    """The forecasting task."""

    version = VERSION

    def __init__(self, path: Path, cell: str, seed: int, variant: str) -> None:
        self.name = "birnn, step by step" if variant == "steps" else "birnn"
        self.task = Forecast(config(path, cell, seed, variant))
        self.data = self.task.load()

    def train(self, clock: Clock) -> None:
        """The library's loop."""
        self.model = train(self.task, self.data, clock, lambda batch: len(batch.lengths))

    def backtest(self) -> Values:
        """Points alone, no intervals."""
        test, info = self.data.splits["test"], self.data.info
        rows = np.asarray(forecast_split(self.task, self.model, test, info).values)
        found: Values = rows.reshape(-1, WINDOWS, HORIZON).astype(np.float64)
        return found

    def forecast(self, series: str, history: Values) -> Values:
        """As a trained run answers for a new history that has been read."""
        panel = self.data.splits["test"].panel
        ends = np.array([len(history)])
        alone = replace(
            panel, names=[series], starts=panel.starts[:1], offsets=np.append(0, ends), ends=ends,
            values=history, covariate_offsets=np.zeros(1, dtype=np.int64),
            past=panel.past[: len(history)], future=panel.future[: len(history)],
            static=panel.static[:1],
        )  # fmt: skip
        future = forecast_future(self.task, self.model, alone, self.data.info)
        found: Values = future.forecasts.values[np.arange(1)][0].astype(np.float64)
        return found


if __name__ == "__main__":
    measure(Ours)
