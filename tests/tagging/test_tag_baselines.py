"""Baselines of taggers: frequent tags counted by hand, features by token, legal tuned output."""

import random
from collections import Counter
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from birnn.data.tags.schemes import convert, violations
from birnn.tasks.tagging import baselines as module
from birnn.tasks.tagging.baselines import (
    BIASES,
    PENALTIES,
    LegalPaths,
    LogProbabilities,
    TokenFeatures,
    far_features,
    linear_tagger,
    most_frequent_tag,
    near_features,
    own_features,
    shape,
)
from birnn.tasks.tagging.spans import count_spans, precision_recall_f1, read_spans

from strategies import quick

NAMES, PLACES = ("Ann", "Bo", "Cy", "Di", "Eve"), ("Rome", "Oslo", "Bonn", "Lima")
FILLER = ("saw", "the", "house", "in", "and", "near", "walks", ".")


def sentences(count, seed=0, scheme="iob2"):
    """Sentences with names of people, some of two words, and of places."""
    generator = random.Random(seed)
    tokens, tags = [], []
    for _ in range(count):
        words, row = [], []
        for _ in range(generator.randint(1, 4)):
            fill = generator.choices(FILLER, k=generator.randint(1, 2))
            name = generator.choices(NAMES, k=generator.randint(1, 2))
            kind, found = generator.choice([("PER", name), ("LOC", [generator.choice(PLACES)])])
            words += [*fill, *found]
            row += ["O"] * len(fill) + [f"B-{kind}"] + [f"I-{kind}"] * (len(found) - 1)
        tokens.append(words)
        tags.append(convert(row, "iob2", scheme))
    return tokens, tags


def splits(scheme="iob2", sizes=(80, 30, 30)):
    parts = [sentences(size, seed, scheme) for seed, size in enumerate(sizes)]
    names = ("train", "validation", "test")
    tokens = {name: part[0] for name, part in zip(names, parts, strict=True)}
    tags = {name: part[1] for name, part in zip(names, parts, strict=True)}
    return tokens, tags, tags.pop("test")


def span_f1(gold, predicted, scheme):
    sides = [read_spans(side, scheme, "conlleval") for side in (gold, predicted)]
    return float(precision_recall_f1(count_spans(*sides).sum(0))[2])


def test_most_frequent_tags():
    tokens = [["a", "b", "a"], ["a", "c", "d", "b"], ["e", "d", "e"]]
    tags = [["N", "V", "N"], ["V", "X", "V", "N"], ["X", "N", "P"]]
    # N and V are as frequent in all; b and d tie between them: the alphabet. e: X before P.
    found = most_frequent_tag(tokens, tags, [["a", "b", "c", "d", "e", "A"]], "raw")
    assert found.tags == [["N", "N", "X", "N", "X", "X"]]
    assert found.confidence is None
    assert found.settings == {}


def test_new_words_are_like_those_that_occur_once():
    train = [["the", "the", "the", "Ann", "Bo", "sees"]], [["D", "D", "D", "N", "N", "V"]]
    assert most_frequent_tag(*train, [["Cy"]], "raw").tags == [["N"]]
    often = [["the", "the"]], [["D", "D"]]
    assert most_frequent_tag(*often, [["Cy"]], "raw").tags == [["D"]]


TOKENS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("NVX")), min_size=1)


@given(TOKENS)
@quick
def test_most_frequent_tags_are_those_of_a_naive_count(pairs):
    words, tags = map(list, zip(*pairs, strict=True))
    overall = Counter(tags)
    alone = Counter(t for w, t in pairs if words.count(w) == 1) or overall

    def top(found):
        best = [tag for tag in found if found[tag] == max(found.values())]
        best = [tag for tag in best if overall[tag] == max(overall[t] for t in best)]
        return min(best)

    wanted = [
        top(Counter(t for w, t in pairs if w == word) if word in words else alone)
        for word in "abcdefg"
    ]
    assert most_frequent_tag([words], [tags], [list("abcdefg")], "raw").tags == [wanted]


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "iobes", "bilou"])
def test_frequent_tags_are_mended(scheme):
    tokens, tags, _ = splits(scheme)
    found = most_frequent_tag(tokens["train"], tags["train"], tokens["test"], scheme).tags
    assert [len(row) for row in found] == [len(row) for row in tokens["test"]]
    assert not any(violations(row, scheme) for row in found)


