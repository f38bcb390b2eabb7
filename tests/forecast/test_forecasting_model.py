"""The forecaster: quantiles in order, heads of every horizon, mixing, and what each input moves."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from birnn.config import EncoderConfig
from birnn.data.series.windows import WindowShape, WindowSplit, fit_scaling, windows_between
from birnn.nn.batch import Batch
from birnn.nn.encoders import BiGRU
from birnn.nn.levels import NORMALISE
from birnn.nn.model import SequenceModel
from birnn.tasks.forecast.model import (
    DECODERS,
    AheadLayer,
    ForecastModel,
    InputSizes,
    SegmentEmbedder,
    monotone,
)
from birnn.tasks.forecast.ridge import predict_ridge

from forecast_cases import NAN, make_panel, noise
from strategies import quick, randomise

ROWS = (30, 9, 14)


def split_of(lookback=10, horizon=5, segment=4, seed=0, gaps=0.2):
    """Windows with gaps, short histories, and every kind of covariate."""
    generator = np.random.default_rng(seed)
    rows = [np.cumsum(generator.normal(size=size)) * 10 + 5 for size in ROWS]
    for row in rows:
        row[generator.random(len(row)) < gaps] = NAN
    panel = make_panel(*rows)
    panel = replace(
        panel, past=noise(1, sum(ROWS), 1), future=noise(2, sum(ROWS), 2),
        static=noise(3, len(ROWS), 2),
    )  # fmt: skip
    series, origin = windows_between(panel, np.zeros(3, int), panel.ends, horizon)
    return WindowSplit(
        panel, WindowShape(lookback, horizon, segment), fit_scaling(panel, panel.ends), series,
        origin, np.array([1, 2, 0]),
    )  # fmt: skip


SPLIT = split_of()
EVERY = np.arange(len(SPLIT))
SIZES = InputSizes(4, covariates=3, ahead=2, static=2, series=2, masked=True, season=3)


def network(
    decoder="direct", horizon=5, quantiles=3, sizes=SIZES, normalise="last", seed=0, series_size=3
):
    embedder = SegmentEmbedder(sizes, 6, series_size, normalise, 0.1)
    encoder = BiGRU(6, EncoderConfig(hidden_size=4))
    head = DECODERS[decoder](encoder.output_size, horizon, quantiles, sizes, normalise, 0.1)
    return randomise(SequenceModel(embedder, encoder, head), seed).eval()


def model(*seeds, quantiles=3, split=SPLIT, sizes=SIZES):
    members = [
        network(horizon=split.horizon, quantiles=quantiles, seed=seed, sizes=sizes)
        for seed in seeds
    ]
    found = ForecastModel(members, split.lookback, split.horizon, 1, 1)
    found.linear_weight.copy_(torch.from_numpy(noise(5, split.horizon, split.lookback) / 3))
    found.linear_bias.copy_(torch.from_numpy(noise(6, split.horizon)))
    return found.eval()


def changed(batch, **inputs):
    return replace(batch, inputs={**batch.inputs, **inputs})


quantile_rows = st.integers(0, 4).flatmap(
    lambda half: st.lists(
        st.lists(
            st.floats(-1e4, 1e4, width=32), min_size=2 * half + 1, max_size=2 * half + 1
        ),
        min_size=1, max_size=3,
    )
)  # fmt: skip


@quick
@given(rows=quantile_rows)
def test_quantiles_ascend_and_keep_their_middle(rows):
    steps = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    found = monotone(steps)
    middle = steps.shape[-1] // 2
    assert found.shape == steps.shape
    assert torch.equal(found[..., middle], steps[..., middle])
    assert (found.diff(dim=-1) >= 0).all()
    (gradient,) = torch.autograd.grad(found.square().sum(), steps)
    assert gradient.isfinite().all()


@quick
@given(seed=st.integers(0, 99), half=st.integers(0, 4))
def test_distances_between_quantiles_are_softplus_of_the_steps(seed, half):
    steps = torch.from_numpy(noise(seed, 2, 3, 2 * half + 1))
    found, spread = monotone(steps), np.log1p(np.exp(steps.numpy()))
    for q in range(2 * half + 1):
        inner = slice(q, half) if q <= half else slice(half + 1, q + 1)
        away = spread[..., inner].sum(-1) * (1 if q > half else -1)
        np.testing.assert_allclose(found[..., q], steps[..., half].numpy() + away, atol=1e-12)


@pytest.mark.parametrize("horizon", [1, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("quantiles", [1, 3])
@pytest.mark.parametrize("decoder", DECODERS)
def test_heads_give_every_step_of_any_horizon(decoder, quantiles, horizon):
    split = split_of(horizon=horizon)
    batch = split.batch(np.arange(len(split)))
    found = network(decoder, horizon, quantiles)(batch)
    assert found.shape == (len(split), horizon, quantiles)
    assert found.isfinite().all()
    assert (found.diff(dim=-1) >= 0).all()


@pytest.mark.parametrize("normalise", NORMALISE)
@pytest.mark.parametrize("decoder", DECODERS)
def test_a_window_is_forecast_alike_in_any_company(decoder, normalise):
    net = network(decoder, normalise=normalise)
    with torch.no_grad():
        together = net(SPLIT.batch(EVERY))
        backwards = net(SPLIT.batch(EVERY[::-1]))
        for i in EVERY[:: len(EVERY) // 8]:
            alone = net(SPLIT.batch(np.array([i])))
            torch.testing.assert_close(alone[0], together[i], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(backwards.flip(0), together, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("junk", [NAN, 1e30])
def test_what_stands_in_gaps_and_padding_does_not_matter(junk):
    batch = SPLIT.batch(EVERY)
    size = batch.inputs["segments"].shape[1]
    padding = (torch.arange(size) >= batch.lengths[:, None])[..., None]
    dirty = changed(
        batch,
        segments=batch.inputs["segments"].masked_fill(batch.inputs["observed"] == 0, junk),
        observed=batch.inputs["observed"].masked_fill(padding, 1.0),
        covariates=batch.inputs["covariates"].masked_fill(padding[..., None], junk),
    )
    found = model(0, 1)
    with torch.no_grad():
        for clean, other in zip(found(batch), found(dirty), strict=True):
            assert torch.equal(clean, other)


def moved(batch, by, times):
    values = torch.where(batch.inputs["observed"] > 0, batch.inputs["segments"] * times + by, 0.0)
    return changed(batch, segments=values)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("normalise", ["last", "season", "mean"])
def test_a_shifted_window_has_a_shifted_forecast(decoder, normalise):
    net, batch = network(decoder, normalise=normalise), SPLIT.batch(EVERY)
    seen = batch.inputs["observed"].flatten(1).any(1)  # a level needs a value
    with torch.no_grad():
        found, wanted = net(moved(batch, 2.0, 1.0)), net(batch) + 2.0
    torch.testing.assert_close(found[seen], wanted[seen], rtol=1e-4, atol=1e-4)


def test_the_linear_map_is_that_of_the_ridge_regression():
    for seed, (lookback, segment) in enumerate([(10, 4), (8, 4), (7, 1), (3, 5), (12, 12)]):
        split = split_of(lookback, 5, segment, seed, gaps=0.3)
        indices = np.arange(len(split))
        histories = split.scaled(split.histories(indices), indices)
        indices = indices[np.isfinite(histories).any(1)]
        assert len(indices) > 20
        sizes = replace(SIZES, segment=segment)
        found = model(0, split=split, sizes=sizes)
        with torch.no_grad():
            ours = found.linear(split.batch(indices)).numpy()
        weight, bias = found.linear_weight.numpy(), found.linear_bias.numpy()
        wanted = predict_ridge(weight, bias, histories[indices])
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-4)


def test_members_are_averaged():
    found, batch = model(0, 1, 2), SPLIT.batch(EVERY)
    with torch.no_grad():
        outputs = found(batch)
        each = [network(seed=seed)(batch) for seed in (0, 1, 2)]
    torch.testing.assert_close(outputs.members, torch.stack(each))
    torch.testing.assert_close(outputs.recurrent, sum(each) / 3)


@pytest.mark.parametrize("quantiles", [1, 5])
@pytest.mark.parametrize("mix", [0.0, 0.5, 1.0])
def test_the_median_is_mixed_and_the_quantiles_move_along(mix, quantiles):
    found, batch = model(0, 1, quantiles=quantiles), SPLIT.batch(EVERY)
    found.mix.fill_(mix)
    with torch.no_grad():
        outputs = found(batch)
    middle = quantiles // 2
    median = outputs.recurrent[..., middle]
    torch.testing.assert_close(
        outputs.mixed[..., middle], (1 - mix) * median + mix * outputs.linear, rtol=1e-4, atol=1e-4
    )
    torch.testing.assert_close(
        outputs.mixed.diff(dim=-1), outputs.recurrent.diff(dim=-1), rtol=1e-3, atol=1e-4
    )
    if mix == 0:
        assert torch.equal(outputs.mixed, outputs.recurrent)


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("step", [0, 2, 4])
def test_what_is_known_of_a_step_ahead_moves_that_step_alone(decoder, step):
    net, batch = network(decoder), SPLIT.batch(EVERY)
    ahead = batch.inputs["ahead"].clone()
    ahead[:, step] += 3.0
    with torch.no_grad():
        same = (net(changed(batch, ahead=ahead)) == net(batch)).all(0).all(-1)
    assert same.tolist() == [h != step for h in range(5)]


def test_the_ahead_layer_is_its_formula():
    layer = randomise(AheadLayer(4, 2, 3))
    summary, ahead = (
        torch.from_numpy(noise(k, *s)).float() for k, s in ((0, (2, 4)), (1, (2, 5, 2)))
    )
    found = layer(summary, ahead).detach()
    for b in range(2):
        for h in range(5):
            met = layer.state(summary[b]) + layer.known.weight @ ahead[b, h]
            torch.testing.assert_close(found[b, h], layer.out(F.relu(met)).detach())


def test_a_series_that_training_has_not_seen_gets_row_0():
    net, batch = network(), SPLIT.batch(EVERY)
    numbers = batch.inputs["series"]
    assert set(numbers.tolist()) == {0, 1, 2}
    with torch.no_grad():
        before = net(batch)
        net.embedder.series.weight[0] += 1.0
        after = net(batch)
    differs = (before != after).flatten(1).any(1)
    assert torch.equal(differs, numbers == 0)
    assert net.embedder.series.weight.shape == (3, 3)


def test_each_row_of_the_series_vectors_learns_from_its_own_windows():
    net = network()
    batch = SPLIT.batch(EVERY[SPLIT.series == 1])
    net(batch).sum().backward()
    touched = net.embedder.series.weight.grad.any(1)
    assert touched.tolist() == [False, False, True]


@pytest.mark.parametrize("name", ["covariates", "static", "observed"])
def test_every_input_is_read(name):
    net, batch = network(), SPLIT.batch(EVERY)
    other = batch.inputs[name] * 0.5
    with torch.no_grad():
        assert not torch.allclose(net(changed(batch, **{name: other})), net(batch))


def test_a_bare_series_needs_no_more_than_its_values():
    sizes = InputSizes(4)
    net = network(sizes=sizes, series_size=0, quantiles=1)
    batch = SPLIT.batch(EVERY)
    bare = Batch({key: batch.inputs[key] for key in ("segments", "observed")}, batch.lengths)
    assert net.embedder.series is None
    assert net.head.ahead is None
    assert net(bare).shape == (len(SPLIT), 5, 1)


@pytest.mark.parametrize("decoder", DECODERS)
def test_all_parameters_learn(decoder):
    net = network(decoder).train()
    net(SPLIT.batch(EVERY)).square().sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_what_is_fitted_apart_is_saved_and_not_trained():
    found = model(0)
    state = found.state_dict()
    fitted = {"mix", "linear_weight", "linear_bias", "radius", "forecaster"}
    assert fitted <= state.keys()
    assert not fitted & {name for name, _ in found.named_parameters()}
    assert state["radius"].shape == (1, 1, 5)
    assert state["linear_weight"].shape == (5, 10)
