"""Forecasting: many steps ahead of one or many series, with calibrated intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from birnn.arrays import Array
from birnn.config import TrainConfig
from birnn.data.series.findings import finding_lines
from birnn.data.series.panel import Panel
from birnn.data.series.windows import WindowSplit, windows_between
from birnn.data.wording import MOST_NAMED
from birnn.errors import DataError
from birnn.nn.batch import Batch
from birnn.nn.model import Embedder
from birnn.search import Space, choice
from birnn.tasks.core.task import Baseline, Evaluation, LoadedSplit, TaskData
from birnn.tasks.forecast import fit, output
from birnn.tasks.forecast import model as networks
from birnn.tasks.forecast.conformal import check_levels
from birnn.tasks.forecast.data import (
    SeriesData,
    first_scored,
    load_panel,
    load_series,
    unseen_panel,
)
from birnn.tasks.forecast.fit import ForecastTask, ForecastTaskData
from birnn.tasks.forecast.forecasts import Forecasts, mean_forecasts, quantiles_of
from birnn.tasks.forecast.info import ForecastInfo, read_forecast_info
from birnn.tasks.forecast.model import ForecastModel, ForecastOutputs
from birnn.tasks.forecast.sums import accumulate
from birnn.tasks.scoring.metric_names import fitted
from birnn.training.events import EpochEvent
from birnn.training.losses import LossSum

# What a window loses before it is read, in words.
LESS = {
    "last": "from the last value", "scale": "from the last value, scaled",
    "season": "from the last season's mean", "none": "as it is",
    "season_scale": "from the last season's mean, scaled", "mean": "from the window's mean, scaled",
}  # fmt: skip
SERIES_SHOWN = 200  # in the details of a run


class Forecast(ForecastTask):
    """Segments of the lookback through a bidirectional encoder, to all steps ahead at once."""

    name = "forecast"
    unit = "windows"
    monitors = ("mae_scaled", "mse_scaled")
    headline = ("mae", "mse")
    errors = True

    def load(self) -> ForecastTaskData:
        """Read, check and split; names and scales come from the training rows."""
        series = load_series(self.config)
        if self.origin:
            info = self.origin.merged(series.info)
            splits = {k: replace(part, scaling=info.scaling) for k, part in series.splits.items()}
            series = replace(series, info=info, splits=splits)
        report = series.inspection
        notes = [
            describe_columns(series, self.config.data),
            describe_rows(series),
            *report.notes,
            *series.notes,
        ]
        troubles = finding_lines(report.findings, 20)
        rows = {name: len(split) for name, split in series.splits.items()}
        provenance = {
            "source": report.source, "rows": rows, "unit": "windows",
            "splits": [*notes, *troubles], "inspection": report.to_json(),
        }  # fmt: skip
        warnings = finding_lines(report.findings, 5)
        if reason := output.why_no_future(series.panel, series.info):
            warnings.append(f"no forecast.csv will be written: {reason}")
        return TaskData(
            series.splits, series.info, provenance, notes, warnings, report.reading, series.fold
        )

    def load_split(self, info: ForecastInfo, source: str, name: str) -> LoadedSplit[WindowSplit]:
        """Windows to score, scaled as the run's; another file is taken whole."""
        if not source:
            own = load_series(self.config, self.reading)
            known, first = own.splits[name], first_scored(own.panel, own.parts, info)
            split = info.windows(own.panel, first, known.series, known.origin)
            notes = [describe_rows(own), *own.notes]
            if self.config.model.refit:
                notes.append("WARNING: --refit trained the saved model on all of these rows")
            return LoadedSplit(split, f"{own.inspection.source} ({name})", notes)
        panel, inspection = load_panel(self.config.data, source, self.reading)
        panel = fitting(panel, info, source)
        # A series that the run doesn't know is scaled by its first lookback.
        first = np.minimum(np.maximum(panel.ends - info.shape.horizon, 1), info.shape.lookback)
        series, origin = windows_between(panel, first, panel.ends, info.shape.horizon)
        if not len(series):
            raise DataError(f"{source}: no series has {info.shape.horizon + 1} rows to score")
        return LoadedSplit(info.windows(panel, first, series, origin), source, inspection.notes)

    def name_items(self, split: WindowSplit, items: Array) -> str:
        """The series of the windows, each with the stamps from which they forecast."""
        places: dict[int, list[int]] = {}
        for item in np.unique(items)[:MOST_NAMED]:
            places.setdefault(int(split.series[item]), []).append(int(split.origin[item]))
        parts = []
        for series, steps in places.items():
            stamps = ", ".join(str(split.panel.stamps(series, at, 1)[0]) for at in steps)
            parts.append(f"{split.panel.names[series]} at {stamps}")
        return "windows of " + "; ".join(parts)

    def read_info(self, folder: Path) -> ForecastInfo:
        """Restore ``series.json``."""
        return read_forecast_info(folder)

    def sizes(self, info: ForecastInfo) -> networks.InputSizes:
        """What a window brings along."""
        return networks.InputSizes(
            info.shape.segment, len(info.past) + len(info.future), len(info.future),
            len(info.static), len(info.names), info.masked, info.season,
        )  # fmt: skip

    def embedder(self, info: ForecastInfo) -> Embedder:
        """Segments as vectors."""
        model = self.config.model
        return networks.SegmentEmbedder(
            self.sizes(info), model.segment_size, model.series_size, info.normalise,
            model.input_dropout,
        )  # fmt: skip

    def head(self, input_size: int, info: ForecastInfo) -> nn.Module:
        """Final states → all steps ahead."""
        model = self.config.model
        return networks.DECODERS[model.decoder](
            input_size, info.shape.horizon, max(len(fit.head_quantiles(self.config, info)), 1),
            self.sizes(info), info.normalise, model.head_dropout,
        )  # fmt: skip

    def model(self, info: ForecastInfo) -> ForecastModel:
        """Networks from different weights, and room for the linear map and the intervals."""
        members = [self.network(info) for _ in range(info.members)]
        shape = info.shape
        return ForecastModel(members, shape.lookback, shape.horizon, info.groups, len(info.levels))

    def describe(self, info: ForecastInfo) -> list[tuple[str, str]]:
        """What is trained."""
        model, shape = self.config.model, info.shape
        season = f", season of {info.season}" if info.season > 1 else ", no season"
        kinds = {"past": info.past, "future": info.future, "static": info.static}
        known = [f"{len(names)} {kind}" for kind, names in kinds.items() if names]
        pairs = [
            *super().describe(info),
            ("series", f"{len(info.names):,}, {info.clock.named()}{season}"),
            ("window", f"{shape.lookback} steps read in segments of {shape.segment}, "
             f"{shape.horizon} ahead"),
            ("networks", f"{info.members}, averaged" if info.members > 1 else "1"),
            ("forecast", f"{model.decoder} decoder, {model.loss} loss, {LESS[info.normalise]}"),
            ("linear map", "fitted first; training ends where the networks add nothing to it"
             if model.linear else "none"),
            ("intervals", ", ".join(f"{100 * level:g} %" for level in info.levels) or "none"),
        ]  # fmt: skip
        return [*pairs, ("covariates", ", ".join(known))] if known else pairs

    def prepare(self, model: Any, data: ForecastTaskData) -> None:
        """Fit the linear map: what the networks are worth is judged with it."""
        if self.config.model.linear:
            fit.fit_linear(model, data.splits["train"], data.splits["validation"])

    def validate(self, model: Any, data: ForecastTaskData, config: TrainConfig) -> dict[str, float]:
        """Errors of what would be predicted: of the mix, where there is a linear map."""
        if not (self.config.model.linear and model.has_linear):
            return super().validate(model, data, config)
        validation, monitor = data.splits["validation"], self.monitor(data.info)
        return fit.mixed_scores(model, validation, config, monitor)

    def chooser(self, model: Any, info: ForecastInfo) -> str:
        """The networks' own error: the share is fitted to the validation windows, which are few."""
        monitor = self.monitor(info)
        mixed = self.config.model.linear and model.has_linear
        return f"networks_{monitor}" if mixed else monitor

    def chosen_by(self, info: ForecastInfo) -> str:
        """Without a linear map the networks are all there is."""
        alone = " of the networks alone" if self.config.model.linear else ""
        return f"{self.monitor(info)}{alone}"

    def floor(self, info: ForecastInfo) -> str:
        """The error of the linear map alone, which is a mix too."""
        return f"linear_{self.monitor(info)}"

    def loss(self, outputs: Any, batch: Batch) -> LossSum:
        """The mean over networks of the loss of each observed step, summed."""
        assert batch.targets is not None
        known = torch.isfinite(batch.targets)
        wanted = batch.targets.masked_fill(~known, 0.0)
        losses = self.step_loss(outputs.members.float(), wanted)
        total = (losses * known).sum() / len(outputs.members)
        return LossSum(total, known.sum())

    def step_loss(self, members: Tensor, wanted: Tensor) -> Tensor:
        """``[M, B, H, Q]`` and ``[B, H]`` → ``[M, B, H]``."""
        kind = self.config.model.loss
        if kind == "quantile":
            error = wanted[..., None] - members
            # Levels that the data can't support are the highest ones: the heads have the others.
            levels = check_levels(self.config.model.levels)[: members.shape[-1] // 2]
            shares = torch.tensor(quantiles_of(levels), device=members.device)
            # Twice the pinball loss: for the median it is the absolute error.
            return 2 * torch.maximum(shares * error, (shares - 1) * error).mean(-1)
        error = members.squeeze(-1) - wanted
        if kind == "huber":
            return F.huber_loss(error, torch.zeros_like(error), reduction="none")
        return error.square() if kind == "mse" else error.abs()

    def decode(self, outputs: ForecastOutputs, batch: Batch) -> list[Array]:
        """``[H, Q]`` for each window, scaled."""
        return list(outputs.mixed.float().cpu().numpy())

    def count(self, outputs: ForecastOutputs, batch: Batch, info: ForecastInfo) -> dict[str, Array]:
        """Observed steps, squared and absolute errors of the median, scaled."""
        assert batch.targets is not None
        median = outputs.mixed[..., outputs.mixed.shape[-1] // 2]
        error = (median - batch.targets).double()
        error = error[torch.isfinite(batch.targets)]
        sums = [float(error.numel()), error.square().sum().item(), error.abs().sum().item()]
        return {"sums": np.array(sums)}

    def scores(self, counts: Mapping[str, Array]) -> dict[str, float]:
        """``mae_scaled`` and ``mse_scaled``."""
        steps, squared, absolute = counts["sums"]
        return {"mae_scaled": float(absolute / steps), "mse_scaled": float(squared / steps)}

    def monitors_for(self, info: ForecastInfo) -> tuple[str, ...]:
        """Training for squares, squares choose."""
        return self.monitors[::-1] if self.config.model.loss == "mse" else self.monitors

    def search_spaces(self, info: ForecastInfo) -> dict[str, Space]:
        """Lookbacks and segments are sought around what the season and the history give."""
        shape = info.shape
        lengths = (shape.lookback // 2, 2 * shape.lookback)
        pieces = (shape.segment // 2, 2 * shape.segment)
        return {
            "lookback": choice(0, *(n for n in lengths if n >= 2 * shape.segment)),
            "segment": choice(0, *(n for n in pieces if 2 <= n <= shape.lookback // 2)),
            "normalise": choice("auto", "last", "mean", "scale"),
        }

    def without_test(self, data: ForecastTaskData) -> ForecastTaskData:
        """The windows of train and validation, on a panel that holds nothing later."""
        kept = super().without_test(data)
        panel = unseen_panel(list(kept.splits.values()))
        splits = {name: replace(split, panel=panel) for name, split in kept.splits.items()}
        return replace(kept, splits=splits)

    def finish(self, model: Any, data: ForecastTaskData) -> dict[str, Any]:
        """Fit the linear map and its share, then calibrate the intervals on what is held back."""
        settings, info = self.config.model, data.info
        validation, held_back = data.splits["validation"], data.splits["calibration"]
        linear = fit.fit_linear(model, data.splits["train"], validation)
        fitted: dict[str, Any] = {"members": info.members, "linear": linear}
        if settings.linear and linear:
            fitted |= fit.fit_mix(self, model, validation, self.monitor(info))
        if settings.best:  # now: a model that is trained again will have seen these rows
            model.validation_errors = fit.validation_errors(self, model, validation, info)
        if info.levels:
            forecasts = fit.forecast_split(self, model, held_back, info)
            fit.set_calibration(model, held_back, forecasts, info)
        return fitted

    def predictions(self, model: Any, split: WindowSplit, info: ForecastInfo) -> Forecasts:
        """Points with intervals, in the series' units; of a baseline where ``--best`` chose one."""
        forecasts = fit.forecast_split(self, model, split, info)
        return replace(forecasts, calibration=fit.own_calibration(self, model, split, info))

    def backtest(self, model: Any, data: ForecastTaskData, epochs: int) -> Forecasts:
        """The test windows, rolled forward; with ``--refit``, by models of all rows before."""
        if self.config.model.refit:
            return fit.refit_forecasts(self, model, data, epochs)
        return self.predictions(model, data.splits["test"], data.info)

    def combined(
        self, parts: Sequence[tuple[WindowSplit, Any, ForecastInfo]], info: ForecastInfo
    ) -> Forecasts:
        """The mean of the points, of the quantiles, and of the bounds of each level."""
        return mean_forecasts([(split, forecasts) for split, forecasts, _ in parts])

    def evaluate(
        self, split: WindowSplit, predictions: Any, info: ForecastInfo, seed: int
    ) -> Evaluation:
        """Scores with a bootstrap over blocks of origins."""
        from birnn.tasks.forecast import metrics

        sums = accumulate(split, predictions, info.season)
        return Evaluation(metrics.scores(sums), metrics.forecast_replicates(sums, seed))

    def baselines(self, data: ForecastTaskData) -> list[Baseline]:
        """Last value, seasonal naive, drift and ridge, calibrated as the model is."""
        from birnn.tasks.forecast.baselines import fit_baselines

        splits, info = data.splits, data.info
        return [
            Baseline(b.name, b.label, fit.calibrated(self, b, splits, info), b.settings())
            for b in fit_baselines(splits["train"], splits["validation"], info.season)
        ]

    def advice(self, data: ForecastTaskData, predictions: Any, *, behind: bool) -> list[str]:
        """More rows; that predict may use a baseline."""
        words = super().advice(data, predictions, behind=behind)
        best = "--best (predict then uses whatever is best on validation)"
        return [*words, best] if behind and not self.config.model.best else words

    def settle(self, model: Any, data: ForecastTaskData) -> dict[str, Any]:
        """With ``--best``, let predict use what has the least validation error."""
        best, held_back = self.config.model.best, data.splits["calibration"]
        settled = fit.use_best(self, model, held_back, data.info) if best else {}
        try:
            future = output.forecast_future(self, model, data.splits["test"].panel, data.info)
            settled["chart"] = output.chart(future, 0)
        except DataError as error:  # what must be known of the future need not be known yet
            settled["note"] = f"No forecast.csv was written: {error}"
        return settled

    def records(self, split: WindowSplit, predictions: Any, info: ForecastInfo) -> output.Rows:
        """A row a step of windows that follow each other without overlap."""
        return output.backtest_rows(split, predictions)

    def details(self, split: WindowSplit, predictions: Any, info: ForecastInfo) -> dict[str, Any]:
        """Scores by step and by series, and what the bootstrap resamples."""
        from birnn.tasks.forecast import metrics

        sums = accumulate(split, predictions, info.season)
        return {
            "per_step": metrics.step_scores(sums),
            "per_series": metrics.series_scores(sums, split.panel.names, SERIES_SHOWN),
            "blocks": sums.words, "without_scale": sums.unscaled, "levels": list(sums.levels),
        }  # fmt: skip

    def report_extras(
        self, model: Any, data: ForecastTaskData, predictions: Any, baselines: Sequence[Baseline]
    ) -> dict[str, Any]:
        """Histories of the worst series, and where the baselines err: by step, by series."""
        from birnn.tasks.forecast import report_extras as extras

        split, season = data.splits["test"], data.info.season
        own = accumulate(split, predictions, season)
        others = {part.name: accumulate(split, part.predictions, season) for part in baselines}
        worst = extras.worst_first(own)
        levels = len(own.levels)
        return {
            "lengths": {},  # of windows: all are alike
            "histories": extras.histories(split.panel, worst, split.horizon, levels),
            "by_step": extras.by_step(others), "by_series": extras.by_series(split, own, others),
        }  # fmt: skip

    def save_record(
        self, folder: Path, split: WindowSplit, predictions: Any, info: ForecastInfo
    ) -> None:
        """The sums that scores are computed from."""
        from birnn.tasks.forecast.test_record import write_sums

        write_sums(folder, split, accumulate(split, predictions, info.season))

    def save_extras(
        self, folder: Path, model: Any, data: ForecastTaskData, predictions: Any,
        details: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """``forecast.csv``, its picture, pictures of error and coverage by step, and the sums."""
        split = data.splits["test"]
        self.save_record(folder, split, predictions, data.info)
        future = output.write_future(folder, self, model, split.panel, data.info)
        output.write_pictures(folder, split, predictions, future, details)

    @property
    def epoch_items(self) -> int:
        """Windows of an epoch."""
        return self.config.model.epoch_windows

    def epoch_line(self, event: EpochEvent) -> str | None:
        """Errors in scaled units, with a digit more than other tasks."""
        number = f"{event.epoch:>{len(str(event.epochs))}}/{event.epochs}"
        loss, seconds = fitted(event.loss, 6, 4), fitted(event.seconds, 3, 1)
        start = f"epoch {number}  loss {loss}  {validation_words(event.scores)}"
        return f"{start}  {seconds} s{' *' if event.improved else ''}"


def validation_words(scores: Mapping[str, float]) -> str:
    """Validation errors of an epoch, scaled; of a mix with the linear map, what it is made of.

    >>> validation_words({"mae_scaled": 0.5, "mse_scaled": 0.25})
    'validation MAE 0.5000  MSE 0.2500'
    >>> validation_words({"mae_scaled": 0.5, "mse_scaled": 0.25, "linear_share": 0.9,
    ...                   "networks_mae_scaled": 0.8, "linear_mae_scaled": 0.6})
    'MAE 0.5000 (networks 0.8000, linear  90 %)'
    """
    words = {name: name.removesuffix("_scaled").upper() for name in Forecast.monitors}
    for name, word in words.items():
        if (alone := scores.get(f"networks_{name}")) is not None:
            parts = f"networks {fitted(alone, 6, 4)}, linear {100 * scores['linear_share']:3.0f} %"
            return f"{word} {fitted(scores[name], 6, 4)} ({parts})"
    shown = (f"{words[name]} {fitted(value, 6, 4)}" for name, value in scores.items())
    return "validation " + "  ".join(shown)


def describe_columns(series: SeriesData, named: Any) -> str:
    """Which columns are the time, the ids, the values and the covariates, in a sentence."""
    report = series.inspection
    targets = ", ".join(report.targets[:5]) + (", …" if len(report.targets) > 5 else "")
    parts = [("time", report.time), ("ids", report.id_column), ("values", targets)]
    parts += [(name, getattr(named, name)) for name in ("past", "future", "static")]
    return f"columns: {'; '.join(f'{what}: {names}' for what, names in parts if names)}"


def describe_rows(series: SeriesData) -> str:
    """How the rows of the series are split, in a sentence."""
    ends = [0, *(int(part.max()) for part in vars(series.parts).values())]
    spans = zip(vars(series.parts), pairwise(ends), strict=True)
    rows = [f"{name} {high - low:,}" for name, (low, high) in spans if high > low]
    which = "rows" if len(series.panel) == 1 else "rows of the longest series"
    return f"{which}: {', '.join(rows)}, in time"


def fitting(panel: Panel, info: ForecastInfo, source: str) -> Panel:
    """``panel`` with the run's season, if it is of the run's clock.

    Raises:
        DataError: steps of another length.
    """
    own, theirs = info.clock, panel.clock
    if (theirs.frequency, theirs.step, theirs.day) != (own.frequency, own.step, own.day):
        words = f"its steps are {theirs.named()}; the run was trained on {own.named()}"
        raise DataError(f"{source}: {words}")
    return replace(panel, season=info.season)