def test_a_broken_sequence_of_frequent_tags_keeps_its_spans():
    train = [["New", "York", "a"]], [["B-LOC", "I-LOC", "O"]]
    assert most_frequent_tag(*train, [["York", "a", "New"]], "iob2").tags == [
        ["B-LOC", "O", "B-LOC"]
    ]


@pytest.mark.parametrize(
    ("word", "found"),
    [("McDonald's", "XxXxx'x"), ("1990", "00"), ("a", "x"), ("U.S.A.", "X.X.X."), ("ÄÖß", "XXx")],
)
def test_shapes(word, found):
    assert shape(word) == found


def test_features_of_a_word():
    found = set(own_features("Ab-3"))
    assert {"word Ab-3", "lower ab-3", "prefix a", "prefix ab-3", "suffix -3"} <= found
    assert {"digit", "hyphen", "title", "always"} <= found
    assert "upper" not in found
    assert {"suffix ed", "suffix ked", "lower walked", "shape xx"} == set(near_features("walked"))
    assert list(far_features("Walked")) == ["lower walked"]


def test_features_of_tokens_are_those_of_the_words_around_them():
    train = [["Ann", "sees", "Rome"], ["Bo"], ["sees", "Bo"]]
    test = [["Bo", "sees", "Oslo", "new"], ["Rome"]]
    features = TokenFeatures(train)
    places = ((0, own_features), (-1, near_features), (1, near_features))
    places += ((-2, far_features), (2, far_features))

    def naive(tokens):
        return [
            {
                (place, name)
                for place, kind in places
                for name in kind(row[t + place] if 0 <= t + place < len(row) else "")
            }
            for row in tokens
            for t in range(len(row))
        ]

    words = {word for row in train for word in row} | {""}
    known = {(place, name) for place, kind in places for word in words for name in kind(word)}
    assert len(features) == len(known)
    names = [
        (place, name)
        for (place, _), part in zip(places, features.vectorizers, strict=True)
        for name in part.get_feature_names_out()
    ]
    for tokens in (train, test):
        rows = features.transform(tokens)
        assert set(rows.data) == {1.0}
        found = [{names[i] for i in row.indices} for row in rows]
        assert found == [row & known for row in naive(tokens)]


@pytest.mark.parametrize("penalty", [0.01, 0.2, 5.0])
def test_probabilities_are_near_those_of_a_logistic_regression(penalty):
    generator = np.random.default_rng(0)
    gold = np.arange(400) % 2
    x = sp.csr_matrix((generator.random((400, 12)) < 0.2 + 0.5 * np.eye(12)[gold]).astype(float))
    own = np.exp(LogProbabilities.fit(x, gold, penalty)(x))
    theirs = LogisticRegression(C=penalty).fit(x, gold).predict_proba(x)
    np.testing.assert_allclose(own.sum(1), 1.0, atol=1e-6)
    np.testing.assert_allclose(own, theirs, atol=0.05)


def brute_force(rows, labels, scheme):
    """Every legal sequence of a sentence with its log-probability."""
    paths = product(range(len(labels)), repeat=len(rows))
    legal = (p for p in paths if not violations([labels[k] for k in p], scheme))
    return {p: sum(row[k] for row, k in zip(rows, p, strict=True)) for p in legal}


@pytest.mark.parametrize("scheme", ["iob2", "iobes", "raw"])
def test_decoding_is_the_best_of_all_legal_sequences(monkeypatch, scheme):
    monkeypatch.setattr(module, "SENTENCES", 2)
    labels = {
        "iob2": ["B-X", "B-Y", "I-X", "I-Y", "O"],
        "iobes": ["O", "B-X", "I-X", "E-X", "S-X"],
        "raw": ["N", "V"],
    }[scheme]
    generator = np.random.default_rng(1)
    rows = [np.log(generator.dirichlet([1.0] * len(labels), size)) for size in (4, 0, 1, 3)]
    chain = LegalPaths(labels, scheme)
    for bias in (0.0, 1.5):
        best = chain.best(rows, bias)
        marginal, conditional = chain.confidence(rows, best)
        for row, tags, sure, given_last in zip(rows, best, marginal, conditional, strict=True):
            lowered = row - np.array([bias * (label == "O") for label in labels])
            scores = brute_force(lowered, labels, scheme)
            chosen = tuple(labels.index(tag) for tag in tags)
            assert scores[chosen] == pytest.approx(max(scores.values()))
            shares = {p: np.exp(v) for p, v in brute_force(row, labels, scheme).items()}
            total = sum(shares.values())
            for t, tag in enumerate(chosen):
                here = sum(v for p, v in shares.items() if p[t] == tag)
                assert sure[t] == pytest.approx(here / total, rel=1e-4)
            # The parts given the tags before them make up the probability of the whole.
            assert np.prod(given_last) == pytest.approx(shares[chosen] / total, rel=1e-4)


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "iobes", "bilou"])
def test_linear_tagger_learns_spans(scheme):
    tokens, tags, gold = splits(scheme)
    found = linear_tagger(tokens, tags, scheme)
    assert span_f1(gold, found.tags, scheme) > 0.95
    assert not any(violations(row, scheme) for row in found.tags)
    assert found.settings["C"] in PENALTIES
    assert found.settings["o_bias"] in BIASES
    assert found.settings["features"] == len(TokenFeatures(tokens["train"]))
    for part in (found.confidence, found.conditional):
        assert [len(row) for row in part] == [len(row) for row in tokens["test"]]
        assert all(((row >= 0) & (row <= 1)).all() for row in part)


