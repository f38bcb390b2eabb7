"""Linear models of n-grams: weights that say what scikit-learn says, tuned on validation."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

from birnn.data.text.tokenizers import get_tokenizer
from birnn.tasks.core import logistic
from birnn.tasks.core.logistic import Regressions, Softmax
from birnn.tasks.core.text_linear import (
    NGRAMS,
    PENALTIES,
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


def texts_problem(classes, seed=0, items=200):
    """Sparse rows as TF-IDF has them, with an empty one and columns that nothing stands in."""
    generator = np.random.default_rng(seed)
    gold = generator.permutation(np.arange(items) % classes)
    x = sp.random(items, 500, 0.02, "csr", np.float32, rng=generator).tolil()
    x[np.arange(items), gold] = 0.4
    x[3], x[:, 450:] = 0, 0
    return sp.csr_matrix(x, dtype=np.float32), gold


@pytest.mark.parametrize("make", [problem, texts_problem])
@pytest.mark.parametrize("classes", [2, 3, 4, 30])
def test_models_are_scikit_learns_where_both_are_exact(make, classes):
    x, gold = make(classes) if classes < 8 else texts_problem(classes)
    regressions = Regressions(x, gold, 1e-9, np.float64)
    fitted = regressions.fit(PENALTIES)
    for number, penalty in enumerate(PENALTIES):
        model = regressions.model(fitted, number)
        wanted = LogisticRegression(C=penalty, solver="newton-cg", tol=1e-9, max_iter=1000)
        wanted.fit(x.astype(np.float64), gold)
        assert model.weight.shape == (x.shape[1], classes)
        assert model.weight.dtype == model.bias.dtype == np.float32
        np.testing.assert_allclose(model.predict_proba(x), wanted.predict_proba(x), atol=3e-4)
        np.testing.assert_array_equal(model.predict(x), model.predict_proba(x).argmax(1))


def objective(model, x, gold, penalty):
    """What scikit-learn minimises, of more than two classes."""
    return (log_loss(gold, model.predict_proba(x), normalize=False)
            + (model.weight.astype(np.float64) ** 2).sum() / (2 * penalty))  # fmt: skip


def test_the_tolerance_is_of_the_objective_and_from_any_start():
    x, gold = texts_problem(3)
    regressions = Regressions(x, gold)
    cold = regressions.fit(PENALTIES)
    warm = regressions.fit(PENALTIES, cold.of([1]))
    # A start very near a solution is not taken for the solution of another penalty.
    for number, penalty in enumerate(PENALTIES):
        oracle = LogisticRegression(C=penalty, tol=1e-10, max_iter=10_000).fit(x, gold)
        best = objective(Softmax(oracle.coef_.T, oracle.intercept_), x, gold, penalty)
        for fitted in (cold, warm):
            found = objective(regressions.model(fitted, number), x, gold, penalty)
            assert found <= best * (1 + logistic.TOLERANCE)


def test_any_number_of_threads_gives_the_same_bits():
    x, gold = texts_problem(3)
    threads, models = torch.get_num_threads(), []
    try:
        for number in (1, 2, 5):
            torch.set_num_threads(number)
            regressions = Regressions(x, gold)
            models.append(regressions.model(regressions.fit(PENALTIES[:4]), 2))
    finally:
        torch.set_num_threads(threads)
    for other in models[1:]:
        np.testing.assert_array_equal(models[0].weight, other.weight)
        np.testing.assert_array_equal(models[0].bias, other.bias)


@pytest.mark.parametrize(("classes", "items", "wanted"),
                         [(2, 90, 4), (3, 90, 4), (5, 90, 3), (30, 90, 1)])  # fmt: skip
def test_few_penalties_of_many_classes_are_fitted_at_once(classes, items, wanted):
    assert Regressions(*texts_problem(classes, items=items)).side_by_side == wanted


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
