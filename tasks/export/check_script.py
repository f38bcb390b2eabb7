"""Does the exported ``predict.py`` answer as birnn does, from the raw input to the last number?"""

import csv
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from birnn.errors import BirnnError, CheckpointError
from birnn.tasks.export.check_graph import TOLERANCE
from birnn.tasks.forecast.serve import serve_forecast
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.request import Request
from birnn.tasks.serving.texts import predict_texts
from birnn.tasks.tagging.serve import tag_texts

LENGTHS = (1, 2, 7, 33, 128, 500)  # words of the texts
SERIES = 8  # that are forecast, of a long file
ROWS = 60  # of a series, at least
ODD = (
    "", "   ", "?", "It's GREAT!!! don't miss http://t.co/x :) #win @you",
    "I'd've said Dr. Müller-Lüdenscheidt's 3.5km run wasn't   bad…", "NAÏVE café — “quoted” <3",
    "日本語のテキスト", "👩‍👩‍👧‍👦 🇩🇪 ok", "a" * 200,
    "x\u200by\u00a0z&amp;co e.g. U.S. 1,000.50", "<unk> <pad>",
)  # fmt: skip


def check_ends(run: LoadedRun, made: Path) -> dict[str, Any]:
    """Compare the files in ``made`` with the run on made-up input.

    Returns:
        What was compared, and the largest difference.

    Raises:
        CheckpointError: they differ.
    """
    predictor = import_module(f"birnn.tasks.{run.task.name}.predict_script").Predictor
    if run.task.name == "forecast":
        return _check_series(run, made, predictor)
    texts = sample_texts(run)
    found = predictor(made).predict(texts)
    if run.task.name == "sentiment":
        wanted = predict_texts(run.folder, texts).records
        worst = max(map(labels_apart, found, wanted))
    else:
        wanted = tag_texts(run.folder, texts).records
        worst = max(map(tags_apart, found, wanted))
    return _accepted(run, worst, f"{len(texts)} texts of up to {max(LENGTHS)} words")


def _accepted(run: LoadedRun, worst: float, what: str) -> dict[str, Any]:
    if not worst <= TOLERANCE:
        raise CheckpointError(
            f"{run.folder}: the exported predict.py differs from the run by {worst:.3g} ({what}),"
            f" more than {TOLERANCE:g}; nothing was written"
        )
    return {"compared": True, "what": what, "largest_difference": worst}


def sample_texts(run: LoadedRun) -> list[str]:
    """Odd texts, and words of the run's own vocabulary in texts of many lengths."""
    lexicon = getattr(run.info.lexicon, "words", run.info.lexicon)
    lexicon = lexicon if hasattr(lexicon, "vector_words") else run.info.lexicon
    words = [*lexicon.words[2:], *lexicon.vector_words[:1000], "unheard-of", "Xyzzy", "#new"]
    generator = np.random.default_rng(2)
    texts = [
        " ".join(words[i] for i in generator.integers(0, len(words), size)) for size in LENGTHS
    ]
    return [*ODD, *texts, *(text.title() for text in texts[:4])]


def labels_apart(found: dict[str, Any], wanted: dict[str, Any]) -> float:
    """The largest difference of two records' probabilities; another label must be a tie."""
    one, other = found["probabilities"], wanted["probabilities"]
    if list(one) != list(other) or found["text"] != wanted["text"]:
        return float("inf")
    return float(max(abs(one[label] - other[label]) for label in one))


def tags_apart(found: dict[str, Any], wanted: dict[str, Any]) -> float:
    """The largest difference of two records' confidences; inf where tokens, tags or spans do."""
    worst = 0.0
    for kind in ("tokens", "spans"):
        ours, theirs = found.get(kind, []), wanted.get(kind, [])
        if len(ours) != len(theirs):
            return float("inf")
        for one, other in zip(ours, theirs, strict=True):
            if any(one[k] != other[k] for k in other if k != "confidence"):
                return float("inf")
            worst = max(worst, abs(one["confidence"] - other["confidence"]))
    return worst


def _check_series(run: LoadedRun, made: Path, predictor: Callable[[Path], Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / "sample.csv"
        try:
            ready = predictor(made)
            write_sample(path, run, ready.card["columns"])
            found = ready.predict(path)
            wanted = serve_forecast(run.folder, Request(input=str(path))).records
        except (ValueError, BirnnError) as error:
            reason = str(error).replace(f"{path}: ", "")
            return {
                "compared": False, "what": f"not compared: {reason}", "largest_difference": None,
            }  # fmt: skip
    worst = forecasts_apart(
        found, wanted, dict(zip(run.info.names, run.info.scaling.scale, strict=True))
    )
    return _accepted(run, worst, f"a file of {len({row['id'] for row in wanted})} series")


def forecasts_apart(
    found: list[dict[str, Any]], wanted: list[dict[str, Any]], scales: dict[str, float]
) -> float:
    """The largest difference in units of a series' scale; inf where ids or times differ."""
    worst = 0.0
    if len(found) != len(wanted):
        return float("inf")
    for one, other in zip(found, wanted, strict=True):
        if list(one) != list(other) or any(one[k] != other[k] for k in ("id", "time")):
            return float("inf")
        scale = float(scales.get(one["id"], 1.0))
        numbers = [k for k in other if k not in ("id", "time")]
        worst = max([worst, *(abs(one[k] - other[k]) / scale for k in numbers)])
    return worst


def write_sample(path: Path, run: LoadedRun, columns: dict[str, Any]) -> None:
    """A made-up file like the run's own, one of its series with gaps where the run masks them."""
    info, generator = run.info, np.random.default_rng(3)
    rows = max(info.shape.lookback + info.shape.horizon + 3, 3 * info.season, ROWS)
    start = 0 if not info.clock.frequency else 978_307_200 * 10**9  # 2001-01-01
    stamps = [str(stamp) for stamp in info.clock.stamps(start, 0, rows)]
    wide = not columns["ids"]
    names = columns["targets"] if wide else info.names[:SERIES]
    scales = dict(
        zip(info.names, zip(info.scaling.shift, info.scaling.scale, strict=True), strict=True)
    )
    values = {}
    for name in names:
        shift, scale = scales.get(name, (0.0, 1.0))
        drawn = shift + scale * 0.2 * generator.normal(size=rows).cumsum()
        values[name] = [repr(float(v)) for v in drawn]
        if info.masked:
            values[name][rows // 2] = ""
    time = columns["time"]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        if wide:
            writer.writerow([*([time] if time else []), *names])
            for t, stamp in enumerate(stamps):
                writer.writerow([*([stamp] if time else []), *(values[n][t] for n in names)])
            return
        writer.writerow([time, *columns["ids"], columns["targets"][0]])
        for name in names:
            parts = name.split("/") if len(columns["ids"]) > 1 else [name]
            writer.writerows([s, *parts, v] for s, v in zip(stamps, values[name], strict=True))
