"""The command line: what torch says when it gives up is one line, and a run can be gone on with."""

import pytest
import torch

from birnn.nn import devices
from birnn.nn.encoders import Encoder
from birnn.training import loop

from writers import TINY

FAULTS = {
    "CUDA error: device-side assert triggered\nCUDA kernel errors might be": "out of range",
    "CUDA error: no kernel image is available for execution on the device": "no code for this GPU",
    "The NVIDIA driver on your system is too old (found version 11040).": "driver doesn't suit",
    "CUDA error: unspecified launch failure": "the GPU failed",
    "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED": "--engine torch",
    "CUDA error: CUBLAS_STATUS_INTERNAL_ERROR when calling `cublasSgemm`": "the GPU failed",
    "could not create a primitive": "torch could not go on (RuntimeError: could not create a",
    "mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)": "torch could not go on",
    "\n": "no reason",
}
MEMORY = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has"),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory:"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
    MemoryError("no memory for the buffers of a recurrence"),
]


def breaks(patch: pytest.MonkeyPatch, error: Exception, after: int = 0) -> None:
    """Let the encoder give up with ``error`` at its next pass, or ``after`` some steps."""
    forward, calls = Encoder.forward, iter(range(10**6))

    def fail(self, *arguments):
        if self.training and next(calls) >= after:
            raise error
        return forward(self, *arguments)

    patch.setattr(Encoder, "forward", fail)


@pytest.mark.parametrize("words", FAULTS)
def test_an_error_of_torch_is_one_line_with_its_cause(words, train, sentences_csv, monkeypatch):
    breaks(monkeypatch, RuntimeError(words))
    line = train(sentences_csv).refusal()
    assert FAULTS[words] in line
    assert line.endswith("BIRNN_DEBUG=1 shows where")


def test_an_operation_that_is_not_there_is_no_fault_of_a_gpu(train, sentences_csv, monkeypatch):
    words = "Could not run 'aten::_indices' with arguments from the 'CPU' backend: [CPU, CUDA]"
    breaks(monkeypatch, NotImplementedError(words))
    line = train(sentences_csv).refusal()
    assert "torch could not go on (NotImplementedError: Could not run" in line


def test_debugging_shows_where(train, sentences_csv, monkeypatch):
    monkeypatch.setenv("BIRNN_DEBUG", "1")
    breaks(monkeypatch, RuntimeError("CUDA error"))
    with pytest.raises(RuntimeError, match="CUDA error"):
        train(sentences_csv)


@pytest.mark.parametrize("error", [RecursionError("too deep"), NotImplementedError("give a head")])
def test_a_mistake_of_ours_is_no_line(error, train, sentences_csv, monkeypatch):
    breaks(monkeypatch, error)
    with pytest.raises(type(error)):
        train(sentences_csv)


def test_an_operation_that_a_device_lacks_is_one_line(train, sentences_csv, monkeypatch):
    words = "The operator 'aten::_thnn_fused_gru_cell' is not implemented for the MPS device"
    breaks(monkeypatch, NotImplementedError(words))
    assert "aten::_thnn" in train(sentences_csv).refusal()


@pytest.mark.parametrize("error", MEMORY, ids=lambda error: str(error)[:24])
def test_too_little_memory_names_the_options_and_the_batch(
    error, train, sentences_csv, monkeypatch
):
    breaks(monkeypatch, error)
    line = train(sentences_csv).refusal()
    for words in (
        "out of memory on cpu",
        "at 32 items of up to",
        "--batch-size (now 32)",
        "--batch-tokens",
    ):
        assert words in line, line


def test_a_run_that_met_too_little_memory_is_gone_on_with(
    birnn, sentences_csv, tmp_path, monkeypatch
):
    out = tmp_path / "run"
    given = ["sentiment", "--data", sentences_csv, *TINY, "--epoch-steps", "1", "--out"]
    with monkeypatch.context() as patch:
        breaks(patch, MEMORY[0], after=7)  # in the second epoch
        line = birnn(*given, out).refusal()
    assert "out of memory" in line
    assert f"--resume {out}" in line
    assert birnn("sentiment", "--resume", out).code == 0
    assert birnn(*given, tmp_path / "whole").code == 0
    weights = [(folder / "model.safetensors").read_bytes() for folder in (out, tmp_path / "whole")]
    assert weights[0] == weights[1]


def test_too_little_memory_in_a_prediction_is_one_line(birnn, trained, monkeypatch):
    def fail(self, *arguments):
        raise MEMORY[0]

    monkeypatch.setattr(Encoder, "forward", fail)
    line = birnn("predict", trained, "a lovely film").refusal()
    assert "out of memory" in line
    assert "--device cpu" in line


@pytest.mark.parametrize("command", ["sentiment", "predict", "evaluate"])
@pytest.mark.parametrize("device", ["cuda", "cuda:7"])
def test_a_gpu_that_is_not_there_is_one_line(
    command, device, birnn, trained, sentences_csv, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    given = [trained] if command != "sentiment" else ["--data", sentences_csv]
    line = birnn(command, *given, "--device", device).refusal()
    assert f"there is no '{device}' here (" in line
    assert "--device auto or cpu" in line


def test_why_there_is_no_gpu_is_said(monkeypatch):
    def too_old():
        import warnings

        warnings.warn("CUDA initialization: The NVIDIA driver is too old", stacklevel=1)
        return False

    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", too_old)
    assert devices._gpus() == (0, " (CUDA initialization: The NVIDIA driver is too old)")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices._gpus() == (2, " (the GPUs that torch sees: cuda:0, cuda:1)")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert devices._gpus() == (0, " (torch sees no NVIDIA GPU)")


def test_the_step_of_the_optimizer_may_need_memory_too(train, sentences_csv, monkeypatch):
    def fail(run, gradients, count):
        raise MEMORY[0]

    monkeypatch.setattr(loop, "_factor", fail)
    assert "--batch-size" in train(sentences_csv).refusal()
