"""Run folders made by an attacker: each ends in one clear line, and nothing of them is executed."""

import io
import json
import os
import pickle
import resource
import shutil
import signal
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from birnn import tasks
from birnn.storage.untrusted import json_memory, memory_limit

from places import ROOT, RUNS

VERSION = "2026-11-24-07964cf"
# A task without a run of that version is attacked in tests/runs/test_lives.py alone.
TASKS = [task for task in tasks.TASKS if (RUNS / f"{VERSION}-{task}").is_dir()]
FILES = [
    (task, path.name)
    for task in TASKS
    for path in sorted((RUNS / f"{VERSION}-{task}").iterdir())
    if path.name not in ("expected.json", "metrics.json")
]


@pytest.fixture(autouse=True)
def in_time():
    """No case may wait for ever."""

    def stop(number, frame):
        raise TimeoutError("hangs")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder with the data that the runs name, and a writable copy of each run."""
    sys.path.insert(0, str(RUNS.parent))
    try:
        import make_runs
    finally:
        sys.path.pop(0)
    make_runs.write_inputs(tmp_path)
    for task in TASKS:
        shutil.copytree(RUNS / f"{VERSION}-{task}", tmp_path / task)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def command(task):
    return {
        "sentiment": ["predict", "sentiment", "a warm film"],
        "tagging": ["predict", "tagging", "Ada met Bo"],
        "forecast": ["predict", "forecast", "--input", "series.csv"],
        "regression": ["evaluate", "regression"],
    }[task]


def commands(task):
    return [command(task), ["evaluate", task]]


def edit(path, change):
    """Put ``change`` into a JSON file: a function of its value, or keys and values by dots."""
    found = json.loads(path.read_text("utf-8"))
    for keys, value in change.items():
        *above, last = keys.split(".")
        inner = found
        for key in above:
            inner = inner[key]
        inner[last] = value(inner[last]) if callable(value) else value
    path.write_text(json.dumps(found), "utf-8")


class Bomb:
    """What writes a file when it is unpickled."""

    def __init__(self, target):
        self.target = str(target)

    def __reduce__(self):
        return Path.write_text, (Path(self.target), "ran")


def as_pickle(bomb):
    return pickle.dumps(bomb)


def as_old_pickle(bomb):
    return pickle.dumps(bomb, protocol=0)


def as_torch(bomb):
    stream = io.BytesIO()
    torch.save({"model": bomb}, stream)
    return stream.getvalue()


def as_numpy(bomb):
    stream = io.BytesIO()
    np.save(stream, np.array([bomb], dtype=object), allow_pickle=True)
    return stream.getvalue()


def as_archive(bomb):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(bomb))
    return stream.getvalue()


PACKINGS = [as_pickle, as_old_pickle, as_torch, as_numpy, as_archive]


def test_the_bomb_is_live(tmp_path):
    for number, pack in enumerate((as_pickle, as_old_pickle)):
        target = tmp_path / str(number)
        pickle.loads(pack(Bomb(target)))
        assert target.read_text() == "ran"
    torch.load(io.BytesIO(as_torch(Bomb(tmp_path / "t"))), weights_only=False)
    assert (tmp_path / "t").exists()


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize(("task", "name"), FILES)
def test_a_pickle_in_any_file_runs_nothing(task, name, pack, home, birnn):
    target = home / "executed"
    (home / task / name).write_bytes(pack(Bomb(target)))
    for words in commands(task):
        assert name in birnn(*words).refusal() or task in birnn(*words).refusal()
    assert not target.exists()


@pytest.mark.parametrize("pack", PACKINGS)
@pytest.mark.parametrize("task", TASKS)
def test_pickles_in_every_file_and_beside_them_run_nothing(task, pack, home, birnn):
    target = home / "executed"
    for path in (home / task).iterdir():
        path.write_bytes(pack(Bomb(target)))
    for extra in ("model.pt", "pytorch_model.bin", "info.pkl", "__init__.py", "tokenizer.py"):
        (home / task / extra).write_bytes(pack(Bomb(target)))
    for words in commands(task):
        birnn(*words).refusal()
    assert not target.exists()


@pytest.mark.parametrize("pack", PACKINGS)
def test_metrics_that_are_a_pickle_are_refused_or_not_read(pack, home, birnn):
    (home / "sentiment/metrics.json").write_bytes(pack(Bomb(home / "executed")))
    birnn("evaluate", "sentiment").refusal()
    assert birnn(*command("sentiment")).code == 0  # predict has no use for it
    assert not (home / "executed").exists()


@pytest.mark.parametrize("name", ["x.pkl", "x.pt", "x.npy", "x.arrow", "x.parquet", "x.csv", "x"])
@pytest.mark.parametrize("task", TASKS)
def test_data_that_a_config_names_is_not_unpickled(task, name, home, birnn):
    (home / name).write_bytes(as_pickle(Bomb(home / "executed")))
    edit(home / task / "config.json", {"data.data": name})
    birnn("evaluate", task).refusal()
    assert not (home / "executed").exists()


@pytest.mark.parametrize("task", TASKS)
def test_a_folder_that_a_config_names_runs_no_script(task, home, birnn):
    script = f"open({str(home / 'executed')!r}, 'w').write('ran')\n"
    (home / "set").mkdir()
    for name in ("set.py", "__init__.py", "dataset_infos.py"):
        (home / "set" / name).write_text(script)
    (home / "set/state.pkl").write_bytes(as_pickle(Bomb(home / "executed")))
    (home / "set/data.arrow").write_bytes(as_pickle(Bomb(home / "executed")))
    (home / "set/state.json").write_text('{"_data_files": [{"filename": "data.arrow"}]}')
    (home / "set/dataset_info.json").write_text("{}")
    edit(home / task / "config.json", {"data.data": "set"})
    birnn("evaluate", task).refusal()
    assert not (home / "executed").exists()


@pytest.mark.parametrize("task", ["sentiment", "tagging", "forecast"])
def test_predict_reads_no_path_that_a_config_names(task, home, birnn, monkeypatch):
    os.mkfifo(home / "pipe")  # whoever opens it waits for ever
    keys = {"data.data": "pipe", "train.device": "cuda:77", "train.threads": 1024}
    if task != "forecast":
        keys["data.vectors"] = "pipe"
    edit(home / task / "config.json", keys)
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("a connection"))
    assert birnn(*command(task)).code == 0


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "/dev/stdin", ".", "\x1b[31m", "a\nb"])
def test_evaluate_of_odd_data_is_one_line(task, name, home, birnn):
    os.mkfifo(home / "pipe")
    edit(home / task / "config.json", {"data.data": name})
    assert "\x1b" not in birnn("evaluate", task).refusal()


# What stands in a file's place.

CONFIG_VALUES = [
    {"encoder.hidden_size": 10**12}, {"encoder.hidden_size": -1}, {"encoder.hidden_size": 8.0},
    {"encoder.hidden_size": "8"}, {"encoder.hidden_size": True}, {"encoder.hidden_size": None},
    {"encoder.hidden_size": 8192, "encoder.layers": 64}, {"encoder.layers": 10**9},
    {"encoder.layers": 0}, {"encoder.layers": 10**4000}, {"encoder.layers": [1]},
    {"encoder.layers": 64}, {"encoder.dropout": 1e308}, {"encoder.encoder": "os:system"},
    {"encoder.encoder": "../x"}, {"encoder.encoder": ["bigru"]}, {"encoder": 1}, {"encoder": []},
    {"encoder.__class__": "x"}, {"__class__": {"__reduce__": 1}}, {"encoder": {"": {"": {}}}},
    {"train.threads": 10**9}, {"train.engine": "cc; touch executed"}, {"train.seed": -1},
    {"train.batch_size": 0}, {"train.batch_size": "a" * 10**6}, {"train.device": "\0"},
    {"task": "__main__"}, {"task": ["sentiment"]}, {"task": {}}, {"task": None},
    {"format": 10**30}, {"format": [[]]}, {"data": None}, {"data.data": 7}, {"data.x\x1b[31m": 7},
]  # fmt: skip


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("change", CONFIG_VALUES, ids=lambda change: str(change)[:50])
def test_a_hostile_config_is_one_line(task, change, home, birnn):
    edit(home / task / "config.json", change)
    for words in commands(task):
        line = birnn(*words).refusal()
        assert len(line) < 1000
        assert "\x1b" not in line
    assert not (home / "executed").exists()


CONTENTS = {
    "nothing": b"",
    "a brace": b"{",
    "half": b'{"format": 1, "task": "sent',
    "NUL": b"\0" * 100,
    "not UTF-8": b'{"\xff": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "deep lists": b"[" * 10**6,
    "deep objects": b'{"a":' * 10**5 + b"1" + b"}" * 10**5,
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "digits": b"9" * 10**5,
    "NaN": b"NaN",
    "a key twice": b'{"format": 1, "format": 1, "task": "sentiment"}',
    "a million numbers": b"[" + b"1," * 10**6 + b"1]",
    "a million objects": b"[" + b"{}," * 10**6 + b"{}]",
}


@pytest.mark.parametrize(("task", "name"), FILES)
@pytest.mark.parametrize("kind", CONTENTS)
def test_foreign_content_is_one_line(task, name, kind, home, birnn):
    (home / task / name).write_bytes(CONTENTS[kind])
    assert len(birnn(*command(task)).refusal()) < 1000


def a_pipe(path):
    os.mkfifo(path)


def zeros(path):
    path.symlink_to("/dev/zero")


def random_bytes(path):
    path.symlink_to("/dev/urandom")


def a_folder(path):
    path.mkdir()


def itself(path):
    path.symlink_to(path)


def nowhere(path):
    path.symlink_to(path.parent / "nothing")


def elsewhere(path):
    outside = path.parent.parent / "outside"
    outside.write_text("{}")
    path.symlink_to(outside)


def upwards(path):
    path.symlink_to("../../../../../../../../../../etc/passwd")


def a_linked_folder(path):
    path.symlink_to("/")


def a_pipe_behind_a_link(path):
    os.mkfifo(path.parent / "pipe")
    path.symlink_to("pipe")


PLACES = [
    a_pipe, zeros, random_bytes, a_folder, itself, nowhere, elsewhere, upwards, a_linked_folder,
    a_pipe_behind_a_link,
]  # fmt: skip


@pytest.mark.parametrize(("task", "name"), FILES)
@pytest.mark.parametrize("put", PLACES)
def test_what_is_no_file_of_the_folder_is_one_line(task, name, put, home, birnn):
    (home / task / name).unlink()
    put(home / task / name)
    assert name in birnn(*command(task)).refusal()


@pytest.mark.parametrize("task", ["sentiment", "tagging"])
def test_metrics_in_no_file_are_one_line_or_not_read(task, home, birnn):
    (home / task / "metrics.json").unlink()
    os.mkfifo(home / task / "metrics.json")
    assert birnn("evaluate", task).code in (0, 2)


def test_links_within_the_folder_and_into_the_hub_cache_are_read(home, birnn):
    run = home / "models--x/snapshots/abc"
    blobs = home / "models--x/blobs"
    blobs.mkdir(parents=True)
    run.mkdir(parents=True)
    for number, path in enumerate(sorted((home / "sentiment").iterdir())):
        path.rename(blobs / str(number))
        (run / path.name).symlink_to(f"../../blobs/{number}")
    assert birnn("predict", run, "a warm film").code == 0
    (run / "config.json").rename(run / "own.json")
    (run / "config.json").symlink_to("own.json")
    assert birnn("predict", run, "a warm film").code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize(("task", "name"), FILES)
def test_a_file_that_may_not_be_read_is_one_line(task, name, home, birnn):
    (home / task / name).chmod(0)
    assert name in birnn(*command(task)).refusal()


INFO = [
    ("sentiment", "labels.json", []), ("sentiment", "labels.json", ["x"]),
    ("sentiment", "labels.json", ["x", "x"]), ("sentiment", "labels.json", ["x", 1]),
    ("sentiment", "labels.json", ["x", "y", "z"]), ("sentiment", "labels.json", {"x": 1}),
    ("sentiment", "labels.json", ["x", "\ud800"]), ("sentiment", "labels.json", None),
    ("sentiment", "labels.json", [str(i) for i in range(10**5)]),
    ("sentiment", "vocabulary.json", {"words": ["<pad>", 7]}),
    ("sentiment", "vocabulary.json", {"words": ["<pad>"]}),
    ("sentiment", "vocabulary.json", {"words": "abc"}),
    ("sentiment", "vocabulary.json", {"vector_size": 10**12}),
    ("sentiment", "vocabulary.json", {"vector_size": 10}),
    ("sentiment", "vocabulary.json", {"vector_words": ["a", "b"], "vector_size": -1}),
    ("sentiment", "vocabulary.json", {"members": 10**9}),
    ("sentiment", "vocabulary.json", {"members": 16}),
    ("sentiment", "vocabulary.json", {"members": 0}),
    ("sentiment", "ngrams.json", {"texts": 10**400}), ("sentiment", "ngrams.json", {"words": []}),
    ("sentiment", "ngrams.json", {"chars": {"x": -1}}), ("sentiment", "ngrams.json", {"texts": 0}),
    ("sentiment", "ngrams.json", {"chars": {"x": 1.5}}),
    ("tagging", "labels.json", {"scheme": "pickle"}), ("tagging", "labels.json", {"scheme": []}),
    ("tagging", "labels.json", {"labels": []}), ("tagging", "labels.json", {"labels": ["O", "O"]}),
    ("tagging", "labels.json", {"labels": [f"B-{i}" for i in range(10**5)]}),
    ("tagging", "labels.json", {"labels": {"O": 1}}), ("tagging", "labels.json", ["O"]),
    ("tagging", "vocabulary.json", {"spans": [["a"]]}),
    ("tagging", "vocabulary.json", {"spans": 3}),
    ("tagging", "vocabulary.json", {"characters": [["a"]]}),
    ("tagging", "vocabulary.json", {"affixes": None}),
    ("tagging", "vocabulary.json", {"members": True}),
    ("forecast", "series.json", {"names": []}), ("forecast", "series.json", {"names": [1, 2]}),
    ("forecast", "series.json", {"names": ["x"] * 2}),
    ("forecast", "series.json", {"shape.lookback": 10**12}),
    ("forecast", "series.json", {"shape.horizon": 10**6, "shape.lookback": 10**6}),
    ("forecast", "series.json", {"shape.segment": 0}),
    ("forecast", "series.json", {"shape.extra": 1}), ("forecast", "series.json", {"shape": []}),
    ("forecast", "series.json", {"season": 10**30}), ("forecast", "series.json", {"groups": 3}),
    ("forecast", "series.json", {"members": 17}), ("forecast", "series.json", {"masked": 1}),
    ("forecast", "series.json", {"scaling.scale": [0, 1]}),
    ("forecast", "series.json", {"scaling.scale": [[1, 1]] * 9}),
    ("forecast", "series.json", {"scaling.shift": ["x", "y"]}),
    ("forecast", "series.json", {"scaling.shift": [10**400, 1]}),
    ("forecast", "series.json", {"levels": [0.5] * 10**5}),
    ("forecast", "series.json", {"levels": [2]}), ("forecast", "series.json", {"levels": "50"}),
    ("forecast", "series.json", {"normalise": "eval"}),
    ("forecast", "series.json", {"clock.frequency": "os"}),
    ("forecast", "series.json", {"clock.frequency": "D" * 10**5}),
    ("forecast", "series.json", {"clock.frequency": f"{10**30}D"}),
    ("forecast", "series.json", {"clock.step": -5}),
    ("forecast", "series.json", {"clock.zone": "dateutil//dev/zero"}),
    ("forecast", "series.json", {"clock.zone": "../../../../etc/passwd"}),
    ("forecast", "series.json", {"clock.zone": "/etc/localtime"}),
    ("forecast", "series.json", {"clock": None}),
    ("regression", "scaler.json", {"features": []}), ("regression", "scaler.json", {"features": 1}),
    ("regression", "scaler.json", {"features": ["a"] * 2}),
    ("regression", "scaler.json", {"shift": 3.0}),
    ("regression", "scaler.json", {"scale": [0] * 3}),
    ("regression", "scaler.json", {"scale": [[1] * 3]}),
    ("regression", "scaler.json", {"shift": ["a"] * 3}), ("regression", "scaler.json", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("task", "name", "change"), INFO, ids=[f"{t}-{str(c)[:40]}" for t, _, c in INFO]
)
def test_hostile_info_is_one_line(task, name, change, home, birnn):
    path = home / task / name
    if isinstance(change, dict) and change != {"x": 1}:
        edit(path, change)
    else:
        path.write_text(json.dumps(change))
    for words in commands(task):
        assert len(birnn(*words).refusal()) < 1000


def rebuild(path, change, payload=None):
    """Change the header of a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    rest = data[8 + length :] if payload is None else payload
    path.write_bytes(struct.pack("<Q", len(text)) + text + rest)


