"""Use a trained forecaster: read a new history, answer with what comes after it."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from birnn.data.series.findings import Inspection, finding_lines
from birnn.data.series.panel import Panel
from birnn.data.series.remembered import Remembered, parse_remembered
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.formats import FORMATS
from birnn.data.tables.memory import named_source
from birnn.data.wording import agree, plural
from birnn.errors import ConfigError, DataError
from birnn.tasks.forecast.data import load_panel
from birnn.tasks.forecast.forecasts import level_name
from birnn.tasks.forecast.info import ForecastInfo
from birnn.tasks.forecast.model import ForecastModel
from birnn.tasks.forecast.output import Future, chart, forecast_rows, future_windows
from birnn.tasks.forecast.task import Forecast, fitting
from birnn.tasks.runs.folder import LoadedRun, predictions_of
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Change, Request

CHARTS = 3  # series that are drawn


class ForecastPredictor(Predictor):
    """A loaded forecaster: what comes after the last row of each series."""

    outputs = (".csv", ".json", ".jsonl")
    takes = ("table", "changes")
    reads_files = True
    refuses: ClassVar[Mapping[str, str]] = {
        **Predictor.refuses,
        "texts": "a forecaster takes no texts; give a file of series with --input FILE",
    }

    def about(self) -> dict[str, Any]:
        """Steps ahead and back, levels of the bands, and the columns of its own file."""
        info: ForecastInfo = self.run.info
        columns = columns_of(self.run.task.reading, info)
        return {
            "horizon": info.shape.horizon, "lookback": info.shape.lookback,
            "frequency": info.clock.named(), "season": info.season,
            "levels": [level_name(level) for level in info.levels],
            "columns": [name for names in columns.values() for name in names],
        }  # fmt: skip

    def sample(self) -> dict[str, Any]:
        """A short file with the run's own columns."""
        text = example(self.run.task.reading, self.run.info)
        return {"csv": text} if text else {}

    def answer(self, request: Request) -> Answer:
        """Forecast from the end of every series of a file."""
        self.check(request)
        if not request.input:
            raise ConfigError("nothing to forecast from: give the series with --input FILE")
        if Path(request.input).suffix.lower() == ".txt":
            raise ConfigError(f"input: {request.input} is text; known: {', '.join(FORMATS)}")
        future, records, notes = forecast_source(
            self.run, request.input, request.read, request.changes
        )
        charts = [chart(future, number) for number in range(min(CHARTS, len(future.split)))]

        def write(path: Path) -> None:
            rows = [list(records[0]), *(record.values() for record in records)]
            write_records(path, records, rows, escape=request.escape_formulas)

        told = [f"note: {note}" for note in notes]
        return Answer(records, write, told, charts=charts, drawings=partial(drawn, future))

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """A row a series and step: ``id``, ``time``, ``mean``, ``lower_…`` and ``upper_…``."""
        with named_source(data) as source:
            read = ReadOptions(self.run.task.config.data.encoding, table=self.table)
            return forecast_source(self.run, source, read)[1]

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
    run: LoadedRun, source: str, read: ReadOptions, changes: Sequence[Change] = ()
) -> tuple[Future, list[dict[str, Any]], list[str]]:
    """Forecast from the end of every series of a source: forecasts, rows, what one should know.

    Raises:
        BirnnError: the run is of another task, or the series can't be read.
    """
    if not isinstance(run.task, Forecast) or not isinstance(run.model, ForecastModel):
        raise ConfigError(f"{run.folder} is not a run of the task forecast")
    panel, inspection = read_series(run, source, read)
    panel = changed(panel, changes)
    future = Future(*predictions_of(run, lambda one: future_windows(panel, one.info)))
    records = list(forecast_rows(future.split, future.forecasts, np.arange(len(future.split))))
    notes = [*inspection.notes, *finding_lines(inspection.findings, 5)]
    return future, records, [*notes, *remarks(panel, run.info)]


def read_series(run: LoadedRun, source: str, read: ReadOptions) -> tuple[Panel, Inspection]:
    """The series of a source as the run reads them, and what is in it.

    Raises:
        BirnnError: they can't be read, or don't fit the run.
    """
    config = run.task.config.data
    data = replace(
        config, encoding=read.encoding, table=read.table,
        skip_ragged=read.skip_ragged or config.skip_ragged,
    )  # fmt: skip
    panel, inspection = load_panel(data, source, run.task.reading)
    return fitting(panel, run.info, source), inspection


