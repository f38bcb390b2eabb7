"""A browser for tests: Debian's Chromium, or whatever ``CHROMIUM`` names, driven by Playwright."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
SIZES = (390, 1280, 1920)
SERIOUS = ("serious", "critical")


def chromium() -> str:
    """The path of a browser; a test without one is skipped, and says why."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), "")
    if not found:
        pytest.skip("no browser: install chromium, or name one in CHROMIUM")
    return found


@contextlib.contextmanager
def browsing() -> Iterator[Any]:
    """A browser without a window."""
    tool = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install '.[test]'")
    with tool.sync_playwright() as driver:
        options = {"executable_path": chromium(), "args": ["--no-sandbox"]}
        with contextlib.closing(driver.chromium.launch(**options)) as started:
            yield started


@contextlib.contextmanager
def opened(
    browser: Any, address: str, *, width: int = 1280, dark: bool = False, **options: Any
) -> Iterator[Any]:
    """A page that may ask its own address alone, and that must say nothing to the console."""
    shape = {"width": width, "height": 900}
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        viewport=shape, color_scheme=scheme, reduced_motion="reduce", **options
    )
    own = (address.partition("#")[0], "blob:", "data:")
    page, told = context.new_page(), []

    def asks(request: Any) -> None:
        if not request.url.startswith(own):
            told.append(f"asks {request.url}")

    def says(message: Any) -> None:
        if "Failed to load resource" not in message.text:  # a refusal, which the page shows
            told.append(message.text)

    page.set_default_timeout(15_000)
    page.on("console", says)
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("request", asks)
    page.goto(address)
    try:
        yield page
        assert not told, told
    finally:
        context.close()


def violations(page: Any) -> list[str]:
    """What axe-core finds that is serious, in words."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:4]}"
        for one in found if one["impact"] in SERIOUS
    ]  # fmt: skip


def gone(page: Any, selector: str) -> None:
    """Wait until nothing in the page is ``selector``."""
    from playwright.sync_api import expect

    expect(page.locator(selector)).to_have_count(0, timeout=15_000)
