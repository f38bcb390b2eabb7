"""The compiled scans with products in bfloat16, by each make that can be had or emulated here."""

import shutil
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_cases import CELLS, Case, draw, leaves, threads
from torch import Tensor

from birnn.config import EncoderConfig, TrainConfig
from birnn.native import compiler, library
from birnn.native.library import MAKES
from birnn.native.scan import native_layer, native_scan
from birnn.nn import engines
from birnn.nn.encoders import build_encoder
from birnn.nn.engines import NATIVE, Work
from birnn.nn.scan import GRU, LSTM, CellWeights

CPU = torch.device("cpu")
COMPILER = NATIVE.missing(Work(GRU, CPU, torch.float32)) is None
HALF = COMPILER and library.library().half.make > 0
needs_half = pytest.mark.skipif(not HALF, reason="no products in bfloat16 here")
SIZES = st.one_of(st.integers(1, 70), st.sampled_from([1, 2, 16, 17, 31, 32, 33, 64]))
MAKE_FLAGS = {
    "own": (),
    "emulated tiles": ("-DEMULATE_TILES=1",),
    "tiles of another order": ("-DEMULATE_TILES=2",),
}
WRONG = ("-DEMULATE_TILES=3",)
NO_HALF = ("-mno-avx512bf16",)


def compiled_with(patch: pytest.MonkeyPatch, folder: Path, flags: Sequence[str]) -> None:
    """The engine is one that was compiled with further flags, until the patch is undone."""
    patch.setattr(compiler, "FLAGS", (*compiler.FLAGS, *flags))
    patch.setenv("BIRNN_CACHE", str(folder))
    forget()


def forget() -> None:
    for cached in (library._loaded, engines._untraced):
        cached.cache_clear()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the makes are compiled, once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(params=MAKE_FLAGS)
def make(request: Any, built: Path) -> Iterator[str]:
    """Each make of the products."""
    if not HALF:
        pytest.skip("no products in bfloat16 here")
    with pytest.MonkeyPatch.context() as patch:
        if flags := MAKE_FLAGS[request.param]:
            compiled_with(patch, built, flags)
            assert library.library().half == MAKES[list(MAKE_FLAGS).index(request.param) + 1]
        yield request.param
    forget()


