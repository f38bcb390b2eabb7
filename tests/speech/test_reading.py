"""CTC read greedily, by beam and by alignment, against every path there is."""

from itertools import groupby, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.nn.audio.beam import aligned, prefix_beam
from birnn.nn.audio.ctc import Outputs, ctc_losses, greedy, steps_needed


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    """The text of a path: repeats joined, blanks left out."""
    return tuple(symbol for symbol, _ in groupby(path) if symbol)


def every_text(scores: np.ndarray) -> dict[tuple[int, ...], float]:
    """The share of each text, summed over all paths."""
    shares: dict[tuple[int, ...], float] = {}
    for path in product(range(scores.shape[1]), repeat=len(scores)):
        share = float(np.exp(sum(scores[t, k] for t, k in enumerate(path))))
        shares[collapsed(path)] = shares.get(collapsed(path), 0.0) + share
    return shares


def drawn(seed: int, steps: int, symbols: int) -> np.ndarray:
    """``[T, K]`` logarithms of shares."""
    logits = torch.randn(steps, symbols, generator=torch.Generator().manual_seed(seed)) * 1.5
    return logits.log_softmax(-1).numpy()


@given(st.integers(0, 999), st.integers(1, 5), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_a_wide_beam_sums_every_path(seed: int, steps: int, symbols: int) -> None:
    scores = drawn(seed, steps, symbols)
    wanted = every_text(scores)
    found = prefix_beam(scores, 10_000)
    assert {one.symbols for one in found} == set(wanted)
    for one in found:
        assert np.exp(one.likelihood) == pytest.approx(wanted[one.symbols], rel=1e-4)
    best = max(wanted, key=lambda text: wanted[text])
    assert wanted[found[0].symbols] == pytest.approx(wanted[best], rel=1e-4)


@given(st.integers(0, 999), st.integers(2, 5), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_an_alignment_is_the_best_path_of_its_text(seed: int, steps: int, symbols: int) -> None:
    scores = drawn(seed, steps, symbols)
    paths: dict[tuple[int, ...], tuple[float, tuple[int, ...]]] = {}
    for path in product(range(symbols), repeat=steps):
        share = float(sum(scores[t, k] for t, k in enumerate(path)))
        paths[collapsed(path)] = max(paths.get(collapsed(path), (-np.inf, ())), (share, path))
    for text, (share, _) in paths.items():
        rows = aligned(scores, text)
        assert tuple(int(row[0]) for row in rows) == text
        path = np.zeros(steps, dtype=int)
        for symbol, start, end, _ in rows:
            path[int(start) : int(end)] = int(symbol)
        assert collapsed(tuple(path)) == text
        assert scores[np.arange(steps), path].sum() == pytest.approx(share, rel=1e-4)


def test_greedy_joins_repeats_and_leaves_blanks_out() -> None:
    path = [0, 2, 2, 0, 2, 1, 1, 1, 0]
    scores = np.full((len(path), 3), np.log(0.1))
    scores[np.arange(len(path)), path] = np.log([0.8] * 5 + [0.6, 0.7, 0.6, 0.8])
    rows = greedy(scores)
    assert rows[:, :3].tolist() == [[2, 1, 3], [2, 4, 5], [1, 5, 8]]
    np.testing.assert_allclose(rows[:, 3], [0.8, 0.8, 0.7], rtol=1e-5)
    assert greedy(scores[:1]).shape == (0, 4)


def test_a_language_model_and_a_bonus_change_the_order() -> None:
    scores = np.log(np.array([[0.1, 0.5, 0.4]]))
    assert prefix_beam(scores, 5)[0].symbols == (1,)
    liked = prefix_beam(scores, 5, lambda _, symbol: 0.0 if symbol in (2, None) else -5.0)
    assert liked[0].symbols == (2,)
    assert prefix_beam(scores, 5, lambda _, symbol: -9.0, weight=1.0, bonus=9.0)[0].symbols == (1,)


def test_the_loss_of_a_text_is_that_of_all_its_paths() -> None:
    scores = drawn(1, 4, 3)
    wanted = every_text(scores)
    outputs = Outputs(torch.from_numpy(scores)[None], torch.tensor([4]))
    for text in [(1,), (1, 2), (2, 2)]:
        loss = ctc_losses(outputs, torch.tensor([text]), torch.tensor([len(text)]))
        assert float(loss) == pytest.approx(-np.log(wanted[text]), rel=1e-4)


def test_a_text_of_equal_neighbours_takes_more_steps() -> None:
    assert steps_needed(np.array([1, 1, 1])) == 5
    scores = drawn(0, 4, 2)
    outputs = Outputs(torch.from_numpy(scores)[None], torch.tensor([4]))
    assert float(ctc_losses(outputs, torch.tensor([[1, 1, 1]]), torch.tensor([3]))) == 0.0
