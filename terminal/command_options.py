"""Configuration dataclasses → command-line options, and TOML files and options → configuration."""

import dataclasses
import inspect
import tomllib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from birnn.config import apply, engine_option, flat_names, flatten, option, threads_option
from birnn.errors import ConfigError
from birnn.registry import suggestion
from birnn.training.checkpoint_options import CheckpointConfig


@dataclass(frozen=True)
class RunOptions:
    """Where a run goes, and how many."""

    out: str = option("", "Folder of the run. Empty: runs/TASK-ENCODER-TIME.", group="Run")
    overwrite: bool = option(
        False,
        "Replace the run that --out holds; refused where anything else lies there.",
        group="Run",
    )
    seeds: int = option(
        1, "Train this many seeds (--seed, --seed + 1, …); report mean and deviation.",
        low=1, high=1000, group="Run",
    )  # fmt: skip
    resume: str = option(
        "", "Go on with this unfinished run, from its newest checkpoint, as it began.", group="Run"
    )
    keep: CheckpointConfig = dataclasses.field(default_factory=CheckpointConfig)


@dataclass(frozen=True)
class EvaluateOptions:
    """What a run is evaluated on."""

    data: str = option(
        "", "Labelled data, as for training. Empty: the run's own data.", group="Data"
    )
    split: str = option("test", "Split to score: train, validation or test.", group="Data")
    engine: str = engine_option("Machine")
    threads: int = threads_option("Machine")
    json: bool = option(False, "Print the scores as JSON.", group="Output")


@dataclass(frozen=True)
class ExportOptions:
    """What a run is exported as, and where to."""

    onnx: bool = option(False, "Write an ONNX graph and a predict.py for it.", group="Format")
    int8: bool = option(
        False, "Also write a graph with weights of 8 bits, and measure what it costs.",
        group="Format",
    )  # fmt: skip
    data: str = option(
        "", "Labelled data on which --int8 is measured. Empty: the run's own data.", group="Data"
    )
    split: str = option(
        "validation", "Split that it is measured on: train, validation or test.", group="Data"
    )
    out: str = option("", "Folder of the export. Empty: RUN-onnx, beside the run.", group="Output")
    overwrite: bool = option(False, "Replace the export that is there.", group="Output")
    json: bool = option(False, "Print what was checked as JSON.", group="Output")


@dataclass(frozen=True)
class CompareOptions:
    """How runs are compared."""

    metric: str = option(
        "", "The one test score to show. Empty: those that the run's report compares.",
        group="Output",
    )  # fmt: skip
    out: str = option(
        "", "Draw the curves of all runs into this .png file, or compare.png of this folder.",
        group="Output",
    )  # fmt: skip
    json: bool = option(False, "Print everything as JSON.", group="Output")


@dataclass(frozen=True)
class OutputOptions:
    """How something is shown."""

    json: bool = option(False, "Print it as JSON.", group="Output")


@dataclass(frozen=True)
class PushOptions:
    """How a run is shared."""

    private: bool = option(False, "Make a new repository private.", group="Hub")
    to: str = option(
        "", "Write the repository's files to this folder; nothing is sent.", group="Hub"
    )


@dataclass(frozen=True)
class PredictOptions:
    """What is predicted, and where to."""

    input: str = option(
        "",
        "File of texts: .txt (one a line), .csv, .tsv, .json, .jsonl, .parquet; a tagger also takes"
        " .conll, .conllu and lists of tokens, and gives them back with a column more; a forecaster"
        " takes a file of series.",
        group="Data",
    )
    text_column: str = option("", "Column of the texts. Empty: found by name.", group="Data")
    encoding: str = option("utf-8-sig", "Encoding of the input file.", group="Data")
    engine: str = engine_option("Machine")
    threads: int = threads_option("Machine")
    output: str = option(
        "",
        "Write records to this .csv, .json, .jsonl or .txt file (taggers: .conll, .conllu too).",
        group="Output",
    )
    escape_formulas: bool = option(
        False,
        "In a .csv output, put an apostrophe before text that a spreadsheet would run as formula.",
        group="Output",
    )
    json: bool = option(False, "Print records as JSON lines.", group="Output")
    n_best: int = option(
        0, "Also give this many of the likeliest tag sequences of each text (taggers).",
        low=0, high=100, group="Output",
    )  # fmt: skip
    explain: bool = option(
        False,
        "Show what each text's prediction looked at, where the model can say.",
        group="Output",
    )


def parameters(config: Any) -> list[inspect.Parameter]:
    """Keyword parameters for every plain field of ``config``, nested dataclasses flattened."""
    found = []
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found += parameters(value)
            continue
        meta = field.metadata
        text = meta["help"] + (f" One of: {', '.join(meta['choices'])}." if meta["choices"] else "")
        flag = "--" + field.name.replace("_", "-")
        names = [f"{flag}/--no-{flag[2:]}"] if hints[field.name] is bool else [flag]
        declared = typer.Option(
            *names, help=text, rich_help_panel=meta["group"], show_default=value != ""
        )
        kind: Any = Annotated[hints[field.name], declared]
        keyword = inspect.Parameter.KEYWORD_ONLY
        found.append(inspect.Parameter(field.name, keyword, default=value, annotation=kind))
    return found


def with_options(
    handler: Callable[..., None],
    configs: Mapping[str, Any],
    arguments: list[inspect.Parameter],
    base: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> Callable[..., None]:
    """A Typer callback that calls ``handler`` with arguments and finished configurations.

    Args:
        handler: called with each of ``arguments`` by name and each of ``configs`` by its key.
        configs: default configurations; their fields become options, and keys of ``--config``.
        arguments: positional parameters.
        base: makes of the options that are given the configurations that they change, where these
            are not the defaults.
    """

    def callback(ctx: typer.Context, config: str, **values: Any) -> None:
        given = {n: v for n, v in values.items() if _given(ctx, n)}
        positional = {p.name: values[p.name] for p in arguments}
        chosen = {n: v for n, v in given.items() if n not in positional}
        merged = {**(read_toml(Path(config), configs) if config else {}), **chosen}
        bases = base(merged) if base else configs
        handler(**positional, **{n: apply(part, merged) for n, part in bases.items()})

    help_text = "TOML file of these options (dashes or underscores; tables are only for order)."
    file = Annotated[
        str, typer.Option("--config", help=help_text, rich_help_panel="Run", show_default=False)
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = [
        *arguments,
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
        *(part for config in configs.values() for part in parameters(config)),
        inspect.Parameter("config", keyword, default="", annotation=file),
    ]
    callback.__signature__ = inspect.Signature(signature)  # type: ignore[attr-defined]
    callback.__annotations__ = {part.name: part.annotation for part in signature}
    return callback


def _given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def read_toml(path: Path, configs: Mapping[str, Any]) -> dict[str, Any]:
    """Read options from a TOML file, tables flattened, dashes as underscores.

    Raises:
        ConfigError: no such file, not TOML, or an unknown key (with the nearest right one).
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read {path}: {error.strerror or error}") from None
    except ValueError as error:  # TOML's own, of its encoding, or of a number beyond Python's limit
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{path} is not valid TOML: nested too deeply") from None
    names = set().union(*(flat_names(config) for config in configs.values()))
    values: dict[str, Any] = {}
    for key, value in flatten(found):
        name = key.replace("-", "_")
        if name not in names:
            raise ConfigError(f"{path}: unknown option {key!r}{suggestion(name, names)}")
        if name in values:
            raise ConfigError(f"{path}: the option {key!r} stands there twice")
        values[name] = value
    return values
