"""Large files are predicted a part at a time: the same records, and a killed one goes on."""

import csv
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from birnn.cli import main
from birnn.data.tables import csv_file, json_lines, sources
from birnn.data.tables.cells import Cells
from birnn.data.tables.csv_check import text_lines
from birnn.data.text import lines as lines_on_disk
from birnn.tasks.serving import growing_output, labels, predictor
from birnn.tasks.serving.request import Request
from birnn.tasks.serving.texts import read_inputs

from writers import TINY, sentences, write_table

TEXTS = [
    "a lovely film", 'quoted "words", and more', "two\nlines", "", "  ", "tabs\there", "é ü 漢",
    *(text for text, _ in sentences(40)),
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("made")
    data = write_table(home / "reviews.csv", sentences())
    options = ["sentiment", data, *TINY, "--epochs", "1", "--out", home / "run"]
    assert main(list(map(str, options))) == 0
    return home / "run"


@pytest.fixture
def on_disk(monkeypatch) -> None:
    """Files of any size are large ones."""
    for module in (csv_file, json_lines, sources, lines_on_disk):
        monkeypatch.setattr(module, "IN_MEMORY", 0)
    monkeypatch.setattr(growing_output, "AT_ONCE", 0)
    monkeypatch.setattr(predictor, "AT_ONCE", 0)
    monkeypatch.setattr(labels, "CHUNK", 7)


def write(path: Path) -> Path:
    """The texts in the format that a name says."""
    import pandas as pd

    frame = pd.DataFrame({"id": range(len(TEXTS)), "text": TEXTS, "when": "2020-01-01 10:00"})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False, lineterminator="\r\n")
    elif path.suffix == ".tsv":
        frame.to_csv(path, index=False, sep="\t", encoding="utf-16")
    elif path.suffix == ".jsonl":
        rows = [json.dumps(row, ensure_ascii=False) for row in frame.to_dict("records")]
        path.write_text("\n\n".join(rows) + "\n", encoding="utf-8-sig")
    elif path.suffix == ".json":
        frame.to_json(path, orient="records")
    elif path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        lines = [" ".join(text.split()) for text in TEXTS]
        path.write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    return path


