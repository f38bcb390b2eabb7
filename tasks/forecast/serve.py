"""Use a trained forecaster: read a new history, answer with what comes after it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from birnn.data.series.panel import Panel
from birnn.data.tables.csv_cells import RowWriter
from birnn.data.tables.sources import FORMATS
from birnn.data.wording import agree, plural
from birnn.errors import ConfigError
from birnn.storage.files import atomic_path
from birnn.tasks.forecast.data import load_panel
from birnn.tasks.forecast.info import ForecastInfo
from birnn.tasks.forecast.model import ForecastModel
from birnn.tasks.forecast.output import Future, chart, forecast_future, forecast_rows
from birnn.tasks.forecast.task import Forecast, fitting
from birnn.tasks.runs.folder import LoadedRun, load_run
from birnn.tasks.serving.request import Answer, Request
from birnn.tasks.serving.texts import check_output

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
    future, records, notes = forecast_source(load_run(folder), request.input, request.encoding)
    return Answer(
        records,
        lambda path: write_forecast(path, records, escape=request.escape_formulas),
        [f"note: {note}" for note in notes],
        charts=[chart(future, number) for number in range(min(CHARTS, len(future.split)))],
    )


def forecast_source(
    run: LoadedRun, source: str, encoding: str
) -> tuple[Future, list[dict[str, Any]], list[str]]:
    """Forecast from the end of every series of ``source`` with a loaded run.

    Returns:
        The forecasts, their rows, and what the user should know.

    Raises:
        BirnnError: the run is of another task, or the series can't be read.
    """
    task, model = run.task, run.model
    if not isinstance(task, Forecast) or not isinstance(model, ForecastModel):
        raise ConfigError(f"{run.folder} is not a run of the task forecast")
    data = replace(task.config.data, encoding=encoding)
    panel, inspection = load_panel(data, source)
    panel = fitting(panel, run.info, source)
    future = forecast_future(task, model, panel, run.info)
    records = list(forecast_rows(future.split, future.forecasts, np.arange(len(future.split))))
    notes = [*inspection.notes, *(f"{f.text} {f.treatment}" for f in inspection.findings[:5])]
    return future, records, [*notes, *remarks(panel, run.info)]


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


def write_forecast(path: Path, records: Sequence[dict[str, Any]], *, escape: bool = False) -> None:
    """Write rows as CSV, JSON or JSON lines, as the extension says; whole or not at all.

    Args:
        escape: cells of a CSV file that a spreadsheet would run as a formula.
    """
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        if path.suffix.lower() == ".csv":
            writer = RowWriter(file, escape=escape)
            writer.row(records[0])
            for record in records:
                writer.row(record.values())
        elif path.suffix.lower() == ".json":
            json.dump(list(records), file, ensure_ascii=False, indent=1)
            file.write("\n")
        else:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in records)
