"""Translation: a text for a text."""

from birnn.tasks.core.spec import Spec
from birnn.tasks.scoring.metric_names import Metric

SPEC = Spec(
    name="translate",
    summary="Train a translator of texts and report it beside simple baselines.",
    task="birnn.tasks.translate.task:Translate",
    options="birnn.tasks.translate.options:TranslateConfig",
    serve="birnn.tasks.translate.serve:TranslatePredictor",
    example='"some text"',
    test_record="birnn.tasks.translate.test_record:read_translations",
    inspect="birnn.tasks.translate.inspection:inspect_pairs",
    report="birnn.tasks.translate.report_sections:translate_sections",
    report_numbers="birnn.tasks.translate.report_sections:translate_numbers",
    warm="birnn.tasks.translate.warm:TranslateStart",
    hub_pipeline="translation",
    metrics=(Metric("bleu", title="BLEU", digits=1), Metric("chrf", title="chrF", digits=1)),
    view="scores",
    files=("pieces.json",),
)
