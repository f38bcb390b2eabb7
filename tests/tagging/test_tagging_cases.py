"""Tagged files as people bring them, through the command line: what is read, said and written."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

CASES = Path(__file__).parent.parent / "cases" / "tagging"
TINY = [
    *("--hidden-size", "4", "--layers", "1", "--word-size", "4", "--char-size", "4"),
    *("--affix-size", "2", "--epochs", "1", "--members", "1", "--vectors", "none"),
]


def train(data: Path, out: Path, *options: str) -> int:
    from birnn import cli

    return cli.main(["tagging", "--data", str(data), "--out", str(out), *TINY, *options])


def case(folder: Path, name: str, *options: str) -> tuple[Path, dict[str, Any], str]:
    """The run on a case, its metrics, and everything that its report says of the data."""
    run = folder / "run"
    assert train(CASES / name, run, *options) == 0
    metrics = json.loads((run / "metrics.json").read_text())
    return run, metrics, " ".join(metrics["data"]["notes"])


def words_of(run: Path) -> set[str]:
    """The words that a run has learned."""
    return set(json.loads((run / "vocabulary.json").read_text())["words"])


def test_token_numbers_are_no_words_and_a_run_remembers_the_column(tmp_path):
    from birnn import cli

    run, metrics, said = case(tmp_path, "t01b_index.conll")
    assert "tokens in 2, tags in 4 of 4, divided by spaces; column 1 counts the tokens" in said
    assert "1,184 lines: 1,125 of tokens in 60 sentences, 59 blank" in said
    assert sum(metrics["data"]["tokens"].values()) == 1125
    assert {"ana", "stone", "oslo"} <= words_of(run)
    columns = json.loads((run / "config.json").read_text())["reading"]["tags"]
    assert (columns["token"], columns["tag"], columns["width"]) == (2, 4, 4)
    few = tmp_path / "few.conll"  # too little to tell the columns by, and without tags
    few.write_text("7 Ana X\n9 met X\n")
    out = tmp_path / "out.conll"
    assert cli.main(["predict", str(run), "--input", str(few), "--output", str(out)]) == 0
    assert [line.split(" ")[:3] for line in out.read_text().splitlines() if line] == [
        ["7", "Ana", "X"], ["9", "met", "X"],
    ]  # fmt: skip
    assert train(CASES / "t01b_index.conll", tmp_path / "one", "--token-column", "1") == 0
    assert {"1", "2"} <= words_of(tmp_path / "one")


def test_comment_lines_of_another_width_are_left_out_and_counted(tmp_path):
    run, metrics, said = case(tmp_path, "t02b_germeval.tsv")
    assert "59 of comments" in said
    assert "left out 59 lines that are comments: line 10, 21, 33" in said
    assert "tokens in 2, tags in 3 of 4" in said
    assert "column 4 holds one value" in said
    assert sum(metrics["data"]["tokens"].values()) == 1125
    assert metrics["data"]["left_out"] == {"train": {"that are comments": 59}}
    assert sum(sum(c.values()) for c in metrics["data"]["classes"].values()) == 180
    assert not {"#", "http://example.org/x"} & words_of(run)


def test_bare_tags_are_spans_of_one_type(tmp_path):
    run, metrics, _ = case(tmp_path, "t04_bare.conll")
    assert "span_f1" in metrics["test"]["model"]
    assert set(metrics["data"]["classes"]["train"]) == {"span"}
    assert sum(c["span"] for c in metrics["data"]["classes"].values()) == 180
    assert {line.split(" ")[-1] for line in (run / "predictions.conll").read_text().splitlines()
            if line} <= {"B", "I", "O"}  # fmt: skip
    assert train(CASES / "t04_bare.conll", tmp_path / "raw", "--tag-scheme", "raw") == 0
    assert (
        "span_f1"
        not in json.loads((tmp_path / "raw" / "metrics.json").read_text())["test"]["model"]
    )


def test_what_an_annotator_rejected_is_left_out_and_counted(tmp_path):
    _, metrics, said = case(tmp_path, "t14_prodigy.jsonl")
    assert sum(metrics["data"]["rows"].values()) == 30
    assert metrics["data"]["left_out"]["train"] == {
        "ignored by the annotator": 15, "rejected by the annotator": 15,
    }  # fmt: skip
    assert "60 rows: 30 read as sentences, 30 left out" in said
    assert "left out 15 rows rejected by the annotator: line 3, 7" in said


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on types with a space, that has learned them."""
    options = ("--epochs", "4", "--learning-rate", "0.02", "--ema", "0")
    return case(tmp_path_factory.mktemp("parties"), "t16_doccano.jsonl", *options)[0]


