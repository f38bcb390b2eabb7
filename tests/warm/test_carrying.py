"""Weights go from one model to another by name, wherever a name stands."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from birnn.data.text.vectors import VectorTable
from birnn.errors import ConfigError
from birnn.tasks.warm.carrying import carry, compare
from birnn.tasks.warm.words import grown, grown_vectors

NAMES = st.lists(st.text(max_size=3), min_size=1, max_size=6, unique=True)


class Labelled(nn.Module):
    """Members with a row a label, moves between labels, and a part of fixed size."""

    def __init__(self, labels: int, width: int = 3, members: int = 2) -> None:
        super().__init__()
        self.members = nn.ModuleList()
        for _ in range(members):
            member = nn.Module()
            member.rows = nn.Linear(width, labels)
            member.moves = nn.Parameter(torch.randn(labels, labels))
            member.fixed = nn.Linear(width, 2)
            self.members.append(member)


def axes(labels: list[str]) -> dict[str, tuple[object, ...]]:
    return {"rows.weight": (labels, None), "rows.bias": (labels,), "moves": (labels, labels)}


@given(NAMES, NAMES)
def test_what_has_a_name_on_both_sides_is_kept_and_nothing_else(
    old: list[str], new: list[str]
) -> None:
    before, after = Labelled(len(old)), Labelled(len(new))
    fresh = {name: part.clone() for name, part in after.state_dict().items()}
    told = compare(before, Labelled(len(new)).to("meta"), axes(old), axes(new))  # type: ignore[arg-type]
    carry(before, after, axes(old), axes(new))  # type: ignore[arg-type]
    for number in range(2):
        one, other = before.members[number], after.members[number]
        assert torch.equal(one.fixed.weight, other.fixed.weight)
        for i, label in enumerate(new):
            name = f"members.{number}.rows"
            if label in old:
                place = old.index(label)
                assert torch.equal(other.rows.weight[i], one.rows.weight[place])
                assert other.rows.bias[i] == one.rows.bias[place]
            else:
                assert torch.equal(other.rows.weight[i], fresh[f"{name}.weight"][i])
            for j, follower in enumerate(new):
                both = label in old and follower in old
                wanted = (
                    one.moves[old.index(label), old.index(follower)]
                    if both
                    else fresh[f"members.{number}.moves"][i, j]
                )
                assert other.moves[i, j] == wanted
    shared = set(old) & set(new)
    rows = {"rows.weight", "rows.bias", "moves"}
    assert set(told.new) == (set() if shared else rows)
    assert set(told.partly) == (rows if shared and set(new) - set(old) else set())
    assert told.gone == []
    assert set(told.whole) >= {"fixed.weight", "fixed.bias"}


def test_without_names_only_equal_sizes_are_kept() -> None:
    old, new = Labelled(2, width=3), Labelled(2, width=4)
    assert set(compare(old, new, {}, {}).new) == {"rows.weight", "fixed.weight"}
    del new.members[1].moves, new.members[0].moves
    assert compare(old, new, {}, {}).gone == ["moves"]
    new = Labelled(2, width=4)
    carry(old, new, {}, {})
    assert torch.equal(old.members[0].moves, new.members[0].moves)


@pytest.mark.parametrize(
    ("how", "wanted"), [("grow", "pubac"), ("keep", "puba"), ("refit", "pucb")]
)
def test_words_grow_stay_or_are_learned_anew(how: str, wanted: str) -> None:
    assert grown(list("puba"), list("pucb"), how) == list(wanted)


def table(name: str, words: str, seed: int = 0, size: int = 4) -> VectorTable:
    """Random vectors; those of equal seeds begin alike."""
    rows = np.random.default_rng(seed).normal(size=(9, size))[: len(words)]
    return VectorTable(name, list(words), rows.astype(np.float16))


def test_vectors_of_one_kind_grow_by_words_that_are_new() -> None:
    own, more = table("own", "abc"), table("more", "abcde")
    both = grown_vectors(own, more)
    assert both is not None
    assert (both.name, both.words) == ("more", list("abcde"))
    assert np.array_equal(both.values, more.values)
    assert grown_vectors(None, None) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "has the vectors own"),
        (table("other", "abc", seed=1), "other has other vectors than the run's own own"),
        (table("wide", "abc", size=5), "wide has 5 numbers a word, the run's own own 4"),
    ],
)
def test_vectors_of_another_kind_are_refused(given: VectorTable | None, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        grown_vectors(table("own", "abc"), given)
