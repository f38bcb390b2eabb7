"""What a person sees of a tagger: marks, colours, tables, and nothing that steers a terminal."""

import io

import pytest
from rich.console import Console

from birnn.terminal.views import tagging

RECORD = {
    "text": "Ada\u00a0S met\x1b[2J 👩‍👩‍👧 in Rome",
    "tokens": [
        {"start": 0, "end": 3, "tag": "B-per", "confidence": 0.9},
        {"start": 4, "end": 5, "tag": "I-per", "confidence": 0.8},
        {"start": 6, "end": 9, "tag": "O", "confidence": 0.7},
    ],
    "spans": [
        {"start": 0, "end": 5, "label": "per", "confidence": 0.912},
        {"start": 23, "end": 27, "label": "loc", "confidence": 0.5},
    ],
}
ROW = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "support": 1234}
DETAILS = {
    "scheme": "iob2",
    "span_mode": "conlleval",
    "tags": [{"label": "B-per", **ROW}],
    "types": [{"label": "per", **ROW}],
    "errors": {
        "gold": {"correct": 3, "missed": 2, "wrong_type": 1, "wrong_border": 0,
                 "wrong_border_and_type": 0},
        "predicted": {"correct": 3, "spurious": 4, "wrong_type": 1, "wrong_border": 0,
                      "wrong_border_and_type": 0},
    },
    "confusions": [{"gold": "per", "predicted": "O", "count": 7}],
    "mistakes": [
        {"kind": "wrong_border", "confidence": 0.97, "gold": "a long name of a thing (per)",
         "predicted": "name (per)", "text": "so here stands a long name of a thing " * 5},
    ],
}  # fmt: skip


def drawn(renderable: object, width: int = 80, *, color: bool = False) -> str:
    stream = io.StringIO()
    kind = "truecolor" if color else None
    Console(file=stream, width=width, force_terminal=color, color_system=kind).print(renderable)
    return stream.getvalue()


def test_spans_are_bracketed_with_type_and_confidence():
    colors = tagging.label_colors(["loc", "per"])
    text = drawn(tagging.render_tagged(RECORD, colors))
    assert text.startswith("[Ada\u00a0S per 91 %] met")
    assert "[Rome loc 50 %]" in text
    assert "\x1b" not in text
    assert colors["loc"] != colors["per"]
    assert "\x1b[" in drawn(tagging.render_tagged(RECORD, colors), color=True)


def test_raw_tags_stand_behind_their_tokens():
    raw = {key: value for key, value in RECORD.items() if key != "spans"}
    text = drawn(tagging.render_tagged(raw, {}))
    assert text.startswith("Ada/B-per\u00a0S/I-per met/O")


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("plain", [True, False])
def test_tables_fit_their_width(width, plain):
    text = drawn(tagging.render_details(DETAILS, width, plain=plain), width)
    assert max(map(len, text.splitlines())) <= width
    for words in ("conlleval mode", "By span type", "33.3", "1,234", "missed", "spurious",
                  "wrong border and type", "Most frequent confusions", "97"):  # fmt: skip
        assert words in text


def test_raw_tags_have_a_table_of_tags_and_none_of_spans():
    details = {"scheme": "raw", "span_mode": "conlleval", "tags": DETAILS["tags"]}
    text = drawn(tagging.render_details(details, 80, plain=True))
    assert "By tag" in text
    assert "Spans" not in text


def test_alternatives_are_numbered_with_their_probability():
    record = {
        **RECORD,
        "n_best": [
            {"probability": 0.6, "tags": [], "spans": RECORD["spans"][:1]},
            {"probability": 0.1, "tags": [], "spans": []},
        ],
    }
    lines = drawn(tagging.render_alternatives(record)).splitlines()
    assert lines == ["  1.  60.0 %  [Ada\u00a0S per]", "  2.  10.0 %  no span"]
    raw = {**RECORD, "n_best": [{"probability": 1.0, "tags": ["A", "B"]}]}
    assert "A B" in drawn(tagging.render_alternatives(raw))
