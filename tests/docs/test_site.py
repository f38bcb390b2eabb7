"""The site: every option of every command, links of the repository, formulas, nothing fetched."""

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from birnn.tasks import TASKS
from docs.tools.drawings import DRAWINGS, FOLDER, draw
from docs.tools.options import commands, options_page

from places import ROOT


@pytest.fixture(scope="module")
def parts() -> dict[str, str]:
    """Command → its part of the page of options."""
    titles = re.split(r"^## (\S.*)$", options_page(), flags=re.MULTILINE)[1:]
    return dict(zip(titles[::2], titles[1::2], strict=True))


def test_every_command_has_its_part(parts):
    assert list(parts) == list(commands())
    assert set(TASKS) <= set(parts)


@pytest.mark.parametrize("name", [*commands()])
def test_every_option_of_the_help_is_on_the_page(name, parts, birnn):
    shown = birnn(*name.split(), "--help-all").out
    flags = set(re.findall(r"^[ │]*(--[a-z][\w-]+)", shown, re.MULTILINE))
    rows = re.findall(r"^\| \*?`(--[\w-]+)`", parts[name], re.MULTILINE)
    assert len(rows) == len(set(rows))
    options = {flag for param in commands()[name].params for flag in param.opts}
    assert {flag for flag in options if flag.startswith("--")} <= {*rows, "--help"}
    assert flags | {"--help-all"} == {*rows, "--help-all"}  # shown where something is hidden


def test_what_an_option_says_means_nothing_to_markdown(parts):
    for part in parts.values():
        for row in part.splitlines():
            if row.startswith("| ") and "`" in row:
                words = re.sub(r"`[^`]*`", "", row)
                assert len(re.findall(r"(?<!\\)\|", words)) == 5, row


def test_drawings_are_as_their_script_draws_them():
    for name, (title, rows) in DRAWINGS.items():
        assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == draw(title, rows)


def test_the_shim_is_as_published():
    """iframe-worker 1.0.4, MIT: search in a site that is opened from a folder."""
    digest = "e8e412dbcfea9b7e31b5ffa288d7b6035915e714c542f4176a0cdbe262fc9609"
    shim = ROOT / "docs/vendor/iframe-worker/shim.js"
    assert hashlib.sha256(shim.read_bytes()).hexdigest() == digest
    assert "Martin Donath" in shim.with_name("LICENSE").read_text(encoding="utf-8")


def test_pictures_are_small():
    for path in (ROOT / "docs/pictures").iterdir():
        assert path.stat().st_size < 200_000, path.name


def test_readme_fits_on_two_screens():
    assert (ROOT / "README.md").read_text(encoding="utf-8").count("\n") <= 125


def test_links_of_readme_lead_somewhere():
    for link in re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        assert (ROOT / link).exists(), link


def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path: Path):
    pytest.importorskip("mkdocs", reason="make docs, which CI runs, has it")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path)]
    variables = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "encoder.html").read_text(encoding="utf-8")
    assert "<math" in page
    assert "xFORMULA" not in page
    assert "--hidden-size" in (tmp_path / "options.html").read_text(encoding="utf-8")
    for path in tmp_path.rglob("*.html"):
        assert not re.findall(r"""src=["']?https?:""", path.read_text(encoding="utf-8")), path
