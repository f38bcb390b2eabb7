"""Whatever a person has is loaded: files, folders, saved data sets; the rest is one line."""

import gzip
import json

import datasets
import pandas as pd
import pytest

from birnn.data import DATASETS
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.sources import load_tables
from birnn.errors import DataError

import contract
from writers import write_table

ROWS = [("a film", "good"), ('one, "two"', "bad"), ("NA", "good"), ("日本 👍", "bad")]
DICTS = [{"text": text, "label": label} for text, label in ROWS]


def contents(tables, split="train"):
    table = tables.splits[split]
    return list(zip(table["text"][:], table["label"][:], strict=True))


def write(path, kind):
    """Write ROWS as ``kind`` under ``path`` without an extension; returns the file."""
    path = path.with_suffix(f".{kind}")
    frame = pd.DataFrame(DICTS)
    if kind == "json":
        path.write_text(json.dumps(DICTS), encoding="utf-8")
    elif kind == "jsonl":
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in DICTS)
        path.write_text("".join(lines), encoding="utf-8")
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    return path


KINDS = ["csv", "tsv", "json", "jsonl", "parquet"]


@pytest.mark.parametrize("kind", KINDS)
def test_file_of_each_format_holds_its_rows(kind, tmp_path):
    path = write(tmp_path / "x", kind)
    tables = load_tables(str(path))
    assert list(tables.splits) == ["train"]
    assert contents(tables) == ROWS
    assert tables.source == str(path)


@pytest.mark.parametrize("kind", KINDS)
def test_extension_is_told_without_case(kind, tmp_path):
    path = write(tmp_path / "x", kind)
    path = path.rename(path.with_suffix(f".{kind.upper()}"))
    assert contents(load_tables(str(path))) == ROWS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train", "dev", "test"], ["train", "validation", "test"]),
        (["train", "valid", "eval"], ["train", "validation", "test"]),
        (["reviews-train", "reviews-validation"], ["train", "validation"]),
        (["anything"], ["train"]),
    ],
)
def test_folder_with_one_file_a_split(kind, names, splits, tmp_path):
    for name in names:
        write(tmp_path / name, kind)
    tables = load_tables(str(tmp_path))
    assert {str(name) for name in tables.splits} == set(splits)
    assert all(contents(tables, split) == ROWS for split in splits)


def test_each_split_comes_from_its_own_file(tmp_path):
    for name in ("train", "dev", "test"):
        write_table(tmp_path / f"{name}.csv", [(f"a {name} text", "x")])
    tables = load_tables(str(tmp_path))
    assert contents(tables, "validation") == [("a dev text", "x")]
    assert contents(tables, "test") == [("a test text", "x")]


def test_several_files_of_a_split_are_joined(tmp_path):
    for part in (1, 2):
        (tmp_path / "train").mkdir(exist_ok=True)
        write_table(tmp_path / f"train/{part}.csv", [(f"part {part}", "x")])
    assert sorted(contents(load_tables(str(tmp_path)))) == [("part 1", "x"), ("part 2", "x")]


def test_layout_of_a_hub_repository(tmp_path):
    (tmp_path / "data").mkdir()
    for number, split in enumerate(("train", "train", "validation")):
        name = f"{split}-0000{number}-of-00002.parquet"
        pd.DataFrame([DICTS[number]]).to_parquet(tmp_path / "data" / name)
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: train\n    path: data/train-*\n"
        "  - split: validation\n    path: data/validation-*\n---\n# Card\n"
    )
    tables = load_tables(str(tmp_path))
    assert contents(tables) == ROWS[:2]
    assert contents(tables, "validation") == ROWS[2:3]


def test_folder_saved_by_datasets(tmp_path):
    table = datasets.Dataset.from_list(DICTS)
    table.save_to_disk(tmp_path / "one")
    datasets.DatasetDict({"train": table, "test": table}).save_to_disk(tmp_path / "two")
    assert contents(load_tables(str(tmp_path / "one"))) == ROWS
    assert set(load_tables(str(tmp_path / "two")).splits) == {"train", "test"}


def test_every_csv_column_is_text_as_it_stands(tmp_path):
    rows = [("007", "1.0"), ("NA", "null"), (" x ", "nan"), ("1e5", "True")]
    assert contents(load_tables(str(write_table(tmp_path / "x.csv", rows)))) == rows


def test_quoted_line_breaks_stay_in_a_field(tmp_path):
    rows = [("two\nlines", "x"), ('say "hi"', "y")]
    assert contents(load_tables(str(write_table(tmp_path / "x.csv", rows)))) == rows


