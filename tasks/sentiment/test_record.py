"""Readers of ``predictions.csv``: of texts, of tokens, and of steps.

The scores are those of ``metrics.json``: the same functions on the same numbers. Probabilities
are read as float32, which they were before they were written.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from birnn.data.tags.schemes import SCHEMES
from birnn.errors import BirnnError, CheckpointError
from birnn.storage.files import read_json
from birnn.tasks.core.task import Evaluation
from birnn.tasks.runs.test_records import Kept, checked, digest, number, read_rows, whole
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED
from birnn.tasks.scoring.metrics import (
    classification_replicates,
    classification_scores,
    regression_replicates,
    regression_scores,
)


def read_texts(folder: Path, config: Mapping[str, Any]) -> Kept:
    """Texts with their class: what a sentiment run keeps.

    Raises:
        CheckpointError: ``predictions.csv`` is missing or not what it should be.
    """
    path = folder / "predictions.csv"
    items: list[str] = []
    gold: list[int] = []
    rows: list[list[float]] = []
    shares: dict[str, int] = {}
    for row in read_rows(path, ("text", "gold", "label")):
        if not shares:
            names = [name for name in row if name.startswith("p_")]
            shares = {name: i for i, name in enumerate(names)}
        if f"p_{row['gold']}" not in shares:
            raise CheckpointError(f"{path}: no probability for the class {row['gold'][:40]!r}")
        items += [row["text"], row["gold"]]
        gold.append(shares[f"p_{row['gold']}"])
        rows.append([number(path, row, name, share=True) for name in shares])
    checked(path, gold)
    targets, probabilities = np.array(gold), np.array(rows, dtype=np.float32)
    if not np.allclose(probabilities.sum(1), 1, atol=1e-3):
        raise CheckpointError(f"{path}: probabilities of a row don't sum to 1")
    evaluation = Evaluation(
        classification_scores(targets, probabilities),
        classification_replicates(targets, probabilities, BOOTSTRAP_SEED),
    )
    monitors = ("log_loss", "accuracy", "macro_f1")
    return Kept(evaluation, digest(items), len(gold), "texts", monitors)


def read_tags(folder: Path, config: Mapping[str, Any]) -> Kept:
    """Sentences with a tag a token: what a tagging run keeps.

    The calibration error of spans is not made anew: it takes probabilities that are not kept.

    Raises:
        CheckpointError: a file is missing or not what it should be.
    """
    from birnn.tasks.tagging.metrics import Tagged, evaluate_tags

    path = folder / "predictions.csv"
    tokens: list[list[str]] = []
    gold: list[list[str]] = []
    guesses: list[list[str]] = []
    sure: list[list[float]] = []
    items: list[object] = []
    for row in read_rows(path, ("sentence", "token", "gold", "label", "confidence")):
        place = whole(path, row, "sentence", (len(tokens), len(tokens) + 1))
        if place == len(tokens) + 1:
            for side in (tokens, gold, guesses):
                side.append([])
            sure.append([])
        elif not place:
            raise CheckpointError(f"{path}: sentences are counted from 1")
        tokens[-1].append(row["token"])
        gold[-1].append(row["gold"])
        guesses[-1].append(row["label"])
        sure[-1].append(number(path, row, "confidence", share=True))
        items += [place, row["token"], row["gold"]]
    checked(path, tokens)
    scheme, seen, known = _read_training(folder)
    mode = str(config.get("data", {}).get("span_mode", "conlleval"))
    confidence = [np.clip(np.array(row), 0, 1) for row in sure]
    try:
        tagged = Tagged(tokens, gold, guesses, scheme, mode, confidence)
        found = evaluate_tags(tagged, seen, BOOTSTRAP_SEED)
    except (BirnnError, ValueError, KeyError, IndexError) as error:
        raise CheckpointError(f"{path} can't be scored: {error}") from None
    found.scores.pop("span_calibration_error", None)
    scopes = {name: known for name in found.scores if name.startswith("unseen_")}
    monitors = ("span_f1", "accuracy", "nll")
    reading = {} if scheme == "raw" else {"span_mode": mode}
    return Kept(found, digest(items), len(tokens), "sentences", monitors, reading, scopes)


def _read_training(folder: Path) -> tuple[str, Any, str]:
    """The scheme of the tags, what train has, and a digest of that."""
    from birnn.tasks.tagging.metrics import Seen

    labels, found = read_json(folder / "labels.json"), read_json(folder / "vocabulary.json")
    try:
        scheme = labels["scheme"]
        if scheme not in SCHEMES:
            raise ValueError(f"scheme {scheme!r}")
        words = frozenset(map(str, [*found["words"], *found["rare"]]))
        spans = frozenset((str(surface), str(kind)) for surface, kind in found["spans"])
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{folder}: its vocabulary or labels are not usable ({error})"
        ) from None
    known = digest([*sorted(words), "", *(part for span in sorted(spans) for part in span)])
    return scheme, Seen(words, spans), known


def read_steps(folder: Path, config: Mapping[str, Any]) -> Kept:
    """Sequences with a number a step: what a regression run keeps.

    Raises:
        CheckpointError: ``predictions.csv`` is missing or not what it should be.
    """
    path = folder / "predictions.csv"
    gold: list[float] = []
    predicted: list[float] = []
    sequence: list[int] = []
    for row in read_rows(path, ("sequence", "target", "predicted")):
        last = sequence[-1] if sequence else -1
        sequence.append(whole(path, row, "sequence", (max(last, 0), last + 1)))
        gold.append(number(path, row, "target"))
        predicted.append(number(path, row, "predicted"))
    checked(path, gold)
    targets, values, numbers = np.array(gold), np.array(predicted), np.array(sequence)
    with np.errstate(over="ignore", invalid="ignore"):
        evaluation = Evaluation(
            regression_scores(targets, values),
            regression_replicates(targets, values, numbers, BOOTSTRAP_SEED),
        )
    items = digest(part for pair in zip(sequence, gold, strict=True) for part in pair)
    return Kept(evaluation, items, sequence[-1] + 1, "sequences", ("mse", "mae"))
