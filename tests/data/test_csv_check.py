"""A delimited file is looked at once before anything trusts it."""

import pytest

from birnn.data.tables.csv_check import check_csv, check_text, even_rows
from birnn.errors import DataError


def written(tmp_path, content):
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_shape_counts_rows_and_ragged_lines(tmp_path):
    path = written(tmp_path, 'text,label\n"a\nb",x\nalone\n\nc,y\nd,e,f\n')
    shape = check_csv(path, ",", "utf-8")
    assert shape.columns == ["text", "label"]
    assert shape.rows == 4
    assert shape.ragged == [4, 7]
    assert shape.ragged_count == 2


def test_ragged_lines_are_remembered_up_to_a_hundred_and_counted_beyond(tmp_path):
    shape = check_csv(written(tmp_path, "a,b\n" + "x\n" * 150), ",", "utf-8")
    assert len(shape.ragged) == 100
    assert shape.ragged_count == 150


def test_header_is_stripped_of_spaces_and_byte_order_mark(tmp_path):
    path = written(tmp_path, b"\xef\xbb\xbf text , label\na,b\n")
    assert check_csv(path, ",", "utf-8").columns == ["text", "label"]


def test_tabs_delimit_and_commas_do_not(tmp_path):
    shape = check_csv(written(tmp_path, "text\tlabel\na,b\tc\n"), "\t", "utf-8")
    assert shape.columns == ["text", "label"]
    assert shape.ragged_count == 0


def test_field_of_a_million_characters_is_read(tmp_path):
    path = written(tmp_path, "text,label\n" + "x" * 1_000_000 + ",a\n")
    assert check_csv(path, ",", "utf-8").rows == 1


def test_even_rows_are_those_that_fit_the_header(tmp_path):
    path = written(tmp_path, "a,b\n1,2\n3\n4,5,6\n\n7,8\n")
    assert list(even_rows(path, ",", "utf-8", ["a", "b"])) == [["1", "2"], ["7", "8"]]


def test_even_rows_refuse_a_quote_that_is_never_closed(tmp_path):
    path = written(tmp_path, 'a,b\n1,2\n"3,4\n')
    with pytest.raises(DataError, match="line 3"):
        list(even_rows(path, ",", "utf-8", ["a", "b"]))


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
        check_csv(written(tmp_path, "a,b\n1,2\n"), ",", encoding)


def test_folder_and_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nope.csv"):
        with pytest.raises(DataError, match="can't read"):
            check_csv(path, ",", "utf-8")
