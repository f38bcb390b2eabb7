"""Rows of JSON: every usual way to mark spans, and which of them tokens can spell."""

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tags import json_rows
from birnn.data.tags.findings import EMPTY
from birnn.data.tags.json_rows import read_rows
from birnn.data.tags.json_spans import CharSpan, align, char_spans, read_json, sound
from birnn.data.tags.schemes import Span
from birnn.data.text.offsets import token_offsets
from birnn.errors import DataError

from strategies import quick

TEXT = "Ada Lovelace went to Rome."
WANTED = ["B-per", "I-per", "O", "O", "B-loc", "O"]


def rows_of(path, text):
    path.write_text(text, encoding="utf-8")
    return read_json(path, "utf-8-sig")


def one(row, *columns, **options):
    (sentence,) = read_rows([(1, row)], "x", *columns, **options).sentences
    return sentence


def refusal(row, *columns):
    first = {"text": "a", "spans": []}
    with pytest.raises(DataError) as caught:
        read_rows([(1, first), (7, row)], "x", *columns)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("x.jsonl", '{"a": 1}\n\n{"b": 2}', [(1, {"a": 1}), (3, {"b": 2})]),
        ("x.jsonl", '\ufeff{"a": "\u2028"}\r\n', [(1, {"a": "\u2028"})]),
        ("x.jsonl", '[\n{"a": 1},\n{"b": 2}\n]\n', [(1, {"a": 1}), (2, {"b": 2})]),
        ("x.json", '[{"a": 1},\n{"b": 2}]', [(1, {"a": 1}), (2, {"b": 2})]),
        ("x.json", '{"version": 1, "data": [{"a": 1}]}', [(1, {"a": 1})]),
        ("x.json", '{"text": "a", "spans": []}', [(1, {"text": "a", "spans": []})]),
        ("x.json", '{"a": 1}\n{"b": 2}\n', [(1, {"a": 1}), (2, {"b": 2})]),
    ],
)
def test_rows_and_where_they_stand(tmp_path, name, text, wanted):
    assert rows_of(tmp_path / name, text) == wanted


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.jsonl", '{"a": 1}\n{"a" 1}\n', "line 2 is not JSON"),
        ("x.jsonl", "[" * 100_000, "line 1 is not JSON: nested too deeply"),
        ("x.json", '[\n{"a": 1},\n{"a" 1}\n]', "x.json is not JSON: .* line 3"),
        ("x.json", '{"a": 1}\n{"a" 1}\n', "line 2 is not JSON"),
        ("x.jsonl", " \n", "is empty"),
    ],
)
def test_what_is_not_json_is_placed(tmp_path, name, text, said):
    with pytest.raises(DataError, match=said):
        rows_of(tmp_path / name, text)


# ------------------------------------------------------------------ texts


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "spans": [[0, 12, "per"], [21, 25, "loc"]]},
        {"text": TEXT, "label": [[21, 25, "loc"], [0, 12, "per"]]},
        {"sentence": TEXT, "labels": [[0, 12, "per", "x"], [21, 25, "loc"]]},
        {"text": TEXT, "entities": [{"start": 0, "end": 12, "label": "per"},
                                    {"start": 21, "end": 25, "type": "loc"}]},
        {"data": TEXT, "entities": [{"start_offset": 0, "end_offset": 12, "label": "per"},
                                    {"start_offset": 21, "end_offset": 25, "label": "loc"}]},
        {"text": TEXT, "tokens": [{"text": "Ada"}],
         "spans": [{"start": 0, "end": 12, "label": "per", "token_start": 0},
                   {"start": 21, "end": 25, "label": "loc", "token_start": 4}]},
        {"text": TEXT, "annotations": {"entities": [[0, 12, "per"], [21, 25, "loc"]]}},
        [TEXT, {"entities": [[0, 12, "per"], [21, 25, "loc"]]}],
        [TEXT, [[0, 12, "per"], [21, 25, "loc"]]],
    ],
)  # fmt: skip
def test_every_usual_way_to_mark_spans(row):
    sentence = one(row)
    assert sentence.tags == WANTED
    assert sentence.text == TEXT
    assert sorted(sentence.spans, key=lambda span: span["start"]) == [
        {"start": 0, "end": 12, "label": "per"}, {"start": 21, "end": 25, "label": "loc"},
    ]  # fmt: skip


