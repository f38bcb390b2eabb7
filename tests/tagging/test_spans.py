"""Counts of spans: against the rules of conlleval spelled out, and against seqeval."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import sequence_labeling, v1
from seqeval.scheme import IOB2, IOBES

from birnn.data.tags.schemes import PREFIXES, Span, convert, spans
from birnn.errors import ConfigError
from birnn.tasks.tagging.spans import (
    ERRORS,
    TagPairs,
    count_spans,
    count_tags,
    error_table,
    judge,
    overlaps,
    precision_recall_f1,
    read_spans,
    type_confusions,
    type_table,
)

from strategies import quick

TAGS = {
    "iob1": "BI",
    "iob2": "BI",
    "iobes": "BIES",
    "bilou": "BILU",
}
LABELS = {
    scheme: ["O", *(f"{prefix}-{kind}" for kind in ("X", "Y") for prefix in prefixes)]
    for scheme, prefixes in TAGS.items()
}

# Pairs of prefixes between which a span of one type ends, and at which one begins: the rules of
# the script conlleval (Tjong Kim Sang 2000), and what S and E of IOBES add to them.
ENDS = {*("BB", "BO", "IB", "IO", "EE", "EI", "EO")}
BEGINS = {*("BB", "IB", "OB", "OI", "EE", "EI", "OE")}
ENDS |= {"EB", "ES", "BS", "IS", "SB", "SI", "SE", "SS", "SO"}
BEGINS |= {"EB", "ES", "BS", "IS", "OS", "SB", "SI", "SE", "SS"}


def conlleval(gold, predicted):
    """Right, predicted and gold spans, counted as the script does: one pass, no list of spans."""

    def split(tag):
        return (tag[0], tag[2:]) if tag != "O" else ("O", "")

    def ends(before, after):
        return before[0] + after[0] in ENDS or (before[0] != "O" and before[1] != after[1])

    def begins(before, after):
        return before[0] + after[0] in BEGINS or (after[0] != "O" and before[1] != after[1])

    right = guessed = wanted = 0
    for sides in zip(gold, predicted, strict=True):
        inside = False
        g, p = ([("O", ""), *map(split, side), ("O", "")] for side in sides)
        for (g0, g1), (p0, p1) in zip(pairwise(g), pairwise(p), strict=True):
            if inside:
                if ends(g0, g1) and ends(p0, p1) and g0[1] == p0[1]:
                    inside, right = False, right + 1
                elif ends(g0, g1) != ends(p0, p1) or g1[1] != p1[1]:
                    inside = False
            if begins(g0, g1) and begins(p0, p1) and g1[1] == p1[1]:
                inside = True
            wanted += begins(g0, g1)
            guessed += begins(p0, p1)
        assert not inside
    return [right, guessed, wanted]


@st.composite
def tagged(draw, scheme):
    """Gold and predicted tags of a few sentences, mostly broken, often alike."""
    lengths = draw(st.lists(st.integers(0, 8), min_size=1, max_size=4))
    label = st.sampled_from(LABELS[scheme])
    gold = [[draw(label) for _ in range(length)] for length in lengths]
    keep = st.sampled_from([True, True, False])
    return gold, [[tag if draw(keep) else draw(label) for tag in row] for row in gold]


def rows(pair, scheme, mode="conlleval"):
    return tuple(read_spans(side, scheme, mode) for side in pair)


def seqeval(pair, average, scheme=None):
    """Precision, recall, F1 and support; with a scheme, of its strict mode."""
    options = {"average": average, "zero_division": 0}
    if scheme is None:
        return sequence_labeling.precision_recall_fscore_support(*pair, **options)
    return v1.precision_recall_fscore_support(*pair, scheme=scheme, **options)


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "iobes"])
@given(data=st.data())
@quick
def test_counts_are_those_of_conlleval(scheme, data):
    pair = data.draw(tagged(scheme))
    assert count_spans(*rows(pair, scheme)).sum(0).tolist() == conlleval(*pair)


@pytest.mark.parametrize("scheme", ["iob2", "iobes"])
@given(data=st.data())
@quick
def test_scores_are_those_of_seqeval(scheme, data):
    pair = data.draw(tagged(scheme))
    found = precision_recall_f1(count_spans(*rows(pair, scheme)).sum(0))
    assert found == pytest.approx(seqeval(pair, "micro")[:3])


@pytest.mark.parametrize(("scheme", "theirs"), [("iob2", IOB2), ("iobes", IOBES)])
@given(data=st.data())
@quick
def test_strict_scores_are_those_of_seqeval(scheme, theirs, data):
    pair = data.draw(tagged(scheme))
    found = precision_recall_f1(count_spans(*rows(pair, scheme, "strict")).sum(0))
    assert found == pytest.approx(seqeval(pair, "micro", theirs)[:3])


@given(tagged("iob2"))
@quick
def test_types_have_the_scores_of_seqeval(pair):
    table = type_table(*rows(pair, "iob2"))
    wanted = seqeval(pair, None)
    for name, column in zip(("precision", "recall", "f1", "support"), wanted, strict=True):
        assert [row[name] for row in table] == pytest.approx(list(column))
    assert all(type(row["support"]) is int and type(row["f1"]) is float for row in table)


def test_nothing_predicted_scores_nothing():
    scores = precision_recall_f1(np.array([[0, 0, 3], [0, 0, 0], [0, 2, 0], [1, 2, 4]]))
    assert np.array(scores).T.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 0], [0.5, 0.25, 1 / 3]]


def test_counts_are_of_each_sentence():
    a, b, c = Span(0, 1, "X"), Span(0, 1, "Y"), Span(2, 4, "X")
    counts = count_spans([[a, c], [], [b]], [[b, c], [a], []])
    assert counts.tolist() == [[1, 2, 2], [0, 1, 0], [0, 0, 1]]
    assert count_spans([], []).shape == (0, 3)


def test_readings_differ_where_tags_are_broken():
    tags = [["O", "I-X", "B-Y"]]
    assert rows((tags, tags), "iob2")[0] == [[Span(1, 2, "X"), Span(2, 3, "Y")]]
    assert rows((tags, tags), "iob2", "strict")[0] == [[Span(2, 3, "Y")]]
    with pytest.raises(ConfigError, match="no way 'lenient' to read spans.*conlleval, strict"):
        read_spans(tags, "iob2", "lenient")


@pytest.mark.parametrize("scheme", TAGS)
@given(data=st.data())
@quick
def test_counts_of_label_numbers_are_those_of_spans(scheme, data):
    pair = data.draw(tagged(scheme))
    labels = data.draw(st.permutations(LABELS[scheme]))
    flat = [np.array([labels.index(t) for row in side for t in row], dtype=int) for side in pair]
    lengths = np.array([len(row) for row in pair[0]])
    counts = count_tags(*flat, lengths, TagPairs.build(labels, scheme))
    assert counts["spans"].tolist() == count_spans(*rows(pair, scheme)).sum(0).tolist()
    assert counts["tokens"].tolist() == [sum(flat[0] == flat[1]), lengths.sum()]
    # Batches add up.
    cut = len(pair[0]) // 2
    at = lengths[:cut].sum()
    pairs = TagPairs.build(labels, scheme)
    first = count_tags(flat[0][:at], flat[1][:at], lengths[:cut], pairs)
    second = count_tags(flat[0][at:], flat[1][at:], lengths[cut:], pairs)
    assert all((first[name] + second[name] == counts[name]).all() for name in counts)


def test_raw_tags_have_no_spans_to_count():
    counts = count_tags(np.array([0, 1]), np.array([0, 0]), np.array([2]), None)
    assert {name: part.tolist() for name, part in counts.items()} == {"tokens": [1, 2]}


@pytest.mark.parametrize(
    ("predicted", "kind"),
    [
        ([Span(2, 4, "X")], "correct"),
        ([Span(2, 4, "Y")], "wrong_type"),
        ([Span(2, 3, "X")], "wrong_border"),
        ([Span(0, 6, "X")], "wrong_border"),
        ([Span(3, 5, "Y")], "wrong_border_and_type"),
        ([Span(1, 3, "Y"), Span(3, 6, "X")], "wrong_border"),
        ([Span(1, 3, "Y"), Span(3, 6, "Z")], "wrong_border_and_type"),
        ([Span(0, 2, "X"), Span(4, 6, "X")], "missed"),
        ([], "missed"),
    ],
)
def test_kinds_of_errors(predicted, kind):
    span = Span(2, 4, "X")
    assert judge(span, overlaps([span], predicted)[0], "missed") == kind


def kind_of(span, others, alone):
    """The same from the definition, by sets of tokens."""
    tokens = set(range(span.start, span.end))
    near = [other for other in others if tokens & set(range(other.start, other.end))]
    traits = {
        (tokens == set(range(other.start, other.end)), other.label == span.label) for other in near
    }
    order = {
        (True, True): "correct",
        (True, False): "wrong_type",
        (False, True): "wrong_border",
        (False, False): "wrong_border_and_type",
    }
    return next((kind for trait, kind in order.items() if trait in traits), alone)


@given(tagged("iob2"))
@quick
def test_errors_add_up(pair):
    gold, predicted = rows(pair, "iob2")
    table = error_table(gold, predicted)
    right, guessed, wanted = count_spans(gold, predicted).sum(0)
    assert list(table["gold"]) == ["correct", "missed", *ERRORS]
    assert list(table["predicted"]) == ["correct", "spurious", *ERRORS]
    assert sum(table["gold"].values()) == wanted
    assert sum(table["predicted"].values()) == guessed
    assert table["gold"]["correct"] == table["predicted"]["correct"] == right
    assert table["gold"]["wrong_type"] == table["predicted"]["wrong_type"]
    for side, alone, own, others in (
        ("gold", "missed", gold, predicted),
        ("predicted", "spurious", predicted, gold),
    ):
        kinds = [
            kind_of(span, far, alone)
            for near, far in zip(own, others, strict=True)
            for span in near
        ]
        assert table[side] == {kind: kinds.count(kind) for kind in table[side]}


def test_one_long_span_over_two_is_one_wrong_border_and_two():
    gold, predicted = [[Span(0, 1, "X"), Span(2, 3, "X")]], [[Span(0, 3, "X")]]
    table = error_table(gold, predicted)
    assert table["gold"]["wrong_border"] == 2
    assert table["predicted"]["wrong_border"] == 1


def test_confusions_of_types():
    gold = [[Span(0, 2, "X"), Span(3, 5, "X"), Span(6, 7, "Y")], [Span(0, 2, "X")]]
    predicted = [[Span(0, 2, "X"), Span(4, 6, "Y"), Span(8, 9, "Y")], [Span(0, 3, "X")]]
    # Equal types with other borders are errors, but no confusion.
    assert type_confusions(gold, predicted) == {("X", "Y"): 1, ("Y", "O"): 1, ("O", "Y"): 1}


@given(tagged("iob2"))
@quick
def test_confusions_turn_round_with_the_sides(pair):
    gold, predicted = rows(pair, "iob2")
    there, back = type_confusions(gold, predicted), type_confusions(predicted, gold)
    assert there == {(g, p): count for (p, g), count in back.items()}
    table = error_table(gold, predicted)
    assert sum(n for (_, p), n in there.items() if p == "O") == table["gold"]["missed"]
    assert sum(n for (g, _), n in there.items() if g == "O") == table["predicted"]["spurious"]


@given(tagged("iob2"))
@quick
def test_scores_do_not_depend_on_the_scheme(pair):
    wanted = count_spans(*rows(pair, "iob2")).tolist()
    for scheme in TAGS:
        other = tuple([convert(row, "iob2", scheme) for row in side] for side in pair)
        for mode in ("conlleval", "strict"):
            assert count_spans(*rows(other, scheme, mode)).tolist() == wanted


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "iobes", "bilou"])
def test_pairs_of_many_labels_are_those_that_spans_tells(scheme):
    labels = ["O", *(f"{prefix}-{kind}" for kind in ("a", "b", "c") for prefix in PREFIXES[scheme])]
    pairs, tags = TagPairs.build(labels, scheme), [*labels, "O"]
    for b, before in enumerate(tags):
        for a, after in enumerate(tags):
            found = spans([before, after], scheme)
            assert pairs.begins[b, a] == any(span.start == 1 for span in found)
            assert pairs.ends[b, a] == any(span.end == 1 for span in found)
    several = [f"B-{i}" for i in range(1500)]
    assert TagPairs.build(several, scheme).begins.shape == (1501, 1501)  # at once
