"""What a client asks: the body of ``/v1/predict``, checked, and what is made of it."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from birnn.config import with_flat
from birnn.data.tables.dialect import TableOptions
from birnn.errors import ConfigError
from birnn.tasks.core.explanation import Wish
from birnn.tasks.runs.evaluation import Reading
from birnn.tasks.serving.request import Change
from birnn.tasks.web.options import ServeOptions
from birnn.tasks.web.refusals import Refused, beyond

CONTENT = ("text", "texts", "tokens", "csv", "rows")
MOST_BEST, MOST_DRAWINGS, MOST_CHANGES = 100, 1_000, 10_000
ROWS = TableOptions(",", '"', "point", "none", True, 0)  # how rows of JSON are written down

Model = TypeVar("Model", bound=BaseModel)
Cell = str | int | float | bool | None


class Changed(BaseModel):
    """A value of a history that is thought to be another one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: Annotated[str, Field(description="Series, as the answer names it.")]
    step: Annotated[int, Field(le=-1, ge=-(2**31), description="From the end: -1 is the last.")]
    value: Annotated[float, Field(ge=-1e30, le=1e30)]


class Ask(BaseModel):
    """One of ``text``, ``texts``, ``tokens``, ``csv`` or ``rows``, and how it is to be answered."""

    model_config = ConfigDict(extra="forbid", strict=True)

    run: Annotated[
        str | None, Field(description="Name of a run in /v1/runs; may lack where there is one.")
    ] = None
    text: Annotated[str | None, Field(description="One text.")] = None
    texts: Annotated[list[str] | None, Field(min_length=1, description="Several texts.")] = None
    tokens: Annotated[
        list[Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]] | None,
        Field(min_length=1, description="Sentences that are cut into tokens (taggers)."),
    ] = None
    csv: Annotated[
        str | None, Field(min_length=1, description="A CSV file, as `predict --input` reads it.")
    ] = None
    rows: Annotated[
        list[dict[str, Cell]] | None,
        Field(min_length=1, description="Rows of a table: column to cell."),
    ] = None
    n_best: Annotated[
        int, Field(ge=0, le=MOST_BEST, description="Likeliest tag sequences to add (taggers).")
    ] = 0
    changes: Annotated[
        list[Changed] | None,
        Field(max_length=MOST_CHANGES, description="Other values of histories (forecasters)."),
    ] = None
    reading: Annotated[
        dict[str, str | int | bool] | None,
        Field(description="How a table is read: the options of `predict`, with underscores."),
    ] = None
    drawings: Annotated[
        int,
        Field(ge=0, le=MOST_DRAWINGS, description="Series to add with their history, to draw."),
    ] = 0

    @model_validator(mode="after")
    def _one(self) -> "Ask":
        given = [name for name in CONTENT if getattr(self, name) is not None]
        if len(given) != 1:
            said = f"got {' and '.join(given)}" if given else "got none"
            raise ValueError(f"give one of {', '.join(CONTENT)}; {said}")
        return self


