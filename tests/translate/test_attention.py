"""Attention against numpy, and what its prior of the diagonal does before anything is learned."""

import numpy as np
import pytest
import torch

from birnn.nn.batch import sequence_mask
from birnn.nn.seq2seq.attention import KINDS, NEAR, Attention

Q, D, A = 3, 4, 5


def made(kind: str, *, diagonal: bool) -> Attention:
    """An attention whose every weight is a random number."""
    torch.manual_seed(0)
    attention = Attention(Q, D, A, kind, coverage=True, diagonal=diagonal)
    for parameter in attention.parameters():
        torch.nn.init.normal_(parameter)
    return attention


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("diagonal", [True, False])
def test_weights_are_those_of_numpy(kind: str, diagonal: bool) -> None:
    attention = made(kind, diagonal=diagonal)
    query, states, before = torch.randn(2, 6, Q), torch.randn(2, 7, D), torch.rand(2, 6, 7)
    lengths = [7, 4]
    mask, steps = sequence_mask(torch.tensor(lengths), 7), torch.arange(6)
    found = attention(query, attention.key(states), mask, steps, before).numpy()
    own = {name: part.numpy() for name, part in attention.named_parameters()}
    for item, length in enumerate(lengths):
        for u in range(6):
            scores = np.empty(length)
            for t in range(length):
                asked = own["query.weight"] @ query[item, u].numpy()
                key = own["key.weight"] @ states[item, t].numpy()
                if kind == "additive":
                    asked = asked + own["query.bias"]
                    scores[t] = own["score.weight"][0] @ np.tanh(key + asked)
                else:
                    scores[t] = asked @ key / np.sqrt(A)
                scores[t] += own["coverage"] * before[item, u, t].item()
                if diagonal:
                    cost, pace = own["diagonal"]
                    scores[t] -= NEAR * cost * abs(t - u * pace) / length
            shares = np.exp(scores - scores.max())
            np.testing.assert_allclose(found[item, u, :length], shares / shares.sum(), rtol=1e-4)
            assert not found[item, u, length:].any()


@torch.no_grad()
def test_it_begins_along_the_source() -> None:
    attention = Attention(Q, D, A, "multiplicative", coverage=False, diagonal=True)
    torch.nn.init.zeros_(attention.query.weight)
    mask = sequence_mask(torch.tensor([9]), 9)
    weights = attention(torch.randn(1, 9, Q), torch.randn(1, 9, A), mask, torch.arange(9))
    assert weights.argmax(-1).tolist() == [list(range(9))]