def first(header):
    return header[sorted(name for name in header if name != "__metadata__")[0]]


HEADERS = {
    "10^15 bytes": lambda h: first(h).update(data_offsets=[0, 10**15]),
    "10^15 rows": lambda h: first(h).update(shape=[10**15]),
    "a product that wraps around": lambda h: first(h).update(shape=[2**32, 2**32]),
    "negative": lambda h: first(h).update(shape=[-1]),
    "backwards": lambda h: first(h).update(data_offsets=[8, 0]),
    "overlapping": lambda h: [part.update(data_offsets=[0, 4]) for part in h.values()],
    "another type": lambda h: first(h).update(dtype="F64"),
    "an unknown type": lambda h: first(h).update(dtype="object"),
    "text for a shape": lambda h: first(h).update(shape="x"),
    "no shape": lambda h: first(h).pop("shape"),
    "a tensor more": lambda h: h.update(x={"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}),
    "a name of control characters": lambda h: h.update({"\x1b[31m": h.pop(next(iter(h)))}),
    "a long name": lambda h: h.update({"x" * 10**6: h.pop(next(iter(h)))}),
    "none": lambda h: h.clear(),
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("kind", HEADERS)
def test_hostile_weights_are_one_line(task, kind, home, birnn):
    rebuild(home / task / "model.safetensors", HEADERS[kind])
    line = birnn(*command(task)).refusal()
    assert len(line) < 1000
    assert "\x1b" not in line


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**40, 2**63, 2**64 - 1])
def test_a_header_of_any_announced_length_is_one_line(size, home, birnn):
    path = home / "sentiment/model.safetensors"
    path.write_bytes(struct.pack("<Q", size) + path.read_bytes()[8:])
    birnn(*command("sentiment")).refusal()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_weights_that_are_not_finite_are_one_line(task, value, home, birnn):
    path = home / task / "model.safetensors"
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    room = (len(data) - start) // 4 * 4
    path.write_bytes(data[:start] + np.full(room // 4, value, np.float32).tobytes())
    birnn(*command(task)).refusal()


def test_a_forecaster_of_an_unknown_number_is_one_line(home, birnn):
    from safetensors.torch import load_file, save_file

    path = home / "forecast/model.safetensors"
    for number in (5, -1, 2**62):
        save_file({**load_file(path), "forecaster": torch.tensor(number)}, path)
        assert "forecaster" in birnn(*command("forecast")).refusal()


# Memory: in a process of its own.


def grown(home, words):
    """Run a command; how many bytes it had at most, its exit code and its message."""
    # Not getrusage: on Linux a process inherits the peak of the one that started it.
    program = (
        "import re, sys\nfrom birnn import cli\n"
        f"code = cli.main({words!r})\n"
        "peak = re.search(r'VmHWM:\\s*(\\d+) kB', open('/proc/self/status').read())\n"
        "print(code, 1024 * int(peak.group(1)))\n"
    )
    if not Path("/proc/self/status").is_file():
        pytest.skip("this system does not tell a process's peak")
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=home, env=path, capture_output=True, text=True,
        timeout=60, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    code, size = done.stdout.split()[-2:]
    return int(code), int(size), done.stderr


def wide_config(home):
    """A config of 8192 units in 64 layers, and weights to match that are one great hole."""
    from birnn.config import EncoderConfig
    from birnn.nn.encoders import build_encoder

    edit(
        home / "sentiment/config.json",
        {"encoder.hidden_size": 8192, "encoder.layers": 4},
    )
    path = home / "sentiment/model.safetensors"
    with torch.device("meta"):
        encoder = build_encoder(7, EncoderConfig(hidden_size=8192, layers=4))
    header, end = {}, 0
    for name, tensor in encoder.state_dict().items():
        size = tensor.numel() * 4
        header[f"members.0.encoder.{name}"] = {
            "dtype": "F32", "shape": list(tensor.shape), "data_offsets": [end, end + size],
        }  # fmt: skip
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text)
    os.truncate(path, 8 + len(text) + end)


def many_objects(home):
    (home / "sentiment/vocabulary.json").write_bytes(b"[" + b"{}," * 33_000_000 + b"{}]")


def great_hole(home):
    os.truncate(home / "sentiment/vocabulary.json", 10**10)


def one_long_word(home):
    (home / "sentiment/labels.json").write_bytes(b'["' + b"a" * 10**8 + '\U0001f600"]'.encode())


def wide_header(home):
    header = b'{"a":[' + b"[]," * 5_000_000 + b"[]]}"
    path = home / "sentiment/model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def many_labels(home):
    words = ",".join(f'"B-{i}"' for i in range(10**6))
    (home / "sentiment/labels.json").write_text(f"[{words}]")


@pytest.mark.parametrize(
    "spoil", [wide_config, many_objects, great_hole, one_long_word, wide_header, many_labels]
)
def test_hostile_folders_take_no_gigabyte(spoil, home):
    spoil(home)
    code, size, message = grown(home, ["predict", "sentiment", "a warm film"])
    assert code == 2
    assert len(message.splitlines()) == 1
    assert "Traceback" not in message
    assert size < 10**9


@pytest.mark.parametrize(
    "change",
    [{"data.sequences": 10**12}, {"data.length": 10**12},
     {"data.length": 10**9, "data.features": 8}],
    ids=str,
)  # fmt: skip
def test_synthetic_data_that_a_config_asks_for_is_bounded(change, home, birnn):
    edit(home / "regression/config.json", change)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    birnn("evaluate", "regression").refusal()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10**6


def test_the_estimate_of_memory_is_no_less_than_what_python_takes():
    import tracemalloc

    cases = [
        "[" + "{}," * 20_000 + "{}]", "[" + "[]," * 20_000 + "[]]", json.dumps(["ab"] * 20_000),
        json.dumps({str(i): i for i in range(20_000)}),
        json.dumps([1.5 + i for i in range(20_000)]),
        "[" + '{"a":{}},' * 20_000 + "1]", json.dumps(["é" * 5000] * 40, ensure_ascii=False),
    ]  # fmt: skip
    for text in cases:
        data = text.encode()
        tracemalloc.start()
        kept = json.loads(data.decode())
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert kept is not None
        assert json_memory(data) >= top, text[:30]


def test_a_larger_limit_can_be_set(home, birnn, monkeypatch):
    monkeypatch.setenv("BIRNN_RUN_MEMORY", "1")
    filler = {f"k{i}": 1 for i in range(20_000)}
    (home / "sentiment/ngrams.json").write_text(json.dumps({"texts": 1, "words": filler}))
    assert "BIRNN_RUN_MEMORY" in birnn(*command("sentiment")).refusal()
    monkeypatch.setenv("BIRNN_RUN_MEMORY", "2000")
    assert memory_limit() == 2000 << 20
    monkeypatch.setenv("BIRNN_RUN_MEMORY", "much")
    assert "BIRNN_RUN_MEMORY" in birnn(*command("sentiment")).refusal()
