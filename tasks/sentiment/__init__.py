"""Sentiment: one label a text."""

from birnn.tasks.core.spec import Spec

SPEC = Spec(
    name="sentiment", summary="Train a sentence classifier and report it beside simple baselines.",
    task="birnn.tasks.sentiment.task:Sentiment",
    options="birnn.tasks.sentiment.options:SentimentConfig",
    serve="birnn.tasks.sentiment.serve:SentimentPredictor", example='"some text"',
    explain="birnn.tasks.sentiment.explain:SentimentExplainer",
    test_record="birnn.tasks.runs.test_records:read_labels",
    graph="birnn.tasks.sentiment.graph:SentimentGraph",
    predict_script="birnn.tasks.sentiment.predict_script", script_example='"some text"',
    estimator="birnn.tasks.sentiment.estimator:SentimentClassifier",
    inspect="birnn.tasks.core.text_inspection:inspect_texts", reads="texts",
    report="birnn.tasks.reporting.labels:label_sections",
    report_numbers="birnn.tasks.reporting.labels:label_numbers",
    warm="birnn.tasks.sentiment.warm:SentimentStart",
    hub_pipeline="text-classification",
    files=("labels.json", "vocabulary.json", "context.json", "ngrams.json"),
)  # fmt: skip
