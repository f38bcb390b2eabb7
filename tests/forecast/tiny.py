"""Forecasting, small enough to check in a second."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from birnn.tasks.forecast.options import ForecastConfig, ForecastData, ForecastParts

from tiny_parts import ENCODER, TRAIN


def write_series(path: Path) -> None:
    """Three hourly series of their own lengths with gaps, in long layout, and their covariates.

    The last rows hold what is known ahead.
    """
    generator = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "time", "value", "price", "holiday", "kind"])
        for who, size in enumerate((60, 72, 66)):
            stamps = pd.date_range("2024-01-01", periods=size + 5, freq="h")
            season = np.sin(np.arange(size + 5) * np.pi / 3)
            y = 10 * who + season + 0.1 * generator.normal(size=size + 5)
            for t, stamp in enumerate(stamps):
                known = t < size and not (t % 17 == 5 and t < size - 1)
                price = f"{generator.normal():.3f}" if t < size else ""
                value = f"{y[t]:.4f}" if known else ""
                writer.writerow([f"s{who}", stamp, value, price, t % 2, "ab"[who % 2]])


def write_wide(path: Path) -> None:
    """Two daily series without gaps."""
    generator = np.random.default_rng(1)
    stamps = pd.date_range("2024-01-01", periods=90, freq="D")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["date", "north", "south"])
        for t, stamp in enumerate(stamps):
            values = [np.sin(2 * np.pi * t / 7) + 0.1 * generator.normal() for _ in range(2)]
            writer.writerow([stamp.date(), 100 + 5 * values[0], values[1]])


FORECAST_TRAIN = replace(TRAIN, batch_size=8, epoch_steps=50)


def panel(folder: Path) -> ForecastConfig:
    """Ragged lookbacks with gaps, every kind of covariate, quantile heads, a vector a series."""
    write_series(folder / "long.csv")
    return ForecastConfig(
        ForecastData(
            str(folder / "long.csv"), season=6, past="price", future="holiday", static="kind",
            calendar="hour", horizon=5, lookback=10,
        ),
        ForecastParts(
            members=1, segment=3, segment_size=6, series_size=2, loss="quantile",
            normalise="scale", head_dropout=0.05, input_dropout=0.05, levels="50,80",
        ),
        ENCODER,
        FORECAST_TRAIN,
    )  # fmt: skip


def wide(folder: Path) -> ForecastConfig:
    """Two networks, SegRNN's decoder, points."""
    write_wide(folder / "wide.csv")
    return ForecastConfig(
        ForecastData(str(folder / "wide.csv"), horizon=5, lookback=14),
        ForecastParts(
            members=2, segment=7, segment_size=6, decoder="segments", head_dropout=0.02,
            levels="50",
        ),
        ENCODER,
        FORECAST_TRAIN,
    )  # fmt: skip


def distance_from_last(data: Any) -> tuple[float, float]:
    """The mean absolute distance of the targets from the last value before them.

    An untrained head moves little from there.
    """
    train = data.splits["train"]
    items = np.arange(len(train))
    gaps = []
    for history, future in zip(train.histories(items), train.futures(items), strict=True):
        last = history[np.isfinite(history)][-1] if np.isfinite(history).any() else np.nan
        gaps.append(np.abs(future - last))
    scale = train.scale[train.series][:, None]
    wanted = float(np.nanmean(np.array(gaps) / scale))
    return wanted, 0.35


TINY = {"panel": panel, "wide": wide}
START = {"panel": lambda data: (2.0, 2.0), "wide": distance_from_last}
