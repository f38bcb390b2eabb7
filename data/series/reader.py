"""A file of time series → a panel on a regular grid, and what was found on the way.

Nothing is repaired in silence: every oddity is a finding with its rows and its treatment.
"""

import json
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from birnn.arrays import Ints
from birnn.data.samples import SERIES_SAMPLES
from birnn.data.series import by_parts as parts
from birnn.data.series import rows as series_rows
from birnn.data.series.columns import NumberColumn, read_numbers, read_truth
from birnn.data.series.findings import CHOICES, Findings, Inspection, SeriesOptions, at_lines
from birnn.data.series.grid import Grid, build_grid, pick_season
from birnn.data.series.layout import Layout, find_layout, listed
from birnn.data.series.panel import Clock, Panel
from birnn.data.series.remembered import Remembered, parse_remembered
from birnn.data.series.rows import SeriesRows, missing_treatment
from birnn.data.series.static import read_static
from birnn.data.tables.arrow_table import ArrowTable
from birnn.data.tables.dialect import Dialect, ReadOptions
from birnn.data.tables.sources import Tables, load_tables, with_plain_numbers
from birnn.data.wording import agree, plural
from birnn.errors import ConfigError, DataError
from birnn.registry import suggestion


def read_panel(
    source: str, options: SeriesOptions, *, horizon: int = 0, lookback: int = 0
) -> tuple[Panel, Inspection]:
    """Read a file of series for training or forecasting.

    Args:
        source: as :func:`~birnn.data.tables.sources.load_tables` takes it, or a sample's name.
        horizon: steps to be forecast; series that are too short for it are left out.
        lookback: steps that a forecast sees; 0 if not known yet.

    Raises:
        DataError: the first fatal finding, and how to mend it; or the file can't be read at all.
        ConfigError: an option has a value that it can't have.
    """
    panel, inspection = _examine(source, options, horizon, lookback)
    fatal = inspection.fatal
    if fatal is not None:
        which = f" series {fatal.series!r}:" if fatal.series else ""
        mend = fatal.treatment.removeprefix("refused; ")
        raise DataError(f"{inspection.source}:{which} {fatal.text}; {mend}")
    if panel is None:  # pragma: no cover - there is always a finding that says why
        raise DataError(f"{inspection.source} holds no usable series")
    return panel, inspection


def inspect_file(
    source: str, options: SeriesOptions, *, horizon: int = 0, lookback: int = 0
) -> Inspection:
    """Say what a file of series holds, as far as it can be read; fatal findings are listed.

    Raises:
        DataError: the file can't be read at all, or has no usable column.
        ConfigError: an option has a value that it can't have.
    """
    return _examine(source, options, horizon, lookback)[1]


def check_options(options: SeriesOptions) -> None:
    """Refuse what no file could be read with.

    Raises:
        ConfigError: an unknown word, or a season below 0.
    """
    for name, known in CHOICES.items():
        value = getattr(options, name)
        if value not in known:
            unknown = f"--{name} {value}: unknown{suggestion(value, known)}"
            raise ConfigError(f"{unknown}; there are: {', '.join(known)}")
    if options.season < 0:
        raise ConfigError(f"--season {options.season}: it is a number of steps, 1 for none")


Loaded = tuple[pa.Table, str, list[str], dict[str, Any], Ints]


def _read_options(options: SeriesOptions) -> ReadOptions:
    trained = Dialect.from_json(options.reading.get("table"))
    return ReadOptions(options.encoding, options.skip_ragged, options.table, trained)


def _loaded(tables: Tables, options: SeriesOptions, first: int = 0) -> Loaded:
    """The one table of a source; its name in words; notes; how it was read; the rows' lines.

    ``first``: the number of its first row, where there are others before.
    """
    read = _read_options(options)
    if len(tables.splits) != 1:
        several = f"several splits ({', '.join(map(str, tables.splits))})"
        why = "series are cut by time, not by file; put them into one file"
        raise DataError(f"{tables.source} has {several}: {why}")
    named_columns = {*listed(options.time_column), *listed(options.id_column)}
    tables = with_plain_numbers(tables, read, named_columns)
    split = next(iter(tables.splits))
    table = tables.splits[split].with_format("arrow")[:]
    if not table.num_rows:
        raise DataError(f"{tables.source} holds no rows")
    table = _flat(table)
    lines = tables.lines.get(split, np.arange(table.num_rows) + 2 + first)
    return table, tables.source, [*tables.notes, *tables.warnings], tables.reading, lines


