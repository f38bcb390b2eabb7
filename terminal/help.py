"""How the help of a command reads: everyday options, and all of them with ``--help-all``.

Typer's own panels have six columns, which cut long names and leave a third of 80 columns to the
help itself; and they can't say what is hidden. These have three.
"""

import textwrap
from collections.abc import Iterator
from copy import copy
from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup

HELP = "Help"  # the panel of the options below
CHOICES, PLAIN_CHOICES = 18, 48  # columns of what an option takes, at most
EVERYTHING = "birnn.everything"  # in a context: hidden options are shown too

Row = tuple[str, str, str]  # a name; what it takes, or how it is switched off; its help


def show_all(ctx: typer.Context, value: bool) -> None:
    """Print the help with all options, and stop."""
    if value and not ctx.resilient_parsing:
        ctx.meta[EVERYTHING] = True
        typer.echo(ctx.get_help())
        raise typer.Exit()


HelpAll = Annotated[
    bool,
    typer.Option(
        "--help-all", callback=show_all, is_eager=True, help="Show all options and exit.",
        rich_help_panel=HELP,
    ),
]  # fmt: skip


class HelpGroup(TyperGroup):
    """The program, whose own ``--help`` is off by default, so that it answers in half the time."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option; of its usual default, None, Typer would let pydantic make a truth value."""
        option: Any = super().get_help_option(ctx)
        option.default = False
        return option


class HelpCommand(TyperCommand):
    """A command whose ``--help`` leaves hidden options to ``--help-all``, and says so."""

    def panels(self, ctx: Any) -> Iterator[tuple[str, list[Row], str]]:
        """Title, rows, and a word on what is hidden, of each group of arguments or options."""
        groups: dict[str, list[Any]] = {}
        params: list[Any] = self.get_params(ctx)
        hides = any(param.hidden for param in params)
        for param in params:
            if hides or param.name != "help_all":
                other = "Arguments" if isinstance(param, TyperArgument) else HELP
                groups.setdefault(param.rich_help_panel or other, []).append(param)
        for title, group in groups.items():
            shown = [p for p in group if ctx.meta.get(EVERYTHING) or not p.hidden]
            left = len(group) - len(shown)
            more = f"{left} more: --help-all" if left else ""
            yield title, [row_of(param, ctx) for param in shown], more

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options of the plain help."""
        for title, rows, more in self.panels(ctx):
            with formatter.section(title):
                if rows:
                    formatter.write_dl([plain_row(*row) for row in rows])
                if more:
                    formatter.write_text(more)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help in panels, or write it plainly."""
        if self.rich_markup_mode is None:
            super().format_help(ctx, formatter)
            return
        from rich.console import Console, Group
        from rich.padding import Padding
        from rich.panel import Panel
        from rich.table import Table
        from rich.text import Text

        out = Console(highlight=False)
        out.print(Padding(Text(self.get_usage(ctx), "bold"), 1))
        out.print(Padding(self.help or "", (0, 1, 1, 1)), markup=False)
        for title, rows, more in self.panels(ctx):
            table = Table.grid(padding=(0, 2, 0, 0))
            table.add_column(style="bold cyan", no_wrap=True)
            table.add_column(style="yellow", no_wrap=True)
            table.add_column(ratio=1)
            for name, takes, words in rows:
                text = Text(words)
                text.highlight_regex(r"\[(default|required)\b.*\]$", "dim")
                table.add_row(name, Text(broken(takes)), text)
            parts = ([table] if rows else []) + ([Text(more, "dim")] if more else [])
            out.print(Panel(Group(*parts), title=title, title_align="left", border_style="dim"))


def plain_row(name: str, takes: str, text: str) -> tuple[str, str]:
    """Two columns; choices that are too many for the first stand in the second, where they wrap."""
    if len(takes) > PLAIN_CHOICES:
        return name, f"{takes.replace('|', '| ')} {text}"
    return f"{name} {takes}", text


def row_of(param: Any, ctx: Any) -> Row:
    """An option or argument as click records it, hidden or not."""
    visible = copy(param)
    visible.hidden = False
    if param.secondary_opts:
        visible.is_bool_flag = False
        visible.default = None if param.default is None else "on" if param.default else "off"
    names, text = visible.get_help_record(ctx)
    first, _, off = names.partition(" / ")
    name, _, takes = first.partition(" ")
    return name, off or takes, text


def broken(takes: str) -> str:
    r"""Choices on lines of few columns.

    >>> broken("[constant|cosine|one-cycle]")
    '[constant|cosine|\none-cycle]'
    """
    lines = textwrap.wrap(
        takes.replace("|", "| "), CHOICES, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines).replace("| ", "|")
