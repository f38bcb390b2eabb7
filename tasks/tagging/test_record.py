"""What a tagging run keeps of its test split: sentences with a tag a token."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from birnn.data.tags.schemes import SCHEMES
from birnn.errors import BirnnError, CheckpointError
from birnn.storage.files import read_json
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.core.run_rows import checked, is_pooled, number, read_rows, whole
from birnn.tasks.runs.test_records import TestRecord, digest
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.tagging.metrics import Seen, Tagged, evaluate_tags


def read_tags(folder: Path, config: Mapping[str, Any]) -> TestRecord:
    """Sentences with a tag a token: what a tagging run keeps.

    The calibration error of spans is not made anew: it takes probabilities that are not kept.

    Raises:
        CheckpointError: a file is missing or not what it should be.
    """
    tagged, seen, known = read_tagged(folder, config)
    try:
        found = evaluate_tags(tagged, seen, BOOTSTRAP_SEED)
    except (BirnnError, ValueError, KeyError, IndexError) as error:
        path = folder / "predictions.csv"
        raise CheckpointError(f"{path} can't be scored: {error}") from None
    items: list[object] = []
    for place, row in enumerate(zip(tagged.tokens, tagged.gold, strict=True), 1):
        for token, tag in zip(*row, strict=True):
            items += [place, token, tag]
    found.scores.pop("span_calibration_error", None)
    if is_pooled(folder / "predictions.csv"):  # each fold has seen other words
        found = Evaluation(*(_seen_by_all(part) for part in (found.scores, found.replicates)))
    scopes = {name: known for name in found.scores if name.startswith("unseen_")}
    monitors = ("span_f1", "accuracy", "nll")
    reading = {} if tagged.scheme == "raw" else {"span_mode": tagged.mode}
    count = len(tagged.tokens)
    return TestRecord(found, digest(items), count, "sentences", monitors, reading, scopes)


def _seen_by_all(scores: Mapping[str, Any]) -> dict[str, Any]:
    """The scores that don't depend on what train has."""
    return {name: score for name, score in scores.items() if not name.startswith("unseen_")}


def read_tagged(folder: Path, config: Mapping[str, Any]) -> tuple[Tagged, Seen, str]:
    """The test split of a run beside what is predicted of it, what train has, and a digest of that.

    Raises:
        CheckpointError: a file is missing or not what it should be.
    """
    path = folder / "predictions.csv"
    sides: dict[str, list[list[Any]]] = {"token": [], "gold": [], "label": [], "confidence": []}
    tokens, gold, guesses, sure = sides.values()
    for row in read_rows(path, ("sentence", *sides)):
        place = whole(path, row, "sentence", (len(tokens), len(tokens) + 1))
        if not place:
            raise CheckpointError(f"{path}: sentences are counted from 1")
        unsure = row["confidence"] == "nan"  # a baseline without probabilities
        share = np.nan if unsure else number(path, row, "confidence", share=True)
        for name, side in sides.items():
            if place > len(side):
                side.append([])
            side[-1].append(share if name == "confidence" else row[name])
    checked(path, tokens)
    scheme, seen, known = _read_training(folder)
    mode = str(config.get("data", {}).get("span_mode", "conlleval"))
    confidence = [np.clip(np.array(row), 0, 1) for row in sure]
    try:
        unknown = [bool(np.isnan(cell)) for row in confidence for cell in row]
        if any(unknown) and not all(unknown):
            raise CheckpointError(f"{path}: some confidences are missing; train again")
        every = None if all(unknown) else confidence
        tagged = Tagged(tokens, gold, guesses, scheme, mode, every)
    except BirnnError as error:
        raise CheckpointError(f"{path} can't be scored: {error}") from None
    return tagged, seen, known


def _read_training(folder: Path) -> tuple[str, Any, str]:
    """The scheme of the tags, what train has, and a digest of that."""
    labels, found = read_json(folder / "labels.json"), read_json(folder / "vocabulary.json")
    try:
        scheme = labels["scheme"]
        if scheme not in SCHEMES:
            raise ValueError(f"scheme {scheme!r}")
        words = frozenset(map(str, [*found["words"], *found["rare"]]))
        spans = frozenset((str(surface), str(kind)) for surface, kind in found["spans"])
    except (KeyError, TypeError, ValueError) as error:
        what = f"its vocabulary or labels are not usable ({error})"
        raise CheckpointError(f"{folder}: {what}") from None
    known = digest([*sorted(words), "", *(part for span in sorted(spans) for part in span)])
    return scheme, Seen(words, spans), known
