"""Texts that a trained run writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from birnn.config import LARGEST_SEED, option
from birnn.tasks import TASKS


@dataclass(frozen=True)
class Generation:
    """How texts are drawn."""

    length: int = option(
        400, "Symbols that are written, at most; a document may end before.", low=1, high=1_000_000,
        group="Text",
    )  # fmt: skip
    count: int = option(1, "Texts that are written.", low=1, high=10_000, group="Text")
    temperature: float = option(
        0.8, "Below 1 likely symbols are drawn more often, above 1 less; 0: always the likeliest.",
        low=0, high=100, group="Text",
    )  # fmt: skip
    top_p: float = option(
        0.95, "Draw among the likeliest symbols that together have this chance.",
        low=0, high=1, group="Text",
    )  # fmt: skip
    seed: int = option(0, "Seed of what is drawn.", low=0, high=LARGEST_SEED, group="Text")


def generate(folder: Path, prompt: str, wish: Generation, device: str = "cpu") -> Iterator[str]:
    """Texts that go on from ``prompt``, by the run in ``folder``.

    Raises:
        BirnnError: an unusable run, or one of a task that writes nothing.
    """
    from birnn.tasks.runs.folder import load_run, read_config  # here: options are light to read

    task = str(read_config(folder)["task"])
    write = TASKS.require(task, "generate", "generate", folder)
    return cast(Iterator[str], write(load_run(folder, device), prompt, wish))