class AskWhy(BaseModel):
    """One of ``text``, ``csv`` or ``rows``, and what of its answer is to be explained."""

    model_config = ConfigDict(extra="forbid", strict=True)

    run: Annotated[str | None, Field(description="As for /v1/predict.")] = None
    text: Annotated[str | None, Field(description="One text.")] = None
    csv: Annotated[str | None, Field(min_length=1, description="As for /v1/predict.")] = None
    rows: Annotated[
        list[dict[str, Cell]] | None, Field(min_length=1, description="As for /v1/predict.")
    ] = None
    reading: Annotated[
        dict[str, str | int | bool] | None, Field(description="As for /v1/predict.")
    ] = None
    label: Annotated[str, Field(description="A class, a type of span; lacks: what it is.")] = ""
    token: Annotated[str, Field(description="Of a tagger: a token, or its number.")] = ""
    step: Annotated[int, Field(ge=0, le=10**6, description="From 1; 0: the mean of all.")] = 0
    series: Annotated[str, Field(description="One series of a table.")] = ""

    @model_validator(mode="after")
    def _one(self) -> "AskWhy":
        given = [name for name in ("text", "csv", "rows") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("give one of text, csv, rows")
        return self


@dataclass(frozen=True)
class Question:
    """What a run is asked."""

    run: str | None
    items: Sequence[Any] = ()  # texts, or lists of tokens
    kind: str = "texts"  # or "tokens", or "table"
    table: bytes = b""
    suffix: str = ".csv"
    reading: Reading = field(default_factory=Reading)
    best: int = 0
    changes: tuple[Change, ...] = ()
    drawings: int = 0
    csv_answer: bool = False
    wish: Wish | None = None  # to explain the answer


def of_json(value: Any, limits: ServeOptions) -> Question:
    """The question that a body of JSON holds.

    Raises:
        Refused: it asks what can't be, or for more than is allowed.
    """
    ask = checked(Ask, value)
    if (table := _table(ask, limits)) is not None:
        changes = tuple(Change(part.id, part.step, part.value) for part in ask.changes or ())
        return replace(table, changes=changes, drawings=ask.drawings)
    if ask.reading or ask.changes or ask.drawings:
        raise Refused(422, "invalid", "reading, changes and drawings go with csv or rows")
    tokens = ask.tokens is not None
    items: Sequence[Any] = ask.tokens or ask.texts or [ask.text]
    check_count(items, limits)
    check_sizes(items, limits)
    return Question(ask.run, items, "tokens" if tokens else "texts", best=ask.n_best)


def why_of_json(value: Any, limits: ServeOptions) -> Question:
    """What a body of JSON wants to be explained.

    Raises:
        Refused: it asks what can't be, or for more than is allowed.
    """
    ask = checked(AskWhy, value)
    wish = Wish(ask.label, ask.token, ask.step, ask.series)
    if (table := _table(ask, limits)) is not None:
        return replace(table, wish=wish)
    if ask.reading:
        raise Refused(422, "invalid", "reading goes with csv or rows")
    assert ask.text is not None
    check_sizes([ask.text], limits, "max_explained")
    return Question(ask.run, [ask.text], wish=wish)


def checked(kind: type[Model], value: Any) -> Model:
    """A body as the model ``kind``.

    Raises:
        Refused: it is something else; the first fault, and where it is.
    """
    if not isinstance(value, dict):
        raise Refused(422, "invalid", "the body is not an object")
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise Refused(422, "invalid", _first(error)) from None


def _table(ask: Ask | AskWhy, limits: ServeOptions) -> Question | None:
    """The table that a body holds, and how it is read; None if it holds none.

    Raises:
        Refused: it is too long or has no column, or can't be read so.
    """
    reading = reading_of(ask.reading or {})
    if ask.csv is not None:
        table = ask.csv.encode("utf-8", "replace")
        return of_table(table, limits, run=ask.run, reading=reading)
    if ask.rows is None:
        return None
    if len(ask.rows) > limits.max_rows:
        raise too_many_rows(len(ask.rows), limits)
    written = Reading(text_column=reading.text_column, encoding="utf-8", table=ROWS)
    return Question(ask.run, kind="table", table=_written(ask.rows), reading=written)


def of_table(table: bytes, limits: ServeOptions, **asked: Any) -> Question:
    """The question that a delimited file is.

    Raises:
        Refused: it has too many lines, or none.
    """
    if not table.strip():
        raise Refused(422, "invalid", "the table is empty")
    if (lines := table.count(b"\n")) > limits.max_rows + 1:
        raise too_many_rows(lines, limits)
    return Question(kind="table", table=table, **asked)


def of_query(query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the address says beside a body that is a table: the run, drawings, how it is read.

    Raises:
        Refused: an unknown name, one twice, or a value that it can't have.
    """
    values: dict[str, Any] = {}
    for name, text in query:
        if name in values:
            raise Refused(422, "invalid", f"{name[:80]} stands in the address twice")
        values[name] = text
    asked: dict[str, Any] = {"run": values.pop("run", None)}
    drawings = values.pop("drawings", "0")
    if not (drawings.isascii() and drawings.isdigit() and int(drawings[:9]) <= MOST_DRAWINGS):
        raise Refused(422, "invalid", f"drawings: a number from 0 to {MOST_DRAWINGS}")
    asked["drawings"] = int(drawings)
    kinds = {"header": bool, "skip_ragged": bool, "day_first": bool, "skip_lines": int}
    for name, text in values.items():
        if kinds.get(name) is bool and text in ("true", "false"):
            values[name] = text == "true"
        elif kinds.get(name) is int and text.isascii() and text.isdigit() and len(text) < 10:
            values[name] = int(text)
    return {**asked, "reading": reading_of(values)}


def reading_of(values: Mapping[str, Any]) -> Reading:
    """The options of reading that a request gives.

    Raises:
        Refused: an unknown one, or a value that it can't have.
    """
    try:
        reading = with_flat(Reading(), values)
        reading.table.check()
    except ConfigError as error:
        raise Refused(422, "invalid", f"reading: {error}") from None
    return reading


def check_count(items: Sequence[Any], limits: ServeOptions) -> None:
    """Refuse more texts than are allowed beside a table.

    Raises:
        Refused: so it is.
    """
    if len(items) > limits.max_texts:
        what = f"{len(items):,} texts in one request"
        raise beyond(413, "too_many_texts", what, limits.max_texts, "--max-texts")


def check_sizes(items: Sequence[Any], limits: ServeOptions, option: str = "max_text") -> None:
    """Refuse longer texts than ``option`` allows, or sentences whose tokens together are longer.

    Raises:
        Refused: so it is.
    """
    most: int = getattr(limits, option)
    for number, item in enumerate(items, 1):
        size = len(item) if isinstance(item, str) else sum(map(len, item))
        if size > most:
            what = f"text {number:,} has {size:,} characters"
            raise beyond(413, "text_too_long", what, most, f"--{option.replace('_', '-')}")


def too_many_rows(count: int, limits: ServeOptions) -> Refused:
    """A table is too long."""
    return beyond(413, "too_many_rows", f"{count:,} rows", limits.max_rows, "--max-rows")


# What pydantic says in words of its own, by its name for it.
WORDS = {
    "too_short": "it is empty", "extra_forbidden": "no question has such a part",
    "missing": "it is missing", "string_type": "it is no text", "list_type": "it is no list",
    "dict_type": "it is no object", "model_type": "it is no object",
}  # fmt: skip


def _first(error: ValidationError) -> str:
    """The first of what is wrong, and where."""
    one = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part)[:40] for part in one["loc"] if part not in ("str", "int", "float"))
    message = WORDS.get(one["type"], one["msg"].removeprefix("Value error, "))
    return f"{where}: {message}" if where else message


def _written(rows: Sequence[Mapping[str, Cell]]) -> bytes:
    """Rows as a delimited file, whose signs :data:`ROWS` says.

    Raises:
        Refused: they have no column.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    if not names:
        raise Refused(422, "invalid", "rows: there is no column")
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(_cells(row, names) for row in rows)
    return file.getvalue().encode("utf-8", "replace")


def _cells(row: Mapping[str, Cell], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        cell = row.get(name)
        if isinstance(cell, bool):
            yield "true" if cell else "false"
        else:
            yield "" if cell is None else str(cell)
