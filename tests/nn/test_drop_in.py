"""``birnn.nn.GRU`` and ``LSTM`` beside torch's own, which is the oracle of all that they do."""

import copy
import pickle
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

import birnn.nn
from birnn.nn.engines import CUDNN, NATIVE, Work, choose, forced
from birnn.nn.scan import GRU

from strategies import quick

PAIRS = {"GRU": (birnn.nn.GRU, nn.GRU), "LSTM": (birnn.nn.LSTM, nn.LSTM)}
NATIVE_HERE = choose(Work(GRU, torch.device("cpu"), torch.float32)) is NATIVE
cells = pytest.mark.parametrize("cell", PAIRS)


def pair(cell: str, *sizes: int, **options: Any) -> tuple[nn.RNNBase, nn.RNNBase]:
    """Ours and torch's with the same weights, loaded by the names of the other."""
    torch.manual_seed(0)
    ours, torchs = (kind(*sizes, **options) for kind in PAIRS[cell])
    ours.load_state_dict(torchs.state_dict())
    return ours, torchs


def tensors(result: Any) -> list[Tensor]:
    if isinstance(result, PackedSequence):
        return [result.data, result.batch_sizes]
    return [result] if isinstance(result, Tensor) else [t for part in result for t in tensors(part)]


def compare(ours: nn.RNNBase, torchs: nn.RNNBase, call: Any) -> None:
    """Results, and gradients of a sum in which each number of them counts differently."""
    found = []
    for module in (ours, torchs):
        module.zero_grad()
        result, leaves = call(module)
        numbers = [part for part in tensors(result) if part.is_floating_point()]
        probes = torch.Generator().manual_seed(1)
        total = sum((part * torch.randn(part.shape, generator=probes)).sum() for part in numbers)
        total.backward()
        grads = [p.grad for p in [*module.parameters(), *leaves]]
        found.append([*(part.detach() for part in tensors(result)), *grads])
    for mine, wanted in zip(*found, strict=True):
        scale = float(wanted.abs().max()) or 1.0
        assert mine.shape == wanted.shape
        assert float((mine - wanted).abs().max()) / scale < 1e-5


def states(module: nn.RNNBase, *rest: int) -> Any:
    """What a module takes as ``hx``, each a leaf; the same for the same module's twin."""
    generator = torch.Generator().manual_seed(2)
    rows = module.num_layers * (1 + module.bidirectional)
    parts = [
        torch.randn(rows, *rest, module.hidden_size, generator=generator).requires_grad_()
        for _ in range(2 if isinstance(module, nn.LSTM) else 1)
    ]
    return parts[0] if len(parts) == 1 else tuple(parts)


def leaves_of(hx: Any) -> list[Tensor]:
    return [] if hx is None else [hx] if isinstance(hx, Tensor) else list(hx)


@cells
@quick
@given(
    layers=st.integers(1, 3), bidirectional=st.booleans(), batch_first=st.booleans(),
    bias=st.booleans(), given_states=st.booleans(), hidden=st.integers(1, 19),
    lengths=st.lists(st.integers(1, 7), min_size=1, max_size=6),
    form=st.sampled_from(["dense", "packed", "lists", "lengths", "one"]),
)  # fmt: skip
def test_states_and_gradients_are_torchs(
    cell, layers, bidirectional, batch_first, bias, given_states, hidden, lengths, form
):
    options = {"num_layers": layers, "bidirectional": bidirectional, "bias": bias}
    ours, torchs = pair(cell, 5, hidden, batch_first=batch_first, **options)
    items, steps = len(lengths), max(lengths)
    generator = torch.Generator().manual_seed(0)
    data = torch.randn(items, steps, 5, generator=generator)

    def call(module):
        x = data.clone().requires_grad_()
        batch = x if batch_first else x.transpose(0, 1)
        hx = states(module, items) if given_states else None
        if form == "one":
            hx = states(module) if given_states else None
            return module(x[0], hx), [x, *leaves_of(hx)]
        if form == "dense":
            return module(batch, hx), [x, *leaves_of(hx)]
        if form == "lists":
            parts = sorted((row[:n] for row, n in zip(x, lengths, strict=True)), key=len)
            return module(pack_sequence(parts[::-1]), hx), [x, *leaves_of(hx)]
        sizes = torch.tensor(lengths)
        packed = pack_padded_sequence(batch, sizes, batch_first, enforce_sorted=False)
        if form == "packed":
            return module(packed, hx), [x, *leaves_of(hx)]
        if module is ours:
            out, last = module(batch, hx, lengths=sizes)
            assert (
                not out.transpose(0, 1 - batch_first)[0][sizes[0] :].any() or batch_first is False
            )
            out = pack_padded_sequence(out, sizes, batch_first, enforce_sorted=False)
            return (out, last), [x, *leaves_of(hx)]
        return module(packed, hx), [x, *leaves_of(hx)]

    compare(ours, torchs, call)


@cells
def test_they_are_torchs_modules(cell):
    ours, torchs = pair(cell, 3, 4, 2, bidirectional=True)
    assert isinstance(ours, type(torchs))
    assert repr(ours) == repr(torchs)
    torchs.load_state_dict(ours.state_dict())
    x = torch.randn(6, 2, 3)
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert torch.equal(other(x)[0], ours(x)[0])
    with torch.device("meta"):
        assert type(ours)(3, 4).weight_ih_l0.is_meta


