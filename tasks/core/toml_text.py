"""Options as TOML, for ``--config``."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from typing import Any

from birnn.data.wording import CONTROL
from birnn.errors import ConfigError


def write_toml(configs: Mapping[str, Any]) -> str:
    """All options as TOML that ``--config`` reads back, a table for each dataclass.

    An option without a value is left out: TOML has no word for it.

    Raises:
        ConfigError: a text that is not Unicode, such as a name of a file in another encoding.
    """
    return "\n\n".join(_tables(configs)) + "\n"


def write_options(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Some options as TOML that ``--config`` reads, by their tables; those without a value go.

    Raises:
        ConfigError: as :func:`write_toml`.
    """
    parts = []
    for title, own in tables.items():
        lines = [f"{name} = {_toml(name, v)}" for name, v in own.items() if v is not None]
        parts += ["\n".join([f"[{title}]", *lines])] if lines else []
    return "\n\n".join(parts) + "\n"


def _tables(configs: Mapping[str, Any]) -> Iterator[str]:
    for title, config in configs.items():
        values = {part.name: getattr(config, part.name) for part in dataclasses.fields(config)}
        nested = {name: v for name, v in values.items() if dataclasses.is_dataclass(v)}
        plain = {name: v for name, v in values.items() if name not in nested and v is not None}
        if plain:
            lines = [f"{name.rstrip('_')} = {_toml(name, v)}" for name, v in plain.items()]
            yield "\n".join([f"[{title}]", *lines])
        yield from _tables(nested)


def _toml(name: str, value: Any) -> str:
    """A value as TOML writes it; in a text, all that steers a terminal is escaped."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{name}: TOML can't hold {value!r}, which is not Unicode") from None
    text = json.dumps(value, ensure_ascii=False)
    return CONTROL.sub(lambda match: "".join(f"\\u{ord(c):04x}" for c in match.group()), text)
