"""Which engine runs, and what happens where the compiled one can't."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from birnn.config import EncoderConfig, TrainConfig
from birnn.errors import ConfigError
from birnn.native import compiler, library
from birnn.nn import engines
from birnn.nn.encoders import build_encoder
from birnn.nn.engines import Work, choose, describe, engine_for, force, forced
from birnn.nn.scan import GRU, LSTM, Recurrence
from birnn.registry import ENCODERS, ENGINES, resolve

from places import ROOT
from strategies import randomise

CPU = torch.device("cpu")
COMPILER = engines.NATIVE.missing(Work(GRU, CPU, torch.float32)) is None
needs_compiler = pytest.mark.skipif(not COMPILER, reason="no C compiler")


def without_compiler(patch: pytest.MonkeyPatch) -> None:
    patch.delenv("CC", raising=False)
    patch.setattr(compiler.shutil, "which", lambda name: None)
    patch.setattr(compiler.importlib.util, "find_spec", lambda name: None)


@needs_compiler
@pytest.mark.parametrize("recurrence", [GRU, LSTM])
@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_compiled_engine_serves_a_cpu(recurrence: Recurrence, precision: torch.dtype) -> None:
    choice = describe(Work(recurrence, CPU, precision))
    assert choice.name == "native"
    assert not choice.note


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_engine_of_a_configuration(encoder: str) -> None:
    config = EncoderConfig(encoder)
    assert engine_for(config, TrainConfig(device="cpu", engine="torch")).name == "torch"
    wanted = describe(Work(resolve(ENCODERS, encoder, "encoder").recurrence, CPU, torch.bfloat16))
    assert engine_for(config, TrainConfig(device="cpu", mixed_precision="bf16")) == wanted
    with pytest.raises(ConfigError, match="cudnn can't run here"):
        engine_for(config, TrainConfig(device="cpu", engine="cudnn"))


@pytest.mark.parametrize("recurrence", [GRU, LSTM])
def test_float64_runs_on_torch(recurrence: Recurrence) -> None:
    choice = describe(Work(recurrence, CPU, torch.float64))
    assert choice.name == "torch"
    assert "float32, not in float64" in choice.note


def test_a_gpu_is_served_by_cudnn_or_torch() -> None:
    choice = describe(Work(GRU, torch.device("cuda"), torch.float32))
    assert choice.name == ("cudnn" if torch.backends.cudnn.is_available() else "torch")
    assert not choice.note


def test_a_recurrence_that_no_engine_knows_runs_on_torch() -> None:
    assert describe(Work(Recurrence("peephole", 4, LSTM.scan), CPU, torch.float32)).name == "torch"


@pytest.mark.parametrize("encoder", ENCODERS)
def test_all_engines_that_can_agree(encoder: str) -> None:
    model = randomise(build_encoder(7, EncoderConfig(encoder=encoder, hidden_size=19, layers=2)))
    x, lengths = torch.randn(5, 9, 7), torch.tensor([9, 1, 4, 9, 6])
    work = Work(model.recurrence, CPU, torch.float32)
    able = [n for n in ENGINES if not resolve(ENGINES, n, "engine").missing(work)]
    assert "torch" in able
    results = {}
    for name in able:
        with forced(name):
            model.zero_grad()
            encoded = model(x, lengths)
            encoded.states.square().sum().backward()
            results[name] = [encoded.states.detach(), *(p.grad.clone() for p in model.parameters())]
    for name, parts in results.items():
        for ours, torchs in zip(parts, results["torch"], strict=True):
            assert float((ours - torchs).abs().max() / torchs.abs().max()) < 1e-5, name


def test_a_forced_engine_that_cant_run_says_why() -> None:
    with forced("cudnn"), pytest.raises(ConfigError, match="cudnn can't run here: there is no"):
        choose(Work(GRU, CPU, torch.float32))
    with forced("onednn"), pytest.raises(ConfigError, match="gives oneDNN no gru"):
        choose(Work(GRU, CPU, torch.float32))
    with pytest.raises(ConfigError, match="did you mean 'native'"):
        force("nativ")


def test_autocast_is_the_precision_that_counts() -> None:
    x = torch.ones(1)
    assert engines.precision(x) == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert engines.precision(x) == torch.bfloat16


@needs_compiler
def test_bf16_around_the_compiled_engine_trains() -> None:
    model = build_encoder(4, EncoderConfig(hidden_size=6))
    x = torch.randn(3, 5, 4, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        states = model(x.to(torch.bfloat16), torch.tensor([5, 2, 3])).states
    states.float().sum().backward()
    assert states.dtype == torch.float32
    assert x.grad is not None


def test_without_a_compiler_torch_does_the_same_and_says_so(bare: pytest.MonkeyPatch) -> None:
    without_compiler(bare)
    choice = describe(Work(GRU, CPU, torch.float32))
    assert choice.name == "torch"
    assert choice.note == (
        "the compiled engine can't run, a slower one does: no C compiler here;"
        " pip install ziglang brings one"
    )
    assert engines.cpu_note() == choice.note
    assert describe(Work(LSTM, CPU, torch.float32)).name == "onednn"
    model = build_encoder(4, EncoderConfig(hidden_size=6))
    assert model(torch.randn(2, 3, 4), torch.tensor([3, 1])).states.shape == (2, 3, 12)


@pytest.mark.parametrize(
    ("command", "message"),
    [("false", "false could not compile the engine: exit code 1"), ("nowhere-cc", "nowhere-cc")],
)
def test_a_compiler_that_fails_is_named(
    bare: pytest.MonkeyPatch, command: str, message: str
) -> None:
    bare.setenv("CC", command)
    with pytest.raises(compiler.NativeError, match=message):
        library.library()


@needs_compiler
def test_the_package_ziglang_is_the_compiler_of_last_resort(bare: pytest.MonkeyPatch) -> None:
    without_compiler(bare)
    bare.setattr(compiler.importlib.util, "find_spec", lambda name: name == "ziglang")
    assert compiler.find_compiler() == [sys.executable, "-m", "ziglang", "cc"]


@needs_compiler
def test_a_spoilt_library_is_made_anew_and_what_is_cached_needs_no_compiler(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = compiler.compiled(library.SOURCE)
    assert path.parent == tmp_path / "cache"
    path.write_bytes(b"torn")
    assert library.library().lanes in (4, 8, 16)
    assert path.stat().st_size > 1000
    assert sorted(file.suffix for file in path.parent.iterdir()) == [".sha256", ".so"]
    without_compiler(bare)
    library._loaded.cache_clear()
    assert library.library().lanes in (4, 8, 16)


@needs_compiler
def test_a_cache_that_cant_be_written_is_done_without(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    assert compiler.compiled(library.SOURCE).parent == tmp_path / "own"


@needs_compiler
def test_another_processor_or_source_gets_another_library(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = compiler._fingerprint(library.SOURCE)
    assert compiler._fingerprint(library.SOURCE) == first
    with bare.context() as patch:
        patch.setattr(compiler, "processor", lambda *names: "flags: none")
        assert compiler._fingerprint(library.SOURCE) != first
    (tmp_path / "scan.c").write_text("int one;")
    assert compiler._fingerprint(tmp_path / "scan.c") != first


def test_nothing_is_compiled_or_loaded_when_another_engine_is_forced(tmp_path: Path) -> None:
    code = (
        "import sys, torch\n"
        "from birnn.nn import engines\n"
        "from birnn.config import EncoderConfig\n"
        "from birnn.nn.encoders import build_encoder\n"
        "engines.force('torch')\n"
        "build_encoder(2, EncoderConfig())(torch.ones(2, 3, 2), torch.tensor([3, 1]))\n"
        "assert not any(name.startswith('birnn.native') for name in sys.modules)\n"
        "assert 'accelerate' not in sys.modules\n"
    )
    environment = {**os.environ, "BIRNN_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, env=environment, cwd=ROOT)
    assert not (tmp_path / "cache").exists()


def test_commands_that_use_a_run_say_why_they_are_slow(
    bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from birnn import cli
    from birnn.terminal.command_options import PredictOptions

    without_compiler(bare)
    threads = torch.get_num_threads()
    try:
        cli.use_machine(PredictOptions(threads=threads))
        assert "birnn: note: the compiled engine can't run, a slower" in capsys.readouterr().err
        cli.use_machine(PredictOptions(threads=threads, engine="torch"))
        assert capsys.readouterr().err == ""
    finally:
        force(engines.AUTO)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_forced_engine_trains_is_shown_and_kept(
    encoder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from birnn import cli

    used: list[str] = []
    for name in ENGINES:
        engine = resolve(ENGINES, name, "engine")
        spy = engine._replace(scan=lambda *a, n=name, e=engine: (used.append(n), e.scan(*a))[1])
        monkeypatch.setattr(engines, name.upper(), spy)
    engines._table.cache_clear()
    engines._untraced.cache_clear()
    out = tmp_path / "run"
    words = ["regression", "--encoder", encoder, "--epochs", "1", "--engine", "torch"]
    try:
        assert cli.main([*words, "--out", str(out)]) == 0
    finally:
        force(engines.AUTO)
        monkeypatch.undo()
        engines._table.cache_clear()
        engines._untraced.cache_clear()
    assert set(used) == {"torch"}
    assert "torch (torch's own operations)" in capsys.readouterr().out
    kept = json.loads((out / "config.json").read_text())
    assert kept["engine"] == kept["train"]["engine"] == "torch"


@needs_compiler
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users here")
def test_code_is_not_kept_in_a_folder_of_another_user(
    bare: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    user = os.getuid()
    bare.setattr(os, "getuid", lambda: user + 1)
    with pytest.raises(compiler.NativeError, match="no folder to write"):
        compiler.compiled(library.SOURCE)
    assert not list((tmp_path / "cache").iterdir())


def other_users(patch: pytest.MonkeyPatch, planted: Path) -> None:
    """``planted`` is another user's; what is made from now on is one's own."""
    plain = os.stat_result
    inode = planted.lstat().st_ino

    def theirs(found: os.stat_result) -> os.stat_result:
        if found.st_ino != inode:
            return found
        return plain([*found[:4], os.getuid() + 1, *found[5:]])

    for name in ("stat", "lstat"):
        real = getattr(Path, name)
        patch.setattr(Path, name, lambda self, *a, real=real, **k: theirs(real(self, *a, **k)))


@needs_compiler
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no users here")
@pytest.mark.parametrize("how", ["file", "folder", "link", "open folder", "open file"])
def test_code_that_others_planted_is_not_loaded(
    bare: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    cache = tmp_path / "cache"
    planted = compiler.compiled(library.SOURCE)
    assert planted.parent == cache
    planted.write_bytes(b"evil")
    if how in ("file", "folder"):
        other_users(bare, planted if how == "file" else cache)
    if how == "link":
        planted.rename(tmp_path / "elsewhere.so")
        planted.symlink_to(tmp_path / "elsewhere.so")
        other_users(bare, planted)
    if how == "open folder":
        cache.chmod(0o777)
    if how == "open file":
        planted.chmod(0o666)
    found = compiler.compiled(library.SOURCE)
    assert found.parent == tmp_path / "own"
    assert found.read_bytes() != b"evil"
    assert library.Library().lanes > 0
