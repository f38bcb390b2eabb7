"""Delimiters, quotes and headers are found, every row is counted; what can't be is refused."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tables import csv_file
from birnn.data.tables.csv_file import read_csv
from birnn.data.tables.dialect import Dialect, ReadOptions, TableOptions
from birnn.data.tables.sources import load_tables
from birnn.errors import ConfigError, DataError

from strategies import quick


@pytest.fixture
def read(tmp_path):
    def of(text, **options):
        path = tmp_path / "x.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        table = TableOptions(**{k: v for k, v in options.items() if k in vars(TableOptions())})
        rest = {k: v for k, v in options.items() if k not in vars(TableOptions())}
        return read_csv(path, ReadOptions(table=table, **rest))

    return of


def cells(file):
    return [file.table.column_names, *(list(row.values()) for row in file.table)]


READ = {
    "semicolons": ("a;b\n1,5;x\n2,5;y\n", [["a", "b"], ["1,5", "x"], ["2,5", "y"]]),
    "pipes": ("a|b\n1|x\n2|y\n", [["a", "b"], ["1", "x"], ["2", "y"]]),
    "sep line": ("sep=;\na;b\n1;x\n2;y\n", [["a", "b"], ["1", "x"], ["2", "y"]]),
    "Mac": ("a,b\r1,x\r2,y\r", [["a", "b"], ["1", "x"], ["2", "y"]]),
    "backslashes": ('a,b\n"x \\"y\\", z",1\n"w",2\n', [["a", "b"], ['x "y", z', "1"], ["w", "2"]]),
    "spaces before quotes": ('a, b\n1, "x, y"\n2, "z"\n', [["a", "b"], ["1", "x, y"], ["2", "z"]]),
    "titles": ("Report\n\na,b\n1,x\n2,y\n", [["a", "b"], ["1", "x"], ["2", "y"]]),
    "wide titles": ("Report,,\na,b,c\n1,x,u\n2,y,v\n",
                    [["a", "b", "c"], ["1", "x", "u"], ["2", "y", "v"]]),
    "no header": ("1,x\n2,y\n3,x\n", [["1", "2"], ["1", "x"], ["2", "y"], ["3", "x"]]),
    "units": ("date,t,p\n,°C,hPa\n" + "2020-01-01,1,2\n" * 4,
              [["date", "t", "p"], *[["2020-01-01", "1", "2"]] * 4]),
    "totals": ("date,n\n2020-01-01,1\n2020-01-02,2\nTotal,3\n",
               [["date", "n"], ["2020-01-01", "1"], ["2020-01-02", "2"]]),
    "comments": ("date,n\n# made by us\n2020-01-01,1\n2020-01-02,2\n",
                 [["date", "n"], ["2020-01-01", "1"], ["2020-01-02", "2"]]),
    "trailing": ("a,b,\n1,x,\n2,y,\n", [["a", "b"], ["1", "x"], ["2", "y"]]),
    "row names": ("date,n\n1,2020-01-01,5\n2,2020-01-02,6\n",
                  [["date", "n"], ["2020-01-01", "5"], ["2020-01-02", "6"]]),
    "trailing under an unnamed index": (
        ";a;b\n0;1,5;x;\n1;2,5;y;\n", [["a", "b"], ["1,5", "x"], ["2,5", "y"]]),
    "one column of quoted numbers": (
        'n\n"7,134.54"\n"-2,215.09"\n', [["n"], ["7,134.54"], ["-2,215.09"]]),
    "one column of quoted decimals": (
        'date\n"10,5"\n"-7,25"\n', [["date"], ["10,5"], ["-7,25"]]),
    "quotes within all quotes": (
        'n;a\n1;"I ""end"""\n2; x\n', [["n", "a"], ["1", 'I "end"'], ["2", " x"]]),
    "a Mac's, with line feeds in a cell": (
        '1,"a|b\n\nc",x\r2,d,y\r3,e,z\r',
        [["1", "2", "3"], ["1", "a|b\n\nc", "x"], ["2", "d", "y"], ["3", "e", "z"]]),
    "a carriage return in one column": (
        't\r\na ""\rb\r\n"c ""d"""\r\n', [["t"], ['a ""\rb'], ['c "d"']]),
    "names in apostrophes": ("'n'\n1\n2\n", [["n"], ["1"], ["2"]]),
    "one column of quoted groups": (
        '"n"\n"350,863.01"\n"1,425,226.57"\n', [["n"], ["350,863.01"], ["1,425,226.57"]]),
    "one column of bare groups": (
        "n\n£ 3,060,464.78\n-£ 997,691.28\n", [["n"], ["£ 3,060,464.78"], ["-£ 997,691.28"]]),
    "an index under no name": (
        ";p;t\n0;z;so\n1;z;p\n2;x;t\n", [["p", "t"], ["z", "so"], ["z", "p"], ["x", "t"]]),
    "ids under titles": (
        "Report\n\n0251,0262\n0252,0263\n", [["1", "2"], ["0251", "0262"], ["0252", "0263"]]),
    "one column with missing ones": (
        "n\n1 321,9\n2,5\n" + "null\n" * 5 + "3,5\n",
        [["n"], ["1 321,9"], ["2,5"], *[["null"]] * 5, ["3,5"]]),
    "one row again and again": ("B,x\nB,x\nB,x\n", [["1", "2"], *[["B", "x"]] * 3]),
    "wide titles above quotes": (
        'Shops;\nMonday;\n"70";"2000-07-28"\n"37";"2000-07-29"\n',
        [["1", "2"], ["70", "2000-07-28"], ["37", "2000-07-29"]]),
    "a first row that lacks its text": (
        "0131;\n0132;so\n0133;\n0134;no\n",
        [["1", "2"], ["0131", ""], ["0132", "so"], ["0133", ""], ["0134", "no"]]),
    "a comment above rows of one cell": (
        "# by us\n1992;\n# by us\n1993;\n", [["1"], ["1992"], ["1993"]]),
    "decimals under titles and a name": (
        "All shops\nMonday\nSource\nprice\n5028,5\n-9485,8\n",
        [["price"], ["5028,5"], ["-9485,8"]]),
    "decimals without a name, one missing": (
        '12,5\n7,25\n""\n3,5\n', [["1"], ["12,5"], ["7,25"], [""], ["3,5"]]),
    "two ids under a title": (
        "Report\n18,3115\n19,3116\n20,3117\n",
        [["1", "2"], ["18", "3115"], ["19", "3116"], ["20", "3117"]]),
    "two ids under a comment": (
        "# by us\n128,0420\n129,0421\n", [["1", "2"], ["128", "0420"], ["129", "0421"]]),
    "an apostrophe doubled, over two lines": (
        "t\ngood day\n'it''s\nso'\nno\"\n", [["t"], ["good day"], ["it's\nso"], ['no"']]),
    "a Mac's, with as many line feeds in cells": (
        'a|"b\n\nc"|1\r"d\ne"|f|2\r', [["1", "2", "3"], ["a", "b\n\nc", "1"], ["d\ne", "f", "2"]]),
    "wide titles above apostrophes": (
        "Shops|\nMonday|\n'7.5'|'2000-07-28'\n'3.5'|'2000-07-29'\n",
        [["1", "2"], ["7.5", "2000-07-28"], ["3.5", "2000-07-29"]]),
    "as large a share of numbers at another delimiter": (
        "z;2003-06-12;ja;2037,3\nx;2003-06-13;no;4587,4\nx;2003-06-14;ja;4294,4\n",
        [["1", "2", "3", "4"], ["z", "2003-06-12", "ja", "2037,3"],
         ["x", "2003-06-13", "no", "4587,4"], ["x", "2003-06-14", "ja", "4294,4"]]),
    "doubled apostrophes": ("t\n'it''s so'\nno\n", [["t"], ["it's so"], ["no"]]),
    "UTF-16": ("a,b\n1,é\n2,y\n".encode("utf-16"), [["a", "b"], ["1", "é"], ["2", "y"]]),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_what_can_be_read_in_one_way_is_read(case, read):
    text, meant = READ[case]
    assert cells(read(text)) == meant


