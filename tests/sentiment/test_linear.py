"""Linear models of n-grams: weights that say what scikit-learn says, tuned on validation."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

from birnn.data.text.tokenizers import get_tokenizer
from birnn.tasks.core.text_linear import (
    NGRAMS,
    PENALTIES,
    class_weights,
    fit_logistic,
    majority,
    tfidf_logistic,
)

from writers import sentences

TOKENIZER = get_tokenizer("social")


def word_vectorizer(tokenizer, ngrams):
    return TfidfVectorizer(tokenizer=tokenizer, token_pattern=None, lowercase=False,
                           ngram_range=ngrams, sublinear_tf=True, dtype=np.float32)  # fmt: skip


def problem(classes, seed=0, items=90):
    generator = np.random.default_rng(seed)
    gold = np.arange(items) % classes
    x = generator.normal(size=(items, 8)) + 0.7 * np.eye(8)[gold]
    return sp.csr_matrix(x.astype(np.float32)), gold


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_softmax_of_the_weights_is_predict_proba(classes):
    x, gold = problem(classes)
    model = LogisticRegression(C=4.0).fit(x, gold)
    weight, bias = class_weights(model)
    assert weight.shape == (8, classes)
    assert weight.dtype == bias.dtype == np.float32
    np.testing.assert_allclose(softmax(x @ weight + bias), model.predict_proba(x), atol=1e-6)


@pytest.mark.parametrize("by", ["accuracy", "log_loss"])
@pytest.mark.parametrize("classes", [2, 3])
def test_penalty_is_the_best_on_validation(classes, by):
    x, gold = problem(classes)
    held_x, held_gold = problem(classes, seed=1)
    found = fit_logistic(x, gold, held_x, held_gold, by=by)
    scores = []
    for penalty in PENALTIES:
        model = LogisticRegression(C=penalty, tol=1e-8, max_iter=1000).fit(x, gold)
        right = accuracy_score(held_gold, model.predict(held_x))
        scores.append((right, -log_loss(held_gold, model.predict_proba(held_x))))
    if by == "accuracy":
        assert found.accuracy == max(score[0] for score in scores)
    assert found.log_loss == pytest.approx(
        -(max(scores)[1] if by == "accuracy" else max(score[1] for score in scores)), abs=1e-3
    )
    assert found.settings["C"] in PENALTIES
    assert found.accuracy == accuracy_score(held_gold, found.model.predict(held_x))


def test_validation_may_lack_a_class():
    x, gold = problem(3)
    found = fit_logistic(x, gold, x[gold < 2], gold[gold < 2], by="log_loss")
    assert np.isfinite(found.log_loss)


def test_majority_predicts_the_shares_of_train():
    found = majority(np.array([0, 0, 0, 1]), 5)
    np.testing.assert_allclose(found, np.tile([0.75, 0.25], (5, 1)))


def split(count, labels):
    rows = sentences(count, labels)
    return [text for text, _ in rows], np.array([sorted(labels).index(n) for _, n in rows])


@pytest.mark.parametrize("labels", [("good", "bad"), ("good", "bad", "mixed")])
def test_baseline_is_tuned_over_ngrams_and_penalty(labels):
    train, gold = split(120, labels)
    validation, held_out = split(60, labels)
    test, _ = split(30, labels)
    texts = {"train": train, "validation": validation, "test": test}
    found, settings = tfidf_logistic(texts, {"train": gold, "validation": held_out}, TOKENIZER)
    assert found.shape == (30, len(labels))
    np.testing.assert_allclose(found.sum(1), 1.0, rtol=1e-5)
    best = 0.0
    for ngrams in NGRAMS:
        vectorizer = word_vectorizer(TOKENIZER, ngrams)
        x, held_x = vectorizer.fit_transform(train), vectorizer.transform(validation)
        part = fit_logistic(x, gold, held_x, held_out, by="accuracy")
        best = max(best, part.accuracy)
        if list(ngrams) == settings["ngrams"]:
            own = part.model.predict_proba(vectorizer.transform(test))
            assert settings["features"] == x.shape[1]
            assert settings["C"] == part.settings["C"]
            np.testing.assert_allclose(found, own, rtol=1e-3)
    assert settings["validation_accuracy"] == best


def test_baseline_never_reads_the_labels_of_test():
    train, gold = split(60, ("good", "bad"))
    texts = {"train": train, "validation": train[:20], "test": ["a lovely film"]}
    tfidf_logistic(texts, {"train": gold, "validation": gold[:20]}, TOKENIZER)


def test_texts_without_any_word_leave_the_majority():
    texts = {"train": [" "] * 4, "validation": [" "], "test": [" ", "x"]}
    gold = {"train": np.array([0, 1, 1, 1]), "validation": np.array([0])}
    found, settings = tfidf_logistic(texts, gold, TOKENIZER)
    np.testing.assert_allclose(found, [[0.25, 0.75]] * 2)
    assert settings == {"ngrams": None}
