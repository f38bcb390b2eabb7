"""Exported graphs and their predict.py against the run that they come from."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from birnn.nn.levels import running_max
from birnn.registry import ENCODERS
from birnn.tasks import TASKS
from birnn.tasks.export import (
    check_graph as onnx_check,
)
from birnn.tasks.export import (
    onnx as onnx_export,
)
from birnn.tasks.export import (
    session as onnx_session,
)
from birnn.tasks.export.graph import padded_rows
from birnn.tasks.forecast.graph import forecasts_apart, write_sample
from birnn.tasks.runs.folder import load_run, write_model
from birnn.tasks.sentiment.graph import labels_apart
from birnn.tasks.sentiment.serve import predict_texts
from birnn.tasks.serving.predictor import serve
from birnn.tasks.serving.request import Request
from birnn.tasks.tagging.graph import tags_apart
from birnn.tasks.tagging.serve import tag_texts

import contract
from tiny_parts import FILLERS, WORDS

RUNS = [
    pytest.param((task, variant, encoder), id=f"{task}-{variant}-{encoder}")
    for task in (name for name, spec in TASKS.items() if spec.graph)
    for variant in contract.variants(task)
    for encoder in ENCODERS
]
# What a run keeps of the file that it was trained on.
WIDE = {"layout": "wide", "time_column": "date", "id_column": "", "targets": ["north", "south"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``made(task, variant, encoder, …)``: a run with weights that all matter, made once."""

    @cache
    def make(task: str, variant: str, encoder: str, **options: object) -> Path:
        home = tmp_path_factory.mktemp(task)
        case = contract.with_encoder(contract.prepare(task, variant, home), encoder, **options)
        model = contract.trained(case)
        if task == "forecast":
            model.forecaster.zero_()
        (home / "run").mkdir()
        write_model(home / "run", case.task, case.data.info, model.eval())
        if variant == "wide":
            found = {"data": {"inspection": WIDE}}
            (home / "run" / "metrics.json").write_text(json.dumps(found))
        return home / "run"

    return make


@pytest.fixture(scope="module")
def exported(made: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory):
    """``exported(task, variant, encoder)``: an export of that run, made once."""

    @cache
    def make(task: str, variant: str, encoder: str) -> Path:
        out = tmp_path_factory.mktemp("exports") / "out"
        run = made(task, variant, encoder)
        onnx_export.export_onnx(
            run, str(out), overwrite=False, int8=False, data="", split="validation"
        )
        return out

    return make


@pytest.mark.parametrize("which", RUNS)
def test_graph_equals_the_model(which: tuple[str, str, str], exported) -> None:
    out = exported(*which)
    assert {p.name for p in out.iterdir()} == {
        "model.onnx", "model.json", "predict.py", "README.md", "check.json",
    }  # fmt: skip
    found = json.loads((out / "check.json").read_text())
    assert found["graph"]["largest_difference"] < 1e-5
    assert [64, onnx_check.shapes(500)[-1][1]] in found["graph"]["shapes"] or which[0] == "forecast"
    assert found["predict"]["compared"] == (which[:2] != ("forecast", "panel"))


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_other_encoders_export(norm: str, encoder: str, made, tmp_path: Path) -> None:
    run = made("sentiment", "plain", encoder, norm=norm, bidirectional=norm == "none", layers=3)
    found = onnx_export.export_onnx(
        run, str(tmp_path / "out"), overwrite=False, int8=False, data="", split="validation"
    )
    assert found.check["graph"]["largest_difference"] < 1e-5


def test_sizes_are_free_in_the_graph(exported) -> None:
    """No axis of the batch, of time or of words is frozen to what was traced."""
    session = onnxruntime.InferenceSession(
        str(exported("tagging", "raw", "bigru") / "model.onnx"), providers=["CPUExecutionProvider"]
    )
    shapes = {part.name: part.shape for part in [*session.get_inputs(), *session.get_outputs()]}
    assert shapes["types"] == shapes["scores"][:2] == ["batch", "time"]
    assert shapes["word_ids"] == ["words"]


