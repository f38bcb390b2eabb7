"""What is searched: written with the options, changed by --search, checked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from birnn.config import check_value
from birnn.errors import ConfigError
from birnn.search import Around, Choice, Span, parse_space, resolved
from birnn.tasks import TASKS
from birnn.tasks.tuning.spaces import (
    default_values,
    options_of,
    search_spaces,
    with_values,
)


@pytest.mark.parametrize("task", [*TASKS])
def test_every_space_holds_what_its_option_can_be(task):
    config = TASKS[task].part("options")()
    known = {name: (kind, meta) for name, _, kind, meta in options_of(config)}
    spaces = search_spaces(config, {}, {})
    assert {"learning_rate", "hidden_size", "batch_size"} <= spaces.keys()
    for name, space in spaces.items():
        for value in (space.low, space.high) if isinstance(space, Span) else space.values:
            assert check_value(name, value, *known[name]) == value
            assert space.holds(value)
            with_values(config, {name: value})
    off = [n for n, value in default_values(config, spaces).items() if not spaces[n].holds(value)]
    assert not off  # the default is one of what is searched


@given(st.integers(1, 8192), st.floats(1.1, 8), st.integers(0, 64))
def test_whole_numbers_around_a_default_hold_it(default, factor, step):
    space = resolved(Around(factor, step), default)
    assert isinstance(space, Span)
    assert space.whole
    assert space.holds(default)
    assert 1 <= space.low <= space.high <= default * factor + 1


def test_around_nought_there_is_nothing():
    assert resolved(Around(3), 0.0) is None
    assert resolved(Around(3), 0.003) == Span(0.001, 0.009000000000000001, log=True)


@pytest.mark.parametrize(
    ("text", "kind", "space"),
    [
        ("1e-4..1e-2:log", float, Span(1e-4, 1e-2, log=True)),
        ("0..0.5", float, Span(0.0, 0.5)),
        ("64..256:64", int, Span(64, 256, step=64)),
        ("64..250:64", int, Span(64, 192, step=64)),
        ("1..3", int, Span(1, 3)),
        ("bigru, bilstm", str, Choice(("bigru", "bilstm"))),
        ("true,false", bool, Choice((True, False))),
        ("0,0.5", float, Choice((0.0, 0.5))),
    ],
)
def test_spaces_are_read(text, kind, space):
    assert parse_space("x", text, kind) == space


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", float), ("1", int), ("2..1", int), ("a..b", int), ("0..1:log", float),
        ("0.1..0.2:3", float), ("1..2:0", int), ("1..nan", float), ("yes,no", bool), ("x", str),
        ("1..9:x", int), ("1..2..3", int), ("1,1", int), ("..", float),
    ],
)  # fmt: skip
def test_what_is_no_space_is_refused(text, kind):
    with pytest.raises(ConfigError, match="^search: x"):
        parse_space("x", text, kind)


@settings(max_examples=40)
@given(st.text(max_size=20), st.sampled_from([int, float, str, bool]))
def test_any_text_is_a_space_or_refused(text, kind):
    try:
        space = parse_space("x", text, kind)
    except ConfigError:
        return
    assert isinstance(space, Choice) or space.low < space.high


def spaces(**options):
    return search_spaces(TASKS["sentiment"].part("options")(), {}, options.pop("fixed", {}),
                         **options)  # fmt: skip


def test_search_keep_and_only():
    assert "layers" not in spaces(fixed={"layers": 2})
    assert "head_dropout" not in spaces(keep="head-dropout")
    assert [*spaces(asked="--hidden-size=8..16:8; dropout=0..0.5", only=True)] == [
        "hidden_size", "dropout",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"asked": "hiden_size=1..2"}, "did you mean 'hidden_size'"),
        ({"keep": "hiden_size"}, "did you mean 'hidden_size'"),
        ({"asked": "hidden_size"}, "is not NAME="),
        ({"asked": "layers=1..2; layers=1..3"}, "twice"),
        ({"asked": "layers=1..2", "fixed": {"layers": 1}}, "leave one out"),
        ({"asked": "layers=0..2"}, "layers: must be at least 1"),
        ({"asked": "encoder=bigru,gru"}, "is not one of"),
        ({"only": True}, "no option is left"),
    ],
)
def test_a_bad_search_is_one_line(options, message):
    with pytest.raises(ConfigError, match=message):
        spaces(**options)
