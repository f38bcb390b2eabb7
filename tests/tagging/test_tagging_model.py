"""The committee of chains: averaged, sharpened and biased, against enumeration of sequences."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import Tensor, nn

from birnn.data.tags.schemes import legal, violations
from birnn.nn.batch import Batch
from birnn.nn.chain import Allowed, Potentials
from birnn.nn.crf import CRF, marginals, path_confidence
from birnn.nn.encoders import Encoded
from birnn.tasks.tagging.model import (
    Emissions,
    LegalChain,
    TaggingHead,
    TaggingModel,
    TaggingOutputs,
    best_tags,
    fit_sharpness,
)

LABELS = ["O", "B-X", "I-X", "E-X", "S-X"]


def allowed() -> Allowed:
    rules = legal(LABELS, "iobes")._asdict()
    return Allowed(**{name: torch.from_numpy(part) for name, part in rules.items()})


class Fixed(nn.Module):
    """A network that always says the same."""

    def __init__(self, seed: int, scale: float = 2.0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.scores = scale * torch.randn(3, 4, len(LABELS), generator=generator)
        torch.manual_seed(seed)
        self.chain = CRF(len(LABELS), allowed())

    def forward(self, batch: Batch) -> Emissions:
        """Scores and chain."""
        return Emissions(self.scores, self.chain.potentials())


def model(*seeds: int) -> TaggingModel:
    members = [Fixed(seed) for seed in seeds]
    return TaggingModel(
        members, None, torch.tensor([label[:2] in ("B-", "S-") for label in LABELS])
    )


BATCH = Batch({}, torch.tensor([4, 2, 1]))


def log_shares(scores: Tensor, chain: Potentials, length: int) -> dict[tuple[int, ...], float]:
    """The log-probability of every sequence, by enumeration."""
    emissions = scores[:length].double().numpy()
    moves, start, end = (part.detach().double().numpy() for part in chain)
    totals = {}
    for path in itertools.product(range(len(LABELS)), repeat=length):
        total = start[path[0]] + end[path[-1]] + sum(emissions[t, y] for t, y in enumerate(path))
        totals[path] = total + sum(moves[a, b] for a, b in itertools.pairwise(path))
    log_z = logsumexp(list(totals.values()))
    return {path: total - log_z for path, total in totals.items() if np.isfinite(total)}


def test_a_committee_is_the_normalised_geometric_mean_of_its_members():
    members = [model(1), model(2), model(3)]
    together = model(1, 2, 3)(BATCH)
    for item, length in enumerate(BATCH.lengths.tolist()):
        parts = [log_shares(m(BATCH).scores[item], m(BATCH).chain, length) for m in members]
        mean = {path: np.mean([part[path] for part in parts]) for path in parts[0]}
        log_z = logsumexp(list(mean.values()))
        found = log_shares(together.scores[item], together.chain, length)
        for path, value in mean.items():
            assert found[path] == pytest.approx(value - log_z, abs=1e-5)


def test_sharpness_scales_every_potential():
    plain, sharp = model(1), model(1)
    sharp.log_sharpness.fill_(np.log(2.0))
    one, two = plain(BATCH), sharp(BATCH)
    shares = log_shares(one.scores[0], one.chain, 4)
    doubled = {path: 2 * value for path, value in shares.items()}
    log_z = logsumexp(list(doubled.values()))
    for path, value in log_shares(two.scores[0], two.chain, 4).items():
        assert value == pytest.approx(doubled[path] - log_z, abs=1e-5)
    assert torch.equal(best_tags(one), best_tags(two))


def test_the_fitted_sharpness_has_the_least_loss():
    outputs = model(4)(BATCH)
    gold = best_tags(outputs)
    gold[2, 0] = 4 - gold[2, 0]  # right twice and wrong once: neither flat nor sharp is best
    found = fit_sharpness([(outputs, gold)])

    def loss(factor: float) -> float:
        chain = Potentials(*(part * factor for part in outputs.chain))
        return -sum(
            log_shares(outputs.scores[i] * factor, chain, n)[tuple(gold[i, :n].tolist())]
            for i, n in enumerate(BATCH.lengths.tolist())
        )

    assert 0.11 < found < 9
    assert loss(found) <= min(loss(factor) for factor in np.geomspace(0.1, 10, 60)) + 1e-3


def test_a_bonus_finds_more_spans_and_stays_legal():
    outputs = model(5, 6)(BATCH)
    openers = torch.tensor([0, 1.0, 0, 0, 1.0])
    counts = []
    for bonus in (0.0, 1.0, 3.0, 1000.0):
        tags = best_tags(outputs._replace(bonus=bonus * openers))
        rows = [row[:n].tolist() for row, n in zip(tags, BATCH.lengths.tolist(), strict=True)]
        assert all(violations([LABELS[i] for i in row], "iobes") == [] for row in rows)
        counts.append(sum(i in (1, 4) for row in rows for i in row))
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == 7  # a span for each token


def test_confidences_know_of_no_bonus():
    subject = model(5)
    subject.span_bonus.fill_(3.0)
    outputs = subject(BATCH)
    tags = best_tags(outputs)
    sure = path_confidence(outputs.scores, tags, outputs.lengths, outputs.chain)
    unary = marginals(outputs.scores, outputs.lengths, outputs.chain).unary
    wanted = unary.gather(2, tags.unsqueeze(-1)).squeeze(-1)
    for row, other, n in zip(sure.marginal, wanted, BATCH.lengths.tolist(), strict=True):
        torch.testing.assert_close(row[:n], other[:n])


def test_a_softmax_tagger_s_chain_prefers_no_legal_move():
    chain = LegalChain(len(LABELS), allowed())
    assert chain.state_dict() == {}
    for scores, legal_moves in zip(chain.potentials(), allowed(), strict=True):
        assert torch.equal(scores == 0, legal_moves)
        assert torch.all(scores[~legal_moves].isneginf())


def test_the_head_scores_each_step():
    head = TaggingHead(6, LegalChain(len(LABELS), allowed()), len(LABELS), 0.0).eval()
    states = torch.randn(2, 3, 6)
    found = head(Encoded(states, states[:, 0]), BATCH)
    wanted = states @ head.linear.weight.t() + head.linear.bias
    torch.testing.assert_close(found.scores, wanted)
    assert isinstance(model(1)(BATCH), TaggingOutputs)
