"""Torch's flags of float32 products: exact within a block, and put back after it."""

import threading
from collections.abc import Iterator

import pytest
import torch

from birnn.nn.precision import EXACT, FLAGS, TF32, flags, products

AS_TORCH_STARTS = flags()


@pytest.fixture(autouse=True)
def as_torch_starts() -> Iterator[None]:
    yield
    torch._C._set_fp32_precision_setter("generic", "all", "none")
    torch._C._set_fp32_precision_setter("cuda", "all", "none")
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = True
    for flag, value in AS_TORCH_STARTS.items():
        torch._C._set_fp32_precision_setter(*flag, value)


def set_high() -> None:
    torch.set_float32_matmul_precision("high")


def set_old() -> None:
    torch.backends.cudnn.allow_tf32 = False


def set_wide() -> None:
    torch._C._set_fp32_precision_setter("generic", "all", TF32)


def set_single() -> None:
    torch.backends.cudnn.conv.fp32_precision = EXACT


@pytest.mark.parametrize("strange", [lambda: None, set_high, set_old, set_wide, set_single])
def test_a_strangers_flags_come_back(strange) -> None:
    strange()
    before = flags()
    with products():
        assert set(flags().values()) == {EXACT}
    assert flags() == before


def test_torchs_older_flags_can_be_read_afterwards() -> None:
    set_high()
    with products():
        pass
    assert torch.backends.cudnn.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32
    assert torch.get_float32_matmul_precision() == "high"


def test_what_follows_a_wider_flag_goes_on_following() -> None:
    set_wide()
    with products():
        pass
    torch._C._set_fp32_precision_setter("generic", "all", EXACT)
    assert flags()["cuda", "matmul"] == EXACT


def test_tf32_is_for_gpus() -> None:
    with products(TF32):
        assert {kind for (kind, _), value in flags().items() if value == TF32} == {"cuda"}
        with products():
            assert set(flags().values()) == {EXACT}
        assert flags()["cuda", "rnn"] == TF32


def test_an_error_puts_them_back() -> None:
    with pytest.raises(ZeroDivisionError), products():
        _ = 1 / 0
    assert flags() == AS_TORCH_STARTS


def test_blocks_of_several_threads_may_end_in_any_order() -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with products():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with products():
        thread.start()
        entered.wait(10)
    assert set(flags().values()) == {EXACT}  # the other thread still computes
    leave.set()
    thread.join()
    assert flags() == AS_TORCH_STARTS


def test_every_kind_of_product_has_its_flag() -> None:
    assert {part for _, part in FLAGS} == {"conv", "rnn", "matmul"}
