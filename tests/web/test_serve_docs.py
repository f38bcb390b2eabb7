"""The commands and the program of docs/serve.md, against a server."""

import re
import shutil
import subprocess
import warnings

import pytest

from places import ROOT
from served import ALL, serving

PAGE = (ROOT / "docs/serve.md").read_text(encoding="utf-8")
SHELL = [text for text in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if "curl" in text]
(PROGRAM,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def running(tmp_path_factory, inputs):
    home = tmp_path_factory.mktemp("docs")
    shutil.copytree(ALL[0], home / "reviews")
    shutil.copytree(ALL[2], home / "demand")
    shutil.copy(inputs / "series.csv", home / "demand.csv")
    with serving(home / "reviews", home / "demand") as server:
        yield server, home


def here(text, server):
    """A block with the address of the server in place of the usual one."""
    return text.replace("localhost:8000", f"127.0.0.1:{server.port}")


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
def test_the_commands(running):
    server, home = running
    lines = [line for text in SHELL for line in here(text, server).splitlines()]
    assert len(lines) == 3
    said = [subprocess.run(["bash", "-c", line], cwd=home, capture_output=True, text=True).stdout
            for line in lines]  # fmt: skip
    assert '"label":"good"' in said[0]
    assert '"records":[{"id":"north"' in said[1]
    assert said[2].startswith("id,time,mean,lower_50,upper_50\n")


def test_the_program(running, capsys, monkeypatch):
    server, home = running
    monkeypatch.chdir(home)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # open(…).read(), as people write it
        exec(here(PROGRAM, server), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("good {'bad': ")
    assert lines[2] == "warm"
    one, other = map(float, lines[3].split())
    assert one != other


def test_the_limits_are_the_defaults():
    from birnn.tasks.web.options import ServeOptions

    rows = re.findall(r"^\| `--([\w-]+)` \|.*\| ([\d,]+) \|$", PAGE, re.MULTILINE)
    assert len(rows) == 8
    for name, value in rows:
        assert getattr(ServeOptions(), name.replace("-", "_")) == float(value.replace(",", ""))
