"""What is fitted around a trained forecaster: linear part, intervals, refits, the best of all."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from birnn import processes
from birnn.arrays import Ints
from birnn.config import TrainConfig
from birnn.data.series.windows import WindowSplit, windows_between
from birnn.data.splits.batching import BucketSampler
from birnn.errors import CheckpointError, DataError
from birnn.progress import tell
from birnn.tasks.core.inference import run_split
from birnn.tasks.core.task import Task, TaskData
from birnn.tasks.forecast.conformal import calibrate_forecasts
from birnn.tasks.forecast.forecasts import Calibration, Forecasts, quantiles_of
from birnn.tasks.forecast.info import ForecastInfo
from birnn.tasks.forecast.model import ForecastModel
from birnn.tasks.forecast.options import ForecastConfig
from birnn.tasks.forecast.sums import accumulate

if TYPE_CHECKING:
    from birnn.tasks.forecast.baselines import ForecastBaseline

ForecastTask = Task[ForecastConfig, ForecastInfo, WindowSplit]
ForecastTaskData = TaskData[ForecastInfo, WindowSplit]

SHARES = np.round(np.linspace(0, 1, 21), 2)  # of the linear map, tried on validation
FORECASTERS = ("model", "last_value", "seasonal_naive", "drift", "ridge")


def fit_linear(model: ForecastModel, train: WindowSplit, validation: WindowSplit) -> dict[str, Any]:
    """Fit the model's linear map; returns how, or nothing where there are too few windows."""
    from birnn.tasks.forecast.baselines import Ridge

    try:
        ridge = Ridge.fit(train, validation)
    except DataError:
        return {}
    model.set_linear(ridge.weight, ridge.bias)
    return ridge.settings()


def fit_mix(
    task: ForecastTask, model: ForecastModel, validation: WindowSplit, monitor: str
) -> dict[str, float]:
    """Set the share of the linear map with the least validation error; returns both.

    The error is the ``monitor``: ``mae_scaled`` or ``mse_scaled``.
    """
    found = mixed_scores(model, validation, task.config.train, monitor)
    model.mix.fill_(found["linear_share"])
    return {"linear_share": found["linear_share"], f"validation_{monitor}": found[monitor]}


