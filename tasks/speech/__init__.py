"""Speech: what is said in recordings, or one label for each."""

from birnn.tasks.core.spec import Spec
from birnn.tasks.scoring.metric_names import Metric

SPEC = Spec(
    name="speech",
    summary="Train a recogniser of short speech (texts, or labels) and report it beside baselines.",
    task="birnn.tasks.speech.task:Speech",
    options="birnn.tasks.speech.options:SpeechConfig",
    serve="birnn.tasks.speech.serve:SpeechPredictor",
    warm="birnn.tasks.speech.warm:SpeechStart",
    example="--input recording.wav",
    test_record="birnn.tasks.speech.test_record:read_recordings",
    inspect="birnn.tasks.speech.inspection:inspect_sounds",
    report="birnn.tasks.speech.report_sections:speech_sections",
    report_numbers="birnn.tasks.speech.report_sections:speech_numbers",
    hub_pipeline="automatic-speech-recognition",
    metrics=(
        Metric("wer", "lower", "share", title="WER"),
        Metric("cer", "lower", "share", title="CER"),
        Metric("exact", unit="share"),
    ),
    files=("sound.json",),
)
