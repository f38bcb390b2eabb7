"""The rows of a file of series, sorted and on one grid; what is odd about their stamps."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from birnn.arrays import Bools, Codes, Floats, Ints
from birnn.data.series.findings import Finding, Findings, SeriesOptions, lines_of, said
from birnn.data.series.frequency import (
    clock_changes,
    coarser,
    distinct,
    infer_clock,
    month_starts,
    named_clock,
    places,
)
from birnn.data.series.layout import Layout
from birnn.data.series.panel import Clock
from birnn.data.series.stamps import BAD
from birnn.data.wording import plural

LONG_RUN = 10  # equal steps, one after the other, that are no accident
GRID_FACTOR, GRID_ROWS = 20, 1_000_000  # a grid of more steps than this is a mistake


@dataclass(frozen=True)
class Rows:
    """``R`` usable rows, sorted by frame and stamp once :func:`sort_rows` has seen them.

    Attributes:
        codes: ``[R]`` the frame of each.
        stamps: ``[R]``.
        lines: ``[R]`` which row of the file it is, from 0.
        columns: of each name ``[R]`` numbers.
        names: of the frames.
    """

    codes: Codes
    stamps: Ints
    lines: Ints
    columns: dict[str, Floats]
    names: list[str]

    def take(self, chosen: Ints | Bools) -> "Rows":
        """Some of the rows, or all in another order."""
        columns = {name: values[chosen] for name, values in self.columns.items()}
        return replace(
            self, codes=self.codes[chosen], stamps=self.stamps[chosen], lines=self.lines[chosen],
            columns=columns,
        )  # fmt: skip

    @property
    def begins(self) -> Ints:
        """``[F']`` the row that each frame begins at; frames without rows are left out."""
        return np.append(0, np.flatnonzero(np.diff(self.codes)) + 1)


def by_series(
    findings: Findings,
    kind: str,
    series: Codes,
    rows: Ints,
    names: list[str],
    tell: Callable[[int, list[int]], str],
    treatment: str,
    fatal: bool = False,
) -> None:
    """A finding for each series that has some.

    Args:
        findings: to add to.
        kind: of finding.
        series: ``[K]`` of each cell.
        rows: ``[K]`` the row of the file, from 0.
        names: of the series.
        tell: makes the sentence from a count and the first lines.
        treatment: of all.
        fatal: of all.
    """
    if not len(rows):
        return
    concerned, counts = np.unique(series, return_counts=True)
    room = findings.room(kind)
    for number, count in list(zip(concerned, counts, strict=True))[:room]:
        lines = lines_of(rows[series == number])
        text = tell(int(count), lines)
        findings.add(Finding(kind, names[number], int(count), lines, text, treatment, fatal))
    findings.leave(kind, len(concerned[room:]), int(counts[room:].sum()))


def usable_rows(layout: Layout, columns: dict[str, Floats], findings: Findings) -> Rows:
    """Leave out rows without an id or a stamp that can be read, and say so."""
    stamps = layout.stamps.values
    rows = Rows(layout.codes, stamps, np.arange(len(stamps)), columns, layout.names)
    bad = np.flatnonzero(stamps == BAD)
    if len(bad):
        lines = lines_of(bad)
        cell = layout.stamps.cell
        what = f"without a stamp, as {cell[:40]!r}" if cell else "empty"
        text = (
            f"{plural(len(bad), 'cell')} of {layout.time_column!r} {what} ({said(lines, len(bad))})"
        )
        mend = "refused; correct them, or name another --time-column"
        findings.add(Finding("stamp", "", len(bad), lines, text, mend, fatal=True))
    nameless = np.flatnonzero(layout.codes < 0)
    if len(nameless):
        lines = lines_of(nameless)
        text = f"{plural(len(nameless), 'row')} without an id ({said(lines, len(nameless))})"
        mend = "refused; fill in the column of ids, or name another --id-column"
        findings.add(Finding("id", "", len(nameless), lines, text, mend, fatal=True))
    if not len(bad) and not len(nameless):
        return rows
    return rows.take((stamps != BAD) & (layout.codes >= 0))


def sort_rows(rows: Rows, findings: Findings) -> Rows:
    """Sort by series and time; tells of series whose stamps go back."""
    if (np.diff(rows.codes) < 0).any():
        rows = rows.take(np.argsort(rows.codes, kind="stable"))
    back = np.flatnonzero((np.diff(rows.stamps) < 0) & (np.diff(rows.codes) == 0)) + 1
    if not len(back):
        return rows
    by_series(
        findings, "disorder", rows.codes[back], rows.lines[back], rows.names,
        lambda n, lines: f"stamps go back at {plural(n, 'row')} ({said(lines, n)})",
        "sorted by time",
    )  # fmt: skip
    return rows.take(np.lexsort((rows.stamps, rows.codes)))


def merge_duplicates(rows: Rows, clock: Clock | None, policy: str, findings: Findings) -> Rows:
    """One row for each stamp of a series, as ``policy`` says; ``fail`` keeps the first.

    Tells of hours that a change of clocks takes away or repeats, if a clock is known.
    """
    repeated = np.zeros(len(rows.stamps), bool)
    repeated[1:] = (np.diff(rows.stamps) == 0) & (np.diff(rows.codes) == 0)
    if clock is not None:
        _tell_clock_changes(rows, clock, policy, findings)
    places_repeated = np.flatnonzero(repeated)
    if not len(places_repeated):
        return rows
    fails = policy == "fail"
    by_series(
        findings, "duplicate", rows.codes[places_repeated], rows.lines[places_repeated], rows.names,
        lambda n, lines: f"{plural(n, 'row')} with a stamp that stands before ({said(lines, n)})",
        "refused; take them out, or choose --duplicates mean, first or last"
        if fails else {"mean": "their mean is taken"}.get(policy, f"the {policy} one is taken"),
        fails,
    )  # fmt: skip
    starts = np.flatnonzero(~repeated)
    if policy != "mean":
        ends = np.append(starts[1:], len(repeated)) - 1
        return rows.take(ends if policy == "last" else starts)
    merged = rows.take(starts)
    columns = {}
    for name, values in rows.columns.items():
        known = np.isfinite(values)
        counts = np.add.reduceat(known.astype(np.float64), starts)
        sums = np.add.reduceat(np.where(known, values, 0.0), starts)
        columns[name] = np.divide(sums, counts, out=np.full(len(starts), np.nan), where=counts > 0)
    return replace(merged, columns=columns)


def _tell_clock_changes(rows: Rows, clock: Clock, policy: str, findings: Findings) -> None:
    changes = clock_changes(rows.stamps, clock)
    same = np.append(False, np.diff(rows.codes) == 0)
    spring = changes.spring[same[changes.spring]]
    autumn = changes.autumn[same[changes.autumn]]
    count = len(spring) + len(autumn)
    if not count:
        return
    parts, treated = [], []
    if len(spring):
        parts.append(
            f"an hour is missing in spring ({said(lines_of(rows.lines[spring]), len(spring))})"
        )
        treated.append("the missing hour is a gap")
    if len(autumn):
        parts.append(
            f"an hour stands twice in autumn ({said(lines_of(rows.lines[autumn]), len(autumn))})"
        )
        treated.append(f"the repeated one is a duplicate (--duplicates {policy})")
    text = f"{' and '.join(parts)}: local time without a zone, as clocks change"
    treatment = f"{'; '.join(treated)}; stamps in UTC would have neither"
    lines = lines_of(rows.lines[np.concatenate([spring, autumn])])
    findings.add(Finding("clock_change", "", count, lines, text, treatment))


def moved_months(rows: Rows, layout: Layout, findings: Findings) -> Rows:
    """Stamps on, say, the 15th of every month as months; pandas has no frequency for those."""
    if layout.stamps.whole or layout.stamps.zone not in ("", "UTC") or not len(rows.stamps):
        return rows
    moved = month_starts(rows.stamps)
    if moved is None:
        return rows
    day = pd.Timestamp(int(rows.stamps[0])).day
    findings.notes.append(f"stamps on day {day} of each month are taken as that month's first")
    return replace(rows, stamps=moved)


def find_clock(
    rows: Rows, layout: Layout, options: SeriesOptions, findings: Findings
) -> Clock | None:
    """The clock that is named, or that of the longest series; ``None`` if no stamps tell."""
    whole, zone = layout.stamps.whole, layout.stamps.zone
    if options.frequency:
        return named_clock(options.frequency.strip(), whole=whole, zone=zone)
    begins = rows.begins
    lengths = np.diff(np.append(begins, len(rows.stamps)))
    longest = int(lengths.argmax())
    stamps = distinct(rows.stamps[begins[longest] :][: lengths[longest]])
    clock = infer_clock(stamps, whole=whole, zone=zone)
    if clock is None:
        text = "no series has two stamps, so that no frequency can be told"
        mend = "refused; name it with --frequency, or another --time-column"
        findings.add(Finding("frequency", "", len(rows.stamps), [], text, mend, fatal=True))
    return clock


def place_rows(rows: Rows, clock: Clock, options: SeriesOptions, findings: Findings) -> Ints | None:
    """``[R]`` the step of each row in its frame; ``None`` if the rows aren't on one grid.

    Tells of mixed frequencies, stamps off the grid, and gaps.
    """
    begins = rows.begins
    steps, on = places(rows.stamps, begins, clock)
    suspect = np.bincount(np.repeat(np.arange(len(begins)), _lengths(begins, len(steps)))[~on])
    odd = np.zeros(len(begins), bool)
    odd[: len(suspect)] = suspect > 0
    if not options.frequency:
        odd |= coarser(steps, begins) & on.all()
        if _tell_mixed(rows, begins, odd, clock, findings):
            return None
    off = np.flatnonzero(~on)
    if len(off):
        by_series(
            findings, "off_grid", rows.codes[off], rows.lines[off], rows.names,
            lambda n, lines: (
                f"{plural(n, 'stamp')} not on the grid of {clock.named()} ({said(lines, n)})"
            ),
            "refused; correct them, or name the right --frequency", fatal=True,
        )  # fmt: skip
        return None
    last = np.append(begins[1:], len(steps)) - 1
    total = int((steps[last] + 1).sum())
    if total > GRID_FACTOR * len(steps) + GRID_ROWS:
        text = f"{len(steps):,} rows would stand on {total:,} steps of {clock.named()}"
        mend = "refused; name the right --frequency, or cut the file where its gap is"
        findings.add(Finding("gap", "", total - len(steps), [], text, mend, fatal=True))
        return None
    if len(steps) > LONG_RUN and _tell_new_step(rows, steps, findings):
        return None
    _tell_gaps(rows, steps, options.missing, findings)
    return steps


def _lengths(begins: Ints, rows: int) -> Ints:
    return np.diff(np.append(begins, rows))


def _tell_mixed(rows: Rows, begins: Ints, odd: Bools, clock: Clock, findings: Findings) -> bool:
    """Whether a series steps otherwise than the longest one does."""
    lengths = _lengths(begins, len(rows.stamps))
    longest = int(lengths.argmax())
    others = [
        (number, other)
        for number in np.flatnonzero(odd)[:100]
        if number != longest
        and (other := infer_clock(
            distinct(rows.stamps[begins[number] :][: lengths[number]]),
            whole=not clock.frequency, zone=clock.zone,
        )) not in (None, clock)
    ]  # fmt: skip
    if not others:
        return False
    number, other = others[0]
    name, main = (rows.names[rows.codes[begins[place]]] for place in (number, longest))
    text = f"series step differently: {main!r} by {clock.named()}, {name!r} by {other.named()}"
    lines = lines_of(rows.lines[begins[number]][None])
    mend = "refused; bring them to one frequency, forecast them apart, or name --frequency"
    findings.add(Finding("mixed_frequency", name, len(others), lines, text, mend, fatal=True))
    return True


def _tell_new_step(rows: Rows, steps: Ints, findings: Findings) -> bool:
    """Refuse a series that steps by another length for a long while: hours first, then days."""
    apart = np.diff(steps)
    same = np.diff(rows.codes) == 0
    # A run: equal distances between the rows of one series, one after the other.
    starts = np.flatnonzero(np.r_[True, (np.diff(apart) != 0) | ~same[1:] | ~same[:-1]])
    lengths = np.diff(np.r_[starts, len(apart)])
    long = starts[(lengths >= LONG_RUN) & (apart[starts] > 1) & same[starts]]
    fine = starts[(lengths >= LONG_RUN) & (apart[starts] == 1) & same[starts]]
    mixed = long[np.isin(rows.codes[long], rows.codes[fine])]
    if not len(mixed):
        return False
    place = int(mixed[0])
    name, step = rows.names[rows.codes[place]], int(apart[place])
    text = f"changes its step: from the first of these rows on it is {step} times the usual one"
    mend = "refused; bring it to one frequency, or forecast its parts apart"
    lines = lines_of(rows.lines[mixed[:5]])
    findings.add(Finding("mixed_frequency", name, len(mixed), lines, text, mend, fatal=True))
    return True


def _tell_gaps(rows: Rows, steps: Ints, policy: str, findings: Findings) -> None:
    apart = np.diff(steps)
    after = np.flatnonzero((np.diff(rows.codes) == 0) & (apart > 1)) + 1
    if not len(after):
        return
    lost = np.bincount(rows.codes[after], apart[after - 1] - 1).astype(np.int64)
    concerned = np.flatnonzero(lost)
    room = findings.room("gap")
    codes = rows.codes[after]
    for code in concerned[:room]:
        mine = after[codes == code]
        lines = lines_of(rows.lines[mine])
        count = int(lost[code])
        text = (
            f"{plural(count, 'step')} missing in {plural(len(mine), 'gap')}"
            f" (before {said(lines, len(mine))})"
        )
        treatment, fatal = missing_treatment(policy)
        findings.add(Finding("gap", rows.names[code], count, lines, text, treatment, fatal))
    findings.leave("gap", len(concerned[room:]), int(lost[concerned[room:]].sum()))


def missing_treatment(policy: str) -> tuple[str, bool]:
    """What becomes of missing values, and whether that is a refusal."""
    words = {
        "mask": "masked",
        "interpolate": "interpolated linearly, which looks ahead over the gap",
        "drop": "the series is left out",
        "fail": "refused; fill them in, or choose --missing mask, interpolate or drop",
    }
    return words[policy], policy == "fail"
