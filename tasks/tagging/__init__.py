"""Tagging: one tag a token."""

from birnn.tasks.core.spec import Spec
from birnn.tasks.scoring.metric_names import Metric

SPEC = Spec(
    name="tagging",
    summary="Train a tagger of tokens (entities, parts of speech) and report it beside baselines.",
    task="birnn.tasks.tagging.task:Tagging",
    options="birnn.tasks.tagging.options:TaggingConfig",
    serve="birnn.tasks.tagging.serve:TaggingPredictor",
    explain="birnn.tasks.tagging.explain:TaggingExplainer",
    example='"some text"',
    test_record="birnn.tasks.tagging.test_record:read_tags",
    graph="birnn.tasks.tagging.graph:TaggingGraph",
    predict_script="birnn.tasks.tagging.predict_script",
    script_example='"some text"',
    estimator="birnn.tasks.tagging.estimator:Tagger",
    inspect="birnn.tasks.tagging.inspection:inspect_tags",
    reads="tags",
    report="birnn.tasks.tagging.report_sections:tagging_sections",
    report_numbers="birnn.tasks.tagging.report_sections:tagging_numbers",
    warm="birnn.tasks.tagging.warm:TaggingStart",
    hub_pipeline="token-classification",
    metrics=(
        Metric("unseen_accuracy", unit="share"),
        Metric("span_f1", unit="share"),
        Metric("span_precision", unit="share"),
        Metric("span_recall", unit="share"),
        Metric("unseen_span_f1", unit="share"),
        Metric("strict_span_f1", unit="share"),
        Metric("conlleval_span_f1", unit="share"),
        Metric("span_calibration_error", "lower", "share"),
    ),
    view="tagging",
    files=("labels.json", "vocabulary.json", "context.json"),
)
