"""Options are taken strictly, and an error says which, why, and what was meant."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from birnn.config import EncoderConfig, TrainConfig, from_dict, option, updated
from birnn.errors import ConfigError
from birnn.registry import resolve, suggestion
from birnn.tasks import TASKS


@dataclass(frozen=True)
class Inner:
    """A group."""

    rate: float = option(0.5, "A rate.", low=0, high=1)
    kind: str = option("red", "A colour.", choices=("red", "green"))


@dataclass(frozen=True)
class Outer:
    """A whole configuration."""

    size: int = option(3, "A size.", low=1, high=9)
    on: bool = option(False, "A switch.")
    limit: int | None = option(None, "A limit or none.", low=1)
    inner: Inner = field(default_factory=lambda: Inner(rate=0.25))


CONFIGS = [spec.part("options") for spec in TASKS.values()]


def test_nothing_given_is_the_defaults() -> None:
    assert from_dict(Outer, {}) == Outer()


def test_values_are_taken_and_the_rest_of_a_nested_group_stays() -> None:
    found = from_dict(Outer, {"size": 4, "inner": {"kind": "green"}})
    assert found == Outer(size=4, inner=Inner(rate=0.25, kind="green"))


def test_an_update_leaves_what_is_not_given_as_it_was() -> None:
    config = Outer(size=7, inner=Inner(rate=0.75))
    assert updated(config, {"on": True}) == Outer(size=7, on=True, inner=Inner(rate=0.75))
    assert config.on is False


def test_a_whole_number_serves_as_a_float() -> None:
    rate = from_dict(Inner, {"rate": 1}).rate
    assert rate == 1.0
    assert type(rate) is float


def test_none_is_taken_where_the_type_says_so() -> None:
    assert from_dict(Outer, {"limit": None}).limit is None
    assert from_dict(Outer, {"limit": 2}).limit == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sise": 4}, r"unknown option 'sise' \(did you mean 'size'\?\)"),
        ({"qqqq": 4}, r"unknown option 'qqqq'$"),
        ({"inner": {"rat": 0.1}}, r"unknown option 'rat' \(did you mean 'rate'\?\)"),
        ({"size": "4"}, "size: expected a whole number, got '4'"),
        ({"size": 4.0}, "size: expected a whole number, got 4.0"),
        ({"size": True}, "size: expected a whole number, got True"),
        ({"size": None}, "size: expected a whole number, got None"),
        ({"limit": "x"}, "limit: expected a whole number"),
        ({"on": 1}, "on: expected true or false, got 1"),
        ({"inner": {"rate": True}}, "rate: expected a number, got True"),
        ({"inner": {"kind": 3}}, "kind: expected text, got 3"),
        ({"inner": 3}, "inner: expected a table of options, got 3"),
        ({"inner": None}, "inner: expected a table of options, got None"),
        ({"size": 0}, "size: must be at least 1, got 0"),
        ({"size": 10}, "size: must be at most 9, got 10"),
        ({"limit": 0}, "limit: must be at least 1, got 0"),
        ({"inner": {"rate": 1.5}}, "rate: must be at most 1, got 1.5"),
        ({"inner": {"rate": float("nan")}}, "rate: expected a finite number, got nan"),
        ({"inner": {"rate": float("inf")}}, "rate: expected a finite number, got inf"),
        ({"inner": {"rate": 10**400}}, "rate: "),
        (
            {"inner": {"kind": "gren"}},
            r"'gren' is not one of red, green \(did you mean 'green'\?\)",
        ),
    ],
)
def test_what_cannot_be_is_a_config_error(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_dict(Outer, values)


def options_of(config: Any) -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    for part in dataclasses.fields(config):
        value = getattr(config, part.name)
        if dataclasses.is_dataclass(value):
            yield from options_of(value)
        else:
            yield f"{type(config).__name__}.{part.name}", part


@pytest.mark.parametrize("config", CONFIGS)
def test_every_option_has_help_that_is_a_sentence(config: type) -> None:
    for name, part in options_of(config()):
        assert part.metadata["help"].endswith("."), name


@pytest.mark.parametrize("config", CONFIGS)
def test_every_configuration_survives_being_written_and_read(config: type) -> None:
    assert from_dict(config, dataclasses.asdict(config())) == config()


def test_bounds_of_the_shipped_options_hold() -> None:
    with pytest.raises(ConfigError, match="hidden_size: must be at least 1"):
        from_dict(EncoderConfig, {"hidden_size": 0})
    with pytest.raises(ConfigError, match="dropout: must be at most 0.95"):
        from_dict(EncoderConfig, {"dropout": 1.0})
    with pytest.raises(ConfigError, match="encoder: 'bigur' is not one of .*did you mean 'bigru'"):
        from_dict(EncoderConfig, {"encoder": "bigur"})
    with pytest.raises(ConfigError, match="schedule: .*did you mean 'cosine'"):
        from_dict(TrainConfig, {"schedule": "cosin"})


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().seed = 3  # type: ignore[misc]


def test_a_suggestion_is_made_only_for_a_near_name() -> None:
    assert suggestion("bigur", ["bigru", "bilstm"]) == " (did you mean 'bigru'?)"
    assert suggestion("transformer", ["bigru"]) == ""


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown shape 'cricle'.*there are: circle, square"):
        resolve({"circle": "math:pi", "square": "math:e"}, "cricle", "shape")
