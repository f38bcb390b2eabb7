"""Tagged sentences: how they are laid out, what is counted, and which of them are held."""

import json
import shutil
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.errors import CheckpointError
from birnn.tasks.reporting.inputs import read_run_files
from birnn.tasks.reporting.sentences import WIDTH, WORDS, Cluster, Mark, laid_out
from birnn.tasks.tagging import report_sections
from birnn.tasks.tagging.report_sections import kept_scores, read_test, tagging_sections

words = st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=2 * WORDS // 3)


@st.composite
def marked(draw, count):
    """Marks of one side: apart from each other, in order."""
    borders = sorted(draw(st.sets(st.integers(0, count), max_size=8)))
    return [Mark(a, b, draw(st.sampled_from("xy"))) for a, b in pairwise(borders)]


@given(st.data(), words)
def test_every_word_stands_once_under_its_marks(data, words):
    gold, predicted = (data.draw(marked(len(words))) for _ in range(2))
    parts = laid_out(words, gold, predicted)
    spelled = list(
        chain.from_iterable(
            part.split(" ") if isinstance(part, str) else part.words for part in parts
        )
    )
    assert spelled == (words if len(words) <= WORDS else [*words[:WORDS], "…"])
    at, found = 0, ({}, {})
    for part in parts:
        if isinstance(part, Cluster):
            assert len(part.words) == 1 or len(" ".join(part.words)) <= WIDTH
            for side, own in zip(found, (part.gold, part.predicted), strict=True):
                for mark in own:
                    covered = side.setdefault(at + mark.start if not mark.before else max(side), [])
                    covered += [(at + k, mark.label) for k in range(mark.start, mark.end)]
        at += len(part.split(" ") if isinstance(part, str) else part.words)
    for side, own in zip(found, (gold, predicted), strict=True):
        assert side == {
            m.start: [(k, m.label) for k in range(m.start, m.end)] for m in own if m.end <= WORDS
        }


def sections(run):
    config = json.loads((run / "config.json").read_text())
    return read_run_files(run, config)


@pytest.mark.parametrize("variant", ["spans", "raw"])
def test_the_table_counts_what_the_sentences_have(finished, variant):
    files = sections(finished("tagging", variant))
    block = tagging_sections(files)[1].blocks[0]
    rows = list(block.table.rows)
    column = [c.name for c in block.table.columns].index("sentences")
    for number, row in enumerate(rows[:-1]):
        held = sum(number in sentence.faults for sentence in block.sentences)
        assert int(row[column].replace(",", "")) == held
    right = sum(not sentence.faults for sentence in block.sentences)
    assert int(rows[-1][column].replace(",", "")) == right
    assert len(block.sentences) == block.total == files.metrics["data"]["rows"]["test"]


def test_errors_come_first_and_some_room_is_left(finished, monkeypatch):
    files = sections(finished("tagging", "spans"))
    monkeypatch.setattr(report_sections, "MOST", 3)
    (block,) = tagging_sections(files)[1].blocks
    assert len(block.sentences) == 3
    assert block.total > 3
    assert "3 of the" in block.caption
    faulty = [bool(sentence.faults) for sentence in block.sentences]
    assert faulty == sorted(faulty, reverse=True)


def test_certainty_of_spans_is_the_chain_s_own(finished, tmp_path):
    run = finished("tagging", "spans")
    assert read_test(sections(run)).exact
    shutil.copytree(run, tmp_path / "run")
    extras = json.loads((run / "report.json").read_text())
    extras["span_confidence"] = [[0.5] * 40 for _ in extras["span_confidence"]]
    (tmp_path / "run" / "report.json").write_text(json.dumps(extras))
    with pytest.raises(CheckpointError, match="another test split"):
        read_test(sections(tmp_path / "run"))
    (tmp_path / "run" / "report.json").unlink()
    assert not read_test(sections(tmp_path / "run")).exact


def test_scores_of_kept_spans():
    import numpy as np

    sure, right = np.array([0.9, 0.8, 0.4]), np.array([True, False, True])
    assert kept_scores(sure, right, 4, 0.0) == (2 / 3, 2 / 4, 4 / 7)
    assert kept_scores(sure, right, 4, 0.85) == (1.0, 1 / 4, 2 / 5)
    assert kept_scores(sure, right, 4, 0.95) == (None, 0.0, 0.0)
    assert kept_scores(sure, right, 0, 0.95) == (None, None, None)
