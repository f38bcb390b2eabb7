"""A delimited file is looked at once before anything trusts it."""

import pytest

from birnn.data.tables.csv_check import check_text
from birnn.data.tables.csv_file import read_csv
from birnn.data.tables.dialect import ReadOptions
from birnn.errors import DataError


def written(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cells(file):
    return [list(row.values()) for row in file.table]


def test_rows_and_ragged_lines_are_counted(tmp_path):
    path = written(tmp_path, 'text,label\n"a\nb",x\nalone\n\nc,y\nd,e,f\ng,z\n')
    file = read_csv(path, ReadOptions(skip_ragged=True))
    assert file.table.column_names == ["text", "label"]
    assert file.counts.rows == 5
    assert file.counts.left_out == {"ragged": [4, 7]}
    assert file.lines.tolist() == [2, 6, 8]
    assert "rows: 5 in the file, 3 read, 2 left out (ragged: 2 (line 4, 7))" in file.notes[0]


def test_ragged_lines_are_remembered_up_to_a_hundred_and_counted_beyond(tmp_path):
    path = written(tmp_path, "a,b\n" + "x,y,z\n" * 150 + "1,2\n" * 151)
    counts = read_csv(path, ReadOptions(skip_ragged=True)).counts
    assert len(counts.left_out["ragged"]) == 100
    assert counts.of("ragged") == counts.lost == 150


def test_header_is_stripped_of_spaces_and_byte_order_mark(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf text , label\na,b\n")
    assert read_csv(path, ReadOptions()).table.column_names == ["text", "label"]


def test_field_of_a_million_characters_is_read(tmp_path):
    path = written(tmp_path, "text,label\n" + "x" * 1_100_000 + ",a\n" + "y,b\n")
    assert read_csv(path, ReadOptions()).counts.rows == 2


def test_rows_that_fit_the_header_are_read(tmp_path):
    path = written(tmp_path, "a,b\n1,2\n3\n4,5,6\n\n7,8\n")
    assert cells(read_csv(path, ReadOptions(skip_ragged=True))) == [["1", "2"], ["7", "8"]]


def test_a_quote_that_is_never_closed_is_a_letter_or_refused(tmp_path):
    path = written(tmp_path, 'a,b\n1,2\n"3,4\n')
    assert cells(read_csv(path, ReadOptions())) == [["1", "2"], ['"3', "4"]]
    path = written(tmp_path, 'a,b\n1,"2,5"\n"3,4\n')
    with pytest.raises(DataError, match="line 3.*--quote none"):
        read_csv(path, ReadOptions())


@pytest.mark.parametrize("lines", [0, 3, 200_000])
def test_bad_byte_is_named_with_its_line(lines, tmp_path):
    path = written(tmp_path, b"ab,c\xc3\xa9\n" * lines + b"x\xe9,y\n")
    with pytest.raises(DataError, match=f"line {lines + 1} .*0xe9"):
        check_text(path, "utf-8")


@pytest.mark.parametrize("lines", [0, 3, 200_000])
def test_nul_is_named_with_its_line(lines, tmp_path):
    with pytest.raises(DataError, match=f"line {lines + 1} .*NUL"):
        check_text(written(tmp_path, b"ab,cd\n" * lines + b"x\0,y\n"), "utf-8")


def test_character_that_straddles_two_blocks_is_whole(tmp_path):
    check_text(written(tmp_path, b"x" * ((1 << 20) - 1) + "é".encode()), "utf-8")


def test_file_that_ends_within_a_character_is_refused(tmp_path):
    with pytest.raises(DataError, match="its end"):
        check_text(written(tmp_path, b"ab\xc3"), "utf-8")


def test_utf16_is_text_if_named_so(tmp_path):
    check_text(written(tmp_path, "text,label\na,b\n".encode("utf-16")), "utf-16")


@pytest.mark.parametrize("encoding", ["nope", "base64", "a\0b", ""])
def test_encoding_that_is_none_of_text_is_refused(encoding, tmp_path):
    with pytest.raises(DataError):
        read_csv(written(tmp_path, "a,b\n1,2\n"), ReadOptions(encoding))


def test_folder_and_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nope.csv"):
        with pytest.raises(DataError, match="can't read"):
            read_csv(path, ReadOptions())
