"""A run's README: a model card, as a person reads it and as the Hugging Face Hub does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from birnn.data.wording import agree, plural
from birnn.storage.files import write_text
from birnn.tasks import TASKS
from birnn.version import __version__


def write_card(path: Path, command: str, metrics: Mapping[str, Any]) -> None:
    """Write the run's README, a model card: what it is, what it scores, how to use it."""
    write_text(path, render_card(command, metrics))


def render_card(command: str, metrics: Mapping[str, Any], name: str = "RUN") -> str:
    """The text of the card.

    Args:
        command: that made the run; empty: not told.
        metrics: what ``metrics.json`` holds; without ``test`` no score is told.
        name: of the run in the commands that use it.
    """
    made = f"Made by birnn {__version__}" + (f" with `{command}`." if command else ".")
    lines = [front_matter(metrics), f"# {metrics['task']}: {metrics['encoder']}", "", made, ""]
    lines += scores_part(metrics) if "test" in metrics else ["Not scored on held-out data.", ""]
    return "\n".join([*lines, *data_part(metrics), *use_part(metrics, name)])


def front_matter(metrics: Mapping[str, Any]) -> str:
    """What the Hugging Face Hub reads of a card: YAML between two lines of dashes.

    No language and no licence: the run doesn't know them.
    """
    task, source = metrics["task"], metrics["data"]["source"]
    kind = TASKS[task].hub_pipeline
    found = {name: score for name, score in told_scores(metrics).items() if "value" in score}
    head: dict[str, Any] = {"library_name": "birnn"}
    if kind:
        head["pipeline_tag"] = kind
    head["tags"] = ["birnn", task, metrics["encoder"]]
    head["metrics"] = list(found)
    if found:
        scores = [
            {"type": name, "value": round(score["value"], 4), "name": name.replace("_", " ")}
            for name, score in found.items()
        ]
        result = {
            "task": {"type": kind or task},
            "dataset": {"name": Path(source).name or source, "type": "custom", "split": "test"},
            "metrics": scores,
        }
        head["model-index"] = [{"name": f"{task} {metrics['encoder']}", "results": [result]}]
    # JSON is YAML too, and quotes whatever a name may hold.
    rows = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    return "\n".join(["---", *rows, "---", ""])


def told_scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The test scores that a card shows."""
    found = metrics.get("test", {}).get("model", {})
    return {
        name: score
        for name, score in found.items()
        if isinstance(score, dict) and not name.startswith("width_")
    }


def scores_part(metrics: Mapping[str, Any]) -> list[str]:
    """Scores with intervals beside those of the baselines, and the verdict."""
    test, train = metrics["test"], metrics["train"]
    models = {"model": test["model"], **test["baselines"]}
    names = told_scores(metrics)
    seeds = "seeds" in train
    heads = [label.replace("_", " ") for label in models]
    heads += [f"model, mean of {len(train['seeds'])} seeds"] if seeds else []
    lines = [
        "## Test scores",
        "",
        "| | " + " | ".join(heads) + " |",
        "|---" * (len(heads) + 1) + "|",
    ]
    for name in names:
        cells = [_cell(scores.get(name)) for scores in models.values()]
        if seeds:
            score = test["model"][name]
            cells.append(f"{score['mean']:.4f} ± {score['std']:.4f}")
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return [*lines, "", "Brackets hold 95 % bootstrap intervals.", "", metrics["verdict"], ""]


def data_part(metrics: Mapping[str, Any]) -> list[str]:
    """Where the data came from, and what is known against them."""
    data = metrics["data"]
    lines = ["## Data", "", f"Source: {data['source']}.", ""]
    unit = data.get("unit", "rows")
    one = unit.removesuffix("s")
    lines += [f"- {name}: {plural(count, one)}" for name, count in data["rows"].items()]
    notes = data.get("notes", [])
    lines += [f"- {note}" for note in [*notes, *(s for s in data["splits"] if s not in notes)]]
    for pair, count in data.get("overlap", {}).get("normalised", {}).items():
        if count:
            first, second = pair.split("/")
            rows = plural(count, f"row of {second}", f"rows of {second}")
            said = f"{rows} also {agree(count, 'stands', 'stand')} in {first}"
            lines.append(f"- **Warning: {said}: scores on {second} are flattered.**")
    return [*lines, ""]


def use_part(metrics: Mapping[str, Any], name: str) -> list[str]:
    """How it was trained, how it is used, and what it is not for."""
    train, example = metrics["train"], TASKS[metrics["task"]].example
    return [
        "## Training",
        "",
        f"{train['parameters']:,} parameters, {train['epochs']} epochs,"
        f" {train['seconds']:.0f} seconds; settings in `config.json`"
        + (", curve in `history.csv`." if name == "RUN" else "."),
        "",
        "## Use",
        "",
        "```",
        f"python cli.py evaluate {name}",
        *([f"python cli.py predict {name} {example}"] if example else []),
        "```",
        "",
        f'or, in Python, `import birnn; run = birnn.load("{name}")`.',
        "",
        "## Limits",
        "",
        "The scores hold for data like the test split's. A change of domain, time or language can",
        "lower them, and the data's biases are the model's.",
        "",
    ]  # fmt: skip


def _cell(score: Any) -> str:
    if not isinstance(score, dict):
        return "–"
    if score["low"] is None:
        return f"{score['value']:.4f}"
    return f"{score['value']:.4f} [{score['low']:.4f}, {score['high']:.4f}]"
