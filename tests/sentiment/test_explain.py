"""Which words moved a label: complete, exact in the linear part, and in the right places."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import birnn
from birnn.errors import ConfigError
from birnn.tasks.core.explanation import Wish
from birnn.tasks.core.inference import predict
from birnn.tasks.runs.folder import LoadedRun, load_run
from birnn.tasks.sentiment.explain import SentimentExplainer
from birnn.tasks.sentiment.task import Sentiment
from birnn.tasks.serving.texts import encodable

import contract
from contract import Case

TEXTS = ["a lovely film", "", "  ", "dull, dull &amp; dull!!!", "👍 日本 e\u0301 İ",
         "lovely " * 300, "see http://x.y/z <b>now</b>"]  # fmt: skip


@pytest.fixture(scope="module")
def run(trained):
    return birnn.load(trained)


def test_weights_add_up_to_the_difference(run):
    for one in run.explain(TEXTS):
        moved = sum(cause.weight for cause in (*one.causes, *one.others))
        assert one.baseline + moved + one.gap == pytest.approx(one.value, abs=1e-9)
        largest = max([abs(one.difference), *(abs(c.weight) for c in one.causes)])
        assert abs(one.gap) <= 0.02 * largest + 1e-4


def test_the_score_is_that_of_the_prediction(run):
    shares = run.predict_proba(TEXTS)
    for one, row in zip(run.explain(TEXTS), shares, strict=True):
        number = run.labels.index(one.target)
        assert number == int(np.argmax(row))
        assert one.probability == pytest.approx(row[number], abs=1e-5)
        others = np.delete(np.log(row), number).mean()
        assert one.value == pytest.approx(np.log(row[number]) - others, abs=1e-4)


def test_of_two_classes_one_is_the_other_turned_over(run):
    one, other = (run.explain("a lovely, dull film", label=name)[0] for name in run.labels)
    assert one.value == pytest.approx(-other.value, abs=1e-5)
    for here, there in zip(one.causes, other.causes, strict=True):
        assert here.weight == pytest.approx(-there.weight, abs=1e-4)


def test_words_have_their_places(run):
    for text, one in zip(TEXTS, run.explain(TEXTS), strict=True):
        assert one.text == text
        for cause in one.causes:
            if cause.start is not None and cause.start < cause.end:
                assert text[cause.start : cause.end] == cause.name
            assert sum(cause.parts.values()) == pytest.approx(cause.weight)


def test_attention_is_that_of_predict(run):
    (one,) = run.explain("a lovely film")
    assert sum(cause.attention for cause in one.causes) == pytest.approx(1, abs=1e-5)


def test_the_linear_part_is_exact(trained):
    """Against the probabilities of a text from which the networks are taken out."""
    loaded = load_run(trained)
    model = loaded.model
    model.set_mix(np.array([0.0, 1.0]))
    text = "a lovely, dull film and a lovely scene"
    (one,) = SentimentExplainer(loaded).given(text, "", Wish())
    assert one.gap == pytest.approx(0, abs=1e-6)
    assert all(cause.parts["networks"] == 0 for cause in one.causes)
    split = loaded.task.rows({"text": [text]}, loaded.info)
    (shares,) = predict(loaded.task, model, split)
    number = loaded.info.labels.index(one.target)
    others = np.delete(np.log(shares), number).mean()
    bias = model.wide_bias.double().numpy()
    start = bias[number] - np.delete(bias, number).mean()
    moved = sum(cause.weight for cause in one.causes)
    assert start + moved == pytest.approx(np.log(shares[number]) - others, abs=1e-4)


def test_what_is_not_there_is_one_line(run):
    with pytest.raises(ConfigError, match="class: this run has no 'nope'"):
        run.explain("x", label="nope")
    with pytest.raises(ConfigError, match="step: a run of sentiment has no such choice"):
        run.explain("x", step=2)


def test_it_is_plain_json(run):
    for one in run.explain(TEXTS):
        record = json.loads(json.dumps(one.to_json()))
        assert record["causes"][0]["weight"] == one.causes[0].weight
        assert record["gap"] == one.gap


def test_explaining_changes_nothing(run):
    before = run.predict_proba(TEXTS)
    run.explain(TEXTS)
    assert (run.predict_proba(TEXTS) == before).all()
    assert all(weight.grad is None for weight in run.loaded.model.parameters())
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("tokenizer", ["social", "basic_english", "whitespace"])
@pytest.mark.parametrize("variant", ["plain", "vectors"])
def test_any_text_of_any_tokenizer_is_explained_completely(tokenizer, variant, tmp_path):
    """A model that is not trained, whose linear part has random weights."""
    config = contract.tiny("sentiment").TINY[variant](tmp_path)
    config = replace(config, data=replace(config.data, tokenizer=tokenizer))
    task = Sentiment(config)
    data = task.load()
    model = contract.trained(Case(task, data, (0.0, 0.0))).eval()
    explainer = SentimentExplainer(LoadedRun(tmp_path, task, data.info, model))

    @settings(max_examples=25)
    @given(st.text(max_size=60))
    def check(text):
        (one,) = explainer.given(encodable(text), "", Wish())
        moved = sum(cause.weight for cause in (*one.causes, *one.others))
        assert one.value - one.baseline - moved == pytest.approx(one.gap, abs=1e-9)
        largest = max([abs(one.difference), *(abs(c.weight) for c in one.causes)])
        assert abs(one.gap) <= 0.02 * largest + 1e-4
        json.dumps(one.to_json(), allow_nan=False)

    check()
