"""What reports say of a run that began from another, in sentences."""

from collections.abc import Mapping
from typing import Any

from birnn.data.wording import plural
from birnn.tasks.scoring.metric_names import format_score, score_title


def forgetting_words(metrics: Mapping[str, Any]) -> list[str]:
    """What is to be said of a run that began from another, in sentences; empty for others."""
    if "forgetting" not in metrics:
        return []
    found, name = metrics["forgetting"], metrics["from"]["name"]
    if "reason" in found:
        return [f"What was forgotten of {name} is not known: {found['reason']}."]
    lines = []
    for metric, gap in found["differences"].items():
        sides = [format_score(metric, found[k][metric]["value"]) for k in ("before", "after")]
        words = {"model": "better", "baseline": "worse"}.get(gap["winner"], "no clear difference")
        lines.append(f"{score_title(metric)} {sides[0]} before, {sides[1]} after ({words})")
    rows = plural(found["rows"], found["unit"].removesuffix("s"))
    return [f"On the {rows} of {name}'s own test split ({found['source']}): {'; '.join(lines)}."]


def in_words(told: Mapping[str, Any]) -> str:
    """What is kept of the run that another begins from, in a sentence.

    >>> in_words({"name": "old", "kept": ["encoder"], "new": ["classes 'c'"], "gone": [],
    ...           "refitted": []})
    "Begun from old; kept: encoder; new: classes 'c'"
    """
    titles = {"kept": "kept", "new": "new", "gone": "gone", "refitted": "fitted anew"}
    parts = [f"{title}: {', '.join(map(str, told[name]))}" for name, title in titles.items()
             if told.get(name)]  # fmt: skip
    return "; ".join([f"Begun from {told['name']}", *parts])
