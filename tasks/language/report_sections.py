"""The sections of a language model's report: what n-grams add, and where it was surprised."""

from collections.abc import Iterator, Mapping
from typing import Any

from birnn.tasks.core.stored import stored
from birnn.tasks.reporting.blocks import Block, Column, Section, Table, columns
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.scores import score_text

WAYS = {"forward": "left to right", "backward": "right to left"}


def language_sections(files: RunFiles) -> list[Section]:
    """Network and n-grams apart, and the most surprising stretches of the test split.

    Raises:
        CheckpointError: the run's files are not as it wrote them.
    """
    with stored(files.folder, "metrics are"):
        details = files.metrics["details"]
        sections = []
        if blocks := list(_mixture(files.metrics)):
            lead = "The model is a network with n-grams mixed in, by weights chosen on validation."
            sections.append(Section("mixture", "Network and n-grams", blocks, lead))
        if details.get("surprises"):
            blocks = [_surprises(details["surprises"])]
            lead = "The stretches of the test split that cost most bits a symbol, one a passage."
            sections.append(Section("surprises", "Surprises", blocks, lead))
        return sections


def _mixture(metrics: Mapping[str, Any]) -> Iterator[Block]:
    if "network_alone" in metrics["details"]:
        models = {
            "mixed": metrics["test"]["model"], "network alone": metrics["details"]["network_alone"],
            "n-grams alone": metrics["test"]["baselines"]["kneser_ney"],
        }  # fmt: skip
        name = "bits_per_character"
        rows = [[label, score_text(name, scores[name])] for label, scores in models.items()]
        yield Table(columns("test split", "bits per character"), rows, own=0)
    rows = [
        [WAYS[way], str(number), f"{weight:.3f}"]
        for way, told in metrics["train"].get("mixture", {}).items()
        for number, weight in enumerate(told["weights"])
    ]
    if rows:
        heads = columns("direction", "symbols of context known", "weight of the n-grams")
        yield Table(heads, rows, "Weights", sortable=True)


def _surprises(rows: list[Mapping[str, Any]]) -> Table:
    heads = [Column("bits", number=True), Column("passage", number=True), Column("before"),
             Column("stretch"), Column("after")]  # fmt: skip
    cells = [
        [f"{row['bits']:.2f}", str(row["passage"]), row["before"], row["text"], row["after"]]
        for row in rows
    ]
    return Table(heads, cells)
