"""Weights of 8 bits, and what they cost."""

from pathlib import Path
from typing import Any

from birnn.tasks.export.graph import Graph
from birnn.tasks.export.session import Session, standing_in
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED


def quantise(source: Path, target: Path) -> None:
    """Write ``source`` with weights of 8 bits, where ONNX Runtime has an operator for them.

    Those of linear layers and LSTMs, and tables of vectors; for GRUs it has none, and tables in
    half precision stay as they are.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(str(source)).graph
    halves = {part.name for part in graph.initializer if part.data_type == onnx.TensorProto.FLOAT16}
    readers = [node.name for node in graph.node if halves & set(node.input)]
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, nodes_to_exclude=readers)


def measure_int8(
    run: LoadedRun, graph: Graph, folder: Path, data: str, split: str
) -> dict[str, Any]:
    """The headline scores of both graphs on a split, and their sizes."""
    task, loaded = run.task, run.task.load_split(run.info, data, split)
    scores: dict[str, dict[str, float]] = {}
    sizes = {}
    for kind, name in (("fp32", "model.onnx"), ("int8", "model.int8.onnx")):
        model = standing_in(run, graph, Session(folder / name))
        predictions = task.predictions(model, loaded.split, run.info)
        evaluation = task.evaluate(loaded.split, predictions, run.info, BOOTSTRAP_SEED)
        for metric in task.headline:
            if metric in evaluation.scores:
                scores.setdefault(metric, {})[kind] = float(evaluation.scores[metric])
        sizes[kind] = (folder / name).stat().st_size
    about = {"data": loaded.source, "rows": len(loaded.split), "notes": loaded.notes}
    return {**about, "scores": scores, "bytes": sizes}
