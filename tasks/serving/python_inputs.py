"""What a program may hand to a run: lists, arrays, Series, DataFrames, Datasets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.data.tables.columns import TEXT_NAMES, TOKEN_NAMES, check_column, find_column
from birnn.data.tables.kinds import is_a, is_dataset, is_frame, is_nothing
from birnn.errors import DataError
from birnn.tasks.serving.texts import encodable

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True)
class Shaped:
    """How many rows were given, in which shape, and under which index."""

    shape: str  # one, list, array, series or frame
    index: Any = None  # of a Series or DataFrame

    def like(self, name: str, values: list[Any]) -> Any:
        """A value a row, in the shape that the rows came in; ``name`` is its column's."""
        if self.shape == "one":
            return values[0]
        if self.shape in ("series", "frame"):
            import pandas as pd

            types = {type(value) for value in values}
            kind: Any = "str" if types == {str} else float if types == {float} else object
            column = pd.Series(values, index=self.index, name=name, dtype=kind)
            return column if self.shape == "series" else column.to_frame()
        if self.shape == "array":
            array = np.empty(len(values), dtype=object)  # each value one cell, lists too
            array[:] = values
            return array
        return values

    def table(self, names: Sequence[str], rows: Array) -> Any:
        """``[N, C]``: an array, or a DataFrame with the index that the rows came with."""
        if self.shape in ("series", "frame"):
            import pandas as pd

            return pd.DataFrame(rows, index=self.index, columns=list(names))
        return rows[0] if self.shape == "one" else rows


@dataclass(frozen=True)
class TextColumns(Shaped):
    """Raw texts: a list of them for each column."""

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def texts(self) -> Sequence[str]:
        """Those of the first column."""
        return next(iter(self.columns.values()))


@dataclass(frozen=True)
class Sentences(Shaped):
    """Lists of tokens."""

    tokens: Sequence[list[str]] = ()


def read_texts(
    data: Any, column: str = "", name: str = "text", remembered: Mapping[str, str] = NOTHING
) -> TextColumns:
    """Texts of ``data``, in order, as the column ``name``.

    Of a table, they stand in ``column``; if that is empty, in the one that a run remembers, or in
    the one that :func:`birnn.data.text.choosing.choose_text` finds.

    Raises:
        DataError: no text column, or a row that holds no text; names the row.
    """
    if is_frame(data) or is_dataset(data):
        table = data if is_dataset(data) else _texts_of_frame(data)
        where = f"the {type(data).__name__}"
        if column:
            check_column(column, [str(name) for name in _names(data)], where)
        else:
            from birnn.data.text.choosing import choose_text

            column, _ = choose_text(table, "", remembered, where)
    rows, shape, index, where = _column(data, column, TEXT_NAMES, "text")
    return TextColumns(shape, index, {name: _texts(rows, where, index)})


def _names(data: Any) -> list[Any]:
    return list(data.columns if is_frame(data) else data.column_names)


def _texts_of_frame(frame: Any) -> Any:
    """All columns of a frame by name; those without a single text hold nothing."""
    from datasets import Dataset

    columns: dict[str, list[str]] = {}
    for number, name in enumerate(frame.columns):
        cells = (
            frame.iloc[:, number].tolist()
            if frame.iloc[:, number].dtype.kind not in "biufcmM"
            else []
        )
        texts = [cell if isinstance(cell, str) else "" for cell in cells]
        columns.setdefault(str(name), texts or [""] * len(frame))
    return Dataset.from_dict(columns)


def read_columns(data: Any, names: Sequence[str]) -> TextColumns:
    """Texts of several columns: of a table, or of a list of tuples in the columns' order.

    Raises:
        DataError: a column that isn't there, a row of another size, or one without a text.
    """
    if not (is_frame(data) or is_dataset(data)):
        rows = _items(data) if ordered(data) else None
        sizes = (list, tuple, np.ndarray)
        if rows is None or any(not isinstance(r, sizes) or len(r) != len(names) for r in rows):
            raise DataError(f"data: give a table, or a list of tuples ({', '.join(names)})")
        shape, index = "list", None
        parts = [list(part) for part in zip(*rows, strict=True)] if rows else [[] for _ in names]
    else:
        given = [_column(data, name, (), name) for name in names]
        parts, (_, shape, index, _) = [rows for rows, *_ in given], given[0]
    columns = zip(names, parts, strict=True)
    texts = {name: _texts(part, f"column {name!r}", index) for name, part in columns}
    return TextColumns(shape, index, texts)


