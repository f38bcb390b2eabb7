"""Pairs: how they are read, cut, spelled, and what is odd about them."""

import io
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.data.pairs.bible import verses
from birnn.data.pairs.findings import BLOCK, apart_from, odd_pairs
from birnn.data.pairs.loading import load_one_pairs, load_pairs, read_pairs
from birnn.data.pairs.options import PairOptions
from birnn.data.splits.provenance import normalise
from birnn.data.text.pieces import Pieces, cheapest, learn_pieces, learn_words
from birnn.errors import DataError

ROWS = [(f"the {word} {n}", f"das {word} {n}") for n, word in enumerate("ab" * 20)]


def as_json(folder: Path) -> PairOptions:
    """A column of translations, as data sets of the Hub have it."""
    lines = (
        json.dumps({"id": n, "translation": {"en": a, "de": b}}) for n, (a, b) in enumerate(ROWS)
    )
    (folder / "rows.jsonl").write_text("\n".join(lines))
    return PairOptions(str(folder / "rows.jsonl"))


def as_table(folder: Path) -> PairOptions:
    """Columns of usual names among others."""
    lines = ("id\ttgt\tsrc", *(f"{n}\t{b}\t{a}" for n, (a, b) in enumerate(ROWS)))
    (folder / "rows.tsv").write_text("\n".join(lines))
    return PairOptions(str(folder / "rows.tsv"))


def as_files(folder: Path) -> PairOptions:
    """Two files of lines."""
    (folder / "one.txt").write_text("".join(f"{a}\n" for a, _ in ROWS))
    (folder / "two.txt").write_text("".join(f"{b}\n" for _, b in ROWS))
    return PairOptions(str(folder / "one.txt"), target_data=str(folder / "two.txt"))


def as_folder(folder: Path) -> PairOptions:
    """Parallel files, whose languages are told by their suffixes."""
    place = folder / "corpus"
    place.mkdir()
    (place / "train.de").write_text("".join(f"{b}\n" for _, b in ROWS))
    (place / "train.en").write_text("".join(f"{a}\n" for a, _ in ROWS))
    return PairOptions(str(place), source_column="en", target_column="de")


@pytest.mark.parametrize("form", [as_json, as_table, as_files, as_folder])
def test_pairs_are_read_from_every_form(form, tmp_path: Path) -> None:
    options = form(tmp_path)
    pairs, _ = load_one_pairs(options, "train")
    assert list(zip(pairs.sources, pairs.targets, strict=True)) == ROWS
    loaded = load_pairs(options)
    assert sum(map(len, loaded.splits.values())) == len(ROWS)
    sides = [{normalise(s) for s in part.sources} for part in loaded.splits.values()]
    assert not sides[0] & sides[1]
    assert not sides[0] & sides[2]


def test_equal_sources_stay_together(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("source,target\n" + "".join(f"s {n % 10},t {n}\n" for n in range(60)))
    splits = load_pairs(PairOptions(str(path), 0.2, 0.2)).splits
    seen = [set(part.sources) for part in splits.values()]
    assert sum(map(len, seen)) == 10


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("a,b,c\n1,2,3\n", "no column is told to be the source; name it with --source-column"),
        ("source,other,third\nx,y,z\n", "no column is told to be the target"),
        ("source,target\n,\nx,\n", "no pair of train has both"),
        ("source,target\nx,y\nz,w\n", "too few to cut"),
    ],
)
def test_what_cannot_be_pairs_is_one_line(content: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=what):
        load_pairs(PairOptions(str(path)))


def test_files_of_other_lengths_are_refused(tmp_path: Path) -> None:
    options = as_files(tmp_path)
    (tmp_path / "two.txt").write_text("one line\n")
    with pytest.raises(DataError, match="has 40 lines, .*two.txt has 1"):
        read_pairs(options)
    with pytest.raises(DataError, match="no such file; --target-data names"):
        read_pairs(PairOptions(options.data, target_data="nowhere.txt"))


def test_odd_pairs_are_counted_once_and_empty_ones_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    rows = [*ROWS, ("", "leer"), ("same here", "Same  here"), ("short one", "lang " * 30)]
    path.write_text("source,target\n" + "".join(f"{a},{b}\n" for a, b in rows))
    read = read_pairs(PairOptions(str(path)))
    odd = read.splits["train"].odd
    assert odd == ([42], [43], [44])  # lines: the header is the first
    assert len(read.splits["train"]) == len(rows) - 1
    assert any("row 42): left out" in note for note in read.notes)


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30))))
def test_no_pair_is_odd_in_two_ways(pairs: list[tuple[str, str]]) -> None:
    odd = odd_pairs([a for a, _ in pairs], [b for _, b in pairs])
    every = [number for kind in odd for number in kind]
    assert len(set(every)) == len(every)
    assert set(odd.empty) == {n for n, (a, b) in enumerate(pairs) if not a.strip() or not b.strip()}


TEXTS = [f"{a} {b} {n % 7}." for n, (a, b) in enumerate(ROWS)] + ["unforgettable greetings"] * 3
LEARNED = learn_pieces(TEXTS, 40)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("abdehst 0123.", min_size=1, max_size=12), max_size=4).map(" ".join))
def test_known_letters_come_back_and_each_cut_is_as_cheap_as_any(text: str) -> None:
    cut = LEARNED.cut(text)
    known = all(piece in LEARNED.numbers for piece in cut)
    assert "".join(cut).replace("▁", " ").strip() == " ".join(text.split())
    if known:
        assert LEARNED.spelled(LEARNED.encode(cut)) == " ".join(text.split())


