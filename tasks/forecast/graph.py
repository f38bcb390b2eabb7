"""The forecaster as an ONNX graph: scaled windows → scaled steps ahead."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from birnn.data.series.panel import Clock
from birnn.errors import BirnnError, ConfigError
from birnn.nn.batch import Batch
from birnn.storage.files import read_json
from birnn.storage.scratch import scratch
from birnn.tasks.export.graph import Arrays, Axes, Graph
from birnn.tasks.forecast.blocks import step_nanoseconds
from birnn.tasks.forecast.fit import FORECASTERS, head_quantiles
from birnn.tasks.forecast.model import ForecastModel, ForecastOutputs
from birnn.tasks.forecast.serve import forecast_source
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.request import Request

SERIES = 8  # that are forecast of a made-up file
ROWS = 60  # of a series, at least
MONTH_STEPS = {"MS": ("start", 1), "ME": ("end", 1), "QS": ("start", 3), "QE": ("end", 3),
               "YS": ("start", 12), "YE": ("end", 12)}  # fmt: skip


class ForecastGraph(Graph):
    """The networks, the linear map, and how they are mixed."""

    axes: ClassVar[Axes] = {
        "segments": {0: "batch", 1: "time"}, "observed": {0: "batch", 1: "time"},
        "covariates": {0: "batch", 1: "time"}, "ahead": {0: "batch"}, "static": {0: "batch"},
        "series": {0: "batch"}, "lengths": {0: "batch"}, "forecast": {0: "batch"},
    }  # fmt: skip

    outputs = ("forecast",)

    def __init__(self, run: Any) -> None:
        super().__init__(run)
        model = run.model
        assert isinstance(model, ForecastModel)
        if not 0 <= int(model.forecaster) < len(FORECASTERS):
            raise ConfigError(f"{run.folder}: it names a forecaster that there is not")
        if (choice := FORECASTERS[int(model.forecaster)]) != "model":
            raise ConfigError(
                f"{run.folder}: it predicts with the baseline {choice}, which is no network to"
                " export; train without --best"
            )
        self.folder = run.folder
        self.radius = model.radius.double().numpy()

    @property
    def inputs(self) -> tuple[str, ...]:
        """See :class:`Graph`."""
        info = self.info
        there = {
            "segments": True, "observed": True, "covariates": info.past or info.future,
            "ahead": info.future, "static": info.static,
            "series": self.task.config.model.series_size, "lengths": True,
        }  # fmt: skip
        return tuple(name for name, given in there.items() if given)

    def feeds(self, batch: Batch) -> Arrays:
        """The inputs as they are."""
        tensors = {**batch.inputs, "lengths": batch.lengths}
        return {name: tensors[name].numpy() for name in self.inputs}

    def answer(self, inputs: Mapping[str, Tensor], lengths: Tensor) -> tuple[Tensor, ...]:
        """``[B, H, Q]``."""
        return (self.plain(Batch(dict(inputs), lengths)).mixed,)

    def wanted(self, outputs: ForecastOutputs) -> Mapping[str, Tensor]:
        """See :class:`Graph`."""
        return {"forecast": outputs.mixed}

    def read(self, found: Mapping[str, Tensor], batch: Batch) -> ForecastOutputs:
        """See :class:`Graph`; of the parts nothing is known."""
        mixed = found["forecast"]
        middle = mixed[..., mixed.shape[-1] // 2]
        return ForecastOutputs(mixed.unsqueeze(0), mixed, middle, mixed)

    def sample(self, lengths: Sequence[int], generator: np.random.Generator) -> Batch:
        """Random windows, a tenth of their values missing where values can be missing."""
        shape, info = self.info.shape, self.info
        items, steps = len(lengths), max(lengths)
        size = (items, steps, shape.segment)
        values = generator.normal(size=size).cumsum(1)
        there = np.ones(size, dtype=bool)
        if info.masked:
            there &= generator.random(size) > 0.1
        arrays = {
            "segments": np.where(there, values, 0.0), "observed": there,
            "covariates": generator.normal(size=(*size, len(info.past) + len(info.future))),
            "ahead": generator.normal(size=(items, shape.horizon, len(info.future))),
            "static": generator.normal(size=(items, len(info.static))),
        }  # fmt: skip
        tensors = {k: torch.from_numpy(v.astype(np.float32)) for k, v in arrays.items()}
        tensors["series"] = torch.from_numpy(generator.integers(0, len(info.names) + 1, items))
        return Batch(tensors, torch.tensor(lengths))

    def card(self) -> dict[str, Any]:
        """Series, scales, sizes, clock, intervals, and the columns of the run's file."""
        info, settings = self.info, self.task.config
        return {
            "task": "forecast", "names": info.names, **vars(info.shape),
            "shift": info.scaling.shift.tolist(), "scale": info.scaling.scale.tolist(),
            "covariates": [*info.past, *info.future, *info.static],
            "covariate_moments": np.asarray(info.scaling.future).tolist(),
            "clock": plain_clock(info.clock), "columns": columns_of(self.folder, settings.data),
            "missing": settings.data.missing, "levels": list(info.levels),
            "radius": self.radius.tolist(), "quantiles": list(head_quantiles(settings, info)),
            "min": settings.model.min, "max": settings.model.max,
        }  # fmt: skip

    def longest(self, steps: int) -> int:
        """A lookback's segments at most."""
        return min(steps, int(self.info.shape.segments))

    def compare_script(
        self, run: LoadedRun, made: Path, predictor: Callable[[Path], Any]
    ) -> tuple[float | None, str]:
        """A made-up file like the run's own; not compared where birnn or the script refuses it."""
        with scratch() as home:
            path = home / "sample.csv"
            try:
                ready = predictor(made)
                write_sample(path, run, ready.card["columns"])
                found = ready.predict(path)
                wanted = forecast_source(run, str(path), Request().read)[1]
            except (ValueError, BirnnError) as error:
                return None, "not compared: " + str(error).replace(f"{path}: ", "")
        scales = dict(zip(run.info.names, run.info.scaling.scale, strict=True))
        series = len({row["id"] for row in wanted})
        return forecasts_apart(found, wanted, scales), f"a file of {series} series"


