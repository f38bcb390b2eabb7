"""Covariates of a whole series: numbers, or a column of 0 and 1 for each level of a text."""

import numpy as np
import pandas as pd
import pyarrow as pa

from birnn.arrays import Floats, Ints
from birnn.data.series.columns import read_ids, read_numbers
from birnn.data.series.findings import Findings, at_lines
from birnn.data.series.layout import Layout
from birnn.data.wording import plural

MAX_LEVELS = 50


def read_static(table: pa.Table, layout: Layout, findings: Findings) -> tuple[Floats, list[str]]:
    """``[F, S]`` static covariates of the frames and their names.

    Numbers stay numbers (NaN where a series has none); texts become one column for each level,
    ``column=level``. A series that has two values is a fatal finding.
    """
    parts: list[Floats] = [np.zeros((len(layout.names), 0))]
    names: list[str] = []
    for name in layout.static:
        column = read_numbers(table.column(name))
        if column.numeric and not len(column.text):
            keys, known = column.values, np.isfinite(column.values)
            levels: list[str] = []
        else:
            codes, levels = read_ids(table, [name])
            keys, known = codes.astype(np.float64), codes >= 0
        known &= layout.codes >= 0
        values = np.full(len(layout.names), np.nan)
        rows = np.flatnonzero(known)
        values[layout.codes[rows[::-1]]] = keys[rows[::-1]]  # the first of each series stays
        _tell_changes(name, layout, rows, keys, values, findings)
        if not levels:
            parts.append(values[:, None])
            names.append(name)
        elif len(levels) > MAX_LEVELS:
            text = f"the static column {name!r} has {len(levels):,} levels, over {MAX_LEVELS}"
            mend = "leave it out of --static, or group its levels"
            findings.refuse("static", text, mend, count=len(levels))
        else:
            parts.append((values[:, None] == np.arange(len(levels))).astype(np.float64))
            names += [f"{name}={level}" for level in levels]
        empty = int(np.isnan(values).sum())
        if empty:
            text = f"{plural(empty, 'series', 'series')} without a value of the static {name!r}"
            findings.add("static", text, "no level" if levels else "missing", count=empty)
    return np.concatenate(parts, axis=1), names


def _tell_changes(
    name: str, layout: Layout, rows: Ints, keys: Floats, values: Floats, findings: Findings
) -> None:
    other = rows[keys[rows] != values[layout.codes[rows]]]
    if len(other):
        series = pd.unique(layout.codes[other])
        within = f"{plural(len(series), 'series', 'series')} ({at_lines(layout.lines[other])})"
        text = f"the static column {name!r} changes within {within}"
        mend = "name it with --past or --future instead"
        findings.refuse("static", text, mend, layout.lines[other], series=layout.names[series[0]])