def test_cuts_cost_no_more_than_those_of_sentencepiece() -> None:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, vocab_size=40, model_type="unigram",
        normalization_rule_name="identity", hard_vocab_limit=False, minloglevel=2, num_threads=1,
    )  # fmt: skip
    oracle = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    costs = {oracle.id_to_piece(n): -oracle.get_score(n) for n in range(1, len(oracle))}
    for text in TEXTS:
        for word in text.split():
            own, wanted = cheapest(f"▁{word}", costs), oracle.encode(word, out_type=str)
            if all(piece in costs for piece in wanted):
                total = [sum(costs.get(p, 100.0) for p in cut) for cut in (own, wanted)]
                assert total[0] <= total[1] + 1e-4, (own, wanted)


def test_unknown_letters_are_one_piece_and_can_be_copied() -> None:
    pieces = Pieces(["▁a", "b"], [1.0, 1.0])
    cut = pieces.cut("aб日b")
    assert cut == ["▁a", "б日", "b"]
    numbers = pieces.encode(cut)
    assert pieces.spelled(numbers) == "a⁇b"
    assert pieces.spelled(numbers, ["б日"]) == "aб日b"


def test_words_are_spelled_as_they_stood() -> None:
    text = "Well, (it's) 3.5 km – no?"
    words = learn_words([text, text], 100)
    assert words.spelled(words.encode(words.cut(text))) == text


def test_too_little_text_for_pieces_is_one_line() -> None:
    with pytest.raises(DataError, match=r"no pieces can be learned.*--vocabulary-limit"):
        learn_pieces(["abcdefghijklmnopqrstuvwxyz"], 16)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 800), st.booleans())
def test_a_line_that_is_missing_on_one_side_is_found(seed: int, place: int, lost: bool) -> None:
    generator = np.random.default_rng(seed)
    words = generator.integers(3, 40, 1400)
    sources = ["x" * 5 * n for n in words]
    targets = ["y" * max(1, round(6 * n * generator.uniform(0.8, 1.25))) for n in words]
    assert apart_from(sources, targets) is None
    del (targets if lost else sources)[place]
    (sources if lost else targets).pop()
    found = apart_from(sources, targets)
    assert found is not None
    assert abs(found - place) <= 2 * BLOCK


def test_what_is_apart_is_a_warning_and_a_finding(birnn, tmp_path: Path) -> None:
    words = np.random.default_rng(0).integers(3, 40, 900)
    rows = [(f"{n} " + "x" * 5 * k, f"{n} " + "y" * 6 * k) for n, k in enumerate(words)]
    (tmp_path / "a.txt").write_text("".join(f"{a}\n" for a, _ in rows[:-1]))
    (tmp_path / "b.txt").write_text("".join(f"{b}\n" for i, (_, b) in enumerate(rows) if i != 390))
    options = PairOptions(str(tmp_path / "a.txt"), target_data=str(tmp_path / "b.txt"))
    (warning,) = [w for w in load_pairs(options).warnings if "go together" in w]
    assert "train: " in warning
    assert "from about row 401 on" in warning
    told = birnn("inspect", "translate", tmp_path / "a.txt", "--target-data", tmp_path / "b.txt")
    assert "from about line 401 of train on" in " ".join(told.out.split())


def test_the_embedded_verses_belong_together() -> None:
    """By their numbers, and by words that both sides have."""
    table, notes = verses()
    sources, targets, chapters = (table[name][:] for name in ("source", "target", "chapter"))
    assert apart_from(sources, targets) is None
    assert "31,0" in notes[0]
    assert not any(mark in text for text in [*sources, *targets] for mark in "\\<[]")
    sides = [[set(text.lower().split()) for text in side] for side in (sources, targets)]
    pairs = list(zip(*sides, strict=True))
    own = np.array([len(a & b) / len(a | b) for a, b in pairs])
    others = [len(a & b) / len(a | b) for (a, _), (_, b) in itertools.pairwise(pairs)]
    assert (own[:-1] > others).mean() > 0.9
    names, places = np.unique(chapters, return_inverse=True)
    means = np.bincount(places, own) / np.bincount(places)
    assert means.min() > 0.1, names[means.argmin()]
    psalm = zip(sources, targets, chapters, strict=True)
    (plain,) = [t for s, t, c in psalm if c == "19060" and s.startswith("God hath spoken")]
    assert plain.startswith("God has said in his holy place")  # the title of the Psalm is a verse


def test_a_folder_of_languages_says_which_way_it_goes(tmp_path: Path) -> None:
    options = as_folder(tmp_path)
    assert not any("turns it round" in warning for warning in load_pairs(options).warnings)
    guessed = PairOptions(options.data)
    (warning,) = [w for w in load_pairs(guessed).warnings if "turns it round" in w]
    assert warning.startswith("translated from 'de' to 'en'")


def test_lines_alone_and_cells_of_several_things_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.en").write_text("one\n")
    with pytest.raises(DataError, match="--target-data"):
        read_pairs(PairOptions(str(tmp_path / "a.en")))
    rows = [{"source": "a", "target": "b"}, {"source": "c", "target": ["d"]}]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match="row 2"):
        read_pairs(PairOptions(str(tmp_path / "x.jsonl")))
