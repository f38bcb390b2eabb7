"""What every ``predict.py`` begins with; :func:`birnn.tasks.export.onnx.standalone` puts it there.

A task's ``predict_script.py`` imports it inside the package. Like that, it knows numpy and ONNX
Runtime alone.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

UNKNOWN_ID = 1
ITEMS = 64  # of a batch, at most


class ExportedModel:
    """A graph and what it needs to know: ``model.onnx`` and ``model.json`` of a folder."""

    def __init__(self, folder: Path, model: str = "model.onnx") -> None:
        options, providers = onnxruntime.SessionOptions(), ["CPUExecutionProvider"]
        options.log_severity_level = 3
        path = str(Path(folder) / model)
        self.session = onnxruntime.InferenceSession(path, options, providers=providers)
        self.card = json.loads((Path(folder) / "model.json").read_text(encoding="utf-8"))
        self.vectors = {word: i for i, word in enumerate(self.card.get("vector_words", ()))}

    def distinct(self, rows: list[list[str]]) -> tuple[list[str], dict[str, Any]]:
        """The distinct tokens of rows; and inputs: where they stand, and their vectors' rows."""
        numbers: dict[str, int] = {}
        types = [[numbers.setdefault(token, len(numbers)) for token in row] for row in rows]
        feeds = {"types": pad(types)[0], "lengths": np.array([len(row) for row in rows])}
        if "vector_rows" in self.card["inputs"]:
            found = [vector_rows(token, self.vectors) for token in numbers]
            feeds["vector_rows"], feeds["vector_counts"] = pad(found)
        return list(numbers), feeds


def vector_rows(token: str, table: dict[str, int]) -> list[int]:
    """Rows of pretrained vectors whose mean stands for a token."""
    bare = token.lstrip("#@")
    for candidate in (token, token.lower(), bare, bare.lower()):
        if candidate in table:
            return [table[candidate]]
    parts = re.findall(r"[^\W_]+", token.lower()) if len(token) > 1 else []
    return [table[part] for part in parts if part in table]


def pad(rows: Sequence[Sequence[Any]], kind: Any = np.int64) -> tuple[Any, Any]:
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
        count = len(parts[-1]) if parts else ITEMS
        if count >= ITEMS or longest * (count + 1) > tokens:
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
    predictor: Callable[[Path, str], Any],
    read: Callable[[argparse.Namespace], Any],
    show: Callable[[list[dict[str, Any]]], None],
) -> int:
    """Predict for what ``read`` makes of the command line; print as JSON, or as ``show`` does."""
    parser.add_argument("--json", action="store_true", help="print records as JSON lines")
    parser.add_argument("--model", default="model.onnx", help="a graph beside this file")
    given = parser.parse_args()
    try:
        asked = read(given)
        records = predictor(Path(__file__).resolve().parent, given.model).predict(asked)
    except Exception as error:
        print(f"predict: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    if given.json:
        print(*(json.dumps(record, ensure_ascii=False) for record in records), sep="\n")
    else:
        show(records)
    return 0


def run_texts(
    description: str, predictor: Callable[[Path, str], Any], plain: Callable[[dict[str, Any]], str]
) -> int:
    """As :func:`run`, for texts."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("texts", nargs="*")
    return run(
        parser, predictor, lambda given: read_texts(given.texts),
        lambda records: print(*map(plain, records), sep="\n"),
    )  # fmt: skip
