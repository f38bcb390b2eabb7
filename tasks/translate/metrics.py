"""BLEU and chrF as sacrebleu counts them, and on bootstrap resamples of sentences.

sacrebleu (Post 2018) counts what matches in each sentence; corpus scores are made of summed counts,
so that a resample is a product of counts. The tests hold these to its own corpus scores.
"""

import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from birnn.arrays import Array, Floats
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.scoring.bootstrap import ratio, replicates

ORDER = 4  # of BLEU's n-grams
BETA = 2.0  # of chrF: recall counts so many times as much


@cache
def _bleu(tokenizer: str) -> Any:
    from sacrebleu.metrics import BLEU

    logging.getLogger("sacrebleu").setLevel(
        logging.ERROR
    )  # texts that look tokenised are the user's
    return BLEU(tokenize=tokenizer)


@cache
def _chrf() -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF()


def signatures(tokenizer: str) -> dict[str, str]:
    """How the scores are counted, in sacrebleu's words."""
    scorers = {"bleu": _bleu(tokenizer), "chrf": _chrf()}
    for scorer in scorers.values():
        scorer.corpus_score(["a"], [["a"]])  # the signature names the number of references
    return {name: str(scorer.get_signature()) for name, scorer in scorers.items()}


def bleu_counts(said: Sequence[str], wanted: Sequence[str], tokenizer: str) -> Floats:
    """``[N, 10]``: of each sentence the lengths of both, matching n-grams, and n-grams."""
    found = _bleu(tokenizer)._extract_corpus_statistics(list(said), [list(wanted)])
    return np.array(found, dtype=np.float64).reshape(-1, 2 + 2 * ORDER)


def chrf_counts(said: Sequence[str], wanted: Sequence[str]) -> Floats:
    """``[N, 18]``: of each sentence and order the n-grams said, wanted, and matching."""
    found = _chrf()._extract_corpus_statistics(list(said), [list(wanted)])
    return np.array(found, dtype=np.float64).reshape(len(said), -1)


def bleu(counts: Array) -> Array:
    """BLEU of summed counts ``[…, 10]``, smoothed as sacrebleu's ``exp`` does (Lin & Och 2004)."""
    said, wanted = counts[..., 0], counts[..., 1]
    right, total = counts[..., 2 : 2 + ORDER], counts[..., 2 + ORDER :]
    empty = (right == 0) & (total > 0)
    smoothed = np.where(empty, 0.5 ** np.cumsum(empty, -1), right)
    shares = ratio(smoothed, total, 0.0)
    with np.errstate(divide="ignore"):
        logs = np.log(shares).sum(-1) / ORDER
    brief = np.minimum(0.0, 1 - ratio(wanted, said, np.inf))
    score = 100 * np.exp(np.where(right.sum(-1) > 0, logs + brief, -np.inf))
    return np.asarray(score)


def chrf(counts: Array) -> Array:
    """chrF2 of summed counts ``[…, 18]`` (Popović 2015), by orders that both sides have."""
    parts = counts.reshape(*counts.shape[:-1], -1, 3)
    said, wanted, right = parts[..., 0], parts[..., 1], parts[..., 2]
    real = (said > 0) & (wanted > 0)
    precision, recall = ratio(right, said, 0.0), ratio(right, wanted, 0.0)
    precision = ratio((precision * real).sum(-1), real.sum(-1), 0.0)
    recall = ratio((recall * real).sum(-1), real.sum(-1), 0.0)
    score = ratio((1 + BETA**2) * precision * recall, BETA**2 * precision + recall, 0.0)
    return 100 * score


def evaluate_translations(
    said: Sequence[str], wanted: Sequence[str], tokenizer: str, seed: int
) -> Evaluation:
    """Both scores, and their values on each resample; ``seed`` is the bootstrap's."""
    blue, letters = bleu_counts(said, wanted, tokenizer), chrf_counts(said, wanted)
    scores = {"bleu": float(bleu(blue.sum(0))), "chrf": float(chrf(letters.sum(0)))}
    resampled = replicates(
        lambda counts: {"bleu": bleu(counts @ blue), "chrf": chrf(counts @ letters)},
        len(said), seed,
    )  # fmt: skip
    return Evaluation(scores, resampled)
