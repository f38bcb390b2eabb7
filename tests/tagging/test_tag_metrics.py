"""Scores of taggers: scikit-learn's and seqeval's, on all sentences and on drawn-out resamples."""

import json
from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import sequence_labeling, v1
from seqeval.scheme import IOB2
from sklearn import metrics as sk

from birnn.data.tags.schemes import Span, spans, strict_spans
from birnn.errors import ConfigError, DataError
from birnn.tasks.scoring.bootstrap import resample_counts, with_intervals
from birnn.tasks.scoring.metric_names import is_percent, lower_is_better
from birnn.tasks.tagging import metrics as module
from birnn.tasks.tagging.info import surfaces
from birnn.tasks.tagging.metrics import (
    Seen,
    Tagged,
    evaluate_tags,
    span_confidence,
    tag_replicates,
    tag_scores,
)
from birnn.tasks.tagging.report import span_mistakes, tag_details
from birnn.tasks.tagging.spans import surface

from strategies import quick

BINS = 15
WORDS = ("Rome", "rome", "of", "the", "Ann", "Lee", "x")
IOB2_TAGS = ("O", "O", "O", "B-X", "I-X", "B-Y", "I-Y")
RAW_TAGS = ("NOUN", "VERB", "B-flat")
SEEN = Seen(frozenset({"rome", "of", "the"}), frozenset({("rome", "X"), ("ann lee", "Y")}))


def example(seed=0, sentences=12, scheme="iob2", *, confident=True, known=0.6, **options):
    """Random words and tags, the predicted ones often right, and how sure of them a model is."""
    generator = np.random.default_rng(seed)
    labels = RAW_TAGS if scheme == "raw" else IOB2_TAGS
    lengths = generator.integers(1, 7, sentences)
    tokens, gold, drawn = (
        [[str(choice) for choice in generator.choice(kinds, length)] for length in lengths]
        for kinds in (WORDS, labels, labels)
    )
    predicted = [
        [g if generator.random() < known else p for g, p in zip(*rows, strict=True)]
        for rows in zip(gold, drawn, strict=True)
    ]
    sure = [generator.random(length).astype(np.float32) for length in lengths]
    return Tagged(
        tokens, gold, predicted, scheme, confidence=sure if confident else None, **options
    )


def subset(tagged, rows):
    """The sentences ``rows``, some of them several times."""
    names = ("tokens", "gold", "predicted", "confidence")
    sides = {name: getattr(tagged, name) for name in names}
    return replace(
        tagged, **{k: None if v is None else [v[row] for row in rows] for k, v in sides.items()}
    )


def naive_calibration(items):
    """Guo et al. 2017, one bin after the other, of pairs (confidence, right)."""
    total = 0.0
    for number in range(BINS):
        inside = [(c, r) for c, r in items if min(int(c * BINS), BINS - 1) == number]
        total += abs(sum(c - r for c, r in inside))
    return total / len(items)


