"""A digest of tables sees each cell, and not how a table lies in memory."""

import hashlib
from typing import Any

from datasets import Dataset, Features, List, Value, concatenate_datasets
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.tasks.core.data_digest import _pieces

TEXT = st.one_of(st.none(), st.text(st.sampled_from("abé "), max_size=3))
ROW = st.fixed_dictionaries(
    {
        "text": TEXT,
        "tokens": st.one_of(st.none(), st.lists(TEXT, max_size=3)),
        "row": st.integers(-3, 3),
        "maybe": st.one_of(st.none(), st.integers(0, 3)),
        "score": st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0])),
    }
)
KINDS = Features(
    {
        "text": Value("string"), "tokens": List(Value("string")), "row": Value("int64"),
        "maybe": Value("int64"), "score": Value("float64"),
    }
)  # fmt: skip


def digest(table: Dataset) -> str:
    found = hashlib.sha256()
    for piece in _pieces(table, set()):
        found.update(len(piece).to_bytes(8, "little"))
        found.update(piece)
    return found.hexdigest()


def made(rows: list[dict[str, Any]]) -> Dataset:
    return Dataset.from_dict({name: [row[name] for row in rows] for name in KINDS}, KINDS)


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=5), st.lists(ROW, max_size=5), st.data())
def test_tables_are_alike_if_and_only_if_their_cells_are(one, other, data) -> None:
    table = made(one)
    if data.draw(st.booleans()) and one:  # one cell differs
        other = [dict(row) for row in one]
        name = data.draw(st.sampled_from(sorted(KINDS)))
        other[-1][name] = data.draw(ROW)[name]
    assert (digest(table) == digest(made(other))) == (one == other)


@settings(deadline=None, max_examples=30)
@given(st.lists(ROW, min_size=2, max_size=6), st.data())
def test_slices_chunks_and_orders_that_are_undone_change_nothing(rows, data) -> None:
    table = made(rows)
    cut = data.draw(st.integers(1, len(rows) - 1))
    parts = [table.select(range(cut)), table.select(range(cut, len(rows)))]
    backwards = list(range(len(rows)))[::-1]
    for same in (
        concatenate_datasets(parts),
        table.select(backwards).select(backwards),
        concatenate_datasets([made(rows[:1]), table]).select(range(1, len(rows) + 1)),
    ):
        assert digest(same) == digest(table)
