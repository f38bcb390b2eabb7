"""The generators of files with known content are right themselves; ``make generated`` runs them."""

import csv
import io
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import dialects
import written_times
from judging import ALTERED, NEVER, OTHERWISE, READ, SILENT, WARNED, WRONG, kind_of, outcome
from rival_readings import conventions, rivals
from stamp_formats import Format
from table_content import Column, Dialect

SEEDS = range(300)


@pytest.mark.parametrize("module", [dialects, written_times])
def test_a_seed_is_a_file(module: object) -> None:
    for seed in range(20):
        first, again = (module.make(seed) for _ in range(2))  # type: ignore[attr-defined]
        assert first.data == again.data
        assert (first.verdict, first.why) == (again.verdict, again.why)


def test_tables_hold_what_they_should() -> None:
    """Python's parser, told the dialect, gives the cells; in the file's order, none more."""
    verdicts = Counter()
    for sample in map(dialects.make, SEEDS):
        verdicts[sample.verdict] += 1
        known = sample.dialect
        if known.form == "csv" and not (known.titles or known.comments or known.repeats):
            text = sample.data.decode(known.encoding)
            reader = csv.reader(
                io.StringIO(text, newline=""), delimiter=known.delimiter, strict=True,
                quotechar=known.quote or None, doublequote=not known.backslash,
                quoting=csv.QUOTE_MINIMAL if known.quote else csv.QUOTE_NONE,
                escapechar="\\" if known.backslash else None,
            )  # fmt: skip
            try:
                rows = [row for row in reader if row]
            except csv.Error:  # a bare carriage return, which Python ends a line at
                continue
            rows = rows[known.separator_line + known.header : len(rows) - bool(known.footer)]
            meant = list(zip(*(c.cells for c in sample.columns), strict=True))
            if len(rows) == len(meant):
                assert [tuple(r[: len(sample.columns)]) for r in rows] == meant, sample.seed
    assert verdicts["clear"] > 200
    assert min(verdicts["ambiguous"], verdicts["arguable"]) > 5


def test_times_hold_what_they_should() -> None:
    verdicts = Counter()
    for sample in map(written_times.make, SEEDS):
        verdicts[sample.verdict] += 1
        if sample.family == "ISO" and sample.layout == "one":
            table = pd.read_csv(io.BytesIO(sample.data), sep=None, engine="python")
            values = [float(str(value).replace(",", ".")) for value in table.iloc[:, 1]]
            read = pd.Series(values, pd.to_datetime(table.iloc[:, 0]))
            (known,) = sample.series.values()
            assert read.sort_index().equals(known)
    assert verdicts["clear"] > 200
    assert min(verdicts["ambiguous"], verdicts["arguable"]) > 2


def numbers(*cells: str) -> Column:
    return Column("n", "number", cells, tuple(0.0 for _ in cells))


def test_numbers_that_leave_two_readings() -> None:
    assert len(conventions([numbers("1,234", "2,345")])) == 2
    assert len(conventions([numbers("1.234", "2.345")])) == 2
    assert len(conventions([numbers("1,234", "2.5")])) == 1
    assert len(conventions([numbers("1,234"), numbers("2.5")])) == 1
    assert len(conventions([numbers("1,234,567")])) == 1
    assert len(conventions([numbers("0.125", "2.345")])) == 1
    assert len(conventions([numbers("12", "345")])) == 1


def test_rows_that_leave_two_delimiters() -> None:
    semicolons = Dialect(delimiter=";")
    twice = ["a,b;c", "1,5;2", "1,5;3"]
    assert {option for option, _ in rivals(twice, semicolons)} == {"--delimiter"}
    assert not list(rivals(["a;c", "1,5;2", "1,5;3"], semicolons))


def test_orders_that_leave_two_readings() -> None:
    def weighed(index: pd.DatetimeIndex) -> str:
        form = Format("", str, "numbers", "dmy", False, "/")
        return written_times.weigh(form, {"y": pd.Series(0.0, index)})[0]

    assert weighed(pd.date_range("2024-01-01", periods=40)) == "clear"  # the 13th is no month
    assert weighed(pd.date_range("2024-01-01", periods=12)) == "ambiguous"
    assert weighed(pd.date_range("2020-01-01", periods=12, freq="MS")) == "ambiguous"
    assert weighed(pd.date_range("2020-01-01", periods=40, freq="MS")) == "arguable"


def test_outcomes() -> None:
    says = ["dates are read day first; --day-first no reads them otherwise"]

    def given(verdict: str, wrong: str, notes: list[str]) -> str:
        decide = ("--day-first",) if verdict == "ambiguous" else ()
        return outcome(verdict, wrong, notes, decide, "").outcome

    assert given("clear", "", []) == given("clear", "", says) == READ
    assert given("clear", "other", []) == ALTERED
    assert given("arguable", "other", says) == WRONG
    assert given("ambiguous", "", []) == SILENT
    assert given("ambiguous", "", says) == WARNED
    assert given("ambiguous", "other", says) == OTHERWISE
    assert given("ambiguous", "other", ["--frequency"]) == ALTERED
    assert kind_of("line 12: 'x' is no number (line 3, 4); see --text") == (
        kind_of("line 7: 'it is' is no number (line 8); see --text")
    )


@pytest.mark.parametrize(("module", "count"), [(dialects, 60), (written_times, 100)])
def test_what_is_known_is_read(module: object, count: int, tmp_path: Path) -> None:
    """None altered, none read in silence; the long run is ``make generated``."""
    samples = [module.make(seed) for seed in range(count)]  # type: ignore[attr-defined]
    results = [module.judge(sample, tmp_path) for sample in samples]  # type: ignore[attr-defined]
    assert not [(s.seed, r) for s, r in zip(samples, results, strict=True) if r.outcome in NEVER]
    clear = [result.outcome for result in results if result.verdict != "ambiguous"]
    assert clear.count(READ) >= 0.95 * len(clear)