def texts_of(lengths: list[int], seed: int) -> list[str]:
    generator = random.Random(seed)
    words = [*FILLERS, *(w for row in WORDS.values() for w in row), "Ada", "Bo"]
    words += ["unheard", "isn't", "http://t.co/x", ":)", "#tag", "ÄÖ", "!!!", "3.5km"]
    return [" ".join(generator.choices(words, k=n)) for n in lengths]


@pytest.mark.parametrize("task", ["sentiment", "tagging"])
@pytest.mark.parametrize("size", [1, 2, 3, 64])
def test_unseen_texts_are_answered_alike(task: str, size: int, exported, made) -> None:
    which = (task, contract.variants(task)[0], "bilstm")
    texts = texts_of([1, 500, *np.geomspace(1, 500, 62).astype(int)][:size], size)
    module = pytest.importorskip(f"birnn.tasks.{task}.predict_script")
    found = module.Predictor(exported(*which)).predict([*texts, ""])
    if task == "sentiment":
        wanted = predict_texts(made(*which), [*texts, ""]).records
        assert [row["label"] for row in found] == [row["label"] for row in wanted]
        assert max(map(labels_apart, found, wanted)) < 1e-4
        shares = sum(weight for _, weight in found[0]["attention"])
        assert shares == pytest.approx(1, abs=1e-5)
    else:
        wanted = tag_texts(made(*which), [*texts, ""]).records
        assert max(map(tags_apart, found, wanted)) < 1e-4


def test_forecasts_are_alike(exported, made, tmp_path: Path) -> None:
    which = ("forecast", "wide", "bigru")
    run = load_run(made(*which))
    module = pytest.importorskip("birnn.tasks.forecast.predict_script")
    ready = module.Predictor(exported(*which))
    write_sample(tmp_path / "new.csv", run, ready.card["columns"])
    found = ready.predict(tmp_path / "new.csv")
    wanted = serve(run.folder, Request(input=str(tmp_path / "new.csv"))).records
    scales = dict(zip(run.info.names, run.info.scaling.scale, strict=True))
    assert len(found) == 10
    assert "lower_50" in found[0]
    assert forecasts_apart(found, wanted, scales) < 1e-4


ISOLATED = """
import importlib.abc, runpy, sys
class Closed(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        shut = ("torch", "birnn", "tasks", "data", "pandas", "sklearn", "scipy", "onnx", "datasets")
        if name.split(".")[0] in shut:
            raise ImportError(f"{name} must not be needed")
sys.meta_path.insert(0, Closed())
script, sys.argv = sys.argv[1], sys.argv[1:]
try:
    runpy.run_path(script, run_name="__main__")
finally:
    assert "torch" not in sys.modules and "birnn" not in sys.modules
"""


