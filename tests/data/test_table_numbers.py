"""Cells that people write numbers in: what each is, and what stays a text."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tables.numbers import find_style, is_number, plain_numbers

from strategies import quick

CELLS = {
    "thousands commas": (["2,420", "12,519.5"], ["2420", "12519.5"]),
    "decimal commas": (["100,55", "1.234,5"], ["100.55", "1234.5"]),
    "currency before": (["$100.55", "$ 9.1"], ["100.55", "9.1"]),
    "currency after": (["1.234,50 €", "−3,00\u00a0€"], ["1234.50", "-3.00"]),
    "code": (["USD 5", "USD 1,000.25"], ["5", "1000.25"]),
    "per cent": (["12%", "3.5 %"], ["12", "3.5"]),
    "parentheses": (["(1,234.50)", "5"], ["-1234.50", "5"]),
    "minus signs": (["−5", "–3", "4-"], ["-5", "-3", "-4"]),
    "spaces": (["1 234,5", "12\u00a0345", "1\u202f000"], ["1234.5", "12345", "1000"]),
    "apostrophes": (["1'234.5", "9’999"], ["1234.5", "9999"]),
    "Indian": (["12,34,567", "1,000"], ["1234567", "1000"]),
    "leading zero": (["0,123", "1,234"], ["0.123", "1.234"]),
    "exponents": (["1e5", "2.5E-3"], ["1e5", "2.5E-3"]),
    "points that group": (["950", "1.050"], ["950", "1050"]),
}


@pytest.mark.parametrize("case", CELLS)
def test_cells_are_the_numbers_that_were_meant(case):
    cells, numbers = CELLS[case]
    style = find_style(cells)
    assert [style.plain(cell) for cell in cells] == numbers


@pytest.mark.parametrize("cell", ["2023-01-01", "01.01.2023", "5 kg", "1.2.3", "a", "(5", "1,2,3"])
def test_what_is_no_number_stays_text(cell):
    assert not is_number(cell)


def test_mixed_currencies_and_shares_beside_numbers_stay_text():
    assert find_style(["$5", "$6", "€7"]).plain("€7") is None
    assert find_style(["5%", "6%", "7"]).plain("7") is None


def test_an_open_column_is_decided_by_the_others_or_warned_of():
    table = pa.table({"a": ["1.234", "2.345"], "b": ["1,5", "2,25"], "c": ["x", "y"]})
    found = plain_numbers(table)
    assert found.table.to_pydict() == {
        "a": ["1234", "2345"], "b": ["1.5", "2.25"], "c": ["x", "y"],
    }  # fmt: skip
    assert (found.signs, found.warnings) == ({"a": (",", "."), "b": (",", "")}, [])
    alone = plain_numbers(table.select(["a"]))
    assert alone.table.equals(table.select(["a"]))
    assert "--decimal comma" in alone.warnings[0]
    grouped = plain_numbers(pa.table({"a": ["9.874", "447"], "b": ["-93,959£", "1,250£"]}))
    assert grouped.table.to_pydict() == {"a": ["9874", "447"], "b": ["-93.959", "1.250"]}
    assert all("--decimal point" in warning for warning in grouped.warnings)
    assert len(grouped.warnings) == 2
    spaced = plain_numbers(pa.table({"a": ["1 436 126", "921 672"], "b": ["-17,575 %", "1,907 %"]}))
    assert spaced.table["b"].to_pylist() == ["-17.575", "1.907"]
    assert "--decimal point" in spaced.warnings[0]
    groups = plain_numbers(pa.table({"a": ["4.943.647", "872.891"], "b": ["89,688", "99,511"]}))
    assert groups.table["b"].to_pylist() == ["89.688", "99.511"]


def test_a_decimal_sign_of_training_wins():
    table = pa.table({"a": ["1,5", "2,234"]})
    trained = plain_numbers(table, trained={"a": (".", "")})
    assert trained.table.to_pydict() == {"a": ["1,5", "2234"]}
    assert "--decimal comma" in trained.warnings[0]
    assert plain_numbers(table, ",", trained={"a": (".", "")}).table.to_pydict() == {
        "a": ["1.5", "2.234"]
    }


@quick
@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=20), st.integers(0, 4),
    st.sampled_from([(".", ","), (",", "."), (".", "'"), (",", " "), (".", ""), (",", "")]),
)  # fmt: skip
def test_numbers_are_read_as_they_were_written_or_warned_of(values, places, signs):
    decimal, thousands = signs
    cells = []
    for value in values:
        whole, _, rest = f"{value / 10**places:,.{places}f}".partition(".")
        cells.append(whole.replace(",", thousands) + (decimal + rest if rest else ""))
    found = plain_numbers(pa.table({"a": cells}))
    read = [float(cell) for cell in found.table.column("a").to_pylist()]
    assert read == [value / 10**places for value in values] or found.warnings


def test_a_number_of_the_other_decimal_sign_says_what_reads_it():
    table = pa.table({"a": ["200.00", "17,25", "18,5"]})
    (said,) = plain_numbers(table, decimal=",").warnings
    assert said.startswith("numbers of 'a': with a decimal comma, as was said or as the run's data")
    assert said.endswith("'200.00' is read as no number; --decimal point reads it as 200.00")
