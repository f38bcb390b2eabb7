"""Tagged files in the ways in which people write them: read, said, or refused; never altered."""

import json
import random
from functools import partial
from pathlib import Path

import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tables.dialect import ReadOptions
from birnn.data.tags.files import Part, TagOptions, read_parts
from birnn.data.tags.tag_forms import TagForm, tell_form
from birnn.errors import DataError

from strategies import quick

WORDS = ("the", "house", "saw", "near", "walks", "over", "Ada's", "3.5", "e-mail", ",", '"', "#up")
Sentences = list[list[tuple[str, str]]]


def sentences(count: int = 30, seed: int = 0) -> Sentences:
    """Distinct sentences with persons of two tokens and places of one, in IOB2."""
    generator = random.Random(seed)
    found = []
    for i in range(count):
        rows = [(generator.choice(WORDS), "O") for _ in range(generator.randint(2, 6))]
        rows += [("Ada", "B-PER"), (f"Smith{i}", "I-PER"), ("in", "O"), ("Rome", "B-LOC")]
        found.append(rows)
    return found


def read(path: Path, **options: object) -> Part:
    return read_parts(str(path), TagOptions(str(path), **options), tagged=True)[1]["train"]


def rows_of(part: Part) -> Sentences:
    return [list(zip(s.tokens, s.tags, strict=True)) for s in part.sentences]


def said(part: Part) -> str:
    return " | ".join([*part.findings.warnings, *part.findings.said()])


def put(path: Path, lines: list[str], end: str = "\n", encoding: str = "utf-8") -> Path:
    path.write_text(end.join(lines) + end, encoding=encoding, newline="")
    return path


def column_lines(given: Sentences, line) -> list[str]:
    """``line(number, token, tag)`` of each, blank lines between."""
    lines = []
    for rows in given:
        lines += [line(i, token, tag) for i, (token, tag) in enumerate(rows)]
        lines.append("")
    return lines[:-1]


LAYOUTS = {  # the token w, its tag t, its number i from 0 and n from 1; s is a tag of another layer
    "tabs": "{w}\t{t}",
    "spaces": "{w} {t}",
    "runs of spaces": "{w:<12} {t}",
    "counted from 1": "{n}\t{w}\t{t}",
    "counted from 0": "{i} {w} X {t}",
    "reversed": "{t}\t{w}",
    "placeholders": "{w} _ _ {t}",
    "tag in the middle": "{w}\t{t}\t_",
    "label studio": "{w} -X- _ {t}",
    "words and parts of speech before a tab": "{w} X\t{t}",
    "trailing tab": "{w}\t{t}\t",
    "pipes": "{w}|{t}",
    "a second layer": "{n}\t{w}\t{t}\t{s}",
}


def laid_out(layout: str, i: int, w: str, t: str) -> str:
    return LAYOUTS[layout].format(i=i, n=i + 1, w=w, t=t, s="B-LOC" if w == "Rome" else "O")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_are_read_exactly(tmp_path, layout, end, encoding):
    given = sentences()
    path = put(tmp_path / "x.conll", column_lines(given, partial(laid_out, layout)), end, encoding)
    part = read(path)
    assert rows_of(part) == given
    assert "columns: tokens in" in said(part)


@pytest.mark.parametrize("header", ["word\tpos\tner", "Wort\tArt\tEtikett"])
def test_a_header_is_no_token(tmp_path, header):
    lines = [header, *column_lines(sentences(), lambda i, w, t: f"{w}\tX\t{t}")]
    part = read(put(tmp_path / "x.tsv", lines))
    assert rows_of(part) == sentences()


