"""Tag schemes against seqeval, and against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, IOBES, Entities

from birnn.data.tags.schemes import (
    SCHEMES,
    Span,
    convert,
    detect,
    first_places,
    label_set,
    legal,
    mixture,
    spans,
    strict_spans,
    tags_of,
    violations,
)
from birnn.errors import ConfigError, DataError

from strategies import quick

SPANNED = [scheme for scheme in SCHEMES if scheme != "raw"]
ALPHABET = {
    "iob1": ["O", "B-X", "I-X", "B-Y", "I-Y"],
    "iob2": ["O", "B-X", "I-X", "B-Y", "I-Y"],
    "iobes": ["O", *(f"{p}-{k}" for k in "XY" for p in "BIES")],
    "bilou": ["O", *(f"{p}-{k}" for k in "XY" for p in "BILU")],
}


def tag_lists(scheme: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(ALPHABET[scheme]), max_size=8)


@st.composite
def span_lists(draw: st.DrawFn) -> tuple[list[Span], int]:
    """Spans that don't overlap, and how many tokens there are."""
    found, place = [], 0
    for _ in range(draw(st.integers(0, 4))):
        start = place + draw(st.integers(0, 2))
        place = start + draw(st.integers(1, 3))
        found.append(Span(start, place, draw(st.sampled_from("XY"))))
    return found, place + draw(st.integers(0, 2))


def as_triples(found: list[Span]) -> list[tuple[str, int, int]]:
    return [(span.label, span.start, span.end - 1) for span in found]


@quick
@given(st.one_of(tag_lists("iob2"), tag_lists("iobes")))
def test_lenient_spans_are_seqeval_s(tags):
    assert as_triples(spans(tags, "iobes")) == get_entities(tags)


@pytest.mark.parametrize(("scheme", "oracle"), [("iob2", IOB2), ("iobes", IOBES)])
def test_strict_spans_are_seqeval_s(scheme, oracle):
    for size in range(5):
        for tags in itertools.product(ALPHABET[scheme][:4], repeat=size):
            wanted = [
                (e.tag, e.start, e.end - 1) for e in Entities([list(tags)], oracle).entities[0]
            ]
            assert as_triples(strict_spans(tags, scheme)) == wanted, tags


@pytest.mark.parametrize("scheme", SPANNED)
@quick
@given(made=span_lists())
def test_spans_survive_the_way_there_and_back(scheme, made):
    found, length = made
    tags = tags_of(found, length, scheme)
    assert spans(tags, scheme) == strict_spans(tags, scheme) == found
    assert violations(tags, scheme) == []


@pytest.mark.parametrize(("one", "other"), list(itertools.product(SPANNED, SPANNED)))
@quick
@given(made=span_lists())
def test_conversion_keeps_the_spans(one, other, made):
    found, length = made
    tags = tags_of(found, length, one)
    changed = convert(tags, one, other)
    assert spans(changed, other) == found
    assert convert(changed, other, one) == tags


@pytest.mark.parametrize("scheme", SPANNED)
@quick
@given(st.data())
def test_broken_tags_come_out_sound_and_are_found(scheme, data):
    tags = data.draw(tag_lists(scheme))
    mended = convert(tags, scheme, scheme)
    assert violations(mended, scheme) == []
    assert (violations(tags, scheme) == []) == (mended == tags)
    assert spans(mended, scheme) == spans(tags, scheme)


@pytest.mark.parametrize("scheme", SPANNED)
def test_legal_moves_are_those_of_sound_sequences(scheme):
    labels = label_set([["B-X", "B-Y"]], scheme)
    rules = legal(labels, scheme)
    for size in range(1, 5):
        for path in itertools.product(range(len(labels)), repeat=size):
            moves = all(rules.transitions[a, b] for a, b in itertools.pairwise(path))
            allowed = bool(rules.start[path[0]] and moves and rules.end[path[-1]])
            sound = violations([labels[i] for i in path], scheme) == []
            assert allowed == sound, [labels[i] for i in path]


@quick
@given(st.sets(st.sampled_from(ALPHABET["iobes"]), min_size=1))
def test_every_label_is_on_a_legal_path_whatever_the_set_lacks(labels):
    order = sorted(labels)
    rules = legal(order, "iobes")
    reach = [rules.start]
    back = [rules.end]
    for _ in order:
        reach.append(reach[-1] | (reach[-1] @ rules.transitions))
        back.append(back[-1] | (rules.transitions @ back[-1]))
    assert np.all(reach[-1] & back[-1])


@pytest.mark.parametrize("scheme", SPANNED)
def test_schemes_are_told_apart(scheme):
    found = [Span(0, 1, "X"), Span(1, 3, "X"), Span(4, 7, "Y")]
    assert detect([tags_of(found, 8, scheme), ["O"]]) == scheme


def test_raw_tags_and_no_tags_are_told():
    assert detect([["NOUN", "VERB"], ["O", "X"]]) == "raw"
    assert detect([["O", "O"]]) == "iob2"
    assert detect([["I-X", "O"], ["I-X", "B-X"]]) == "iob1"


@pytest.mark.parametrize("last", [["B-X"], ["O", "B-X"], ["I-Y", "B-X"]])
def test_one_b_that_nothing_asks_for_is_iob2(last):
    assert detect([["I-X", "O"], ["I-X", "B-X"], last]) == "iob2"


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [(["E-X"], "iob2"), (["O", "U-X"], "iobes"), (["S-X"], "bilou"), (["X"], "iob1")],
)
def test_tags_of_another_scheme_break_this_one(tags, scheme):
    assert violations(tags, scheme) == [len(tags) - 1]


def test_what_only_a_missing_label_could_open_opens():
    rules = legal(["O", "B-X", "B-Y", "I-Y"], "iob1")
    assert rules.start.tolist() == [True, True, False, True]
    assert rules.transitions[0].tolist() == [True, True, False, True]
    assert rules.transitions[3].tolist() == [True, True, True, True]


@pytest.mark.parametrize("first", ["S-X", "B-X"])
def test_the_first_places_of_a_mixture_are_named(first):
    rows = [["O", first], ["B-X", "S-X", "NOUN"]]
    assert mixture(first_places(rows)) == ((0, 1, first), (1, 2, "NOUN"))


@pytest.mark.parametrize("rows", [[["B-X", "NOUN"]], [["E-X"], ["L-X"]], [["S-X", "U-Y"]]])
def test_mixtures_are_refused_and_placed(rows):
    assert mixture(first_places(rows)) is not None
    with pytest.raises(DataError, match="tags of several schemes: .* in sentence 1 and"):
        detect(rows)


def test_label_sets_have_all_prefixes_of_each_type():
    assert label_set([["O", "I-b", "B-a"]]) == [
        "O", "B-a", "I-a", "E-a", "S-a", "B-b", "I-b", "E-b", "S-b",
    ]  # fmt: skip
    assert label_set([["B", "A", "B"]], "raw") == ["A", "B"]


@pytest.mark.parametrize("call", [spans, strict_spans, violations])
def test_an_unknown_scheme_is_named(call):
    with pytest.raises(ConfigError, match="no 'iob3' .did you mean 'iob"):
        call(["O"], "iob3")


@pytest.mark.parametrize("found", [[Span(0, 2, "X"), Span(1, 3, "X")], [Span(2, 2, "X")],
                                   [Span(0, 9, "X")]])  # fmt: skip
def test_spans_that_no_tags_can_spell_are_refused(found):
    with pytest.raises(DataError, match="overlaps another, is empty, or goes beyond 4 tokens"):
        tags_of(found, 4, "iob2")
