"""Column files: which lines are tokens, where columns break, and what is said of bad ones."""

import pytest

from birnn.data.tags import conll
from birnn.data.tags.conll import column_lines, read_columns
from birnn.data.tags.layout import ColumnLayout, find_index
from birnn.errors import DataError


@pytest.fixture
def read(tmp_path):
    """``read(text, …)`` reads a file that holds ``text`` (or bytes)."""

    def call(text, *columns, **options):
        path = tmp_path / "x.conll"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_columns(path, "utf-8-sig", *columns, **options)[:2]

    return call


@pytest.fixture
def refusal(read):
    """The one line that a file is refused with."""

    def call(text, *columns):
        with pytest.raises(DataError) as caught:
            read(text, *columns)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return call


def pairs(sentences):
    return [list(zip(s.tokens, s.tags, strict=True)) for s in sentences]


@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n\t\n", "\n  \n", "\n\u00a0\n"])
@pytest.mark.parametrize("separator", ["\t", " "])
def test_lines_of_spaces_alone_divide_sentences(read, separator, gap):
    text = f"a{separator}O\nb{separator}B-x\n{gap}c{separator}O\n"
    found, layout = read(text)
    assert pairs(found) == [[("a", "O"), ("b", "B-x")], [("c", "O")]]
    assert layout.separator == separator
    assert found[0].line == 1
    assert found[1].line == text[: text.index("c")].count("\n") + 1


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfa\tO\nb\tB-x\n",
        b"a\tO\r\nb\tB-x\r\n\r\n",
        b"a\tO\nb\tB-x",
        b"\n\na\tO\nb\tB-x\n\n\n",
        b"a O\nb  B-x \n",
    ],
    ids=["bom", "crlf", "no line end", "blank edges", "runs of spaces"],
)
def test_what_editors_leave_behind_changes_nothing(read, text):
    assert pairs(read(text)[0]) == [[("a", "O"), ("b", "B-x")]]


@pytest.mark.parametrize("odd", ["\u00a0", "\u2028", "\u3000", "\u0085", "\u000b", "\u001c", "\r"])
@pytest.mark.parametrize("separator", ["\t", " "])
def test_odd_spaces_within_a_token_break_nothing(read, separator, odd):
    found, _ = read(f"New{odd}York{separator}B-x\nb{separator}O\n")
    assert pairs(found) == [[(f"New{odd}York", "B-x"), ("b", "O")]]


def test_spaces_are_no_columns_in_a_file_with_tabs(read):
    assert pairs(read("New York\tB-x\nb\tO\n")[0]) == [[("New York", "B-x"), ("b", "O")]]


def test_comments_above_a_sentence_are_told_from_tokens(read):
    text = (
        "# id = 1\n# text = # 1 is #up\n# O\n1 O\nis O\n#up B-x\n# O\n\n#begin document (a)\nb O\n"
    )
    found, _ = read(text)
    assert [s.tokens for s in found] == [["#", "1", "is", "#up", "#"], ["b"]]
    assert [s.before for s in found] == [
        ["# id = 1", "# text = # 1 is #up"],
        ["#begin document (a)"],
    ]
    assert [s.line for s in found] == [3, 10]
    assert found[0].lines == ["# O", "1 O", "is O", "#up B-x", "# O"]


def test_a_token_without_its_tag_is_no_comment(refusal):
    assert "line 4: 1 column, where most lines have 2" in refusal("a O\nb O\n\n#tag\nc O\n")


def test_document_lines_stand_apart_with_or_without_blank_lines(read):
    text = "-DOCSTART- O\n \na O\nb B-x\n-DOCSTART- O\nc O\n"
    found, _ = read(text)
    assert pairs(found) == [[("a", "O"), ("b", "B-x")], [("c", "O")]]
    assert [s.before for s in found] == [["-DOCSTART- O", ""], ["-DOCSTART- O"]]


WIDE = "EU NNP B-NP B-org\nis VBZ B-VP O\n"


@pytest.mark.parametrize(
    ("columns", "tokens", "tags"),
    [
        ((), ["EU", "is"], ["B-org", "O"]),
        (("", "last"), ["EU", "is"], ["B-org", "O"]),
        (("", "2"), ["EU", "is"], ["NNP", "VBZ"]),
        (("", "-2"), ["EU", "is"], ["B-NP", "B-VP"]),
        (("last", "first"), ["B-org", "O"], ["EU", "is"]),
        (("2", "1"), ["NNP", "VBZ"], ["EU", "is"]),
    ],
)
def test_columns_are_counted_from_either_end(read, columns, tokens, tags):
    (found,), layout = read(WIDE, *columns)
    assert (found.tokens, found.tags) == (tokens, tags)
    assert layout.width == 4


