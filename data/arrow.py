"""Columns of Arrow tables: of which kind they are, and their distinct cells."""

import pyarrow as pa


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_numeric(kind: pa.DataType) -> bool:
    """Whether a column of this type holds numbers."""
    types = pa.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))


def encode(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """A column in one piece: its distinct cells by first appearance, and which stands where."""
    return column.dictionary_encode().combine_chunks()
