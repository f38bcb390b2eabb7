"""Predictions in the input's own format: other scorers can read them, and so can we."""

import json
from pathlib import Path

import conllu
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import f1_score

from birnn.data.tags.conll import read_columns
from birnn.data.tags.conllu import read_conllu
from birnn.data.tags.layout import ColumnLayout
from birnn.data.tags.loading import TagOptions, load_one_tagged, load_tagged, read_untagged
from birnn.data.tags.writing import prediction_lines, write_lines
from birnn.errors import DataError

from strategies import quick

CONLLU = """# newdoc id = d1
# sent_id = 1
# text = I don't
1\tI\tI\tPRON\tPRP\tNumber=Sing|Person=1\t2\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
2\tdo\tdo\tAUX\tVBP\t_\t0\troot\t_\t_
3\tn't\tnot\tPART\tRB\t_\t2\tadvmod\t_\tKey=val
3.1\tgo\tgo\tVERB\tVB\t_\t_\t_\t2:conj\t_

# sent_id = 2
1\tGo\tgo\tVERB\tVB\tMood=Imp\t0\troot\t_\t_

"""

CONLL = """-DOCSTART- -X- -X- O

EU NNP B-NP I-ORG
rejects VBZ B-VP O
German JJ B-NP I-MISC
. . O O

# O O O
#tag NN B-NP I-MISC
"""


def read(path: Path, **options: str) -> tuple[Dataset, ColumnLayout]:
    return read_untagged(TagOptions(str(path), **options))


def written(path: Path, text: str, tags: list[list[str]], scheme: str, **options: object) -> str:
    path.write_text(text)
    tag_column = str(options.pop("tag_column", ""))
    table, layout = read(path, tag_column=tag_column)
    out = path.with_name("out" + layout.suffix)
    write_lines(out, prediction_lines(table, tags, layout, scheme, **options))
    return out.read_text()


def test_a_column_file_gets_a_column_more(tmp_path):
    tags = [["I-ORG", "O", "O", "O"], ["O", "I-MISC"]]
    found = written(tmp_path / "x.conll", CONLL, tags, "iob1")
    assert found == (
        "-DOCSTART- -X- -X- O O\n\n"
        "EU NNP B-NP I-ORG I-ORG\nrejects VBZ B-VP O O\nGerman JJ B-NP I-MISC O\n. . O O O\n\n"
        "# O O O O\n#tag NN B-NP I-MISC I-MISC\n\n"
    )


def test_a_scorer_s_file_has_sentences_only_and_gold_beside_the_prediction(tmp_path):
    tags = [["NN", "NN", "NN", "NN"], ["NN", "NN"]]
    found = written(tmp_path / "x.conll", CONLL, tags, "raw", tag_column="2", keep_before=False)
    rows = [line.split(" ") for line in found.splitlines() if line]
    assert [row[-2] for row in rows] == [row[1] for row in rows]
    assert len(rows) == 6
    assert {row[-1] for row in rows} == {"NN"}


def test_a_treebank_becomes_conllu_plus(tmp_path):
    tags = [["PRON", "VERB", "PART"], ["X"]]
    found = written(tmp_path / "x.conllu", CONLLU, tags, "raw")
    assert found.startswith(
        "# global.columns = ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC BIRNN:PRED\n"
    )
    sentences = conllu.parse(found)
    assert [
        [token["birnn:pred"] for token in s if isinstance(token["id"], int)] for s in sentences
    ] == tags
    assert sentences[0].metadata["sent_id"] == "1"
    lines = found.splitlines()
    for line in CONLLU.splitlines():
        assert any(other == line or other.startswith(line + "\t") for other in lines)
    assert "2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\t_" in lines


def test_what_was_written_is_read_again(tmp_path):
    path = tmp_path / "x.conllu"
    written(path, CONLLU, [["PRON", "AUX", "PART"], ["VERB"]], "raw")
    again = read_conllu(tmp_path / "out.conllu", "utf-8", "BIRNN:PRED")[0]
    first = read_conllu(path, "utf-8")[0]
    assert [s.tags for s in again] == [s.tags for s in first]
    assert [s.tokens for s in again] == [s.tokens for s in first]
    path = tmp_path / "x.conll"
    written(path, CONLL, [["I-ORG", "O", "I-MISC", "O"], ["O", "I-MISC"]], "iob1")
    ours = read_columns(tmp_path / "out.conll", "utf-8")[0]
    theirs = read_columns(path, "utf-8")[0]
    assert [s.tags for s in ours] == [s.tags for s in theirs]


def test_texts_keep_their_spans_and_places(tmp_path):
    text = "Ada  Müller\u00a0met 👩‍👩‍👧 in Rome"
    rows = [{"text": text, "spans": [[0, 11, "per"]]}] * 1
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(rows[0]) + "\n")
    table, layout = read(path)
    size = len(table["tokens"][0])
    tags = ["B-per", "I-per", *["O"] * (size - 3), "B-loc"]
    (line,) = prediction_lines(table, [tags], layout, "iob2", confidence=[[0.5, 0.25]])
    found = json.loads(line)
    assert found["text"] == text
    assert [text[s["start"] : s["end"]] for s in found["predicted"]] == ["Ada  Müller", "Rome"]
    assert [s["confidence"] for s in found["predicted"]] == [0.5, 0.25]


