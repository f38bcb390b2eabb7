"""A trained run → a folder that predicts with numpy and ONNX Runtime alone."""

import ast
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import torch

from birnn.errors import CheckpointError, ConfigError
from birnn.storage import files
from birnn.storage.files import FolderKind
from birnn.tasks import TASKS
from birnn.tasks.export.check_graph import check_graph
from birnn.tasks.export.check_script import check_script
from birnn.tasks.export.graph import Graph
from birnn.tasks.export.int8 import measure_int8, quantise
from birnn.tasks.export.session import Session, require_onnx
from birnn.tasks.runs.folder import LoadedRun, holds, load_run, read_config, single
from birnn.version import __version__

OPSET = 17
MARK = "check.json"  # a folder with this file, and this alone, is an export
FILES = ("model.onnx", "model.int8.onnx", "model.json", "predict.py", "README.md", MARK)
LONGEST = 500  # steps of the longest item that is compared


def export_strangers(folder: Path) -> list[str] | None:
    """What an export's folder holds that birnn did not write; None if it is no export."""
    parts = {"task": str, "version": str, "opset": int, "packages": dict, "graph": dict}
    if not holds(folder / MARK, parts):
        return None
    return [path.name for path in sorted(folder.iterdir()) if path.name not in FILES]


EXPORT = FolderKind("export", export_strangers)


@dataclass(frozen=True)
class Exported:
    """What was written, and how it was checked."""

    folder: Path
    files: dict[str, int]  # bytes
    check: dict[str, Any]


def export_onnx(
    folder: Path, out: str, *, overwrite: bool, int8: bool, data: str, split: str
) -> Exported:
    """Export the run in ``folder`` and check what was exported against it.

    Args:
        folder: of the run.
        out: where to; empty: beside the run, with ``-onnx`` at its name.
        overwrite: replace an export that is there.
        int8: also write a graph with weights of 8 bits, and measure what it costs.
        data: on which int8 is measured; empty: the run's own data.
        split: of it: train, validation or test.

    Raises:
        BirnnError: an unusable run or folder, or a graph that differs from the run's model; then
            nothing is left behind.
    """
    if split not in ("train", "validation", "test"):
        raise ConfigError(f"split: {split!r} is not one of train, validation, test")
    if data and not int8:
        raise ConfigError("data: it is for the cost of --int8; without that nothing is scored")
    name = read_config(folder)["task"]
    make_graph = TASKS.require(name, "graph", "export", folder)
    require_onnx()
    whole = folder.resolve()
    target = Path(out) if out else whole.with_name(f"{whole.name}-onnx")
    files.check_free(target, EXPORT, overwrite=overwrite)
    run = single(load_run(folder), "export")
    graph: Graph = make_graph(run)
    with files.new_folder(target, EXPORT, overwrite=overwrite) as made, quiet():
        check = _fill(made, run, graph, int8=(data, split) if int8 else None)
        sizes = {path.name: path.stat().st_size for path in sorted(made.iterdir())}
    return Exported(target, sizes, check)


def _fill(
    made: Path, run: LoadedRun, graph: Graph, *, int8: tuple[str, str] | None
) -> dict[str, Any]:
    write_graph(made / "model.onnx", graph)
    files.write_json(made / "model.json", {**graph.card(), "inputs": list(graph.inputs)})
    script = import_module(TASKS[run.task.name].predict_script)
    files.write_text(made / "predict.py", standalone(Path(str(script.__file__))))
    session = Session(made / "model.onnx")
    check: dict[str, Any] = {
        "task": run.task.name, "version": __version__, "opset": OPSET,
        "packages": {n: metadata.version(n) for n in ("torch", "onnx", "onnxruntime", "numpy")},
        "graph": check_graph(run, graph, session, graph.longest(LONGEST)),
        "predict": check_script(run, graph, made),
    }  # fmt: skip
    if int8 is not None:
        quantise(made / "model.onnx", made / "model.int8.onnx")
        check["int8"] = measure_int8(run, graph, made, *int8)
    files.write_json(made / MARK, check)
    files.write_text(made / "README.md", readme(run, check))
    return check


def standalone(script: Path) -> str:
    """The source of ``predict.py``: ``script``, the common part in the place of its import."""
    common = Path(__file__).with_name("script_common.py").read_text(encoding="utf-8")
    own = script.read_text(encoding="utf-8")
    lines, shared = own.splitlines(keepends=True), common.splitlines(keepends=True)
    imports = [node for node in ast.parse(own).body if isinstance(node, ast.ImportFrom)]
    place = next(node for node in imports if node.module == f"{__package__}.script_common")
    imported = {line for line in lines if line.startswith(("import ", "from "))}
    docstring = ast.parse(common).body[0]
    lines[place.lineno - 1 : place.end_lineno] = [
        line for line in shared[docstring.end_lineno :] if line not in imported
    ]
    return "".join(lines)


def write_graph(path: Path, graph: Graph) -> None:
    """Trace ``graph`` with a small batch and write it with sizes that stay free.

    Raises:
        CheckpointError: the model holds something that ONNX has no word for.
    """
    import numpy as np

    lengths = [graph.longest(3), graph.longest(2), 1]
    feeds = graph.feeds(graph.sample(lengths, np.random.default_rng(1)))
    tensors = tuple(torch.from_numpy(feeds[name]) for name in graph.inputs)
    try:
        with torch.no_grad():
            torch.onnx.export(
                graph, tensors, str(path), dynamo=False, opset_version=OPSET,
                input_names=list(graph.inputs), output_names=list(graph.outputs),
                dynamic_axes={k: graph.axes[k] for k in (*graph.inputs, *graph.outputs)},
            )  # fmt: skip
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise CheckpointError(f"the model can't be written as ONNX: {first}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """The exporter warns of what a trace can freeze; the check tells whether it did."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def readme(run: LoadedRun, check: dict[str, Any]) -> str:
    """What is in the folder."""
    name, encoder = run.task.name, run.task.config.encoder.encoder
    script, graph = check["predict"], check["graph"]
    compared = script["what"]
    if script["compared"]:
        compared = f"at most {script['largest_difference']:.2g} apart ({compared})"
    paragraphs = [
        f"# {name}: {encoder}, exported",
        f"Made by birnn {__version__}. `pip install numpy onnxruntime`, then:",
        f"```\npython predict.py {TASKS[name].script_example}\n```",
        f"The graph was compared with the trained model on {len(graph['shapes'])} shapes: the"
        f" largest difference was {graph['largest_difference']:.2g}. `predict.py` against birnn:"
        f" {compared}.",
    ]
    if "int8" in check:
        cost = check["int8"]
        paragraphs.append(
            f"`model.int8.onnx` (`--model model.int8.onnx`) takes {cost['bytes']['int8']:,} bytes,"
            f" `model.onnx` {cost['bytes']['fp32']:,}. On {cost['data']}:"
        )
        rows = (f"| {m} | {s['fp32']:.4f} | {s['int8']:.4f} |" for m, s in cost["scores"].items())
        paragraphs.append("\n".join(["| | fp32 | int8 |", "|---|---|---|", *rows]))
    return "\n\n".join(paragraphs) + "\n"
