"""CoNLL-U against the package's own reading, and what is said of files that break its rules."""

import conllu
import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.tags.conllu import COLUMNS, conllu_lines, global_columns, read_conllu, word_lines
from birnn.errors import DataError

from strategies import quick

ODD = " \u00a0\u2028\u0085\u3000-#.0é👍\u200d"


def line(number, form, upos="X", feats="_", misc="_"):
    return f"{number}\t{form}\t_\t{upos}\t_\t{feats}\t_\t_\t_\t{misc}"


@pytest.fixture
def read(tmp_path):
    """``read(lines, …)`` reads a file of ``lines`` (or of one text)."""

    def call(lines, *column, **options):
        path = tmp_path / "x.conllu"
        text = lines if isinstance(lines, str) else "\n".join(lines) + "\n\n"
        path.write_text(text, encoding="utf-8", newline="")
        return read_conllu(path, "utf-8-sig", *column, **options)[:2]

    return call


def refusal(read, lines, *column):
    with pytest.raises(DataError) as caught:
        read(lines, *column)
    assert "\n" not in str(caught.value)
    return str(caught.value)


FORMS = st.text(st.sampled_from("ab" + ODD), min_size=1, max_size=5).filter(
    lambda form: form == form.strip() and "  " not in form
)


@quick
@given(
    sentences=st.lists(
        st.lists(st.tuples(FORMS, st.sampled_from(["X", "Y", "_"])), min_size=1, max_size=5),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_words_and_tags_are_those_of_the_package(tmp_path_factory, sentences):
    blocks = []
    for number, rows in enumerate(sentences):
        body = [line(i, form, tag, f"N={tag}a") for i, (form, tag) in enumerate(rows, 1)]
        body.insert(0, line(f"1-{len(rows)}", "whole"))
        body.append(line(f"{len(rows)}.1", "gone"))
        blocks.append("\n".join([f"# sent_id = {number}", *body]) + "\n\n")
    path = tmp_path_factory.mktemp("u") / "x.conllu"
    path.write_text("".join(blocks), encoding="utf-8", newline="")
    theirs = [
        [token for token in sentence if isinstance(token["id"], int)]
        for sentence in conllu.parse("".join(blocks))
    ]
    ours = read_conllu(path, "utf-8-sig")[0]
    assert [s.tokens for s in ours] == [[t["form"] for t in s] for s in theirs]
    assert [s.tags for s in ours] == [[t["upos"] for t in s] for s in theirs]
    ours = read_conllu(path, "utf-8-sig", "N")[0]
    assert [s.tags for s in ours] == [[t["feats"]["N"] for t in s] for s in theirs]


def test_two_spaces_within_a_word_stay(read):
    (found,), _ = read([line(1, "1  000", "NUM", "A=b"), line(2, "a", "X", "A=c")], "A")
    assert found.tokens == ["1  000", "a"]
    assert found.tags == ["b", "c"]


def test_lines_are_counted_through_ranges_and_comments(read):
    text = ["# c", "", "", "# d", line("1-2", "ab"), line(1, "a"), line(2, "b"), ""]
    (found,), _ = read(text)
    assert found.line == 6
    assert found.before == ["# c", "", "# d"]
    assert found.lines == text[4:7]
    assert word_lines(found.lines) == [1, 2]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_bom(read, end):
    text = "\ufeff" + end.join(["# c", line(1, "a", misc="x=y"), "", line(1, "b"), ""])
    found, _ = read(text, "misc:x")
    assert [s.tags for s in found] == [["y"], ["_"]]
    assert [s.tokens for s in found] == [["a"], ["b"]]


@pytest.mark.parametrize(
    ("ids", "bad"),
    [
        (["1", "3"], 2),
        (["1", "1"], 2),
        (["2"], 1),
        (["0"], 1),
        (["1", "2", "1-2"], 3),
        (["1-2", "1-2", "1", "2"], 2),
        (["1-3", "1", "2-3", "2", "3"], 3),
        (["1", "1.2"], 2),
        (["1", "2.1"], 2),
        (["_"], 1),
        (["1", "2-1", "2"], 2),
        (["1", "x"], 2),
        (["1", "02"], 2),
        (["1", "²"], 2),
        (["1-2", "1"], 2),
    ],
)
def test_broken_ids_name_their_line(read, ids, bad):
    said = refusal(read, ["# c", *(line(i, "w") for i in ids)])
    assert f"x.conllu line {bad + 1}" in said, said


@pytest.mark.parametrize(
    "ids",
    [
        ["0.1", "1"],
        ["1-2", "1", "2", "3-4", "3", "4"],
        ["1", "1.1", "1.2", "2", "2.1"],
        ["1-1", "1"],
    ],
)
def test_sound_ids_are_read(read, ids):
    (found,), _ = read([line(i, f"w{i}") for i in ids])
    assert found.tokens == [f"w{i}" for i in ids if i.isdigit()]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1\ta\tb", "3 columns"),
        (line(1, "a") + "\t_", "11 columns"),
        (line(1, "a", ""), "an empty column"),
        ("1 a _ X _ _ _ _ _ _", "1 columns"),
    ],
)
def test_columns_that_are_not_ten(read, row, said):
    found = refusal(read, [line(1, "a"), line(2, "b"), "", row])
    assert f"line 4: {said}" in found


def test_a_missing_column_or_feature_names_those_there_are(read):
    rows = [line(1, "a", feats="Number=Sing|Case=Nom")]
    assert "Case, Number" in refusal(read, rows, "feats:Gender")
    assert "did you mean 'UPOS'" in refusal(read, rows, "UPSO")
    assert "ID, FORM" in refusal(read, rows, "foo:bar")
    assert "there are: none" in refusal(read, rows, "misc:NER")
    assert read(rows, "feats:Gender", tagged=False)[0][0].tags == ["_"]


def test_a_file_of_comments_is_refused(read):
    assert "holds no sentence" in refusal(read, ["# one", "", "# two"])


def test_what_was_written_is_conllu_plus_with_every_line_kept(read):
    rows = ["# id = 1", line("1-2", "ab"), line(1, "a"), "# within", line(2, "b"), line("2.1", "c")]
    (found,), layout = read(rows)
    lines = [global_columns(layout), *conllu_lines(found.lines, found.before, ["P", "Q"], layout)]
    assert lines == [
        "# global.columns = " + " ".join([*COLUMNS, "BIRNN:PRED"]),
        "# id = 1",
        *(f"{row}\t{tag}" for row, tag in zip(rows[1:3], "_P", strict=True)),
        "# within",
        *(f"{row}\t{tag}" for row, tag in zip(rows[4:], "Q_", strict=True)),
    ]
    (again,), plus = read([*lines, ""], "BIRNN:PRED")
    assert again.tags == ["P", "Q"]
    assert read([*lines, ""])[0][0].tags == ["X", "X"]
    # Predicted once more, the column is replaced.
    twice = [global_columns(plus), *conllu_lines(again.lines, again.before, ["R", "S"], plus)]
    assert twice[0] == lines[0]
    assert read([*twice, ""], "birnn:pred")[0][0].tags == ["R", "S"]


def test_a_plus_file_needs_its_first_columns(read):
    assert "line 1: the columns ID and FORM" in refusal(
        read, ["# global.columns = FORM TAG", "a\tX"]
    )
    found, _ = read(["# global.columns = ID FORM NER", "1\ta\tB-x"], "ner")
    assert found[0].tags == ["B-x"]