def _tables(source: str, read: ReadOptions) -> Tables:
    """An embedded sample by its name, or whatever else ``source`` names."""
    if source not in SERIES_SAMPLES:
        return load_tables(source, read, aliases={}, samples=list(SERIES_SAMPLES))
    words, sample = f"embedded {source}", SERIES_SAMPLES[source]()
    if isinstance(sample, Path):
        return replace(load_tables(str(sample), read), source=words)
    return Tables({"train": sample[0]}, words, sample[1])


def _flat(table: pa.Table) -> pa.Table:
    """The table, its columns of lists and of records as the JSON that they were."""
    for at, kind in enumerate(table.schema):
        if pa.types.is_nested(kind.type):
            cells = (cell.as_py() for cell in table.column(at))
            texts = [None if cell is None else json.dumps(cell, default=str) for cell in cells]
            table = table.set_column(at, kind.name, pa.array(texts, pa.string()))
    return table


def _examine(
    source: str, options: SeriesOptions, horizon: int, lookback: int
) -> tuple[Panel | None, Inspection]:
    check_options(options)
    if files := parts.large_files(source):

        def examine(
            table: pa.Table, first: int, own: SeriesOptions
        ) -> tuple[Panel | None, Inspection]:
            tables = Tables({"train": ArrowTable(table)}, source, [])
            return _examined(_loaded(tables, own, first), own, horizon, lookback)

        if found := parts.by_parts(files, source, options, examine):
            season, words = pick_season(found[0], options)
            inspection = replace(found[1], season=season, season_source=words)
            return replace(found[0], season=season), inspection
    loaded = _loaded(_tables(source, _read_options(options)), options)
    return _examined(loaded, options, horizon, lookback)


def _examined(
    loaded: Loaded, options: SeriesOptions, horizon: int, lookback: int
) -> tuple[Panel | None, Inspection]:
    table, where, notes, reading, lines = loaded
    run = parse_remembered(options.reading["series"]) if "series" in options.reading else None
    layout = find_layout(table, lines, options, where, run)
    findings = Findings([*notes, *layout.notes])
    for doubt in layout.doubts:
        findings.add("ambiguous", doubt.text, doubt.treatment)
    columns = dict(layout.numbers)
    for name in dict.fromkeys([*layout.targets, *layout.past, *layout.future]):
        if name not in columns:
            columns[name] = _covariate(table, name, where, findings)
    for name, column in columns.items():
        _tell_cells(layout, name, column, options, findings)
    begun = Inspection(
        where, layout.layout, layout.time, ", ".join(layout.id_columns), layout.targets,
        None, options.season, "not known", table.num_rows, 0, 0, 0, "", "", reading=reading,
    )  # fmt: skip
    static = read_static(table, layout, findings)
    numbers = {name: column.values for name, column in columns.items()}
    rows = series_rows.usable_rows(layout, numbers, findings)
    del table, columns, numbers
    if not len(rows.stamps):
        return None, _closed(begun, findings)
    rows, clock, steps, series = _placed(rows, layout, options, findings, run)
    begun = replace(begun, clock=clock, reading={**reading, "series": series.to_json()})
    if clock is None or steps is None:
        return None, _closed(begun, findings)
    grid = build_grid(rows, steps, layout, clock, static, options, findings)
    grid = _fit(grid, options, horizon, lookback, findings)
    if not len(grid):
        return None, _closed(begun, findings)
    season, words = pick_season(grid.panel, options)
    grid.tell_constant(season, findings)
    panel = replace(grid.panel, season=season)
    begun = replace(
        begun, season=season, season_source=words, series=len(panel),
        shortest=int(panel.ends.min()), longest=int(panel.ends.max()),
        start=_written(int(panel.starts.min()), clock), end=_written(int(grid.lasts.max()), clock),
    )  # fmt: skip
    return panel, _closed(begun, findings)


