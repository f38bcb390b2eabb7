"""Which options of a task are searched, and where."""

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from birnn.config import apply, check_value, flat_names, flatten
from birnn.errors import ConfigError, brief
from birnn.registry import suggestion
from birnn.search import Choice, Space, Span, Value, parse_space, resolved


def options_of(config: Any) -> Iterator[tuple[str, Any, type, Mapping[str, Any]]]:
    """Name, value, type and metadata of every plain option, nested ones too."""
    hints = typing.get_type_hints(type(config))
    for part in dataclasses.fields(config):
        value = getattr(config, part.name)
        if dataclasses.is_dataclass(value):
            yield from options_of(value)
        else:
            kinds = typing.get_args(hints[part.name]) or (hints[part.name],)
            yield part.name, value, kinds[0], part.metadata


def search_spaces(
    config: Any, own: Mapping[str, Space], fixed: Mapping[str, Any], *, asked: str = "",
    only: bool = False, keep: str = "",
) -> dict[str, Space]:  # fmt: skip
    """What is searched.

    Args:
        config: what is tuned, with the ``fixed`` options as they were given.
        own: spaces that depend on the data, over those of the options.
        asked: as ``--search`` has it; ``only``: nothing but that.
        keep: options that stay at their defaults, with commas.

    Raises:
        ConfigError: an unknown option, one that is fixed as well, or nothing to search.
    """
    known = {name: (value, kind, meta) for name, value, kind, meta in options_of(config)}
    spaces: dict[str, Space] = {}
    for name, (value, _, meta) in known.items():
        search = own.get(name) or meta.get("search")
        space = resolved(search, value) if search and not only and name not in fixed else None
        if space and not (isinstance(space, Choice) and len(space.values) < 2):
            spaces[name] = space
    for name, text in _asked(asked, known):
        if name in fixed:
            raise ConfigError(f"search: {name} is given as {brief(fixed[name])}: leave one out")
        spaces[name] = _checked(name, text, *known[name][1:])
    for name in filter(None, (word.strip().replace("-", "_") for word in keep.split(","))):
        _check_known("keep", name, known)
        spaces.pop(name, None)
    if not spaces:
        raise ConfigError("search: no option is left to search; name some with --search")
    return spaces


def _asked(text: str, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    seen = set()
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, sign, values = part.partition("=")
        name = name.strip().lstrip("-").replace("-", "_")
        if not sign:
            raise ConfigError(f"search: {brief(part)} is not NAME=LOW..HIGH or NAME=A,B,C")
        _check_known("search", name, known)
        if name in seen:
            raise ConfigError(f"search: {name} stands there twice")
        seen.add(name)
        yield name, values.strip()


def _check_known(option: str, name: str, known: Mapping[str, Any]) -> None:
    if name not in known:
        raise ConfigError(f"{option}: unknown option {brief(name)}{suggestion(name[:80], known)}")


def _checked(name: str, text: str, kind: type, meta: Mapping[str, Any]) -> Space:
    space = parse_space(name, text, kind)
    ends = (space.low, space.high) if isinstance(space, Span) else space.values
    for value in ends:
        check_value(name, value, kind, meta)
    return space


def default_values(config: Any, spaces: Mapping[str, Space]) -> dict[str, Value]:
    """What the searched options are in ``config``."""
    values = dict(flatten(dataclasses.asdict(config)))
    return {name: values[name] for name in spaces}


def with_values(config: Any, values: Mapping[str, Value]) -> Any:
    """``config`` with what a trial tries.

    Raises:
        ConfigError: a value that the option can't have.
    """
    assert values.keys() <= flat_names(config)
    return apply(config, values)
