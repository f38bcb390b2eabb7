"""Times that stand in several columns of numbers, dates and texts, or in the header."""

import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from birnn.data.series.findings import SeriesOptions
from birnn.data.series.reader import inspect_file

ROWS = 72
DAYS = [f"2024-01-{1 + i // 24:02}" for i in range(ROWS)]
DATES = [datetime.date.fromisoformat(day) for day in DAYS]
HOURS = [i % 24 for i in range(ROWS)]
CLOCKS = [f"{hour}:00" for hour in HOURS]
TILDES = [day.replace("-", "~") for day in DAYS]
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905


@pytest.fixture
def look(tmp_path):
    """What a table holds: its time, frequency, number of series, first and last stamp."""

    def call(columns, **options):
        count = len(next(iter(columns.values())))
        values = {} if "Jan" in columns else {"y": [float(i % 7) for i in range(count)]}
        pq.write_table(pa.table({**columns, **values}), tmp_path / "x.parquet")
        found = inspect_file(str(tmp_path / "x.parquet"), SeriesOptions(**options))
        assert found.fatal is None
        assert found.clock is not None
        return found.time, found.clock.frequency, found.series, found.start[:16], found.end[:16]

    return call


@pytest.mark.parametrize(
    ("columns", "time", "start", "end"),
    [
        ({"Date": DAYS, "Hour": HOURS}, "Date, Hour", "01 00:00", "03 23:00"),
        ({"Date": DAYS, "Hour": [float(hour) for hour in HOURS]}, "Date, Hour", "01 00:00",
         "03 23:00"),
        ({"Date": DAYS, "Hour": [hour + 1 for hour in HOURS]}, "Date, Hour", "01 01:00",
         "04 00:00"),
        ({"Date": DAYS, "Time": [100 * hour + 30 for hour in HOURS]}, "Date, Time", "01 00:30",
         "03 23:30"),
        ({"Date": DATES, "Clock": CLOCKS}, "Date, Clock", "01 00:00", "03 23:00"),
        ({"Date": DATES, "Clock": [datetime.time(hour) for hour in HOURS]}, "Date, Clock",
         "01 00:00", "03 23:00"),
        ({"Year": [2024] * ROWS, "Month": [1] * ROWS, "Day": [1 + i // 24 for i in range(ROWS)],
          "Hour": HOURS}, "Year, Month, Day, Hour", "01 00:00", "03 23:00"),
    ],
)  # fmt: skip
def test_hours_beside_dates(look, columns, time, start, end):
    assert look(columns) == (time, "h", 1, f"2024-01-{start}", f"2024-01-{end}")


@pytest.mark.parametrize(
    "options",
    [
        {"date_format": "%Y~%m~%d"},
        {"date_format": "%Y~%m~%d", "time_columns": "Clock,Date"},
        {"date_format": "%Y~%m~%d %H:%M", "time_columns": "Date,Clock"},
    ],
)
def test_a_format_is_of_the_dates_alone_or_of_both(look, options):
    found = look({"Date": TILDES, "Clock": CLOCKS}, **options)
    assert found == ("Date, Clock", "h", 1, "2024-01-01 00:00", "2024-01-03 23:00")


def test_months_beside_a_column_of_years_are_turned(look):
    years = {"Year": [2020, 2021, 2020, 2021], "shop": ["a", "a", "b", "b"]}
    found = look({**years, **{month: [1.0, 2.0, 3.0, 4.0] for month in MONTHS}})
    assert found == ("the header", "MS", 2, "2020-01-01 00:00", "2021-12-01 00:00")
