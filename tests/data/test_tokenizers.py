"""Tokenisers and vocabulary."""

import ssl
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.data.text.social_tokens import LINK, social_tokens
from birnn.data.text.tokenizers import (
    NEEDS,
    PAD,
    UNKNOWN,
    build_vocabulary,
    get_tokenizer,
    vector_source,
)
from birnn.errors import ConfigError

from places import ROOT


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It's GREAT", ["it", "'s", "great"]),
        ("don’t can't isn't", ["do", "n't", "ca", "n't", "is", "n't"]),
        ("@User loves #Rust_lang", ["@user", "loves", "#rust_lang"]),
        ("see http://t.co/x?y=1 now", ["see", LINK, "now"]),
        ("www.example.org", [LINK]),
        ("wow!!!! really???", ["wow", "!!", "really", "??"]),
        ("hmm..... ok", ["hmm", "...", "ok"]),
        (":) :-( <3 ;D", [":)", ":-(", "<3", ";d"]),
        ("a &amp; b &lt; c", ["a", "&", "b", "<", "c"]),
        ("well-known U.N.O.", ["well-known", "u.n.o", "."]),
        ("-LRB- yes -RRB-", ["-lrb-", "yes", "-rrb-"]),
        ("日本 👍", ["日本", "👍"]),
        ("", []),
        (" \t\n", []),
    ],
)
def test_social_tokens(text, tokens):
    assert social_tokens(text) == tokens


@given(st.text())
def test_social_tokens_hold_no_space_and_are_never_empty(text):
    tokens = social_tokens(text)
    assert all(token and not any(c.isspace() for c in token) for token in tokens)


@given(st.text())
def test_social_tokens_are_lower_case(text):
    assert all(token == token.lower() for token in social_tokens(text))


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("whitespace", ["It's", "GREAT,", "yes."]),
        ("basic_english", ["it", "'", "s", "great", ",", "yes", "."]),
        ("social", ["it", "'s", "great", ",", "yes", "."]),
    ],
)
def test_tokenisers_by_name(name, tokens):
    assert get_tokenizer(name)("It's GREAT, yes.") == tokens


@pytest.mark.parametrize("name", ["spacy", "moses", "toktok", "revtok", "subword"])
def test_missing_package_of_a_tokeniser_is_named(name, monkeypatch, capsys):
    for package in ("spacy", "sacremoses", "nltk", "nltk.tokenize.toktok", "revtok"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=f"{name} needs pip install {NEEDS[name].split(',')[0]}"):
        get_tokenizer(name)
    assert capsys.readouterr() == ("", "")


def test_vocabulary_is_ordered_by_frequency_then_alphabet():
    words = build_vocabulary([["b", "a", "c"], ["c", "a", "d"], ["c"]], 1)
    assert words == [PAD, UNKNOWN, "c", "a", "b", "d"]


def test_rare_words_are_left_out_of_the_vocabulary():
    sentences = [["b", "a", "c"], ["c", "a", "d"], ["c"]]
    assert build_vocabulary(sentences, 2) == [PAD, UNKNOWN, "c", "a"]
    assert build_vocabulary(sentences, 4) == [PAD, UNKNOWN]


def test_special_words_of_the_data_stand_once():
    assert build_vocabulary([["<unk>", "<pad>", "a", "<unk>"]], 1) == [PAD, UNKNOWN, "a"]


@given(st.lists(st.lists(st.sampled_from("abcde"))), st.integers(1, 3))
def test_vocabulary_does_not_depend_on_the_order_of_sentences(sentences, least):
    assert build_vocabulary(sentences, least) == build_vocabulary(sentences[::-1], least)


def test_vocabulary_comes_from_train_alone(trained):
    from birnn.data.tables.sources import load_tables
    from birnn.tasks.runs.folder import load_run

    run = load_run(trained)
    source = run.task.config.data.data
    texts = load_tables(source).splits["train"]["text"][:]
    words = set(run.info.lexicon.words)
    # Each text of the fixture ends in a word of its own, which is too rare to be trained.
    assert not any(text.split()[-1] in words for text in texts)
    grams = run.info.ngrams
    assert grams.texts == 160
    assert sum(text.split()[-1] in grams.words for text in texts) == 160


def test_vector_names_of_torchtext_are_known():
    assert vector_source("glove.6B.100d") == (
        "http://nlp.stanford.edu/data/glove.6B.zip",
        "glove.6B.100d.txt",
    )
    assert vector_source("fasttext.simple.300d")[1] == "wiki.simple.vec"
    assert vector_source("charngram.100d") is None
    assert vector_source("glove.6B.51d") is None


def test_loading_torchtext_leaves_tls_verified():
    assert ssl._create_default_https_context is ssl.create_default_context
    code = (
        "import ssl, birnn.data.text.vectors\n"
        "context = ssl._create_default_https_context()\n"
        "print(context.verify_mode, context.check_hostname)"
    )
    root = ROOT
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert "CERT_REQUIRED" in done.stdout or done.stdout.startswith("2")
    assert done.stdout.strip().endswith("True")
