"""Rows with their steps → series on a regular grid, missing values treated as the policy says."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from birnn.arrays import Bools, Floats, Ints
from birnn.data.series.findings import Finding, Findings, SeriesOptions, lines_of, said
from birnn.data.series.layout import Layout
from birnn.data.series.panel import Clock, Panel
from birnn.data.series.rows import Rows, missing_treatment
from birnn.data.series.season import clock_season, data_season
from birnn.data.wording import plural

CONSTANT_SHARE = 0.05  # of a series, from which on equal values in a row are told
CONSTANT_ROWS = 24


@dataclass(frozen=True)
class Grid:
    """``N`` series on one grid, ``R'`` steps in all; see :class:`birnn.data.series.panel.Panel`.

    Attributes:
        frames: ``[N]`` which frame's rows a series is from.
        firsts: ``[N]`` its first step within the frame.
        lines: ``[N]`` the row of the file with its first value, from 0.
        lasts: ``[N]`` its last observed stamp.
        rows, steps: what the grid was built from.
    """

    names: list[str]
    starts: Ints
    offsets: Ints
    ends: Ints
    values: Floats
    covariate_offsets: Ints
    past: Floats
    future: Floats
    frames: Ints
    firsts: Ints
    lines: Ints
    lasts: Ints
    rows: Rows
    steps: Ints

    @property
    def latest(self) -> int:
        """The last observed stamp of all."""
        return int(self.lasts.max())

    def select(self, keep: Bools) -> "Grid":
        """Some of the series; the covariates stay as they are."""
        lengths = np.diff(self.offsets)
        return replace(
            self,
            names=[name for name, kept in zip(self.names, keep, strict=True) if kept],
            starts=self.starts[keep],
            offsets=np.append(0, np.cumsum(lengths[keep])),
            ends=self.ends[keep],
            values=self.values[np.repeat(keep, lengths)],
            covariate_offsets=self.covariate_offsets[keep],
            frames=self.frames[keep],
            firsts=self.firsts[keep],
            lines=self.lines[keep],
            lasts=self.lasts[keep],
        )

    def incomplete(self) -> Bools:
        """``[N]`` whether a series misses values within its history."""
        history = _history(self.offsets, self.ends)
        lost = np.add.reduceat(
            (np.isnan(self.values) & history).astype(np.int64), self.offsets[:-1]
        )
        return lost > 0

    def tell_constant(self, season: int, findings: Findings) -> None:
        """Series that never change, and long stretches of equal values."""
        starts, lengths, series = _runs(self.values, self.offsets)
        least = np.maximum(max(season, CONSTANT_ROWS), CONSTANT_SHARE * self.ends[series])
        low = np.fmin.reduceat(self.values, self.offsets[:-1])
        high = np.fmax.reduceat(self.values, self.offsets[:-1])
        whole = low == high
        long = (lengths >= least) & ~whole[series]
        concerned = np.flatnonzero(whole | (np.bincount(series[long], minlength=len(whole)) > 0))
        room = findings.room("constant")
        for number in concerned[:room]:
            if whole[number]:
                count, lines = int(self.ends[number]), lines_of(self.lines[number : number + 1])
                text = f"every value is {low[number]:g}"
                treatment = "kept; scale set to 1"
            else:
                mine = long & (series == number)
                count = int(lengths[mine].sum())
                begins = starts[mine] - self.offsets[number]
                lines = lines_of(self.file_rows(int(number), begins))
                top = int(lengths[mine].max())
                text = (
                    f"{plural(len(begins), 'stretch', 'stretches')} of equal values, the longest of"
                    f" {top:,} steps (from {said(lines, len(begins))})"
                )
                treatment = "kept"
            findings.add(Finding("constant", self.names[number], count, lines, text, treatment))
        findings.leave("constant", len(concerned[room:]), int(self.ends[concerned[room:]].sum()))

    def file_rows(self, number: int, steps: Ints) -> Ints:
        """Rows of the file, from 0, of steps of a series; the row before, for a step without."""
        code = self.frames[number]
        begin, end = np.searchsorted(self.rows.codes, [code, code + 1])
        at = np.searchsorted(self.steps[begin:end], steps + self.firsts[number], side="right") - 1
        rows: Ints = self.rows.lines[begin + at]
        return rows

    def panel(
        self, clock: Clock, season: int, layout: Layout, static: Floats, static_names: list[str]
    ) -> Panel:
        """The panel, ``static`` ``[F, S]`` of the frames spread over their series."""
        return Panel(
            self.names, self.starts, self.offsets, self.ends, self.values, clock, season,
            self.covariate_offsets, self.past, self.future, static[self.frames],
            layout.past, layout.future, static_names,
        )  # fmt: skip


def _history(offsets: Ints, ends: Ints) -> Bools:
    """``[R']`` whether a step belongs to the history of its series."""
    flags = np.ones(offsets[-1], bool)
    for number in np.flatnonzero(np.diff(offsets) > ends):
        flags[offsets[number] + ends[number] : offsets[number + 1]] = False
    return flags


def _runs(values: Floats, offsets: Ints) -> tuple[Ints, Ints, Ints]:
    """Stretches of equal values: where each begins, its length, and its series."""
    changed = np.ones(len(values), bool)
    changed[1:] = values[1:] != values[:-1]  # NaN differs from itself
    changed[offsets[:-1][offsets[:-1] < len(values)]] = True
    starts = np.flatnonzero(changed)
    lengths = np.diff(np.append(starts, len(values)))
    several = lengths > 1
    series = np.searchsorted(offsets, starts[several], side="right") - 1
    return starts[several], lengths[several], series


def build_grid(
    rows: Rows, steps: Ints, layout: Layout, clock: Clock, options: SeriesOptions,
    findings: Findings,
) -> Grid:  # fmt: skip
    """Put every series on its grid, from its first to its last observed value.

    Args:
        rows: sorted, distinct.
        steps: ``[R]`` of the rows within their frames.
        layout: which columns are what.
        clock: of all.
        options: the policy for missing values.
        findings: to add to.
    """
    begins = rows.begins
    ends = np.append(begins[1:], len(steps))
    codes = rows.codes[begins].astype(np.int64)
    lengths = steps[ends - 1] + 1
    covariates = np.append(0, np.cumsum(lengths))
    at = steps + np.repeat(covariates[:-1], ends - begins)
    known = np.any([np.isfinite(rows.columns[name]) for name in layout.targets], axis=0)
    seen = np.maximum.reduceat(np.where(known, np.arange(len(steps)), -1), begins)
    # What is known up to the present alone is not missing after it.
    ahead = np.arange(len(steps)) > np.repeat(seen, ends - begins)
    past, future = (
        _covariates(rows, names, at, covariates, options, findings, expected)
        for names, expected in ((layout.past, ~ahead), (layout.future, ahead | ~ahead))
    )
    keep_ahead = bool(layout.future)
    parts = [
        _series(rows, steps, rows.columns[name], begins, ends, keep_ahead)
        for name in layout.targets
    ]
    wide = layout.layout == "wide"
    names, chosen = [], []
    for name, part in zip(layout.targets, parts, strict=True):
        _tell_missing(rows, part, name, wide, options, findings)
        for number in np.flatnonzero(part.first < 0)[: findings.room("short")]:
            series = name if wide else rows.names[codes[number]]
            lines = lines_of(rows.lines[begins[number]][None])
            text = "not one value is observed"
            findings.add(Finding("short", series, 0, lines, text, "left out"))
        chosen.append(np.flatnonzero(part.first >= 0))
        names += [name] if wide and len(chosen[-1]) else []
        names += [] if wide else [rows.names[code] for code in codes[chosen[-1]]]
    first = np.concatenate([part.first[c] for part, c in zip(parts, chosen, strict=True)])
    last = np.concatenate([part.last[c] for part, c in zip(parts, chosen, strict=True)])
    sizes = np.concatenate([part.sizes[c] for part, c in zip(parts, chosen, strict=True)])
    frame = np.concatenate(chosen)
    _tell_trimmed(int((first - begins[frame]).sum()), int((ends[frame] - 1 - last).sum()),
                  keep_ahead, findings)  # fmt: skip
    if not len(names):
        mend = "refused; name another --target"
        text = f"{', '.join(layout.targets)}: no value is observed at all"
        findings.add(Finding("missing", "", len(steps), [], text, mend, fatal=True))
    values = [part.values for part in parts]
    grid = Grid(
        names, rows.stamps[first],
        np.append(0, np.cumsum(sizes)),
        steps[last] - steps[first] + 1,
        values[0] if len(values) == 1 else np.concatenate(values),
        covariates[:-1][frame] + steps[first], past, future, codes[frame], steps[first],
        rows.lines[first], rows.stamps[last], rows, steps,
    )  # fmt: skip
    if options.missing == "interpolate" and len(names):
        _interpolate(grid.values, _history(grid.offsets, grid.ends))
    return grid


@dataclass(frozen=True)
class _Series:
    """Of one column: first and last observed row of each frame (-1: none), sizes, dense values."""

    first: Ints
    last: Ints
    sizes: Ints
    values: Floats
    missing: Ints  # rows without a value between the two


def _series(
    rows: Rows, steps: Ints, column: Floats, begins: Ints, ends: Ints, keep_ahead: bool
) -> _Series:
    known = np.isfinite(column)
    numbers = np.arange(len(column))
    last = np.maximum.reduceat(np.where(known, numbers, -1), begins)
    first = np.minimum.reduceat(np.where(known, numbers, len(column)), begins)
    first[last < 0] = -1
    final = np.where(keep_ahead, ends - 1, last)
    sizes = np.where(first < 0, 0, steps[final] - steps[first] + 1)
    offsets = np.cumsum(sizes) - sizes
    many = ends - begins
    inside = (numbers >= np.repeat(np.where(first < 0, len(column), first), many)) & (
        numbers <= np.repeat(last, many)
    )
    values = np.full(int(sizes.sum()), np.nan)
    shift = np.repeat(offsets - steps[first], many)
    values[(steps + shift)[inside]] = column[inside]
    return _Series(first, last, sizes, values, np.flatnonzero(inside & ~known))


def _tell_missing(
    rows: Rows, part: _Series, name: str, wide: bool, options: SeriesOptions, findings: Findings
) -> None:
    if not len(part.missing):
        return
    codes = rows.codes[part.missing]
    counts = np.bincount(codes)
    concerned = np.flatnonzero(counts)
    room = findings.room("missing")
    treatment, fatal = missing_treatment(options.missing)
    for code in concerned[:room]:
        count = int(counts[code])
        lines = lines_of(rows.lines[part.missing[codes == code]])
        text = f"{plural(count, 'value')} of {name!r} missing ({said(lines, count)})"
        series = name if wide else rows.names[code]
        findings.add(Finding("missing", series, count, lines, text, treatment, fatal))
    findings.leave("missing", len(concerned[room:]), int(counts[concerned[room:]].sum()))


def _tell_trimmed(leading: int, trailing: int, keep_ahead: bool, findings: Findings) -> None:
    if leading:
        findings.notes.append(
            f"{plural(leading, 'row')} before the first value of a series left out"
        )
    if trailing:
        what = "kept for known future covariates" if keep_ahead else "left out"
        findings.notes.append(f"{plural(trailing, 'row')} after the last value of a series {what}")


def _covariates(
    rows: Rows, names: list[str], at: Ints, offsets: Ints, options: SeriesOptions,
    findings: Findings, expected: Bools,
) -> Floats:  # fmt: skip
    """``[R', C]`` covariates on the grids of the frames; ``expected [R]`` rows should have them."""
    table = np.full((int(offsets[-1]), len(names)), np.nan)
    for number, name in enumerate(names):
        column = rows.columns[name]
        table[at, number] = column
        lost = np.flatnonzero(np.isnan(column) & expected)
        if len(lost):
            lines = lines_of(rows.lines[lost])
            text = (
                f"{plural(len(lost), 'value')} of the covariate {name!r} missing"
                f" ({said(lines, len(lost))})"
            )
            treatment, fatal = missing_treatment(options.missing)
            if options.missing == "drop":
                treatment = "masked"
            findings.add(Finding("missing", "", len(lost), lines, text, treatment, fatal))
        if options.missing == "interpolate":
            for begin, end in pairwise(offsets):
                part = table[begin:end, number]
                known = np.flatnonzero(np.isfinite(part))
                if len(known):
                    inside = np.zeros(len(part), bool)
                    inside[known[0] : known[-1] + 1] = True
                    _interpolate(part, inside)
    return table


def _interpolate(values: Floats, inside: Bools) -> None:
    """Fill gaps in place; each stretch of ``inside`` begins and ends with a value."""
    chosen = np.flatnonzero(inside)
    part = values[chosen]
    known = np.isfinite(part)
    if known.all():
        return
    lost = np.flatnonzero(~known)
    values[chosen[lost]] = np.interp(lost, np.flatnonzero(known), part[known])


def pick_season(grid: Grid, clock: Clock, options: SeriesOptions) -> tuple[int, str]:
    """Steps of a season, and in words where it is from."""
    longest = int(grid.ends.max())
    if options.season:
        return options.season, "named"
    if clock.frequency:
        season, words = clock_season(clock)
        if 2 * season > longest:
            return 1, f"{season} ({words}) is more than half of the longest series: none"
        return season, words
    series = [
        grid.values[begin : begin + end]
        for begin, end in zip(grid.offsets[:-1], grid.ends, strict=True)
    ]
    season = data_season(series)
    if season == 1:
        return 1, "none found in the autocorrelation of the values"
    return season, "found in the autocorrelation of the values (first 70 % of each series)"