def test_named_columns_of_texts():
    row = {"text": "no", "spans": [], "words": TEXT, "marks": [[0, 12, "per"], [21, 25, "loc"]]}
    assert one(row, "words", "marks").tags == WANTED


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"text": "abc", "spans": [[0, 4, "x"]]}, "the span 0-4 'x' .* has 3 characters"),
        ({"text": "abc", "spans": [[-1, 2, "x"]]}, "the span -1-2"),
        ({"text": "abc", "spans": [[2, 2, "x"]]}, "the span 2-2 'x' is empty"),
        ({"text": "abc", "spans": [[2, 1, "x"]]}, "the span 2-1"),
        ({"text": "abc", "spans": [["x", 0, 1]]}, "is no span"),
        ({"text": "abc", "spans": [[0, 1]]}, "is no span"),
        ({"text": "abc", "spans": [[0, 1, ""]]}, "is no span"),
        ({"text": "abc", "spans": [[0, True, "x"]]}, "is no span"),
        ({"text": "abc", "spans": [[0, 1.0, "x"]]}, "is no span"),
        ({"text": "abc", "spans": [{"start": 0, "label": "x"}]}, "is no span"),
        ({"text": 3, "spans": []}, "a text is expected"),
        ("abc", "expected an object"),
        ([1, 2], "expected an object"),
        (None, "expected an object"),
    ],
)
def test_bad_spans_name_their_row(row, said):
    found = refusal(row)
    assert found.startswith("x line 7: "), found
    assert re.search(said, found), found


@quick
@given(st.data())
def test_spans_on_borders_come_back_as_they_were_and_others_are_counted(data):
    text = data.draw(
        st.text(st.sampled_from("ab'. \u00a0\u200b\u2028é\u0301👍\u200d"), max_size=20)
    )
    offsets = token_offsets(text)
    starts, ends = {a for a, _ in offsets}, {b for _, b in offsets}
    places = st.integers(0, len(text))
    marked = [
        CharSpan(a, b, "x")
        for a, b in data.draw(st.lists(st.tuples(places, places), max_size=4))
        if a < b
    ]
    found, lost = align(offsets, marked)
    assert len(found) + len(lost) == len(marked)
    space = " \u00a0\u200b\u2028"
    wanted = set()
    for span in marked:
        a, b = span.start, span.end
        while a < b and text[a] in space:
            a += 1
        while a < b and text[b - 1] in space:
            b -= 1
        if a in starts and b in ends:
            wanted.add((a, b))
        else:
            assert ("not on token borders", span) in lost
    back = char_spans(found, offsets)
    assert {(a, b) for a, b, _ in back} <= wanted
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))
    # Whatever else is lost overlaps something that stayed.
    assert sum(reason == "overlapping another" for reason, _ in lost) + len(found) == sum(
        ("not on token borders", span) not in lost for span in marked
    )


def test_of_overlapping_spans_the_first_and_longest_stays():
    offsets = [(0, 1), (2, 3), (4, 5)]
    marked = [CharSpan(2, 5, "late"), CharSpan(0, 1, "short"), CharSpan(0, 3, "long")]
    found, lost = align(offsets, marked)
    assert found == [Span(0, 2, "long")]
    assert [span.label for _, span in lost] == ["short", "late"]


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        (0, 8, [Span(0, 2, "x")]),
        (0, 4, [Span(0, 1, "x")]),  # with the space behind it
        (3, 8, [Span(1, 2, "x")]),  # and before it
        (0, 6, []),
        (1, 8, []),
        (5, 7, []),
        (3, 4, []),
    ],
)
def test_a_span_may_end_in_a_space_and_not_in_a_token(start, end, wanted):
    found, lost = align([(0, 3), (4, 8)], [CharSpan(start, end, "x")])
    assert found == wanted
    assert [reason for reason, _ in lost] == ([] if wanted else ["not on token borders"])


def test_spans_may_touch():
    found, lost = align([(0, 1), (1, 2)], [CharSpan(1, 2, "b"), CharSpan(0, 1, "a")])
    assert found == [Span(0, 1, "a"), Span(1, 2, "b")]
    assert lost == []


def test_spans_that_no_tags_can_spell_are_listed_and_kept_beside_the_text():
    rows = [(4, {"text": "New York", "spans": [[1, 8, "x"], [0, 8, "loc"], [4, 8, "y"]]})]
    found = read_rows(rows, "x")
    assert found.left_out == {
        "not on token borders": ["x line 4: 'ew York' (1-8 x)"],
        "overlapping another": ["x line 4: 'York' (4-8 y)"],
    }
    assert found.sentences[0].tags == ["B-loc", "I-loc"]
    assert len(found.sentences[0].spans) == 3


