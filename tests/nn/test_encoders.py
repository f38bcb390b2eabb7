"""Encoders against torch's own modules and numpy, and what padding can't do to them."""

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn.config import EncoderConfig
from birnn.errors import ConfigError
from birnn.nn.encoders import (
    BiGRU,
    BiLSTM,
    Encoded,
    Encoder,
    EncoderOptions,
    MaskedBatchNorm,
    build_encoder,
)
from birnn.registry import ENCODERS, resolve

import reference
from strategies import Ragged, encoder_configs, quick, ragged_batches, randomise

TORCH = {"bigru": nn.GRU, "bilstm": nn.LSTM}
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
PRECISIONS = (torch.float32, torch.float64)
GARBAGE = (float("nan"), float("inf"), -1e30)


def make(config: EncoderConfig, ragged: Ragged) -> Encoder:
    encoder = build_encoder(ragged.x.shape[-1], config)
    randomise(encoder)
    return encoder.to(ragged.x.dtype)


def pairs(encoder: Encoder, twin: nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    for cells, suffix in ((encoder.forward_cells, ""), (encoder.backward_cells, "_reverse")):
        for layer, cell in enumerate(cells):
            for part in PARTS:
                yield getattr(cell, part), getattr(twin, f"{part}_l{layer}{suffix}")


def torch_twin(encoder: Encoder, dtype: torch.dtype) -> nn.Module:
    config = encoder.config
    twin = TORCH[config.encoder](
        encoder.input_size,
        config.hidden_size,
        config.layers,
        batch_first=True,
        bidirectional=config.bidirectional,
    ).to(dtype)
    with torch.no_grad():
        for ours, theirs in pairs(encoder, twin):
            theirs.copy_(ours)
    return twin


def run_packed(twin: nn.Module, x: Tensor, lengths: Tensor) -> Encoded:
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, final = twin(packed)
    states, _ = pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])
    hidden = final[0] if isinstance(final, tuple) else final
    directions = 2 if twin.bidirectional else 1
    return Encoded(states, torch.cat(list(hidden[-directions:]), dim=-1))


def probe(encoded: Encoded) -> Tensor:
    """A scalar to which every output counts differently."""
    total = encoded.states.new_zeros(())
    for part in encoded:
        weights = torch.linspace(0.5, 1.5, part.numel(), dtype=part.dtype).reshape(part.shape)
        total = total + (weights * part.sin()).sum()
    return total


def close(ours: Tensor | None, theirs: Tensor | None) -> None:
    assert ours is not None
    assert theirs is not None
    size = 1e-10 if ours.dtype == torch.float64 else 3e-5
    torch.testing.assert_close(ours, theirs, rtol=size, atol=size)


@quick
@given(
    ragged=ragged_batches(PRECISIONS),
    config=encoder_configs(TORCH, ["none"], residual=False),
)
def test_outputs_and_gradients_match_torch_on_packed_sequences(
    ragged: Ragged, config: EncoderConfig
) -> None:
    encoder = make(config, ragged)
    twin = torch_twin(encoder, ragged.x.dtype)
    x, y = (ragged.x.clone().requires_grad_() for _ in range(2))
    ours, theirs = encoder(x, ragged.lengths), run_packed(twin, y, ragged.lengths)
    close(ours.states, theirs.states)
    close(ours.summary, theirs.summary)
    probe(ours).backward()
    probe(theirs).backward()
    close(x.grad, y.grad)
    for own, other in pairs(encoder, twin):
        close(own.grad, other.grad)


@quick
@given(
    ragged=ragged_batches([torch.float64]),
    config=encoder_configs(reference.CELLS, ["none"], residual=False),
)
def test_stacks_match_numpy(ragged: Ragged, config: EncoderConfig) -> None:
    encoder = make(config, ragged)
    ways = [encoder.forward_cells, encoder.backward_cells][: 1 + config.bidirectional]
    layers = [
        [
            reference.Weights(*(getattr(cells[n], p).detach().numpy() for p in PARTS))
            for cells in ways
        ]
        for n in range(config.layers)
    ]
    with torch.no_grad():
        encoded = encoder(ragged.x, ragged.lengths)
    for item, n in enumerate(ragged.lengths.tolist()):
        states, summary = reference.encode(config.encoder, ragged.x[item, :n].numpy(), layers)
        np.testing.assert_allclose(encoded.states[item, :n], states, atol=1e-10)
        np.testing.assert_allclose(encoded.summary[item], summary, atol=1e-10)


