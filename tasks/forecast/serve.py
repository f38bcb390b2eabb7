"""Use a trained forecaster: read a new history, answer with what comes after it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from birnn.data.series.panel import Panel
from birnn.data.tables.memory import named_source
from birnn.data.tables.sources import FORMATS
from birnn.data.wording import agree, plural
from birnn.errors import ConfigError
from birnn.tasks.forecast.data import load_panel
from birnn.tasks.forecast.info import ForecastInfo
from birnn.tasks.forecast.model import ForecastModel
from birnn.tasks.forecast.output import Future, chart, forecast_future, forecast_rows
from birnn.tasks.forecast.task import Forecast, fitting
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Request

CHARTS = 3  # series that are drawn


class ForecastPredictor(Predictor):
    """A loaded forecaster: what comes after the last row of each series."""

    outputs = (".csv", ".json", ".jsonl")

    def answer(self, request: Request) -> Answer:
        """Forecast from the end of every series of a file."""
        self.check(request)
        check_request(request)
        future, records, notes = forecast_source(self.run, request.input, request.encoding)
        return Answer(
            records,
            lambda path: write_forecast(path, records, escape=request.escape_formulas),
            [f"note: {note}" for note in notes],
            charts=[chart(future, number) for number in range(min(CHARTS, len(future.split)))],
        )

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """A row a series and step: ``id``, ``time``, ``mean``, ``lower_…`` and ``upper_…``."""
        encoding = self.run.task.config.data.encoding
        with named_source(data) as source:
            return forecast_source(self.run, source, encoding)[1]

    def predict(self, data: Any, column: str) -> Any:
        """The records as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.records(data, column))

    def predict_proba(self, data: Any, column: str) -> Any:
        """Refused: the intervals stand beside the forecasts."""
        raise ConfigError(
            "predict_proba: a forecast has no classes; predict gives the bounds of its intervals"
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
    rows = [list(records[0]), *(record.values() for record in records)]
    write_records(path, records, rows, escape=escape)
