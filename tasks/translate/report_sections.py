"""The sections of a translator's report: examples by how good they are, and alignments."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from birnn.errors import CheckpointError
from birnn.tasks.core.run_rows import checked, read_rows
from birnn.tasks.core.stored import DAMAGED, reason
from birnn.tasks.pages.figures import writable
from birnn.tasks.reporting.blocks import (
    Bar,
    Bars,
    Block,
    Column,
    Facts,
    Fold,
    Matrix,
    Paragraph,
    Section,
    Table,
)
from birnn.tasks.reporting.inputs import EXTRAS, RunFiles
from birnn.tasks.translate.metrics import chrf, chrf_counts

SHOWN = 12  # of the worst and of the best translations
NUMBERS = 2_000  # translations of which a report holds the texts
BINS = 10
LONGEST = 300  # letters of a text in a table


class Row(NamedTuple):
    """A pair of the test split, and what was said."""

    source: str
    wanted: str
    said: str
    chrf: float


def read_test(files: RunFiles) -> list[Row]:
    """The test split as ``predictions.csv`` has it.

    Raises:
        CheckpointError: it is missing or not what it should be.
    """
    path = files.folder / "predictions.csv"
    rows = list(read_rows(path, ("source", "target", "translation")))
    checked(path, rows)
    wanted, said = [row["target"] for row in rows], [row["translation"] for row in rows]
    likeness = chrf(chrf_counts(said, wanted)).tolist()
    sources = [row["source"] for row in rows]
    return [Row(*row) for row in zip(sources, wanted, said, likeness, strict=True)]


def translate_sections(files: RunFiles) -> list[Section]:
    """Translations, the worst and the best; then where was looked at each piece."""
    rows = read_test(files)
    order = np.argsort([row.chrf for row in rows], kind="stable")
    names = files.metrics["details"].get("signatures", {})
    facts = Facts([(f"{name} by sacrebleu", text) for name, text in names.items()])
    blocks: list[Block] = [facts, _spread([row.chrf for row in rows])]
    blocks.append(_table("The worst", [rows[i] for i in order[:SHOWN]]))
    blocks.append(Fold("The best", [_table("", [rows[i] for i in order[::-1][:SHOWN]])]))
    lead = f"{len(rows):,} translations of the test split, by chrF of each alone."
    pictures: list[Block] = [_alignment(one) for one in files.extras.get("alignments", ())]
    looked = "Of each piece of a translation, where in the source was looked, in per cent."
    return [
        Section("translations", "Translations", blocks, lead),
        Section("alignments", "Alignments", pictures or [Paragraph("The run keeps none.")], looked),
    ]


def translate_numbers(files: RunFiles) -> dict[str, Any]:
    """Of each pair of the test split its source, target and translation."""
    rows = read_test(files)
    if len(rows) > NUMBERS:
        return {"left_out": f"{len(rows):,} translations are in predictions.csv"}
    return {name: [getattr(row, name) for row in rows] for name in Row._fields}


def _spread(scores: Sequence[float]) -> Bars:
    counts, edges = np.histogram(scores, BINS, (0.0, 100.0))
    most = max(int(counts.max()), 1)
    bins = zip(counts.tolist(), edges[:-1], edges[1:], strict=True)
    rows = [(f"{low:.0f} to {high:.0f}", [Bar(n / most, f"{n:,}")]) for n, low, high in bins]
    return Bars("chrF of single translations", ["translations"], rows, "100 is the same text.")


def _table(title: str, rows: Sequence[Row]) -> Table:
    heads = [Column("source"), Column("wanted"), Column("said"), Column("chrF", number=True)]
    cells = [[*(_short(part) for part in row[:3]), f"{row.chrf:.1f}"] for row in rows]
    return Table(heads, cells, title)


def _short(text: str) -> str:
    plain = writable(" ".join(text.split()))
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def _alignment(one: Any) -> Matrix:
    """A picture of one translation.

    Raises:
        CheckpointError: the run holds something else.
    """
    try:
        said, source = ([writable(str(piece)) for piece in one[n]] for n in ("said", "source"))
        counts = [[int(cell) for cell in row] for row in one["weights"]]
        if len(counts) != len(said) or any(len(row) != len(source) for row in counts):
            raise ValueError("sizes differ")
        wanted = writable(str(one["wanted"]))
    except DAMAGED as error:
        raise CheckpointError(f"{EXTRAS} holds no alignments ({reason(error)})") from None
    return Matrix(" ".join(said), said, counts, f"Wanted: {wanted}", source)
