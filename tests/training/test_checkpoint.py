"""Run folders are whole or absent, and nothing foreign gets in."""

import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from birnn.config import EncoderConfig
from birnn.errors import CheckpointError, DataError
from birnn.storage.files import (
    FolderKind,
    atomic_path,
    check_free,
    new_folder,
    read_json,
    write_json,
    write_text,
)
from birnn.storage.untrusted import MEMORY
from birnn.storage.weights import load_weights, save_weights
from birnn.tasks.regression.options import RegressionConfig
from birnn.tasks.regression.task import Regression
from birnn.tasks.runs.folder import load_run, write_model


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A tiny run folder."""
    folder = tmp_path / "run"
    folder.mkdir()
    task = Regression(RegressionConfig(encoder=EncoderConfig(hidden_size=2)))
    info = task.load().info
    write_model(folder, task, info, task.model(info))
    return folder


def edit_json(path: Path, change: Callable[[Any], Any]) -> None:
    value = json.loads(path.read_text())
    path.write_text(json.dumps(change(value)))


def edit_weights(run: Path, change: Callable[[dict[str, Tensor]], Any]) -> None:
    state = load_file(run / "model.safetensors")
    change(state)
    save_file(state, run / "model.safetensors")


def refused(run: Path, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_run(run)


def test_a_run_comes_back_as_it_was(run: Path) -> None:
    loaded = load_run(run)
    state = load_file(run / "model.safetensors")
    assert loaded.model.state_dict().keys() == state.keys()
    assert all(torch.equal(loaded.model.state_dict()[name], state[name]) for name in state)
    assert not loaded.model.training
    assert loaded.task.config.encoder.hidden_size == 2


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_weights_file_is_refused(run: Path, share: float) -> None:
    path = run / "model.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(run, "model.safetensors is not a readable safetensors file")


@pytest.mark.parametrize("content", [b"hello", b"PK\x03\x04" * 20, b"\xff" * 64, b"{}" + b" " * 99])
def test_a_foreign_weights_file_is_refused(run: Path, content: bytes) -> None:
    (run / "model.safetensors").write_bytes(content)
    refused(run, "model.safetensors is not a readable safetensors file")


class Evil:
    """Runs code when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


@pytest.mark.parametrize("write", [lambda v, p: p.write_bytes(pickle.dumps(v)), torch.save])
def test_a_pickle_under_the_weights_name_is_not_executed(
    run: Path, tmp_path: Path, write: Callable[[object, Path], None]
) -> None:
    marker = tmp_path / "executed"
    write(Evil(marker), run / "model.safetensors")
    refused(run, "not a readable safetensors file")
    assert not marker.exists()


def test_a_missing_weights_file_is_refused(run: Path) -> None:
    (run / "model.safetensors").unlink()
    refused(run, "model.safetensors is missing")


def test_a_folder_under_the_weights_name_is_refused(run: Path) -> None:
    (run / "model.safetensors").unlink()
    (run / "model.safetensors").mkdir()
    refused(run, "model.safetensors")


def test_a_missing_tensor_is_named(run: Path) -> None:
    edit_weights(run, lambda state: state.pop("head.linear.bias"))
    refused(run, "lacks the tensor head.linear.bias")


def test_an_extra_tensor_is_named(run: Path) -> None:
    edit_weights(run, lambda state: state.update(surplus=torch.zeros(1)))
    refused(run, "holds a tensor surplus")


