"""What stands below a table: totals, remarks and blank rows, as wide as it or not."""

import datetime
from pathlib import Path

import pytest

from birnn.data.tables.csv_file import CsvFile, read_csv
from birnn.data.tables.dialect import ReadOptions


def read(path: Path, text: str) -> CsvFile:
    path.write_text(text)
    return read_csv(path, ReadOptions())


def series(days: int) -> str:
    start = datetime.date(2024, 1, 1)
    rows = (f"{start + datetime.timedelta(i)},{100 + i},{50 + i}\n" for i in range(days))
    return "date,sales,cost\n" + "".join(rows)


BELOW = {
    "a total, then blank rows": ("Total,777,477\n,,\n,,\n", {"total": 1, "empty": 2}),
    "blank rows around": (
        ",,\nTotal,777,477\n,,\nSource: the office,,\n,,\n",
        {"total": 1, "footer": 1, "empty": 3},
    ),
    "two sums": ("Total,777,477\nAverage,12.5,7.5\n", {"total": 2}),
    "a total by name": ("Total sales:,777,\n", {"total": 1}),
    "a total beside": (",Total,777\n", {"total": 1}),
    "remarks": ("Note: preliminary,,\n* revised,,\n", {"footer": 2}),
    "of all widths": (",,\nTotal,7,4\nSource: me\n", {"total": 1, "footer": 1, "empty": 1}),
}  # fmt: skip


@pytest.mark.parametrize("days", [6, 60])
@pytest.mark.parametrize("below", BELOW)
def test_what_stands_below_a_series_is_left_out_and_counted(tmp_path, days, below):
    text, reasons = BELOW[below]
    found = read(tmp_path / "x.csv", series(days) + text)
    assert {reason: found.counts.of(reason) for reason in found.counts.left_out} == reasons
    assert len(found.table) == days
    assert found.table[-1]["sales"] == str(99 + days)
    assert f"{days + sum(reasons.values())} in the file, {days} read" in found.notes[0]


def test_a_panel_has_its_total_in_another_column(tmp_path):
    rows = "".join(f"{s},2024-01-{d:02},{d}\n" for s in ("Rome", "Oslo") for d in range(1, 20))
    found = read(tmp_path / "x.csv", f"shop,date,sold\n{rows}Total,,380\n,,\nSource: tills,,\n")
    assert len(found.table) == 38
    lines = found.counts.left_out
    assert lines == {"total": [40], "empty": [41], "footer": [42]}


@pytest.mark.parametrize(
    "last", ["2024-03-01,,\n", "2024-03-01,N/A,7\n", "2024-03-01,total,\n2024-03-02,1,2\n"]
)
def test_rows_of_data_stay(tmp_path, last):
    found = read(tmp_path / "x.csv", series(60) + last)
    assert len(found.table) == 60 + last.count("\n")
    assert not found.counts.lost


def test_texts_lose_nothing_but_what_speaks_of_the_file(tmp_path):
    texts = "".join(f"{i},a film no {i},{'good' if i % 2 else 'bad'}\n" for i in range(40))
    found = read(tmp_path / "x.csv", f"id,text,label\n{texts},,\n,a total loss,\n,,\n")
    assert len(found.table) == 43
    found = read(tmp_path / "x.csv", f"id,text,label\n{texts}Source: the office,,\n")
    assert found.counts.left_out == {"footer": [42]}


def test_inspect_is_ready_where_totals_stand_above_blank_rows(birnn, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(series(60) + BELOW["blank rows around"][0])
    told = birnn("inspect", path)
    assert told.code == 0, told.err
    assert "Ready for training" in told.out
    said = " ".join(told.out.split())
    assert (
        "5 left out (empty: 3 (line 62, 64, 66), total: 1 (line 63), footer: 1 (line 65))" in said
    )