@pytest.mark.parametrize("suffix", [".conll", ".jsonl", ".json", ".csv"])
def test_a_type_with_a_space_reads_back(tmp_path, parties, suffix):
    from birnn import cli
    from birnn.data.tags.loading import TagOptions, read_parts

    run = parties
    shutil.copy(CASES / "tp4.conll", tmp_path / "tp4.conll")
    out = tmp_path / f"out{suffix}"
    command = ["predict", str(run), "--input", str(tmp_path / "tp4.conll"), "--output", str(out)]
    if suffix == ".csv":
        assert cli.main(command) == 2  # a file of tokens is written in its own format
        return
    assert cli.main(command) == 0
    if suffix in (".json", ".jsonl"):
        rows = [json.loads(x) for x in out.read_text().splitlines()] if suffix == ".jsonl" else None
        rows = rows or json.loads(out.read_text())
        tags = [[token["tag"] for token in row["tokens"]] for row in rows]
    else:
        part = read_parts(str(out), TagOptions(str(out)), tagged=True)[1]["train"]
        assert [s.tokens for s in part.sentences] == [["Ana", "Stone"], ["Clara"]]
        tags = [list(s.tags) for s in part.sentences]
        lines = [line.split("\t") for line in out.read_text().splitlines() if line]
        assert [line[:2] for line in lines] == [["Ana", "O"], ["Stone", "O"], ["Clara", "O"]]
        assert all(len(line) == 3 for line in lines)
    assert tags == [["B-party name", "I-party name"], ["B-party name"]]


def test_offsets_in_utf_16_are_told(tmp_path):
    run, metrics, _ = case(tmp_path, "t17_utf16.jsonl")
    assert sum(sum(c.values()) for c in metrics["data"]["classes"].values()) == 180
    assert {"PER", "LOC"} == set(metrics["data"]["classes"]["train"])
    gold = [json.loads(line) for line in (run / "predictions.jsonl").read_text().splitlines()]
    for row in gold:
        assert all(
            row["text"][s["start"] : s["end"]].strip("😀 ")[0].isupper() for s in row["spans"]
        )
    reading = json.loads((run / "config.json").read_text())["reading"]["tags"]
    assert reading["offsets"] == "UTF-16 units"


def test_empty_tokens_are_unknown_words_counted_and_listed(tmp_path):
    from birnn import cli

    run, metrics, said = case(tmp_path, "t27_empty_tokens.conll")
    assert "3 tokens without a visible character, read as unknown: line 139, 332, 424 of" in said
    assert sum(metrics["data"]["rows"].values()) == 60
    assert "" not in words_of(run)
    source = CASES / "t27_empty_tokens.conll"
    out = tmp_path / "out.conll"
    assert cli.main(["predict", str(run), "--input", str(source), "--output", str(out)]) == 0
    given, found = source.read_text().splitlines(), out.read_text().rstrip("\n").splitlines()
    assert len(given) == len(found) == 482
    assert all(new.startswith(old) for old, new in zip(given, found, strict=True))
    assert found[138].split("\t")[:2] == ["", "O"]


def test_a_table_of_words_is_written_with_a_column_more(tmp_path):
    from birnn import cli

    lines = ["Sentence #,Word,Tag"]
    for i in range(30):
        lines += [f"Sentence: {i},Ada,B-PER", f",Smith{i},I-PER", ',",",O', ',"""",O', f",n{i},O"]
    (tmp_path / "x.csv").write_text("\n".join(lines) + "\n")
    assert train(tmp_path / "x.csv", tmp_path / "run") == 0
    assert {"ada", ",", '"', "n3"} <= words_of(tmp_path / "run")
    out = tmp_path / "out.csv"
    command = ["predict", str(tmp_path / "run"), "--input", str(tmp_path / "x.csv")]
    assert cli.main([*command, "--output", str(out)]) == 0
    found = out.read_text().splitlines()
    assert len(found) == len(lines)
    assert all(new.startswith(f"{old},") for old, new in zip(lines, found, strict=True))
    assert train(out, tmp_path / "again", "--tag-column", "Tag") == 0
    (tmp_path / "texts.csv").write_text("text\nAda Smith3 ran\n")  # texts, as before
    command[-1] = str(tmp_path / "texts.csv")
    assert cli.main([*command, "--output", str(tmp_path / "out.jsonl")]) == 0
    assert json.loads((tmp_path / "out.jsonl").read_text())["text"] == "Ada Smith3 ran"