@quick
@given(
    ragged=ragged_batches(),
    config=encoder_configs(),
    garbage=st.sampled_from(GARBAGE),
    training=st.booleans(),
)
def test_garbage_in_padding_changes_neither_outputs_nor_gradients(
    ragged: Ragged, config: EncoderConfig, garbage: float, training: bool
) -> None:
    results = []
    for filling in (0.0, garbage):
        encoder = make(config, ragged).train(training)
        x = ragged.x.masked_fill(~ragged.mask.unsqueeze(-1), filling).requires_grad_()
        encoded = encoder(x, ragged.lengths)
        probe(encoded).backward()
        results.append([*encoded, x.grad, *(p.grad for p in encoder.parameters())])
    for clean, dirty in zip(*results, strict=True):
        assert (clean is None) == (dirty is None)
        assert clean is None or torch.equal(clean, dirty)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("norm", ["none", "layer", "batch"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_an_item_alone_is_the_item_in_a_batch(
    encoder: str, norm: str, residual: bool, layers: int
) -> None:
    config = EncoderConfig(encoder, hidden_size=3, layers=layers, norm=norm, residual=residual)
    lengths = torch.tensor([4, 1, 6, 2])
    ragged = Ragged(torch.randn(4, 8, 6, generator=torch.Generator().manual_seed(0)), lengths)
    model = make(config, ragged).eval()
    together = model(*ragged)
    for item, n in enumerate(lengths.tolist()):
        alone = model(ragged.x[item : item + 1, :n], lengths[item : item + 1])
        torch.testing.assert_close(alone.states[0], together.states[item, :n])
        torch.testing.assert_close(alone.summary[0], together.summary[item])


@quick
@given(ragged=ragged_batches(), config=encoder_configs())
def test_states_are_zero_in_padding_and_shaped_by_output_size(
    ragged: Ragged, config: EncoderConfig
) -> None:
    encoder = make(config, ragged)
    encoded = encoder(*ragged)
    assert encoder.output_size == config.hidden_size * (1 + config.bidirectional)
    assert encoded.states.shape == (*ragged.x.shape[:2], encoder.output_size)
    assert encoded.summary.shape == (len(ragged.lengths), encoder.output_size)
    assert torch.all(encoded.states[~ragged.mask] == 0)


@quick
@given(ragged=ragged_batches(), config=encoder_configs())
def test_summary_is_the_final_state_of_each_direction(
    ragged: Ragged, config: EncoderConfig
) -> None:
    encoded = make(config, ragged).eval()(*ragged)
    for states, summary, n in zip(*encoded, ragged.lengths, strict=True):
        parts = [states[n - 1, : config.hidden_size], states[0, config.hidden_size :]]
        assert torch.equal(summary, torch.cat(parts))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_lengths_and_features_that_do_not_fit_are_refused(encoder: str) -> None:
    model = build_encoder(5, EncoderConfig(encoder, hidden_size=2))
    with pytest.raises(ValueError, match=r"1\.\.3, got 0\.\.3"):
        model(torch.zeros(2, 3, 5), torch.tensor([0, 3]))
    with pytest.raises(ValueError, match=r"\(1,\).*\(2, 3, 5\)"):
        model(torch.zeros(2, 3, 5), torch.tensor([3]))
    with pytest.raises(ValueError, match=r"expected 5 features a step, got \(2, 3, 4\)"):
        model(torch.zeros(2, 3, 4), torch.tensor([1, 3]))


def test_an_unknown_encoder_is_a_config_error_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean 'bigru'"):
        build_encoder(2, EncoderConfig("bigur"))


@pytest.mark.parametrize("encoder", ENCODERS)
def test_options_by_name_are_those_of_a_configuration(encoder: str) -> None:
    built = resolve(ENCODERS, encoder, "encoder")
    names = {field.name for field in fields(EncoderConfig)}
    assert names - {"encoder"} == set(EncoderOptions.__annotations__)
    assert built(3).config == EncoderConfig(encoder)
    options: EncoderOptions = {"hidden_size": 2, "layers": 3, "norm": "layer"}
    assert built(3, **options).config == EncoderConfig(encoder, **options)
    one_way = EncoderConfig(hidden_size=4, bidirectional=False)
    assert built(3, one_way, layers=2).config == replace(one_way, encoder=encoder, layers=2)
    torch.manual_seed(0)
    one = built(3, **options).state_dict()
    torch.manual_seed(0)
    two = build_encoder(3, EncoderConfig(encoder, **options)).state_dict()
    assert list(one) == list(two)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_options_that_are_not_there_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"BiGRU: unknown option 'hiden'.*'hidden_size'"):
        BiGRU(3, hiden=4)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="BiLSTM: unknown option 'encoder'"):
        BiLSTM(3, encoder="bigru")  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match="options have names, as in hidden_size=128"):
        BiGRU(3, 128)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="layers: must be at least 1, got 0"):
        BiGRU(3, layers=0)