def alone(folder: Path, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """``predict.py`` in an interpreter that finds numpy and ONNX Runtime and nothing of ours."""
    return subprocess.run(
        [sys.executable, "-I", "-c", ISOLATED, str(folder / "predict.py"), *arguments],
        capture_output=True, text=True, input=text, timeout=60, check=False, cwd=folder,
    )  # fmt: skip


def test_predict_runs_alone(exported, made) -> None:
    which = ("sentiment", "plain", "bigru")
    done = alone(exported(*which), "--json", text="a great film\n\ndull\n")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    wanted = predict_texts(made(*which), ["a great film", "", "dull"]).records
    assert max(map(labels_apart, found, wanted)) < 1e-4
    tagged = alone(exported("tagging", "spans", "bigru"), "the Ada Bo")
    assert [line.split("\t")[0] for line in tagged.stdout.splitlines()] == ["the", "Ada", "Bo", ""]


def test_predict_refuses_in_one_line(exported, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("date,north,south\nyesterday,1,2\n")
    for done, word in (
        (alone(exported("sentiment", "plain", "bigru"), "--model", "none.onnx", "x"), "none.onnx"),
        (alone(exported("sentiment", "plain", "bigru")), "nothing to predict"),
        (alone(exported("forecast", "wide", "bigru"), str(tmp_path / "bad.csv")), "yesterday"),
        (alone(exported("forecast", "panel", "bigru"), str(tmp_path / "bad.csv")), "covariates"),
    ):
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert word in done.stderr


def test_a_graph_that_differs_is_refused(
    birnn, run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = onnx_export.write_graph

    def damaged(path: Path, graph: onnx_export.Graph) -> None:
        with torch.no_grad():
            graph.plain.members[0].head.linear.bias[0] += 0.05
        write(path, graph)

    monkeypatch.setattr(onnx_export, "write_graph", damaged)
    before = set(run_copy.parent.iterdir())
    line = birnn("export", run_copy, "--onnx").refusal()
    assert "differ" in line
    assert set(run_copy.parent.iterdir()) == before


def test_a_predict_that_differs_is_refused(
    birnn, run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look-ups are compared too, not the graph alone."""
    module = pytest.importorskip("birnn.tasks.sentiment.predict_script")
    monkeypatch.setattr(module, "word_grams", lambda word, buckets: [0])
    assert "predict.py differs" in birnn("export", run_copy, "--onnx").refusal()
    assert not (run_copy.parent / "copy-onnx").exists()


def test_the_command_writes_measures_and_keeps(birnn, run_copy: Path) -> None:
    told = birnn("export", run_copy, "--onnx", "--int8")
    assert told.code == 0, told.err
    out = run_copy.parent / "copy-onnx"
    check = json.loads((out / "check.json").read_text())
    assert "(validation)" in check["int8"]["data"]
    assert set(check["int8"]["scores"]["accuracy"]) == {"fp32", "int8"}
    assert "int8" in (out / "README.md").read_text()
    assert "model.int8.onnx" in told.out
    assert "already" in birnn("export", run_copy, "--onnx").refusal()
    (out / "notes.txt").write_text("mine")
    assert "notes.txt" in birnn("export", run_copy, "--onnx", "--overwrite").refusal()
    (out / "notes.txt").unlink()
    assert birnn("export", run_copy, "--onnx", "--overwrite", "--json").code == 0
    assert not (out / "model.int8.onnx").exists()
    again = ("export", run_copy, "--onnx", "--overwrite", "--out")
    assert "not an export" in birnn(*again, run_copy).refusal()
    other = run_copy.parent / "other"
    other.mkdir()
    (other / "check.json").write_text('{"ok": true}')
    assert "not an export" in birnn(*again, other).refusal()
    assert (other / "check.json").is_file()


def test_refusals(birnn, made, run_copy: Path, tmp_path: Path) -> None:
    assert "--onnx" in birnn("export", run_copy).refusal()
    assert "no such run" in birnn("export", tmp_path / "none", "--onnx").refusal()
    assert "regression" in birnn("export", made("regression", "table", "bigru"), "--onnx").refusal()
    assert "--int8" in birnn("export", run_copy, "--onnx", "--data", "x.csv").refusal()
    config = json.loads((run_copy / "config.json").read_text())
    config["data"]["tokenizer"] = "revtok"
    (run_copy / "config.json").write_text(json.dumps(config))
    assert "tokenizer" in birnn("export", run_copy, "--onnx").refusal()


def test_without_the_extra_one_line_names_it(
    birnn, run_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(onnx_session, "import_module", missing)
    assert "birnn[onnx]" in birnn("export", run_copy, "--onnx").refusal()


def test_padded_rows_hold_what_bags_hold() -> None:
    rows, counts = padded_rows(torch.tensor([4, 5, 6]), torch.tensor([0, 0, 2]))
    assert counts.tolist() == [0, 2, 1]
    assert rows.tolist() == [[0, 0], [4, 5], [6, 0]]


def test_the_traced_running_maximum_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randint(-1, 50, (5, 37), generator=torch.Generator().manual_seed(0))
    wanted = running_max(x)
    monkeypatch.setattr("birnn.nn.levels.is_traced", lambda: True)
    assert torch.equal(running_max(x), wanted)
