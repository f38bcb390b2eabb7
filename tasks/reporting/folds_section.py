"""The section on folds: every fold's score as a dot, means, and differences to the baselines."""

from collections.abc import Mapping, Sequence
from typing import Any

from birnn.tasks.reporting.blocks import (
    Block,
    Dot,
    DotGroup,
    Dots,
    Fold,
    Paragraph,
    Section,
    Table,
    columns,
)
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.scores import interval_text, plain, scale_ticks, score_name
from birnn.tasks.scoring.metric_names import format_score, is_percent, lower_is_better

CORRECTED = (
    "The folds share most of their training rows. Intervals of means and of differences are"
    " corrected for that (Nadeau & Bengio 2003): they are wider than those of as many independent"
    " scores."
)


def folds_section(files: RunFiles) -> Section:
    """Dots by fold, a table of all scores, and how the run was chosen."""
    folds = files.metrics["folds"]
    labels = {"model": f"model ({files.metrics['encoder']})"}
    labels |= {str(k): str(v) for k, v in files.extras.get("baselines", {}).items()}
    names = list(next(iter(folds["differences"].values()), folds["scores"]["model"]))
    caption = "A dot is a fold's score; the line is the 95 % interval of the mean over folds."
    blocks: list[Block] = [
        Paragraph(str(folds["verdict"])),
        Dots("The model, fold by fold", [_dots(name, folds) for name in names], caption),
        _differences(folds, labels),
        Fold("All scores over folds", [_scores(folds, labels)]),
        Paragraph(f"{CORRECTED} {_run(folds, several='ensemble' in files.metrics)}"),
    ]
    lead = f"{folds['how']}. All {folds['items']:,} items are scored by models that never saw them."
    if folds.get("rolling"):
        lead = f"{folds['how']}."
    return Section("folds", f"{folds['count']} folds", blocks, lead)


def _dots(name: str, folds: Mapping[str, Any]) -> DotGroup:
    """The scores of the model, the mean first."""
    own = folds["scores"]["model"][name]
    text = plain(format_score(name, own["mean"]))
    bounds = interval_text(name, own)
    dots = [Dot("mean", own["mean"], f"{text} ({bounds})" if bounds else text, own["low"],
                own["high"], own=True)]  # fmt: skip
    dots += [
        Dot(f"fold {number}", value, plain(format_score(name, value)))
        for number, value in enumerate(own["values"], start=1)
    ]
    ends = [end for dot in dots for end in (dot.value, dot.low, dot.high) if end is not None]
    scale = 100 if is_percent(name) else 1
    ticks = [(tick, f"{tick * scale:,.6g}") for tick in scale_ticks(min(ends), max(ends))]
    better = "lower is better" if lower_is_better(name) else "higher is better"
    return DotGroup(score_name(name), dots, ticks, better)


def _differences(folds: Mapping[str, Any], labels: Mapping[str, str]) -> Table:
    """How much better the model is than each baseline, over folds."""
    rows = []
    for name, own in folds["differences"].items():
        for metric, gap in own.items():
            scale, digits = (100, 1) if is_percent(metric) else (1, 4)
            value, *ends = (
                f"{scale * gap[key]:.{digits}f}"
                for key in ("value", "low", "high") if gap[key] is not None
            )  # fmt: skip
            who = {"model": "model", "baseline": labels.get(name, name)}.get(gap["winner"], "–")
            bounds = f"{ends[0]} to {ends[1]}" if ends else "–"
            rows.append([labels.get(name, name), score_name(metric), value, bounds, who])
    heads = columns("Better than", "In", "by", "95 % interval", "Clear winner")
    return Table(heads, rows)


def _scores(folds: Mapping[str, Any], labels: Mapping[str, str]) -> Table:
    rows = [
        [score_name(name), labels.get(model, model), plain(format_score(name, own["mean"])),
         interval_text(name, own) or "–", plain(format_score(name, own["std"])),
         *_each(name, own["values"])]
        for model, scores in folds["scores"].items() for name, own in scores.items()
    ]  # fmt: skip
    numbers = [f"fold {number + 1}" for number in range(folds["count"])]
    return Table(columns("Score", "Of", "mean", "95 % interval", "std", *numbers), rows)


def _each(name: str, values: Sequence[float]) -> list[str]:
    return [plain(format_score(name, value)) for value in values]


def _run(folds: Mapping[str, Any], *, several: bool) -> str:
    """Which model the run is, or that it is ``several``."""
    seeds = len(folds["seeds"])
    averaged = f" Each fold was trained with {seeds} seeds, whose scores are averaged." * (
        seeds > 1
    )
    own = "what was trained is in fold-1, fold-2, …, each with a report of its own"
    model = f"that of {folds['chosen']}"
    if several:
        model = "all of them, averaged, which has no rows that none of them was trained on"
    return f"The run's model is {model}; {own}.{averaged}"
