"""Rows with their steps → series on a regular grid, missing values treated as the policy says."""

from dataclasses import dataclass, replace
from itertools import compress, pairwise

import numpy as np

from birnn.arrays import Bools, Floats, Ints
from birnn.data.series.findings import Findings, SeriesOptions, at_lines
from birnn.data.series.layout import Layout
from birnn.data.series.panel import Clock, Panel
from birnn.data.series.rows import SeriesRows, missing_treatment
from birnn.data.series.season import clock_season, data_season
from birnn.data.wording import plural

CONSTANT_SHARE, CONSTANT_ROWS = 0.05, 24  # from which on equal values in a row are told


@dataclass(frozen=True)
class Grid:
    """``N`` series on one grid, and where they stand in their file."""

    panel: Panel  # the season is not known yet
    frames: Ints  # [N] which frame's rows a series is from
    firsts: Ints  # [N] its first step within the frame
    lines: Ints  # [N] the line of the file with its first value
    lasts: Ints  # [N] its last observed stamp
    rows: SeriesRows  # what the grid was built from
    steps: Ints  # [R]

    def __len__(self) -> int:
        return len(self.panel)

    def select(self, keep: Bools) -> "Grid":
        """Some of the series; the covariates stay as they are."""
        lengths = np.diff(self.panel.offsets)
        names = ("starts", "ends", "covariate_offsets", "static")
        panel = replace(
            self.panel,
            names=list(compress(self.panel.names, keep)),
            offsets=np.append(0, np.cumsum(lengths[keep])),
            values=self.panel.values[np.repeat(keep, lengths)],
            **{name: getattr(self.panel, name)[keep] for name in names},
        )
        own = {name: getattr(self, name)[keep] for name in ("frames", "firsts", "lines", "lasts")}
        return replace(self, panel=panel, **own)

    def incomplete(self) -> Bools:
        """``[N]`` whether a series misses values within its history."""
        lost = np.isnan(self.panel.values) & _history(self.panel)
        return np.add.reduceat(lost.astype(np.int64), self.panel.offsets[:-1]) > 0

    def tell_constant(self, season: int, findings: Findings) -> None:
        """Series that never change, and long stretches of equal values."""
        panel = self.panel
        starts, lengths, series = _runs(panel.values, panel.offsets)
        least = np.maximum(max(season, CONSTANT_ROWS), CONSTANT_SHARE * panel.ends[series])
        low = np.fmin.reduceat(panel.values, panel.offsets[:-1])
        high = np.fmax.reduceat(panel.values, panel.offsets[:-1])
        whole = low == high
        long = (lengths >= least) & ~whole[series]
        concerned = np.flatnonzero(whole | (np.bincount(series[long], minlength=len(whole)) > 0))
        room = findings.room("constant")
        for number in concerned[:room]:
            if whole[number]:
                count, rows = int(panel.ends[number]), self.lines[number : number + 1]
                text, treatment = f"every value is {low[number]:g}", "kept; scale set to 1"
            else:
                mine = long & (series == number)
                count = int(lengths[mine].sum())
                rows = self.file_rows(int(number), starts[mine] - panel.offsets[number])
                several = f"{plural(len(rows), 'stretch', 'stretches')} of equal values"
                most = f"{int(lengths[mine].max()):,} steps (from {at_lines(rows)})"
                text, treatment = f"{several}, the longest of {most}", "kept"
            name = panel.names[number]
            findings.add("constant", text, treatment, rows, series=name, count=count)
        rest = concerned[room:]
        findings.leave("constant", len(rest), int(panel.ends[rest].sum()))

    def file_rows(self, number: int, steps: Ints) -> Ints:
        """Lines of the file, of steps of a series; the line before, for a step without."""
        code = self.frames[number]
        begin, end = np.searchsorted(self.rows.codes, [code, code + 1])
        at = np.searchsorted(self.steps[begin:end], steps + self.firsts[number], side="right") - 1
        return np.asarray(self.rows.lines[begin + at])


def _history(panel: Panel) -> Bools:
    """``[R']`` whether a step belongs to the history of its series."""
    lengths = np.diff(panel.offsets)
    steps = np.arange(len(panel.values)) - np.repeat(panel.offsets[:-1], lengths)
    return np.asarray(steps < np.repeat(panel.ends, lengths))