@cells
@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("options", [{"proj_size": 2}, {"dtype": torch.float64}])
def test_what_no_engine_does_torch_does(cell, options):
    if cell == "GRU" and "proj_size" in options:
        options = {"dtype": torch.float64, "bias": False}
    ours, torchs = pair(cell, 3, 4, batch_first=True, bidirectional=True, **options)
    x = torch.randn(3, 6, 3, dtype=options.get("dtype"))
    for mine, wanted in zip(tensors(ours(x)), tensors(torchs(x)), strict=True):
        assert torch.equal(mine, wanted)
    sizes = torch.tensor([2, 6, 1])
    packed = pack_padded_sequence(x, sizes, True, enforce_sorted=False)
    x[0, 2:], x[2, 1:] = torch.nan, torch.nan
    out, last = ours(x, lengths=sizes)
    wanted = torchs(packed)
    assert torch.equal(pack_padded_sequence(out, sizes, True, enforce_sorted=False).data,
                       wanted[0].data)  # fmt: skip
    assert all(map(torch.equal, tensors(last), tensors(wanted[1])))
    assert not out[0, 2:].any()


@cells
def test_dropout_stands_between_layers_while_training(cell):
    ours, torchs = pair(cell, 3, 64, 2, dropout=0.5)
    x = torch.randn(5, 4, 3)
    assert not torch.equal(ours(x)[0], ours(x)[0])
    assert torch.equal(ours.eval()(x)[0], ours(x)[0])
    torch.testing.assert_close(ours(x)[0], torchs.eval()(x)[0], rtol=1e-5, atol=1e-6)


@cells
@pytest.mark.parametrize("x", [(2, 3, 5), (3,), (2, 2, 2, 4)])
def test_shapes_that_do_not_fit_are_refused_in_torchs_words(cell, x):
    ours, torchs = pair(cell, 4, 6)
    with pytest.raises((RuntimeError, ValueError)) as wanted:
        torchs(torch.zeros(x))
    with pytest.raises(wanted.type) as found:
        ours(torch.zeros(x))
    assert str(found.value) == str(wanted.value)


@cells
def test_states_that_do_not_fit_are_refused(cell):
    ours, torchs = pair(cell, 4, 6)
    for hx in (torch.zeros(1, 3, 6), torch.zeros(2, 2, 6), torch.zeros(1, 2, 5)):
        both = hx if cell == "GRU" else (hx, hx)
        for module in (ours, torchs):
            with pytest.raises(RuntimeError, match=r"Expected hidden"):
                module(torch.zeros(5, 2, 4), both)
    with pytest.raises(ValueError, match="lengths must lie in"):
        ours(torch.zeros(5, 2, 4), lengths=torch.tensor([6, 1]))
    with pytest.raises(ValueError, match="lengths go with"):
        ours(torch.zeros(5, 4), lengths=torch.tensor([5]))


@cells
@pytest.mark.skipif(not NATIVE_HERE, reason="no compiled engine here")
def test_a_sequence_alone_is_the_sequence_in_a_batch_to_the_bit(cell):
    ours, _ = pair(cell, 5, 24, 2, bidirectional=True, batch_first=True)
    x, sizes = torch.randn(7, 11, 5), torch.tensor([11, 1, 4, 9, 11, 2, 6])
    hx = states(ours, 7)
    out, last = ours(x, hx, lengths=sizes)
    for item, n in enumerate(sizes.tolist()):
        own = hx[:, [item]] if cell == "GRU" else tuple(part[:, [item]] for part in hx)
        alone, end = ours(x[[item], :n], own)
        assert torch.equal(alone[0], out[item, :n])
        for mine, wanted in zip(tensors(end), tensors(last), strict=True):
            assert torch.equal(mine[:, 0], wanted[:, item])


@cells
def test_other_engines_and_traces_are_torchs(cell):
    ours, torchs = pair(cell, 3, 4, batch_first=True)
    x = torch.randn(2, 5, 3)
    with forced("torch"):
        assert torch.equal(ours(x)[0], torchs(x)[0])
    with warnings.catch_warnings(action="ignore"):
        traced = torch.jit.trace(ours.eval(), x)
    torch.testing.assert_close(traced(x)[0], torchs(x)[0], rtol=1e-5, atol=1e-6)
    with torch.autocast("cpu", torch.bfloat16):
        assert ours(x)[0].dtype == torchs(x)[0].dtype


@cells
def test_one_batch_is_learned(cell):
    ours, _ = pair(cell, 4, 16, batch_first=True, bidirectional=True)
    head = nn.Linear(32, 2)
    x, gold = torch.randn(8, 6, 4), torch.arange(8) % 2
    optimizer = torch.optim.Adam([*ours.parameters(), *head.parameters()], 0.02)
    for _ in range(80):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(head(ours(x)[0].mean(1)), gold)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.05


@cells
def test_a_gpu_engine_ends_where_torch_does(cell, monkeypatch):
    """The way a GPU takes, on the CPU: also the memory stands still in the padding."""
    ours, torchs = pair(cell, 5, 9, 2, bidirectional=True, batch_first=True)
    monkeypatch.setattr(type(ours), "_engine", lambda module, x: CUDNN)
    x, sizes = torch.randn(4, 7, 5), torch.tensor([7, 1, 3, 5])
    packed = pack_padded_sequence(x, sizes, True, enforce_sorted=False)
    wanted, found = tensors(torchs(packed)), tensors(ours(packed))
    padded, last = ours(x, lengths=sizes)
    again = pack_padded_sequence(padded, sizes, True, enforce_sorted=False)
    for one, two, other in zip(wanted, found, tensors((again, last)), strict=True):
        torch.testing.assert_close(two, one, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-6)
