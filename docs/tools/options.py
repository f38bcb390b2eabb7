"""Every option of every command as a page of Markdown, made from the command line itself."""

import re
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument

from birnn import cli
from birnn.terminal.help import EVERYTHING, HELP, row_of

DEFAULT = re.compile(r"\s*\[(default: .*|required)\]$", re.DOTALL)
HEAD = """# All options

Made from the code when this site is built: what `--help-all` shows. Options in *italics* are
advanced ones, which `--help` leaves out. In a TOML file (`--config`) a name has no dashes before it
and underscores within: `--batch-size 32` is `batch_size = 32`, `--no-linear` is `linear = false`;
from Python it is the argument of the same name.
"""


def commands() -> dict[str, Any]:
    """Name → the command as the command line has it."""
    group: Any = typer.main.get_command(cli.app)
    found: dict[str, Any] = {}
    for name, one in group.commands.items():  # tune has a command for each task
        inner = {f"{name} {word}": part for word, part in getattr(one, "commands", {}).items()}
        found |= inner or {name: one}
    return found


def options_page() -> str:
    """The page: a part a command, a table a group of its options."""
    return "\n".join([HEAD, *(line for name in commands() for line in _command(name))]) + "\n"


def _command(name: str) -> Iterator[str]:
    command = commands()[name]
    yield f"## {name}\n\n{command.help}\n"
    context = typer.Context(command, info_name=f"birnn {name}")
    context.meta[EVERYTHING] = True
    groups: dict[str, list[Any]] = {}
    for param in command.get_params(context):
        other = "Arguments" if isinstance(param, TyperArgument) else HELP
        groups.setdefault(param.rich_help_panel or other, []).append(param)
    for title, group in groups.items():
        yield f"### {title} {{ #{anchor(name, title)} }}\n"
        yield "| option | takes | default | what it does |\n|---|---|---|---|"
        yield from (_row(param, context) for param in group)
        yield ""


def anchor(name: str, title: str) -> str:
    """What a link to a group of a command's options names."""
    return f"{name}-{title}".lower().replace(" ", "-")


def _row(param: Any, context: Any) -> str:
    name, takes, text = row_of(param, context)
    found = DEFAULT.search(text)
    default = found[1].removeprefix("default: ") if found else ""
    cells = f"`{name}`", _code(takes), _code(default), _plain(DEFAULT.sub("", text))
    first = f"*{cells[0]}*" if param.hidden else cells[0]
    return f"| {first} | {' | '.join(cells[1:])} |"


def _code(text: str) -> str:
    """Code that a cell can hold."""
    words = " ".join(text.split()).replace("`", "'")
    return f"`{words}`" if words else ""


def _plain(text: str) -> str:
    """Words whose signs mean nothing to Markdown or HTML."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))


if __name__ == "__main__":
    print(options_page())