def test_a_wrong_shape_is_named_with_both_shapes(run: Path) -> None:
    edit_weights(run, lambda state: state.update({"head.linear.bias": torch.zeros(3)}))
    refused(run, r"head.linear.bias has the shape \[3\], config.json asks for \[1\]")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_tensor_with_a_value_that_is_not_finite_is_named(run: Path, value: float) -> None:
    edit_weights(run, lambda state: state["head.linear.weight"].flatten()[:1].fill_(value))
    refused(run, "head.linear.weight holds values that are not finite")


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int32])
def test_a_wrong_type_is_named_with_both_types(run: Path, dtype: torch.dtype) -> None:
    change = {"head.linear.bias": torch.zeros(1, dtype=dtype)}
    edit_weights(run, lambda state: state.update(change))
    refused(run, f"head.linear.bias is {dtype}, expected torch.float32")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden_size": 3}, r"[\w.]+ has the shape \[.*\], config.json asks for \["),
        ({"hidden_size": 10**6}, "hidden_size"),
        ({"hidden_size": 10**20}, "hidden_size"),
        ({"layers": 2}, "lacks the tensor encoder"),
        ({"encoder": "bilstm"}, "has the shape"),
        ({"norm": "layer"}, "lacks the tensor encoder.norms.0"),
        ({"bidirectional": False}, "encoder.backward_cells.0|has the shape"),
    ],
)
def test_a_configuration_of_another_model_is_refused(
    run: Path, change: dict[str, Any], message: str
) -> None:
    edit_json(run / "config.json", lambda c: {**c, "encoder": {**c["encoder"], **change}})
    refused(run, message)


def test_the_largest_configuration_is_refused_before_it_is_made(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Regression.model

    def only_shapes(task: Regression, info: Any) -> nn.Module:
        assert torch.get_default_device().type == "meta", "memory was about to be taken"
        return original(task, info)

    monkeypatch.setattr(Regression, "model", only_shapes)
    large = {"hidden_size": 8192, "layers": 64}
    edit_json(run / "config.json", lambda c: {**c, "encoder": {**c["encoder"], **large}})
    refused(run, "has the shape|lacks the tensor")


def test_no_memory_is_taken_for_a_model_that_does_not_fit(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_weights(path, nn.Linear(2, 2))
    devices = []

    def build() -> nn.Module:
        model = nn.Linear(10**5, 10**5) if not devices else nn.Linear(2, 2)
        devices.append(model.weight.device.type)
        return model

    with pytest.raises(CheckpointError, match=r"\[2, 2\].*\[100000, 100000\]|\[2\].*\[100000\]"):
        load_weights(path, build)
    assert devices == ["meta"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "not a run's configuration"),
        ('{"format": 1}', "not a run's configuration"),
        (
            '{"format": 99, "task": "regression", "version": "9.9"}',
            "format 99, made by birnn 9.9",
        ),
        ('{"format": 1, "task": "nope"}', "of the task 'nope', unknown here"),
        ('{"format": 1, "task": ["x"]}', "unknown here"),
        ('{"format": 1, "task": "regression", "colour": 1}', "unknown option 'colour'"),
        (
            '{"format": 1, "task": "regression", "encoder": {"layers": 0}}',
            "layers: must be at least",
        ),
        ('{"format": 1, "task": "regression", "train": 3}', "expected a table"),
    ],
)
def test_an_unusable_configuration_is_refused(run: Path, content: str, message: str) -> None:
    (run / "config.json").write_text(content)
    refused(run, message)


@pytest.mark.parametrize("name", ["config.json", "scaler.json"])
def test_a_missing_part_is_named(run: Path, name: str) -> None:
    (run / name).unlink()
    refused(run, f"{name} is missing: not a complete run folder")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", "nowhere: no such run folder")


NAMES = {"features": ["x"], "target": "y"}


@pytest.mark.parametrize(
    "scaler",
    [
        [],
        {},
        {**NAMES, "shift": [0.0], "scale": [1.0, 1.0]},
        {**NAMES, "shift": [0.0, 0.0], "scale": [1.0, 0.0]},
        {**NAMES, "shift": [0.0, 0.0], "scale": [1.0, -1.0]},
        {**NAMES, "shift": [0.0, 0.0], "scale": [1.0, 1e999]},
        {**NAMES, "shift": [0.0, 1e999], "scale": [1.0, 1.0]},
        {**NAMES, "shift": [0.0, None], "scale": [1.0, 1.0]},
        {**NAMES, "shift": ["a", "b"], "scale": [1.0, 1.0]},
        {**NAMES, "shift": [0.0, 0.0], "scale": [1.0, 1.0], "features": 3},
    ],
)
def test_an_unusable_scaler_is_refused(tmp_path: Path, scaler: object) -> None:
    (tmp_path / "scaler.json").write_text(json.dumps(scaler))
    with pytest.raises(CheckpointError, match=r"scaler.json is not (a scaler|valid JSON)"):
        Regression(RegressionConfig()).read_info(tmp_path)


