"""Frozen dataclasses that say what to build and how to train it.

A field made by :func:`option` carries its help, its choices and its bounds; the command
line, the TOML reader and the checks below are all derived from it.
"""

import dataclasses
import math
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from birnn.errors import ConfigError, brief
from birnn.registry import ENCODERS, ENGINES, suggestion
from birnn.search import Around, Search, Span, choice

T = TypeVar("T")
LARGEST_SEED = 2**31 - 1  # what every generator takes


def option(
    default: Any, help: str, *, choices: typing.Iterable[str] | None = None,
    low: float | None = None, high: float | None = None,
    group: str = "Model", level: str = "everyday", search: Search | None = None,
) -> Any:  # fmt: skip
    """A dataclass field with its help in plain words and the values that it takes.

    An ``advanced`` one is shown only by ``--help-all``; ``search`` is where ``tune`` looks for a
    better value, if it does.
    """
    known = None if choices is None else tuple(choices)
    bounds = {"choices": known, "low": low, "high": high, "search": search}
    metadata = {"help": help, **bounds, "group": group, "level": level}
    return dataclasses.field(default=default, metadata=metadata)


advanced = partial(option, level="advanced")


def threads_option(group: str = "Training", level: str = "advanced") -> Any:
    """The option of threads, wherever models run."""
    text = "CPU threads. 0: all cores that this process may use, at most 16."
    return option(0, text, low=0, high=1024, group=group, level=level)


def device_option(group: str = "Training", default: str = "auto") -> Any:
    """The option of the device, wherever models run."""
    text = "Where the model runs: cpu, cuda, cuda:1, mps; auto: a GPU if there is one."
    return option(default, text, group=group)


def engine_option(group: str = "Training", level: str = "advanced") -> Any:
    """The option of the recurrences' engine, wherever models run."""
    text = (
        "What computes the recurrences: C compiled on first use (native), cuDNN, oneDNN or torch's"
        " own operations. auto: the fastest that can."
    )
    return option("auto", text, choices=("auto", *ENGINES), group=group, level=level)


@dataclass(frozen=True)
class EncoderConfig:
    """A stack of recurrent layers; see :mod:`birnn.nn.encoders`."""

    encoder: str = option(
        "bigru", "The recurrent cell to train.", choices=ENCODERS, search=choice("bigru", "bilstm")
    )
    hidden_size: int = option(
        128, "Units of each direction of a recurrent layer.", low=1, high=8192,
        search=Around(2, step=32),
    )  # fmt: skip
    layers: int = option(
        1, "Recurrent layers on top of each other.", low=1, high=64, search=Span(1, 2)
    )
    bidirectional: bool = advanced(True, "Read the sequence in both directions.")
    dropout: float = advanced(0.0, "Dropout between recurrent layers.", low=0, high=0.95)
    locked_dropout: float = advanced(
        0.0, "Variational dropout of the encoder's inputs and states: one mask for all steps.",
        low=0, high=0.95,
    )  # fmt: skip
    norm: str = advanced(
        "none", "Normalise the states of each layer; batch norm counts real positions only.",
        choices=("none", "layer", "batch"),
    )  # fmt: skip
    residual: bool = advanced(False, "Add a layer's input to its output where the sizes agree.")


training = partial(option, group="Training")
tuning = partial(training, level="advanced")


@dataclass(frozen=True)
class TrainConfig:
    """How :func:`birnn.training.loop.fit` trains."""

    epochs: int = training(
        12, "Passes over the training split, or, of few items, --epoch-steps batches each.",
        low=1, high=100_000,
    )  # fmt: skip
    epoch_steps: int = tuning(
        1, "Batches of an epoch, at least: few items make smaller ones (--least-batch) and are gone"
        " over several times. 1: an epoch is one pass.",
        low=1, high=100_000,
    )  # fmt: skip
    least_batch: int = tuning(
        0, "Items to which the default batch size is halved, at most, for an epoch of --epoch-steps"
        " batches; 0, or with another --batch-size: not at all.",
        low=0,
    )  # fmt: skip
    batch_size: int = training(64, "Items in a batch, at most.", low=1, search=Around(2))
    batch_tokens: int = tuning(
        8192, "Padded tokens in a batch, at most; a longer item goes alone.", low=1
    )
    accumulate: int = tuning(1, "Batches whose gradients are summed before each step.", low=1)
    learning_rate: float = training(2e-3, "Peak learning rate of AdamW.", low=0, search=Around(3))
    weight_decay: float = tuning(
        0.0, "Decoupled weight decay of AdamW.", low=0, search=choice(0.0, 0.001, 0.01, 0.05)
    )
    beta2: float = tuning(0.999, "Decay of AdamW's squared gradients.", low=0, high=0.99999)
    schedule: str = tuning(
        "cosine", "How the learning rate moves after warm-up: constant, cosine to 0, or one-cycle.",
        choices=("constant", "cosine", "one-cycle"),
    )  # fmt: skip
    warmup: float = tuning(
        0.1, "Share of all steps in which the learning rate rises.", low=0, high=1
    )
    clip_norm: float = tuning(1.0, "Clip the norm of all gradients at this; 0 leaves them.", low=0)
    ema: float = tuning(
        0.0, "Decay of the moving average of the weights that is evaluated and saved; 0 is off.",
        low=0, high=0.99999,
    )  # fmt: skip
    monitor: str = tuning("", "Validation metric that chooses the epoch (empty: the task's own).")
    patience: int = tuning(4, "Stop after this many epochs without a better score; 0 never.", low=0)
    freeze: str = tuning(
        "none",
        "Layers that keep their weights: the embeddings, or all below the head (encoder); see"
        " --thaw-every.",
        choices=("none", "embeddings", "encoder"),
    )
    thaw_every: int = tuning(
        0, "Let one more frozen layer learn, from the top down, each time so many epochs are over;"
        " 0: frozen to the end.",
        low=0,
    )  # fmt: skip
    layer_decay: float = tuning(
        1.0, "A layer learns at the rate of the one above it over this; ULMFiT's is 2.6, 1 is the"
        " same for all.",
        low=1, high=1000,
    )  # fmt: skip
    mixed_precision: str = tuning(
        "no",
        "Coarser arithmetic in training, for speed: tf32 or fp16 on a GPU, bf16 on one or on a CPU"
        " that multiplies it; no: float32.",
        choices=("no", "tf32", "bf16", "fp16"),
    )
    device: str = device_option()
    threads: int = threads_option()
    engine: str = engine_option()
    seed: int = training(0, "Seed of one training run.", low=0, high=LARGEST_SEED)
    search_trials: int = advanced(
        0, "Trials of the search that chose these options, which the run then tells: written by"
        " tune. 0: none.",
        low=0, group="Run",
    )  # fmt: skip


