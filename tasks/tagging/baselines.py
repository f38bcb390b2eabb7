"""Baselines of taggers: each word's most frequent tag, and a linear model of words around."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import SGDClassifier
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from birnn.arrays import Array
from birnn.data.tags.schemes import convert
from birnn.nn.chain import constrain, neutral
from birnn.nn.crf import path_confidence
from birnn.nn.decoding import best_path
from birnn.progress import tell
from birnn.tasks.core.logistic import Regressions, Softmax
from birnn.tasks.tagging.model import allowed_moves
from birnn.tasks.tagging.spans import Tags, tagging_score

PENALTIES = (0.2, 0.5, 1.5, 5.0)  # C, as of a logistic regression: inverse strength
BIASES = tuple(i / 2 for i in range(9))  # by which the log-probability of O is lowered
# How near its minimum an objective comes, as a share, by tokens times labels: of few, as near
# as makes no difference; of many, as changes no F1. Beyond the last, memory is spared, by descent.
TOLERANCES = {100_000: 1e-5, 10_000_000: 0.02}
UPDATES = 2_000_000  # of the weights; the passes over train follow, within the next two
FEWEST, MOST = 5, 50
# The same, times the labels, each of which has a model of its own; beyond so many labels half of
# the penalties are tried.
LABEL_UPDATES, MANY_LABELS = 100_000_000, 200
SENTENCES = 256  # decoded at once
SMALLEST = 1e-12  # probability that has a logarithm

FITTING = "linear baseline"
EDGE = ""  # the word before and after a sentence


@dataclass(frozen=True)
class Guesses:
    """What a baseline says about the test split."""

    tags: list[list[str]]
    confidence: list[Array] | None = None  # [T] a sentence: probability of each tag
    conditional: list[Array] | None = None  # the same, given the tag before
    settings: dict[str, Any] = field(default_factory=dict)  # what validation chose


def most_frequent_tag(tokens: Tags, tags: Tags, test: Tags, scheme: str) -> Guesses:
    """Each word's most frequent tag in train, mended to a sequence that the scheme allows.

    Among equally frequent tags of a word the one that is more frequent in all of train is taken,
    then the first by alphabet. A new word gets the most frequent tag of the words that train has
    once: they are the most like it. ``tokens`` and ``tags`` are train's, ``test`` its tokens.
    """
    by_word: dict[str, Counter[str]] = defaultdict(Counter)
    for words, row in zip(tokens, tags, strict=True):
        for word, tag in zip(words, row, strict=True):
            by_word[word][tag] += 1
    overall = sum(by_word.values(), Counter[str]())
    once = sum((counts for counts in by_word.values() if counts.total() == 1), Counter[str]())

    def top(counts: Counter[str]) -> str:
        return min(counts, key=lambda tag: (-counts[tag], -overall[tag], tag))

    best = {word: top(counts) for word, counts in by_word.items()}
    new = top(once or overall)
    rows = ([best.get(word, new) for word in words] for words in test)
    return Guesses([convert(row, scheme, scheme) for row in rows])


def shape(word: str) -> str:
    """Capitals as X, small letters x, digits 0, runs cut to two: ``McDonald's`` → ``XxXxx'x``."""
    pattern = ""
    for letter in word:
        kind = "X" if letter.isupper() else "x" if letter.islower() else letter
        kind = "0" if letter.isdigit() else kind
        if pattern[-2:] != kind * 2:
            pattern += kind
    return pattern


def own_features(word: str) -> Iterator[str]:
    """What a token's own word says about its tag (after Ratnaparkhi 1996)."""
    lower = word.lower()
    yield from (f"word {word}", f"lower {lower}", f"shape {shape(word)}")
    for size in range(1, min(4, len(lower)) + 1):
        yield from (f"prefix {lower[:size]}", f"suffix {lower[-size:]}")
    if any(letter.isdigit() for letter in word):
        yield "digit"
    if "-" in word:
        yield "hyphen"
    if word.isupper():
        yield "upper"
    if word.istitle():
        yield "title"
    yield "always"  # scikit-learn is slow to move the intercept of sparse rows


def near_features(word: str) -> Iterator[str]:
    """What the word before or after says."""
    lower = word.lower()
    yield from (f"lower {lower}", f"shape {shape(word)}")
    yield from (f"suffix {lower[-2:]}", f"suffix {lower[-3:]}")


