"""The last section: how to make the same run again, and where its numbers are."""

from birnn.tasks import TASKS
from birnn.tasks.reporting.blocks import Block, Code, Facts, Fold, Section
from birnn.tasks.reporting.inputs import RunFiles

FILES = {
    "metrics.json": "scores, intervals, baselines, where the data came from",
    "predictions.csv": "the test split, item by item",
    "learned.bin": "fingerprints of what was trained on, by which evaluate knows it again",
    "history.csv": "training, epoch by epoch",
    "config.json": "every option",
    "model.safetensors": "the weights",
}


def repeat_section(files: RunFiles, options: str) -> Section:
    """The command, the options as TOML, the files."""
    blocks: list[Block] = []
    if command := files.extras.get("command"):
        blocks.append(Code("The command", str(command)))
    if options:
        title = "All options, for --config my.toml"
        blocks.append(Fold(title, [Code("my.toml", options)]))
    example = TASKS[files.metrics["task"]].example
    use = [f"python cli.py predict RUN {example}", "python cli.py evaluate RUN"]
    blocks.append(Code("Use it; RUN is the folder that holds this report", "\n".join(use)))
    there = [(name, what) for name, what in FILES.items() if (files.folder / name).is_file()]
    blocks.append(Facts(there, "In the run folder"))
    lead = "The same seed gives the same bits on the same machine."
    return Section("repeat", "Repeat it", blocks, lead)