def from_dict(cls: type[T], values: Mapping[str, Any]) -> T:
    """Build the dataclass ``cls`` from plain values, strictly; what is not given is its default.

    Raises:
        ConfigError: an unknown key (with the nearest right one), a value of the wrong type,
            outside its bounds, or not among its choices.
    """
    return updated(cls(), values)


def updated(config: T, values: Mapping[str, Any]) -> T:
    """A copy of ``config``, nested ones too, with ``values`` checked as by :func:`from_dict`."""
    fields = {f.name: f for f in dataclasses.fields(config)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(type(config))
    built: dict[str, Any] = {}
    for key, value in values.items():
        if key not in fields:
            raise ConfigError(f"unknown option {brief(key)}{suggestion(str(key)[:80], fields)}")
        if not dataclasses.is_dataclass(hints[key]):
            built[key] = check_value(key, value, hints[key], fields[key].metadata)
        elif isinstance(value, Mapping):
            built[key] = updated(getattr(config, key), value)
        else:
            raise ConfigError(f"{key}: expected a table of options, got {brief(value)}")
    return dataclasses.replace(config, **built)  # type: ignore[type-var]


def flatten(options: Mapping[str, Any], *, dotted: bool = False) -> Iterator[tuple[str, Any]]:
    """The plain options of nested tables, each with its name, in order.

    >>> list(flatten({"seed": 1, "train": {"epochs": 2}}, dotted=True))
    [('seed', 1), ('train.epochs', 2)]
    """
    for name, value in options.items():
        if isinstance(value, Mapping):
            for inner, plain in flatten(value, dotted=dotted):
                yield f"{name}.{inner}" if dotted else inner, plain
        else:
            yield name, value


def flat_names(config: Any) -> set[str]:
    """The names of all plain fields of ``config``, nested ones too."""
    return {name for name, _ in flatten(dataclasses.asdict(config))}


def apply(config: T, values: Mapping[str, Any]) -> T:
    """A copy of ``config`` with those of the flat ``values`` that are its own, checked."""
    fields = {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}  # type: ignore[arg-type]
    groups = {n: apply(v, values) for n, v in fields.items() if dataclasses.is_dataclass(v)}
    own = {n: v for n, v in values.items() if n in fields and n not in groups}
    return updated(dataclasses.replace(config, **groups), own)  # type: ignore[type-var]


def with_flat(config: T, values: Mapping[str, Any]) -> T:
    """A copy of ``config`` with the flat ``values``, all of which must be its own.

    Raises:
        ConfigError: an unknown option (with the nearest right one), or a value it can't have.
    """
    names = flat_names(config)
    for name in values:
        if name not in names:
            raise ConfigError(f"unknown option {name!r}{suggestion(name, names)}")
    return apply(config, values)


def check_value(name: str, value: Any, hint: Any, metadata: Mapping[str, Any]) -> Any:
    """Return ``value`` as the type ``hint``, or raise a ConfigError that names ``name``."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in kinds:
        return None
    kind = next(k for k in kinds if k is not type(None))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 2**1000 else math.inf
    if type(value) is not kind:
        raise ConfigError(f"{name}: expected {_KINDS[kind]}, got {brief(value)}")
    if kind is float and not math.isfinite(value):
        raise ConfigError(f"{name}: expected a finite number, got {brief(value)}")
    if kind is str and "\0" in value:
        raise ConfigError(f"{name}: holds a NUL character")
    choices = metadata.get("choices")
    if choices is not None and value not in choices:
        names = f"{', '.join(choices)}{suggestion(str(value)[:80], choices)}"
        raise ConfigError(f"{name}: {brief(value)} is not one of {names}")
    low, high = metadata.get("low"), metadata.get("high")
    if low is not None and value < low:
        raise ConfigError(f"{name}: must be at least {low}, got {brief(value)}")
    if high is not None and value > high:
        raise ConfigError(f"{name}: must be at most {high}, got {brief(value)}")
    return value


_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
