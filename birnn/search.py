"""Where a search may look for an option's value: written with the option, as its ``search``."""

import math
from dataclasses import dataclass
from typing import Any

from birnn.errors import ConfigError, brief

Value = str | int | float | bool


@dataclass(frozen=True)
class Span:
    """Numbers from ``low`` to ``high``, both included; whole ones if both ends are."""

    low: int | float
    high: int | float
    log: bool = False  # each factor is as likely as any other
    step: int = 1  # of whole numbers

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers."""
        return type(self.low) is int and type(self.high) is int

    def holds(self, value: Any) -> bool:
        """Whether a search could come upon ``value``."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        inside = self.low <= value <= self.high
        return inside and (not self.whole or (value - self.low) % self.step == 0)

    def __str__(self) -> str:
        step = f" by {self.step}" if self.whole and self.step > 1 else ""
        return f"{self.low:g} to {self.high:g}{step}{', by factors' if self.log else ''}"


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Value, ...]

    def holds(self, value: Any) -> bool:
        """Whether a search could come upon ``value``."""
        return any(type(value) is type(v) and value == v for v in self.values)

    def __str__(self) -> str:
        return ", ".join(str(value) for value in self.values)


@dataclass(frozen=True)
class Around:
    """Numbers up to ``factor`` times smaller or larger than the default, whatever a task's is."""

    factor: float
    step: int = 0  # of whole numbers, where the default is large enough; 0: by factors

    def of(self, default: int | float) -> Span | None:
        """The numbers around ``default``; None around 0."""
        if not default:
            return None
        low, high = default / self.factor, default * self.factor
        if isinstance(default, float):
            return Span(low, high, log=True)
        if not self.step:
            return Span(max(1, round(low)), round(high), log=True)
        step = max(1, min(self.step, default // 2))
        least = default - (default - max(1, math.ceil(low))) // step * step
        return Span(least, least + (round(high) - least) // step * step, step=step)


Space = Span | Choice
Search = Space | Around


def choice(*values: Value) -> Choice:
    """One of these."""
    return Choice(values)


def resolved(search: Search, default: Any) -> Space | None:
    """The space itself, around ``default`` where it is relative; None where there is none."""
    return search.of(default) if isinstance(search, Around) else search


def parse_space(name: str, text: str, kind: type) -> Space:
    """A space as a command line writes it: ``0.001..0.1:log``, ``64..256:64`` or ``a,b,c``.

    Args:
        name: of the option, for messages.
        kind: of its values.

    Raises:
        ConfigError: it can't be read, or holds nothing.
    """
    if ".." in text and kind in (int, float):
        ends, _, how = text.partition(":")
        low, high = (_number(name, part, kind) for part in ends.split("..", 1))
        log = how == "log"
        step = 1 if log or not how else int(_number(name, how, int))
        if low >= high or step < 1 or (log and low <= 0):
            why = "by factors from above 0" if log and low <= 0 else "from a lower to a higher"
            raise ConfigError(f"search: {name}={brief(text)} must go {why}")
        if kind is float and how not in ("", "log"):
            raise ConfigError(f"search: {name}={brief(text)}: only whole numbers go by steps")
        high = low + (high - low) // step * step if kind is int else high
        return Span(low, high, log, step)
    words = [word.strip() for word in text.split(",")]
    values = tuple(dict.fromkeys(_value(name, word, kind) for word in words))
    if len(values) < 2:
        forms = "LOW..HIGH, LOW..HIGH:log, LOW..HIGH:STEP or A,B,C"
        raise ConfigError(f"search: {name}={brief(text)} is not {forms}")
    return Choice(values)


def _number(name: str, word: str, kind: type) -> Any:
    try:
        value = kind(word)
        if math.isfinite(value):
            return value
    except (ValueError, OverflowError):
        pass
    what = "a whole number" if kind is int else "a number"
    raise ConfigError(f"search: {name}: {brief(word)} is not {what}")


def _value(name: str, word: str, kind: type) -> Value:
    if kind is bool:
        if word not in ("true", "false"):
            raise ConfigError(f"search: {name}: {brief(word)} is neither true nor false")
        return word == "true"
    return word if kind is str else _number(name, word, kind)
