"""The pictures of README and docs: ``make screenshots``, or ``ARGS=terminal`` for one of them.

``terminal`` needs nothing but birnn, the others a browser, Debian's Chromium. ``sheets`` are to be
looked at before a release: every report and the page, at three widths, light and dark.
"""

import argparse
import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from birnn.tasks import TASKS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "pictures"
SHEETS = ROOT / "screenshots"  # to look at; not in the repository
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = (390, 1280, 1920)  # a phone, a laptop, a wide screen
COLUMNS, LINES = 100, 24
TYPED = "Loved the show in Chicago last night, thanks @adele !"
LARGEST = 200_000  # bytes of a picture in the repository
# rich's own template fetches a typeface.
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<defs>{lines}</defs>
<rect fill="#1d2127" width="{width}" height="{height}" rx="10"/>
<g transform="translate(9, 9)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def in_terminal(command: list[str], folder: Path) -> str:
    """What a command writes into a terminal with colours, escape sequences and all."""
    variables = {
        **os.environ, "COLUMNS": str(COLUMNS), "LINES": "60", "TERM": "xterm-256color",
        "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        command, cwd=folder, env=variables, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    if child.wait():
        raise SystemExit(f"{' '.join(command)} failed:\n{said.decode(errors='replace')}")
    return said.decode(errors="replace").replace("\r\n", "\n")


def terminal(work: Path) -> None:
    """``terminal.svg``: what ``predict`` shows of a forecast of the embedded series."""
    run = embedded_run("forecast", work)
    birnn = [sys.executable, str(ROOT / "cli.py")]
    history = work / "electricity.csv"
    write_series(history)
    shown = ["predict", str(run), "--input", str(history)]
    said = in_terminal([*birnn, *shown], work)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text("$ birnn predict runs/load --input electricity.csv\n", "bold"))
    lines = [line for line in said.splitlines() if "loading the run" not in line]
    console.print(Text.from_ansi("\n".join(lines[:LINES])))
    console.print(Text("  …", "dim"))
    drawn = console.export_svg(theme=DIMMED_MONOKAI, code_format=FRAME, unique_id="t")
    keep(FOLDER / "terminal.svg", drawn.encode())


def report(work: Path) -> None:
    """``report.png``: the first screen of the report of a sentiment run."""
    run = embedded_run("sentiment", work)
    with browser(1280, 900) as shown:
        shown.goto((run / "report.html").as_uri())
        shown.wait_for_timeout(500)
        keep(FOLDER / "report.png", shown.screenshot())


def page(work: Path) -> None:
    """``page.png``: the served page, with a text typed to a classifier and a tagger."""
    runs = [embedded_run(task, work) for task in ("sentiment", "tagging")]
    with served(runs) as address, browser(1280, 760) as shown:
        ask(shown, address)
        keep(FOLDER / "page.png", shown.screenshot())


def sheets(work: Path) -> None:
    """``screenshots/``: each task's report and the served page, in all widths, light and dark."""
    runs = [embedded_run(task, work) for task in TASKS]
    SHEETS.mkdir(exist_ok=True)
    with served(runs) as address:
        for width, scheme in product(WIDTHS, SCHEMES):
            with browser(width, 900, scheme) as shown:
                for run in runs:
                    shown.goto((run / "report.html").as_uri())
                    shown.wait_for_timeout(500)
                    shown.screenshot(
                        path=SHEETS / f"{run.name}-{width}-{scheme}.png", full_page=True
                    )
                ask(shown, address)
                shown.screenshot(path=SHEETS / f"page-{width}-{scheme}.png", full_page=True)
    print(f"{SHEETS.relative_to(ROOT)}/: {len(list(SHEETS.iterdir()))} pictures")


def ask(shown: Any, address: str) -> None:
    """Type a text into the served page and wait for the answers."""
    shown.goto(address)
    shown.fill("#text", TYPED)
    shown.locator("mark").first.wait_for()
    shown.locator(".bars").first.wait_for()
    shown.wait_for_timeout(500)


@contextmanager
def served(runs: list[Path]) -> Iterator[str]:
    """The address at which ``birnn serve`` shows these runs."""
    command = [sys.executable, str(ROOT / "cli.py"), "serve", *map(str, runs), "--port", "0"]
    server = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert server.stdout is not None
        found = (re.search(r"http://\S+", line) for line in server.stdout)
        yield next(match[0] for match in found if match)
    finally:
        server.terminate()
        server.wait()


PICTURES: dict[str, Callable[[Path], None]] = {
    "terminal": terminal, "report": report, "page": page, "sheets": sheets,
}  # fmt: skip


@contextmanager
def browser(width: int, height: int, scheme: Scheme = "light") -> Iterator[Any]:
    """A page of Debian's Chromium of this size, in CSS pixels, light or dark."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield chromium.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        chromium.close()


def embedded_run(task: str, work: Path) -> Path:
    """The default run of a task; trained once, which takes a minute or two."""
    run = work / task
    if not (run / "config.json").is_file():
        command = [sys.executable, str(ROOT / "cli.py"), task, "--out", str(run)]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return run


def write_series(path: Path) -> None:
    """The embedded series as a file."""
    from birnn.data.samples import electricity

    table = electricity()[0].data.to_pandas()
    table.to_csv(path, index=False)


def keep(path: Path, content: bytes) -> None:
    """Write a picture that is small enough to be committed."""
    if len(content) > LARGEST:
        raise SystemExit(f"{path.name}: {len(content):,} bytes, more than {LARGEST:,}")
    path.write_bytes(content)
    print(f"{path.relative_to(ROOT)}: {len(content):,} bytes")


def main() -> None:
    """Make the pictures that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *PICTURES])
    parser.add_argument("--work", help="where runs are kept between calls")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(given.work or folder)
        work.mkdir(parents=True, exist_ok=True)
        for name in given.names or PICTURES:
            PICTURES[name](work)


if __name__ == "__main__":
    main()
