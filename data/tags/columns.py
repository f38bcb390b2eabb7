"""Which columns of a column file hold tokens and tags, told by what stands in them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from birnn.data.tags.tag_forms import OUTSIDES, tell_form

Rows = Sequence[Sequence[str]]  # of one sentence: the fields of each token

LOOKED_AT = 5_000  # sentences of a file, at most
ENOUGH = 20  # tokens, from which on few values of a column say something
TAGS = 60  # different parts of speech, at most
MANY = 3  # times as many different words as tags
NEARLY = 0.98


@dataclass(frozen=True)
class Column:
    """What the values of one column have in common."""

    values: Counter[str]
    counted: bool  # 1, 2, 3, … within each sentence
    numbering: bool  # one value a sentence

    @property
    def fixed(self) -> bool:
        """Whether it is the same throughout."""
        return len(self.values) < 2

    @property
    def spans(self) -> bool:
        """Whether it holds tags that spell spans."""
        form = tell_form(self.values)
        return (
            not self.fixed
            and form.kind not in ("raw", "io")
            and any(value not in OUTSIDES for value in self.values)
        )

    @property
    def types(self) -> set[str]:
        """Of the spans that its tags spell."""
        form = tell_form(self.values)
        return {form.read(value)[2:] for value in self.values} - {""}

    @property
    def marked(self) -> int:
        """How many tokens are in a span."""
        return sum(n for value, n in self.values.items() if value not in OUTSIDES)

    @property
    def wordy(self) -> bool:
        """Whether most values are of letters, as words are and numbers and identifiers are not."""
        letters = sum(n for value, n in self.values.items() if value.isalpha())
        return 2 * letters > self.values.total()

    @property
    def token_like(self) -> bool:
        """Whether tokens could stand there."""
        return not (self.counted or self.numbering or self.fixed)


def columns_of(sentences: Sequence[Rows]) -> list[Column]:
    """What each column of ``sentences``, all rows of one width, holds."""
    found = []
    for at in range(len(sentences[0][0]) if sentences else 0):
        runs = [[row[at] for row in rows] for rows in sentences[:LOOKED_AT]]
        found.append(
            Column(
                Counter(value for run in runs for value in run), _counted(runs), _numbering(runs)
            )
        )
    return found


def _counted(runs: Sequence[Sequence[str]]) -> bool:
    """Whether the values go up by one within each sentence."""
    if not all(value.isascii() and value.isdigit() for run in runs for value in run):
        return False
    steps = [int(b) - int(a) for run in runs for a, b in pairwise(run)]
    return len(steps) > 1 and sum(step == 1 for step in steps) >= NEARLY * len(steps)


def _numbering(runs: Sequence[Sequence[str]]) -> bool:
    """Whether each sentence of several tokens has one value, and most have another."""
    long = [run for run in runs if len(run) > 1]
    return (
        len(long) > 1
        and all(len(set(run)) == 1 for run in long)
        and len({run[0] for run in long}) > len(long) / 2
    )


def find_token(columns: Sequence[Column]) -> tuple[int, str]:
    """Which column holds the tokens, and why it isn't the first (empty if it is).

    A reason that ends in a question mark is a guess.

    Counts, sentence numbers and columns of one value are passed over, and so is a column of tags
    that stands before the words.
    """
    likely = [i for i, column in enumerate(columns) if column.token_like]
    words = [i for i in likely if not columns[i].spans]
    if not words:
        return 0, ""
    first, why = words[0], ""
    richest = max(words, key=lambda i: (columns[i].wordy, len(columns[i].values)))
    own, most = columns[first].values, columns[richest].values
    many = own.total() >= ENOUGH and len(own) <= TAGS and len(most) > MANY * len(own)
    if many and columns[richest].wordy:
        return richest, f"column {first + 1} holds few different values: tags?"
    if first:
        before = columns[first - 1]
        why = "holds one value" if before.fixed else "holds tags"
        why = "counts the tokens" if before.counted else why
        why = "numbers the sentences" if before.numbering and not before.counted else why
        why = f"column {first} {why}"
    return first, why


def find_tag(columns: Sequence[Column], token: int) -> tuple[int, str]:
    """Which column holds the tags of the column ``token``, and why it isn't the last.

    The last one, unless it is of one value while another varies, or is a second layer of the same
    types with fewer spans.
    """
    last = len(columns) - 1
    able = [
        i for i, column in enumerate(columns)
        if i != token and not column.fixed and not column.counted and not column.numbering
    ]  # fmt: skip
    if not able:
        return (last if last != token else 0), ""
    spanned = [i for i in able if columns[i].spans]
    at = able[-1]
    if at != last and spanned:
        at = spanned[-1]
    if at in spanned:
        own = columns[at].types
        twins = [i for i in spanned if 2 * len(own & columns[i].types) >= len(own)]
        fuller = max(twins, key=lambda i: (columns[i].marked, i))
        if columns[fuller].marked > columns[at].marked:
            return fuller, f"column {at + 1} has fewer spans of the same types: a second layer?"
    if at == last:
        return at, ""
    why = "holds the tokens" if token == last else "holds one value"
    return at, f"column {last + 1} {why}"


HEADER_WORD = re.compile(r"[A-Za-z][\w #.-]*")


def is_header(first: Sequence[str], tags: Counter[str], tag: int) -> bool:
    """Whether the fields of a first line name columns: its tag fits none of the others."""
    others = tags.copy()
    others[first[tag]] -= 1
    others = +others
    form = tell_form(others)
    strange = form.kind not in ("raw", "io") and not form.fits(first[tag])
    return (
        strange and others.total() >= ENOUGH and all(HEADER_WORD.fullmatch(name) for name in first)
    )