def plain_clock(clock: Clock) -> dict[str, Any]:
    """A clock for a reader without pandas; of the kind ``other`` where it can't be told.

    ``whole``: numbers ``step`` apart. ``fixed``: nanoseconds ``step`` apart. ``months``: ``step``
    months apart, at their ``start`` or ``end``. ``business``: working days.
    """
    if not clock.frequency:
        return {"kind": "whole", "step": clock.step}
    other = {"kind": "other", "name": clock.named()}
    if clock.zone or clock.day:
        return other
    offset: Any = pd.tseries.frequencies.to_offset(clock.frequency)
    head = offset.rule_code.split("-")[0]
    if head in MONTH_STEPS:
        at, months = MONTH_STEPS[head]
        return {"kind": "months", "step": months * offset.n, "at": at}
    if head == "B" and offset.n == 1:
        return {"kind": "business", "step": 1}
    nanoseconds = step_nanoseconds(clock.frequency)
    return {"kind": "fixed", "step": nanoseconds} if nanoseconds else other


def columns_of(folder: Any, data: Any) -> dict[str, Any]:
    """Which columns of the run's file were what: as they were found, else as they were named."""
    try:
        found = read_json(folder / "metrics.json")["data"]["inspection"]
        return {
            "layout": str(found["layout"]), "time": str(found["time_column"]),
            "ids": [name for name in str(found["id_column"]).split(", ") if name],
            "targets": [str(name) for name in found["targets"]],
            "unlike": unlike_plain(found.get("reading", {}).get("series", {})),
        }  # fmt: skip
    except (BirnnError, KeyError, TypeError):
        return {
            "layout": data.layout, "time": data.time_column,
            "ids": [data.id_column] if data.id_column else [],
            "targets": [name.strip() for name in data.target.split(",") if name.strip()],
        }  # fmt: skip


def unlike_plain(reading: Mapping[str, Any]) -> str:
    """How a run read its file, in words, where a reader of plain CSV would read it otherwise."""
    if reading.get("turned"):
        return "the dates of the run stand in the header"
    times = reading.get("time_columns", [])
    if len(times) > 1:
        return f"the time of the run is joined from several columns ({', '.join(times)})"
    if reading.get("orders", {}).get("422", "ymd") != "ymd":
        return "the dates of the run are written with the day before the month"
    if reading.get("number"):
        return "the stamps of the run are dates written as numbers"
    if reading.get("moved") or reading.get("day"):
        return "the stamps of the run are one day of each month"
    return ""


def forecasts_apart(
    found: list[dict[str, Any]], wanted: list[dict[str, Any]], scales: dict[str, float]
) -> float:
    """The largest difference in units of a series' scale; inf where ids or times differ."""
    worst, texts = 0.0, ("id", "time")
    if len(found) != len(wanted):
        return float("inf")
    for one, other in zip(found, wanted, strict=True):
        if list(one) != list(other) or any(one[k] != other[k] for k in texts):
            return float("inf")
        scale = float(scales.get(one["id"], 1.0))
        worst = max(worst, *(abs(one[k] - other[k]) / scale for k in other if k not in texts))
    return worst


def write_sample(path: Path, run: LoadedRun, columns: dict[str, Any]) -> None:
    """A made-up file like the run's own, one of its series with gaps where the run masks them."""
    info, generator = run.info, np.random.default_rng(3)
    rows = max(info.shape.lookback + info.shape.horizon + 3, 3 * info.season, ROWS)
    start = 0 if not info.clock.frequency else 978_307_200 * 10**9  # 2001-01-01
    stamps = [str(stamp) for stamp in info.clock.stamps(start, 0, rows)]
    wide = not columns["ids"]
    names = columns["targets"] if wide else info.names[:SERIES]
    scales = zip(info.scaling.shift, info.scaling.scale, strict=True)
    known = dict(zip(info.names, scales, strict=True))
    values = {}
    for name in names:
        shift, scale = known.get(name, (0.0, 1.0))
        drawn = shift + scale * 0.2 * generator.normal(size=rows).cumsum()
        values[name] = [repr(float(v)) for v in drawn]
        if info.masked:
            values[name][rows // 2] = ""
    time = columns["time"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if wide:
            table = {**({time: stamps} if time else {}), **values}
            writer.writerow(table)
            writer.writerows(zip(*table.values(), strict=True))
            return
        writer.writerow([time, *columns["ids"], columns["targets"][0]])
        for name in names:
            parts = name.split("/") if len(columns["ids"]) > 1 else [name]
            writer.writerows([s, *parts, v] for s, v in zip(stamps, values[name], strict=True))