def keep_new(tokens, tags):
    """Tags that spell the spans alone that train has not, by rebuilding each sentence."""
    rows = []
    for words, row in zip(tokens, tags, strict=True):
        kept = ["O"] * len(words)
        for start, end, label in spans(row, "iob2"):
            if (" ".join(words[start:end]).lower(), label) not in SEEN.spans:
                kept[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
        rows.append(kept)
    return rows


def oracle(tagged):
    """Every score from scikit-learn and seqeval, spelled out."""
    gold, predicted = ([*chain(*side)] for side in (tagged.gold, tagged.predicted))
    words, right = [*chain(*tagged.tokens)], [g == p for g, p in zip(gold, predicted, strict=True)]
    found = {
        "accuracy": sk.accuracy_score(gold, predicted),
        "macro_f1": sk.f1_score(gold, predicted, average="macro", zero_division=0),
    }
    new = [r for word, r in zip(words, right, strict=True) if word.lower() not in SEEN.words]
    if new:
        found["unseen_accuracy"] = np.mean(new)
    if tagged.confidence is not None:
        items = list(zip(map(float, chain(*tagged.confidence)), right, strict=True))
        found["calibration_error"] = naive_calibration(items)
    return found if tagged.scheme == "raw" else {**found, **span_oracle(tagged)}


def span_oracle(tagged):
    sides = [list(map(list, side)) for side in (tagged.gold, tagged.predicted)]
    options = {"average": "micro", "zero_division": 0}
    lenient = sequence_labeling.precision_recall_fscore_support(*sides, **options)
    strict = v1.precision_recall_fscore_support(*sides, scheme=IOB2, **options)
    own, other = (strict, lenient) if tagged.mode == "strict" else (lenient, strict)
    found = dict(zip(("span_precision", "span_recall", "span_f1"), own, strict=False))
    found["conlleval_span_f1" if tagged.mode == "strict" else "strict_span_f1"] = other[2]
    new = [keep_new(tagged.tokens, side) for side in sides]
    if any(tag != "O" for tag in chain(*chain(*new))):
        found["unseen_span_f1"] = sequence_labeling.f1_score(*new, **options)
    read = strict_spans if tagged.mode == "strict" else spans
    items = [
        (float(np.prod(sure[span.start : span.end].astype(float))), span in read(wanted, "iob2"))
        for wanted, guess, sure in zip(
            tagged.gold, tagged.predicted, tagged.confidence or tagged.gold, strict=True
        )
        if tagged.confidence is not None
        for span in read(guess, "iob2")
    ]
    if items:
        found["span_calibration_error"] = naive_calibration(items)
    return found


@pytest.mark.parametrize("confident", [True, False])
@pytest.mark.parametrize("scheme", ["iob2", "raw"])
@pytest.mark.parametrize("sentences", [1, 3, 30])
def test_scores_are_those_of_scikit_learn_and_seqeval(sentences, scheme, confident):
    for seed in range(5):
        tagged = example(seed, sentences, scheme, confident=confident)
        found = tag_scores(tagged, SEEN)
        assert found == pytest.approx(oracle(tagged), abs=1e-7)
        assert all(type(value) is float for value in found.values())


def test_strict_scores_are_those_of_seqeval():
    tagged = example(2, 30, mode="strict")
    wanted = oracle(tagged)
    del wanted["unseen_span_f1"]  # the oracle reads these spans generously
    found = tag_scores(tagged, SEEN)
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-7)
    assert found["span_f1"] == tag_scores(replace(tagged, mode="conlleval"), SEEN)["strict_span_f1"]


def resampled(counts):
    """The item numbers of a resample, drawn out."""
    return np.repeat(np.arange(len(counts)), counts.astype(int))


@pytest.mark.parametrize("scheme", ["iob2", "raw"])
@pytest.mark.parametrize("sentences", [3, 20])
def test_replicates_are_the_scores_of_drawn_out_resamples(sentences, scheme):
    tagged = example(4, sentences, scheme)
    found = tag_replicates(tagged, SEEN, seed=5)
    every = np.concatenate(list(resample_counts(sentences, 5)))
    assert all(len(values) == len(every) for values in found.values())
    for number, counts in enumerate(every[:20]):
        wanted = oracle(subset(tagged, resampled(counts)))
        there = {k: v[number] for k, v in found.items() if np.isfinite(v[number])}
        assert there == pytest.approx(wanted, abs=1e-7)


@pytest.mark.parametrize("mode", ["conlleval", "strict"])
@pytest.mark.parametrize("scheme", ["iob2", "raw"])
@pytest.mark.parametrize("confident", [True, False])
def test_each_sentence_once_gives_the_score_itself(monkeypatch, mode, scheme, confident):
    monkeypatch.setattr(
        module, "replicates", lambda scores, items, seed: scores(np.ones((1, items)))
    )
    for seed in range(10):
        tagged = example(seed, 8, scheme, confident=confident, mode=mode)
        scores = tag_scores(tagged, SEEN)
        found = tag_replicates(tagged, SEEN, 0)
        assert {k: v[0] for k, v in found.items() if np.isfinite(v[0])} == pytest.approx(scores)


def test_nothing_new_has_no_score():
    words = [["Rome", "of"]]
    tagged = Tagged(words, [["B-X", "O"]], [["B-X", "O"]], "iob2")
    found = tag_scores(tagged, SEEN)
    assert found["span_f1"] == 1.0
    assert {"unseen_accuracy", "unseen_span_f1", "span_calibration_error"}.isdisjoint(found)


def test_nothing_predicted_scores_nothing():
    tagged = Tagged([["a", "b"]], [["B-X", "O"]], [["O", "O"]], "iob2", confidence=[np.ones(2)])
    found = tag_scores(tagged, SEEN)
    assert {found[f"span_{part}"] for part in ("f1", "precision", "recall")} == {0.0}
    assert found["unseen_span_f1"] == 0.0
    assert "span_calibration_error" not in found
    intervals = with_intervals(found, tag_replicates(tagged, SEEN, 0))
    assert all(np.isfinite([s.value, s.low, s.high]).all() for s in intervals.values())


