"""A checksum of what training reads, so that a run goes on with the same data or not at all."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from birnn.tasks.core.task import Task, TaskData

ROWS = 10_000  # of a table that are taken at once
FILE = "file"  # the column that says in which file a row stood


def data_digest(task: Task[Any, Any, Any], data: TaskData[Any, Any]) -> str:
    """The SHA-256 of all that training reads: what was learned of train, and every split whole.

    Where the data lay and under which name has no part in it: the same data elsewhere are equal.
    """
    digest = hashlib.sha256()
    seen: set[int] = set()  # by identity: a table of vectors that splits share counts once
    stream = [list(data.stream_identity)] if data.stream else []
    for part in (task.name, data.info.files(), data.splits, *stream):
        for piece in _pieces(part, seen):
            digest.update(len(piece).to_bytes(8, "little"))  # no two lists of pieces are alike
            digest.update(piece)
    if data.fold is not None:  # what other folds hold
        digest.update(data.fold.digest.encode())
    for split in data.splits.values():  # what is made of them, in case their fields hide it
        if len(split):
            chosen = np.unique(np.linspace(0, len(split) - 1, 64).astype(np.int64))
            batch = split.batch(chosen)
            for tensor in (*batch.inputs.values(), batch.targets):
                if tensor is not None:
                    digest.update(np.ascontiguousarray(tensor.numpy()).data)
    return digest.hexdigest()


def _pieces(value: Any, seen: set[int]) -> Iterator[bytes | memoryview]:
    """The content of plain values, arrays, tables and what is made of them; of all else, none."""
    if value is None or isinstance(value, (str, bytes, int, float)):
        yield json.dumps(value, default=repr).encode()
    elif id(value) in seen:
        return
    elif isinstance(value, np.ndarray):
        seen.add(id(value))
        yield f"{value.dtype} {value.shape}".encode()
        plain = value.dtype.kind in "biufcmM"
        yield (
            np.ascontiguousarray(value).view(np.uint8).reshape(-1).data
            if plain
            else repr(value.tolist()).encode()
        )
    elif isinstance(value, Dataset):
        table = value.with_format("arrow")[:]
        for name in sorted(set(table.column_names) - {FILE}):
            yield name.encode("utf-8", "surrogatepass")
            column = table.column(name)
            yield from _cells(pa.concat_arrays([pa.array([], column.type), *column.chunks]))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield str(key).encode("utf-8", "surrogatepass")
            yield from _pieces(value[key], seen)
    elif isinstance(value, (list, tuple)):
        if all(isinstance(part, (str, int, float)) for part in value):
            yield json.dumps(value).encode()
            return
        for part in value:
            yield from _pieces(part, seen)
    elif is_dataclass(value):
        for field in fields(value):
            if field.init:  # the others are made of these, or remember what was asked for
                yield field.name.encode()
                yield from _pieces(getattr(value, field.name), seen)
    elif all(hasattr(value, name) for name in ("data", "indices", "indptr")):  # a sparse matrix
        yield from _pieces([value.data, value.indices, value.indptr], seen)


def _cells(column: pa.Array) -> Iterator[bytes | memoryview]:
    """The content of a column, however its memory is laid out: lengths, then what lies within."""
    kind = column.type
    yield f"{kind} {len(column)}".encode()
    if not len(column):
        return
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield _numbers(pc.fill_null(pc.binary_length(column), -1))
        _, offsets, text = column.buffers()
        width = np.int64 if pa.types.is_large_string(kind) else np.int32
        ends = np.frombuffer(offsets, dtype=width)[column.offset : column.offset + len(column) + 1]
        yield memoryview(text or b"")[ends[0] : ends[-1]]
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield _numbers(pc.fill_null(pc.list_value_length(column), -1))
        yield from _cells(pc.list_flatten(column))
    elif pa.types.is_integer(kind) and not column.null_count:
        yield _numbers(column)
    else:
        for start in range(0, len(column), ROWS):
            rows = column.slice(start, ROWS).to_pylist()
            yield json.dumps(rows, sort_keys=True, default=str).encode("utf-8", "surrogatepass")


def _numbers(column: pa.Array) -> memoryview:
    return np.ascontiguousarray(column.to_numpy(zero_copy_only=False)).view(np.uint8).data
