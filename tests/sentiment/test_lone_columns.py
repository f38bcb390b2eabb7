"""A file of texts alone, to predict: no text is lost, whether a line names the column or not."""

import json
from pathlib import Path

import pytest

TEXTS = ["a warm film no 1", "the book was dull and slow", "great acting by all of them"]


def answers(birnn, run, path: Path, *options: str):
    told = birnn("predict", run, "--input", path, "--json", *options)
    assert told.code == 0, told.err
    return [json.loads(line)["text"] for line in told.out.splitlines()], told.err


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        (TEXTS, TEXTS),
        (["text", *TEXTS], TEXTS),
        (["Text ", *TEXTS], TEXTS),
        (["review", *TEXTS], TEXTS),
        (["Great", "Bad", "So so"], ["Great", "Bad", "So so"]),
        (TEXTS[:1], TEXTS[:1]),
        (['"warm, and bright"', *TEXTS], ["warm, and bright", *TEXTS]),
    ],
)
def test_the_first_text_is_answered(birnn, trained, tmp_path, lines, texts):
    path = tmp_path / "x.csv"
    path.write_text("\n".join(lines) + "\n")
    assert answers(birnn, trained, path)[0] == texts


def test_which_it_is_can_be_said(birnn, trained, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("\n".join(TEXTS) + "\n")
    found, err = answers(birnn, trained, path)
    assert found == TEXTS
    assert "line 1 is taken as a row" in err
    assert "--header says otherwise" in err
    assert answers(birnn, trained, path, "--header")[0] == TEXTS[1:]
    path.write_text("\n".join(["Kommentar", *TEXTS]) + "\n")
    found, err = answers(birnn, trained, path)
    assert found == TEXTS
    assert "--no-header says otherwise" in err
    assert answers(birnn, trained, path, "--no-header")[0] == ["Kommentar", *TEXTS]


@pytest.mark.parametrize(
    "lines",
    [
        ["I loved it, really", "It was bad", "dull, slow, and long"],
        ["I loved it, really", "It was bad, truly"],
    ],
)
def test_sentences_are_not_cut_at_their_commas(birnn, trained, tmp_path, lines):
    path = tmp_path / "x.csv"
    path.write_text("\n".join(lines) + "\n")
    line = birnn("predict", trained, "--input", path).refusal()
    assert "--delimiter tab" in line
    assert answers(birnn, trained, path, "--delimiter", "tab")[0] == lines
