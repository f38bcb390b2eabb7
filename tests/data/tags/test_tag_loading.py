"""Tagged sentences from files, folders and data sets: splits, schemes, cuts, refusals."""

import json
from pathlib import Path

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value

from birnn.data.splits.cutting import cut
from birnn.data.tags.files import split_name
from birnn.data.tags.loading import (
    TagOptions,
    fair_cut,
    load_one_tagged,
    load_tagged,
    read_untagged,
)
from birnn.errors import DataError

NAMES = ("Ada", "Bo", "Cy", "Di")


def columns(count: int, start: int = 0, sep: str = "\t", scheme: str = "iob2") -> str:
    """Distinct sentences, each with a person of two tokens and a place of one."""
    first, last, only = {
        "iob2": ("B", "I", "B"), "iob1": ("I", "I", "I"), "iobes": ("B", "E", "S"),
        "bilou": ("B", "L", "U"),
    }[scheme]  # fmt: skip
    blocks = []
    for i in range(start, start + count):
        rows = [
            (NAMES[i % 4], f"{first}-per"), (f"Smith{i}", f"{last}-per"), ("in", "O"),
            ("Rome", f"{only}-loc"), (".", "O"),
        ]  # fmt: skip
        blocks.append("\n".join(sep.join(row) for row in rows))
    return "\n\n".join(blocks) + "\n"


def load(source: Path, **options: object):
    return load_tagged(TagOptions(str(source), **options))


def folder(path: Path, **files: str) -> Path:
    for name, text in files.items():
        (path / f"{name}.conll").write_text(text)
    return path


# ------------------------------------------------------------------ splits


@pytest.mark.parametrize(
    ("name", "split"),
    [("train", "train"), ("en_ewt-ud-train", "train"), ("valid", "validation"),
     ("x.dev", "validation"), ("my-eval", "test"), ("TEST", "test"), ("latest", ""),
     ("trainer", ""), ("devil", "")],
)  # fmt: skip
def test_a_file_name_says_its_split_by_whole_words(name, split):
    assert split_name(name) == split


def test_a_folder_has_one_file_a_split_and_others_are_named(tmp_path):
    folder(tmp_path, train=columns(8), dev=columns(3, 8), eval=columns(4, 20))
    (tmp_path / "LICENSE.txt").write_text("do what you like\n")
    (tmp_path / "names.txt").write_text("Ada\nBo\n")
    (tmp_path / "README.md").write_text("# read me\n")
    found = load(tmp_path)
    assert {name: len(table) for name, table in found.splits.items()} == {
        "train": 8, "validation": 3, "test": 4,
    }  # fmt: skip
    assert any("names.txt" in note and "LICENSE" not in note for note in found.notes)
    assert found.provenance["splits"] == ["as the source gives them"]
    assert found.provenance["classes"]["test"] == {"loc": 4, "per": 4}
    assert found.provenance["tokens"]["train"] == 40


def test_the_names_of_conll_2003_are_known(tmp_path):
    for name, text in (("train", columns(8)), ("testa", columns(3, 8)), ("testb", columns(4, 20))):
        (tmp_path / f"eng.{name}").write_text(text)
    found = load(tmp_path)
    assert {name: len(table) for name, table in found.splits.items()} == {
        "train": 8, "validation": 3, "test": 4,
    }  # fmt: skip
    assert found.layouts["test"].suffix == ".testb"


def test_a_licence_beside_one_file_is_no_data(tmp_path):
    (tmp_path / "LICENSE.txt").write_text("do what you like\n")
    (tmp_path / "data.conll").write_text(columns(30))
    assert sum(len(table) for table in load(tmp_path).splits.values()) == 30


def test_a_treebank_s_raw_texts_are_not_read(tmp_path):
    for split in ("train", "dev", "test"):
        word = f"1\tword{split}\t_\tNOUN\t_\t_\t_\t_\t_\t_\n2\t.\t_\tPUNCT\t_\t_\t_\t_\t_\t_\n\n"
        (tmp_path / f"xx-ud-{split}.conllu").write_text(word)
        (tmp_path / f"xx-ud-{split}.txt").write_text("raw text of one column\n")
    assert load(tmp_path).splits["test"]["tokens"][:] == [["wordtest", "."]]


