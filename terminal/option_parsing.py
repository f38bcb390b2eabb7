"""Configuration dataclasses → command-line options and TOML, and back to configurations."""

import dataclasses
import inspect
import tomllib
import typing
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.models import OptionInfo

from birnn.config import apply, flat_names, flatten
from birnn.data.wording import possible
from birnn.errors import BirnnError, ConfigError
from birnn.registry import suggestion
from birnn.terminal.help import HelpAll, HelpCommand

Handler = Callable[..., None]
Configs = Mapping[str, Any]  # by their parameters' names
Base = Callable[[Mapping[str, Any]], Configs]
OF_RUNS = ("evaluate", "predict", "explain")  # read files as a run's own were read
KEYWORD = inspect.Parameter.KEYWORD_ONLY
TOML = "TOML file of these options (dashes or underscores; tables are only for order)."
SHOW = "Print the options as TOML, for --config, and stop."
run_option = partial(typer.Option, rich_help_panel="Run")
Config = Annotated[str, run_option("--config", help=TOML, show_default=False)]
ShowConfig = Annotated[bool, run_option("--show-config", help=SHOW)]


def command(
    app: typer.Typer,
    name: str,
    defaults: Configs | None = None,
    base: Base | None = None,
    summary: str = "",
) -> Callable[[Handler], Handler]:
    """A decorator that makes a function a command; its signature says what the command takes.

    The fields of a parameter that is a dataclass are options, on the command line and in a file
    that ``--config`` names; any other parameter is what Typer makes of it.

    Args:
        defaults: of parameters, where these are not their dataclass's own.
        base: makes of what is given the configurations that it changes, if not the defaults.
        summary: in place of the docstring.
    """

    def decorate(handler: Handler) -> Handler:
        callback = with_options(handler, defaults or {}, base)
        app.command(name, cls=HelpCommand, help=summary or handler.__doc__)(callback)
        return handler

    return decorate


def with_options(handler: Handler, defaults: Configs, base: Base | None) -> Handler:
    """A Typer callback that calls ``handler`` with finished configurations; see :func:`command`."""
    takes = inspect.signature(handler).parameters.values()
    configs = {
        p.name: defaults.get(p.name) or p.annotation()
        for p in takes
        if p.name in defaults or dataclasses.is_dataclass(p.annotation)
    }
    plain = [p.replace(kind=KEYWORD) for p in takes if p.name not in configs]

    def callback(ctx: typer.Context, config: str, help_all: bool, **values: Any) -> None:
        direct = {p.name: values.pop(p.name) for p in plain}
        source = {name: getattr(ctx.get_parameter_source(name), "name", "") for name in values}
        chosen = {name: v for name, v in values.items() if source[name] == "COMMANDLINE"}
        merged = {**(read_toml(Path(config), configs) if config else {}), **chosen}
        bases = base(merged) if base else configs
        given = {name: apply(part, merged) for name, part in bases.items()}
        try:
            handler(**direct, **given)
        except BirnnError as error:
            if ctx.command.name in OF_RUNS and ctx.parent is not None:
                error.args = (possible(str(error), *_options(ctx)), *error.args[1:])
            raise

    options = [part for config in configs.values() for part in parameters(config)]
    options += [inspect.Parameter("config", KEYWORD, default="", annotation=Config)]
    options += [p for p in plain if isinstance(p.annotation.__metadata__[0], OptionInfo)]
    context = inspect.Parameter("ctx", KEYWORD, annotation=typer.Context)
    help_all = inspect.Parameter("help_all", KEYWORD, default=False, annotation=HelpAll)
    signature = [*(p for p in plain if p not in options), context, *options, help_all]
    callback.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    callback.__annotations__ = {part.name: part.annotation for part in signature}
    return callback


def _options(ctx: typer.Context) -> tuple[set[str], set[str]]:
    """The options of the command, and those of all commands."""
    assert ctx.parent is not None
    commands: Mapping[str, Any] = getattr(ctx.parent.command, "commands", {})
    named = {
        name: {flag for part in one.params for flag in (*part.opts, *part.secondary_opts)}
        for name, one in commands.items()
    }
    return named.get(str(ctx.command.name), set()), set().union(*named.values())


def parameters(config: Any) -> list[inspect.Parameter]:
    """Keyword parameters for every plain field of ``config``, nested dataclasses flattened."""
    declared = []
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value, meta, hint = getattr(config, field.name), field.metadata, hints[field.name]
        if dataclasses.is_dataclass(value):
            declared += parameters(value)
            continue
        flag = "--" + field.name.rstrip("_").replace("_", "-")  # class_: a word of Python's
        option = typer.Option(
            f"{flag}/--no-{flag[2:]}" if hint in (bool, bool | None) else flag, help=meta["help"],
            metavar=f"[{'|'.join(meta['choices'])}]" if meta["choices"] else None,
            rich_help_panel=meta["group"], show_default=value not in ("", None),
            hidden=meta["level"] == "advanced",
        )  # fmt: skip
        kind: Any = Annotated[hint, option]
        declared.append(inspect.Parameter(field.name, KEYWORD, default=value, annotation=kind))
    return declared


def read_toml(path: Path, configs: Mapping[str, Any]) -> dict[str, Any]:
    """Read options from a TOML file, tables flattened, dashes as underscores.

    Raises:
        ConfigError: no such file, not TOML, or an unknown key (with the nearest right one).
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read {path}: {error.strerror or error}") from None
    except ValueError as error:  # TOML's own, of its encoding, or of a number beyond Python's limit
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path} is not valid TOML: nested too deeply") from None
    names = set().union(*(flat_names(config) for config in configs.values()))
    values: dict[str, Any] = {}
    for key, value in flatten(document):
        name = key.replace("-", "_")
        name = f"{name}_" if f"{name}_" in names else name
        if name not in names:
            raise ConfigError(f"{path}: unknown option {key!r}{suggestion(name, names)}")
        if name in values:
            raise ConfigError(f"{path}: the option {key!r} stands there twice")
        values[name] = value
    return values
