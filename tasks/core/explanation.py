"""What moved an answer: one shape for all tasks, which terminal, page and report can draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from birnn.errors import ConfigError
from birnn.registry import suggestion


@dataclass(frozen=True)
class Wish:
    """What is to be explained; empty: the answer itself."""

    label: str = ""  # a class, a type of span, or the tag of a token
    token: str = ""  # of a tagger: a token's number from 1, or the token
    step: int = 0  # of a horizon or a sequence, from 1; 0: the mean over all steps
    series: str = ""  # the name of one series


@dataclass(frozen=True)
class Cause:
    """One thing that moved the answer."""

    name: str  # a word as given, the stamp of a step, or a column
    weight: float  # by how much it moved the score; below 0: against what is explained
    start: int | None = None  # of a word: its first character in the text as given
    end: int | None = None  # and the one after its last; None where that can't be told
    attention: float | None = None  # of a word, where the model has attention: shares of 1
    value: float | None = None  # of a step or a column, in its own unit; None where missing
    parts: Mapping[str, float] = field(default_factory=dict)  # what adds up to the weight


@dataclass(frozen=True)
class Explanation:
    """Why one answer is what it is.

    ``value − baseline`` is the sum of all weights, of ``causes`` and ``others``, and ``gap``.
    """

    task: str
    target: str  # what is explained: a class, a tag, a type of span, a name of steps
    score: str  # the number whose change is shared out, in words
    unit: str  # of that number and of all weights
    value: float  # of the score
    baseline: float  # of the score where nothing is known
    nothing: str  # what that is, in words
    causes: tuple[Cause, ...]  # words, or steps, in their order
    gap: float  # of the difference, what the weights leave
    points: int = 0  # at which gradients were taken; 0: the weights are exact
    item: str | None = None  # the name of a series, the number of a sequence from 1
    text: str | None = None  # as given
    start: int | None = None  # of a tag or span: where it stands in the text
    end: int | None = None
    probability: float | None = None  # of the target, where it has one
    others: tuple[Cause, ...] = ()  # what is neither word nor step: covariates, static columns
    notes: tuple[str, ...] = ()  # sentences that one should know

    @property
    def difference(self) -> float:
        """By how much the score moved from where nothing is known."""
        return self.value - self.baseline

    @property
    def strongest(self) -> list[Cause]:
        """Causes and others that moved the score, the largest weights first."""
        moved = [cause for cause in (*self.causes, *self.others) if cause.weight]
        return sorted(moved, key=lambda cause: -abs(cause.weight))

    @property
    def completeness(self) -> str:
        """The score, what it is where nothing is known, and what the weights leave of that."""
        share = abs(self.gap) / max(abs(self.difference), abs(self.gap), 1e-12)
        gap = "" if share < 1e-9 else f", but for a gap of {share:.2%} of it"
        gap = gap.replace("of 0.00%", "below 0.01%")
        score = self.score[:1].upper() + self.score[1:]
        return (
            f"{score}: {plain_number(self.value)}; for {self.nothing}: "
            f"{plain_number(self.baseline)}. The weights add up to the difference{gap}."
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values, without what is not there."""
        record = {name: getattr(self, name) for name in (
            "task", "item", "text", "target", "probability", "start", "end", "score", "unit",
            "value", "baseline", "nothing", "gap", "points")}  # fmt: skip
        found = {name: value for name, value in record.items() if value is not None}
        for name in ("causes", "others"):
            if rows := getattr(self, name):
                found[name] = [_cause_json(cause) for cause in rows]
        return {**found, **({"notes": list(self.notes)} if self.notes else {})}


def plain_number(value: float, *, sign: bool = False) -> str:
    """A number of a weight's size as it is read, with a true minus.

    >>> plain_number(-0.0004), plain_number(2.0, sign=True), plain_number(123456.7)
    ('−0.0004', '+2.00', '123,457')
    """
    size = abs(value)
    digits = f"{size:,.0f}" if size >= 1000 else f"{size:.2f}" if size >= 0.0095 else f"{size:.1g}"
    if not float(digits.replace(",", "")):
        return "0"
    return ("−" if value < 0 else "+" if sign else "") + digits


def _cause_json(cause: Cause) -> dict[str, Any]:
    known = {name: getattr(cause, name) for name in ("start", "end", "attention", "value")}
    there = {name: value for name, value in known.items() if value is not None}
    parts = {"parts": dict(cause.parts)} if cause.parts else {}
    return {"name": cause.name, "weight": cause.weight, **there, **parts}


def chosen(name: str, known: Sequence[str], option: str, where: object) -> int:
    """The place of ``name`` among the ``known``.

    Raises:
        ConfigError: it is none of them; the message lists them.
    """
    if name in known:
        return list(known).index(name)
    some = ", ".join(map(str, known[:10])) + (", …" if len(known) > 10 else "")
    near = suggestion(name, known)
    raise ConfigError(f"{option}: {where} has no {name!r}{near}; there are: {some}")