SUFFIXES = [".csv", ".tsv", ".jsonl", ".json", ".parquet", ".txt"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_large_file_has_the_same_records(suffix, run, tmp_path, birnn, request) -> None:
    source = write(tmp_path / f"in{suffix}")
    whole = birnn("predict", run, "--input", source, "--output", tmp_path / "whole.csv")
    assert whole.code == 0, whole
    request.getfixturevalue("on_disk")
    for output in ("parts.csv", "parts.csv"):  # the second time over the first
        parts = birnn("predict", run, "--input", source, "--output", tmp_path / output)
        assert parts.code == 0, parts
        assert parts.err == whole.err
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {source.name, "whole.csv", "parts.csv"}


def stopped(run: Path, source: Path, output: Path, birnn, monkeypatch, after: int) -> None:
    """A predict that a signal ends after some parts."""
    real, asked = growing_output.GrowingOutput._note, []

    def note(self, done):
        real(self, done)
        asked.append(done)
        if len(asked) > after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(growing_output.GrowingOutput, "_note", note)
        done = birnn("predict", run, "--input", source, "--output", output)
    assert done.code == 130, done
    if after:
        assert "--resume" in done.err


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".txt"])
def test_a_stopped_one_goes_on_from_any_cut(suffix, run, tmp_path, birnn, monkeypatch, request):
    source = write(tmp_path / "in.csv")
    given = ["predict", run, "--input", source, "--output"]
    assert birnn(*given, tmp_path / f"whole{suffix}").code == 0
    request.getfixturevalue("on_disk")
    whole = (tmp_path / f"whole{suffix}").read_bytes()
    output = tmp_path / f"out{suffix}"
    part = tmp_path / f"out{suffix}.partial"
    for after in (1, 3, len(TEXTS) // 7 + 1):
        stopped(run, source, output, birnn, monkeypatch, after)
        assert not output.exists()
        for torn in (b"", b"torn \xff", whole[part.stat().st_size :][:40]):
            with part.open("ab") as file:
                file.write(torn)
        refused = birnn(*given, output).refusal()
        assert "--resume" in refused
        gone_on = birnn(*given, output, "--resume")
        assert gone_on.code == 0, gone_on
        assert "went on after" in gone_on.err
        assert output.read_bytes() == whole
        assert not part.exists()
        output.unlink()


def test_what_has_changed_is_not_gone_on_with(run, tmp_path, birnn, monkeypatch, on_disk) -> None:
    source, output = write(tmp_path / "in.csv"), tmp_path / "out.csv"
    stopped(run, source, output, birnn, monkeypatch, 2)
    given = ["predict", run, "--input", source, "--output", output, "--resume"]
    part = tmp_path / "out.csv.partial"
    before = part.read_bytes()
    assert "escape_formulas" in birnn(*given, "--escape-formulas").refusal()
    text = source.read_bytes()
    source.write_bytes(text.replace(b"lovely", b"lonely"))
    assert "has changed" in birnn(*given).refusal()
    source.write_bytes(text)
    labels = run / "labels.json"
    known = labels.read_text()
    labels.write_text(known.replace('"', '"x', 1))
    assert "has changed" in birnn(*given).refusal()
    labels.write_text(known)
    part.write_bytes(before[:-2] + b"#\n")  # as many bytes, and another one among them
    line = birnn(*given).refusal()
    assert "changed since it was written" in line
    assert "kept" not in line
    assert part.read_bytes() == before[:-2] + b"#\n"
    part.write_bytes(before[:20])
    assert "should hold" in birnn(*given).refusal()
    part.unlink()
    assert "isn't there" in birnn(*given).refusal()
    for state in (b"{", b"[]", b"{}", b'{"format": 3}'):
        (tmp_path / "out.csv.partial.json").write_bytes(state)
        assert "out.csv.partial.json" in birnn(*given).refusal()
    (tmp_path / "out.csv.partial.json").unlink()
    part.write_text("someone's own")
    assert "in the way" in birnn(*given).refusal()
    assert part.read_text() == "someone's own"


def test_resume_asks_for_what_it_needs(run, tmp_path, birnn) -> None:
    assert "resume" in birnn("predict", run, "a text", "--resume").refusal()
    source, output = write(tmp_path / "in.csv"), tmp_path / "out.csv"
    anew = birnn("predict", run, "--input", source, "--output", output, "--resume")
    assert anew.code == 0
    assert "from the first record on" in anew.err


LINES = st.lists(
    st.sampled_from(
        ["a", "b c", "", " ", "\r", "\n", "\r\n", "\ufeff", "__label__x a", "é", "\u2028"]
    ),
    max_size=12,
).map("".join)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=LINES, encoding=st.sampled_from(["utf-8-sig", "utf-16", "latin-1"]))
def test_lines_on_the_disk_are_the_lines_in_memory(text, encoding, tmp_path, on_disk) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(text.encode(encoding, "replace"))
    held = Request(input=str(path), encoding=encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_on_disk, "IN_MEMORY", 1 << 20)
        wanted = read_inputs(held) if text_lines(path, encoding) else []
    if wanted:
        again = Request(input=str(path), encoding=encoding)
        assert list(read_inputs(again)) == list(wanted)
        assert again.told == held.told


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=9), st.lists(st.integers(0, 90), max_size=9)
)
def test_cells_are_sliced_like_a_list(sizes, starts) -> None:
    rows = [str(number) for number in range(sum(sizes))]
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]

    def parts(start):
        for begin, end in zip([0, *ends], ends, strict=False):
            if end > start:
                yield rows[max(begin, start) : end]

    cells = Cells(len(rows), parts)
    assert list(cells) == rows
    for at in starts:
        assert cells[at : at + 5] == rows[at : at + 5]
        assert cells[at + 5 : at + 8] == rows[at + 5 : at + 8]
    assert (cells[0], cells[-1]) == (rows[0], rows[-1])


def test_piped_texts_beyond_memory_wait_on_the_disk(run, birnn, monkeypatch, tmp_path) -> None:
    lines = "\n".join(" ".join(text.split()) for text in TEXTS) + "\n"
    path = tmp_path / "pipe"
    path.write_text(lines, encoding="utf-8")
    answers = []
    for size in (1 << 20, 10):
        monkeypatch.setattr(lines_on_disk, "IN_MEMORY", size)
        with path.open() as file:
            monkeypatch.setattr("sys.stdin", file)
            answers.append(birnn("predict", run, "--json"))
    assert answers[0].code == 0
    assert answers[0] == answers[1]
    assert len(answers[0].out.splitlines()) == len(TEXTS)


def test_broken_lines_of_a_large_file_are_named(run, tmp_path, birnn, on_disk) -> None:
    good = [json.dumps({"text": text, "when": "2020-01-01"}) for text in TEXTS]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join([*good[:5], "{broken", *good[5:], "[1]"]) + "\n")
    given = ["predict", run, "--input", path, "--output", tmp_path / "out.csv"]
    assert "line 6 is not JSON" in birnn(*given).refusal()
    done = birnn(*given, "--skip-ragged")
    assert done.code == 0, done
    assert "not JSON: 2 (line 6, 49)" in done.err
    with (tmp_path / "out.csv").open(newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == TEXTS
    named = birnn(*given, "--skip-ragged", "--text-column", "when")
    assert named.code == 0
    with (tmp_path / "out.csv").open(newline="") as file:
        assert {row["text"] for row in csv.DictReader(file)} == {"2020-01-01"}


def test_all_files_that_answers_depend_on_are_known_again_members_too(tmp_path) -> None:
    for name in ("config.json", "metrics.json", "labels.json", "fold-1/model.safetensors"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    names = {"config.json", "labels.json", "fold-1/model.safetensors"}
    assert set(growing_output.run_digests(tmp_path)) == names