def test_rows_add_up_and_lines_are_kept(read):
    text = "Report\ndate,n\n2020-01-01,1\ndate,n\n# x\n2020-01-02,2\n\nTotal,3\nSource: us\n"
    file = read(text)
    assert file.lines.tolist() == [3, 6]
    assert file.counts.rows - file.counts.lost == len(file.table) == 2
    assert file.counts.left_out == {
        "repeated header": [4], "comment": [5], "total": [8], "footer": [9],
    }  # fmt: skip
    assert (file.dialect.skip_lines, file.dialect.columns) == (1, ("date", "n"))


def test_options_decide(read):
    assert cells(read("a,b\nc,d\n", header=False))[0] == ["1", "2"]
    assert cells(read("1,2\n3,4\n", header=True)) == [["1", "2"], ["3", "4"]]
    assert cells(read("x,y\nz\na,b\n1,2\n", skip_lines=2)) == [["a", "b"], ["1", "2"]]
    assert cells(read("a,b\n1,x,\n2,y,\n", skip_lines=0))[:2] == [["a", "b"], ["1", "x"]]
    assert cells(read("a b\n1  2\n", delimiter="space")) == [["a", "b"], ["1", "2"]]
    assert cells(read('a,b\n"1,2\n', quote="none")) == [["a", "b"], ['"1', "2"]]
    assert cells(read("a,b;c\n1,2;3\n", delimiter="comma"))[0] == ["a", "b;c"]


@pytest.mark.parametrize(
    "options",
    [{"delimiter": "ab"}, {"decimal": ";"}, {"quote": "xx"}, {"decimal": ",", "thousands": ","}],
)
def test_a_sign_that_is_none_is_refused(options, read):
    with pytest.raises(ConfigError):
        read("a,b\n1,2\n", **options)


