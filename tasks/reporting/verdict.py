"""The first section: who wins, by how much, and on what."""

from collections.abc import Mapping, Sequence
from typing import Any

from birnn.data.wording import duration, plural
from birnn.tasks.reporting.blocks import (
    Alert,
    Alerts,
    Block,
    Dots,
    Fold,
    KeyFigure,
    KeyFigures,
    Paragraph,
    Section,
)
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.scores import (
    interval_text,
    plain,
    score_group,
    score_name,
    score_table,
)
from birnn.tasks.scoring.metric_names import format_score

BRACKETS = "Brackets hold 95 % bootstrap intervals over the items of the test split."


def verdict_section(files: RunFiles) -> Section:
    """Key figures, every model on one scale, all scores."""
    metrics, test = files.metrics, files.metrics["test"]
    names = headline(metrics)
    models = named_models(files)
    groups = [
        score_group(name, [(label, scores[name]) for label, scores in models if name in scores])
        for name in names
    ]
    caption = "A dot is a score on the test split, the line through it its 95 % interval."
    blocks: list[Block] = [KeyFigures([_key_figure(name, test["model"][name]) for name in names])]
    if advice := metrics.get("advice"):
        blocks.append(Alerts([Alert(f"What would help: {'; '.join(advice)}.")]))
    blocks.append(Dots("The model beside simple baselines", groups, caption))
    blocks.append(Fold("All scores", [score_table(models, BRACKETS), *_seed_notes(metrics)]))
    blocks.append(Paragraph(what_was_trained(metrics, files.unit)))
    return Section("verdict", "Verdict", blocks)


def headline(metrics: Mapping[str, Any]) -> list[str]:
    """The scores by which the model is compared with baselines."""
    compared: Mapping[str, Any] = next(iter(metrics["test"]["differences"].values()), {})
    scores = metrics["test"]["model"]
    return [name for name in compared if name in scores] or list(scores)[:2]


def named_models(files: RunFiles) -> list[tuple[str, Mapping[str, Any]]]:
    """The model and its baselines, each with its name in words and its scores."""
    test, names = files.metrics["test"], files.extras.get("baselines", {})
    own = f"model ({files.metrics['encoder']})"
    others = [
        (str(names.get(name, name.replace("_", " "))), scores)
        for name, scores in test["baselines"].items()
    ]
    return [(own, test["model"]), *others]


def _key_figure(name: str, score: Mapping[str, Any]) -> KeyFigure:
    bounds = interval_text(name, score)
    note = f"95 % interval {bounds}" if bounds else "too little data for an interval"
    if "mean" in score:
        spread = f"{format_score(name, score['mean'])} ± {format_score(name, score['std'])}"
        note += f"; over {len(score['values'])} seeds {spread}"
    return KeyFigure(score_name(name), plain(format_score(name, score["value"])), note)


def _seed_notes(metrics: Mapping[str, Any]) -> Sequence[Block]:
    train = metrics["train"]
    if "seeds" not in train:
        return []
    seeds = ", ".join(map(str, train["seeds"]))
    text = f"Seeds {seeds} were trained; the run is that of seed {train['chosen_seed']}, the best"
    return [Paragraph(f"{text} on validation.")]


def what_was_trained(metrics: Mapping[str, Any], unit: str) -> str:
    """A sentence or three: the model, its data, and which of them chose what."""
    train, data = metrics["train"], metrics["data"]
    one = {"series": "series"}.get(unit, unit.removesuffix("s"))
    rows = data["rows"]
    networks = train.get("members", 1)
    several = f", {networks} networks averaged" if networks > 1 else ""
    epochs = plural(train["epochs"], "epoch")
    kept = f"epoch {train['best_epoch']} kept"
    text = (
        f"A {metrics['encoder']} of {train['parameters']:,} parameters{several}, trained for"
        f" {epochs} ({kept}) on {plural(rows['train'], one, unit)} of {data['source']} in"
        f" {duration(train['seconds'])}."
    )
    others = [f"{plural(count, one, unit)} of {name}" for name, count in rows.items()
              if name not in ("train", "calibration", "test")]  # fmt: skip
    if trials := train.get("search_trials"):
        text += f" Its options were chosen among {plural(trials, 'trial')} on validation."
    if others:
        text += f" Choices were made on {' and '.join(others)}."
    if "calibration" in rows:
        same = any("also calibrate" in str(line) for line in data["splits"])
        which = "the same" if same else plural(rows["calibration"], f"other {one}", f"other {unit}")
        text += f" Intervals were calibrated on {which}."
    once = "once for each seed" if "seeds" in train else "once"
    return f"{text} Test, {plural(rows['test'], one, unit)}, was read {once}, at the end."
