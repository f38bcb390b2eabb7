"""What moved an answer: words in shades, steps below their series, and the weights in a table."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from birnn.data.wording import plural
from birnn.tasks.core.explanation import Cause, Explanation, plain_number
from birnn.terminal.chart import draw_lines
from birnn.terminal.console import console, is_plain
from birnn.terminal.text import CONTROL, harmless, make_table, named

ROWS = 10  # of the strongest weights
ITEMS = 3  # series or sequences that are drawn
BAR = 24  # columns
FOR, AGAINST = "green", "red"
HEIGHTS = " ▁▂▃▄▅▆▇█"


def draw_explained(explained: Any, request: Any, *, as_json: bool) -> None:
    """Explanations as they are made, or a word on where they were written."""
    out, plain = console(), is_plain()
    if request.output:
        from birnn.terminal.views.working import working  # takes a while to load

        with working("explaining"):
            count = explained.write(Path(request.output), escape=request.escape_formulas)
        out.print(
            Text(f"{plural(count, 'explanation')}: {harmless(request.output)}"), soft_wrap=True
        )
    elif as_json:
        for one in explained.explanations:
            print(json.dumps(one.to_json(), ensure_ascii=False))
    else:
        items = 0
        for one in explained.explanations:
            items += one.item is not None
            if items > ITEMS:
                break
            out.print(render_explanation(one, out.width, plain=plain), soft_wrap=plain)
        if items > ITEMS:
            out.print(Text(f"The first {ITEMS} are shown: --json or --output gives all."))
    for note in explained.notes:
        Console(stderr=True, highlight=False).print(Text(harmless(note)), soft_wrap=True)


def render_explanation(one: Explanation, width: int, *, plain: bool) -> RenderableType:
    """The answer, what moved it, and how complete that is."""
    parts: list[RenderableType] = [_head(one, width)]
    if one.text is not None or one.item is None:
        parts.append(Padding(shaded(one, plain=plain), (0, 0, 0, 2), expand=False))
    elif not plain and any(cause.value is not None for cause in one.causes):
        parts += steps_below_series(one.causes, width)
    if by_column := column_sums(one):
        parts.append(_table(by_column, width, "column", plain=plain))
    kind = "word" if one.item is None else "step"
    parts.append(_table(one.strongest, width, kind, plain=plain))
    parts += [Text(harmless(one.completeness), "dim"), *map(_note, one.notes), Text()]
    return Group(*parts)


def _note(words: str) -> Text:
    return Text(f"Note: {harmless(words)}.", "dim")


def _head(one: Explanation, width: int) -> Text:
    head = Text()
    if one.item is not None:
        what = "sequence " if one.task == "regression" else ""
        head.append(f"{what}{named(one.item, max(20, width // 3))}  ", "bold")
    head.append(named(one.target, max(20, width // 3)), "bold")
    if one.probability is not None:
        return head.append(f"  {one.probability * 100:.1f} %")
    return head.append(f"  {plain_number(one.value)} {named(one.unit, 24)}")


def shade(weight: float, top: float) -> str:
    """The style of a weight beside the largest; without colours the strong ones still stand out."""
    level = abs(weight) / top if top else 0.0
    color = FOR if weight > 0 else AGAINST
    if level > 0.6:
        return f"bold reverse {color}"
    return f"bold {color}" if level > 0.25 else color if level > 0.08 else "dim"


def shaded(one: Explanation, *, plain: bool) -> Text:
    """The words of a text, each in the shade of its weight; the explained span is underlined."""
    top = max((abs(cause.weight) for cause in one.causes), default=0.0)
    line, done, text = Text(), 0, one.text
    for cause in one.causes:
        style = "" if plain else shade(cause.weight, top)
        if text is None or cause.start is None or cause.end is None:
            line.append(_visible(cause.name), style).append(" ")
            continue
        if cause.start >= cause.end:
            continue
        line.append(_visible(text[done : cause.start]))
        inside = (
            one.start is not None and one.end is not None and (one.start <= cause.start < one.end)
        )
        if inside and cause.start == one.start:
            line.append("[")
        line.append(_visible(text[cause.start : cause.end]), style)
        if inside and cause.end == one.end:
            line.append("]")
        done = cause.end
    return line if text is None else line.append(_visible(text[done:]))


def _visible(text: str) -> str:
    return CONTROL.sub(" ", text)


def _table(causes: Sequence[Cause], width: int, kind: str, *, plain: bool) -> RenderableType:
    """The strongest causes, each with its weight, a bar, its value and attention."""
    top = max((abs(cause.weight) for cause in causes), default=0.0)
    if not top:
        return Text("  nothing moved it", "dim")
    looked = any(cause.attention is not None for cause in causes)
    valued = any(cause.value is not None for cause in causes)
    heads = ["weight", *([""] if not plain else []), *(["value"] if valued else []),
             *(["attention"] if looked else [])]  # fmt: skip
    rows = []
    for cause in causes[:ROWS]:
        sign = plain_number(cause.weight, sign=True)
        row: list[Any] = [named(cause.name, 28), Text(sign, FOR if cause.weight > 0 else AGAINST)]
        row += [] if plain else [bar(cause.weight, top)]
        row += ["–" if cause.value is None else plain_number(cause.value)] if valued else []
        row += ["–" if cause.attention is None else f"{cause.attention:.2f}"] if looked else []
        rows.append(row)
    table: Table = make_table([kind], heads, rows, plain=plain, no_wrap=True)
    parts: list[RenderableType] = [Padding(table, (0, 0, 0, 2), expand=False)]
    if rest := causes[ROWS:]:
        total = plain_number(sum(cause.weight for cause in rest), sign=True)
        parts.append(Text(f"  {len(rest):,} more together {total}", "dim"))
    return Group(*parts)


def bar(weight: float, top: float) -> Bar:
    """A bar from the middle: to the right for, to the left against."""
    share = weight / top
    begin, end = (1.0, 1.0 + share) if share > 0 else (1.0 + share, 1.0)
    return Bar(2.0, begin, end, width=BAR, color=FOR if weight > 0 else AGAINST)


def column_sums(one: Explanation) -> list[Cause]:
    """Of steps with several columns, what each column adds over all steps; else nothing."""
    if one.item is None or not any(cause.parts for cause in one.causes):
        return []
    sums: dict[str, float] = {}
    for cause in one.causes:
        for name, weight in cause.parts.items():
            sums[name] = sums.get(name, 0.0) + weight
    causes = [Cause(name, weight) for name, weight in sums.items()]
    return sorted(causes, key=lambda cause: -abs(cause.weight))


def steps_below_series(causes: Sequence[Cause], width: int) -> Iterator[RenderableType]:
    """The lookback as a line, and below it how much its steps raised and lowered the answer."""
    values = [cause.value for cause in causes]
    lines, margin = draw_lines([(0, values, "")], len(values), width, "{:.4g}".format, ticks=3)
    room = lines[0].cell_len - margin
    yield from lines
    raised, lowered = ([0.0] * room, [0.0] * room)
    for number, cause in enumerate(causes):
        place = round(number / max(len(causes) - 1, 1) * (room - 1))
        side = raised if cause.weight > 0 else lowered
        side[place] += abs(cause.weight)
    top = max(*raised, *lowered) or 1.0
    for side, style, sign in ((raised, FOR, "+"), (lowered, AGAINST, "−")):
        marks = "".join(HEIGHTS[min(8, -int(-8 * size // top))] for size in side)
        yield Text(sign.rjust(margin - 1) + "│") + Text(marks, style)
    first, last = causes[0].name, causes[-1].name
    yield Text(" " * margin + first + last.rjust(max(room - len(first), len(last) + 1)), "dim")