def mixed_scores(
    model: ForecastModel, validation: WindowSplit, config: TrainConfig, monitor: str
) -> dict[str, float]:
    """Validation errors of the networks mixed with the linear map, at the share that is best.

    Returns:
        ``mae_scaled`` and ``mse_scaled`` of the mix whose ``monitor`` is least, its
        ``linear_share``, and the monitor of either part alone: ``networks_…`` and ``linear_…``.
    """
    shares = torch.from_numpy(SHARES).float()[:, None, None]
    sums = []
    for _, batch, outputs in run_split(model, validation, config, stay=True, shared=True):
        assert batch.targets is not None
        shares = shares.to(batch.targets.device)
        known = torch.isfinite(batch.targets)
        wanted = batch.targets.masked_fill(~known, 0.0)
        of_linear = (outputs.linear - wanted) * known
        of_networks = (outputs.recurrent[..., outputs.recurrent.shape[-1] // 2] - wanted) * known
        # With a share of 1 these are the map's own to the bit, whatever the networks say.
        mixes = of_linear + (1 - shares[1:]) * (of_networks - of_linear)
        errors = torch.cat([of_networks.unsqueeze(0), mixes])  # the first share is 0
        totals = errors.abs().sum((1, 2)), errors.square().sum((1, 2))
        sums.append(torch.stack([*totals, known.sum().float().expand(len(shares))]))
    own = {"sums": torch.stack(sums).cpu().double().sum(0)} if sums else {}
    absolute, squared, steps = processes.summed(own)["sums"]
    means = {"mae_scaled": (absolute / steps).tolist(), "mse_scaled": (squared / steps).tolist()}
    # Of equals the least; of what is no number, that: it is then told.
    best = int(np.argmin(means[monitor]))
    mixed = {name: errors[best] for name, errors in means.items()}
    alone = {f"networks_{monitor}": means[monitor][0], f"linear_{monitor}": means[monitor][-1]}
    return {**mixed, "linear_share": float(SHARES[best]), **alone}


def chosen_baseline(model: ForecastModel, info: ForecastInfo) -> "ForecastBaseline | None":
    """What the run forecasts with in place of the networks, if anything; ridge is in the model.

    Raises:
        CheckpointError: the model's number of it is none of ours.
    """
    number = int(model.forecaster)
    if not 0 <= number < len(FORECASTERS):
        raise CheckpointError(f"model.safetensors: forecaster {number} is unknown; it is damaged")
    if number == 0:
        return None
    from birnn.tasks.forecast import baselines

    weight, bias = (
        part.cpu().double().numpy() for part in (model.linear_weight, model.linear_bias)
    )
    naive = (baselines.LastValue(), baselines.SeasonalNaive(info.season), baselines.Drift())
    return (*naive, baselines.Ridge(weight, bias, {}))[number - 1]


def head_quantiles(config: ForecastConfig, info: ForecastInfo) -> tuple[float, ...]:
    """What quantile heads forecast: the bounds of each level and the median."""
    return quantiles_of(info.levels) if config.model.loss == "quantile" else ()


def forecast_split(
    task: ForecastTask, model: ForecastModel, split: WindowSplit, info: ForecastInfo
) -> Forecasts:
    """Every window of a split, in the series' units, without intervals.

    Where processes share the work, the main one has them, and the others but their own.
    """
    baseline = chosen_baseline(model, info)
    if baseline is not None:
        return baseline_forecasts(task, baseline, split)
    quantiles = head_quantiles(task.config, info)
    # Far from 0, float32 has too few digits for what a series does.
    far = np.abs(split.shift).max() > 1000 * split.scale.min()
    kind = np.float64 if far else np.float32
    values = np.empty((len(split), split.horizon), dtype=kind)
    heads = np.empty((len(split), split.horizon, len(quantiles)), dtype=kind)
    low, high = task.config.model.min, task.config.model.max
    done, own = 0, list[Ints]()
    for indices, _, outputs in run_split(model, split, task.config.train, shared=True):
        done += len(indices)
        tell("forecasting", done / len(split))
        rows = outputs.mixed.double().numpy()
        for q in range(len(quantiles)):
            heads[indices, :, q] = split.original(rows[..., q], indices)
        values[indices] = split.original(rows[..., rows.shape[-1] // 2], indices)
        own.append(indices)
    if processes.is_sharing():
        mine = np.concatenate(own) if own else np.empty(0, dtype=np.int64)
        for indices, points, levels in processes.collected((mine, values[mine], heads[mine])):
            values[indices], heads[indices] = points, levels
    if low is not None or high is not None:
        np.clip(values, low, high, out=values)
    return Forecasts(values, None, quantiles, heads if quantiles else None, low, high)


def baseline_forecasts(
    task: ForecastTask, baseline: "ForecastBaseline", split: WindowSplit
) -> Forecasts:
    """A baseline's windows, within the declared bounds, made when they are asked for."""
    from birnn.tasks.forecast import baselines

    low, high = task.config.model.min, task.config.model.max
    return Forecasts(baselines.OnDemand(baseline, split, low, high), low=low, high=high)


def calibrate_known(split: WindowSplit, forecasts: Forecasts, info: ForecastInfo) -> Calibration:
    """Calibrate on the held-back windows of the series that the run knows, in their order."""
    groups = info.numbers(split.panel) - 1
    return calibrate_forecasts(split, forecasts, info.levels, known=(groups, info.scaling.scale))


def spread_out(known: Calibration, split: WindowSplit, info: ForecastInfo) -> Calibration:
    """The same calibration for the series of another panel.

    A series that the run doesn't know gets the widest intervals: nothing else holds for it.
    """
    if known.pooled:
        return known
    numbers = info.numbers(split.panel)
    own = known.radius[np.maximum(numbers - 1, 0)]
    radius = np.where((numbers > 0)[:, None, None], own, known.radius.max(0))
    return replace(known, radius=radius)


def calibrated(
    task: ForecastTask, baseline: "ForecastBaseline", splits: Mapping[str, WindowSplit],
    info: ForecastInfo,
) -> Forecasts:  # fmt: skip
    """A baseline's test windows with intervals calibrated as the model's are."""
    test, held_back = splits["test"], splits["calibration"]
    forecasts = baseline_forecasts(task, baseline, test)
    if not info.levels:
        return forecasts
    calibration = calibrate_known(held_back, baseline_forecasts(task, baseline, held_back), info)
    return replace(forecasts, calibration=spread_out(calibration, test, info))


def set_calibration(
    model: ForecastModel, split: WindowSplit, forecasts: Forecasts, info: ForecastInfo
) -> None:
    """Calibrate on held-back windows and keep the radii in the model."""
    calibration = calibrate_known(split, forecasts, info)
    # Windows that lack a target can leave a series too few: then all share one radius.
    model.radius.copy_(torch.from_numpy(calibration.radius).expand_as(model.radius))


def own_calibration(
    task: ForecastTask, model: ForecastModel, split: WindowSplit, info: ForecastInfo
) -> Calibration | None:
    """The intervals that the model holds, for the series of ``split``."""
    if not info.levels:
        return None
    radius = model.radius.cpu().double().numpy()
    heads = task.config.model.loss == "quantile" and int(model.forecaster) == 0
    return spread_out(Calibration(info.levels, radius, len(radius) == 1, 0, heads), split, info)


def validation_errors(
    task: ForecastTask, model: ForecastModel, validation: WindowSplit, info: ForecastInfo
) -> dict[str, float]:
    """The scaled validation MAE of the model and of every baseline that there is."""
    from birnn.tasks.forecast.metrics import scores

    errors = {}
    able = {"seasonal_naive": info.season > 1, "ridge": model.has_linear}
    for number, name in enumerate(FORECASTERS):
        if not able.get(name, True):
            continue
        model.forecaster.fill_(number)
        forecasts = forecast_split(task, model, validation, info)
        errors[name] = scores(accumulate(validation, forecasts, info.season))["mae_scaled"]
    model.forecaster.zero_()
    return errors


def use_best(
    task: ForecastTask, model: ForecastModel, held_back: WindowSplit, info: ForecastInfo
) -> dict[str, Any]:
    """Make whatever has the least validation error the run's forecaster, calibrated anew.

    The test split has no say: its scores would flatter what they chose.
    """
    errors = model.validation_errors
    best = min(errors, key=lambda name: errors[name])
    model.forecaster.fill_(FORECASTERS.index(best))
    if best != "model" and info.levels:
        set_calibration(model, held_back, forecast_split(task, model, held_back, info), info)
    return {"forecaster": best, "validation_mae_scaled": errors}


def refit_forecasts(
    task: ForecastTask, model: ForecastModel, data: ForecastTaskData, epochs: int
) -> Forecasts:
    """The test windows, each part of them by a model trained on all rows before it.

    The number of epochs, the linear map's penalty and share, and the intervals stay as validation
    chose them. At last ``model`` itself is trained on all rows: it is what predict uses.
    """
    test, info = data.splits["test"], data.info
    parts = task.config.model.refit
    first = test.panel.ends.copy()  # [N] the first origin of each series
    np.minimum.at(first, test.series, test.origin)
    last = first.copy()  # and the step after its last one
    np.maximum.at(last, test.series, test.origin + 1)
    forecasts: Forecasts = task.predictions(model, test, info)
    values, heads = np.array(forecasts.values), forecasts.quantile_values
    penalty = fit_penalty(model, data)
    edges = [first + (last - first) * part // parts for part in range(parts + 1)]
    for start, end in pairwise(edges):
        fresh = _train_again(task, model, _before(test, start), info, epochs, penalty)
        inside = (test.origin >= start[test.series]) & (test.origin < end[test.series])
        part = np.flatnonzero(inside)
        if len(part):
            refitted: Forecasts = task.predictions(fresh, test.chosen(part), info)
            values[part] = refitted.values
            if heads is not None:
                heads[part] = refitted.quantile_values
    fresh = _train_again(task, model, _before(test, test.panel.ends), info, epochs, penalty)
    model.load_state_dict(fresh.state_dict())
    return replace(forecasts, values=values, quantile_values=heads)


def _before(test: WindowSplit, end: Ints) -> WindowSplit:
    """All windows whose targets come before the steps ``end [N]`` of their series."""
    low = np.minimum(test.lookback, np.maximum((end - test.horizon) // 2, 1))
    series, origin = windows_between(test.panel, low, end, test.horizon)
    return replace(test, series=series, origin=origin)


def _train_again(
    task: ForecastTask, model: ForecastModel, train: WindowSplit, info: ForecastInfo, epochs: int,
    penalty: float | None,
) -> ForecastModel:  # fmt: skip
    """A fresh model, trained on ``train`` for ``epochs``, the rest as in ``model``."""
    from birnn.tasks.forecast.ridge import fit_ridge, solve
    from birnn.training.loop import fit
    from birnn.training.state import Validation

    config = replace(task.config.train, epochs=epochs, patience=0)
    torch.manual_seed(config.seed)
    fresh = task.model(info)
    assert isinstance(fresh, ForecastModel)
    sampler = BucketSampler(
        train, config.batch_size, config.batch_tokens, config.seed,
        limit=task.epoch_items, least=config.epoch_steps,
        least_batch=task.least_batch,
    )  # fmt: skip
    rising = iter(range(epochs + 1))
    always = Validation(lambda: {"epoch": float(next(rising))}, "epoch", False)
    for _ in fit(fresh, task.loss, sampler, config, always):
        pass
    fresh = fresh.to("cpu").eval()
    for name in ("mix", "radius", "forecaster", "linear_weight", "linear_bias"):
        getattr(fresh, name).copy_(getattr(model, name))
    if penalty is not None:
        _, weight, bias = next(iter(solve(fit_ridge(train), (penalty,))))
        fresh.set_linear(weight, bias)
    return fresh


def fit_penalty(model: ForecastModel, data: ForecastTaskData) -> float | None:
    """The penalty of the linear map; None where there is none."""
    if not model.has_linear:
        return None
    from birnn.tasks.forecast.baselines import Ridge

    return float(Ridge.fit(data.splits["train"], data.splits["validation"]).chosen["penalty"])