def far_features(word: str) -> Iterator[str]:
    """What the word two places off says."""
    yield f"lower {word.lower()}"


# Where a word stands, seen from the token, and what it says there.
WINDOW = (
    (0, own_features), (-1, near_features), (1, near_features), (-2, far_features),
    (2, far_features),
)  # fmt: skip


class TokenFeatures:
    """Indicators of a token's word and its neighbours; those that train lacks are left out.

    They are made once for each distinct word and place, and then gathered for the tokens.
    """

    def __init__(self, tokens: Tags) -> None:
        words = _distinct(tokens)
        self.vectorizers = [
            DictVectorizer(dtype=np.float32).fit(_rows(features, words)) for _, features in WINDOW
        ]

    def __len__(self) -> int:
        return sum(len(vectorizer.vocabulary_) for vectorizer in self.vectorizers)

    def transform(self, tokens: Tags) -> sp.csr_matrix:
        """``[M, F]``: one row a token, all sentences in a row."""
        words = _distinct(tokens)
        numbers = {word: i for i, word in enumerate(words)}
        # Two edges after each sentence keep the neighbours of one out of the next.
        spaced = [n for row in tokens for n in [*(numbers[word] for word in row), 0, 0]]
        padded = np.array([0, 0, *spaced])
        places = np.flatnonzero(np.concatenate([[0, 0], *([1] * len(r) + [0, 0] for r in tokens)]))
        blocks = [
            vectorizer.transform(_rows(features, words))[padded[places + offset]]
            for (offset, features), vectorizer in zip(WINDOW, self.vectorizers, strict=True)
        ]
        return sp.hstack(blocks, format="csr")


def _distinct(tokens: Tags) -> list[str]:
    return [EDGE, *sorted({word for row in tokens for word in row} - {EDGE})]


def _rows(features: Callable[[str], Iterator[str]], words: list[str]) -> list[dict[str, float]]:
    return [dict.fromkeys(features(word), 1.0) for word in words]


def linear_tagger(tokens: Mapping[str, Tags], tags: Mapping[str, Tags], scheme: str) -> Guesses:
    """A logistic regression of each token, decoded to the best sequence that the scheme allows.

    Validation chooses the penalty, by accuracy; where tags spell spans by their F1, together with
    a bias against O: most tokens are O, so a model of tokens on its own finds too few spans. The
    tags of test come with their probabilities under the model, which knows of no bias.
    """
    sound = [convert(row, scheme, scheme) for row in tags["train"]]
    labels = sorted({tag for row in sound for tag in row})
    features = TokenFeatures(tokens["train"])
    held_out, wanted = features.transform(tokens["validation"]), tags["validation"]
    train, numbers = features.transform(tokens["train"]), {tag: i for i, tag in enumerate(labels)}
    gold = np.array([numbers[tag] for row in sound for tag in row])
    metric = "validation_accuracy" if scheme == "raw" else "validation_span_f1"
    chain = LegalPaths(labels, scheme)
    best: tuple[float, LogProbabilities, dict[str, Any]] | None = None
    for penalty, model in fitted_models(train, gold):
        rows = _sentences(model(held_out), tokens["validation"])
        for bias in BIASES if "O" in labels and scheme != "raw" else (0.0,):
            score = tagging_score(wanted, chain.best(rows, bias), scheme)
            if best is None or score > best[0]:
                best = score, model, {"C": penalty, "o_bias": bias, metric: score}
    assert best is not None
    _, model, settings = best
    rows = _sentences(model(features.transform(tokens["test"])), tokens["test"])
    predicted = chain.best(rows, settings["o_bias"])
    if scheme == "raw":
        del settings["o_bias"]
    settings["features"] = len(features)
    return Guesses(predicted, *chain.confidence(rows, predicted), settings)


