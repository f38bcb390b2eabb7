"""Templates to pages: whatever a user's data holds comes out as text."""

import json
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@cache
def environment(package: str) -> Environment:
    """Templates of a package's folder ``templates``; all is escaped, nothing may be absent."""
    made = Environment(
        loader=PackageLoader(package), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["data"] = script_data
    return made


def script_data(value: Any) -> Markup:
    """A value as JSON for a ``<script type="application/json">``: no text in it can end the script.

    Raises:
        ValueError: a number that JSON doesn't have.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - what could be markup is escaped above
