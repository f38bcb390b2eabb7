"""The engines of the recurrences: who computes a layer, and why that one.

``native``
    C compiled for this processor (:mod:`birnn.native`): GRU and LSTM on a CPU, in float32. Where
    bfloat16 is asked for and the processor multiplies it, the factors of products are rounded to
    it; elsewhere they stay float32, which is quicker there.
``cudnn``
    One dense call for both directions on an NVIDIA GPU, where torch calls cuDNN.
``onednn``
    The same on a CPU, where torch calls oneDNN; LSTM only.
``torch``
    Two left-to-right passes in whatever torch has for them: the fallback, in any precision on any
    device, for any recurrence.

In float32 all give the same states and gradients to 1e-5 of their scale. :func:`choose` takes the
first that can do the work, in the order of :data:`birnn.registry.ENGINES`, unless one is forced.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from birnn.config import EncoderConfig, TrainConfig
from birnn.errors import ConfigError
from birnn.nn.batch import is_traced
from birnn.nn.devices import resolve_device
from birnn.nn.scan import CellWeights, Recurrence, closed_scan, continued_scan, reversed_scan
from birnn.registry import ENCODERS, ENGINES, load, resolve

AUTO = "auto"
PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16}  # of --mixed-precision; else float32
LayerScan = Callable[[Recurrence, Tensor, Tensor, Sequence[CellWeights]], Tensor]


class Work(NamedTuple):
    """What an engine is asked to do."""

    recurrence: Recurrence
    device: torch.device
    precision: torch.dtype  # of the arithmetic: autocast's where that is on


class Engine(NamedTuple):
    """One way to run a layer: ``(recurrence, x [B, T, F], lengths [B], directions)`` → states.

    They are ``[B, T, D*H]``, zero in the padding, whatever the padding of ``x`` holds.
    """

    title: str  # what it is, in words
    scan: LayerScan
    missing: Callable[[Work], str | None]  # why it can't do the work, or None


class Choice(NamedTuple):
    """The engine that runs, and why a better one does not."""

    name: str
    title: str
    note: str  # "" where nothing is amiss
    half: bool = False  # whether the compiled engine's products are in bfloat16


_forced = AUTO
_TRACED = "a model that is traced needs torch's own operations"  # what engines do is not exported


def force(name: str) -> None:
    """Run every layer of this process on the engine ``name``; :data:`AUTO` chooses again.

    Raises:
        ConfigError: there is no such engine.
    """
    global _forced
    if name != AUTO:
        resolve(ENGINES, name, "engine")
    _forced = name


@contextmanager
def forced(name: str) -> Iterator[None]:
    """:func:`force` within a block."""
    before = _forced
    force(name)
    try:
        yield
    finally:
        force(before)


def choose(work: Work) -> Engine:
    """The engine for ``work``: the forced one, else the first that can do it.

    Raises:
        ConfigError: the forced one can't; the message says why.
    """
    if _forced != AUTO:
        engine: Engine = resolve(ENGINES, _forced, "engine")
        if reason := engine.missing(work):
            raise ConfigError(f"engine: {_forced} can't run here: {reason}; use --engine auto")
        return engine
    return TORCH if _traced() else _untraced(work)


@cache
def _untraced(work: Work) -> Engine:
    return next(engine for _, engine in _table() if not engine.missing(work))


def describe(work: Work) -> Choice:
    """Name the engine that :func:`choose` takes, and say why it isn't the compiled one."""
    engine = choose(work)
    name = next(name for name, other in _table() if other is engine)
    if engine is NATIVE and work.precision == torch.bfloat16:
        return Choice(name, *_half_words())
    reason = NATIVE.missing(work) if _forced == AUTO and work.device.type == "cpu" else None
    return Choice(name, engine.title, _note(reason))


def _half_words() -> tuple[str, str, bool]:
    """What the compiled engine is where bfloat16 is asked for, what is amiss, if it does it."""
    half = load("birnn.native.library:library")().half
    if half.make:
        return f"{NATIVE.title}; products in bfloat16 by {half.words}", half.note, True
    return NATIVE.title, f"recurrences stay in float32: {half.words}", False


def engine_for(encoder: EncoderConfig, train: TrainConfig) -> Choice:
    """The engine that trains the layers of ``encoder`` as ``train`` asks.

    Raises:
        ConfigError: it can't run here, or there is no such device; the message says why.
    """
    recurrence = resolve(ENCODERS, encoder.encoder, "encoder").recurrence
    kind = PRECISIONS.get(train.mixed_precision, torch.float32)
    work = Work(recurrence, resolve_device(train.device), kind)
    with forced(train.engine):
        return describe(work)