def test_new_spans_are_held_against_new_spans():
    # Of gold, "rome" is known; the guess that "rome" is Y is new, and wrong.
    tokens = [["ROME", "Lee", "the"]]
    tagged = Tagged(tokens, [["B-X", "B-Y", "O"]], [["B-Y", "B-Y", "O"]], "iob2")
    assert tag_scores(tagged, SEEN)["unseen_span_f1"] == pytest.approx(2 / 3)


def test_what_train_has():
    tokens = [["In", "New", "York"], ["Ann"]]
    assert surfaces(tokens, [["O", "I-LOC", "I-LOC"], ["O"]], "iob2") == {("new york", "LOC")}
    assert surfaces([["a"]], [["NOUN"]], "raw") == frozenset()
    assert surface(["In", "New", "York"], Span(1, 3, "LOC")) == "new york"


def test_a_span_is_as_sure_as_its_tags_together():
    tagged = Tagged(
        [["a", "b", "c"]], [["O"] * 3], [["O"] * 3], "iob2", confidence=[np.array([0.5, 0.8, 0.4])]
    )
    assert span_confidence(tagged, 0, Span(1, 3, "X")) == pytest.approx(0.32)
    chained = replace(tagged, conditional=[np.array([0.5, 0.9, 0.9])])
    assert span_confidence(chained, 0, Span(1, 3, "X")) == pytest.approx(0.72)


@pytest.mark.parametrize("mode", ["conlleval", "strict"])
def test_every_score_has_a_direction_and_a_unit(mode):
    scores = tag_scores(example(mode=mode), SEEN)
    errors = {"calibration_error", "span_calibration_error"}
    assert {name for name in scores if lower_is_better(name)} == errors
    assert all(map(is_percent, scores))


def test_evaluation_is_both():
    tagged = example(3)
    found = evaluate_tags(tagged, SEEN, 1)
    assert found.scores == tag_scores(tagged, SEEN)
    assert set(found.replicates) == set(found.scores)
    for name, values in tag_replicates(tagged, SEEN, 1).items():
        np.testing.assert_array_equal(values, found.replicates[name])


@pytest.mark.parametrize("name", ["gold", "predicted", "confidence"])
def test_sizes_must_agree(name):
    sides = {"gold": [["O"]] * 2, "predicted": [["O"]] * 2, "confidence": [np.ones(1)] * 2}
    with pytest.raises(DataError, match=f"{name}: 1 sentences for 2"):
        Tagged([["a"]] * 2, scheme="iob2", **{**sides, name: sides[name][:1]})
    with pytest.raises(DataError, match=f"{name}: 1 for 2 tokens in sentence 2"):
        sides = {key: [side[0], [*side[0], *side[0]]] for key, side in sides.items()}
        Tagged([["a"], ["b", "c"]], scheme="iob2", **{**sides, name: [sides[name][0]] * 2})


def test_mode_must_be_known():
    with pytest.raises(ConfigError, match="no way 'loose' to read spans"):
        example(mode="loose")


@pytest.mark.parametrize("scheme", ["iob2", "raw"])
def test_tags_are_counted_in_each_sentence_without_its_absent_ones(scheme):
    tagged = example(6, 20, scheme)
    labels = sorted({*chain(*tagged.gold), *chain(*tagged.predicted)})
    cells = module.tag_counts(tagged)
    assert cells.nnz <= 3 * sum(map(len, tagged.tokens))
    assert 0 not in cells.data
    for row, gold, predicted in zip(cells.toarray(), tagged.gold, tagged.predicted, strict=True):
        right = [g for g, p in zip(gold, predicted, strict=True) if g == p]
        wanted = [[side.count(label) for label in labels] for side in (right, predicted, gold)]
        assert row.reshape(3, -1).tolist() == wanted