def read_sentences(data: Any, column: str = "") -> TextColumns | Sentences:
    """Lists of tokens, or raw texts, of ``data``, in order; the first row says which.

    Raises:
        DataError: no column of either, or a row that holds neither; names the row.
    """
    rows, shape, index, where = _column(data, column, (*TOKEN_NAMES, *TEXT_NAMES), "text")
    first = next((row for row in rows if not is_nothing(row)), None)
    if isinstance(first, str) or first is None:
        return TextColumns(shape, index, {"text": _texts(rows, where, index)})
    sentences = []
    for number, row in enumerate(rows):
        place = _row(where, number, index)
        if not isinstance(row, (list, tuple, np.ndarray)):
            raise DataError(f"{place} holds {_shown(row)}, not a list of tokens")
        for token in row:
            if not isinstance(token, str) or not token:
                raise DataError(f"{place} holds a token {_shown(token)}")
        sentences.append([encodable(token) for token in row])
    return Sentences(shape, index, sentences)


def _column(data: Any, column: str, usual: Sequence[str],
            what: str) -> tuple[list[Any], str, Any, str]:  # fmt: skip
    """The rows of ``data``, their shape and index, and where they stand in words."""
    if isinstance(data, str):
        return [data], "one", None, "texts"
    if is_a(data, "pandas", "Series"):
        return data.tolist(), "series", data.index, f"the Series {data.name or ''}".rstrip()
    if is_a(data, "datasets", "DatasetDict"):
        raise DataError(f"data: a DatasetDict; give one of its splits: {', '.join(data)}")
    if is_frame(data):
        names = [str(name) for name in data.columns]
        header = SimpleNamespace(column_names=names)  # what a table of this package looks like
        name = find_column(header, column, usual, what, "the DataFrame")
        return data.iloc[:, names.index(name)].tolist(), "frame", data.index, f"column {name!r}"
    if is_dataset(data):
        name = find_column(data, column, usual, what, "the Dataset")
        return list(data[name][:]), "list", None, f"column {name!r}"
    if isinstance(data, np.ndarray):
        if data.ndim == 2 and data.shape[1] == 1:
            data = data[:, 0]
        if data.ndim != 1:
            raise DataError(f"texts: an array of the shape {list(data.shape)}; give [N]")
        return data.tolist(), "array", None, "texts"
    if ordered(data):
        return _items(data), "list", None, "texts"
    kinds = "a text, a list or array of them, a pandas Series or DataFrame, or a Dataset"
    order = ": it has no order" if isinstance(data, (set, frozenset)) else ""
    raise DataError(f"texts: a {type(data).__name__}{order}; give {kinds}")


def ordered(data: Any) -> bool:
    """Whether ``data`` holds items one after the other: as a list or a generator does."""
    if isinstance(data, (str, bytes, bytearray, memoryview, Mapping, set, frozenset)):
        return False
    return isinstance(data, Iterable) and getattr(data, "ndim", 1) == 1


def _items(data: Any) -> list[Any]:
    """The items of what is :func:`ordered`, as Python's own where its library can say them so."""
    for name in ("to_pylist", "tolist", "to_list"):  # of Arrow, of numpy and pandas, of polars
        if hasattr(data, name):
            return list(getattr(data, name)())
    return list(data)


def _texts(rows: Sequence[Any], where: str, index: Any) -> list[str]:
    for number, value in enumerate(rows):
        if not isinstance(value, str):
            problem = f"{_row(where, number, index)} holds no text but {_shown(value)}"
            raise DataError(f"{problem}; fill it in or leave the row out")
    return [encodable(str(value)) for value in rows]


def _shown(value: Any) -> str:
    if is_nothing(value):
        return "NaN" if isinstance(value, float) else str(value)
    return f"{type(value).__name__} {str(value)[:40]!r}"


def _row(where: str, number: int, index: Any) -> str:
    label = "" if index is None else f" (index {str(index[number])[:40]!r})"
    return f"{where}: row {number + 1}{label}"
