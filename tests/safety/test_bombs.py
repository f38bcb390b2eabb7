"""Files of absurd sizes: one clear line each, in bounded memory and time."""

import contextlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from birnn.data.series.reader import SeriesOptions, inspect_file
from birnn.data.tables.csv_check import MAX_LINE, check_text, text_lines
from birnn.data.tables.csv_file import MAX_COLUMNS
from birnn.data.tables.sources import load_tables
from birnn.data.tags.files import TagOptions, read_parts
from birnn.data.text.labelled import TextOptions, load_labelled
from birnn.errors import DataError

ROWS = [("a film", "good"), ("a plot", "bad")] * 20
LONG = "a " * (MAX_LINE // 2 + 1)


def texts(path: Path) -> object:
    return load_labelled(TextOptions(str(path)))


def tags(path: Path) -> object:
    return read_parts(str(path), TagOptions(str(path)), tagged=True)


def series(path: Path) -> object:
    return inspect_file(str(path), SeriesOptions(), horizon=1)


@pytest.mark.parametrize(
    ("name", "start", "end", "read"),
    [
        ("x.csv", "text,label\na,b\n", ",a\n", texts),
        ("x.csv", "time,y\n2024-01-01,1\n", "\n", series),
        ("x.csv", "", "", texts),
        ("x.jsonl", '{"text":"a","label":"b"}\n{"text":"', '","label":"b"}\n', texts),
        ("x.jsonl", '{"tokens":["a"],"tags":["O"]}\n{"tokens":["', '"],"tags":["O"]}\n', tags),
        ("x.conll", "a O\nb O\n\n", " O\n", tags),
        ("x.conllu", "# text\n", "\n", tags),
        ("x.txt", "a\n", "", lambda path: text_lines(path, "utf-8")),
    ],
)  # fmt: skip
def test_a_line_without_an_end_is_named(tmp_path, name, start, end, read) -> None:
    path = tmp_path / name
    path.write_text(start + LONG + end)
    with pytest.raises(DataError, match=rf"line {start.count(chr(10)) + 1} is longer than 8 milli"):
        read(path)


def test_lines_are_measured_across_blocks(tmp_path) -> None:
    path = tmp_path / "x.txt"
    for end in ("\n", "\r", "\r\n"):
        path.write_bytes((("a" * (MAX_LINE - 9)) + end).encode() * 2)
        check_text(path, "utf-8")
        path.write_bytes(f"a{end}{'a' * (MAX_LINE + 9)}{end}b".encode())
        with pytest.raises(DataError, match="is longer"):
            check_text(path, "utf-8")


def test_a_json_document_may_stand_on_one_line(tmp_path) -> None:
    rows = [{"text": f"{text} {'a ' * 120_000}", "label": label} for text, label in ROWS]
    for name in ("x.json", "x.jsonl"):
        (tmp_path / name).write_text(json.dumps(rows))
        (table,) = load_tables(str(tmp_path / name)).splits.values()
        assert len(table) == 40


@pytest.mark.parametrize("read", [texts, tags, series])
def test_more_columns_than_any_table_has(tmp_path, read) -> None:
    path = tmp_path / "x.csv"
    for text in ("," * MAX_COLUMNS + "\n", ",".join(map(str, range(MAX_COLUMNS + 9))) + "\n1\n"):
        path.write_text(text)
        with pytest.raises(DataError, match=r"line 1.* columns; 20,000 at most|fields"):
            read(path)


def test_parquet_that_claims_a_billion_rows(tmp_path) -> None:
    cells = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1_000_000, "int32")), ["a b"])
    table = pa.table({"text": cells, "label": cells})
    with pq.ParquetWriter(tmp_path / "x.parquet", table.schema, compression="zstd") as file:
        for _ in range(12):
            file.write_table(table)
    with pytest.raises(DataError, match="claims 12,000,000 rows in [0-9,]+ bytes"):
        load_tables(str(tmp_path / "x.parquet"))
    pq.write_table(table, tmp_path / "y.parquet")
    (read,) = load_tables(str(tmp_path / "y.parquet")).splits.values()
    assert len(read) == 1_000_000


def test_many_columns_are_told_apart_and_not_all_shown(tmp_path) -> None:
    path = tmp_path / "x.csv"
    names = [f"c{i}" for i in range(300)]
    path.write_text("\n".join(",".join(row) for row in (names, ["1"] * 300, ["2"] * 300)) + "\n")
    with pytest.raises(DataError, match=r"c39 and 260 more$"):
        texts(path)


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
@pytest.mark.parametrize("depth", [300, 900, 2_000, 100_000])
@pytest.mark.parametrize("start", ['{"data":{"text":"x"},"annotations":', '{"text":"x","label":'])
@pytest.mark.parametrize("read", [texts, tags])
def test_what_is_nested_without_end_is_one_line(tmp_path, name, depth, start, read) -> None:
    row = f"{start}{'[' * depth}{']' * depth}}}"
    (tmp_path / name).write_text(f"[{row}]" if name.endswith("json") else f"{row}\n")
    with pytest.raises(DataError):
        read(tmp_path / name)


def test_brackets_in_texts_nest_nothing(tmp_path) -> None:
    path = tmp_path / "x.jsonl"
    rows = [{"text": f'{text} [[[ :[ \\" {{', "label": label} for text, label in ROWS * 10]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (table,) = load_tables(str(path)).splits.values()
    assert len(table) == 400


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
@pytest.mark.parametrize("read", [texts, tags, series])
def test_a_number_of_a_million_digits(tmp_path, name, read) -> None:
    rows = [f'{{"text":"{text}","label":"{label}","n":1}}' for text, label in ROWS]
    rows.append(f'{{"text":"x","label":"good","n":{"9" * 1_000_000}}}')
    (tmp_path / name).write_text(f"[{','.join(rows)}]" if name == "x.json" else "\n".join(rows))
    with contextlib.suppress(DataError):  # where it isn't read as a float
        read(tmp_path / name)
