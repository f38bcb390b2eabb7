"""The sections of a recogniser's report: by speaker, what is confused, and what was heard."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from birnn.errors import CheckpointError
from birnn.tasks.core.run_rows import checked, read_rows
from birnn.tasks.reporting.blocks import Block, Chart, Column, Fold, Grid, Section, Table, columns
from birnn.tasks.reporting.inputs import RunFiles
from birnn.tasks.reporting.labels import label_numbers, label_sections
from birnn.tasks.speech.pictures import drawn
from birnn.tasks.speech.scoring import edits

Rows = Sequence[Mapping[str, str]]
PAIRS = 12  # confusions that have a row
SPEAKERS = 100
MISTAKES = 200
NUMBERS = 20_000  # recordings of which a report holds the numbers
NOTHING = "–"


def speech_sections(files: RunFiles) -> list[Section]:
    """Labels as of any classifier, or texts; then speakers, and some spectrograms."""
    single = "confusion" in files.metrics["details"]
    rows = _rows(files, "label" if single else "text")
    said = [row["label" if single else "text"] for row in rows]
    sections = label_sections(files, "recordings") if single else [_texts(rows, said)]
    sections.append(Section("speakers", "Speakers", [_speakers(rows, said, single=single)]))
    pictures = files.extras.get("pictures", [])
    lead = "Time runs to the right, pitch upwards; a word stands under where it was read."
    blocks = [_spectrogram(picture) for picture in pictures]
    grid: list[Block] = [Grid(blocks)] if blocks else []
    lead = lead if blocks else "The folder holds no spectrograms."
    return [*sections, Section("sounds", "What was heard", grid, lead)]


def speech_numbers(files: RunFiles) -> dict[str, Any]:
    """The test split in numbers, so that whoever holds the report can score it anew."""
    if "confusion" in files.metrics["details"]:
        return label_numbers(files)
    rows = _rows(files, "text")
    if len(rows) > NUMBERS:
        return {"left_out": f"{len(rows):,} recordings are in predictions.csv"}
    return {name: [row[name] for row in rows] for name in ("path", "speaker", "gold", "text")}


def _rows(files: RunFiles, answer: str) -> Rows:
    path = files.folder / "predictions.csv"
    rows = list(read_rows(path, ("path", "speaker", "gold", answer)))
    checked(path, rows)
    if not all(row["gold"].strip() for row in rows):
        raise CheckpointError(f"{path}: a recording without a text; train again")
    return rows


def _texts(rows: Rows, said: Sequence[str]) -> Section:
    """Which words are taken for which, and the recordings that were misread, the worst first."""
    gold = [row["gold"] for row in rows]
    counts = edits(gold, said)
    blocks: list[Block] = [_confusions(gold, said)]
    wrong = np.flatnonzero(counts[:, 4] == 0)
    order = wrong[np.argsort(-counts[wrong, 2] / counts[wrong, 3], kind="stable")][:MISTAKES]
    if len(order):
        table = [
            [
                rows[i]["path"],
                rows[i]["speaker"],
                gold[i],
                said[i] or NOTHING,
                f"{counts[i, 2]:.0f}",
            ]
            for i in order
        ]
        heads = [
            *map(Column, ("recording", "speaker", "said", "read")),
            Column("characters wrong", number=True),
        ]
        blocks.append(Fold(f"Recordings misread: {len(wrong):,}", [Table(heads, table)]))
    lead = (
        f"{len(rows):,} recordings in the test split, {len(rows) - len(wrong):,} without an error."
    )
    return Section("results", "Where it is right", blocks, lead)


def _confusions(gold: Sequence[str], said: Sequence[str]) -> Table:
    """Substituted, left out and added words, the most frequent first."""
    import jiwer

    pairs = Counter[tuple[str, str]]()
    for wanted, found in zip(gold, said, strict=True):
        if wanted == found:
            continue
        (chunks,) = jiwer.process_words(wanted, found).alignments
        one, other = wanted.split(), found.split()
        for chunk in chunks:
            if chunk.type == "equal":
                continue
            left = one[chunk.ref_start_idx : chunk.ref_end_idx]
            right = other[chunk.hyp_start_idx : chunk.hyp_end_idx]
            for place in range(max(len(left), len(right))):
                pairs[
                    left[place] if place < len(left) else NOTHING,
                    right[place] if place < len(right) else NOTHING,
                ] += 1
    rows = [[*pair, f"{count:,}"] for pair, count in pairs.most_common(PAIRS)]
    heads = [Column("word said"), Column("read as"), Column("times", number=True)]
    return Table(
        heads, rows or [["none", "none", "0"]], "Words that are confused",
        f"{NOTHING} in place of a word: left out, or added.",
    )  # fmt: skip


def _speakers(rows: Rows, said: Sequence[str], *, single: bool) -> Table:
    """Scores of each speaker of the test split, the worst first."""
    groups: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault(row["speaker"] or "not known", []).append(i)
    counts = edits([row["gold"] for row in rows], said)
    sums = {name: counts[items].sum(0) for name, items in groups.items()}
    wrong = {name: 1 - part[4] / part[5] for name, part in sums.items()}
    rates = {name: wrong[name] if single else part[0] / part[1] for name, part in sums.items()}
    order = sorted(groups, key=lambda name: (-rates[name], name))[:SPEAKERS]
    heads = ["right %"] if single else ["word errors %", "character errors %", "right %"]
    table = []
    for name in order:
        part = sums[name]
        shares = [] if single else [part[0] / part[1], part[2] / part[3]]
        shares.append(part[4] / part[5])
        table.append([name, f"{part[5]:,.0f}", *(f"{100 * share:.1f}" for share in shares)])
    return Table(columns("speaker", "recordings", *heads), table, "By speaker")


def _spectrogram(picture: Mapping[str, Any]) -> Chart:
    """A recording with the words that were read under it."""
    words = picture["words"]
    table = [
        [str(w["word"]), *(f"{float(w[n]):.2f}" for n in ("start", "end", "confidence"))]
        for w in words
    ]
    heads = columns("word", "from (s)", "to (s)", "confidence")
    said, gold = str(picture["said"]) or NOTHING, str(picture["gold"])
    title = (
        f"{picture['path']}: {said}"
        if said == gold
        else f"{picture['path']}: {gold}, read as {said}"
    )
    return Chart(
        title, drawn(picture, f"Spectrogram of {picture['path']}"), Table(heads, table),
        f"{float(picture['seconds']):.2f} seconds, speaker {picture['speaker'] or 'not known'}.",
    )  # fmt: skip