def test_json_of_absurd_size_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(MEMORY + 1)  # sparse: takes no room
    with pytest.raises(CheckpointError, match="mostly holes"):
        read_json(path)


def test_json_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes('"é"'.encode("latin-1"))
    with pytest.raises(CheckpointError, match="not valid JSON"):
        read_json(tmp_path / "a.json")


def test_json_comes_back_as_it_was(tmp_path: Path) -> None:
    value = {"a": [1, 2.5, None, True], "ü": "→ \U0001f600"}
    write_json(tmp_path / "a.json", value)
    assert read_json(tmp_path / "a.json") == value
    assert b"\r" not in (tmp_path / "a.json").read_bytes()


def test_a_path_that_is_not_utf8_can_be_told_of(tmp_path: Path) -> None:
    # What sys.argv holds for a file name with the byte 0xff; training must not end on it.
    told = b"runs/\xff".decode("utf-8", "surrogateescape")
    write_text(tmp_path / "a.md", f"made with --out {told}")
    write_json(tmp_path / "a.json", {"source": told})
    assert (tmp_path / "a.md").read_text(encoding="utf-8").startswith("made with --out runs/")
    assert read_json(tmp_path / "a.json")["source"].startswith("runs/")


def test_json_that_json_does_not_know_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_weights_are_written_as_they_are_and_readable_by_others(tmp_path: Path) -> None:
    model = nn.BatchNorm1d(3)
    save_weights(tmp_path / "w.safetensors", model)
    state = load_file(tmp_path / "w.safetensors")
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())
    assert (tmp_path / "w.safetensors").stat().st_mode & 0o777 == 0o644
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


STOPS = [RuntimeError("stop"), KeyboardInterrupt(), SystemExit(1), OSError(28, "No space left")]


def half_a_file(path: Path, error: BaseException) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", STOPS, ids=repr)
@pytest.mark.parametrize("old", [None, "old"])
def test_an_interrupted_file_leaves_what_was_there(
    tmp_path: Path, error: BaseException, old: str | None
) -> None:
    path = tmp_path / "a.txt"
    if old is not None:
        path.write_text(old)
    wanted = DataError if isinstance(error, OSError) else type(error)
    with pytest.raises(wanted):
        half_a_file(path, error)
    assert [p.name for p in tmp_path.iterdir()] == ([] if old is None else ["a.txt"])
    assert old is None or path.read_text() == old


