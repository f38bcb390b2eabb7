"""Names → objects: literal tables of ``"module:attribute"`` strings, resolved on demand."""

import difflib
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

from birnn.errors import ConfigError

# Encoder name → where its class lives. Adding an encoder is one class and one line here.
ENCODERS = {"bigru": "birnn.nn.encoders:BiGRU", "bilstm": "birnn.nn.encoders:BiLSTM"}

# Engine name → how a recurrent layer is computed, in order of preference; see birnn.nn.engines.
ENGINES = {
    "cudnn": "birnn.nn.engines:CUDNN",
    "native": "birnn.nn.engines:NATIVE",
    "onednn": "birnn.nn.engines:ONEDNN",
    "torch": "birnn.nn.engines:TORCH",
}


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name nearest to ``name``, else ``""``."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


def resolve(table: Mapping[str, str], name: str, what: str) -> Any:
    """Import and return the object that ``table`` names ``name``.

    Raises:
        ConfigError: no such name; the message lists the known ones.
    """
    if name not in table:
        names = ", ".join(table)
        raise ConfigError(f"unknown {what} {name!r}{suggestion(name, table)}; there are: {names}")
    return load(table[name])


def load(place: str) -> Any:
    """Import and return what ``"module:attribute"``, or ``"module"``, names."""
    module, _, attribute = place.partition(":")
    found = import_module(module)
    return getattr(found, attribute) if attribute else found