@pytest.mark.parametrize("head", ["id\tWord\tNER\tPOS\n", "# global.columns = id Word NER POS\n"])
def test_named_columns(read, head):
    text = head + "7\tEU\tB-org\tNNP\n8\tis\tO\tVBZ\n"
    (found,), layout = read(text)
    assert (found.tokens, found.tags) == (["EU", "is"], ["NNP", "VBZ"])
    assert layout.names == ("id", "Word", "NER", "POS")
    assert read(text, "", "ner")[0][0].tags == ["B-org", "O"]
    assert read(text, "", "3")[0][0].tags == ["B-org", "O"]


def test_a_name_that_is_asked_for_makes_a_header(read):
    text = "eins\tzwei\n" + "EU\tB-org\nis\tO\n"
    assert pairs(read(text, "", "zwei")[0]) == [[("EU", "B-org"), ("is", "O")]]
    assert read(text)[0][0].tokens == ["eins", "EU", "is"]


@pytest.mark.parametrize("column", ["0", "5", "-5", "ner", "1.5"])
def test_a_column_that_is_not_there(refusal, column):
    said = refusal(WIDE, "", column)
    assert f"no tag column {column!r}" in said
    assert "1 to 4" in said


def test_names_of_columns_are_suggested():
    with pytest.raises(DataError, match=r"x: .* 'taag' \(did you mean 'tag'\?\); .*: form, tag"):
        find_index("taag", ("form", "tag"), 2, "tag", "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a O\nb\nc O\n", ["line 2", "1 column", "have 2", "spaces"]),
        ("a\tO\nb\tX\tO\nc\tO\n", ["line 2", "3 columns", "have 2", "tabs"]),
        ("a\tO\nb\nc\tO\n", ["line 2", "1 column", "tabs"]),
        ("a O\nb O\nc\n", ["line 3", "1 column", "spaces"]),
        ("a\tO\n\tO\n", ["line 2", "token", "empty"]),
        ("a\tO\nb\t\n", ["line 2", "tag", "empty"]),
        ("\na\n\nb\n", ["line 2", "1 column", "expected a token and its tag"]),
        ("# only = a comment\n", ["no sentence"]),
        ("a O\nb\0 O\n", ["line 2", "NUL"]),
        (b"a O\n\xff O\n", ["line 2", "utf-8"]),
        ("", ["empty"]),
        (" \n\t\n", ["empty"]),
    ],
)
def test_a_bad_file_is_one_line_that_says_where(refusal, text, words):
    said = refusal(text)
    assert all(word in said for word in words), said
    assert "x.conll" in said


def test_one_column_can_not_be_both(refusal):
    assert "can't be both token and tag" in refusal(WIDE, "1", "1")


def test_a_file_without_blank_lines_is_told(refusal, read, monkeypatch):
    monkeypatch.setattr(conll, "MAX_TOKENS", 5)
    assert len(read("a O\n" * 5)[0][0].tokens) == 5
    said = refusal("a O\n\n" + "a O\n" * 6)
    assert "line 3" in said
    assert "blank lines" in said


@pytest.mark.parametrize("text", ["a\nb\n\nc\n", "a\tO\nb\t\n\nc\tO\n"])
def test_tags_may_be_missing_where_they_are_to_be_found(read, text):
    found, _ = read(text, tagged=False)
    assert [s.tokens for s in found] == [["a", "b"], ["c"]]


@pytest.mark.parametrize(
    ("tag", "lines", "wanted"),
    [
        (2, ["a X O", "b Y B-x "], ["a X O P", "b Y B-x Q"]),
        (1, ["a X O", "b Y B-x"], ["a X O X P", "b Y B-x Y Q"]),
        (-1, ["a X O", "b Y B-x"], ["a X O P", "b Y B-x Q"]),
    ],
)
def test_the_prediction_is_the_last_column_and_gold_the_one_before(tag, lines, wanted):
    layout = ColumnLayout("columns", ".conll", " ", 3, (), 0, tag)
    assert list(column_lines(lines, [], ["P", "Q"], layout)) == wanted


@pytest.mark.parametrize(
    ("text", "column", "wanted"),
    [
        (
            "Word\tNER\tPOS\n# c = 1\na\tO\tX\n", "NER",
            ["Word\tNER\tPOS\tNER\tBIRNN:PRED", "# c = 1", "a\tO\tX\tO\tP"],
        ),
        (
            "# global.columns = FORM NER\na\tO\n", "",
            ["# global.columns = FORM NER BIRNN:PRED", "a\tO\tP"],
        ),
        ("-DOCSTART- -X- O\n\na X O\n", "", ["-DOCSTART- -X- O O", "", "a X O P"]),
        ("-DOCSTART- -X- O\n\na X O\n", "2", ["-DOCSTART- -X- O -X- -X-", "", "a X O X P"]),
    ],
)  # fmt: skip
def test_lines_above_a_sentence_keep_its_shape(read, text, column, wanted):
    (found,), layout = read(text, "", column)
    assert list(column_lines(found.lines, found.before, ["P"], layout)) == wanted


def test_predictions_must_be_as_many_as_tokens():
    layout = ColumnLayout("columns", ".conll", " ", 2, (), 0, 1)
    with pytest.raises(ValueError, match="shorter"):
        list(column_lines(["a O", "b O"], [], ["P"], layout))
