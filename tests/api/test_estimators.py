"""The scikit-learn estimators: scikit-learn's own checks, and the command line as the oracle."""

import json
import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from seqeval.metrics import f1_score
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import estimator_checks_generator

import birnn
from birnn.data.splits.cutting import cut

from writers import TINY, sentences, write_table

ROWS = sentences(120)
TEXTS, LABELS = [row[0] for row in ROWS], [row[1] for row in ROWS]
SMALL = {"word_size": 8, "gram_size": 4, "gram_buckets": 50, "vectors": "none", "members": 1}
MOODS = ("lovely", "bright", "moving", "warm")
TOKENS = [text.split() for text in TEXTS]
TAGS = [["B-mood" if word in MOODS else "O" for word in row] for row in TOKENS]
STEPS = np.random.default_rng(0).normal(size=(30, 5, 3))
SERIES = np.sin(np.arange(200) / 3) + 0.05 * np.random.default_rng(0).normal(size=200)
WINDOWS = np.lib.stride_tricks.sliding_window_view(SERIES, 16)
SEEN, AHEAD = WINDOWS[:, :12], WINDOWS[:, 12:]


def classifier(**changed: Any) -> Any:
    given = {"hidden_size": 8, "epochs": 2, "batch_size": 32, "learning_rate": 0.01, **changed}
    return birnn.SentimentClassifier(options=SMALL, **given)


def tagger() -> Any:
    sizes = {"word_size": 8, "char_size": 4, "character_size": 4, "affix_size": 2}
    options = {**sizes, "vectors": "none", "members": 1}
    return birnn.Tagger(hidden_size=8, layers=1, epochs=8, learning_rate=0.02, options=options)


def forecaster() -> Any:
    return birnn.Forecaster(hidden_size=4, epochs=1, options={"members": 1})


def regressor() -> Any:
    return birnn.SequenceRegressor(hidden_size=6, epochs=10)


CASES = {
    "classifier": (classifier, TEXTS, LABELS),
    "tagger": (tagger, TOKENS, TAGS),
    "forecaster": (forecaster, SEEN, AHEAD),
    "regressor": (regressor, STEPS, STEPS.sum(2)),
}


def checks() -> list[Any]:
    """Every check that scikit-learn has for what takes a table of numbers: none may fail."""
    return list(estimator_checks_generator(forecaster()))


@pytest.mark.filterwarnings("ignore")
def test_all_of_scikit_learns_checks() -> None:
    names = []
    for estimator, check in checks():
        name = check.func.__name__
        if name == "check_array_api_input":
            continue  # scikit-learn skips it unless SCIPY_ARRAY_API is set
        check(estimator)
        names.append(name)
    assert len(names) > 45
    assert "check_methods_subset_invariance" in names


@pytest.mark.filterwarnings("ignore:Can't test estimator")
@pytest.mark.parametrize("make", [classifier, tagger, regressor])
def test_the_checks_that_take_no_table(make: Callable[[], Any]) -> None:
    for estimator, check in estimator_checks_generator(make()):
        check(estimator)


@pytest.mark.parametrize("name", CASES)
def test_fitting(name: str) -> None:
    make, x, y = CASES[name]
    model = make()
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    with pytest.raises(NotFittedError):
        model.predict(x)
    assert model.fit(x, y) is model
    assert before[0] == random.getstate()
    assert before[1] == np.random.get_state()[1].tolist()
    assert torch.equal(before[2], torch.get_rng_state())
    found = model.predict(x)
    for other in (pickle.loads(pickle.dumps(model)), clone(model).fit(x, y)):
        again = other.predict(x)
        assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))
        assert other.score(x, y) == model.score(x, y) > 0.2
    assert not hasattr(clone(model), "run_")
    assert model.set_params(hidden_size=3).get_params()["hidden_size"] == 3


@pytest.mark.parametrize("name", CASES)
def test_cross_validation(name: str) -> None:
    make, x, y = CASES[name]
    cv = TimeSeriesSplit(2, gap=15) if name == "forecaster" else KFold(2)
    found = cross_val_score(make(), x, y, cv=cv, error_score="raise")
    assert np.isfinite(found).all()
    if name == "classifier":
        assert found.min() > 0.8


def test_grid_search_in_processes() -> None:
    grid = {"hidden_size": [4, 8]}
    alone = GridSearchCV(classifier(), grid, cv=2, error_score="raise").fit(TEXTS, LABELS)
    many = GridSearchCV(classifier(), grid, cv=2, n_jobs=2, error_score="raise")
    many.fit(TEXTS, LABELS)
    wanted = alone.cv_results_["mean_test_score"]
    np.testing.assert_allclose(many.cv_results_["mean_test_score"], wanted)
    assert many.best_estimator_.predict(TEXTS[:3]).tolist() == LABELS[:3]


def test_pipeline() -> None:
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    model = make_pipeline(lower, classifier()).fit([text.upper() for text in TEXTS], LABELS)
    assert model.score(TEXTS, LABELS) > 0.9


def test_probabilities() -> None:
    numbers = np.array([10 if label == "good" else 9 for label in LABELS])
    model = classifier().fit(pd.Series(TEXTS), numbers)
    shares = model.predict_proba(np.array(TEXTS, dtype=object))
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
    assert model.classes_.tolist() == [9, 10]
    assert model.predict(TEXTS).dtype == numbers.dtype
    assert model.predict(TEXTS).tolist() == model.classes_[shares.argmax(1)].tolist()
    assert model.score(TEXTS, numbers) == accuracy_score(numbers, model.predict(TEXTS)) > 0.9
    odd = classifier().fit(TEXTS, np.array([" a" if n == 9 else "b  c" for n in numbers]))
    assert odd.predict(TEXTS[:1]).tolist() == ["b  c"]