def remarks(panel: Panel, info: ForecastInfo) -> list[str]:
    """What the user should know of the series that are forecast."""
    found = []
    unknown = int((info.numbers(panel) == 0).sum())
    if unknown:
        are, their = agree(unknown, "is", "are"), agree(unknown, "its", "their")
        which = f"{unknown:,} of {len(panel):,} series {are} new to the run"
        found.append(f"{which}: scaled by {their} own history")
    short = int(((panel.ends > 0) & (panel.ends < info.shape.lookback)).sum())
    if short:
        have, steps = agree(short, "has", "have"), plural(info.shape.lookback, "step")
        found.append(f"{short:,} series {have} less history than the lookback of {steps}")
    return found


START = "2024-01-01"
FEWEST, MOST = 30, 120  # steps of the example


def columns_of(reading: Mapping[str, Any], info: ForecastInfo) -> dict[str, list[str]]:
    """The columns of a file that a run reads as its own: of series, times, values, covariates."""
    stored = reading.get("series")
    known = parse_remembered(stored) if stored else Remembered()
    ahead = [name for name in info.future if not name.startswith("calendar:")]
    return {
        "id": known.id_columns, "time": known.time_columns or ["time"],
        "values": known.targets or info.names[:1], "past": info.past, "future": ahead,
        "static": info.static,
    }  # fmt: skip


def example(reading: Mapping[str, Any], info: ForecastInfo) -> str:
    """A short CSV with the run's own columns; empty where a stamp takes several of them."""
    columns = columns_of(reading, info)
    if len(columns["time"]) > 1 or len(columns["id"]) > 1:
        return ""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([name for names in columns.values() for name in names])
    writer.writerows(_rows(columns, info))
    return file.getvalue()


def _rows(columns: Mapping[str, list[str]], info: ForecastInfo) -> Iterator[list[Any]]:
    """Waves around the run's own level, and the steps ahead where covariates are known ahead."""
    import pandas as pd

    horizon, season = info.shape.horizon, max(info.season, 2)
    steps = max(horizon + 2, min(info.shape.lookback, MOST), FEWEST)
    ahead = horizon if columns["future"] else 0
    begin = pd.Timestamp(START, tz="UTC").value if info.clock.frequency else 0
    stamps = info.clock.stamps(begin, 0, steps + ahead)
    level, spread = float(info.scaling.shift[0]), float(info.scaling.scale[0])
    numbers = sum(len(columns[name]) for name in ("past", "future", "static"))
    for step, stamp in enumerate(stamps):
        wave = level + spread * math.sin(2 * math.pi * step / season)
        value = f"{wave:.6g}" if step < steps else ""
        known = [info.names[0]] if columns["id"] else []
        yield [*known, str(stamp), *[value] * len(columns["values"]), *[0] * numbers]


def changed(panel: Panel, changes: Sequence[Change]) -> Panel:
    """The panel with other values at some steps of its histories.

    Raises:
        DataError: there is no such series or step.
    """
    if not changes:
        return panel
    places = {name: number for number, name in enumerate(panel.names)}
    values = panel.values.copy()
    for change in changes:
        number = places.get(change.series)
        if number is None:
            raise DataError(f"changes: there is no series {change.series[:80]!r}")
        end = int(panel.ends[number])
        if not -end <= change.step < 0:
            steps = f"its steps are {-end} to -1, the last"
            raise DataError(f"changes: series {change.series[:80]!r} has no step {change.step};"
                            f" {steps}")  # fmt: skip
        values[int(panel.offsets[number]) + end + change.step] = change.value
    return replace(panel, values=values)


def drawn(future: Future, most: int) -> list[dict[str, Any]]:
    """The end of the first series, and what comes after: stamps, values, bounds of each level.

    Returns:
        For each series its ``name``; ``times [T + H]``; ``history [T]``, None where a value is
        missing; ``mean [H]``; and ``bands`` of ``level``, ``lower [H]`` and ``upper [H]``, the
        narrowest first.
    """
    split, panel, pictures = future.split, future.split.panel, []
    calibration = future.forecasts.calibration
    for window in range(min(most, len(split))):
        series, end = int(split.series[window]), int(split.origin[window])
        first = max(0, end - max(4 * split.horizon, 4 * panel.season, 90))
        bounds = future.forecasts.intervals(split, np.array([window]))
        bands = []
        if bounds is not None and calibration is not None:
            bands = [
                {"level": level_name(level), "lower": lower.tolist(), "upper": upper.tolist()}
                for level, lower, upper in zip(
                    calibration.levels, bounds[0][0], bounds[1][0], strict=True
                )
            ]
        points = np.asarray(future.forecasts.values[np.array([window])][0])
        history = panel.history(series)[first:end]
        stamps = panel.stamps(series, first, end - first + split.horizon)
        pictures.append({
            "name": panel.names[series], "times": [str(stamp) for stamp in stamps],
            "history": [float(v) if np.isfinite(v) else None for v in history],
            "mean": points.tolist(), "bands": bands,
        })  # fmt: skip
    return pictures
