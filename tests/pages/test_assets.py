"""What pages are made of: libraries as they were published, and data that can't end a script."""

import json
import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from birnn.tasks.pages.assets import UPLOT, UPLOT_STYLE, inline, read_asset
from birnn.tasks.pages.rendering import script_data

from places import ROOT

# Of uPlot 1.6.32 (MIT), as it was published.
PUBLISHED = {
    UPLOT: "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    UPLOT_STYLE: "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_library_is_as_it_was_published(name):
    assert sha256(read_asset(name).encode()).hexdigest() == PUBLISHED[name]
    assert "MIT License" in read_asset("uplot/LICENSE")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=4), inner), max_leaves=8,
)  # fmt: skip


@given(values)
def test_data_come_back_and_end_no_script(value):
    text = str(script_data(value))
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


def test_a_script_that_ends_itself_is_refused():
    with pytest.raises(ValueError, match="own end"):
        inline("'</SCRIPT>'")


@pytest.mark.parametrize("package", ["pages", "reporting", "web"])
def test_every_brace_of_a_style_sheet_is_closed(package):
    for path in (ROOT / "tasks" / package / "static").glob("*.css"):
        depth = 0
        for sign in re.findall("[{}]", path.read_text()):
            depth += 1 if sign == "{" else -1
            assert depth in (0, 1, 2), path  # a rule, within a condition
        assert depth == 0, path
