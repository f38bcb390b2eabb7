"""What a person sees of folds: every score fold by fold, its mean and how sure that is."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from birnn.tasks.scoring.metric_names import format_score, is_percent, score_title
from birnn.terminal.text import make_table, titled

MOST_SHOWN = 10  # folds whose scores have a column each


def render_folds(
    folds: Mapping[str, Any], labels: Mapping[str, str], width: int, *, plain: bool
) -> RenderableType:
    """The headline's scores by fold, with mean, deviation and the mean's interval."""
    names = list(next(iter(folds["differences"].values()), folds["scores"]["model"]))
    count = folds["count"]
    shown = range(count) if count <= MOST_SHOWN and (plain or width >= 60 + 7 * count) else ()
    rows = []
    for name in names:
        for model, scores in folds["scores"].items():
            if name in scores:
                own = scores[name]
                label = "model" if model == "model" else labels.get(model, model)
                each = [format_score(name, own["values"][k]) for k in shown]
                rows.append([score_title(name), label, *_cells(name, own), *each])
    heads = ["mean", "95 % interval", "std", *(f"fold {k + 1}" for k in shown)]
    table = make_table(["metric", "of"], heads, rows, plain=plain)
    parts = [titled(f"Over {count} folds, each scored on its own test rows", table)]
    gaps = [
        [labels.get(name, name), score_title(metric), *_gap(metric, gap)]
        for name, own in folds["differences"].items() for metric, gap in own.items()
    ]  # fmt: skip
    heads = ["better by", "95 % interval"]
    table = make_table(["than", "in"], heads, gaps, plain=plain)
    parts.append(titled("The model beside each baseline, fold by fold", table))
    note = (
        "Intervals of means are corrected for what the folds share of their training rows"
        " (Nadeau & Bengio 2003); those above are of all rows, by bootstrap."
    )
    return Group(*parts, Text(note, "dim"), Text())


def _cells(name: str, score: Mapping[str, Any]) -> list[str]:
    ends = [format_score(name, score[end]) for end in ("low", "high") if score[end] is not None]
    mean, std = (format_score(name, score[key]) for key in ("mean", "std"))
    return [mean, f"{ends[0]} to {ends[1]}" if ends else "–", std]


def _gap(name: str, gap: Mapping[str, Any]) -> list[str]:
    """A difference in the score's own unit, or in points."""
    scale, digits, unit = (100, 1, " points") if is_percent(name) else (1, 4, "")
    value, *ends = (
        f"{scale * gap[key]:.{digits}f}" for key in ("value", "low", "high") if gap[key] is not None
    )
    return [f"{value}{unit}", f"{ends[0]} to {ends[1]}" if ends else "–"]