def test_missing_splits_are_cut_by_distinct_sentence_and_said(tmp_path):
    path = tmp_path / "all.conll"
    path.write_text(columns(40) + "\n" + columns(10))  # ten stand there twice
    found = load(path, split_seed=3)
    texts = {name: [" ".join(t) for t in s["tokens"][:]] for name, s in found.splits.items()}
    assert sum(map(len, texts.values())) == 50
    for one, other in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not set(texts[one]) & set(texts[other])
    assert [note.split(":")[0] for note in found.provenance["splits"]] == ["test", "validation"]
    assert load(path, split_seed=3).splits["test"]["tokens"][:] == found.splits["test"]["tokens"][:]
    assert load(path, split_seed=4).splits["test"]["tokens"][:] != found.splits["test"]["tokens"][:]


@pytest.mark.parametrize("seed", range(5))
def test_a_tag_that_stands_once_is_trained_on(tmp_path, seed):
    path = tmp_path / "all.conll"
    rare = "".join(f"\nOnly{i}\tB-rare{i}\n" for i in range(4)) * 2  # in twins, that stay together
    path.write_text(columns(20) + rare)
    found = load(path, split_seed=seed, test_share=0.3, validation_share=0.3)
    assert {f"rare{i}" for i in range(4)} <= set(found.provenance["classes"]["train"])
    assert len(found.splits["test"]) > 4
    assert found.provenance["overlap"]["normalised"] == {
        "train/validation": 0, "train/test": 0, "validation/test": 0,
    }  # fmt: skip


def test_twins_with_other_tags_are_kept_together(tmp_path):
    path = tmp_path / "all.conll"
    path.write_text(columns(6) + "\nOnly\tB-per\n\nonly\tB-rare\n")
    for seed in range(5):
        found = load(path, split_seed=seed, test_share=0.4, validation_share=0.3)
        assert found.provenance["classes"]["train"]["rare"] == 1


def test_a_cut_that_is_fair_already_is_left_alone():
    texts = [f"text {i}" for i in range(40)]
    rows = [["O", "B-x"] if i % 4 else ["O"] for i in range(40)]
    first, second = fair_cut(texts, rows, "iob2", 0.25, 7)
    labels = ["marked" if i % 4 else "" for i in range(40)]
    for ours, theirs in zip((first, second), cut(texts, labels, 0.25, 7), strict=True):
        assert ours.tolist() == theirs.tolist()


def test_overlap_between_given_splits_is_a_warning(tmp_path):
    folder(tmp_path, train=columns(8), dev=columns(3, 8), test=columns(4, 6))
    found = load(tmp_path)
    assert any("2 of 4 test sentences (50.0%) also stand in train" in w for w in found.warnings)


# ------------------------------------------------------------------ schemes


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "iobes", "bilou"])
@pytest.mark.parametrize("sep", [" ", "\t"])
def test_schemes_and_separators_are_told(tmp_path, scheme, sep):
    path = tmp_path / "x.txt"
    path.write_text(columns(30, sep=sep, scheme=scheme))
    found = load(path)
    assert found.scheme == scheme
    assert found.provenance["classes"]["train"]["per"] == len(found.splits["train"])


def test_a_split_of_another_scheme_is_converted_to_train_s(tmp_path):
    folder(tmp_path, train=columns(8), dev=columns(3, 8), test=columns(4, 20, scheme="iobes"))
    found = load(tmp_path)
    assert found.splits["test"]["tags"][0] == ["B-per", "I-per", "O", "B-loc", "O"]
    assert any("converted from IOBES to train's IOB2" in note for note in found.notes)


def test_broken_tags_are_read_counted_and_placed(tmp_path):
    text = columns(8).replace("Ada\tB-per", "Ada\tI-per", 1)
    folder(tmp_path, train=text, dev=columns(3, 8), test=columns(4, 20))
    found = load(tmp_path)
    note = next(note for note in found.notes if "break the scheme" in note)
    assert "1 tags break the scheme IOB2" in note
    assert f"{tmp_path / 'train.conll'} line 1" in note
    assert found.splits["train"]["tags"][0][0] == "I-per"  # as in the file


def test_few_tags_without_b_do_not_make_a_split_another_scheme(tmp_path):
    folder(tmp_path, train=columns(8), dev=columns(3, 8), test="x\tI-per\ny\tO\n\nz\tI-loc\n")
    found = load(tmp_path)
    assert found.splits["test"]["tags"][:] == [["I-per", "O"], ["I-loc"]]
    assert any(note.startswith("test: 2 tags break the scheme IOB2") for note in found.notes)
    assert not any("converted" in note for note in found.notes)


