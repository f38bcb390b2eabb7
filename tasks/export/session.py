"""ONNX Runtime around an exported graph, and the one place that looks for the extra ``onnx``."""

import copy
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from birnn.arrays import Array
from birnn.errors import ConfigError
from birnn.nn.batch import Batch
from birnn.tasks.export.graph import Graph
from birnn.tasks.runs.folder import LoadedRun


def require_onnx() -> None:
    """Refuse to go on without the extra.

    Raises:
        ConfigError: onnx or ONNX Runtime is not installed.
    """
    for name in ("onnx", "onnxruntime"):
        try:
            import_module(name)
        except ImportError:
            message = f"export --onnx needs the package {name}: pip install 'birnn[onnx]'"
            raise ConfigError(message) from None


class Session:
    """A graph on one CPU thread more or less, as numpy would run it."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        cpu = ["CPUExecutionProvider"]
        self.session: Any = onnxruntime.InferenceSession(str(path), options, providers=cpu)
        self.names = [output.name for output in self.session.get_outputs()]

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Tensor]:
        """The outputs by name."""
        arrays = self.session.run(self.names, dict(feeds))
        return {n: torch.from_numpy(v) for n, v in zip(self.names, arrays, strict=True)}


def standing_in(run: LoadedRun, graph: Graph, session: Session) -> nn.Module:
    """The run's model with the graph in its place, to score it as the task scores a model."""
    model = copy.copy(run.model)

    def forward(batch: Batch) -> Any:
        return graph.read(session.run(graph.feeds(batch)), batch)

    vars(model)["forward"] = forward
    return model
