"""What a program may hand to a run: lists, arrays, Series, DataFrames, Datasets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from birnn.arrays import Array
from birnn.data.tables.columns import TEXT_NAMES, TOKEN_NAMES, find_column
from birnn.errors import DataError
from birnn.tasks.serving.texts import encodable

SHAPES = ("one", "list", "array", "series", "frame")


@dataclass(frozen=True)
class Shaped:
    """How many rows were given, in which shape, and under which index."""

    shape: str  # one of SHAPES
    index: Any = None  # of a Series or DataFrame

    def like(self, name: str, values: list[Any]) -> Any:
        """A value a row, in the shape that the rows came in; ``name`` is its column's."""
        import pandas as pd

        if self.shape == "one":
            return values[0]
        if self.shape in ("series", "frame"):
            column = pd.Series(values, index=self.index, name=name, dtype=_kind(values))
            return column if self.shape == "series" else column.to_frame()
        if self.shape == "array":
            if all(isinstance(value, str) for value in values):
                return np.array(values, dtype=object)
            found = np.empty(len(values), dtype=object)
            found[:] = values
            return found
        return values

    def table(self, names: Sequence[str], rows: Array) -> Any:
        """``[N, C]``: an array, or a DataFrame with the index that the rows came with."""
        import pandas as pd

        if self.shape in ("series", "frame"):
            return pd.DataFrame(rows, index=self.index, columns=list(names))
        return rows[0] if self.shape == "one" else rows


def _kind(values: list[Any]) -> Any:
    return "str" if values and all(isinstance(value, str) for value in values) else object


@dataclass(frozen=True)
class TextColumns(Shaped):
    """Raw texts: a list of them for each column."""

    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def texts(self) -> Sequence[str]:
        """Those of the first column."""
        return next(iter(self.columns.values()))


@dataclass(frozen=True)
class Sentences(Shaped):
    """Lists of tokens."""

    tokens: Sequence[list[str]] = ()


def read_texts(data: Any, column: str = "", name: str = "text") -> TextColumns:
    """Texts of ``data``, in order, as the column ``name``.

    Raises:
        DataError: no text column, or a row that holds no text; names the row.
    """
    rows, shape, index, usual = _column(data, column, TEXT_NAMES, "text")
    texts = [_text(value, number, usual, index) for number, value in enumerate(rows)]
    return TextColumns(shape, index, {name: texts})


def read_columns(data: Any, names: Sequence[str]) -> TextColumns:
    """Texts of several columns: of a table, or of a list of tuples in the columns' order.

    Raises:
        DataError: a column that isn't there, a row of another size, or one without a text.
    """
    import pandas as pd
    from datasets import Dataset

    if not isinstance(data, (pd.DataFrame, Dataset)):
        rows = list(data) if isinstance(data, (list, tuple, np.ndarray)) else None
        if rows is None or any(isinstance(row, str) or len(row) != len(names) for row in rows):
            raise DataError(f"data: give a table, or a list of tuples ({', '.join(names)})")
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        parts = {name: list(part) for name, part in zip(names, columns, strict=True)}
        shape, index = "list", None
    else:
        parts = {}
        for name in names:
            parts[name], shape, index, _ = _column(data, name, (), name)
    return TextColumns(
        shape,
        index,
        {
            name: [_text(v, i, f"column {name!r}", index) for i, v in enumerate(part)]
            for name, part in parts.items()
        },
    )


def read_sentences(data: Any, column: str = "") -> TextColumns | Sentences:
    """Lists of tokens, or raw texts, of ``data``, in order; the first row says which.

    Raises:
        DataError: no column of either, or a row that holds neither; names the row.
    """
    rows, shape, index, where = _column(data, column, (*TOKEN_NAMES, *TEXT_NAMES), "text")
    first = next((row for row in rows if row is not None), None)
    if isinstance(first, str) or first is None:
        texts = [_text(value, number, where, index) for number, value in enumerate(rows)]
        return TextColumns(shape, index, {"text": texts})
    sentences = []
    for number, row in enumerate(rows):
        if isinstance(row, str) or not isinstance(row, (list, tuple, np.ndarray)):
            raise DataError(
                f"{_row(where, number, index)} holds {_told(row)}, not a list of tokens"
            )
        tokens = list(row)
        for token in tokens:
            if not isinstance(token, str) or not token:
                raise DataError(f"{_row(where, number, index)} holds a token {_told(token)}")
        sentences.append([encodable(token) for token in tokens])
    return Sentences(shape, index, sentences)


def _column(
    data: Any, column: str, usual: Sequence[str], what: str
) -> tuple[list[Any], str, Any, str]:
    """The rows of ``data``, their shape and index, and where they stand in words."""
    import pandas as pd
    from datasets import Dataset, DatasetDict

    if isinstance(data, str):
        return [data], "one", None, "texts"
    if isinstance(data, pd.Series):
        return data.tolist(), "series", data.index, f"the Series {data.name or ''}".rstrip()
    if isinstance(data, DatasetDict):
        raise DataError(f"data: a DatasetDict; give one of its splits: {', '.join(data)}")
    if isinstance(data, pd.DataFrame):
        names = _Names([str(name) for name in data.columns])
        name = find_column(names, column, usual, what, "the DataFrame")
        place = [str(other) for other in data.columns].index(name)
        return data.iloc[:, place].tolist(), "frame", data.index, f"column {name!r}"
    if isinstance(data, Dataset):
        name = find_column(data, column, usual, what, "the Dataset")
        return list(data[name][:]), "list", None, f"column {name!r}"
    if isinstance(data, np.ndarray):
        if data.ndim == 2 and data.shape[1] == 1:
            data = data[:, 0]
        if data.ndim != 1:
            raise DataError(f"texts: an array of the shape {list(data.shape)}; give [N]")
        return data.tolist(), "array", None, "texts"
    if isinstance(data, (list, tuple)):
        return list(data), "list", None, "texts"
    raise DataError(
        f"texts: a {type(data).__name__}; give a text, a list or array of them, a pandas Series or"
        " DataFrame, or a Dataset"
    )


@dataclass(frozen=True)
class _Names:
    """A table as :func:`find_column` looks at it."""

    column_names: list[str]


def _text(value: Any, number: int, where: str, index: Any) -> str:
    if not isinstance(value, str):
        raise DataError(
            f"{_row(where, number, index)} holds no text but {_told(value)}; fill it in or leave"
            " the row out"
        )
    return encodable(str(value))


def _told(value: Any) -> str:
    if value is None or value != value:
        return "None" if value is None else "NaN"
    return f"{type(value).__name__} {str(value)[:40]!r}"


def _row(where: str, number: int, index: Any) -> str:
    label = "" if index is None else f" (index {str(index[number])[:40]!r})"
    return f"{where}: row {number + 1}{label}"