def _runs(values: Floats, offsets: Ints) -> tuple[Ints, Ints, Ints]:
    """Stretches of equal values: where each begins, its length, and its series."""
    changed = np.ones(len(values), bool)
    changed[1:] = values[1:] != values[:-1]  # NaN differs from itself
    changed[offsets[:-1][offsets[:-1] < len(values)]] = True
    starts = np.flatnonzero(changed)
    lengths = np.diff(np.append(starts, len(values)))
    starts, lengths = starts[lengths > 1], lengths[lengths > 1]
    return starts, lengths, np.searchsorted(offsets, starts, side="right") - 1


@dataclass(frozen=True)
class _Frames:
    """Where ``F`` frames stand among the rows, and on a grid that has all their steps."""

    begins: Ints  # [F] rows
    ends: Ints  # [F]
    codes: Ints  # [F]
    offsets: Ints  # [F + 1] steps of the grid

    def spread(self, values: Ints) -> Ints:
        """``[F]`` → ``[R]``, the same for all rows of a frame."""
        return np.repeat(values, self.ends - self.begins)


def build_grid(
    rows: SeriesRows, steps: Ints, layout: Layout, clock: Clock, static: tuple[Floats, list[str]],
    options: SeriesOptions, findings: Findings,
) -> Grid:  # fmt: skip
    """Put every series on its grid, from its first to its last observed value.

    The rows are sorted and distinct; ``steps [R]`` count within their frames; ``static`` is as
    :func:`~birnn.data.series.static.read_static` has it.
    """
    begins, ends = rows.begins, np.append(rows.begins[1:], len(steps))
    offsets = np.append(0, np.cumsum(steps[ends - 1] + 1))
    frames = _Frames(begins, ends, rows.codes[begins].astype(np.int64), offsets)
    past, future = _covariates(rows, steps, layout, frames, options, findings)
    names, parts = [], []
    for name in layout.targets:
        own = [name] if layout.layout == "wide" else rows.names
        part = _series(rows.columns[name], steps, frames, keep_ahead=bool(layout.future))
        _tell_unobserved(name, own, part, rows, frames, options.missing, findings)
        names += [own[code] for code in frames.codes[part.frames]]
        parts.append(part)
    columns = zip(*((p.frames, p.first, p.last, p.sizes) for p in parts), strict=True)
    frame, first, last, sizes = map(np.concatenate, columns)
    leading, trailing = (first - begins[frame]).sum(), (ends[frame] - 1 - last).sum()
    _tell_trimmed(int(leading), int(trailing), bool(layout.future), findings)
    if not names:
        text = f"{', '.join(layout.targets)}: no value is observed at all"
        findings.refuse("missing", text, "name another --target", count=len(steps))
    values = parts[0].values if len(parts) == 1 else np.concatenate([part.values for part in parts])
    panel = Panel(
        names, rows.stamps[first], np.append(0, np.cumsum(sizes)), steps[last] - steps[first] + 1,
        values, clock, 1, offsets[frame] + steps[first], past, future,
        static[0][frames.codes[frame]], layout.past, layout.future, static[1],
    )  # fmt: skip
    if options.missing == "interpolate" and names:
        _interpolate(panel.values, _history(panel))
    codes, firsts = frames.codes[frame], steps[first]
    return Grid(panel, codes, firsts, rows.lines[first], rows.stamps[last], rows, steps)


@dataclass(frozen=True)
class _Series:
    """What one column holds of the ``S`` frames that have any value of it."""

    frames: Ints  # [S]
    first: Ints  # [S] first observed row
    last: Ints  # [S]
    sizes: Ints  # [S] steps
    values: Floats  # of all these steps
    missing: Ints  # rows without a value between the two


def _series(column: Floats, steps: Ints, frames: _Frames, *, keep_ahead: bool) -> _Series:
    known = np.isfinite(column)
    numbers = np.arange(len(column))
    last = np.maximum.reduceat(np.where(known, numbers, -1), frames.begins)
    first = np.minimum.reduceat(np.where(known, numbers, len(column)), frames.begins)
    inside = (numbers >= frames.spread(first)) & (numbers <= frames.spread(last))
    used = last >= 0
    first[~used] = -1
    final = np.where(keep_ahead, frames.ends - 1, last)
    sizes = np.where(used, steps[final] - steps[first] + 1, 0)
    values = np.full(int(sizes.sum()), np.nan)
    shift = frames.spread(np.cumsum(sizes) - sizes - steps[first])
    values[(steps + shift)[inside]] = column[inside]
    missing = np.flatnonzero(inside & ~known)
    return _Series(np.flatnonzero(used), first[used], last[used], sizes[used], values, missing)


