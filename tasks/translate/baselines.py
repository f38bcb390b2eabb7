"""What is easy to beat, and what is not: the source itself, and the nearest pair of train."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from birnn.data.pairs.batches import PairSplit
from birnn.tasks.core.task import Baseline
from birnn.tasks.translate.translating import Translations

TOGETHER = 500  # sources that are compared with train at once


def copied(test: PairSplit) -> Baseline:
    """The source as it stands."""
    return Baseline("copy", "the source as it stands", Translations(list(test.sources)), {})


def remembered(train: PairSplit, test: PairSplit) -> Baseline:
    """A translation memory: the target of the nearest source of train, by TF-IDF of words."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    assert train.targets is not None
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, ngram_range=(1, 2), tokenizer=str.split, token_pattern=None
    )
    try:
        known: Any = vectorizer.fit_transform(train.sources)
    except ValueError:  # no word in any source
        return Baseline("memory", "the first pair of train", _first(train, test), {})
    asked = vectorizer.transform(test.sources)
    found: list[int] = []
    for start in range(0, len(test), TOGETHER):
        near = (asked[start : start + TOGETHER] @ known.T).toarray()
        found += near.argmax(1).tolist()
    texts = [train.targets[i] for i in found]
    return Baseline("memory", "the nearest pair of train", Translations(texts), {})


def _first(train: PairSplit, test: PairSplit) -> Translations:
    assert train.targets is not None
    return Translations([train.targets[0]] * len(test))


def consensus(candidates: Sequence[Translations]) -> Translations:
    """Of several models' translations of each text the one most like the others, by chrF.

    Minimum Bayes risk (Kumar & Byrne 2004); of equals, the surer one.
    """
    from birnn.tasks.translate.metrics import chrf, chrf_counts

    count = len(candidates[0])
    likeness = np.zeros((len(candidates), count))
    for place, one in enumerate(candidates):
        for other in candidates:
            if other is not one:
                likeness[place] += chrf(chrf_counts(one.texts, other.texts))
    sure = np.array([one.scores or [0.0] * count for one in candidates])
    chosen = np.lexsort((sure, likeness.round(9)), axis=0)[-1]
    return Translations(
        [candidates[int(k)].texts[i] for i, k in enumerate(chosen)],
        [float(sure[int(k), i]) for i, k in enumerate(chosen)],
    )
