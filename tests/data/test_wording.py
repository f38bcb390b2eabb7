"""Counts in words: one is one, and in the notes that are made of them too."""

from types import SimpleNamespace

import numpy as np
import pytest

from birnn.data.splits.provenance import overlap_warnings
from birnn.data.wording import agree, plural
from birnn.tasks.forecast.serve import remarks

from writers import sentences, write_table


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1234, "1,234 rows")]
)
def test_counts(count, said):
    assert plural(count, "row") == said


def test_nouns_and_verbs():
    assert plural(1, "series", "series") == "1 series"
    assert plural(2, "stretch", "stretches") == "2 stretches"
    assert [agree(n, "is", "are") for n in (0, 1, 2)] == ["are", "is", "are"]


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "1 of 4 test texts (25.0%) also stands"), (2, "2 of 4 test texts (50.0%) also stand in")],
)
def test_overlap(count, said):
    found = {"overlap": {"normalised": {"train/test": count}}}
    assert overlap_warnings(found, {"test": range(4)}, "text")[0].startswith(said)


@pytest.mark.parametrize(
    ("texts", "said"), [(["", "a"], "1 empty text got"), (["", ""], "2 empty texts got")]
)
def test_empty_texts(birnn, trained, texts, said):
    assert said in birnn("predict", trained, *texts).err


def test_unknown_labels(birnn, trained, tmp_path):
    data = write_table(tmp_path / "a.csv", [*sentences(20), ("a", "odd")])
    said = birnn("evaluate", trained, "--data", data).refusal()
    assert "1 row with a label that the run doesn't know" in said


class Series(SimpleNamespace):
    """As much of a panel as remarks need."""

    def __len__(self) -> int:
        return len(self.ends)


@pytest.mark.parametrize(
    ("unknown", "said"), [(1, "1 of 3 series is new to the run: scaled by its own"),
                          (2, "2 of 3 series are new to the run: scaled by their own")]
)  # fmt: skip
def test_series(unknown, said):
    known = np.arange(3) >= unknown
    info = SimpleNamespace(numbers=lambda panel: known.astype(int),
                           shape=SimpleNamespace(lookback=5))  # fmt: skip
    new, short = remarks(Series(ends=np.array([9, 9, 4])), info)
    assert new.startswith(said)
    assert short == "1 series has less history than the lookback of 5 steps"
