"""Columns of a table as numbers, or as ids."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Codes, Floats, Ints
from birnn.data.arrow import encode, is_numeric, is_text
from birnn.data.tables.numbers import MISSING, PLAIN_NUMBER


@dataclass(frozen=True)
class NumberColumn:
    """A column as numbers."""

    values: Floats  # [R], NaN where there is no finite number
    filled: int  # how many cells are not empty
    text: Ints  # rows (from 0) that hold something else than a number
    cell: str  # the first of them
    infinite: Ints  # rows that hold an infinite number

    @property
    def numeric(self) -> bool:
        """At least half of what stands there are numbers."""
        return self.filled > 0 and 2 * len(self.text) <= self.filled


def read_numbers(column: pa.ChunkedArray) -> NumberColumn:
    """Read a column ``[R]``: empty cells and NaN are missing, what else is no number is text."""
    values = np.full(len(column), np.nan)
    kind = column.type
    if is_numeric(kind):
        values[:] = pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy()
        return _numbers(values, [], "", int((~np.isnan(values)).sum()))
    if not is_text(kind):
        filled = len(column) - column.null_count
        rows = np.flatnonzero(pc.is_valid(column).to_numpy())
        return _numbers(values, [rows], f"{kind}" if len(rows) else "", filled)
    start, filled, cell = 0, 0, ""
    text: list[Ints] = []
    for chunk in column.chunks:
        target = values[start : start + len(chunk)]
        try:
            numbers = pc.fill_null(chunk.cast(pa.float64()), np.nan)
            target[:] = numbers.to_numpy(zero_copy_only=False)
            filled += len(chunk) - chunk.null_count
        except pa.ArrowInvalid:
            rows, known, first = _careful(chunk, target)
            filled += known
            cell = cell or first
            text.append(rows + start)
        start += len(chunk)
    return _numbers(values, text, cell, filled)


def _numbers(values: Floats, text: list[Ints], cell: str, filled: int) -> NumberColumn:
    infinite = np.flatnonzero(np.isinf(values))
    values[infinite] = np.nan
    rows = np.concatenate(text) if text else np.zeros(0, np.int64)
    return NumberColumn(values, filled, rows, cell, infinite)


def _careful(chunk: pa.Array, target: Floats) -> tuple[Ints, int, str]:
    """Cell by cell: fills ``target``; returns rows of text, how many are filled, the first text."""
    trimmed = pc.fill_null(pc.utf8_trim_whitespace(chunk), "")
    number = pc.match_substring_regex(trimmed, PLAIN_NUMBER)
    empty = pc.equal(trimmed, "")
    missing = pc.is_in(pc.utf8_lower(trimmed), pa.array(sorted(MISSING), trimmed.type))
    numbers = pc.if_else(number, trimmed, None).cast(pa.float64())
    target[:] = pc.fill_null(numbers, np.nan).to_numpy(zero_copy_only=False)
    other = pc.invert(pc.or_(number, missing)).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(other)
    first = str(trimmed[int(rows[0])].as_py()) if len(rows) else ""
    return rows, len(chunk) - int(pc.sum(empty).as_py() or 0), first


TRUTH = (
    ("true", "false"), ("t", "f"), ("yes", "no"), ("y", "n"), ("on", "off"), ("ja", "nein"),
    ("ja", "nee"), ("wahr", "falsch"), ("oui", "non"), ("vrai", "faux"), ("si", "no"),
    ("sí", "no"), ("sì", "no"), ("verdadero", "falso"), ("vero", "falso"), ("sim", "não"),
    ("verdadeiro", "falso"),
)  # fmt: skip


def read_truth(column: pa.ChunkedArray) -> NumberColumn | None:
    """A column ``[R]`` of yes and no as 1 and 0, in several languages; ``None`` for another."""
    if pa.types.is_boolean(column.type):
        numbers = pc.fill_null(column.cast(pa.float64()), np.nan).to_numpy()
        return _numbers(numbers.copy(), [], "", len(column) - column.null_count)
    if not is_text(column.type):
        return None
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(column, "")))
    words = set(pc.unique(text).to_pylist()) - {""}
    pair = next((pair for pair in TRUTH if words and words <= set(pair)), None)
    if pair is None:
        return None
    yes = pc.equal(text, pair[0]).to_numpy().astype(np.float64)
    empty = pc.equal(text, "").to_numpy()
    return _numbers(np.where(empty, np.nan, yes), [], "", int((~empty).sum()))


def read_ids(table: pa.Table, columns: list[str]) -> tuple[Codes, list[str]]:
    """``[R]`` codes by first appearance (-1 for an empty id) and the names that they stand for.

    Without columns all rows have one empty name.
    """
    if not columns:
        return np.zeros(table.num_rows, np.int32), [""]
    texts = [table.column(name).cast(pa.string()) for name in columns]
    coded = encode(texts[0] if len(texts) == 1 else pc.binary_join_element_wise(*texts, "/"))
    places: dict[str, int] = {}
    mapped = np.full(len(coded.dictionary) + 1, -1, np.int32)  # the last stands for a missing id
    for number, name in enumerate(coded.dictionary.to_pylist()):
        plain = name.strip()
        if plain.strip("/" if len(columns) > 1 else ""):
            mapped[number] = places.setdefault(plain, len(places))
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    return mapped[codes], list(places)


def may_be_numeric(column: pa.ChunkedArray) -> bool:
    """A look at up to 20,000 cells, from all over the column."""
    if len(column) <= 20_000:
        return read_numbers(column).numeric
    spread = [column.slice(int(at), 1000) for at in np.linspace(0, len(column) - 1000, 20)]
    return any(read_numbers(part).numeric for part in spread)