def test_rows_without_a_token_are_counted():
    rows = [(1, {"text": TEXT, "spans": []}), (2, {"text": " \n", "spans": []}),
            (3, {"text": None, "spans": []})]  # fmt: skip
    found = read_rows(rows, "x")
    assert len(found.sentences) == 1
    assert found.left_out[EMPTY] == ["x line 2", "x line 3"]


def test_half_a_surrogate_pair_keeps_the_places():
    sentence = one(json.loads('{"text": "\\ud83d Ada", "spans": [[2, 5, "p\\ud83d"]]}'))
    assert sentence.tags == ["O", "B-p\ufffd"]
    assert sound("👍\ud800") == "👍\ufffd"


def test_a_giant_text_is_told(monkeypatch):
    monkeypatch.setattr(json_rows, "MAX_TOKENS", 3)
    with pytest.raises(DataError, match="x line 1: more than 3 tokens"):
        one({"text": "a b c d", "spans": []})


# ------------------------------------------------------------------ tokens


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ({"tokens": ["a", "b"], "tags": ["O", "B-x"]}, ()),
        ({"Words": ["a", "b"], "NER": ["O", "B-x"]}, ()),
        ({"text": ["a", "b"], "labels": ["O", "B-x"]}, ()),
        ({"text": "a b", "tokens": ["a", "b"], "ner_tags": ["O", "B-x"]}, ()),
        ({"tokens": ["a", "b"], "pos_tags": ["X", "Y"], "ner_tags": ["O", "B-x"]}, ()),
        ({"tokens": ["q", "r"], "w": ["a", "b"], "tags": ["Y"], "t": ["O", " B-x "]}, ("w", "t")),
    ],
)
def test_lists_of_tokens_under_usual_or_given_names(row, columns):
    sentence = one(row, *columns)
    assert (sentence.tokens, sentence.tags) == (["a", "b"], ["O", "B-x"])


def test_numbers_of_tags_are_texts():
    assert one({"tokens": ["a", 5], "tags": [0, 3]}).tags == ["0", "3"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"tokens": ["a"], "tags": []}, "x line 1: 1 tokens and 0 tags"),
        ({"tokens": ["a", "b"], "tags": ["O", " "]}, "x line 1: token 2 has no tag"),
        ({"tokens": ["a", None], "tags": ["O", "O"]}, "x line 1: item 2 of 'tokens' is 'None'"),
        ({"tokens": ["a"], "tags": [0.5]}, "x line 1: item 1 of 'tags' is '0.5'"),
        (
            {"tokens": ["a"], "mood": "x"},
            "x: no tag column found; name it with --tag-column; .*mood",
        ),
        ({"tokens": ["a"], "tags": "O"}, "x: no tag column found"),
        ({"mood": "x"}, "x: no token column found; name it with --token-column; there are: mood"),
        ({"text": "a b", "tags": ["O"]}, "x line 1: 'text' has 2 words, 'tags' 1 tag; give each"),
    ],
)
def test_bad_rows_of_tokens(row, said):
    with pytest.raises(DataError, match=said):
        one(row)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (("toks", ""), r"no column 'toks' \(did you mean 'tokens'\?\)"),
        (("", "tgs"), r"no column 'tgs' \(did you mean 'tags'\?\)"),
        (("id", ""), "'id' holds neither texts nor lists"),
        (("", "text"), "'text' holds no lists of tags, as 'tokens' needs"),
        (("text", "tags"), "'tags' holds no lists of spans, as 'text' needs"),
        (("tokens", "tokens"), "'tokens' holds no lists of tags"),
    ],
)
def test_named_columns_that_do_not_fit(columns, said):
    row = {"id": 3, "text": "a", "tokens": ["a"], "tags": ["O"]}
    with pytest.raises(DataError, match=f"x: .*{said}"):
        one(row, *columns)


@pytest.mark.parametrize("row", [{"text": "a b"}, {"tokens": ["a", "b"]}])
def test_rows_to_tag_may_lack_tags(row):
    sentence = one(row, tagged=False)
    assert sentence.tokens == ["a", "b"]
    assert sentence.tags == []
