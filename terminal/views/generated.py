"""Texts that a run has written."""

import json
from collections.abc import Iterable

from birnn.data.wording import CONTROL
from birnn.terminal.console import console


def draw_generated(texts: Iterable[str], *, as_json: bool) -> None:
    """One text after the other, an empty line between; of what steers a terminal only line ends."""
    first = True
    for text in texts:
        if as_json:
            print(json.dumps({"text": text}, ensure_ascii=False))
            continue
        lines = [CONTROL.sub(" ", line) for line in text.split("\n")]
        between = "" if first else "\n"
        console().print(between + "\n".join(lines), markup=False, highlight=False, soft_wrap=True)
        first = False