def _covariate(table: pa.Table, name: str, where: str, findings: Findings) -> NumberColumn:
    """A column of numbers, or of yes and no.

    Raises:
        DataError: most of it is words.
    """
    column = read_numbers(table.column(name))
    if column.numeric or not column.filled:
        return column
    truth = read_truth(table.column(name))
    if truth is None:
        what = f"the covariate {name!r} holds words, as {column.cell[:40]!r}"
        mend = "write a column of 0 and 1 for each word (numbers and yes or no can be read)"
        raise DataError(f"{where}: {what}; {mend}")
    findings.notes.append(f"{name!r} holds yes and no: read as 1 and 0")
    return truth


def _placed(
    rows: SeriesRows, layout: Layout, options: SeriesOptions, findings: Findings,
    run: Remembered | None,
) -> tuple[SeriesRows, Clock | None, Ints | None, Remembered]:  # fmt: skip
    """Rows sorted and without duplicates, their clock and steps, and how all this was read."""
    rows = before = series_rows.sort_rows(rows, findings)
    if not options.frequency and (run is None or run.moved):
        rows = series_rows.moved_months(rows, layout, findings, again=run is not None)
    clock = series_rows.find_clock(rows, layout, options, findings, run)
    series = layout.remembered(clock, moved=rows.moved_from(before))
    if series_rows.share_stamps(rows, layout, options, findings):
        return rows, clock, None, series
    rows = series_rows.merge_duplicates(rows, clock, options.duplicates, findings)
    if clock is None:
        return rows, None, None, series
    return rows, clock, series_rows.place_rows(rows, clock, options, findings, run), series


def _closed(inspection: Inspection, findings: Findings) -> Inspection:
    return replace(inspection, findings=findings.kept, notes=findings.all_notes())


def _written(stamp: int, clock: Clock) -> str:
    if not clock.frequency:
        return str(stamp)
    return str(pd.Timestamp(stamp, tz="UTC").tz_convert(clock.zone or None))


def _tell_cells(
    layout: Layout, name: str, column: NumberColumn, options: SeriesOptions, findings: Findings
) -> None:
    """Cells of a column that hold text or infinite numbers."""
    names = layout.names
    if layout.layout == "wide":
        names = [name if name in layout.targets else ""]

    def tell(kind: str, rows: Ints, what: str, treatment: str, fatal: bool) -> None:
        rows = rows[layout.codes[rows] >= 0]
        findings.by_series(
            kind, names, layout.codes[rows], layout.lines[rows],
            lambda n, own: (
                f"{plural(n, 'cell')} of {name!r} {agree(n, 'is', 'are')} {what} ({at_lines(own)})"
            ), treatment, fatal)  # fmt: skip

    treatment, fatal = missing_treatment(options.missing)
    text = f"no number, as {column.cell[:40]!r}"
    fails = options.text == "fail"
    mend = "refused; correct it, or take it as missing with --text missing"
    tell("text", column.text, text, mend if fails else f"taken as missing: {treatment}", fails)
    tell("infinite", column.infinite, "infinite", treatment, fatal)


def _fit(
    grid: Grid, options: SeriesOptions, horizon: int, lookback: int, findings: Findings
) -> Grid:
    """Leave out series that the policy drops or that are too short."""
    if options.missing == "drop" and len(grid):
        lost = grid.incomplete()
        if lost.any():
            dropped = list(compress(grid.panel.names, lost))
            shown = ", ".join(dropped[:5]) + (", …" if len(dropped) > 5 else "")
            many = plural(len(dropped), "series", "series")
            findings.notes.append(f"left out for missing values: {many} ({shown})")
            grid = grid.select(~lost)
        if lost.all():
            text = "every series has missing values, and --missing drop leaves none"
            mend = "choose --missing mask or interpolate"
            findings.refuse("missing", text, mend, count=len(lost))
            return grid
    needed = lookback + horizon if lookback else horizon + 2
    short = np.flatnonzero(grid.panel.ends < needed)
    fatal = len(short) == len(grid)
    windows = f" (lookback {lookback:,} + horizon {horizon:,})" if lookback else ""
    findings.by_series(
        "short", grid.panel.names, short, grid.lines[short],
        lambda steps, _: f"{plural(steps, 'step')}, {needed:,} are needed{windows}",
        "refused; give more rows, or a shorter --horizon or --lookback" if fatal else "left out",
        fatal, weights=grid.panel.ends[short])  # fmt: skip
    return grid if not len(short) or fatal else grid.select(grid.panel.ends >= needed)
