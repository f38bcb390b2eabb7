"""Tasks: what is predicted, what a score means, and the experiment that ties them together.

Importing the package is cheap; a task's module is loaded when the task is used.
"""

from typing import NamedTuple


class TaskEntry(NamedTuple):
    """Where a task lives, as ``module:attribute``, and its line in the help."""

    task: str
    config: str
    summary: str
    serve: str = ""  # what answers a request to predict; empty where nothing does
    example: str = ""  # of such a request
    kept: str = ""  # what reads the test predictions that a run keeps; empty: no comparison


# Adding a task is one class, its configuration, and one line here.
TASKS = {
    "sentiment": TaskEntry(
        "birnn.tasks.sentiment:Sentiment",
        "birnn.tasks.config:SentimentConfig",
        "Train a sentence classifier and report it beside simple baselines.",
        "birnn.tasks.serving:serve_texts",
        '"some text"',
        "birnn.tasks.kept_predictions:read_texts",
    ),
    "tagging": TaskEntry(
        "birnn.tasks.tagging:Tagging",
        "birnn.tasks.config:TaggingConfig",
        "Train a tagger of tokens (entities, parts of speech) and report it beside baselines.",
        "birnn.tasks.tag_serving:serve_tags",
        '"some text"',
        "birnn.tasks.kept_predictions:read_tags",
    ),
    "forecast": TaskEntry(
        "birnn.tasks.forecasting:Forecasting",
        "birnn.tasks.forecasting_config:ForecastingConfig",
        "Train a forecaster of time series and backtest it beside simple baselines.",
        "birnn.tasks.forecast_serving:serve_forecast",
        "--input new.csv",
        "birnn.tasks.kept_windows:read_windows",
    ),
    "regression": TaskEntry(
        "birnn.tasks.regression:Regression",
        "birnn.tasks.config:RegressionConfig",
        "Train a per-step regressor, the reference model the project grew from.",
        kept="birnn.tasks.kept_predictions:read_steps",
    ),
}
