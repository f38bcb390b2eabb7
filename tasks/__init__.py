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
        "birnn.tasks.sentiment.task:Sentiment",
        "birnn.tasks.sentiment.options:SentimentConfig",
        "Train a sentence classifier and report it beside simple baselines.",
        "birnn.tasks.serving.texts:serve_texts",
        '"some text"',
        "birnn.tasks.sentiment.test_record:read_texts",
    ),
    "tagging": TaskEntry(
        "birnn.tasks.tagging.task:Tagging",
        "birnn.tasks.tagging.options:TaggingConfig",
        "Train a tagger of tokens (entities, parts of speech) and report it beside baselines.",
        "birnn.tasks.tagging.serve:serve_tags",
        '"some text"',
        "birnn.tasks.sentiment.test_record:read_tags",
    ),
    "forecast": TaskEntry(
        "birnn.tasks.forecast.task:Forecast",
        "birnn.tasks.forecast.options:ForecastConfig",
        "Train a forecaster of time series and backtest it beside simple baselines.",
        "birnn.tasks.forecast.serve:serve_forecast",
        "--input new.csv",
        "birnn.tasks.forecast.test_record:read_windows",
    ),
    "regression": TaskEntry(
        "birnn.tasks.regression.task:Regression",
        "birnn.tasks.regression.options:RegressionConfig",
        "Train a per-step regressor, the reference model the project grew from.",
        kept="birnn.tasks.sentiment.test_record:read_steps",
    ),
}
