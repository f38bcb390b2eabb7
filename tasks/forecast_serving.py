"""Use a trained forecaster: read a new history, answer with what comes after it."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from birnn.checkpoint import atomic_path
from birnn.errors import ConfigError
from data.counts import agree, plural
from data.panel import Panel
from data.sources import FORMATS
from tasks.forecasting import Forecasting, fitting
from tasks.forecasting_data import load_panel
from tasks.forecasting_info import ForecastInfo
from tasks.forecasting_model import ForecastModel
from tasks.forecasting_output import chart, forecast_future, forecast_rows
from tasks.request import Answer, Request
from tasks.run import load_run
from tasks.serving import check_output

OUTPUTS = (".csv", ".json", ".jsonl")
CHARTS = 3  # series that are drawn


def serve_forecast(folder: Path, request: Request) -> Answer:
    """Forecast from the end of every series of a file.

    Raises:
        BirnnError: an unusable run, input or output; nothing is forecast before these are checked.
    """
    if request.output:
        check_output(Path(request.output), OUTPUTS)
    check_request(request)
    run = load_run(folder)
    task, model = run.task, run.model
    if not isinstance(task, Forecasting) or not isinstance(model, ForecastModel):
        raise ConfigError(f"{folder} is not a run of the task forecast")
    data = replace(task.config.data, encoding=request.encoding)
    panel, inspection = load_panel(data, request.input)
    panel = fitting(panel, run.info, request.input)
    future = forecast_future(task, model, panel, run.info)
    records = list(forecast_rows(future.split, future.forecasts, np.arange(len(future.split))))
    notes = [*inspection.notes, *(f"{f.text} {f.treatment}" for f in inspection.findings[:5])]
    return Answer(
        records,
        lambda path: write_forecast(path, records),
        [f"note: {note}" for note in [*notes, *remarks(panel, run.info)]],
        charts=[chart(future, number) for number in range(min(CHARTS, len(future.split)))],
    )


def check_request(request: Request) -> None:
    """Refuse what is for texts.

    Raises:
        ConfigError: texts, or no file.
    """
    if request.texts:
        raise ConfigError("a forecaster takes no texts; give a file of series with --input FILE")
    if not request.input:
        raise ConfigError("nothing to forecast from: give the series with --input FILE")
    if request.best or request.explain:
        raise ConfigError("n_best and explain are for runs of texts; this one forecasts")
    if Path(request.input).suffix.lower() == ".txt":
        raise ConfigError(f"input: {request.input} is text; known: {', '.join(FORMATS)}")


def remarks(panel: Panel, info: ForecastInfo) -> list[str]:
    """What the user should know of the series that are forecast."""
    found = []
    unknown = int((info.numbers(panel) == 0).sum())
    if unknown:
        are, their = agree(unknown, "is", "are"), agree(unknown, "its", "their")
        found.append(
            f"{unknown:,} of {len(panel):,} series {are} new to the run: scaled by {their} own"
            " history"
        )
    short = int(((panel.ends > 0) & (panel.ends < info.shape.lookback)).sum())
    if short:
        have, steps = agree(short, "has", "have"), plural(info.shape.lookback, "step")
        found.append(f"{short:,} series {have} less history than the lookback of {steps}")
    return found


def write_forecast(path: Path, records: Sequence[dict[str, Any]]) -> None:
    """Write rows as CSV, JSON or JSON lines, as the extension says; whole or not at all."""
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        if path.suffix.lower() == ".csv":
            writer = csv.DictWriter(file, fieldnames=list(records[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(records)
        elif path.suffix.lower() == ".json":
            json.dump(list(records), file, ensure_ascii=False, indent=1)
            file.write("\n")
        else:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in records)
