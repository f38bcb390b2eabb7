"""Reports, taken apart as a browser would."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class Page(HTMLParser):
    """The elements of a page with their attributes, its words, and the data in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: set[tuple[str, frozenset[str]]] = set()
        self.values: set[tuple[str, str]] = set()  # of attributes that style or run something
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.data: list[Any] = []
        self._within: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.add((tag, frozenset(name for name, _ in attrs)))
        self.values |= {(n, v or "") for n, v in attrs if n in ("class", "id", "href", "src")}
        self._within.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        while self._within and self._within.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Note words, a script, or data."""
        tag, attributes = self._within[-1] if self._within else ("", {})
        if tag != "script":
            self.words.append(data)
        elif attributes.get("type") == "application/json":
            self.data.append(json.loads(data))
            if attributes.get("id") == "numbers":
                self.numbers = self.data[-1]
        else:
            self.scripts.append(data)


def read(path: Path) -> Page:
    """A page that is on disk."""
    return Page(path.read_text(encoding="utf-8"))
