"""What every ``predict.py`` begins with; :func:`birnn.tasks.export.onnx.standalone` puts it there.

A task's ``predict_script.py`` imports it inside the package. Like that, it knows numpy and ONNX
Runtime alone.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

UNKNOWN_ID = 1
ITEMS = 64  # of a batch, at most


class ExportedModel:
    """A graph and what it needs to know: ``model.onnx`` and ``model.json`` of a folder."""

    def __init__(self, folder: Path, model: str = "model.onnx") -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        providers = ["CPUExecutionProvider"]
        path = str(Path(folder) / model)
        self.session = onnxruntime.InferenceSession(path, options, providers=providers)
        self.card = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))


def vector_rows(token: str, table: dict[str, int]) -> list[int]:
    """Rows of pretrained vectors whose mean stands for a token."""
    bare = token.lstrip("#@")
    for candidate in (token, token.lower(), bare, bare.lower()):
        if candidate in table:
            return [table[candidate]]
    parts = re.findall(r"[^\W_]+", token.lower()) if len(token) > 1 else []
    return [table[part] for part in parts if part in table]


def pad(rows: list[list[Any]], kind: Any = np.int64) -> tuple[Any, Any]:
    """Rows as one array, 0 beyond their ends, and their lengths."""
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    padded = np.zeros((len(rows), max(int(counts.max()), 1)), dtype=kind)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded, counts


def batches(lengths: list[int], tokens: int) -> list[list[int]]:
    """Numbers of items that are predicted together, in order, ``tokens`` at most."""
    parts: list[list[int]] = []
    longest = 0
    for item, length in enumerate(lengths):
        longest = max(longest, length)
        full = not parts or len(parts[-1]) >= ITEMS
        if full or longest * (len(parts[-1]) + 1) > tokens:
            parts.append([])
            longest = length
        parts[-1].append(item)
    return parts


def read_texts(given: list[str]) -> list[str]:
    """The texts of the command line, or else the lines of the input."""
    texts = given or sys.stdin.buffer.read().decode("utf-8-sig").split("\n")
    if not given:  # one a line; what ends the last line begins no other
        texts = [line.removesuffix("\r") for line in texts[: -1 if not texts[-1] else None]]
    if not texts:
        raise ValueError("nothing to predict: give texts in quotes, or a pipe")
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def run(
    parser: argparse.ArgumentParser,
    answer: Callable[[argparse.Namespace], list[dict[str, Any]]],
    show: Callable[[list[dict[str, Any]]], None],
) -> int:
    """Answer what the command line asks; print the records as they are, or as ``show`` does."""
    parser.add_argument("--json", action="store_true", help="print records as JSON lines")
    parser.add_argument("--model", default="model.onnx", help="a graph beside this file")
    given = parser.parse_args()
    try:
        records = answer(given)
    except Exception as error:
        print(f"predict: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    if not given.json:
        show(records)
        return 0
    for record in records:
        print(json.dumps(record, ensure_ascii=False))
    return 0


def run_texts(
    description: str,
    answer: Callable[[str, list[str]], list[dict[str, Any]]],
    plain: Callable[[dict[str, Any]], str],
) -> int:
    """As :func:`run`, for texts: ``answer`` takes the graph's name and the texts."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("texts", nargs="*")

    def show(records: list[dict[str, Any]]) -> None:
        for record in records:
            print(plain(record))

    return run(parser, lambda given: answer(given.model, read_texts(given.texts)), show)
