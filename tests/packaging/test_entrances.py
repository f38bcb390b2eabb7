"""The ways in: cli.py of a bare checkout, the console script, an editable install."""

import shutil

import birnn

from installs import build, copy_checkout, python

ALONE = """
import importlib.util, sys
import birnn, birnn.cli, birnn.data, birnn.tasks, birnn.terminal
print(birnn.__file__, birnn.cli.__file__, birnn.tasks.__file__)
for name in ("cli", "data", "tasks", "terminal", "tests", "benchmarks"):
    assert importlib.util.find_spec(name) is None, name
    assert name not in sys.modules, name
"""


def test_the_console_script(installed, tmp_path):
    done = python([installed / "bin" / "birnn", "--version"], tmp_path, [installed])
    assert (done.returncode, done.stdout) == (0, f"birnn {birnn.__version__}\n"), done.stderr


def test_cli_py_of_a_bare_checkout(checkout, tmp_path):
    for script, folder in ((checkout / "cli.py", tmp_path), ("cli.py", checkout)):
        done = python([script, "--version"], folder)
        assert (done.returncode, done.stdout) == (0, f"birnn {birnn.__version__}\n"), done.stderr


def test_an_installed_package_is_one_name(installed, tmp_path):
    done = python(["-c", ALONE], tmp_path, [installed])
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        str(installed / "birnn" / name) for name in ("__init__.py", "cli.py", "tasks/__init__.py")
    ]


def test_an_editable_install_is_one_name(tmp_path):
    tree = copy_checkout(tmp_path / "checkout")
    shutil.unpack_archive(build("editable", tree, tmp_path / "out"), tmp_path / "site", "zip")
    home = tmp_path / "elsewhere"
    home.mkdir()
    start = f"import site; site.addsitedir({str(tmp_path / 'site')!r})"
    done = python(["-c", f"{start}\n{ALONE}"], home, [tmp_path / "site"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == str(tree / "birnn" / "__init__.py")


def test_a_checkout_without_links_says_so_in_one_line(tmp_path):
    tree = copy_checkout(tmp_path / "checkout")
    for name in ("cli.py", "data", "tasks", "terminal"):
        (tree / "birnn" / name).unlink()
        (tree / "birnn" / name).write_text(f"../{name}")  # as git does without core.symlinks
    done = python(["cli.py", "--version"], tree)
    assert done.returncode == 1
    assert "core.symlinks" in done.stderr.splitlines()[-1]
