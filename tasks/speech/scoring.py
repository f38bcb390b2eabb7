"""How near texts are to what was said: word and character error rates, by jiwer.

``N`` recordings. An error rate is substitutions, deletions and insertions over the words, or
characters, that were said (Levenshtein 1966): more than 1 is possible.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from birnn.arrays import Array, Ints
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.scoring import metrics
from birnn.tasks.scoring.bootstrap import replicates

TEXT_MONITORS = ("wer", "nll", "cer")
LABEL_MONITORS = ("log_loss", "accuracy", "macro_f1")
COLUMNS = ("word_errors", "words", "character_errors", "characters", "exact", "recordings")


def edits(gold: Sequence[str], said: Sequence[str]) -> Array:
    """``[N, 6]`` counts of each recording, by :data:`COLUMNS`."""
    import jiwer

    rows = np.empty((len(gold), len(COLUMNS)))
    for row, (wanted, found) in enumerate(zip(gold, said, strict=True)):
        words, characters = len(wanted.split()), len(wanted)
        if wanted == found or not wanted:  # jiwer wants words to compare with
            rows[row] = (
                len(found.split()) - words,
                words,
                len(found) - characters,
                characters,
                wanted == found,
                1,
            )
            continue
        parts = jiwer.process_words(wanted, found), jiwer.process_characters(wanted, found)
        counts = [
            number
            for part in parts
            for number in (
                part.substitutions + part.deletions + part.insertions,
                part.hits + part.substitutions + part.deletions,
            )
        ]
        rows[row] = (*counts, 0, 1)
    return rows


def rates(sums: Array, *, spaced: bool) -> dict[str, Array]:
    """Scores from counts ``[…, 6]``; symbols with spaces between are words alone."""
    wrong, words, character_errors, characters, exact, count = np.moveaxis(sums, -1, 0)
    rates = {"wer": wrong / words}
    if not spaced:
        rates["cer"] = character_errors / characters
    return {**rates, "exact": exact / count}


def speaker_groups(speakers: Sequence[str]) -> Ints | None:
    """``[N]`` the number of each recording's speaker, where all are known and there are several."""
    names = sorted(set(speakers))
    if "" in names or len(names) < 2:
        return None
    places = {name: i for i, name in enumerate(names)}
    return np.array([places[speaker] for speaker in speakers], dtype=np.int64)


def evaluate_texts(
    gold: Sequence[str], said: Sequence[str], speakers: Sequence[str], seed: int, *, spaced: bool
) -> Evaluation:
    """Error rates, resampled by speakers, or by recordings where these are not known."""
    counts = edits(gold, said)
    groups = speaker_groups(speakers)

    def scores(drawn: Array) -> Mapping[str, Array]:
        return rates(drawn @ counts, spaced=spaced)

    found = rates(counts.sum(0), spaced=spaced)
    resampled = replicates(scores, len(counts), seed, groups)
    return Evaluation({name: float(value) for name, value in found.items()}, resampled)


def evaluate_labels(
    gold: Array, probabilities: Array, speakers: Sequence[str], seed: int
) -> Evaluation:
    """scikit-learn's scores of classes ``[N]``, resampled by speakers where these are known."""
    groups = speaker_groups(speakers)
    resampled = metrics.classification_replicates(gold, probabilities, seed, groups)
    return Evaluation(metrics.classification_scores(gold, probabilities), resampled)