def test_two_readings_are_warned_of_by_the_option_that_decides(read):
    assert "--delimiter" in " ".join(read("a;b,c;d\ne;f,g;h\n" * 3, header=False).warnings)
    assert "--header" in " ".join(read("good day,x\nbad day,x\nso so,y\n").warnings)
    assert "--no-header" in " ".join(read("\nSource\n1\n2\n").warnings)
    assert "--no-header" in " ".join(read("Source\n\n1\n2\n").warnings)
    assert "--no-header" in " ".join(read('"-"\n""\n').warnings)
    assert "--no-header" in " ".join(read("good day,so so\nbad day,007\n").warnings)
    two = read("95%;so so;2004-01-11;good\n57%;bad;2004-01-12;1.0\n")
    assert "--header" in " ".join(two.warnings)
    assert len(two.table) == 2
    assert len(read("x y;1652;so so\nx y;1653;5\n").table) == 2
    lone = "".join(f"{label}\tso {n} it\n" for n, label in enumerate(["yes", "no"] * 8))
    assert "--no-header" in " ".join(read("By us\t\n" + lone).warnings)
    unnamed = read("By us;\n;\n;stars\nso so;good\nbad day;so it is\nno;bad\n")
    assert "--no-header" in " ".join(unnamed.warnings)
    assert not read(",text\n17,so so\n3,bad day\n8,good\n").warnings
    nameless = read('""\n"no"\n')
    assert "--header" in " ".join(nameless.warnings)
    assert cells(nameless) == [["1"], [""], ["no"]]
    untold = read("Source;;\n;;\n" + "good day;a;x\nso so;b;x\n" * 8)
    assert "--header" in " ".join(untold.warnings)
    assert len(untold.table) == 16
    assert "--delimiter comma" in " ".join(read("price\n5028,5\n-9485,8\n").warnings)
    assert "--delimiter semicolon" in " ".join(read("So\n18,31\n19,32\n20,33\n").warnings)
    assert not read("sep=;\nn\n1\n2\n").warnings
    assert not read("text,label\ngood day,x\nbad day,y\n").warnings


def test_a_run_s_signs_are_kept_where_they_fit(read):
    trained = Dialect(";", columns=("text", "label"))
    assert cells(read("text;id\na, b;1\nc, d;2\n", trained=trained))[1] == ["a, b", "1"]
    file = read("text,id\na,1\nb,2\n", trained=trained)
    assert cells(file)[0] == ["text", "id"]
    assert "commas here" in file.warnings[0]


def test_a_dialect_is_remembered_as_it_is():
    dialect = Dialect(";", "'", "\\", False, 3, "cp1252", ("a",), {"a": (",", ".")})
    assert Dialect.from_json(dialect.to_json()) == dialect
    for bad in ({}, [], {**dialect.to_json(), "columns": [1]}, {**dialect.to_json(), "quote": 1}):
        with pytest.raises(ConfigError):
            Dialect.from_json(bad)


def test_large_files_are_read_like_small_ones(read, monkeypatch):
    monkeypatch.setattr(csv_file, "IN_MEMORY", 0)
    monkeypatch.setattr(csv_file, "HEAD", 40)
    text = "text,n\n" + "".join(f'"a, {i}",{i}\n' for i in range(5000))
    file = read(text)
    assert cells(file)[1:] == [[f"a, {i}", str(i)] for i in range(5000)]
    stray = "text\tn\n" + "".join(f"a {i}\t{i}\n" for i in range(99)) + '"b\t99\nc\t100\n'
    assert len(read(stray).table) == 101


@pytest.mark.parametrize(("name", "mend"), [("x.xlsx", "as CSV"), ("x.csv.gz", "unpack")])
def test_other_formats_are_named_with_their_mend(name, mend, tmp_path):
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(DataError, match=mend):
        load_tables(str(tmp_path / name))


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20) | st.sampled_from(
    ["a, b", "c; d", 'say "hi"', "two\nlines", "tab\there", "it's", "x|y", "", "\r"]
)


@quick
@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=12), st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_a_table_is_read_or_warned_of_or_refused(tmp_path_factory, rows, sign, quoting, end):
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=sign, quoting=quoting, lineterminator=end)
    numbered = [[str(number), f"x {a}", b] for number, (a, b) in enumerate(rows)]
    writer.writerows([["number", "text", "other"], *numbered])
    path = tmp_path_factory.mktemp("t") / "x.csv"
    path.write_bytes(file.getvalue().encode())
    try:
        read = read_csv(path, ReadOptions())
    except DataError:
        return
    assert cells(read) == [["number", "text", "other"], *numbered] or read.warnings


def test_the_name_tsv_decides_where_lines_have_tabs(tmp_path):
    path = tmp_path / "t.tsv"
    lines = "".join(f"{n}, 2\t{n}, 4\n" for n in range(20))
    path.write_text(f"a\tb\n{lines}9, 1\t2, 3\tx, y\n")
    with pytest.raises(DataError, match="line 22"):
        read_csv(path, ReadOptions())
    path.write_text(f"a\tb\n{lines}")
    assert read_csv(path, ReadOptions()).table.column_names == ["a", "b"]
    path.write_text("a,b\n" + "".join(f"{n},x\n" for n in range(20)))
    (warning,) = read_csv(path, ReadOptions()).warnings
    assert warning.startswith("t.tsv: a .tsv without tabs: fields are cut at commas")