FORMS = {
    "B_PER": lambda t: t.replace("-", "_"),
    "PER-B": lambda t: "-".join(reversed(t.split("-"))),
    "b-PER": lambda t: t[0].lower() + t[1:],
    "B:PER": lambda t: t.replace("-", ":"),
    "_ for O": lambda t: "_" if t == "O" else t,
    "0 for O": lambda t: "0" if t == "O" else t,
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_tags_are_read_said_and_written_back(tmp_path, form):
    write = FORMS[form]
    part = read(
        put(tmp_path / "x.conll", column_lines(sentences(), lambda i, w, t: f"{w} {write(t)}"))
    )
    assert rows_of(part) == sentences()
    assert "read as" in said(part)
    kept = TagForm.of(json.loads(json.dumps(part.reading))["form"])
    assert [kept.write(t) for t in ("O", "B-PER", "I-PER")] == [
        write(t) for t in ("O", "B-PER", "I-PER")
    ]


def test_bmewo_is_iobes_in_other_letters():
    form = tell_form({"O": 9, "B-x": 2, "M-x": 1, "E-x": 2, "W-x": 1})
    tags = ["O", "B-x", "M-x", "E-x", "W-x"]
    assert [form.read(tag) for tag in tags] == ["O", "B-x", "I-x", "E-x", "S-x"]
    assert [form.write(form.read(tag)) for tag in tags] == tags
    cut = tell_form({"B": 4, "M": 1, "E": 4, "S": 5})  # words of Chinese
    assert [cut.read(tag) for tag in "BMES"] == ["B-span", "I-span", "E-span", "S-span"]
    assert [cut.write(cut.read(tag)) for tag in "BMES"] == list("BMES")


def test_tags_without_prefixes_are_runs_of_one_type(tmp_path):
    lines = column_lines(sentences(), lambda i, w, t: f"{w} {t.rpartition('-')[2]}")
    part = read(put(tmp_path / "x.conll", lines))
    assert [t for _, t in rows_of(part)[0]][-4:] == ["I-PER", "I-PER", "O", "I-LOC"]
    assert "neighbours of one type are read as one span (--tag-scheme raw" in said(part)
    raw = read(tmp_path / "x.conll", tag_scheme="raw")
    assert [t for _, t in rows_of(raw)[0]][-4:] == ["PER", "PER", "O", "LOC"]
    speech = column_lines(sentences(), lambda i, w, t: f"{w} {'NOUN' if t != 'O' else 'X'}")
    assert read(put(tmp_path / "y.conll", speech)).reading["form"]["kind"] == "raw"


ODD = {
    "a token of two words": ("New York O", "with another number of columns"),
    "no tag": ("lost", "with another number of columns"),
    "a tag of no scheme": ("York LOC", "with a tag of another scheme"),
}


@pytest.mark.parametrize("odd", ODD)
def test_one_odd_line_costs_its_sentence_and_is_listed(tmp_path, odd):
    line, why = ODD[odd]
    lines = column_lines(sentences(), lambda i, w, t: f"{w} {t}")
    at = lines.index("Smith4 I-PER") + 1
    lines.insert(at, line)
    part = read(put(tmp_path / "x.conll", lines))
    wanted = sentences()
    del wanted[4]
    assert rows_of(part) == wanted
    assert why in said(part)
    assert f"line {at + 1}" in said(part)


@pytest.mark.parametrize("token", ["", "\u00a0", "\ufe0f", "\u200b"])
@pytest.mark.parametrize("separator", ["\t", " "])
def test_tokens_that_do_not_show_are_read_and_listed(tmp_path, token, separator):
    given = sentences()
    given[3].insert(1, (token, "O"))
    lines = column_lines(given, lambda i, w, t: f"{w}{separator}{t}")
    part = read(put(tmp_path / "x.conll", lines))
    assert rows_of(part) == given
    assert (
        "1 token without a visible character, read as unknown:"
        f" line {lines.index(f'{token}{separator}O') + 1}" in said(part)
    )


def test_separators_that_change_within_a_file(tmp_path):
    generator = random.Random(1)
    gaps = "\t\t\t "
    lines = column_lines(sentences(), lambda i, w, t: w + generator.choice(gaps) + t)
    part = read(put(tmp_path / "x.conll", lines))
    assert rows_of(part) == sentences()
    assert "divided by spaces in place of tabs" in said(part)


def test_too_many_odd_lines_are_refused_with_the_option(tmp_path):
    lines = column_lines(sentences(), lambda i, w, t: f"{w} {t}" if w != "in" else "in")
    path = put(tmp_path / "x.conll", lines)
    with pytest.raises(
        DataError, match=r"line \d+: 1 column, where most lines have 2.*--skip-ragged"
    ):
        read(path)


@pytest.mark.parametrize("numbers", ["first token only", "every token"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_a_table_of_words_with_numbers_of_sentences(tmp_path, numbers, suffix):
    import csv

    with (tmp_path / f"x{suffix}").open("w", encoding="latin-1", newline="") as file:
        writer = csv.writer(file, delimiter="," if suffix == ".csv" else "\t")
        writer.writerow(["Sentence #", "Word", "POS", "Tag"])
        for n, rows in enumerate(sentences(), 1):
            for i, (word, tag) in enumerate(rows):
                own = f"Sentence: {n}" if numbers == "every token" or not i else ""
                writer.writerow([own, word if word != "near" else "n\xe9ar", "X", tag])
    path = tmp_path / f"x{suffix}"
    part = read(path, read=ReadOptions("latin-1"))
    wanted = [[("n\xe9ar" if w == "near" else w, t) for w, t in rows] for rows in sentences()]
    if suffix == ".csv":
        assert rows_of(part) == wanted
    else:  # a quoted quote of a TSV stays as it stands
        assert [[t for _, t in rows] for rows in rows_of(part)] == [
            [t for _, t in rows] for rows in wanted
        ]


def test_a_frame_of_words(tmp_path):
    flat = [(n, w, t) for n, rows in enumerate(sentences()) for w, t in rows]
    table = Dataset.from_dict({"sentence_id": [n for n, _, _ in flat],
                               "word": [w for _, w, _ in flat],
                               "ner": [t for _, _, t in flat]})  # fmt: skip
    table.to_parquet(tmp_path / "x.parquet")
    assert rows_of(read(tmp_path / "x.parquet")) == sentences()


@pytest.mark.parametrize(
    "write", [repr, json.dumps, " ".join, lambda row: "[" + " ".join(map(repr, row)) + "]"]
)
def test_lists_in_the_cells_of_a_csv(tmp_path, write):
    import csv

    plain = [[(w, t) for w, t in rows if w not in ('"', ",")] for rows in sentences()]
    with (tmp_path / "x.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "tokens", "ner_tags"])
        for i, rows in enumerate(plain):
            writer.writerow([i, write([w for w, _ in rows]), write([t for _, t in rows])])
    assert rows_of(read(tmp_path / "x.csv")) == plain


# ------------------------------------------------------------------ spans


def texts(lead: str = "") -> list[tuple[str, list[tuple[int, int, str]]]]:
    """Texts with the characters of a person and a place."""
    found = []
    for i in range(30):
        person = f"Ada Smith{i}"
        text = f"{lead}{person} saw Rome {i}"
        at = len(lead)
        found.append(
            (
                text,
                [
                    (at, at + len(person), "PER"),
                    (text.index("Rome"), text.index("Rome") + 4, "LOC"),
                ],
            )
        )
    return found


def studio(text, spans):
    result = [{"value": {"start": a, "end": b, "text": text[a:b], "labels": [kind]},
               "type": "labels"} for a, b, kind in spans]  # fmt: skip
    return {
        "id": 1,
        "data": {"text": text},
        "annotations": [{"was_cancelled": False, "result": result}],
        "predictions": [],
    }


EXPORTS = {
    "triples": lambda text, spans: {"text": text, "label": [list(s) for s in spans]},
    "doccano": lambda text, spans: {"id": 1, "text": text, "entities": [
        {"id": 1, "label": k, "start_offset": a, "end_offset": b} for a, b, k in spans],
        "relations": []},
    "label studio": studio,
    "json-min": lambda text, spans: {"id": 1, "text": text, "label": [
        {"start": a, "end": b, "text": text[a:b], "labels": [k]} for a, b, k in spans],
        "annotator": 1},
    "spacy 2": lambda text, spans: [text, {"entities": [list(s) for s in spans]}],
    "spacy 3": lambda text, spans: {"text": text, "ents": [
        {"start": a, "end": b, "label": k} for a, b, k in spans], "tokens": []},
    "prodigy": lambda text, spans: {"text": text, "answer": "accept", "spans": [
        {"start": a, "end": b, "label": k, "token_start": 0, "token_end": 0} for a, b, k in spans]},
    "dataturks": lambda text, spans: {"content": text, "annotation": [
        {"label": [k], "points": [{"start": a, "end": b - 1, "text": text[a:b]}]}
        for a, b, k in spans]},
}  # fmt: skip


@pytest.mark.parametrize("suffix", [".jsonl", ".json"])
@pytest.mark.parametrize("export", EXPORTS)
def test_exports_of_annotation_tools(tmp_path, export, suffix):
    rows = [EXPORTS[export](*row) for row in texts()]
    path = tmp_path / f"x{suffix}"
    path.write_text(json.dumps(rows) if suffix == ".json" else "\n".join(map(json.dumps, rows)))
    part = read(path)
    assert len(part.sentences) == 30
    for sentence, (text, spans) in zip(part.sentences, texts(), strict=True):
        assert sentence.text == text
        assert [(s["start"], s["end"], s["label"]) for s in sentence.spans] == spans
        assert list(sentence.tags) == ["B-PER", "I-PER", "O", "B-LOC", "O"]


COUNTS = {
    "UTF-16 units": lambda text, a, b: [len(text[:n].encode("utf-16-le")) // 2 for n in (a, b)],
    "UTF-8 bytes": lambda text, a, b: [len(text[:n].encode()) for n in (a, b)],
    "characters, ends included": lambda text, a, b: [a, b - 1],
    "characters": lambda text, a, b: [a, b],
}


@pytest.mark.parametrize("kind", COUNTS)
def test_offsets_that_count_something_else(tmp_path, kind):
    rows = [{"text": text, "label": [[*COUNTS[kind](text, a, b), k] for a, b, k in spans]}
            for text, spans in texts("😀é ")]  # fmt: skip
    path = put(tmp_path / "x.jsonl", list(map(json.dumps, rows)))
    part = read(path)
    assert part.reading["offsets"] == kind
    assert all(list(s.tags)[-5:] == ["B-PER", "I-PER", "O", "B-LOC", "O"] for s in part.sentences)
    assert (f"offsets count {kind}" in said(part)) == (kind != "characters")


def test_offsets_that_fit_nothing_are_refused(tmp_path):
    rows = [
        {"text": text, "label": [[a + 2, b + 1, k] for a, b, k in spans]} for text, spans in texts()
    ]
    path = put(tmp_path / "x.jsonl", list(map(json.dumps, rows)))
    with pytest.raises(DataError, match="offsets of another kind"):
        read(path)


def test_odd_spans_are_left_out_trimmed_and_counted(tmp_path):
    rows = [{"text": text, "label": [list(s) for s in spans]} for text, spans in texts()]
    rows[2]["label"][0][1] += 1  # with the space
    rows[3]["label"].append([500, 504, "PER"])
    rows[4]["label"].append([504, 4, "PER"])
    rows[5]["label"].append([0, 3, "FIRST"])  # within another
    rows[6]["label"] = None
    rows[7] = {"id": 7}
    lines = list(map(json.dumps, rows))
    lines[8] = "{broken"
    part = read(put(tmp_path / "x.jsonl", lines))
    assert len(part.sentences) == 27
    assert {why: len(places) for why, places in part.findings.left_out.items()} == {
        "empty or beyond the text": 2, "overlapping another": 1, "without marks": 1,
        "without a token": 1, "that can't be read": 1,
    }  # fmt: skip
    assert "1 span with spaces at its ends" in said(part)
    assert "30 rows: 27 read as sentences, 3 left out" in said(part)


def test_unscored_pieces(tmp_path):
    row = {"tokens": ["[CLS]", "Ada", "Lo", "##ve", "##lace", "ran", "[SEP]"],
           "labels": [-100, "B-PER", "I-PER", -100, -100, "O", -100]}  # fmt: skip
    part = read(put(tmp_path / "x.jsonl", [json.dumps(row)] * 2))
    assert rows_of(part)[0] == [("Ada", "B-PER"), ("Lovelace", "I-PER"), ("ran", "O")]
    assert "left out 4 tokens that stand for no word" in said(part)
    row["tokens"][3] = "ve"
    with pytest.raises(DataError, match=r"token 4 \('ve'\) has the tag -100"):
        read(put(tmp_path / "y.jsonl", [json.dumps(row)]))


def test_one_item_lists_and_numbers(tmp_path):
    rows = [{"tokens": ["Ada", "ran"], "tags": [["B-PER"], ["O"]]}] * 2
    assert rows_of(read(put(tmp_path / "x.jsonl", list(map(json.dumps, rows)))))[0][0] == (
        "Ada",
        "B-PER",
    )
    rows = [{"tokens": ["Ada", "ran"], "tags": ["1", "0"]}] * 2
    assert "numbers without names" in said(
        read(put(tmp_path / "y.jsonl", list(map(json.dumps, rows))))
    )


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "x.tsv",
            "#FORMAT=WebAnno TSV 3.3\n#T_SP=x|y\n\n#Text=Ada\n1-1\t0-3\tAda\t_\n",
            "CoNLL 2003",
        ),
        ("x.ann", "T1\tPER 0 3\tAda\n", "brat"),
        ("x.xml", "<a/>\n", "XML"),
    ],
)
def test_foreign_formats_are_refused_with_what_to_export(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=words):
        read(tmp_path / name)


TOKEN = st.text(st.sampled_from("abXY019.,'#-é\u00a0\u200b👍\"|"), min_size=1, max_size=5)
TAG = st.sampled_from(["O", "O", "B-PER", "I-PER", "B-party name", "S-x"])


@quick
@given(
    given=st.lists(st.lists(st.tuples(TOKEN, TAG), min_size=1, max_size=5), min_size=1, max_size=6),
    index=st.booleans(),
    comments=st.booleans(),
    crlf=st.booleans(),
    extra=st.booleans(),
)
def test_random_sentences_come_back_or_are_refused_or_counted(
    tmp_path_factory, given, index, comments, crlf, extra
):
    lines = []
    for n, rows in enumerate(given):
        lines += [f"# id = s{n}"] if comments else []
        lines += [
            "\t".join([*([str(i)] if index else []), token, *(["X"] if extra else []), tag])
            for i, (token, tag) in enumerate(rows, 1)
        ]
        lines.append("")
    path = put(tmp_path_factory.mktemp("t") / "x.conll", lines, "\r\n" if crlf else "\n")
    try:
        part = read(path, token_column="2" if index else "1", tag_column="last", tag_scheme="raw")
    except DataError:
        return
    lost = part.findings.left_out.keys() - {"that are comments"}
    assert rows_of(part) == given or lost


def test_a_json_file_of_words_and_marks_of_the_text(tmp_path):
    rows = [
        {"text": text, "tokens": text.split(), "entities": [list(s) for s in spans]}
        for text, spans in texts()
    ]
    part = read(put(tmp_path / "x.jsonl", list(map(json.dumps, rows))))
    assert list(part.sentences[0].tags) == ["B-PER", "I-PER", "O", "B-LOC", "O"]
