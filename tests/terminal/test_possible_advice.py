"""What a refusal advises, its command can do: no option is named that it doesn't have."""

import ast
import datetime
import re
from pathlib import Path

import pytest
import typer

import birnn as package
from birnn.cli import app
from birnn.data.wording import OPTION, possible

COMMANDS = {
    name: {flag for part in one.params for flag in (*part.opts, *part.secondary_opts)}
    for name, one in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
}
ALL = set().union(*COMMANDS.values())


def messages() -> list[str]:
    """Texts of the code that name an option; what is put into them is a letter."""
    found = []
    for path in sorted(Path(package.__file__).parent.glob("*/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                parts = (str(part.value) if isinstance(part, ast.Constant) else "x"
                         for part in node.values)  # fmt: skip
                found.append("".join(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return [text for text in found if OPTION.search(text) and "\n" not in text]


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_no_text_of_the_code_names_an_option_that_the_command_lacks(command):
    texts = messages()
    assert len(texts) > 80
    for text in texts:
        for whole in (text, f"x.csv: what is wrong; {text}", f"x.csv: y ({text}); do z"):
            said = possible(whole, COMMANDS[command], ALL)
            assert set(OPTION.findall(said)) & ALL <= COMMANDS[command], said
            assert said.strip()


def test_what_stays_of_a_message():
    own, known = {"--day-first"}, {"--day-first", "--duplicates", "--target"}
    text = "x: a stamp twice; take it out, or choose --duplicates mean, first or last"
    assert possible(text, own, known) == (
        "x: a stamp twice; take it out; mend the file: what the run was trained with stays"
        " (duplicates)"
    )
    assert possible("x: odd; say --day-first", own, known) == "x: odd; say --day-first"
    assert possible("no column '--mine'; there are: a", own, known).endswith("there are: a")


@pytest.fixture(scope="module")
def series_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from birnn import cli

    folder = tmp_path_factory.mktemp("series")
    write(folder / "x.csv")
    run = folder / "run"
    options = ["--epochs", "1", "--hidden-size", "4", "--horizon", "7", "--out", str(run)]
    assert cli.main(["forecast", str(folder / "x.csv"), *options]) == 0
    return run


def write(path: Path, at: int = 0, line: str = "") -> Path:
    start = datetime.date(2024, 1, 1)
    rows = [f"{start + datetime.timedelta(i)},{100 + i % 7}" for i in range(120)]
    rows[at:at] = [line] if line else []
    path.write_text("\n".join(["date,sales", *rows]) + "\n")
    return path


@pytest.mark.parametrize(
    "line", ["2024-01-10,5", "2024-01-10 13:00,5", "2024-01-10,many", "someday,5", ",5"]
)
@pytest.mark.parametrize("command", [("predict", "--input"), ("evaluate", "--data")])
def test_odd_series(birnn, series_run, tmp_path, line, command):
    path = write(tmp_path / "x.csv", 10, line)
    said = birnn(command[0], series_run, command[1], path).refusal()
    assert set(re.findall(OPTION, said)) <= COMMANDS[command[0]], said
    assert "; " in said


@pytest.mark.parametrize("command", [("predict", "--input"), ("evaluate", "--data")])
def test_renamed_columns(birnn, trained, tmp_path, command):
    path = tmp_path / "x.csv"
    path.write_text("number,mark\n1,2\n3,4\n")
    said = birnn(command[0], trained, command[1], path).refusal()
    assert set(OPTION.findall(said)) <= COMMANDS[command[0]], said
    assert "--text-column" in said
