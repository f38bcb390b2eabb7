"""What a person sees of a file of series: everything found, and nothing that steers a terminal."""

import io

import pytest
from rich.console import Console

from birnn.data.series.findings import Finding, Inspection
from birnn.data.series.panel import Clock
from birnn.terminal.views.inspection import SHOWN, render_inspection

EVIL = "a\x1b[2Jb\u202e[red]c"


def inspection(findings=(), notes=(), **changes):
    fields = {
        "source": "x.csv", "layout": "long", "time_column": "ds", "id_column": EVIL,
        "targets": ["y"], "clock": Clock("h"), "season": 24, "season_source": "a day",
        "rows": 12345, "series": 3, "shortest": 100, "longest": 2000, "start": "2020-01-01",
        "end": "2021-01-01", "findings": list(findings), "notes": list(notes),
    }  # fmt: skip
    return Inspection(**{**fields, **changes})


def shown(value, width=100, plain=False):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render_inspection(value, width, plain=plain))
    return console.file.getvalue()


def finding(kind="gap", fatal=False, series=EVIL):
    return Finding(kind, series, 2, [3, 4], f"2 steps missing {EVIL}", "masked", fatal)


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("width", [60, 100])
def test_everything_is_said(plain, width):
    text = shown(inspection([finding("clock_change")], [f"read as {EVIL}"]), width, plain)
    for part in ("x.csv", "12,345", "100 to 2,000", "24 (a day)", "clock change", "masked",
                 "read as", "Ready for training", "2020-01-01, 2021-01-01"):  # fmt: skip
        assert part in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width


def test_fatal_findings_come_first():
    text = shown(inspection([finding("gap"), finding("stamp", fatal=True)]))
    assert text.index("stamp") < text.index("gap")
    assert "Training is refused for 1 finding." in text


def test_nothing_odd_and_nothing_usable():
    assert "Nothing odd" in shown(inspection())
    text = shown(inspection(clock=None, series=0, targets=[f"c{n}" for n in range(20)]))
    assert "not known" in text
    assert "(20 in all)" in text
    assert "No usable series" in text


def test_long_lists_are_cut():
    text = shown(inspection([finding(series=f"s{n}") for n in range(SHOWN + 5)]))
    assert "and 5 more" in text
