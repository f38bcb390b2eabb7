"""Tables that a program holds, named for a while as if they were files.

Every reader goes through :func:`birnn.data.tables.sources.load_tables`; a table that is held is
found there under its name in words, which is also what a run's provenance says of it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

from birnn.data.tables.kinds import is_a, is_dataset, is_frame
from birnn.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

# Of this thread and task alone: several may train at once.
_HELD: "ContextVar[Mapping[str, DatasetDict] | None]" = ContextVar("held", default=None)


@contextmanager
def held(tables: "DatasetDict", words: str) -> Iterator[str]:
    """Within the block, ``words`` names ``tables``; yields ``words``."""
    token = _HELD.set({**(_HELD.get() or {}), words: tables})
    try:
        yield words
    finally:
        _HELD.reset(token)


def in_memory(source: str) -> "DatasetDict | None":
    """The tables that ``source`` names; None if it is no name of held ones."""
    return (_HELD.get() or {}).get(source)


def as_tables(data: Any) -> "tuple[DatasetDict, str]":
    """A DataFrame, a Dataset, a DatasetDict or a table of Arrow's as named splits, and in words.

    A time index of a DataFrame becomes its first column.

    Raises:
        DataError: it is something else, is empty, or holds what no table can.
    """
    from datasets import DatasetDict

    data = from_arrow(data)
    if is_a(data, "datasets", "DatasetDict"):
        return data, f"a DatasetDict of {sum(map(len, data.values())):,} rows"
    if is_dataset(data):
        table, kind = data, "Dataset"
    elif is_frame(data):
        table, kind = from_frame(data), "DataFrame"
    else:
        wanted = "give a path, a pandas DataFrame, or a Dataset or DatasetDict of datasets"
        raise DataError(f"data: a {type(data).__name__} is no table; {wanted}")
    if not len(table):
        raise DataError(f"data: the {kind} holds no rows")
    return DatasetDict({"train": table}), f"a {kind} of {len(table):,} rows"


def from_arrow(data: Any) -> Any:
    """A Dataset of a table that is handed over through Arrow's C interface; else ``data`` itself.

    So are tables of pyarrow and frames of polars and DuckDB. A column alone stays what it is.
    """
    if is_frame(data) or not hasattr(data, "__arrow_c_stream__"):
        return data
    import pyarrow as pa
    from datasets import Dataset
    from datasets.table import InMemoryTable

    try:
        table = pa.table(data)
    except (pa.ArrowException, TypeError, ValueError):
        return data  # whoever takes it says what is wrong, or reads it
    kinds = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}  # which Dataset lacks
    fields = [part.with_type(kinds.get(part.type, part.type)) for part in table.schema]
    return Dataset(InMemoryTable(table.cast(pa.schema(fields))))


def from_frame(frame: Any) -> "Dataset":
    """A pandas DataFrame as an Arrow table; its index is left out unless it tells the time.

    An index of several levels, one of which is time, becomes columns.

    Raises:
        DataError: a column holds values of several kinds; names it where Arrow does.
    """
    import pandas as pd
    import pyarrow as pa
    from datasets import Dataset

    if isinstance(frame.index, pd.MultiIndex):
        frame = _levels_as_columns(frame)
    if isinstance(frame.index, pd.PeriodIndex):
        frame = frame.set_axis(frame.index.to_timestamp(), axis=0)
    if isinstance(frame.index, pd.DatetimeIndex):
        frame = frame.reset_index(names=frame.index.name or "time")
    frame = frame.rename(columns=str)
    try:
        return Dataset.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"data: the DataFrame can't be read as a table: {text[:200]}") from None


def _levels_as_columns(frame: Any) -> Any:
    """The levels of an index as columns, if one of them is time."""
    import pandas as pd

    kinds = (pd.DatetimeIndex, pd.PeriodIndex)
    levels = frame.index.levels
    if not any(isinstance(level, kinds) for level in levels):
        return frame
    names = []
    for number, level in enumerate(levels):
        usual = "time" if isinstance(level, kinds) else f"id_{number}" if len(levels) > 2 else "id"
        names.append(frame.index.names[number] or usual)
    flat = frame.reset_index(names=names)
    for name, level in zip(names, levels, strict=True):
        if isinstance(level, pd.PeriodIndex):
            flat[name] = pd.PeriodIndex(flat[name]).to_timestamp()
    return flat


@contextmanager
def named_source(data: Any) -> Iterator[str]:
    """Data as a source that the readers know: a path as it is, a table under a name in words."""
    if data is None or isinstance(data, (str, Path)):
        yield str(data or "")
        return
    tables, words = as_tables(data)
    with held(tables, words) as source:
        yield source