@pytest.fixture
def without_half(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A processor that multiplies no bfloat16."""
    if not HALF:
        pytest.skip("that is so")
    compiled_with(monkeypatch, tmp_path, NO_HALF)
    yield
    monkeypatch.undo()
    forget()


def half(case: Case) -> Tensor:
    return native_scan(case.recurrence, case.x, case.lengths, case.directions, half=True)


def rounded(x: Tensor) -> Tensor:
    return x.to(torch.bfloat16).to(x.dtype)


class Product(torch.autograd.Function):
    """``a [.., K] · b [G, K]``, the factors rounded to bfloat16, in the backward pass too."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        """Called by torch, as the other."""
        ctx.save_for_backward(rounded(a), rounded(b))
        return rounded(a) @ rounded(b).T

    @staticmethod
    def backward(ctx: Any, of_sums: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of both."""
        a, b = ctx.saved_tensors
        return rounded(of_sums) @ b, rounded(of_sums).flatten(0, -2).T @ a.flatten(0, -2)


def oracle(case: Case, found: Tensor) -> Tensor:
    """The states in float64, from the states ``found`` before each step.

    So that a state that is rounded up here and down there, being between, is not taken on.
    """
    hidden, states = case.directions[0].recurrent.shape[1], []
    for way, weights in enumerate(case.directions):
        own = found[..., way * hidden : (way + 1) * hidden].to(case.x.dtype)
        rows = [_sequence(case, item, weights, own, backwards=way == 1)
                for item in range(len(case.x))]  # fmt: skip
        states.append(torch.stack(rows))
    return torch.cat(states, -1)


def _sequence(
    case: Case, item: int, weights: CellWeights, found: Tensor, *, backwards: bool
) -> Tensor:
    """One direction of one sequence, ``[T, H]``."""
    order = list(range(int(case.lengths[item])))[:: -1 if backwards else 1]
    h = memory = case.x.new_zeros(1, found.shape[-1])
    rows = dict.fromkeys(range(found.shape[1]), h[0])
    for step in order:
        inner = Product.apply(case.x[item, step : step + 1], weights.input) + weights.input_bias
        outer = Product.apply(h, weights.recurrent) + weights.recurrent_bias
        i, o = inner.chunk(case.recurrence.gates, -1), outer.chunk(case.recurrence.gates, -1)
        if case.recurrence is GRU:
            r, z = (i[0] + o[0]).sigmoid(), (i[1] + o[1]).sigmoid()
            n = (i[2] + r * o[2]).tanh()
            h = n + z * (h - n)
        else:
            total = [a + b for a, b in zip(i, o, strict=True)]
            memory = total[1].sigmoid() * memory + total[0].sigmoid() * total[2].tanh()
            h = total[3].sigmoid() * memory.tanh()
        rows[step] = h[0]
        h = h + (found[item, step] - h).detach()
    return torch.stack([rows[step] for step in sorted(rows)])


def gradients(case: Case, states: Tensor) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    probe = torch.randn(states.shape, generator=generator).to(states.dtype)
    return list(torch.autograd.grad((states * probe).sum(), leaves(case)))


def errors(case: Case) -> list[float]:
    """How far gradients are from the oracle's, relative to their norms; states agree closely."""
    weights = [CellWeights(*(p.double().requires_grad_() for p in d)) for d in case.directions]
    exact = Case(case.recurrence, case.x.double().requires_grad_(), case.lengths, weights)
    for leaf in leaves(case):
        leaf.requires_grad_()
    states = half(case)
    wanted = oracle(exact, states.detach())
    assert float((states - wanted).detach().abs().max()) < 1e-5
    pairs = zip(gradients(case, states), gradients(exact, wanted), strict=True)
    return [float((ours - own).norm() / own.norm().clamp(min=1e-3)) for ours, own in pairs]


@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=40, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=9),
    features=SIZES,
    hidden=SIZES,
    ways=st.integers(1, 2),
    extra=st.integers(0, 2),
    count=st.integers(1, 3),
)
def test_states_and_gradients_are_those_of_rounded_factors(
    make: str, cell: str, lengths: list[int], features: int, hidden: int, ways: int, extra: int,
    count: int,
) -> None:  # fmt: skip
    with threads(count):
        found = errors(draw(cell, lengths, features, hidden, ways=ways, extra=extra))
    # A gradient between two numbers of bfloat16 may be rounded to the other one.
    assert max(found) < 4e-3


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("batch", "features", "hidden"), [(70, 5, 20), (37, 40, 37), (20, 1, 33)])
def test_larger_batches_too(make: str, cell: str, batch: int, features: int, hidden: int) -> None:
    lengths = [1 + 7 * i % 9 for i in range(batch)]
    found = errors(draw(cell, lengths, features, hidden))
    assert statistics.median(found) < 1e-4  # what rounding costs is 3e-3
    assert max(found) < 4e-3


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("hidden", [5, 48, 130])
def test_an_item_alone_gives_the_same_bits_as_in_a_batch_on_any_threads(
    make: str, cell: str, hidden: int
) -> None:
    case = draw(cell, [9, 1, 30, 30, 2, 17, 5, 5, 30, 12, 8, 3, 21, *[11] * 30], 21, hidden)
    results = []
    for count in (1, 2, 3, 8):
        with threads(count):
            results.append(half(case))
    for other in results[1:]:
        assert torch.equal(results[0], other)
    assert not torch.equal(results[0], native_scan(*case))
    for item, n in enumerate(case.lengths.tolist()[:16]):
        for beside in (0, 1, 4):  # an item alone, with one beside, and with four
            part = slice(item, item + 1 + beside)
            some = half(case._replace(x=case.x[part], lengths=case.lengths[part]))
            assert torch.equal(some[0, :n], results[0][item, :n])
            assert not results[0][item, n:].any()


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_the_same_bits_on_any_threads(make: str, cell: str) -> None:
    case = draw(cell, [9, 1, 30, 30, 2, 17, 5, 5, 30, 12, *[20] * 30], 7, 40)
    for leaf in leaves(case):
        leaf.requires_grad_()
    results = []
    for count in (1, 2, 4):
        with threads(count):
            results.append(gradients(case, half(case)))
    for others in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(others, results[0], strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_makes_sum_in_other_orders_but_the_same(
    cell: str, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not HALF:
        pytest.skip("no products in bfloat16 here")
    case = draw(cell, [3, *[7] * 39], 65, 50)
    ours = half(case)
    with monkeypatch.context() as patch:
        compiled_with(patch, built, MAKE_FLAGS["emulated tiles"])
        tiles = half(case)
    forget()
    # A state may be rounded to the other of its neighbours, and is then taken on.
    assert float((ours - tiles).abs().mean()) < 1e-4


def test_first_states_and_memory_are_taken_and_given(make: str) -> None:
    case = draw("lstm", [6, 2, 4], 5, 19, ways=1)
    first = [torch.randn(1, 3, 19, generator=torch.Generator().manual_seed(2)) for _ in range(2)]
    rest = (case.recurrence, case.x, case.lengths, case.directions, first)
    exact, exact_last = native_layer(*rest, memory=True)
    states, last = native_layer(*rest, memory=True, half=True)
    assert exact_last is not None
    assert last is not None
    assert 0 < float((states - exact).abs().max()) < 0.02
    assert float((last - exact_last).abs().max()) < 0.03


def test_what_is_packed_in_float32_is_not_taken_for_bfloat16(make: str) -> None:
    case = draw("gru", [6, 2, 4], 5, 19)
    wanted = [native_scan(*case).clone(), half(case).clone()]
    for _ in range(2):
        assert torch.equal(native_scan(*case), wanted[0])
        assert torch.equal(half(case), wanted[1])


def test_a_nan_reaches_its_own_sequence_alone(make: str) -> None:
    case = draw("gru", [6] * 20, 5, 19)
    clean = half(case)
    case.x[3, 2] = torch.nan
    states = half(case)
    assert states[3, 2:].isnan().any()
    others = [item for item in range(20) if item != 3]
    assert torch.equal(states[others], clean[others])


def test_a_second_backward_pass_gives_the_same_gradients(make: str) -> None:
    case = draw("lstm", [4, 6, 2], 3, 5)
    for leaf in leaves(case):
        leaf.requires_grad_()
    total = half(case).sin().sum()
    first = torch.autograd.grad(total, leaves(case), retain_graph=True)
    second = torch.autograd.grad(total, leaves(case))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@needs_half
@pytest.mark.parametrize("encoder", ["bigru", "bilstm"])
def test_autocast_asks_for_it(encoder: str) -> None:
    model = build_encoder(4, EncoderConfig(encoder, hidden_size=6)).requires_grad_(False)
    x, lengths = torch.randn(3, 5, 4), torch.tensor([5, 2, 3])
    exact = model(x, lengths).states
    with torch.autocast("cpu", torch.bfloat16):
        states = model(x, lengths).states
    weights = [cells[0].weights() for cells in (model.forward_cells, model.backward_cells)]
    assert torch.equal(states, native_scan(model.recurrence, x, lengths, weights, half=True))
    assert not torch.equal(states, exact)
    assert states.dtype == torch.float32


@needs_half
def test_the_header_says_which_products() -> None:
    choice = engines.engine_for(EncoderConfig(), TrainConfig(device="cpu", mixed_precision="bf16"))
    words = library.library().half.words
    assert choice == ("native", f"{NATIVE.title}; products in bfloat16 by {words}", "", True)
    assert engines.engine_for(EncoderConfig(), TrainConfig(device="cpu")).title == NATIVE.title


@pytest.mark.usefixtures("without_half")
def test_a_processor_without_such_products_computes_in_float32_and_says_so() -> None:
    choice = engines.describe(Work(GRU, CPU, torch.bfloat16))
    assert choice.name == "native"
    assert choice.title == NATIVE.title
    assert choice.note == (
        "recurrences stay in float32: this processor has neither AVX512-BF16 nor AMX"
    )
    assert not engines.describe(Work(GRU, CPU, torch.float32)).note
    case = draw("gru", [6, 2, 4], 5, 19)
    assert torch.equal(half(case), native_scan(*case))


@needs_half
@pytest.mark.parametrize("make", [4, 5])
def test_why_tiles_do_not_run_is_a_note(make: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library.library(), "half", MAKES[make])
    choice = engines.describe(Work(LSTM, CPU, torch.bfloat16))
    assert choice.title.endswith("by AVX512-BF16")
    assert choice.note.startswith("bfloat16 without AMX: ")


@needs_half
def test_the_kernel_of_tiles_compiles_and_is_not_run_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        compiled_with(patch, tmp_path, ("-mamx-tile", "-mamx-bf16"))
        found = library.library().half
        path = compiler.compiled(library.SOURCE)
    forget()
    granted = " amx_bf16 " in f"{compiler.processor('flags')} "
    assert found == MAKES[2 if granted else 4]
    if objdump := shutil.which("objdump"):
        code = subprocess.run([objdump, "-d", str(path)], capture_output=True, text=True).stdout
        assert {name for name in ("ldtilecfg", "tdpbf16ps", "tilerelease") if name in code} == {
            "ldtilecfg", "tdpbf16ps", "tilerelease",
        }  # fmt: skip


@needs_half
def test_tiles_that_sum_wrongly_are_not_used(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        compiled_with(patch, built, WRONG)
        assert library.library().half == MAKES[5]
    forget()