def test_lists_of_tokens_come_back_as_lists(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"tokens": ["a", "b"], "tags": ["O", "B-x"]}\n')
    table, layout, _ = load_one_tagged(TagOptions(str(path)), "test", "iob2")
    (line,) = prediction_lines(table, [["B-x", "O"]], layout, "iob2")
    assert json.loads(line) == {
        "tokens": ["a", "b"],
        "tags": ["O", "B-x"],
        "predicted": ["B-x", "O"],
    }


@quick
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6)
                .map(str.strip).filter(lambda t: t and t != "-DOCSTART-" and " " not in t),
                st.sampled_from(["O", "B-x", "I-x"]),
            ),
            min_size=1, max_size=4,
        ),
        min_size=1, max_size=4,
    )
)  # fmt: skip
def test_any_token_survives_the_way_through_a_tab_file(tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("t") / "x.conll"
    blocks = ["\n".join(f"{token}\t{tag}" for token, tag in rows) for rows in sentences]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8", newline="\n")
    found = read_columns(path, "utf-8-sig")[0]
    expected = [[token for token, _ in rows] for rows in sentences]
    expected[0][0] = expected[0][0].removeprefix("\ufeff")
    assert [s.tokens for s in found] == expected
    assert [s.tags for s in found] == [[tag for _, tag in rows] for rows in sentences]


# ------------------------------------------------------------------ treebanks


@pytest.mark.parametrize(
    ("column", "tags"),
    [("", ["PRON", "AUX", "PART"]), ("xpos", ["PRP", "VBP", "RB"]), ("Number", ["Sing", "_", "_"]),
     ("feats:Person", ["1", "_", "_"]), ("misc:Key", ["_", "_", "val"])],
)  # fmt: skip
def test_any_field_of_a_treebank_can_be_the_tag(tmp_path, column, tags):
    path = tmp_path / "x.conllu"
    path.write_text(CONLLU)
    found = read_conllu(path, "utf-8", column)[0]
    assert found[0].tokens == ["I", "do", "n't"]
    assert found[0].tags == tags
    assert found[0].line == 4


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2\tdo\t", "4\tdo\t", ["line 6", "ID 4", "out of order"]),
        ("2-3\tdon't", "2-9\tdon't", ["reaches 9"]),
        ("3.1\tgo", "4.1\tgo", ["line 8", "4.1"]),
        ("1\tGo\tgo", "1\tGo", ["line 11", "9 columns"]),
        ("1\tGo\tgo", "x\tGo\tgo", ["line 11"]),
        ("1\tGo\tgo", "1\tGo\t", ["line 11", "empty column"]),
    ],
)  # fmt: skip
def test_a_broken_treebank_is_one_line_with_its_number(tmp_path, old, new, words):
    path = tmp_path / "x.conllu"
    assert old in CONLLU
    path.write_text(CONLLU.replace(old, new))
    with pytest.raises(DataError) as caught:
        read_conllu(path, "utf-8")
    assert all(word in str(caught.value) for word in words), caught.value
    assert "\n" not in str(caught.value)


def test_a_feature_that_isn_t_there_names_those_there_are(tmp_path):
    path = tmp_path / "x.conllu"
    path.write_text(CONLLU)
    with pytest.raises(DataError, match=r"'Numbr' .did you mean 'Number'.*Mood, Number, Person"):
        read_conllu(path, "utf-8", "Numbr")


def test_seqeval_reads_our_file_to_the_same_score(tmp_path):
    from birnn.tasks.tagging.metrics import Seen, Tagged, tag_scores

    path = tmp_path / "x.conll"
    rows = [["B-x", "I-x", "O", "B-y"], ["O", "I-y", "B-x"], ["B-y", "O", "O"]]
    guesses = [["B-x", "O", "O", "B-y"], ["O", "B-y", "I-y"], ["B-y", "O", "B-x"]]
    path.write_text("\n\n".join("\n".join(f"w{t}\t{t}" for t in row) for row in rows) + "\n")
    written(path, path.read_text(), guesses, "iob2")
    columns = [
        [line.split("\t") for line in block.splitlines()]
        for block in (tmp_path / "out.conll").read_text().strip().split("\n\n")
    ]
    gold, predicted = ([[row[i] for row in block] for block in columns] for i in (-2, -1))
    tokens = load_tagged_tokens(path)
    ours = tag_scores(Tagged(tokens, rows, guesses, "iob2"), Seen(frozenset(), frozenset()))
    assert ours["span_f1"] == pytest.approx(f1_score(gold, predicted), abs=1e-12)


def load_tagged_tokens(path: Path) -> list[list[str]]:
    table, _ = read(path)
    return list(table["tokens"][:])


def test_the_embedded_file_s_predictions_are_a_conll_file():
    found = load_tagged(TagOptions("tweet_entities"))
    test = found.splits["test"]
    lines = list(
        prediction_lines(test, test["tags"][:], found.layouts["test"], "iob2", keep_before=False)
    )
    rows = [line.split("\t") for line in lines if line]
    assert {len(row) for row in rows} == {3}
    assert all(row[1] == row[2] for row in rows)
