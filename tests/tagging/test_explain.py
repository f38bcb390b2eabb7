"""Which words moved a tag or a span: complete, in place, and of the confidence that is shown."""

import numpy as np
import pytest

import birnn
from birnn.errors import ConfigError

import contract
from places import RUNS

TEXTS = ["Ada saw the house", "", "the  house\nand Bo", "Bo Ada Cy"]


@pytest.fixture(scope="module")
def run():
    return birnn.load(sorted(RUNS.glob("*-tagging"))[-1])


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("raw")
    contract.tiny("tagging").write_parts_of_speech(folder / "words.txt")
    from birnn import cli

    options = ["--epochs", "3", "--hidden-size", "8", "--members", "1", "--vectors", "none"]
    out = folder / "run"
    assert cli.main(["tagging", str(folder / "words.txt"), "--out", str(out), *options]) == 0
    return birnn.load(out)


def test_each_predicted_span_has_its_confidence_explained(run):
    records = run.predict_records(TEXTS)
    wanted = [(r["text"], s["start"], s["end"], s["label"], s["confidence"])
              for r in records for s in r["spans"]]  # fmt: skip
    found = run.explain(TEXTS)
    assert wanted
    assert [(o.text, o.start, o.end, o.target) for o in found] == [row[:4] for row in wanted]
    for one, (*_, sure) in zip(found, wanted, strict=True):
        assert one.probability == pytest.approx(sure, abs=1e-5)
        assert one.value == pytest.approx(np.log(sure) - np.log1p(-sure), rel=1e-3, abs=1e-3)
        for cause in one.causes:
            assert one.text[cause.start : cause.end] == cause.name


def test_a_token_is_named_by_its_number_or_its_word(run):
    (one,), (same,) = (run.explain(TEXTS[0], token=name) for name in ("4", "house"))
    assert one == same
    assert (one.start, one.end) == (12, 17)
    shares = run.predict_proba([["Ada", "saw", "the", "house"]])[0][3]
    kinds = [label[2:] for label in run.labels]
    wanted = sum(s for s, kind in zip(shares, kinds, strict=True)
                 if kind == ("" if one.target == "O" else one.target))  # fmt: skip
    assert one.probability == pytest.approx(wanted, abs=1e-5)


def test_of_a_token_another_type_can_be_asked_for(run):
    (inside,), (outside,) = (run.explain(TEXTS[0], token="1", label=k) for k in ("per", "O"))
    assert inside.value == pytest.approx(-outside.value, abs=1e-4)
    for here, there in zip(inside.causes, outside.causes, strict=True):
        assert here.weight == pytest.approx(-there.weight, abs=1e-3)


def test_lists_of_tokens_have_no_text(run):
    for one in run.explain([["Ada", "saw"], [], ["Bo"]], token="1"):
        assert one.text is None
        assert one.start is None


def test_raw_tags_are_explained_token_by_token(raw):
    found = raw.explain("the film was")
    assert [(o.start, o.end) for o in found] == [(0, 3), (4, 8), (9, 12)]
    tags = [tag for _, tag in raw.predict("the film was")]
    assert [one.target for one in found] == tags
    shares = raw.predict_proba([["the", "film", "was"]])[0].max(1)
    assert [one.probability for one in found] == pytest.approx(list(shares), abs=1e-5)


@pytest.mark.parametrize(("options", "words"), [
    ({"token": "nope"}, "token: the text has no 'nope'; its tokens are: 1 Ada, 2 saw"),
    ({"token": "0"}, "token: the text has no '0'"),
    ({"label": "nope"}, "class: this run has no 'nope'.*; there are: per"),
    ({"step": 1}, "step: a run of tagging has no such choice; it has: class, token"),
])  # fmt: skip
def test_what_is_not_there_is_one_line(run, options, words):
    with pytest.raises(ConfigError, match=words):
        run.explain(TEXTS[0], **options)
