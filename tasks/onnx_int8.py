"""Weights of 8 bits, and what they cost."""

from pathlib import Path
from typing import Any

from tasks.bootstrap import BOOTSTRAP_SEED
from tasks.onnx_parts import Graph
from tasks.onnx_session import Session, standing_in
from tasks.run import LoadedRun


def quantise(source: Path, target: Path) -> None:
    """Write ``source`` with weights of 8 bits, where ONNX Runtime has an operator for them.

    Matrices of linear layers and of LSTMs, and tables of vectors; there is none for GRUs.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(source, target, weight_type=QuantType.QInt8)


def measure_int8(
    run: LoadedRun, graph: Graph, folder: Path, data: str, split: str
) -> dict[str, Any]:
    """The headline scores of both graphs on a split, and their sizes."""
    part = run.task.load_split(run.info, data, split)
    scores: dict[str, dict[str, float]] = {}
    sizes = {}
    for kind, name in (("fp32", "model.onnx"), ("int8", "model.int8.onnx")):
        model = standing_in(run, graph, Session(folder / name))
        predictions = run.task.predictions(model, part.split, run.info)
        found = run.task.evaluate(part.split, predictions, run.info, BOOTSTRAP_SEED)
        for metric in run.task.headline:
            if metric in found.scores:
                scores.setdefault(metric, {})[kind] = float(found.scores[metric])
        sizes[kind] = (folder / name).stat().st_size
    rows = len(part.split)
    return {"data": part.source, "rows": rows, "notes": part.notes, "scores": scores,
            "bytes": sizes}  # fmt: skip
