"""Shards of labelled texts, in the formats that are streamed."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from writers import Rows, sentences

ROWS = [(f"{text} {'and so on ' * (i % 9)}".strip(), label)
        for i, (text, label) in enumerate(sentences(400))]  # fmt: skip


def write(folder: Path, kind: str, count: int = 3, rows: Rows = ROWS) -> Path:
    """Shards of the rows, in one format."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        texts, labels = zip(*rows[number::count], strict=True)
        path = folder / f"part-{number}.{kind}"
        if kind == "parquet":
            pq.write_table(pa.table({"text": texts, "label": labels}), path, row_group_size=40)
        elif kind == "jsonl":
            own = [json.dumps({"text": t, "label": y}) for t, y in zip(texts, labels, strict=True)]
            path.write_text("\n".join(own) + "\n")
        else:
            own = [f'"{t}";{y}' for t, y in zip(texts, labels, strict=True)]
            path.write_text("\n".join(["text;label", *own]) + "\n")
    return folder
