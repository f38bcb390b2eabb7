"""How a delimited file is written, and the options that say so; light to import."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from birnn.config import option
from birnn.errors import ConfigError, brief

WORDS = {
    "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " ", "colon": ":",
    "point": ".", "apostrophe": "'", "\\t": "\t",
}  # fmt: skip
NONE = "none"  # there is no such sign
NAMES = {sign: word for word, sign in reversed(WORDS.items())}
DECIMALS, THOUSANDS = (".", ","), (",", ".", "'", " ")


def sign_name(sign: str) -> str:
    """A sign in a word, as options take it."""
    return NAMES.get(sign, repr(sign))


table_option = partial(option, group="Data", level="advanced")


@dataclass(frozen=True)
class TableOptions:
    """How the cells of a file are told apart; what is not given is found."""

    delimiter: str = table_option(
        "", "What stands between fields: tab, comma, semicolon, pipe, space or a character. Empty:"
        " found.",
    )  # fmt: skip
    quote: str = table_option("", "What encloses fields: a character, or none. Empty: found.")
    decimal: str = table_option("", "Decimal sign of numbers: point or comma. Empty: found.")
    thousands: str = table_option(
        "", "What groups the digits of numbers: comma, point, apostrophe, space or none. Empty:"
        " found.",
    )  # fmt: skip
    header: bool | None = table_option(
        None, "Whether a line names the columns; they are called 1, 2, … without. Not given: found."
    )
    skip_lines: int | None = table_option(
        None, "Lines above the header, or above the rows, that are left out. Not given: found.",
        low=0,
    )  # fmt: skip

    def sign(self, name: str) -> str:
        """The character that the option ``name`` stands for; ``""`` to find it, or ``none``.

        Raises:
            ConfigError: it is none that the option can have.
        """
        given: str = getattr(self, name)
        sign = given if given in ("", NONE) else WORDS.get(given.lower(), given)
        known = {"decimal": DECIMALS, "thousands": (*THOUSANDS, NONE)}.get(name)
        if sign and known and sign not in known:
            allowed = ", ".join(known).replace("  ", " a space ")
            raise ConfigError(f"{name}: {brief(given)} is not one of: {allowed}")
        single = len(sign) == 1 and sign not in "\r\n"
        if not known and sign and not single and (sign, name) != (NONE, "quote"):
            raise ConfigError(f"{name}: expected one character or its name, got {brief(given)}")
        return sign

    def check(self) -> None:
        """Refuse what no file could be read with.

        Raises:
            ConfigError: a sign that is none, or one that stands for two things.
        """
        signs = {name: self.sign(name) for name in ("delimiter", "quote", "decimal", "thousands")}
        for one, two in (("delimiter", "quote"), ("decimal", "thousands")):
            if signs[one] and signs[one] == signs[two]:
                raise ConfigError(f"{one}: {signs[one]!r} can't be the {two} too")


AS_FOUND = TableOptions()


@dataclass(frozen=True)
class Dialect:
    """How a file was read; a run remembers it."""

    delimiter: str = ","
    quote: str = '"'  # empty: none, quotes are letters
    escape: str = ""  # what takes a quote its meaning; empty: a quote is doubled
    header: bool = True
    skip_lines: int = 0  # above the header, or above the rows
    encoding: str = "utf-8-sig"
    columns: tuple[str, ...] = ()
    # Column → decimal and thousands sign, of those whose numbers show one.
    numbers: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``config.json``."""
        numbers = {name: list(signs) for name, signs in self.numbers.items()}
        return vars(self) | {"columns": list(self.columns), "numbers": numbers}

    @classmethod
    def from_json(cls, value: Any) -> "Dialect | None":
        """What :meth:`to_json` gave; None where nothing is remembered.

        Raises:
            ConfigError: it is something else.
        """
        if value is None:
            return None
        kinds = {
            "delimiter": str, "quote": str, "escape": str, "header": bool, "skip_lines": int,
            "encoding": str, "columns": list, "numbers": dict,
        }  # fmt: skip
        if not isinstance(value, dict) or {k: type(v) for k, v in value.items()} != kinds:
            raise ConfigError(f"reading: {brief(value)} is not how a table was read")
        signs = [value["columns"], *value["numbers"].values()]
        lists = all(type(part) is list for part in signs)
        if not lists or any(type(text) is not str for part in signs for text in part):
            raise ConfigError(f"reading: {brief(value)} is not how a table was read")
        if any(len(pair) != 2 for pair in signs[1:]):
            raise ConfigError(f"reading: {brief(value)} is not how numbers were read")
        numbers = {str(name): tuple(pair) for name, pair in value["numbers"].items()}
        return cls(**{**value, "columns": tuple(value["columns"]), "numbers": numbers})

    def words(self) -> str:
        """The dialect in a line."""
        parts = [f"fields between {sign_name(self.delimiter)}s"]
        if self.quote != '"':
            parts.append(f"in {NAMES.get(self.quote, self.quote)}s" if self.quote else "no quotes")
        if self.escape:
            parts.append(f"{self.escape} before a quote that is a letter")
        parts.append(f"header on line {self.skip_lines + 1}" if self.header else "no header")
        parts.append(self.encoding.removesuffix("-sig"))
        return ", ".join(parts)


@dataclass(frozen=True)
class ReadOptions:
    """How files are read."""

    encoding: str = "utf-8-sig"
    skip_ragged: bool = False
    table: TableOptions = AS_FOUND
    trained: Dialect | None = None  # how a run's own data was read: a new file is read like it
    streamed: bool = False  # a large file's rows stay on the disk, and where they begin is not kept


AS_USUAL = ReadOptions()
