"""Forecasting: what comes next in a series, with intervals."""

from birnn.tasks.core.spec import Spec
from birnn.tasks.scoring.metric_names import Metric

SPEC = Spec(
    name="forecast",
    summary="Train a forecaster of time series and backtest it beside simple baselines.",
    task="birnn.tasks.forecast.task:Forecast",
    options="birnn.tasks.forecast.options:ForecastConfig",
    serve="birnn.tasks.forecast.serve:ForecastPredictor",
    explain="birnn.tasks.forecast.explain:ForecastExplainer",
    example="--input new.csv",
    test_record="birnn.tasks.forecast.test_record:read_windows",
    pool="birnn.tasks.forecast.test_record:pool_sums",
    graph="birnn.tasks.forecast.graph:ForecastGraph",
    predict_script="birnn.tasks.forecast.predict_script",
    script_example="new.csv",
    estimator="birnn.tasks.forecast.estimator:Forecaster",
    inspect="birnn.tasks.forecast.data:inspect_task", reads="series",
    report="birnn.tasks.forecast.report.sections:forecast_sections",
    report_numbers="birnn.tasks.forecast.report.sections:forecast_numbers",
    warm="birnn.tasks.forecast.warm:ForecastStart",
    hub_pipeline="time-series-forecasting",
    metrics=(
        *(Metric(name, "lower") for name in ("mse_scaled", "mae_scaled", "mase", "rmsse")),
        *(Metric(name, "lower", "%") for name in ("mape", "smape")),
        Metric("pinball", "lower"),
        Metric("winkler_", "lower"),
        # A coverage is best at its level; a width tells nothing without the coverage beside it.
        Metric("coverage_", unit="share", judged=False),
        Metric("width_", "lower", judged=False),
    ),
    view="forecast",
    files=("series.json", "forecast.csv", "forecast.png", "error_by_step.png",
           "coverage_by_step.png", "backtest.safetensors"),
)  # fmt: skip
