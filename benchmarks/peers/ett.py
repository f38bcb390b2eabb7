"""What every forecaster does on ETTh1, and how it is measured.

Seven hourly series, 14,400 rows: 8,640 train, 2,880 lie between, 2,880 test. 336 steps are read, 96
forecast, by one model for all series with one recurrent layer of 128 units. Every window of the
test rows counts; errors are in units of each series' deviation over the training rows.
"""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from measuring import PASSES, Clock, milliseconds, options, say, seconds_of
from numpy.typing import NDArray

TRAIN, BETWEEN, TEST = 8640, 2880, 2880
ROWS = TRAIN + BETWEEN + TEST
LOOKBACK, HORIZON, HIDDEN = 336, 96, 128
WINDOWS = TEST - HORIZON + 1  # of each series
Values = NDArray[np.float64]


class Table(NamedTuple):
    """The file's first rows."""

    names: list[str]
    stamps: list[str]
    values: Values  # [N, ROWS]

    @property
    def shift(self) -> Values:
        """``[N, 1]`` means of the training rows."""
        found: Values = self.values[:, :TRAIN].mean(1, keepdims=True)
        return found

    @property
    def scale(self) -> Values:
        """``[N, 1]`` their deviations."""
        found: Values = self.values[:, :TRAIN].std(1, keepdims=True)
        return found


class Forecaster(Protocol):
    """A system under measurement, its data read and its model made."""

    name: str
    version: str

    def train(self, clock: Clock) -> None:
        """Train until the clock says that it is enough."""

    def backtest(self) -> Values:
        """Forecasts ``[N, WINDOWS, HORIZON]`` of all test windows, in the series' units."""

    def forecast(self, series: str, history: Values) -> Values:
        """What comes after ``history [LOOKBACK]`` of a series, ``[HORIZON]``, in its units."""


def read(path: Path) -> Table:
    """The rows of ETTh1.csv that are used."""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines[1 : ROWS + 1]]
    values = np.array([[float(cell) for cell in row[1:]] for row in rows])
    return Table(lines[0].split(",")[1:], [row[0] for row in rows], values.T)


def scores(table: Table, found: Values) -> dict[str, float]:
    """Scaled errors over all windows, series and steps."""
    rows = table.values[:, ROWS - TEST :]
    wanted = np.lib.stride_tricks.sliding_window_view(rows, HORIZON, axis=1)
    error = (found - wanted) / table.scale[:, :, None]
    return {"mse": float(np.square(error).mean()), "mae": float(np.abs(error).mean())}


def measure(make: type[Forecaster]) -> None:
    """Train a system, forecast the test windows and a single one, and print what was found.

    Args:
        make: called with the file, the cell (gru or lstm), the seed, and the variant.
    """
    given = options()
    table = read(given.data)
    system = make(given.data, given.cell, given.seed, given.variant)  # type: ignore[call-arg]
    clock = Clock(given.seconds, given.warm)
    system.train(clock)
    name = table.names[-1]
    history = table.values[-1, ROWS - TEST - LOOKBACK : ROWS - TEST]
    found = {}

    def test_all() -> None:
        found["windows"] = system.backtest()

    single = milliseconds(lambda: system.forecast(name, history), given.repeats)
    seconds = seconds_of(test_all, PASSES)
    alone = system.forecast(name, history)
    if not np.allclose(alone, found["windows"][-1, 0], rtol=1e-3, atol=1e-2):
        raise SystemExit(f"{system.name}: the first test window alone and among all differ")
    report = {
        **clock.report(),
        "predict_per_second": len(table.names) * WINDOWS / seconds,
        "latency_ms": single,
        **scores(table, found["windows"]),
    }
    say(system.name, system.version, {"cell": given.cell, **report})
