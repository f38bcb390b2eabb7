"""Per-step regression: the model the project grew from."""

from birnn.tasks.core.spec import Spec

SPEC = Spec(
    name="regression",
    summary="Train a per-step regressor, the reference model the project grew from.",
    task="birnn.tasks.regression.task:Regression",
    options="birnn.tasks.regression.options:RegressionConfig",
    serve="birnn.tasks.regression.serve:RegressionPredictor",
    example="--input new.csv",
    explain="birnn.tasks.regression.explain:RegressionExplainer",
    test_record="birnn.tasks.regression.test_record:read_steps",
    estimator="birnn.tasks.regression.estimator:SequenceRegressor",
    inspect="birnn.tasks.regression.inspection:inspect_steps",
    report="birnn.tasks.regression.report_sections:regression_sections",
    report_numbers="birnn.tasks.regression.report_sections:regression_numbers",
    view="scores", files=("scaler.json",),
    warm="birnn.tasks.regression.warm:RegressionStart",
)  # fmt: skip