@quick
@given(ragged_batches(PRECISIONS))
def test_batch_norm_is_that_of_the_real_positions_joined(ragged: Ragged) -> None:
    ours, theirs = MaskedBatchNorm(ragged.x.shape[-1]), nn.BatchNorm1d(ragged.x.shape[-1])
    for norm in (ours.norm, theirs):
        randomise(norm).to(ragged.x.dtype)
    real = torch.cat([x[:n] for x, n in zip(ragged.x, ragged.lengths, strict=True)])
    if len(real) == 1:
        theirs.eval()
    wanted = theirs(real)
    found = ours(ragged.x, ragged.mask)
    close(found[ragged.mask], wanted)
    assert torch.all(found[~ragged.mask] == 0)
    close(ours.norm.running_mean, theirs.running_mean)
    close(ours.norm.running_var, theirs.running_var)


def test_batch_norm_of_a_single_position_trains_on_running_statistics() -> None:
    norm = MaskedBatchNorm(2)
    x, mask = torch.tensor([[[3.0, -1.0], [9.0, 9.0]]]), torch.tensor([[True, False]])
    trained = norm(x, mask)
    assert torch.equal(trained, norm.eval()(x, mask))
    assert torch.equal(norm.norm.running_mean, torch.zeros(2))


def without_recurrence(config: EncoderConfig, features: int) -> Encoder:
    encoder = build_encoder(features, config)
    for parameter in encoder.parameters():
        nn.init.zeros_(parameter)
    return encoder


@pytest.mark.parametrize("encoder", TORCH)
@pytest.mark.parametrize("layers", [1, 2])
def test_residual_adds_the_input_where_sizes_agree(encoder: str, layers: int) -> None:
    config = EncoderConfig(encoder, hidden_size=2, layers=layers, residual=True)
    x = torch.randn(1, 3, 4)
    states, _ = without_recurrence(config, 4)(x, torch.tensor([3]))
    assert torch.equal(states, x)


@pytest.mark.parametrize("encoder", TORCH)
def test_residual_is_left_out_where_sizes_differ(encoder: str) -> None:
    config = EncoderConfig(encoder, hidden_size=2, residual=True)
    states, _ = without_recurrence(config, 5)(torch.randn(1, 3, 5), torch.tensor([3]))
    assert torch.equal(states, torch.zeros(1, 3, 4))


@pytest.mark.parametrize("encoder", TORCH)
def test_without_residual_nothing_is_added(encoder: str) -> None:
    config = EncoderConfig(encoder, hidden_size=2)
    states, _ = without_recurrence(config, 4)(torch.randn(1, 3, 4), torch.tensor([3]))
    assert torch.equal(states, torch.zeros(1, 3, 4))


def cells_of(encoder: str) -> list[nn.Module]:
    model = build_encoder(3, EncoderConfig(encoder, hidden_size=5, layers=2))
    return [*model.forward_cells, *model.backward_cells]


@pytest.mark.parametrize("encoder", TORCH)
def test_recurrent_weights_start_orthogonal_in_each_gate(encoder: str) -> None:
    for cell in cells_of(encoder):
        for block in cell.weight_hh.detach().split(5):
            torch.testing.assert_close(block @ block.T, torch.eye(5))


@pytest.mark.parametrize("encoder", TORCH)
def test_input_weights_start_within_glorots_bound_in_each_gate(encoder: str) -> None:
    for cell in cells_of(encoder):
        for block in cell.weight_ih.detach().split(5):
            bound = (6 / sum(block.shape)) ** 0.5
            assert 0.5 * bound < block.abs().max() <= bound


def test_gru_biases_start_at_zero() -> None:
    for cell in cells_of("bigru"):
        assert torch.all(cell.bias_ih + cell.bias_hh == 0)


def test_lstm_forget_bias_starts_at_one_and_the_others_at_zero() -> None:
    for cell in cells_of("bilstm"):
        enter, forget, candidate, leave = (cell.bias_ih + cell.bias_hh).split(5)
        assert torch.all(forget == 1)
        assert torch.all(torch.cat([enter, candidate, leave]) == 0)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_dropout_stands_between_layers_only(encoder: str) -> None:
    x, lengths = torch.randn(2, 4, 3), torch.tensor([4, 2])
    one = build_encoder(3, EncoderConfig(encoder, hidden_size=4, dropout=0.5))
    assert torch.equal(one.train()(x, lengths).states, one.eval()(x, lengths).states)
    two = build_encoder(3, EncoderConfig(encoder, hidden_size=4, layers=2, dropout=0.5))
    assert not torch.equal(two.train()(x, lengths).states, two.eval()(x, lengths).states)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_locked_dropout_takes_a_state_from_all_steps_or_none(encoder: str) -> None:
    config = EncoderConfig(encoder, hidden_size=20, locked_dropout=0.5)
    torch.manual_seed(0)
    model = build_encoder(30, config).train()
    states = model(torch.randn(3, 6, 30), torch.tensor([6, 6, 6])).states
    gone = states == 0
    assert gone.any()
    assert not gone.all()
    assert torch.equal(gone, gone[:, :1].expand_as(gone))
