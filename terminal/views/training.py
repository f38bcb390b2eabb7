"""What is drawn of a run that is trained: what will happen, where it goes on, the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from birnn import processes
from birnn.data.wording import duration, megabytes, plural
from birnn.tasks.warm.wording import forgetting_words
from birnn.terminal.chart import render_chart
from birnn.terminal.console import console, is_plain
from birnn.terminal.text import harmless, render_pairs, render_warnings
from birnn.terminal.views import view_of
from birnn.terminal.views.folds import render_folds
from birnn.terminal.views.scores import render_scores

PRECISIONS = {"no": "float32", "tf32": "float32 with products in TF32", "bf16": "mixed with bf16",
              "fp16": "mixed with fp16"}  # fmt: skip


def draw_header(event: Any) -> None:
    """What will happen: data, model, device."""
    data, config = event.data, event.task.config
    rows = data.provenance["rows"]
    each = f" each of {event.jobs} jobs" if event.jobs > 1 else ""
    if (shared := processes.count()) > 1:
        each = f" each of {shared} processes"
    threads = f", {plural(event.threads, 'thread')}{each}" if event.device == "cpu" else each
    chosen = event.task.chosen_by(data.info)
    pairs = [
        ("data", data.provenance["source"]),
        ("splits", ", ".join(f"{name} {rows[name]:,}" for name in rows)),
        *(("", note) for note in data.notes),
        *event.task.describe(data.info),
        ("parameters", f"{event.parameters:,}"),
        ("engine", f"{event.engine.name} ({event.engine.title})"),
        *(("", note) for note in [event.engine.note] if note),
        ("device", f"{event.device}{threads}, {PRECISIONS[config.train.mixed_precision]}"),
        ("epochs", f"at most {config.train.epochs}, best kept by validation {chosen}"),
        *(("", note) for note in little_notes(event.little)),
        ("seeds" if len(event.seeds) > 1 else "seed", ", ".join(map(str, event.seeds))),
        *(("folds", part) for part in [event.folds] if part),
        ("run", str(event.folder)),
        *(("changed", note) for note in event.notes),
    ]
    console().print(render_pairs(f"{event.task.name} with {config.encoder.encoder}", pairs))
    if data.warnings:
        console().print(render_warnings(data.warnings))


def little_notes(little: Mapping[str, Any]) -> list[str]:
    """What few items change in training, in sentences."""
    notes = []
    if "passes" in little:
        passes = f"{little['passes']} passes" if little["passes"] > 1 else "one pass"
        size, steps = little["batch_size"], little["epoch_steps"]
        notes.append(f"little data: an epoch is {passes} in {steps} batches of up to {size}")
    if "margin" in little:
        worse = f"{little['margin']:.2f}"
        notes.append(
            f"small validation split: the last epoch at most {worse} below the best is kept"
        )
    return notes


def draw_resumption(event: Any, task: Any) -> None:
    """Where training goes on, after the lines of the epochs that are done."""
    out = console()
    for name in event.torn:
        out.print(f"The checkpoint {name} is torn: the one before is used.", markup=False)
    for epoch in event.history:
        if line := task.epoch_line(epoch):
            out.print(line, markup=False, soft_wrap=is_plain())
    where = f"step {event.step:,} of {event.total_steps:,}" if event.step else "the beginning"
    out.print(f"Going on from {where}.", style="bold")


def draw_long(event: Any) -> None:
    """What the first steps of a long run tell of the rest."""
    memory = f"; {megabytes(event.peak_memory)} of memory so far" if event.peak_memory else ""
    left = f"About {duration(event.seconds)} for the {plural(event.steps, 'step')} that are left"
    console().print(f"{left}, validation apart{memory}.", style="dim")


def draw_estimate(estimate: Any, models: int) -> None:
    """What training would take."""
    epoch = duration(estimate.epoch_seconds + estimate.validation_seconds)
    checked = f"{duration(estimate.validation_seconds)} of it validation"
    every = estimate.seconds * models
    times = f"{models} × {duration(estimate.seconds)}, " if models > 1 else ""
    memory = megabytes(estimate.peak_memory) if estimate.peak_memory else "can't be told here"
    pairs = [
        ("measured", f"{plural(estimate.measured, 'step')} on {estimate.device}"),
        ("before", f"{duration(estimate.prepare_seconds)}: the model, and what is fitted first"),
        ("an epoch", f"{epoch}, {checked}"),
        ("training", f"{times}{duration(every)} for all {estimate.epochs} epochs,"
                     f" {plural(estimate.steps * models, 'step')}; it may stop before"),
        ("memory", f"{memory} at most, in the longest batch"),
        ("on top", "reading the data, baselines, the test split, the report"),
    ]  # fmt: skip
    console().print(render_pairs("What training would take", pairs))


def ensemble_note(metrics: Mapping[str, Any], names: Sequence[str]) -> str:
    """What the run is, where it is several models, and what its scores are of."""
    what = f"The run is an ensemble of {len(names)} models, whose predictions are averaged"
    if "folds" in metrics:
        return (
            f"{what}; it has no rows of its own that none of them was trained on: the scores are"
            " each model's, of its own fold."
        )
    return f"{what}; the scores are the ensemble's."


def draw_report(event: Any) -> None:
    """The final report."""
    out, plain, metrics = console(), is_plain(), event.metrics
    out.print()
    out.print(render_scores(metrics, event.labels, out.width, plain=plain))
    view = view_of(metrics["task"])
    if "folds" in metrics:
        out.print(render_folds(metrics["folds"], event.labels, out.width, plain=plain))
    elif "ensemble" not in metrics:
        out.print(view.render_details(metrics["details"], out.width, plain=plain))
    single = not {"folds", "ensemble"} & set(metrics)
    if not plain and single and hasattr(view, "draw_learned"):
        view.draw_learned(event.folder, metrics["details"], out)
    if "chart" in metrics and not plain:
        out.print(render_chart(metrics["chart"], out.width))
    if names := metrics.get("ensemble"):
        out.print(Text(ensemble_note(metrics, names)), soft_wrap=plain)
    out.print(Text(harmless(metrics["verdict"]), style="bold"), soft_wrap=plain)
    for line in forgetting_words(metrics):
        out.print(Text(harmless(line)), soft_wrap=plain)
    if trials := metrics["train"].get("search_trials"):
        out.print(f"Its options were chosen among {plural(trials, 'trial')} on validation.")
    if advice := metrics.get("advice"):
        out.print(Text(f"What would help: {harmless('; '.join(advice))}."), soft_wrap=plain)
    out.print()
    out.print(Text(what_it_took(metrics), style="dim"), soft_wrap=plain)
    out.print(Text(f"Run: {harmless(str(event.folder))}"), soft_wrap=True)
    if (page := event.folder / "report.html").is_file():
        out.print(Text(f"Report: {harmless(str(page))}"), soft_wrap=True)
    for note in filter(None, (metrics.get("note", ""), event.note)):
        out.print(Text(harmless(note)), soft_wrap=True)


def what_it_took(metrics: Mapping[str, Any]) -> str:
    """Seconds, speed and memory of the training that is kept."""
    train, unit = metrics["train"], metrics["data"].get("unit", "rows")
    memory = f", {megabytes(size)} of memory at most" if (size := train["peak_memory"]) else ""
    speed = f"{train['items_per_second']:,.0f} {unit} a second"
    return f"Training: {duration(train['seconds'])}, {speed}{memory}."