def test_details_of_tags():
    tagged = example(1, 40, "raw")
    details = tag_details(tagged)
    assert json.loads(json.dumps(details)) == details
    assert set(details) == {"tags", "confusions", "mistakes"}
    gold, predicted = ([*chain(*side)] for side in (tagged.gold, tagged.predicted))
    report = sk.classification_report(gold, predicted, output_dict=True, zero_division=0)
    for row in details["tags"]:
        wanted = report[row["label"]]
        assert row["f1"] == pytest.approx(wanted["f1-score"])
        assert row["support"] == wanted["support"]
    table = sk.confusion_matrix(gold, predicted, labels=RAW_TAGS)
    for row in details["confusions"]:
        assert row["count"] == table[RAW_TAGS.index(row["gold"]), RAW_TAGS.index(row["predicted"])]
    counts = [row["count"] for row in details["confusions"]]
    assert counts == sorted(counts, reverse=True)
    assert sum(counts) == table.sum() - np.trace(table)
    wrong = [
        sure
        for g, p, sure in zip(gold, predicted, chain(*tagged.confidence), strict=True)
        if g != p
    ]
    found = [row["confidence"] for row in details["mistakes"]]
    assert found == pytest.approx(sorted(map(float, wrong), reverse=True)[:8])


def test_a_mistake_is_told_with_its_place():
    words = [[f"w{n}" for n in range(40)]]
    gold, predicted = [["N"] * 40], [["N"] * 20 + ["V"] + ["N"] * 19]
    tagged = Tagged(words, gold, predicted, "raw", confidence=[np.full(40, 0.75)])
    assert tag_details(tagged)["mistakes"] == [
        {
            "sentence": 1,
            "text": " ".join(words[0][8:33]),
            "words": "w20",
            "kind": "wrong_tag",
            "gold": "N",
            "predicted": "V",
            "confidence": 0.75,
        }
    ]


def test_details_of_spans():
    tokens = [["Ann", "Lee", "of", "New", "York", "the", "Thames", "x"]]
    gold = [["B-PER", "I-PER", "O", "B-LOC", "I-LOC", "O", "B-LOC", "O"]]
    predicted = [["B-PER", "O", "O", "B-ORG", "I-ORG", "O", "O", "B-ORG"]]
    sure = [np.array([0.9, 1.0, 1.0, 0.5, 0.5, 1.0, 0.8, 0.3])]
    details = tag_details(Tagged(tokens, gold, predicted, "iob2", confidence=sure))
    assert json.loads(json.dumps(details)) == details
    assert [row["label"] for row in details["types"]] == ["LOC", "ORG", "PER"]
    assert details["errors"]["gold"] == {
        "correct": 0,
        "missed": 1,
        "wrong_type": 1,
        "wrong_border": 1,
        "wrong_border_and_type": 0,
    }
    assert details["errors"]["predicted"]["spurious"] == 1
    assert details["confusions"] == [
        {"gold": "LOC", "predicted": "O", "count": 1},
        {"gold": "LOC", "predicted": "ORG", "count": 1},
        {"gold": "O", "predicted": "ORG", "count": 1},
    ]
    told = [
        (row["words"], row["kind"], row["gold"], row["predicted"], row["confidence"])
        for row in details["mistakes"]
    ]
    assert told == [
        ("Ann", "wrong_border", "Ann Lee (PER)", "Ann (PER)", 0.9),
        ("Thames", "missed", "Thames (LOC)", "O", 0.8),
        ("x", "spurious", "O", "x (ORG)", 0.3),
        ("New York", "wrong_type", "New York (LOC)", "New York (ORG)", 0.25),
    ]


@given(st.integers(0, 2**31))
@quick
def test_every_mistake_with_spans_is_told_once(seed):
    tagged = example(seed)
    errors = tag_details(tagged)["errors"]
    kinds = [mistake.kind for mistake in span_mistakes(tagged)]
    wanted = {**errors["predicted"], "missed": errors["gold"]["missed"]}
    del wanted["correct"]
    assert {kind: kinds.count(kind) for kind in wanted} == wanted
    assert len(kinds) == sum(wanted.values())


def test_missed_spans_leave_room_for_wrong_ones():
    tokens, gold = [[f"w{n}" for n in range(30)]], [["B-X", "O"] * 15]
    predicted = [["O"] * 20 + ["O", "B-X"] * 5]
    sure = [np.r_[np.linspace(0.99, 0.9, 20), np.full(10, 0.4)]]
    kinds = [
        row["kind"]
        for row in tag_details(Tagged(tokens, gold, predicted, "iob2", confidence=sure))["mistakes"]
    ]
    assert kinds == ["missed"] * 4 + ["spurious"] * 4


def test_without_confidences_no_mistake_is_the_surest():
    assert tag_details(example(confident=False))["mistakes"] == []
