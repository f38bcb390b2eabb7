"""The ranges of pyproject.toml, and the two files that hold them to what is tested."""

import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
TESTS = ("samples", "onnx", "serve", "track", "tune", "test")  # what `make oldest` installs


def requirements(*extras: str) -> dict[str, Requirement]:
    """Name → what the project asks for, of itself and with these extras."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(one.name): one for one in found if one.name != "birnn"}


def pins(name: str) -> dict[str, str]:
    """Name → version of a file of constraints; every line pins one."""
    lines = (ROOT / name).read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    for one in found:
        assert re.fullmatch(r"==[\w.]+", str(one.specifier)), one
    assert len({canonicalize_name(one.name) for one in found}) == len(found)
    return {canonicalize_name(one.name): str(one.specifier)[2:] for one in found}


TESTED = pins("constraints.txt")
ALL = requirements(*TESTS, "dev")


def test_no_range_has_an_upper_end():
    for one in requirements(*EXTRAS).values():
        assert re.fullmatch(r"(>=|==)[\w.]+", str(one.specifier)), one


def test_the_oldest_are_the_lower_ends():
    lower = {name: str(one.specifier)[2:] for name, one in requirements(*TESTS).items()}
    assert pins("constraints-oldest.txt") == lower


def test_the_tested_set_lies_in_the_ranges():
    for name, one in ALL.items():
        assert one.specifier.contains(TESTED[name]), one


def test_the_tested_set_holds_all_that_comes_along():
    """Walks the installed packages; only an environment made with it can tell."""
    try:
        apart = [name for name in ALL if metadata.version(name).split("+")[0] != TESTED[name]]
    except metadata.PackageNotFoundError as missing:
        pytest.skip(f"not installed: {missing.name}")
    if apart:
        pytest.skip(f"another environment: {', '.join(apart)}")
    left, seen = [(one.name, one.extras) for one in ALL.values()], set()
    while left:
        name, extras = left.pop()
        name = canonicalize_name(name)
        # A build of torch for GPUs brings NVIDIA's libraries, which it pins itself.
        if (name, frozenset(extras)) in seen or name.startswith(("nvidia-", "cuda-", "triton")):
            continue
        seen.add((name, frozenset(extras)))
        for line in metadata.requires(name) or ():
            one = Requirement(line)
            if one.marker is None or any(one.marker.evaluate({"extra": e}) for e in ("", *extras)):
                left.append((one.name, one.extras))
    assert {name for name, _ in seen} <= set(TESTED)


@pytest.mark.parametrize("extra", ["samples", "test"])
def test_readme_says_what_make_runs(extra):
    readme, makefile = (ROOT / name for name in ("README.md", "Makefile"))
    assert (
        f'.venv/bin/python -m pip install -c constraints.txt -e ".[{extra}]"' in readme.read_text()
    )
    text = makefile.read_text()
    assert 'pip install --quiet -c $(CONSTRAINTS) -e ".[$(notdir $@)]"' in text
    assert "CONSTRAINTS ?= constraints.txt\n" in text
