"""Lines marked as fastText's: labels, then the text."""

import re

# https://fasttext.cc/docs/en/supervised-tutorial.html
MARK = "__label__"
MARKS = re.compile(rf"\s*((?:{MARK}\S+(?:\s+|$))+)")


def unmarked(line: str) -> tuple[list[str], str]:
    """The labels that a line begins with, and its text.

    >>> unmarked("__label__good a warm film"), unmarked("no __label__")
    ((['good'], 'a warm film'), ([], 'no __label__'))
    """
    found = MARKS.match(line)
    if not found:
        return [], line
    return [mark.removeprefix(MARK) for mark in found[1].split()], line[found.end() :]
