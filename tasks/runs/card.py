"""A run's README: a model card, as a person reads it and as the Hugging Face Hub does."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from birnn.data.wording import agree, plural
from birnn.storage.files import write_text
from birnn.tasks import TASKS
from birnn.tasks.warm.wording import forgetting_words, in_words
from birnn.version import __version__


def write_card(path: Path, command: str, metrics: Mapping[str, Any]) -> None:
    """Write the run's README, a model card: what it is, what it scores, how to use it."""
    write_text(path, render_card(command, metrics))


def render_card(command: str, metrics: Mapping[str, Any], name: str = "RUN") -> str:
    """The text of the card.

    ``command`` made the run (empty: not told); without ``test`` in the metrics no score is told;
    ``name`` is the run's in the commands that use it.
    """
    made = f"Made by birnn {__version__}" + (f" with `{command}`." if command else ".")
    scores = scores_part(metrics) if "test" in metrics else ["Not scored on held-out data."]
    paragraphs = [front_matter(metrics), f"# {metrics['task']}: {metrics['encoder']}", made,
                  *scores, *data_part(metrics), *use_part(metrics, name)]  # fmt: skip
    return "\n\n".join(paragraphs) + "\n"


def front_matter(metrics: Mapping[str, Any]) -> str:
    """What the Hugging Face Hub reads of a card: YAML between two lines of dashes.

    No language and no licence: the run doesn't know them.
    """
    task, source = metrics["task"], metrics["data"]["source"]
    pipeline = TASKS[task].hub_pipeline
    scores = {name: score for name, score in shown_scores(metrics).items() if "value" in score}
    head: dict[str, Any] = {"library_name": "birnn"}
    if pipeline:
        head["pipeline_tag"] = pipeline
    head |= {"tags": ["birnn", task, metrics["encoder"]], "metrics": list(scores)}
    if scores:
        dataset = {"name": Path(source).name or source, "type": "custom", "split": "test"}
        values = [{"type": k, "value": round(score["value"], 4), "name": k.replace("_", " ")}
                  for k, score in scores.items()]  # fmt: skip
        result = {"task": {"type": pipeline or task}, "dataset": dataset, "metrics": values}
        head["model-index"] = [{"name": f"{task} {metrics['encoder']}", "results": [result]}]
    # JSON is YAML too, and quotes whatever a name may hold.
    rows = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    return "\n".join(["---", *rows, "---"])


def shown_scores(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The test scores that a card shows."""
    scores = metrics.get("test", {}).get("model", {})
    return {n: s for n, s in scores.items() if isinstance(s, dict) and not n.startswith("width_")}


def scores_part(metrics: Mapping[str, Any]) -> list[str]:
    """Paragraphs: scores with intervals beside those of the baselines, and the verdict."""
    test, train = metrics["test"], metrics["train"]
    models = {"model": test["model"], **test["baselines"]}
    heads = [label.replace("_", " ") for label in models]
    if "seeds" in train:
        heads.append(f"model, mean of {len(train['seeds'])} seeds")
    table = ["| | " + " | ".join(heads) + " |", "|---" * len(heads) + "|---|"]
    for name, score in shown_scores(metrics).items():
        cells = [_cell(scores.get(name)) for scores in models.values()]
        if "seeds" in train:
            cells.append(f"{score['mean']:.4f} ± {score['std']:.4f}")
        table.append(f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |")
    brackets = "Brackets hold 95 % bootstrap intervals."
    if "ensemble" in metrics and "folds" not in metrics:
        count = len(metrics["ensemble"])
        brackets += f" The model is an ensemble of {count}, whose predictions are averaged."
    return ["## Test scores", "\n".join(table), brackets, *folds_part(metrics),
            metrics["verdict"], *_origin(metrics)]  # fmt: skip


def folds_part(metrics: Mapping[str, Any]) -> list[str]:
    """Paragraphs: how the folds were cut, and scores over them; none without folds."""
    folds = metrics.get("folds")
    if not folds:
        return []
    table = ["| | mean | 95 % interval | std |", "|---|---|---|---|"]
    for name, own in folds["scores"]["model"].items():
        ends = "–" if own["low"] is None else f"{own['low']:.4f} to {own['high']:.4f}"
        table.append(
            f"| {name.replace('_', ' ')} | {own['mean']:.4f} | {ends} | {own['std']:.4f} |"
        )
    weights = f"the weights here are those of {folds['chosen']}"
    if "ensemble" in metrics:
        several = "the run averages all of them"
        weights = f"{several}, and has no rows that none of them was trained on"
    told = (
        f"{folds['how']}. The scores above are of all folds' test rows, each predicted by the model"
        f" of its fold; {weights}."
    )
    corrected = "Intervals of means are corrected for shared training rows (Nadeau & Bengio 2003)."
    return [told, f"Over {folds['count']} folds:", "\n".join(table), corrected]


def _origin(metrics: Mapping[str, Any]) -> list[str]:
    """Paragraphs: which run it began from, and what it has forgotten of it."""
    if "from" not in metrics:
        return []
    return [f"{in_words(metrics['from'])}.", *forgetting_words(metrics)]


def data_part(metrics: Mapping[str, Any]) -> list[str]:
    """Paragraphs: where the data came from, and what is known against them."""
    data = metrics["data"]
    one, notes = data.get("unit", "rows").removesuffix("s"), data.get("notes", [])
    lines = [f"- {name}: {plural(count, one)}" for name, count in data["rows"].items()]
    lines += [f"- {note}" for note in [*notes, *(s for s in data["splits"] if s not in notes)]]
    for pair, count in data.get("overlap", {}).get("normalised", {}).items():
        if count:
            first, second = pair.split("/")
            rows = plural(count, f"row of {second}", f"rows of {second}")
            overlap = f"{rows} also {agree(count, 'stands', 'stand')} in {first}"
            lines.append(f"- **Warning: {overlap}: scores on {second} are flattered.**")
    return ["## Data", "\n".join([f"Source: {data['source']}.", "", *lines])]


def use_part(metrics: Mapping[str, Any], name: str) -> list[str]:
    """Paragraphs: how it was trained, how it is used, and what it is not for."""
    train, example = metrics["train"], TASKS[metrics["task"]].example
    searched = ""
    if trials := train.get("search_trials"):
        searched = f" Its options were chosen among {plural(trials, 'trial')} on validation."
    history = ", curve in `history.csv`" if name == "RUN" else ""
    predict = f"python cli.py predict {name} {example}\n" if example else ""
    return [
        "## Training",
        f"{train['parameters']:,} parameters, {train['epochs']} epochs,"
        f" {train['seconds']:.0f} seconds; settings in `config.json`{history}.{searched}",
        "## Use", f"```\npython cli.py evaluate {name}\n{predict}```",
        f'or, in Python, `import birnn; run = birnn.load("{name}")`.', "## Limits",
        "The scores hold for data like the test split's. A change of domain, time or language can\n"
        "lower them, and the data's biases are the model's."]  # fmt: skip


def _cell(score: Any) -> str:
    if not isinstance(score, dict):
        return "–"
    if score["low"] is None:
        return f"{score['value']:.4f}"
    return f"{score['value']:.4f} [{score['low']:.4f}, {score['high']:.4f}]"