def test_a_file_replaces_the_old_one_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    with path.open() as reader:
        write_text(path, "newer")
        assert reader.read() == "new"  # whoever reads meanwhile sees one file, not half of two
    assert path.read_text() == "newer"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_written_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't write .*No such file"):
        write_text(tmp_path / "missing" / "a.txt", "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="can't write"), new_folder(tmp_path / "file" / "run", RUN):
        pass


def strangers(path: Path) -> list[str] | None:
    names = sorted(part.name for part in path.iterdir())
    return [n for n in names if n != "config.json"] if "config.json" in names else None


RUN = FolderKind("run", strangers)


def fill(path: Path, text: str, *, overwrite: bool = False) -> None:
    with new_folder(path, RUN, overwrite=overwrite) as folder:
        (folder / "config.json").write_text(text)


def half_a_folder(path: Path, error: BaseException, *, overwrite: bool) -> None:
    with new_folder(path, RUN, overwrite=overwrite) as folder:
        (folder / "config.json").write_text("half")
        raise error


@pytest.mark.parametrize("error", STOPS, ids=repr)
def test_an_interrupted_folder_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)):
        half_a_folder(tmp_path / "run", error, overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", STOPS, ids=repr)
def test_an_interrupted_overwrite_leaves_the_old_run(tmp_path: Path, error: BaseException) -> None:
    fill(tmp_path / "run", "old")
    with pytest.raises(type(error)):
        half_a_folder(tmp_path / "run", error, overwrite=True)
    assert (tmp_path / "run" / "config.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_folder_appears_when_it_is_whole_and_makes_its_parents(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "run"
    with new_folder(path, RUN) as folder:
        (folder / "config.json").write_text("new")
        assert not path.exists()
    assert (path / "config.json").read_text() == "new"
    assert [p.name for p in path.parent.iterdir()] == ["run"]
    assert path.stat().st_mode & 0o777 == 0o755


def test_an_overwritten_run_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "run"
    fill(path, "old")
    with new_folder(path, RUN, overwrite=True) as folder:
        (folder / "config.json").write_text("new")
        assert (path / "config.json").read_text() == "old"
    assert [p.name for p in path.iterdir()] == ["config.json"]
    assert (path / "config.json").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_run_is_not_overwritten_unasked(tmp_path: Path) -> None:
    fill(tmp_path / "run", "old")
    with pytest.raises(DataError, match="holds a run already; choose another --out or add"):
        fill(tmp_path / "run", "new")
    assert (tmp_path / "run" / "config.json").read_text() == "old"


@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_not_a_run_is_never_overwritten(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    (tmp_path / "file").write_text("x")
    for name in ("thesis", "file"):
        with pytest.raises(DataError, match="exists and is not a run"):
            fill(tmp_path / name, "new", overwrite=overwrite)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_a_run_with_files_of_others_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run"
    fill(path, "old")
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        (path / name).write_text("mine")
    with pytest.raises(DataError, match=r"also holds .*: a\.txt, b\.txt, c\.txt and 1 more"):
        fill(path, "new", overwrite=True)
    assert len(list(path.iterdir())) == 5
    assert (path / "config.json").read_text() == "old"


def test_a_file_that_came_into_the_old_run_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run"
    fill(path, "old")
    with (
        pytest.raises(DataError, match=r"also holds .*: late\.txt"),
        new_folder(path, RUN, overwrite=True) as folder,
    ):
        (folder / "config.json").write_text("new")
        (path / "late.txt").write_text("mine")
    assert (path / "late.txt").read_text() == "mine"


def test_an_empty_folder_is_free(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    check_free(tmp_path / "run", RUN, overwrite=False)
    fill(tmp_path / "run", "new")
    assert (tmp_path / "run" / "config.json").read_text() == "new"


def test_a_run_that_came_up_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with pytest.raises(DataError, match="holds a run already"), new_folder(path, RUN) as folder:
        (folder / "config.json").write_text("ours")
        fill(path, "theirs")
    assert (path / "config.json").read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="swaps names on Linux alone")
def test_a_kill_while_a_run_is_replaced_leaves_the_old_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "run"
    fill(path, "old")
    child = os.fork()
    if not child:
        rename = Path.rename

        def renamed(one: Path, other: Path) -> None:
            rename(one, other)
            os._exit(9)

        Path.rename = renamed  # type: ignore[method-assign,assignment]
        fill(path, "new", overwrite=True)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert (path / "config.json").read_text() in ("old", "new")
    fill(path, "newest", overwrite=True)
    assert (path / "config.json").read_text() == "newest"


def test_a_folder_is_replaced_where_names_cannot_be_swapped(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("birnn.storage.files._exchange", lambda *_: False)
    for text in ("old", "new"):
        fill(tmp_path / "run", text, overwrite=True)
    assert (tmp_path / "run/config.json").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_names_that_no_run_can_have(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("loop", "x" * 300, "a\0b", "x" * 250):
        with pytest.raises(DataError, match="can't write"):
            fill(tmp_path / name, "new", overwrite=True)
    fill(tmp_path / "run", "old")
    (tmp_path / "run" / "checkpoints").mkdir()
    for here, there in (("run", "."), ("run", "../run"), ("run/checkpoints", "..")):
        monkeypatch.chdir(tmp_path / here)
        with pytest.raises(DataError, match="the folder that you are in"):
            fill(Path(there), "new", overwrite=True)
    assert (tmp_path / "run/config.json").read_text() == "old"