def compiled_serves() -> bool:
    """Whether compiled code may run on this CPU: it can be had, and no other engine is forced."""
    return _forced in (AUTO, "native") and not _traced() and _compiled_missing() is None


def cpu_note() -> str:
    """Why the compiled engine doesn't serve models on this CPU; "" where it does, or none asks."""
    return _note(_compiled_missing() if _forced == AUTO else None)


def _note(reason: str | None) -> str:
    return f"the compiled engine can't run, a slower one does: {reason}" if reason else ""


def run(
    recurrence: Recurrence, x: Tensor, lengths: Tensor, directions: Sequence[CellWeights]
) -> Tensor:
    """Run one layer on the engine of the moment; see :class:`Engine`."""
    work = Work(recurrence, x.device, precision(x))
    return choose(work).scan(recurrence, x, lengths, directions)


def run_on(
    recurrence: Recurrence, x: Tensor, weights: CellWeights, before: Sequence[Tensor]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run one direction of a layer on from states; see :func:`birnn.nn.scan.continued_scan`."""
    work = Work(recurrence, x.device, precision(x))
    if choose(work) is not NATIVE:
        return continued_scan(recurrence, x, weights, before)
    lengths = torch.full((x.shape[0],), x.shape[1])
    half = work.precision == torch.bfloat16
    layer = load("birnn.native.scan:native_layer")
    states, memory = layer(recurrence, x, lengths, [weights], before, memory=True, half=half)
    last = states[:, -1].unsqueeze(0)
    return states, (last,) if memory is None else (last, memory)


def precision(x: Tensor) -> torch.dtype:
    """The precision in which a layer of ``x`` is computed."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


@cache
def _table() -> tuple[tuple[str, Engine], ...]:
    return tuple((name, resolve(ENGINES, name, "engine")) for name in ENGINES)


def _native_scan(
    recurrence: Recurrence, x: Tensor, lengths: Tensor, directions: Sequence[CellWeights]
) -> Tensor:
    # By its name: nothing is compiled before it is asked for, and native takes the types of here.
    scan = load("birnn.native.scan:native_scan")
    half = precision(x) == torch.bfloat16
    states: Tensor = scan(recurrence, x, lengths, directions, half=half)
    return states


def _in_precision(scan: LayerScan) -> LayerScan:
    """``scan`` in the precision of the moment, by casts of our own; autocast gives float32 states.

    Left to itself, autocast would run cuDNN in float16 where bfloat16 is asked for.
    """

    def cast_scan(
        recurrence: Recurrence, x: Tensor, lengths: Tensor, directions: Sequence[CellWeights]
    ) -> Tensor:
        kind = x.device.type
        if not torch.is_autocast_enabled(kind):
            return scan(recurrence, x, lengths, directions)
        half = precision(x)
        cast = [CellWeights(*(part.to(half) for part in weights)) for weights in directions]
        with torch.autocast(kind, enabled=False):
            return scan(recurrence, x.to(half), lengths, cast).float()

    return cast_scan


def _native_missing(work: Work) -> str | None:
    if work.device.type != "cpu":
        return f"it is for a CPU, not for {work.device.type}"
    if work.precision not in (torch.float32, torch.bfloat16):
        return f"it computes in float32, not in {str(work.precision).removeprefix('torch.')}"
    if work.recurrence.name not in ("gru", "lstm"):
        return f"it knows no {work.recurrence.name}"
    return _TRACED if _traced() else _compiled_missing()


def _traced() -> bool:
    return is_traced() or torch.compiler.is_compiling()


def _compiled_missing() -> str | None:
    reason: str | None = load("birnn.native.library:missing")()
    return reason


def _cudnn_missing(work: Work) -> str | None:
    there = work.device.type == "cuda" and torch.backends.cudnn.is_available()
    if not there:
        return "there is no NVIDIA GPU with cuDNN in use"
    if not work.recurrence.shut:
        return f"it knows no {work.recurrence.name}"
    return _TRACED if _traced() else None


def _onednn_missing(work: Work) -> str | None:
    if work.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return "this torch has no oneDNN here"
    if work.recurrence.name != "lstm":
        return f"torch gives oneDNN no {work.recurrence.name}"
    if work.precision not in (torch.float32, torch.bfloat16):
        return "it computes in float32 or bfloat16"
    return _TRACED if _traced() else None


CUDNN = Engine("cuDNN, one dense call", _in_precision(closed_scan), _cudnn_missing)
NATIVE = Engine("C, compiled for this processor", _native_scan, _native_missing)
ONEDNN = Engine("oneDNN, one dense call", _in_precision(closed_scan), _onednn_missing)
TORCH = Engine("torch's own operations", _in_precision(reversed_scan), lambda work: None)
