"""The fenced blocks of README, CONTRIBUTING and docs: which are run, and why others aren't.

A block says by its language what it is: ``sh`` (commands), ``python`` and ``toml`` are run;
``text`` (output), ``math`` and others are only shown. A hidden comment above one can say more:

    <!-- not run: it needs a GPU -->      never run, and why
    <!-- slow -->                         run by ``make docs-test`` alone
    <!-- before: frame = ... -->          Python that runs first, so that the block's names exist
    <!-- every block not run: why -->     of a whole page
"""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = ("sh", "python", "toml")
SHOWN = ("text", "math", "ini", "dockerfile", "json", "html")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)$")
WHOLE = re.compile(r"^<!-- every block not run: (.*) -->$", re.MULTILINE)
NOTE = re.compile(r"^ *<!-- (not run|slow|before)(?:: (.*))? -->$")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int  # of its fence
    language: str
    text: str
    reason: str = ""  # why it is never run
    before: str = ""
    slow: bool = False

    @property
    def is_run(self) -> bool:
        """Whether it can be run at all."""
        return self.language in RUN and not self.reason

    @property
    def place(self) -> str:
        """Page and line, to find it by."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """README, CONTRIBUTING and everything under docs."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def read_blocks(page: Path) -> list[Block]:
    """The blocks of a page, in their order.

    Raises:
        ValueError: a block does not end, or its language is none that is known.
    """
    found: list[Block] = []
    content = page.read_text(encoding="utf-8")
    whole, lines = WHOLE.search(content), content.splitlines()
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if fence:
            end = at + 1
            while end < len(lines) and lines[end].strip() != "```":
                end += 1
            notes = {"not run": whole[1] if whole else "", **dict(_notes(lines, at))}
            indent = len(fence["indent"])
            body = "\n".join(line[indent:] for line in lines[at + 1 : end])
            found.append(
                Block(
                    page, at + 1, fence["language"], body, notes["not run"],
                    notes.get("before", ""), "slow" in notes,
                )
            )  # fmt: skip
            if end == len(lines) or fence["language"] not in (*RUN, *SHOWN):
                known = ", ".join((*RUN, *SHOWN))
                raise ValueError(f"{found[-1].place}: a block that ends, of one of {known}")
            at = end
        at += 1
    return found


def _notes(lines: list[str], fence: int) -> list[tuple[str, str]]:
    """The hidden comments right above a fence, nearest first."""
    notes: list[tuple[str, str]] = []
    above = fence - 1
    while above >= 0 and (note := NOTE.match(lines[above])):
        notes.append((note[1], note[2] or ""))
        above -= 1
    return notes


def summary() -> str:
    """How many blocks are run, how many only by ``make docs-test``, and why others aren't."""
    every = [block for page in pages() for block in read_blocks(page) if block.language in RUN]
    quick = sum(block.is_run and not block.slow for block in every)
    slow = sum(block.is_run and block.slow for block in every)
    reasons = Counter(block.reason for block in every if block.reason)
    apart = sum(count for why, count in reasons.items() if why.startswith("tests/"))
    lines = [
        f"blocks: {len(every)}; run in every test: {quick}; by make docs-test too: {slow};"
        f" by tests of their own: {apart}; never: {sum(reasons.values()) - apart}"
    ]
    return "\n".join([*lines, *(f"  {n} × {why}" for why, n in reasons.most_common())])


if __name__ == "__main__":
    print(summary())