def test_byte_order_mark_is_no_part_of_a_name(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xef\xbb\xbftext,label\r\na,b\r\n")
    assert contents(load_tables(str(path))) == [("a", "b")]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_other_encodings_are_decoded(kind, tmp_path):
    path = tmp_path / f"x.{kind}"
    text = "text,label\ncafé,x\n" if kind == "csv" else '{"text": "café", "label": "x"}\n'
    path.write_bytes(text.encode("latin-1"))
    assert contents(load_tables(str(path), ReadOptions("latin-1"))) == [("café", "x")]
    with pytest.raises(DataError, match="0xe9"):
        load_tables(str(path))


def test_changed_file_is_read_anew(tmp_path):
    path = write_table(tmp_path / "x.csv", [("old", "x")])
    assert contents(load_tables(str(path))) == [("old", "x")]
    write_table(path, [("new", "x"), ("more", "y")])
    assert contents(load_tables(str(path))) == [("new", "x"), ("more", "y")]


def test_ragged_rows_are_refused_or_left_out_and_counted(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("text,label,by\na,x,1\nb,y\nc,x,1,2\nd,y,2\n")
    with pytest.raises(DataError, match=r"2 rows .* \(line 3, 4\)"):
        load_tables(str(path))
    tables = load_tables(str(path), ReadOptions(skip_ragged=True))
    assert contents(tables) == [("a", "x"), ("d", "y")]
    assert tables.ragged == 2
    assert "left out" in tables.notes[0]


def test_ragged_rows_of_a_folder_are_counted_over_its_files(tmp_path):
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text("text,label\na,x\nalone\nb,y\n")
    tables = load_tables(str(tmp_path), ReadOptions(skip_ragged=True))
    assert tables.ragged == 2
    assert len(tables.notes) == 2


def test_home_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_table(tmp_path / "x.csv", ROWS)
    assert contents(load_tables("~/x.csv")) == ROWS


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("reviws.csv", "'reviews.csv'"),
        ("rotten_tomatos", "'rotten_tomatoes'"),
        ("./nope", "no such file or folder"),
        ("a/b/c", "no such file or folder"),
        ("parts/*.csv", "no file matches; a pattern is for --streaming alone"),
        ("", "nothing is named"),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest(source, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_table(tmp_path / "reviews.csv", ROWS)
    with pytest.raises(DataError) as caught:
        load_tables(source)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["sst2", "imdb", "mr", "owner/name"])
def test_hub_name_without_a_network_is_one_line(name):
    with pytest.raises(DataError, match="is there a network") as caught:
        load_tables(name)
    assert "\n" not in str(caught.value)


def test_script_of_a_data_set_is_not_run(tmp_path):
    folder, ran = tmp_path / "evil", tmp_path / "ran"
    folder.mkdir()
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w')\n")
    with pytest.raises(DataError):
        load_tables(str(folder))
    write_table(folder / "train.csv", ROWS)
    with pytest.raises(DataError, match="scripts are no longer supported"):
        load_tables(str(folder))
    assert not ran.exists()


@pytest.mark.parametrize("name", ["x.csv.gz", "x.xlsx", "x"])
def test_unknown_format_names_the_known_ones(name, tmp_path):
    (tmp_path / name).write_bytes(gzip.compress(b"text,label\na,b\n"))
    with pytest.raises(DataError, match=r"\.parquet"):
        load_tables(str(tmp_path / name))


def test_hidden_files_of_a_folder_are_passed_over(tmp_path):
    write_table(tmp_path / "train.csv", ROWS)
    (tmp_path / ".train.csv").touch()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX/._train.csv").write_bytes(b"\0\5")
    assert contents(load_tables(str(tmp_path))) == ROWS


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_splits_may_differ_in_columns_that_nobody_reads(kind, tmp_path):
    write(tmp_path / "train", kind)
    if kind == "csv":
        write_table(tmp_path / "test.csv", [("1", "x", "good")], ["id", "text", "label"])
    else:
        (tmp_path / "test.jsonl").write_text('{"id": 1, "text": "x", "label": "good"}\n')
    tables = load_tables(str(tmp_path))
    assert contents(tables) == ROWS
    assert contents(tables, "test") == [("x", "good")]


def test_folder_with_glob_characters_is_read_or_refused_plainly(tmp_path):
    folder = tmp_path / "[a]*"
    folder.mkdir()
    write_table(folder / "train.csv", ROWS)
    try:
        found = contents(load_tables(str(folder)))
    except DataError as error:
        found = "[[]" not in str(error) and ROWS
    assert found == ROWS


def test_empty_file_in_a_folder_is_named(tmp_path):
    write_table(tmp_path / "train.csv", ROWS)
    (tmp_path / "test.csv").touch()
    with pytest.raises(DataError, match=r"test\.csv is empty"):
        load_tables(str(tmp_path))


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_missing_series_file_is_offered_only_series(birnn, tmp_path, command):
    from birnn import cli

    data = tmp_path / "series.csv"
    contract.tiny("forecast").write_series(data)
    run = tmp_path / "run"
    tiny = ("--members", "1", "--horizon", "3", "--epochs", "1", "--hidden-size", "4")
    assert cli.main(["forecast", "--data", str(data), "--out", str(run), *tiny]) == 0
    missing = tmp_path / "serie.csv"
    option = "--data" if command == "evaluate" else "--input"
    said = birnn(command, run, option, missing).refusal()
    assert "no such file or folder" in said
    assert "series.csv" in said
    told = said.split("no such file or folder")[1]
    assert not [name for name in DATASETS if name in told]


def test_missing_files_of_each_task(birnn, tmp_path):
    missing = tmp_path / "none.csv"
    said = birnn("forecast", "--data", missing).refusal()
    assert "known names: electricity, temperatures, or owner/name" in said
    assert (
        "give a file, a folder, or owner/name" in birnn("regression", "--data", missing).refusal()
    )
    assert "sst2" in birnn("sentiment", "--data", missing).refusal()