def test_scores() -> None:
    model = tagger().fit(TOKENS, TAGS)
    assert model.score(TOKENS, TAGS) == pytest.approx(f1_score(TAGS, model.predict(TOKENS)))
    shares = model.predict_proba(TOKENS)
    np.testing.assert_allclose(np.concatenate(shares).sum(1), 1, atol=1e-6)
    steps = regressor().fit(list(STEPS), list(STEPS.sum(2)))
    flat = np.concatenate(steps.predict(list(STEPS)))
    assert steps.score(STEPS, STEPS.sum(2)) == pytest.approx(r2_score(STEPS.sum(2).ravel(), flat))
    ahead = forecaster().fit(SEEN, AHEAD)
    assert ahead.score(SEEN, AHEAD) == pytest.approx(r2_score(AHEAD, ahead.predict(SEEN)))


def test_the_same_model_as_the_command_line(tmp_path: Path, birnn: Callable[..., Any]) -> None:
    model = classifier().fit(TEXTS, LABELS)
    first, second = cut(TEXTS, LABELS, 0.1, 0)
    (tmp_path / "data").mkdir()
    for name, part in (("train", first), ("validation", second), ("test", second)):
        write_table(tmp_path / "data" / f"{name}.csv", [ROWS[i] for i in part])
    run = tmp_path / "run"
    assert birnn("sentiment", "--data", tmp_path / "data", "--out", run, *TINY).code == 0
    model.run_.save(tmp_path / "own")
    for folder in (run, tmp_path / "own"):
        out = birnn("predict", folder, *TEXTS[:9], "--json").out
        told = [list(json.loads(line)["probabilities"].values()) for line in out.splitlines()]
        assert told == model.predict_proba(TEXTS[:9]).tolist()
    assert "Not scored on held-out data." in (tmp_path / "own" / "README.md").read_text()


def test_a_saved_forecaster_forecasts_its_window(tmp_path: Path, birnn: Callable[..., Any]) -> None:
    model = forecaster().fit(SEEN, AHEAD)
    model.run_.save(tmp_path / "own")
    rows = [(str(t), repr(float(value))) for t, value in enumerate(SEEN[40])]
    path = write_table(tmp_path / "new.csv", rows, ("time", "window"))
    out = birnn("predict", tmp_path / "own", "--input", path, "--json").out
    told = [json.loads(line)["mean"] for line in out.splitlines()]
    np.testing.assert_allclose(told, model.predict(SEEN[40:41])[0], rtol=1e-6)


def test_a_saved_tagger_and_regressor(tmp_path: Path) -> None:
    model = tagger().fit(TOKENS, TAGS)
    again = birnn.load(model.run_.save(tmp_path / "tags"))
    assert again.predict(TOKENS[:5]) == model.predict(TOKENS[:5])
    steps = regressor().fit(STEPS, STEPS.sum(2))
    again = birnn.load(steps.run_.save(tmp_path / "steps"))
    np.testing.assert_array_equal(again.predict(STEPS), steps.predict(STEPS))


def test_nothing_but_the_rows_given_is_learned() -> None:
    """The vocabulary holds no word of the rows that were cut for validation alone."""
    model = classifier().fit(TEXTS, LABELS)
    first, second = cut(TEXTS, LABELS, 0.1, 0)
    known = set(model.run_.loaded.info.ngrams.words)
    held_back = {f"no{i}" for i in second}
    assert not known & held_back
    assert model.run_.metrics["data"]["rows"] == {"train": len(first), "validation": len(second)}


@pytest.mark.parametrize(
    ("make", "x", "y", "words"),
    [
        (classifier, ["a", None], ["x", "y"], "row 2 holds no text but None"),
        (classifier, TEXTS, ["x"] * 120, "only one class"),
        (classifier, TEXTS, LABELS[:3], r"y: the shape \[3\] is not \[120\]"),
        (classifier, [], [], "holds no text"),
        (classifier, ["a", "b"], ["x", "y"], "too few"),
        (tagger, TOKENS, TAGS[:3], "3 rows for the 120"),
        (tagger, [["a"], ["b"]], [["O"], ["O", "O"]], "row 2 has 2 tags for 1 tokens"),
        (tagger, TEXTS, TAGS, "lists of tokens"),
        (regressor, STEPS, STEPS[:, :3, 0], "sequence 1 has 3 steps, X has 5"),
        (regressor, STEPS[:1], STEPS[:1].sum(2), "too few"),
        (regressor, [[[np.nan]]], [[1.0]], "holds NaN"),
        (forecaster, SEEN * 1e20, AHEAD, "beyond"),
    ],
)
def test_what_can_not_be_learned_from(make: Any, x: Any, y: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        make().fit(x, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"options": {"hiden_size": 3}}, "did you mean 'hidden_size'"),
        ({"options": {"hidden_size": 3}}, "is a parameter of its own"),
        ({"options": {"seed": 3}}, "random_state"),
        ({"hidden_size": 0}, "at least 1"),
        ({"encoder": "bigrou"}, "did you mean 'bigru'"),
        ({"validation_fraction": 1.5}, "between 0 and 1"),
    ],
)
def test_bad_parameters(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        classifier().set_params(**changed).fit(TEXTS, LABELS)
