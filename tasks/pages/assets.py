"""Files that pages are made of: ours, and those of libraries, as they came."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from markupsafe import Markup

# The library that draws series: kept as it was published, so that anybody can compare it.
UPLOT = "uplot/uPlot.iife.min.js"
UPLOT_STYLE = "uplot/uPlot.min.css"


def read_asset(name: str, package: str = "birnn.tasks.pages") -> str:
    """The text of a file in the folder ``static`` of a package."""
    return files(package).joinpath("static", name).read_text(encoding="utf-8")


def inline(text: str) -> Markup:
    """A file of ours, or of a library, as the contents of an inline ``<script>`` or ``<style>``.

    Raises:
        ValueError: it holds what would end the element.
    """
    if "</" in text and any(end in text.lower() for end in ("</script", "</style")):
        raise ValueError("a script or a style may not hold its own end")
    return Markup(text)  # noqa: S704 - no text of a user's comes here


def content_hash(script: str) -> str:
    """A script's name in a Content-Security-Policy: ``'sha256-…'``."""
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"
