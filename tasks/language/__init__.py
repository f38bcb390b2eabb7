"""Language modelling: each symbol of a text from those before it, and from those after it."""

from birnn.tasks.core.spec import Spec
from birnn.tasks.scoring.metric_names import Metric

SPEC = Spec(
    name="language",
    summary="Train a language model in both directions and report it beside n-grams.",
    task="birnn.tasks.language.task:Language",
    options="birnn.tasks.language.options:LanguageConfig",
    serve="birnn.tasks.language.serve:LanguagePredictor",
    warm="birnn.tasks.language.warm:LanguageStart",
    example='"some text"',
    inspect="birnn.tasks.language.inspection:inspect_language",
    test_record="birnn.tasks.language.test_record:read_passages",
    report="birnn.tasks.language.report_sections:language_sections",
    generate="birnn.tasks.language.generate:generate",
    context="birnn.tasks.language.context:LanguageContext",
    metrics=(
        Metric("nats", "lower"),
        Metric("bits_per_character", "lower"),
        Metric("backward_bits_per_character", "lower"),
        Metric("nats_per_symbol", "lower"),
    ),
    view="passages",
    files=("symbols.json",),
)