def test_words_of_a_treebank_are_placed_below_ranges(tmp_path):
    rest = "\t_\tX\t_\t_\t_\t_\t_\t"
    rows = [f"1\ta{rest}N=B-x", f"2-3\tbc{rest}_", f"2\tb{rest}N=odd", f"3\tc{rest}_"]
    path = tmp_path / "x.conllu"
    path.write_text("# c\n" + "\n".join(rows) + "\n\n")
    with pytest.raises(DataError, match=r"conllu line 4: the tag 'odd' .* 'B-x' \(.*conllu line 2"):
        load(path, tag_column="misc:N")


def test_mixed_schemes_are_refused_with_both_places(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text(columns(4) + "\nParis\tLOC\n")
    with pytest.raises(
        DataError, match=r"line 25: the tag 'LOC' is of another scheme than 'B-per'"
    ):
        load(path)
    folder(tmp_path, train=columns(8), dev=columns(3, 8), test="a\tNOUN\nb\tVERB\n")
    with pytest.raises(DataError, match=r"test.conll line 1: raw tags, but train has tags that"):
        load(tmp_path)


# ------------------------------------------------------------------ refusals


def test_types_that_train_never_has_are_said_unless_there_is_no_other(tmp_path):
    folder(tmp_path, train=columns(8), dev=columns(3, 8), test=columns(2, 20) + "\nX\tB-org\n")
    (said,) = [text for text in load(tmp_path).warnings if "'org'" in text]
    assert said.startswith("test: 1 span of 1 type that train never has, scored as missed")
    folder(tmp_path, train=columns(8), dev=columns(3, 8), test="a\tO\n\nX\tB-org\n")
    with pytest.raises(DataError, match=r"test.conll, sentence at line 3: no tag .* 'org' \(1\)"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("\n \n", ["empty"]),
        ("a\tO\nb\tO\tX\nc\tO\n", ["line 2", "3 columns", "2"]),
        ("a\nb\nc\n", ["line 1", "1 column"]),
        ("a\tO\n\nb\tO\n\nc\tO\n\nd\tO\n", ["only one tag", "'O'"]),
        ("a\tO\nb\tB-x\n", ["too few", "blank lines"]),
        ("a\tO\nb\t\nc\tB-x\n", ["line 2", "empty"]),
        ("a\0\tO\n", ["line 1", "NUL"]),
        ("word\tO\n" * 50_001, ["line 1", "50,000", "blank lines"]),
    ],
)  # fmt: skip
def test_bad_files_are_one_line_that_says_where(tmp_path, text, words):
    path = tmp_path / "x.conll"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("text", ["a\tX\nb\tY\n", "a\tX\nb\tY\n\nA\tX\nB\tY\n\n" * 2])
def test_too_few_sentences_to_cut_are_told(tmp_path, text):
    path = tmp_path / "x.conll"
    path.write_text(text)
    with pytest.raises(DataError, match=r"x.conll: its different sentences are too few .* test"):
        load(path)


