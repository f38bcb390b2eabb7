"""Beam search against all targets there are, against itself in other batches, and its scores."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from birnn.config import EncoderConfig
from birnn.nn.batch import Batch
from birnn.nn.seq2seq import beam as beams
from birnn.nn.seq2seq.beam import Search, penalty, search
from birnn.nn.seq2seq.decoder import DECODERS
from birnn.nn.seq2seq.translator import Translator, TranslatorSizes

KINDS = [
    pytest.param((decoder, encoder, attention, coverage), id=f"{decoder}-{encoder}")
    for (decoder, attention, coverage), encoder in product(
        [("stacked", "multiplicative", True), ("feeding", "additive", True)], ["bigru", "bilstm"]
    )
]
END = 1


def made(kind: tuple[str, str, str, bool], words: int = 5, seed: int = 0) -> Translator:
    """A translator whose every weight is a random number."""
    decoder, encoder, attention, coverage = kind
    sizes = TranslatorSizes(words, words, 4, 6, decoder, attention, coverage, shared=True)
    torch.manual_seed(seed)
    model = Translator(sizes, EncoderConfig(encoder, 3)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return model


def sources(*lengths: int, words: int = 5) -> Batch:
    """Random sources; what is padded is random too."""
    generator = torch.Generator().manual_seed(len(lengths))
    numbers = torch.randint(words, (len(lengths), max(lengths)), generator=generator)
    return Batch({"source": numbers}, torch.tensor(lengths))


@torch.no_grad()
def log_probability(model: Translator, batch: Batch, target: list[int]) -> float:
    """Of one target with its end, by reading it whole."""
    wanted = torch.tensor([[*target, END]])
    inputs = {**batch.inputs, "target": wanted, "target_lengths": torch.tensor([len(wanted[0])])}
    logits = model(replace(batch, inputs=inputs)).logits
    return float(logits.log_softmax(-1).gather(1, wanted.T).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_a_wide_beam_finds_the_best_of_all_targets(kind, monkeypatch) -> None:
    monkeypatch.setattr(beams, "LEAST", 1)
    monkeypatch.setattr(beams, "TIMES", 1)
    model, batch = made(kind, words=4), sources(3, words=4)
    every = [list(t) for n in range(4) for t in product((0, 2, 3), repeat=n)]
    wanted = sorted(
        ((log_probability(model, batch, t) / penalty(len(t) + 1, 0.7), t) for t in every),
        reverse=True,
    )
    with torch.no_grad():
        memory = model.remember(batch)
    (found,) = search(model, memory, batch.lengths, Search(200, 0.7, 0.0, END))
    for one, (score, target) in zip(found[:20], wanted, strict=False):
        assert one.numbers == target
        assert one.score == pytest.approx(score, abs=1e-4)
    assert len(found) == len(every)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", [Search(), Search(4, 1.0, 0.3)], ids=["greedy", "beam"])
def test_a_source_alone_has_the_targets_that_it_has_among_others(kind, how) -> None:
    model, batch = made(kind), sources(7, 1, 4, 2, 9, 3)
    together = search(model, model.remember(batch), batch.lengths, how)
    for row, length in enumerate(batch.lengths.tolist()):
        alone = Batch({"source": batch.inputs["source"][row : row + 1, :length]},
                      batch.lengths[row : row + 1])  # fmt: skip
        (found,) = search(model, model.remember(alone), alone.lengths, how)
        assert [one.numbers for one in found] == [one.numbers for one in together[row]]
        for one, other in zip(found, together[row], strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-5)
            torch.testing.assert_close(one.weights, other.weights[:, :length], rtol=0, atol=1e-5)
            assert other.weights[:, length:].eq(0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_log_probabilities_and_weights_add_up(kind) -> None:
    model, batch = made(kind), sources(5)
    (found,) = search(model, model.remember(batch), batch.lengths, Search(3, 0.0, 0.0, END))
    assert found == sorted(found, key=lambda one: -one.score)
    for one in found:
        wanted = log_probability(model, batch, one.numbers)
        assert one.score == pytest.approx(wanted, abs=1e-4)
        assert len(one.weights) == len(one.numbers) + 1
        torch.testing.assert_close(one.weights.sum(1), torch.ones(len(one.weights)))


def test_every_decoder_is_tried() -> None:
    assert {kind.values[0][0] for kind in KINDS} == {*DECODERS}
