"""The section on the run that this one began from: what was kept, and what was forgotten."""

from birnn.tasks.reporting.blocks import Block, Facts, Paragraph, Section, Table, columns
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.scores import plain, score_name
from birnn.tasks.scoring.metric_names import format_score
from birnn.tasks.warm.wording import forgetting_words

TITLES = {"kept": "Kept", "new": "New", "gone": "Gone", "refitted": "Fitted anew"}


def origin_section(files: RunFiles) -> Section:
    """What became of the weights, and both runs on the first one's test split."""
    told, found = files.metrics["from"], files.metrics["forgetting"]
    rows = [("It began from", str(told["name"])), ("whose digest is", str(told["digest"]))]
    rows += [(title, ", ".join(map(str, told[name]))) for name, title in TITLES.items()
             if told.get(name)]  # fmt: skip
    blocks: list[Block] = [Facts(rows)]
    if "reason" in found:
        blocks.append(Paragraph(forgetting_words(files.metrics)[0]))
        return Section("forgetting", "Forgetting", blocks)
    cells = []
    for name, gap in found["differences"].items():
        sides = [format_score(name, found[side][name]["value"]) for side in ("before", "after")]
        cells.append([score_name(name), *sides, *_apart(name, gap)])
    heads = columns("Score", "before", "after", "better by", "95 % interval")
    caption = "The interval is of a paired bootstrap: both runs on the same resamples."
    blocks.append(Table(heads, cells, "On the first run's own test split", caption))
    return Section("forgetting", "Forgetting", blocks, forgetting_words(files.metrics)[0])


def _apart(name: str, gap: dict[str, float | None]) -> list[str]:
    """How much better the new run is, and the interval of that."""
    value, low, high = (gap.get(part) for part in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return ["–" if value is None else plain(format_score(name, value)), "–"]
    return [
        plain(format_score(name, value)),
        f"{plain(format_score(name, low))} to {plain(format_score(name, high))}",
    ]
