"""The rows of a file of series, sorted and on one grid; what is odd about their stamps."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from birnn.arrays import Bools, Codes, Floats, Ints
from birnn.data.series import frequency
from birnn.data.series.findings import Findings, SeriesOptions, at_lines
from birnn.data.series.layout import Layout
from birnn.data.series.panel import Clock
from birnn.data.series.remembered import Remembered
from birnn.data.stamps.reading import BAD
from birnn.data.wording import plural
from birnn.errors import DataError

LONG_RUN = 10  # equal steps, one after the other, that are no accident
GRID_FACTOR, GRID_ROWS = 20, 1_000_000  # a grid of more steps than this is a mistake


@dataclass(frozen=True)
class SeriesRows:
    """``R`` usable rows, sorted by frame and stamp once :func:`sort_rows` has seen them."""

    codes: Codes  # [R] the frame of each
    stamps: Ints  # [R]
    lines: Ints  # [R] of the file at which each begins
    columns: dict[str, Floats]  # of each name [R] numbers
    names: list[str]  # of the frames

    def take(self, chosen: Ints | Bools) -> "SeriesRows":
        """Some of the rows, or all in another order."""
        columns = {name: values[chosen] for name, values in self.columns.items()}
        codes, stamps, lines = self.codes[chosen], self.stamps[chosen], self.lines[chosen]
        return SeriesRows(codes, stamps, lines, columns, self.names)

    def moved_from(self, before: "SeriesRows") -> bool:
        """Whether days of months were taken as months."""
        return len(self.stamps) > 0 and int(self.stamps[0]) != int(before.stamps[0])

    @property
    def begins(self) -> Ints:
        """``[F']`` the row that each frame begins at; frames without rows are left out."""
        return np.append(0, np.flatnonzero(np.diff(self.codes)) + 1)

    def distinct_stamps(self, begin: int) -> Ints:
        """The stamps of the frame that begins at a row, each once."""
        end = np.searchsorted(self.codes, self.codes[begin], "right")
        return frequency.distinct(self.stamps[begin:end])


def usable_rows(layout: Layout, columns: dict[str, Floats], findings: Findings) -> SeriesRows:
    """Leave out rows without an id or a stamp that can be read, and say so."""
    stamps = layout.stamps.values
    lines = layout.lines
    rows = SeriesRows(layout.codes, stamps, lines, columns, layout.names)
    bad = np.flatnonzero(stamps == BAD)
    if len(bad):
        cell = layout.stamps.cell
        what = f"without a stamp, as {cell[:40]!r}" if cell else "empty"
        text = f"{plural(len(bad), 'cell')} of {layout.time!r} {what} ({at_lines(lines[bad])})"
        mend = "correct them, or say how they are written with --date-format"
        findings.refuse("stamp", text, mend, lines[bad])
    nameless = np.flatnonzero(layout.codes < 0)
    if len(nameless):
        nameless = np.unique(lines[nameless])
        text = f"{plural(len(nameless), 'row')} without an id ({at_lines(nameless)})"
        mend = "fill in the column of ids, or name another --id-column"
        findings.refuse("id", text, mend, nameless)
    good = (stamps != BAD) & (layout.codes >= 0)
    return rows if good.all() else rows.take(good)


def sort_rows(rows: SeriesRows, findings: Findings) -> SeriesRows:
    """Sort by series and time; tells of series whose stamps go back."""
    if (np.diff(rows.codes) < 0).any():
        rows = rows.take(np.argsort(rows.codes, kind="stable"))
    back = np.flatnonzero((np.diff(rows.stamps) < 0) & (np.diff(rows.codes) == 0)) + 1
    if not len(back):
        return rows
    findings.by_series(
        "disorder", rows.names, rows.codes[back], rows.lines[back],
        lambda n, own: f"stamps go back at {plural(n, 'row')} ({at_lines(own)})", "sorted by time",
    )  # fmt: skip
    return rows.take(np.lexsort((rows.stamps, rows.codes)))


def merge_duplicates(
    rows: SeriesRows, clock: Clock | None, policy: str, findings: Findings
) -> SeriesRows:
    """One row for each stamp of a series, as ``policy`` says; ``fail`` keeps the first.

    Tells of hours that a change of clocks takes away or repeats, if a clock is known.
    """
    if clock is not None:
        _tell_clock_changes(rows, clock, policy, findings)
    repeated = np.append(False, (np.diff(rows.stamps) == 0) & (np.diff(rows.codes) == 0))
    if not repeated.any():
        return rows
    fails = policy == "fail"
    findings.by_series(
        "duplicate", rows.names, rows.codes[repeated], rows.lines[repeated],
        lambda n, own: f"{plural(n, 'row')} with a stamp that stands before ({at_lines(own)})",
        "refused; take them out, or choose --duplicates mean, first or last"
        if fails else {"mean": "their mean is taken"}.get(policy, f"the {policy} one is taken"),
        fails)  # fmt: skip
    starts = np.flatnonzero(~repeated)
    if policy != "mean":
        ends = np.append(starts[1:], len(repeated)) - 1
        return rows.take(ends if policy == "last" else starts)
    merged = rows.take(starts)
    for name, values in rows.columns.items():
        known = np.isfinite(values)
        counts = np.add.reduceat(known.astype(np.float64), starts)
        sums = np.add.reduceat(np.where(known, values, 0.0), starts)
        empty = np.full(len(starts), np.nan)
        merged.columns[name] = np.divide(sums, counts, out=empty, where=counts > 0)
    return merged


def _tell_clock_changes(rows: SeriesRows, clock: Clock, policy: str, findings: Findings) -> None:
    changes = frequency.clock_changes(rows.stamps, clock)
    same = np.append(False, np.diff(rows.codes) == 0)
    spring, autumn = (rows.lines[at[same[at]]] for at in (changes.spring, changes.autumn))
    parts, treated = [], []
    if len(spring):
        parts.append(f"an hour is missing in spring ({at_lines(spring)})")
        treated.append("the missing hour is a gap")
    if len(autumn):
        parts.append(f"an hour stands twice in autumn ({at_lines(autumn)})")
        treated.append(f"the repeated one is a duplicate (--duplicates {policy})")
    if parts:
        text = f"{' and '.join(parts)}: local time without a zone, as clocks change"
        treatment = f"{'; '.join(treated)}; stamps in UTC would have neither"
        findings.add("clock_change", text, treatment, np.concatenate([spring, autumn]))


def moved_months(
    rows: SeriesRows, layout: Layout, findings: Findings, *, again: bool = False
) -> SeriesRows:
    """Stamps on one day of each month, and not the same, as months.

    ``again``: of a file of a run that read months so, however short.
    """
    if layout.stamps.whole or not len(rows.stamps):
        return rows
    wall = frequency.wall_time(rows.stamps, layout.stamps.zone)
    moved = frequency.month_starts(wall, again=again)
    if moved is None:
        return rows
    findings.notes.append("stamps on one day of each month are taken as that month's first")
    zone = layout.stamps.zone
    if zone and zone != "UTC":
        index = pd.DatetimeIndex(moved.astype("datetime64[ns]")).tz_localize(zone)
        moved = np.asarray(index.as_unit("ns").asi8)
    return replace(rows, stamps=moved)


def find_clock(
    rows: SeriesRows, layout: Layout, options: SeriesOptions, findings: Findings,
    run: Remembered | None = None,
) -> Clock | None:  # fmt: skip
    """The clock that is named, that of a run, or that of the longest series.

    ``None`` if no stamps tell.

    Raises:
        DataError: stamps of another kind than the run's.
    """
    whole, zone = layout.stamps.whole, layout.stamps.zone
    if options.frequency:
        return frequency.named_clock(options.frequency.strip(), whole=whole, zone=zone)
    if run is not None and run.frequency:
        if run.whole != whole:
            kinds = ("dates", "whole numbers")
            raise DataError(
                f"its stamps are {kinds[whole]}; the run was trained on {kinds[run.whole]}"
            )
        return replace(frequency.named_clock(run.frequency, whole=whole, zone=zone), day=run.day)
    clock = frequency.infer_clock(rows.distinct_stamps(_longest(rows)), whole=whole, zone=zone)
    if clock is None:
        text = "no series has two stamps, so that no frequency can be told"
        mend = "name it with --frequency, or another --time-column"
        findings.refuse("frequency", text, mend, count=len(rows.stamps))
    return clock


def share_stamps(
    rows: SeriesRows, layout: Layout, options: SeriesOptions, findings: Findings
) -> bool:
    """Whether stamps stand again and again because several series share them; a fatal finding."""
    if not layout.shared or options.duplicates != "fail":
        return False
    again = (np.diff(rows.stamps) == 0) & (np.diff(rows.codes) == 0)
    if not again.any():
        return False
    names = ",".join(layout.shared)
    text = f"several series share their stamps: {', '.join(map(repr, layout.shared))} "
    text += "tells them apart" if len(layout.shared) == 1 else "together tell them apart"
    option = f"--id-column {names}"
    findings.refuse("ids", text, f"name what tells series apart, as in {option}",
                    rows.lines[np.flatnonzero(again) + 1])  # fmt: skip
    return True


def _longest(rows: SeriesRows) -> int:
    """The row that the longest frame begins at."""
    begins = rows.begins
    return int(begins[np.diff(np.append(begins, len(rows.codes))).argmax()])


def place_rows(
    rows: SeriesRows, clock: Clock, options: SeriesOptions, findings: Findings,
    run: Remembered | None = None,
) -> Ints | None:  # fmt: skip
    """``[R]`` the step of each row in its frame; ``None`` if the rows aren't on one grid.

    Tells of mixed frequencies, stamps off the grid, and gaps.
    """
    begins = rows.begins
    steps, on = frequency.places(rows.stamps, begins, clock)
    if run is not None and not on.all() and _tell_other(rows, begins, clock, findings):
        return None
    if not options.frequency:
        odd = ~np.logical_and.reduceat(on, begins)
        odd |= frequency.coarser(steps, begins) & on.all()
        other = run is not None and odd.any()
        if other and _tell_other(rows, begins[odd], clock, findings):
            return None
        if run is None and _tell_mixed(rows, begins[odd], clock, findings):
            return None
    off = np.flatnonzero(~on)
    if len(off):
        words = f"not on the grid of {clock.named()}"
        findings.by_series(
            "off_grid", rows.names, rows.codes[off], rows.lines[off],
            lambda n, own: f"{plural(n, 'stamp')} {words} ({at_lines(own)})",
            "refused; correct them, or name the right --frequency", fatal=True)  # fmt: skip
        return None
    total = int((np.maximum.reduceat(steps, begins) + 1).sum())
    if total > GRID_FACTOR * len(steps) + GRID_ROWS:
        text = f"{len(steps):,} rows would stand on {total:,} steps of {clock.named()}"
        mend = "name the right --frequency, or cut the file where its gap is"
        findings.refuse("gap", text, mend, count=total - len(steps))
        return None
    if len(steps) > LONG_RUN and _tell_new_step(rows, steps, findings):
        return None
    _tell_gaps(rows, steps, options.missing, findings)
    return steps


def _tell_other(rows: SeriesRows, odd: Ints, clock: Clock, findings: Findings) -> bool:
    """Whether series step otherwise than a run's, which is refused."""
    stamps = rows.distinct_stamps(int(odd[0]))
    theirs = frequency.infer_clock(stamps, whole=not clock.frequency, zone=clock.zone)
    if theirs is None or theirs == clock:
        return False
    text = f"its steps are {theirs.named()}; the run was trained on {clock.named()}"
    findings.refuse("frequency", text, "bring rows of the run's steps, or train on these")
    return True


def _tell_mixed(rows: SeriesRows, odd: Ints, clock: Clock, findings: Findings) -> bool:
    """Whether a series, of those that begin at the rows ``odd``, steps unlike the longest one."""
    longest = _longest(rows)
    others = []
    for begin in odd[odd != longest][:100]:
        stamps = rows.distinct_stamps(begin)
        other = frequency.infer_clock(stamps, whole=not clock.frequency, zone=clock.zone)
        if other is not None and other != clock:
            others.append((begin, other))
    if not others:
        return False
    begin, other = others[0]
    name, main = rows.names[rows.codes[begin]], rows.names[rows.codes[longest]]
    text = f"series step differently: {main!r} by {clock.named()}, {name!r} by {other.named()}"
    mend = "bring them to one frequency, forecast them apart, or name --frequency"
    row = rows.lines[begin : begin + 1]
    findings.refuse("mixed_frequency", text, mend, row, series=name, count=len(others))
    return True


def _tell_new_step(rows: SeriesRows, steps: Ints, findings: Findings) -> bool:
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
    mend = "bring it to one frequency, or forecast its parts apart"
    first = rows.lines[mixed[:5]]
    findings.refuse("mixed_frequency", text, mend, first, series=name, count=len(mixed))
    return True


def _tell_gaps(rows: SeriesRows, steps: Ints, policy: str, findings: Findings) -> None:
    apart = np.diff(steps)
    after = np.flatnonzero((np.diff(rows.codes) == 0) & (apart > 1)) + 1

    def tell(n: int, own: Ints) -> str:
        return f"{plural(n, 'step')} missing in {plural(len(own), 'gap')} (before {at_lines(own)})"

    findings.by_series("gap", rows.names, rows.codes[after], rows.lines[after], tell,
                       *missing_treatment(policy), weights=apart[after - 1] - 1)  # fmt: skip


def missing_treatment(policy: str) -> tuple[str, bool]:
    """What becomes of missing values, and whether that is a refusal."""
    words = {
        "mask": "masked",
        "interpolate": "interpolated linearly, which looks ahead over the gap",
        "drop": "the series is left out",
        "fail": "refused; fill them in, or choose --missing mask, interpolate or drop",
    }
    return words[policy], policy == "fail"