def test_a_column_of_lemmas_is_no_tag(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("".join(f"w{i}\tw{i}\n\n" for i in range(60)))
    with pytest.raises(DataError, match=r"60 different tags of 60 tokens.*--tag-column"):
        load(path)


def test_wrong_encoding_names_the_line(tmp_path):
    path = tmp_path / "x.conll"
    path.write_bytes(b"a\tO\ncaf\xe9\tB-x\n")
    with pytest.raises(DataError, match=r"line 2 is not utf-8"):
        load(path)


def test_a_column_that_isn_t_there_names_those_there_are(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text(columns(4))
    with pytest.raises(DataError, match=r"no tag column '7'.*1 to 2"):
        load(path, tag_column="7")
    path.write_text("# global.columns = FORM NER\n" + columns(40))
    with pytest.raises(DataError, match=r"no tag column 'nre' \(did you mean 'ner'\?\)"):
        load(path, tag_column="nre")
    assert load(path, tag_column="ner").scheme == "iob2"


@pytest.mark.parametrize("source", ["nothing.conll", "no/such/folder/x", "tweet_entitis", ""])
def test_a_missing_source_is_one_line(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError):
        load_tagged(TagOptions(source))


def test_an_unknown_format_names_those_known(tmp_path):
    (tmp_path / "x.docx").write_text("x")
    with pytest.raises(DataError, match=r"unknown format '.docx'; known: .conllu"):
        load(tmp_path / "x.docx")


def test_files_of_one_split_must_share_a_layout(tmp_path):
    (tmp_path / "train-1.conll").write_text(columns(4))
    (tmp_path / "train-2.conll").write_text(columns(4, 9, sep=" "))
    with pytest.raises(DataError, match=r"train-2.conll: its columns are not laid out like"):
        load(tmp_path)


# ------------------------------------------------------------------ other formats


def test_data_sets_with_class_labels(tmp_path):
    names = ["O", "B-per", "I-per"]
    features = Features({"id": Value("string"), "tokens": List(Value("string")),
                         "ner_tags": List(ClassLabel(names=names))})  # fmt: skip

    def rows(start, count):
        ids = range(start, start + count)
        return Dataset.from_dict(
            {"id": [str(i) for i in ids], "tokens": [["Ada", f"S{i}", "ran"] for i in ids],
             "ner_tags": [[1, 2, 0] for _ in ids]}, features=features,
        )  # fmt: skip

    saved = DatasetDict({"train": rows(0, 9), "validation": rows(9, 3), "test": rows(12, 4)})
    saved.save_to_disk(tmp_path / "saved")
    found = load(tmp_path / "saved")
    assert found.scheme == "iob2"
    assert found.splits["test"]["tags"][0] == ["B-per", "I-per", "O"]
    hub = tmp_path / "hub" / "data"  # as a Hub repository lays it out
    hub.mkdir(parents=True)
    for split, table in saved.items():
        table.to_parquet(hub / f"{split}-00000-of-00001.parquet")
    again = load(tmp_path / "hub")
    assert {n: len(t) for n, t in again.splits.items()} == {"train": 9, "validation": 3, "test": 4}
    assert again.splits["test"]["tags"][0] == ["B-per", "I-per", "O"]


def test_texts_with_character_spans_count_what_cannot_be_spelled(tmp_path):
    path = tmp_path / "x.jsonl"
    rows = [{"text": f"Ada Smith{i} met 👩‍👩‍👧 in Rome.", "spans": []} for i in range(30)]
    for row in rows:
        end = row["text"].index(" met")
        rome = row["text"].index("Rome")
        row["spans"] = [[0, end, "per"], {"start": rome, "end": rome + 4, "label": "loc"}]
    rows[3]["spans"].append([1, 3, "odd"])  # within a token
    rows[4]["spans"].append([0, 3, "first"])  # within another span
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = load(path)
    assert found.scheme == "iob2"
    lost = found.provenance["left_out"]["train"]
    assert lost == {"not on token borders": 1, "overlapping another": 1}
    assert any("line 4: 'da' (1-3 odd)" in note for note in found.notes)
    for text, tokens, offsets in zip(
        *(found.splits["train"][name][:] for name in ("text", "tokens", "offsets")), strict=True
    ):
        assert [text[a:b] for a, b in offsets] == tokens


def test_the_embedded_tweets_have_ten_types():
    found = load_tagged(TagOptions("tweet_entities"))
    assert sum(len(table) for table in found.splits.values()) == 2394
    assert len(found.provenance["classes"]["train"]) == 10
    assert found.provenance["source"] == "embedded tweet_entities"


# ------------------------------------------------------------------ serving


def test_one_split_is_found_by_name_and_converted(tmp_path):
    folder(tmp_path, train=columns(8), test=columns(4, 20, scheme="iobes"))
    table, layout, _ = load_one_tagged(TagOptions(str(tmp_path)), "test", "iob2")
    assert table["tags"][0] == ["B-per", "I-per", "O", "B-loc", "O"]
    assert layout.kind == "columns"
    with pytest.raises(DataError, match="no validation split; there are: train, test|test, train"):
        load_one_tagged(TagOptions(str(tmp_path)), "validation", "iob2")


@pytest.mark.parametrize("text", ["Ada\nran\n\nBo\n", columns(2)])
def test_files_to_tag_may_lack_the_column(tmp_path, text):
    path = tmp_path / "x.conll"
    path.write_text(text)
    table, _ = read_untagged(TagOptions(str(path)))
    assert len(table) == 2
    assert not any(table["tags"][:])


@pytest.mark.parametrize("name", ["x.conll", "x.jsonl"])
def test_utf_16_with_its_mark_is_read(name, tmp_path):
    rows = [json.dumps({"tokens": ["é", "b"], "tags": ["B-x", "O"]}) for _ in range(9)]
    text = "\n".join(rows) if name.endswith("jsonl") else "é B-x\nb O\n\n" * 9
    (tmp_path / name).write_bytes(text.encode("utf-16"))
    table, _ = read_untagged(TagOptions(str(tmp_path / name)))
    assert table["tokens"][:] == [["é", "b"]] * 9
