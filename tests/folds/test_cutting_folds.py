"""Folds of rows: each tested once, nothing that belongs together apart, as scikit-learn deals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

from birnn.data.series.panel import Panel
from birnn.data.series.splits import SplitOptions, rolling_origin, split_rows
from birnn.data.splits import folds
from birnn.data.splits.cutting import FoldOptions
from birnn.data.tags.folded import documents
from birnn.data.text.labelled import load_labelled
from birnn.data.text.options import TextOptions
from birnn.errors import ConfigError, DataError

from writers import write_table

texts = st.lists(st.integers(0, 40), min_size=30, max_size=80)


@settings(max_examples=30)
@given(texts, st.integers(2, 5), st.integers(0, 9), st.booleans(), st.data())
def test_items_are_in_one_fold_with_their_twins_and_their_group(
    numbers, count, seed, grouped, data
):
    keys = [str(number) for number in numbers]
    group = data.draw(st.lists(st.integers(0, 15), min_size=len(keys), max_size=len(keys)))
    columns = [keys, list(map(str, group))] if grouped else [keys]
    bound = folds.bound_together(*columns)
    labels = ["even" if number % 2 else "odd" for number in numbers]
    try:
        found = folds.deal(bound, labels, count, seed, grouped=grouped)
    except DataError:
        with pytest.raises(DataError, match="lower --folds"):
            folds.deal(bound, labels, count, seed, grouped=grouped)
        return
    assert set(found) == set(range(1, count + 1))
    for column in columns:
        for value in set(column):
            own = found[[cell == value for cell in column]]
            assert len(set(own)) == 1
    for fold in range(1, count + 1):
        options = FoldOptions(count, fold)
        try:
            cut = folds.cut_fold(bound, labels, options, 0.2, seed, found)
        except DataError:
            continue
        parts = (cut.train, cut.validation, cut.test)
        assert sorted(np.concatenate(parts).tolist()) == list(range(len(keys)))
        assert np.array_equal(cut.test, np.flatnonzero(found == fold))
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert not set(bound[parts[one]]) & set(bound[parts[other]])


def test_folds_are_those_of_scikit_learn():
    generator = np.random.default_rng(0)
    labels = generator.choice(["a", "b", "c"], 90).tolist()
    own = folds.deal(np.arange(90), labels, 5, 3, grouped=False)
    splitter = StratifiedKFold(5, shuffle=True, random_state=3)
    for number, (_, test) in enumerate(splitter.split(labels, labels), start=1):
        assert np.array_equal(np.flatnonzero(own == number), test)
    groups = generator.integers(0, 20, 90)
    own = folds.deal(groups, labels, 4, 1, grouped=True)
    grouped = StratifiedGroupKFold(4, shuffle=True, random_state=1)
    for number, (_, test) in enumerate(grouped.split(labels, labels, groups), start=1):
        assert np.array_equal(np.flatnonzero(own == number), test)


def test_what_is_bound_is_bound_through_others():
    assert folds.bound_together(["a", "b", "b"], ["x", "x", ""]).tolist() == [0, 0, 0]
    assert folds.bound_together(["a", "b", "c"], ["", "", ""]).tolist() == [0, 1, 2]


def test_repeated_texts_do_not_chain_all_groups_into_one_fold():
    groups = [str(i // 10) for i in range(100)]
    twins = ["thanks" if i % 10 == 0 else f"text {i}" for i in range(100)]
    bound, said = folds.bind(twins, groups, 5)
    assert len(set(bound)) == 10
    assert "chain groups with 100% of all" in said
    few = ["thanks" if i in (0, 10) else f"text {i}" for i in range(100)]
    bound, said = folds.bind(few, groups, 5)
    assert (len(set(bound)), said) == (9, "")
    bound, said = folds.bind(["a", "a", "b"], ["", "", "x"], 2)
    assert bound.tolist()[0] == bound.tolist()[1] != bound.tolist()[2]


def panel(lengths: list[int]) -> Panel:
    """Series of these lengths that count their steps."""
    offsets = np.cumsum([0, *lengths])
    values = np.concatenate([np.arange(size, dtype=float) for size in lengths])
    none = np.zeros((len(values), 0))
    sizes = np.array(lengths)
    return Panel(
        [f"s{i}" for i in range(len(lengths))], np.zeros(len(lengths), dtype=np.int64), offsets,
        sizes, values, None, 1, offsets[:-1], none, none, np.zeros((len(lengths), 0)),
    )  # type: ignore[arg-type]  # fmt: skip


@settings(max_examples=30)
@given(st.lists(st.integers(12, 60), min_size=1, max_size=4), st.integers(2, 4), st.integers(0, 3))
def test_rolling_origins_never_look_ahead(lengths, count, last):
    whole = panel(lengths)
    options = SplitOptions(test_last=last)
    tested: dict[int, list[int]] = {}
    for fold in range(1, count + 1):
        rolled = rolling_origin(whole, count, fold, options, 1)
        train, validation, test = split_rows(rolled.panel, options, rolled.test)
        assert np.array_equal(test, rolled.panel.ends)
        assert (train <= validation).all()
        for number, size in enumerate(lengths):
            start, end = whole.offsets[number], rolled.panel.ends[number]
            later = rolled.panel.values[start + end : start + size]
            assert np.isnan(later).all()  # nothing after a fold's test rows is there
            tested.setdefault(number, []).extend(range(int(validation[number]), int(end)))
    for number, rows in tested.items():
        assert rows == list(range(lengths[number] - len(rows), lengths[number]))  # each once


@pytest.mark.parametrize("size", [24, 31, 50])
def test_rolling_origins_are_those_of_scikit_learn(size):
    splitter = TimeSeriesSplit(3)
    for fold, (train, test) in enumerate(splitter.split(np.zeros(size)), start=1):
        rolled = rolling_origin(panel([size]), 3, fold, SplitOptions(), 1)
        assert rolled.panel.ends[0] - rolled.test[0] == len(train)
        assert rolled.test[0] == len(test)


def test_rolling_origins_refuse_what_they_cannot_cut():
    with pytest.raises(ConfigError, match="with --folds give --test-last"):
        rolling_origin(panel([50]), 3, 1, SplitOptions(split="10,10,10"), 1)
    with pytest.raises(DataError, match="lower --folds"):
        rolling_origin(panel([20]), 5, 1, SplitOptions(), 4)


def test_a_class_that_a_fold_would_not_know_is_refused_by_name(tmp_path):
    rows = [(f"text {i}", "ab"[i % 2]) for i in range(40)] + [("alone", "rare")]
    path = write_table(tmp_path / "x.csv", rows)
    with pytest.raises(DataError, match=r"class 'rare' \(1 distinct text\)"):
        load_labelled(TextOptions(str(path), fold=FoldOptions(4, 2)))
    with pytest.raises(DataError, match="no column 'user'"):
        load_labelled(TextOptions(str(path), fold=FoldOptions(4, 2, "user")))


def test_groups_of_a_column_and_a_test_split_that_is_given_apart(tmp_path):
    names = ("text", "label", "user")
    for split, size in (("train", 60), ("test", 10)):
        rows = [(f"{split} {i}", "ab"[i % 2], f"u{i // 4}") for i in range(size)]
        write_table(tmp_path / f"{split}.csv", rows, names)
    seen = []
    for fold in (1, 2, 3):
        loaded = load_labelled(TextOptions(str(tmp_path), fold=FoldOptions(3, fold, "user")))
        users = [{row // 4 for row in (np.array(part["row"][:]) - 1).tolist()}
                 for part in loaded.splits.values()]  # fmt: skip
        assert not users[0] & users[1] | users[0] & users[2] | users[1] & users[2]
        assert any("test (10 rows, given apart) is in no fold" in note for note in loaded.notes)
        assert loaded.fold is not None
        assert loaded.fold.total == 60
        seen += loaded.fold.items.tolist()
    assert sorted(seen) == list(range(60))


def test_documents_are_told_by_their_marks():
    before = [["-DOCSTART- -X- O"], [], ["# newdoc id = b"], ["# newpar"], []]
    assert documents(before, ["x"] * 5) == ["1", "1", "2", "2", "2"]
    assert documents([[], []], ["x", "y"]) == ["1", "2"]
