"""What is noticed while tagged sentences are read: what was left out, and what was read how."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from birnn.data.wording import number_list, plural
from birnn.errors import DataError

MOST_ODD = 0.05  # of the lines, rows or spans of a file: above that the reading must be wrong
PLACES, LISTED = 3, 30  # named in a note, of many; the latter, lines that are named by number
PLACE = re.compile(r"(.*) (line|row) (\d+)", re.DOTALL)

# Reasons to leave something out, as they end "left out 3 …".
BORDERS, OVERLAPPING = "not on token borders", "overlapping another"
OUTSIDE = "empty or beyond the text"
EMPTY, UNMARKED, REJECTED = "without a token", "without marks", "rejected by the annotator"
IGNORED, CANCELLED, UNREADABLE = (
    "ignored by the annotator",
    "skipped by the annotator",
    "that can't be read",
)
SPECIAL = "that stand for no word"
WIDTH, NO_TAG = "with another number of columns", "without a tag"
OTHER_SCHEME, TOO_LONG = "with a tag of another scheme", "with a sentence too long"
COMMENTS, HEADERS = "that are comments", "that repeat the header"
NOUNS = {
    BORDERS: "span", OVERLAPPING: "span", OUTSIDE: "span", SPECIAL: "token",
    WIDTH: "line", NO_TAG: "line", OTHER_SCHEME: "tag", COMMENTS: "line", HEADERS: "line",
}  # fmt: skip
WITH_SENTENCES = {WIDTH, NO_TAG, OTHER_SCHEME}  # these cost the whole sentence


@dataclass
class Findings:
    """Places in a file, by what was noticed there; and notes on the file as a whole."""

    left_out: dict[str, list[str]] = field(default_factory=dict)  # reason → where, and which
    read: dict[str, list[str]] = field(default_factory=dict)  # "token … read as …" → where
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def leave_out(self, reason: str, place: str) -> None:
        """Something at ``place`` is not read."""
        self.left_out.setdefault(reason, []).append(place)

    def notice(self, what: str, place: str) -> None:
        """Something at ``place`` is read, but not as it stands; ``what`` begins with a noun."""
        self.read.setdefault(what, []).append(place)

    def add(self, other: "Findings") -> None:
        """Those of another file too."""
        for mine, theirs in ((self.left_out, other.left_out), (self.read, other.read)):
            for reason, places in theirs.items():
                mine.setdefault(reason, []).extend(places)
        for own, more in ((self.notes, other.notes), (self.warnings, other.warnings)):
            own += [text for text in more if text not in own]

    def phrases(self) -> Iterator[tuple[str, int, str]]:
        """``odd`` or ``left_out``, how many, and what in words with the first places."""
        for what, places in sorted(self.read.items()):
            noun, _, how = what.partition(" ")
            yield "odd", len(places), f"{plural(len(places), noun)} {how}: {listed(places)}"
        for why, places in sorted(self.left_out.items()):
            if places:
                count = plural(len(places), NOUNS.get(why, "row"))
                more = ", with the sentence" if why in WITH_SENTENCES else ""
                yield "left_out", len(places), f"{count} {why}{more}: {listed(places)}"

    def said(self) -> list[str]:
        """All of it in sentences."""
        return self.notes + [
            f"left out {text}" if kind == "left_out" else text for kind, _, text in self.phrases()
        ]


def listed(places: Sequence[str]) -> str:
    """Lines by number where nothing else is said of them, else the first few places.

    >>> listed(["a line 3", "a line 9"]), listed(["a line 3: 'x'"])
    ('line 3, 9 of a', "a line 3: 'x'")
    """
    matches = [PLACE.fullmatch(place) for place in places]
    if any(match is None for match in matches):
        return some(places)
    files: dict[tuple[str, str], list[int]] = {}
    for match in matches:
        assert match is not None
        files.setdefault((match[1], match[2]), []).append(int(match[3]))
    return "; ".join(
        f"{unit} {number_list(rows[:LISTED])}{', …' if len(rows) > LISTED else ''} of {file}"
        for (file, unit), rows in files.items()
    )


def some(places: Sequence[str]) -> str:
    """The first few of ``places``."""
    return "; ".join(places[:PLACES]) + ("; …" if len(places) > PLACES else "")


def refuse_many(odd: Iterable[str], total: int, unit: str, mend: str, *, skip: bool) -> None:
    """Refuse a file of which more than a few per cent is odd.

    Args:
        odd: one sentence for each odd thing: where, and what is wrong.
        total: how many things there are, odd ones included; ``unit`` is what one is called.
        mend: how to put it right.
        skip: leave them out however many there are.

    Raises:
        DataError: too many; names the first and the lines of some more.
    """
    told = list(odd)
    if skip or len(told) <= MOST_ODD * total:
        return
    more = ""
    if len(told) > 1:
        more = f" ({len(told):,} of {plural(total, unit)} are odd; --skip-ragged leaves them out)"
    raise DataError(f"{told[0]}; {mend}{more}")
