"""``predict.py`` against birnn where runs differ most: schemes, tokenisers, clocks, intervals."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from birnn.data.tags.schemes import convert
from birnn.registry import resolve
from birnn.storage.files import write_json
from birnn.tasks import TASKS
from birnn.tasks.export import onnx as onnx_export
from birnn.tasks.export.graph import Graph
from birnn.tasks.forecast import predict_script as forecast
from birnn.tasks.forecast.graph import forecasts_apart
from birnn.tasks.forecast.options import ForecastConfig
from birnn.tasks.runs.folder import LoadedRun, load_run, write_model
from birnn.tasks.sentiment import predict_script as sentiment
from birnn.tasks.sentiment.graph import labels_apart
from birnn.tasks.sentiment.options import SentimentConfig
from birnn.tasks.sentiment.serve import predict_texts
from birnn.tasks.serving.predictor import serve
from birnn.tasks.serving.request import Request
from birnn.tasks.tagging import predict_script as tagging
from birnn.tasks.tagging.graph import tags_apart
from birnn.tasks.tagging.options import TaggingConfig
from birnn.tasks.tagging.serve import tag_texts

import contract

ODD = [
    "", " ", "\x00", "a\x00b Ada", "Ada, Bo and Cy: the film\x1fwas",
    "e\u0301te\u0301 was GREAT!!!",
    "👩‍👩‍👧‍👦 🇩🇪 Ada🎉Bo", "\u202eevil\u202c \ufeffAda", "ﬁlm ǅ ß İstanbul",
    "(really) \"a\" bit.<br />of; 3.5km",
    "don't I'd've the-film www.x.y @you #tag",
    "Ada " * 700, "x" * 5000, "\u0301", "Ada\u2028Bo\x85Cy",
    "𝔸da 𐐀𐐨 ²³½ ٣", "a-b 'tis ''", "Ada\tBo\r\nCy",
]  # fmt: skip
Config = SentimentConfig | TaggingConfig | ForecastConfig


def make_run(config: Config, name: str, home: Path, found: Any = None) -> LoadedRun:
    """A run with random weights in ``home``, and the part of its export that predict.py reads."""
    task = resolve({name: TASKS[name].task}, name, "task")(config)
    data = task.load()
    case = contract.Case(task, data, (0.0, 0.0))
    model = contract.trained(case)
    if name == "forecast":
        model.forecaster.zero_()
        model.radius.copy_(torch.rand_like(model.radius))
    if name == "tagging":  # the words decide, and few of them stand outside
        with torch.no_grad():
            for member in model.members:
                member.head.linear.weight *= 5
                member.head.linear.bias[data.info.labels.index("O")] -= 2
    (home / "run").mkdir()
    write_model(home / "run", task, data.info, model.eval())
    if found:
        (home / "run" / "metrics.json").write_text(json.dumps({"data": {"inspection": found}}))
    run = load_run(home / "run")
    graph: Graph = TASKS[name].part("graph")(run)
    (home / "out").mkdir()
    with onnx_export.quiet():
        onnx_export.write_graph(home / "out" / "model.onnx", graph)
    write_json(home / "out" / "model.json", {**graph.card(), "inputs": list(graph.inputs)})
    return run


def write_scheme(path: Path, scheme: str) -> None:
    """Persons and places of one to three tokens, some of which touch, in a scheme."""
    generator = np.random.default_rng(0)
    blocks = []
    for i in range(60):
        tokens, tags = [f"n{i}"], ["O"]
        for _ in range(generator.integers(1, 5)):
            kind, size = ["per", "loc, or\u00a0so"][generator.integers(2)], generator.integers(1, 4)
            tokens += generator.choice(["Ada", "Bo", "Cy"], size).tolist()
            tags += [f"B-{kind}", *[f"I-{kind}"] * (int(size) - 1)]
            if generator.random() < 0.5:
                tokens, tags = [*tokens, "the"], [*tags, "O"]
        spelled = convert(tags, "iob2", scheme)
        blocks.append("\n".join(f"{w}\t{t}" for w, t in zip(tokens, spelled, strict=True)))
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


@pytest.mark.parametrize("decoder", ["crf", "softmax"])
@pytest.mark.parametrize(
    ("scheme", "letters"), [("iob1", "none"), ("bilou", "bilstm"), ("iobes", "bigru")]
)
def test_schemes_are_spelled_alike(scheme: str, letters: str, decoder: str, tmp_path: Path) -> None:
    config = contract.tiny("tagging").spans(tmp_path)
    write_scheme(tmp_path / "spans.conll", scheme)
    data = replace(config.data, data=str(tmp_path / "spans.conll"))
    parts = replace(config.model, char_encoder=letters, decoder=decoder)
    run = make_run(replace(config, data=data, model=parts), "tagging", tmp_path)
    assert run.info.scheme == scheme
    generator = np.random.default_rng(4)
    texts = [*ODD, *(" ".join(generator.choice(["Ada", "Bo", "the", "n1"], n)) for n in (1, 9, 80))]
    found = tagging.Predictor(tmp_path / "out").predict(texts)
    wanted = tag_texts(run.folder, texts).records
    assert sum(len(record["spans"]) for record in wanted) > 8
    assert max(map(tags_apart, found, wanted)) < 1e-4


@pytest.mark.parametrize("tokenizer", ["basic_english", "whitespace", "social"])
def test_tokenizers_cut_alike(tokenizer: str, tmp_path: Path) -> None:
    config = contract.tiny("sentiment").plain(tmp_path)
    # Words and n-grams of the odd texts are known, so that each cut matters.
    with (tmp_path / "texts.csv").open("a", newline="", encoding="utf-8") as file:
        rows = [[f"{text} {i}", "go,od\nbad"] for text in ODD[2:] for i in range(3)]
        csv.writer(file).writerows(
            [text.replace("\x00", ""), label] for text, label in rows if len(text) < 4000
        )
    data = replace(config.data, tokenizer=tokenizer, max_length=50)
    run = make_run(replace(config, data=data), "sentiment", tmp_path)
    found = sentiment.Predictor(tmp_path / "out").predict(ODD)
    wanted = predict_texts(run.folder, ODD).records
    assert "go,od bad" in run.info.labels
    assert [row["label"] for row in found] == [row["label"] for row in wanted]
    assert max(map(labels_apart, found, wanted)) < 1e-4


CLOCKS = {
    "month-start": "MS", "month-end": "ME", "quarter": "QS", "quarter-end": "QE", "year": "YS",
    "two-months": "2MS", "business": "B", "week": "W-WED", "hour": "h", "15min": "15min",
}  # fmt: skip


def write_long(path: Path, frequency: str, sizes: tuple[int, ...], *, gaps: bool = False) -> None:
    """A long file of several series, the rows of which stand in no order."""
    generator = np.random.default_rng(5)
    rows = []
    for who, size in enumerate(sizes):
        stamps = pd.date_range("1999-01-01", periods=size, freq=frequency)
        values = 100 * who + generator.normal(size=size).cumsum()
        lost = set(generator.choice(np.arange(5, size - 5), 3)) if gaps else set()
        rows += [
            (f"s{who}", stamp.isoformat(sep=" ", timespec="minutes"), f"{value:.4f}")
            for t, (stamp, value) in enumerate(zip(stamps, values, strict=True))
            if t not in lost
        ]
    generator.shuffle(rows)
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("id", "time", "value"), *rows])


LONG = {"layout": "long", "time_column": "time", "id_column": "id", "targets": ["value"]}


def long_run(tmp_path: Path, frequency: str, sizes: tuple[int, ...], **parts: Any) -> LoadedRun:
    write_long(tmp_path / "series.csv", frequency, sizes)
    config = contract.tiny("forecast").panel(tmp_path)
    options = {"past": "", "future": "", "static": "", "calendar": "", **parts.pop("data", {})}
    data = replace(config.data, data=str(tmp_path / "series.csv"), season=4, **options)
    model = replace(config.model, **parts)
    return make_run(replace(config, data=data, model=model), "forecast", tmp_path, LONG)


def both(run: LoadedRun, path: Path) -> tuple[Any, Any, float]:
    """What predict.py and birnn forecast, and how far apart they are."""
    found = forecast.Predictor(run.folder.parent / "out").predict(path)
    wanted = serve(run.folder, Request(input=str(path))).records
    scales = dict(zip(run.info.names, run.info.scaling.scale, strict=True))
    return found, wanted, forecasts_apart(found, wanted, scales)


@pytest.mark.parametrize("frequency", CLOCKS.values(), ids=CLOCKS)
def test_clocks_are_read_alike(frequency: str, tmp_path: Path) -> None:
    """Stamps ahead, of series that are known, unknown, shorter than the lookback, and with gaps."""
    run = long_run(tmp_path, frequency, (60, 72, 66), levels="50", loss="mae")
    write_long(tmp_path / "new.csv", frequency, (40, 90, 31, 50, 9), gaps=False)
    write_long(tmp_path / "gaps.csv", frequency, (60, 70, 80, 62), gaps=True)
    for name in ("new.csv", "gaps.csv"):
        found, wanted, apart = both(run, tmp_path / name)
        assert len(found) >= 4 * run.info.shape.horizon
        assert [row["time"] for row in found] == [row["time"] for row in wanted]
        assert apart < 1e-4


@pytest.mark.parametrize("normalise", ["last", "scale", "season", "season_scale", "mean", "none"])
def test_normalisations_and_bounds(normalise: str, tmp_path: Path) -> None:
    run = long_run(
        tmp_path, "D", (60, 72, 66), normalise=normalise, min=-0.5, max=101.0,
        loss="quantile" if normalise in ("last", "season", "none") else "mse",
    )  # fmt: skip
    write_long(tmp_path / "new.csv", "D", (40, 90, 31, 50))
    found, _, apart = both(run, tmp_path / "new.csv")
    assert apart < 1e-4
    numbers = [row[key] for row in found for key in row if key not in ("id", "time")]
    assert min(numbers) == -0.5
    assert max(numbers) == 101.0


@pytest.mark.parametrize("loss", ["mae", "quantile"])
def test_each_series_has_its_radius(loss: str, tmp_path: Path) -> None:
    run = long_run(tmp_path, "D", (200, 220), loss=loss, levels="50", calibration_share=0.5)
    assert len(run.model.radius) == 2
    write_long(tmp_path / "new.csv", "D", (40, 90, 31))
    assert both(run, tmp_path / "new.csv")[2] < 1e-4


@pytest.mark.parametrize("missing", ["interpolate", "drop"])
def test_gaps_are_treated_alike(missing: str, tmp_path: Path) -> None:
    run = long_run(tmp_path, "D", (60, 72), data={"missing": missing}, levels="50")
    write_long(tmp_path / "gaps.csv", "D", (60, 70, 80), gaps=True)
    write_long(tmp_path / "whole.csv", "D", (60,))
    lines = (tmp_path / "whole.csv").read_text().replace("s0", "s9").splitlines()[1:]
    with (tmp_path / "gaps.csv").open("a") as file:
        file.write("\n".join(lines) + "\n")
    found, _, apart = both(run, tmp_path / "gaps.csv")
    assert len({row["id"] for row in found}) == (1 if missing == "drop" else 4)
    assert apart < 1e-4


@pytest.mark.parametrize("frequency", ["15min", "B", "QE", "h"])
def test_calendar_features_are_made_alike(frequency: str, tmp_path: Path) -> None:
    calendar = {"calendar": "minute,hour,weekday,monthday,month"}
    run = long_run(tmp_path, frequency, (60, 72, 66), data=calendar, levels="50", loss="mae")
    write_long(tmp_path / "new.csv", frequency, (40, 90, 31, 50, 9), gaps=False)
    assert both(run, tmp_path / "new.csv")[2] < 1e-4