def _tell_unobserved(
    name: str, series: list[str], part: _Series, rows: SeriesRows, frames: _Frames, policy: str,
    findings: Findings,
) -> None:  # fmt: skip
    """Values of a column that are missing, and series that have none; ``series`` are the names."""
    findings.by_series(
        "missing", series, rows.codes[part.missing], rows.lines[part.missing],
        lambda n, lines: f"{plural(n, 'value')} of {name!r} missing ({at_lines(lines)})",
        *missing_treatment(policy),
    )  # fmt: skip
    empty = np.setdiff1d(np.arange(len(frames.codes)), part.frames)
    for number in empty[: findings.room("short")]:
        line, own = rows.lines[frames.begins[[number]]], series[frames.codes[number]]
        findings.add("short", "not one value is observed", "left out", line, series=own, count=0)


def _tell_trimmed(leading: int, trailing: int, keep_ahead: bool, findings: Findings) -> None:
    if leading:
        text = f"{plural(leading, 'row')} before the first value of a series left out"
        findings.notes.append(text)
    if trailing:
        what = "kept for known future covariates" if keep_ahead else "left out"
        findings.notes.append(f"{plural(trailing, 'row')} after the last value of a series {what}")


def _covariates(
    rows: SeriesRows, steps: Ints, layout: Layout, frames: _Frames, options: SeriesOptions,
    findings: Findings,
) -> tuple[Floats, Floats]:  # fmt: skip
    """``[R', P]`` past and ``[R', K]`` known future covariates on the grids of the frames."""
    known = np.any([np.isfinite(rows.columns[name]) for name in layout.targets], axis=0)
    seen = np.maximum.reduceat(np.where(known, np.arange(len(steps)), -1), frames.begins)
    # What is known up to the present alone is not missing after it.
    present = np.arange(len(steps)) <= frames.spread(seen)
    at = steps + frames.spread(frames.offsets[:-1])
    treatment, fatal = missing_treatment(options.missing)
    tables = []
    for names, expected in ((layout.past, present), (layout.future, np.ones_like(present))):
        table = np.full((int(frames.offsets[-1]), len(names)), np.nan)
        for number, name in enumerate(names):
            table[at, number] = rows.columns[name]
            lost = rows.lines[np.isnan(rows.columns[name]) & expected]
            if len(lost):
                text = f"{plural(len(lost), 'value')} of the covariate {name!r} missing"
                done = "masked" if options.missing == "drop" else treatment
                findings.add("missing", f"{text} ({at_lines(lost)})", done, lost, fatal=fatal)
            if options.missing != "interpolate":
                continue
            for begin, end in pairwise(frames.offsets):
                known = begin + np.flatnonzero(np.isfinite(table[begin:end, number]))
                if len(known):
                    gaps = table[known[0] : known[-1] + 1, number]
                    _interpolate(gaps, np.ones(len(gaps), bool))
        tables.append(table)
    return tables[0], tables[1]


def _interpolate(values: Floats, inside: Bools) -> None:
    """Fill gaps in place; each stretch of ``inside`` begins and ends with a value."""
    chosen = np.flatnonzero(inside)
    known = np.isfinite(values[chosen])
    lost = np.flatnonzero(~known)
    values[chosen[lost]] = np.interp(lost, np.flatnonzero(known), values[chosen[known]])


def pick_season(panel: Panel, options: SeriesOptions) -> tuple[int, str]:
    """Steps of a season, and in words where it is from."""
    if options.season:
        return options.season, "named"
    if panel.clock.frequency:
        season, words = clock_season(panel.clock)
        if 2 * season > int(panel.ends.max()):
            return 1, f"{season} ({words}) is more than half of the longest series: none"
        return season, words
    season = data_season([panel.history(i) for i in range(len(panel))])
    if season == 1:
        return 1, "none found in the autocorrelation of the values"
    return season, "found in the autocorrelation of the values (first 70 % of each series)"