def test_linear_tagger_learns_raw_tags():
    tokens, tags, gold = splits()
    tags = {
        name: [[tag.replace("-", "") for tag in row] for row in rows] for name, rows in tags.items()
    }
    found = linear_tagger(tokens, tags, "raw")
    right = [
        g.replace("-", "") == p
        for rows in zip(gold, found.tags, strict=True)
        for g, p in zip(*rows, strict=True)
    ]
    assert np.mean(right) > 0.95
    assert set(found.settings) == {"C", "features", "validation_accuracy"}


def noisy(scheme, seed):
    """Splits whose tags are half chance: settings matter."""
    tokens, tags, _ = splits(scheme, (40, 40, 10))
    generator = random.Random(seed)
    for rows in tags.values():
        for row in rows:
            row[:] = [tag if generator.random() < 0.6 else "O" for tag in row]
    return tokens, tags


def test_settings_are_the_best_on_validation(monkeypatch):
    tokens, tags = noisy("iob2", 0)
    found = linear_tagger(tokens, tags, "iob2")
    scores = {}
    for penalty, bias in product(PENALTIES, BIASES):
        monkeypatch.setattr(module, "PENALTIES", (penalty,))
        monkeypatch.setattr(module, "BIASES", (bias,))
        alone = linear_tagger({**tokens, "test": tokens["validation"]}, tags, "iob2")
        scores[penalty, bias] = span_f1(tags["validation"], alone.tags, "iob2")
        assert alone.settings["validation_span_f1"] == scores[penalty, bias]
    assert len(set(scores.values())) > 3
    chosen = found.settings["C"], found.settings["o_bias"]
    assert found.settings["validation_span_f1"] == max(scores.values()) == scores[chosen]


def test_linear_tagger_says_the_same_twice():
    tokens, tags = noisy("iobes", 1)
    first, second = (linear_tagger(tokens, tags, "iobes") for _ in range(2))
    assert first.tags == second.tags
    assert first.settings == second.settings
    for a, b in zip(first.confidence, second.confidence, strict=True):
        np.testing.assert_array_equal(a, b)


def test_one_tag_leaves_nothing_to_learn():
    tokens = {name: [["a", "b"], ["c"]] for name in ("train", "validation", "test")}
    tags = {name: [["O", "O"], ["O"]] for name in ("train", "validation")}
    found = linear_tagger(tokens, tags, "iob2")
    assert found.tags == [["O", "O"], ["O"]]
    assert all((row == 1.0).all() for row in found.confidence)


def test_validation_may_have_tags_that_train_lacks():
    tokens, tags, _ = splits(sizes=(20, 5, 5))
    tags["validation"][0][0] = "B-NEW"
    found = linear_tagger(tokens, tags, "iob2")
    assert {tag for row in found.tags for tag in row} <= {t for r in tags["train"] for t in r}


def test_more_tokens_and_labels_than_memory_is_spared_for_go_by_descent(monkeypatch):
    tokens, tags, gold = splits("iob2")
    near = linear_tagger(tokens, tags, "iob2")
    monkeypatch.setattr(module, "TOLERANCES", {10: 1e-5})
    far = linear_tagger(tokens, tags, "iob2")
    assert set(near.settings) == set(far.settings)
    for found in (near, far):
        assert span_f1(gold, found.tags, "iob2") > 0.95