@dataclass(frozen=True)
class LogProbabilities:
    """A fitted model of ``K`` classes; none where there is nothing to choose between."""

    model: SGDClassifier | Softmax | None

    @classmethod
    def fit(cls, x: sp.csr_matrix, gold: Array, penalty: float) -> "LogProbabilities":
        """One class against the rest, by averaged stochastic gradient descent (Bottou 2010).

        Of ``x [M, F]`` and class numbers ``gold [M]``, each of ``0..K-1`` present.
        """
        if gold.max() == 0:
            return cls(None)
        tokens = len(gold)
        labels = int(gold.max()) + 1
        passes = min(UPDATES / tokens, LABEL_UPDATES / (tokens * labels))
        epochs = int(np.clip(np.ceil(passes), FEWEST, MOST))
        model = SGDClassifier(
            loss="log_loss", alpha=1 / (penalty * tokens), max_iter=epochs, tol=None,
            average=epochs // 2 * tokens,  # of the second half of the way
            random_state=0, n_jobs=torch.get_num_threads(),
        )  # fmt: skip
        return cls(model.fit(x, gold))

    def __call__(self, x: sp.csr_matrix) -> Array:
        """``[M, K]``."""
        if self.model is None:
            return np.zeros((x.shape[0], 1))
        return np.asarray(np.log(self.model.predict_proba(x) + SMALLEST))


def fitted_models(x: sp.csr_matrix, gold: Array) -> Iterator[tuple[float, LogProbabilities]]:
    """A model for each penalty: all classes in one, each begun at the one before.

    Too many tokens and classes for that, and each class is set against the rest.
    """
    labels = int(gold.max()) + 1
    penalties = PENALTIES if labels <= MANY_LABELS else PENALTIES[1:3]
    tolerance = next((t for cells, t in TOLERANCES.items() if labels * len(gold) <= cells), None)
    if labels == 1 or tolerance is None:
        for number, penalty in enumerate(penalties):
            tell(FITTING, number / len(penalties))
            yield penalty, LogProbabilities.fit(x, gold, penalty)
        return
    regressions = Regressions(x, gold, tolerance)
    fitted = None
    for number, penalty in enumerate(penalties):
        tell(FITTING, number / len(penalties))
        fitted = regressions.fit([penalty], fitted)
        yield penalty, LogProbabilities(regressions.model(fitted, 0))


def _sentences(rows: Array, tokens: Tags) -> list[Array]:
    """Cut ``[M, K]`` into ``[T, K]`` of each sentence."""
    return np.split(rows, np.cumsum([len(row) for row in tokens])[:-1])


class LegalPaths:
    """The sequences of ``K`` labels that a scheme allows, all of them alike."""

    def __init__(self, labels: Sequence[str], scheme: str) -> None:
        self.labels = labels
        self.numbers = {label: i for i, label in enumerate(labels)}
        self.potentials = constrain(neutral(len(labels)), allowed_moves(labels, scheme))

    def best(self, rows: Sequence[Array], bias: float) -> list[list[str]]:
        """The likeliest tags of each sentence, from log-probabilities ``[T, K]`` of each.

        Those of O are lowered by ``bias``.
        """
        lowered = np.array([bias * (label == "O") for label in self.labels])
        paths: list[list[str]] = [[] for _ in rows]
        for indices, emissions, lengths in _batches([row - lowered for row in rows]):
            tags = best_path(emissions, lengths, self.potentials)
            for i, row in zip(indices, tags.tolist(), strict=True):
                paths[i] = [self.labels[tag] for tag in row[: len(rows[i])]]
        return paths

    def confidence(self, rows: Sequence[Array], predicted: Tags) -> tuple[list[Array], list[Array]]:
        """Probabilities ``[T]`` of ``predicted`` tags: as they are, and given the tag before."""
        parts: list[list[Array]] = [[np.empty(0)] * len(rows) for _ in range(2)]
        for indices, emissions, lengths in _batches(rows):
            chosen = [torch.tensor([self.numbers[tag] for tag in predicted[i]]) for i in indices]
            tags = pad_sequence(chosen, batch_first=True)
            sure = path_confidence(emissions, tags, lengths, self.potentials)
            for part, values in zip(parts, sure, strict=True):
                for i, row in zip(indices, values.numpy(), strict=True):
                    part[i] = row[: len(rows[i])]
        return parts[0], parts[1]


def _batches(rows: Sequence[Array]) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Sentences of about one length together: their numbers, ``[B, T, K]`` and ``[B]``."""
    order = sorted((i for i, row in enumerate(rows) if len(row)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), SENTENCES):
        indices = order[start : start + SENTENCES]
        parts = [torch.from_numpy(rows[i]).float() for i in indices]
        yield indices, pad_sequence(parts, batch_first=True), torch.tensor([*map(len, parts)])
