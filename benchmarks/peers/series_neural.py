"""The forecaster by neuralforecast: its GRU or LSTM, one encoder layer, otherwise its defaults."""

import logging
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from ett import HIDDEN, HORIZON, LOOKBACK, TEST, TRAIN, WINDOWS, Values, measure, read
from measuring import Clock
from neuralforecast import NeuralForecast  # type: ignore[import-not-found]
from neuralforecast.models import GRU, LSTM  # type: ignore[import-not-found]
from neuralforecast.tsdataset import TimeSeriesDataset  # type: ignore[import-not-found]
from pytorch_lightning.callbacks import LambdaCallback  # type: ignore[import-not-found]

CELLS = {"gru": GRU, "lstm": LSTM}
FOREVER = 10_000_000  # steps


class Neural:
    """A global model of the series in long format, trained by Lightning."""

    name = "neuralforecast"
    version = version("neuralforecast")

    def __init__(self, path: Path, cell: str, seed: int, variant: str) -> None:
        warnings.filterwarnings("ignore")
        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        self.cell, self.seed = cell, seed
        self.table = read(path)
        stamps = pd.to_datetime(pd.Series(self.table.stamps))
        self.long = pd.concat(
            pd.DataFrame({"unique_id": name, "ds": stamps, "y": row})
            for name, row in zip(self.table.names, self.table.values, strict=True)
        )

    def train(self, clock: Clock) -> None:
        """Its own loop over sampled windows of the training rows; a callback looks at the clock."""

        def begin(*_: Any) -> None:
            clock.start()

        def look(trainer: Any, model: Any, *_: Any) -> None:
            if clock.tick(model.windows_batch_size):
                trainer.should_stop = True

        model = CELLS[self.cell](
            h=HORIZON,
            input_size=LOOKBACK,
            encoder_n_layers=1,
            encoder_hidden_size=HIDDEN,
            max_steps=FOREVER,
            random_seed=self.seed,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[LambdaCallback(on_train_start=begin, on_train_batch_end=look)],
        )
        self.forecaster = NeuralForecast(models=[model], freq="h")
        first = self.long.groupby("unique_id", sort=False).head(TRAIN)
        self.forecaster.fit(first, val_size=0)

    def backtest(self) -> Values:
        """The model's own prediction of every window, without the data frame around it."""
        model = self.forecaster.models[0]
        dataset, names, *_ = TimeSeriesDataset.from_df(self.long)
        model.set_test_size(TEST)
        rows = model.predict(dataset, step_size=1).reshape(len(names), WINDOWS, HORIZON)
        model.set_test_size(0)
        found: Values = rows[[list(names).index(name) for name in self.table.names]]
        return found

    def forecast(self, series: str, history: Values) -> Values:
        """As a fitted NeuralForecast answers for a new history."""
        stamps = pd.date_range("2020-01-01", periods=len(history), freq="h")
        frame = pd.DataFrame({"unique_id": series, "ds": stamps, "y": history})
        found = self.forecaster.predict(frame)
        return np.asarray(found.iloc[:, -1], dtype=np.float64)


if __name__ == "__main__":
    measure(Neural)
