"""What is fuzzed: every reader of a stranger's bytes, and valid inputs that are bent out of shape.

A target is called with bytes. Whatever it raises but a :class:`birnn.errors.BirnnError` is a bug.
"""

import atexit
import csv
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

# Set before datasets is imported: no network, and nothing of the user's cache.
CACHE = tempfile.mkdtemp(prefix="birnn-fuzz-cache-")
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
os.environ.update(HF_HOME=CACHE, HF_HUB_OFFLINE="1")

from birnn import tasks  # noqa: E402

HERE = Path(__file__).resolve().parent.parent
RUNS = HERE / "tests/fixtures/runs"
VERSION = "2026-11-24-07964cf"
TASKS = [task for task in tasks.TASKS if (RUNS / f"{VERSION}-{task}").is_dir()]

CSV = b'text,label\n"a, b",good\nc d,bad\n"e ""f""\ng",good\n'
CONLL = b"-DOCSTART- -X- O\n\n# id 1\nAda NNP B-per\nmet VB O\nBo NNP B-per\n\nso RB O\n"
TABS = b"form\tner\nAda\tB-per\nBo\tI-per\n\n#tag\tO\n"
CONLLU = (
    b"# newdoc\n# text = Sie ist\n1\tSie\tsie\tPRON\tPP\tNumber=Sing|Case=Nom\t2\tnsubj\t_\tA=b\n"
    b"2-3\tzum\t_\t_\t_\t_\t_\t_\t_\t_\n2\tzu\tzu\tADP\t_\t_\t0\troot\t_\t_\n"
    b"3\tdem\tder\tDET\t_\t_\t2\tdet\t_\t_\n3.1\tx\tx\tX\t_\t_\t_\t_\t_\t_\n\n"
)
PLUS = b"# global.columns = ID FORM NER\n1\tAda\tB-per\n2\tBo\tI-per\n\n"
SPANS = (
    '{"text": "Ada met Bo", "spans": [[0, 3, "per"], [8, 10, "per"]]}\n'
    '{"text": "Zoë", "spans": [{"start": 0, "end": 3, "label": "per"}]}\n'
).encode()
TOKENS = b'{"tokens": ["Ada", "met"], "tags": ["B-per", "O"]}\n{"tokens": ["x"], "tags": ["O"]}\n'
LISTED = b'[["Ada met", {"entities": [[0, 3, "per"]]}], ["Bo", {"entities": []}]]'
VECTORS = b"2 3\na 1 2 3\nb 0.5 -1e3 2\nc d 1 2 3\n"
TOML = (
    b'epochs = 3\n[model]\nhidden-size = 8\npooling = "max+mean"\nwide = false\nmembers = 0x1\n'
    b'[data]\ntokenizer = "social"\nvectors = "none"\nlearning_rate = 1e-3\n'
)
STAMPS = (
    b"2024-01-01\n2024-01-02\n2024-01-03", b"2024-01-01T00:00:00+02:00\n2024-01-01T01:00:00+02:00",
    b"31.12.2020 01:00\n01.01.2021 02:00", b"2020-W01\n2020-W02", b"1999Q1\n1999Q2", b"1\n2\n3",
    b"1467331200\n1467334800", b"7/31/2016 1:00 PM\n7/1/2016 2:00 AM", b"Jan-99\nFeb-99",
)  # fmt: skip
WIDE = b"date,north,south\n" + b"".join(
    b"2024-%02d-%02d,%d,%d.5\n" % (1 + day // 28, 1 + day % 28, day % 7, day % 5)
    for day in range(40)
)
LONG = b"id,time,value,price\n" + b"".join(
    b"%s,2024-01-01 %02d:00,%d,%d\n" % (name, hour, hour % 6, hour)
    for name in (b"a", b"b")
    for hour in range(24)
)


@dataclass(frozen=True)
class Target:
    """A reader, valid inputs for it, and its share of all inputs."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    share: float


class Desk:
    """A folder, in memory where there is one, in which inputs become files."""

    def __init__(self) -> None:
        memory = "/dev/shm"  # noqa: S108 (the folder in it has a name of its own)
        home = memory if os.access(memory, os.W_OK) else None
        self.folder = Path(tempfile.mkdtemp(prefix="birnn-fuzz-", dir=home))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)

    def put(self, name: str, data: bytes) -> Path:
        """Write ``data`` as the file ``name``."""
        path = self.folder / name
        path.write_bytes(data)
        return path


def targets(desk: Desk) -> dict[str, Target]:
    """All targets; what they import is loaded here."""
    return {**plain_targets(desk), **tagged_targets(desk), **run_targets(desk)}


def plain_targets(desk: Desk) -> dict[str, Target]:
    """Tables, vectors, options, stamps and series."""
    import pyarrow as pa

    from birnn.config import apply
    from birnn.data.series.reader import read_panel
    from birnn.data.stamps.column import read_stamps
    from birnn.data.tables.csv_file import read_csv
    from birnn.data.tables.dialect import ReadOptions
    from birnn.data.tables.sources import load_tables
    from birnn.data.text.labelled import TextOptions, load_labelled
    from birnn.data.text.vectors import read_vectors
    from birnn.errors import DataError
    from birnn.tasks.forecast.data import series_options
    from birnn.tasks.forecast.options import ForecastConfig, ForecastData
    from birnn.tasks.sentiment.options import SentimentConfig
    from birnn.terminal.option_parsing import read_toml

    def table(data: bytes) -> None:
        read_csv(desk.put("x.csv", data), ReadOptions())

    def encoded(data: bytes) -> None:
        """The first line names the encoding."""
        name, _, rest = data.partition(b"\n")
        read_csv(desk.put("x.csv", rest), ReadOptions(name.decode("latin-1")))

    def toml(data: bytes) -> None:
        configs: Mapping[str, Any] = {"a": SentimentConfig(), "b": ForecastConfig()}
        found = read_toml(desk.put("x.toml", data), configs)
        for config in configs.values():
            apply(config, found)

    def stamps(data: bytes) -> None:
        cells = data.decode("utf-8", "replace").split("\n")
        read_stamps(pa.chunked_array([pa.array(cells)]), "date")

    def series(data: bytes) -> None:
        """A file of series but for the loading of its cells, which is slow and another target."""
        text = io.StringIO(data.decode("utf-8", "replace").replace("\r", ""))
        rows = [row for row in csv.reader(text) if row]
        names = rows[0] if rows else []
        rows = [row for row in rows[1:] if len(row) == len(names)]
        if not rows or len(set(names)) < len(names):
            raise DataError("no table")
        columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
        loaded: Any = pa.table(columns), "x", [], {}, np.arange(len(rows)) + 2
        reader = "birnn.data.series.reader"
        with patch(f"{reader}._tables"), patch(f"{reader}._loaded", lambda *_: loaded):
            read_panel("x", options, horizon=2)

    options = series_options(ForecastData())

    def labelled(data: bytes) -> None:
        load_labelled(TextOptions(str(desk.put("t.csv", data))))

    def loaded(data: bytes) -> None:
        suffix, rest = (".json", ".jsonl", ".parquet", ".tsv")[(data or b"\0")[0] % 4], data[1:]
        load_tables(str(desk.put(f"l{suffix}", rest)))

    rows = b"".join(b"text %d,%s\n" % (i, (b"good", b"bad")[i % 2]) for i in range(30))
    return {
        "csv": Target(table, (CSV, WIDE, LONG), 0.14),
        "encoding": Target(encoded, (b"latin-1\na\tb\n1\t2\n", b"utf-16\n" + CSV), 0.04),
        "vectors": Target(
            lambda data: read_vectors(desk.put("v.txt", data), "v", 1000), (VECTORS,), 0.1
        ),
        "toml": Target(toml, (TOML,), 0.1),
        "stamps": Target(stamps, STAMPS, 0.06),
        "series": Target(series, (WIDE, LONG), 0.06),
        "labelled": Target(labelled, (b"text,label\n" + rows,), 0.006),
        "tables": Target(loaded, (b"\0" + LISTED, b"\1" + SPANS, b"\1" + TOKENS), 0.01),
    }


def tagged_targets(desk: Desk) -> dict[str, Target]:
    """Column files, treebanks, JSON with spans."""
    from birnn.data.tags.conll import read_columns
    from birnn.data.tags.conllu import read_conllu
    from birnn.data.tags.json_rows import read_rows
    from birnn.data.tags.json_spans import read_json
    from birnn.data.tags.loading import TagOptions, load_tagged

    def spans(data: bytes) -> None:
        path = desk.put("s.jsonl", data)
        read_rows(read_json(path, "utf-8-sig"), "s")

    def listed(data: bytes) -> None:
        path = desk.put("s.json", data)
        read_rows(read_json(path, "utf-8-sig"), "s")

    def whole(data: bytes) -> None:
        suffix, rest = (".conll", ".conllu", ".jsonl")[(data or b"\0")[0] % 3], data[1:]
        load_tagged(TagOptions(str(desk.put(f"w{suffix}", rest))))

    many = b"".join(b"Ada\tB-per\nw%d\tO\n\n" % i for i in range(12))
    return {
        "conll": Target(
            lambda data: read_columns(desk.put("c.conll", data), "utf-8-sig"), (CONLL, TABS), 0.1
        ),
        "conllu": Target(
            lambda data: read_conllu(desk.put("c.conllu", data), "utf-8-sig"), (CONLLU, PLUS), 0.1
        ),
        "jsonl_spans": Target(spans, (SPANS, TOKENS), 0.1),
        "json_spans": Target(listed, (LISTED,), 0.04),
        "tagged": Target(whole, (b"\0" + many, b"\1" + CONLLU * 4, b"\2" + SPANS * 4), 0.01),
    }


def run_targets(desk: Desk) -> dict[str, Target]:
    """JSON, configurations, weights, and whole run folders that are then used."""
    import torch
    from torch import nn

    from birnn.storage.untrusted import read_json
    from birnn.storage.weights import load_weights
    from birnn.tasks.forecast.options import ForecastConfig
    from birnn.tasks.regression.options import RegressionConfig
    from birnn.tasks.runs.folder import config_of
    from birnn.tasks.sentiment.options import SentimentConfig
    from birnn.tasks.tagging.options import TaggingConfig

    torch.set_num_threads(1)
    folders = {task: RUNS / f"{VERSION}-{task}" for task in TASKS}
    kinds = (SentimentConfig, TaggingConfig, ForecastConfig, RegressionConfig)

    def config(data: bytes) -> None:
        found = read_json(desk.put("config.json", data))
        if isinstance(found, dict):
            for kind in kinds:
                config_of(kind, found)

    def linear() -> nn.Module:
        return nn.Linear(3, 2)

    from safetensors.torch import save

    weights = save({"weight": torch.ones(2, 3), "bias": torch.zeros(2)})
    files = [
        (task, path.name)
        for task in TASKS
        for path in sorted(folders[task].iterdir())
        if path.suffix in (".json", ".safetensors") and path.name != "expected.json"
    ]
    whole = {(task, name): (folders[task] / name).read_bytes() for task, name in files}
    history = desk.put("history.csv", WIDE)

    def run_folder(data: bytes) -> None:
        """The first byte says which file of which run the rest takes the place of."""
        task, name = files[(data or b"\0")[0] % len(files)]
        folder = desk.folder / task
        folder.mkdir(exist_ok=True)
        for (other, kept), content in whole.items():
            if other == task:
                (folder / kept).write_bytes(data[1:] if kept == name else content)
        use(folder, history)

    return {
        "json": Target(
            lambda data: read_json(desk.put("x.json", data)),
            (b'{"a": [1, 2.5, null, true, "\\u00e9"], "b": {}}',), 0.08,
        ),
        "config": Target(
            config, tuple(whole[task, "config.json"] for task in TASKS), 0.1
        ),
        "weights": Target(
            lambda data: load_weights(desk.put("w.safetensors", data), linear), (weights,), 0.06
        ),
        "run_folder": Target(
            run_folder, tuple(bytes([i]) + whole[key] for i, key in enumerate(files)), 0.09
        ),
    }  # fmt: skip


def use(folder: Path, history: Path) -> None:
    """Predict with a run of any task; one that answers no request is evaluated."""
    from birnn.tasks.runs.evaluation import evaluate
    from birnn.tasks.runs.folder import load_run, read_config
    from birnn.tasks.serving.predictor import serve
    from birnn.tasks.serving.request import Request

    task = read_config(folder)["task"]
    if task == "forecast":
        serve(folder, Request(input=str(history)))
    elif task == "regression":
        evaluate(load_run(folder), "", "test")
    else:
        asked = Request(["a warm film by Ada", ""], best=2 if task == "tagging" else 0)
        serve(folder, asked)
