"""BLEU and chrF of summed counts against sacrebleu's own corpus scores."""

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.tasks.translate.baselines import consensus
from birnn.tasks.translate.metrics import (
    bleu,
    bleu_counts,
    chrf,
    chrf_counts,
    evaluate_translations,
    signatures,
)
from birnn.tasks.translate.translating import Translations

WORDS = ("a", "b", "c,", ".", "Hund", "läuft", "日本")
text = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
pairs = st.lists(st.tuples(text, text.filter(bool)), min_size=1, max_size=5)


@settings(max_examples=150, deadline=None)
@given(pairs)
def test_scores_are_those_of_sacrebleu(rows: list[tuple[str, str]]) -> None:
    said, wanted = [a for a, _ in rows], [b for _, b in rows]
    found = float(bleu(bleu_counts(said, wanted, "13a").sum(0)))
    assert found == pytest.approx(sacrebleu.corpus_bleu(said, [wanted]).score, abs=1e-9)
    found = float(chrf(chrf_counts(said, wanted).sum(0)))
    assert found == pytest.approx(sacrebleu.corpus_chrf(said, [wanted]).score, abs=1e-9)


def test_perfect_and_hopeless_translations() -> None:
    wanted = [f"ein Satz mit vielen Wörtern {n}" for n in range(9)]
    assert evaluate_translations(wanted, wanted, "13a", 0).scores == pytest.approx(
        {"bleu": 100.0, "chrf": 100.0}
    )
    assert evaluate_translations([""] * 9, wanted, "13a", 0).scores == {"bleu": 0.0, "chrf": 0.0}


def test_signatures_name_the_version() -> None:
    assert f"version:{sacrebleu.__version__}" in signatures("13a")["bleu"]


def test_a_consensus_is_what_most_models_say() -> None:
    models = [Translations([said], [sure]) for said, sure in
              (("ein Hund", -2.0), ("eine Katze", -0.1), ("ein Hund", -3.0))]  # fmt: skip
    assert consensus(models) == Translations(["ein Hund"], [-2.0])
    assert consensus(models[:2]).texts == ["eine Katze"]  # equals: the surer one
