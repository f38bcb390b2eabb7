"""JSON as RFC 8259 has it and no more: no NaN, no name twice, no number beyond a float."""

import json
import math
from typing import Any

from birnn.tasks.web.refusals import Refused


def parse(body: bytes) -> Any:
    """The value of a body.

    Raises:
        Refused: it is not UTF-8, not JSON, nested too deeply, or says a name twice.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    try:
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _refused(f"the body is not JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise _refused("the body is not usable: JSON nested too deeply") from None
    except ValueError:  # Python's own limit of the digits of a whole number
        raise _refused("the body is not usable: a number of too many digits") from None


def _refused(message: str) -> Refused:
    return Refused(400, "not_json", message)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _refused(f"the body is not usable: the name {twice[:80]!r} stands there twice")
    return found


def _constant(word: str) -> Any:
    raise _refused(f"the body is not JSON: it has no {word}")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _refused("the body is not usable: a number beyond what a float can hold")
    return value


def encode(value: Any) -> bytes:
    """A value as JSON in UTF-8: half a surrogate pair as a question mark, NaN as null."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        finite = _without_nan(value)
        text = json.dumps(finite, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    return [_without_nan(part) for part in value] if isinstance(value, (list, tuple)) else value
