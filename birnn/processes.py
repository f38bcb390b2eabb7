"""Several processes at one piece of work, as torchrun starts them: which one is this, who writes.

Alone, the usual case, every function here is the identity and loads nothing. A command that can be
shared joins its processes once, by :func:`birnn.training.launching.join_processes`; whoever asks
before, or never does, is alone.

What one process meets alone (a bad file, a full disk) needs no care: it ends with its line; the
others, which wait for it somewhere, hear of that and end alike (:func:`speaks`,
:func:`last_words`).
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from birnn.errors import ConfigError, DataError, LostProcessError

T = TypeVar("T")
_FAILURE, _CLAIMS = "failure", "claims"  # in the store
_LOST = ("gloo", "Gloo", "NCCL", "nccl", "onnection", "Timed out")  # in what torch says of it
_PATIENCE, _PAUSE = 5.0, 0.1  # seconds: for the last words of another process, between looks


@dataclass(frozen=True)
class Group:
    """The processes that have joined, seen from one of them."""

    rank: int
    count: int
    store: Any  # a torch.distributed.Store, which outlives a process that fails
    control: Any  # a group on CPUs, for counts and decisions
    patient: Any  # the same, for waiting while one process works


_group: Group | None = None
_lost = False  # whether another one is gone
_sharing = False  # whether each process has its own part to do
_everyone = False  # and all of them get what they make together


def launched() -> bool:
    """Whether a launcher has started several processes."""
    return _number("WORLD_SIZE", 1) > 1


def _number(name: str, default: int) -> int:
    """A whole number of the environment.

    Raises:
        ConfigError: it is none.
    """
    value = os.environ.get(name, "")
    if value and not value.isdecimal():
        raise ConfigError(f"{name}: {value[:40]!r} is no number; a launcher sets it")
    return int(value) if value else default


def place() -> tuple[int, int, int, int]:
    """As the launcher says: rank and count, of all and of those on this machine.

    Raises:
        ConfigError: it says no such thing.
    """
    missing = [name for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR") if name not in os.environ]
    if missing:
        how = "start several processes with torchrun or accelerate launch, or unset WORLD_SIZE"
        raise ConfigError(f"WORLD_SIZE is set, and {', '.join(missing)} not: {how}")
    rank, count, local = _number("RANK", 0), _number("WORLD_SIZE", 1), _number("LOCAL_RANK", 0)
    return rank, count, local, max(_number("LOCAL_WORLD_SIZE", 1), local + 1)


def joined(group: Group | None) -> None:
    """From here on, this process is one of a ``group``; of None: alone."""
    global _group
    _group = group


def rank() -> int:
    """The number of this process, from 0."""
    return _group.rank if _group else 0


def count() -> int:
    """How many processes share the work."""
    return _group.count if _group else 1


def is_main() -> bool:
    """Whether this process is the one that writes and prints."""
    return rank() == 0


@contextmanager
def together() -> Iterator[Group]:
    """The group, in a block in which all of it meets; there is one.

    Raises:
        LostProcessError: another process is gone.
    """
    global _lost
    assert _group is not None
    try:
        yield _group
    except RuntimeError as error:
        if not any(sign in str(error) for sign in _LOST):
            raise
        _lost = True
        raise LostProcessError("another process of this command has ended") from error


def is_ending() -> bool:
    """Whether this process ends because another one has: a launcher's signal says nothing new."""
    return _lost


def gathered(value: T) -> list[T]:
    """The value that each process has, by rank; all of them must ask."""
    if _group is None:
        return [value]
    import torch.distributed as dist

    found: list[Any] = [None] * _group.count
    with together() as group:
        dist.all_gather_object(found, value, group=group.control)
    return found


def collected(value: T, *, everyone: bool | None = None) -> list[T]:
    """Within :func:`sharing`, what each has made of its part, by rank: on the main process.

    The others, which ask too, get nothing, unless ``everyone`` does (as :func:`sharing` was asked
    for). Where nothing is shared, the one value.
    """
    if _group is None or not _sharing:
        return [value]
    if _everyone if everyone is None else everyone:
        return gathered(value)
    import torch.distributed as dist

    found: list[Any] = [None] * _group.count if _group.rank == 0 else []
    with together() as group:
        dist.gather_object(value, found or None, group=group.patient)
    return found


def from_main(make: Callable[[], T]) -> T:
    """What ``make`` gives on the main process, which alone calls it; the others wait for that."""
    if _group is None:
        return make()
    import torch.distributed as dist

    box: list[Any] = [make() if _group.rank == 0 else None]
    with together() as group:
        dist.broadcast_object_list(box, group=group.patient)
    return box[0]  # type: ignore[no-any-return]


def barrier() -> None:
    """Wait until all processes are here."""
    from_main(lambda: None)


def summed(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Within :func:`sharing`, counts of all processes' parts (arrays), added in rank order.

    A process that had no item may lack some. Where nothing is shared, the counts as they are.
    """
    if not _sharing:
        return dict(counts)
    found: dict[str, Any] = {}
    for part in gathered(dict(counts)):
        for name, value in part.items():
            found[name] = found[name] + value if name in found else value
    return found


@contextmanager
def sharing(*, everyone: bool = False) -> Iterator[None]:
    """Within, what says that it can be shared goes over this process's part (:func:`part_of`).

    What they make of their parts is put together by the main process, or by ``everyone``.
    """
    global _sharing, _everyone
    before = _sharing, _everyone
    _sharing, _everyone = count() > 1, everyone
    try:
        yield
    finally:
        _sharing, _everyone = before


@contextmanager
def apart() -> Iterator[None]:
    """Within :func:`sharing`, a block in which nothing is shared."""
    global _sharing
    before, _sharing = _sharing, False
    try:
        yield
    finally:
        _sharing = before


def agree(token: str, what: str) -> None:
    """Check that all processes have the same ``token``.

    Raises:
        DataError: they don't; ``what`` then differs.
    """
    barrier()  # with patience: one may have needed longer
    tokens = gathered(token)
    if other := [str(rank) for rank, found in enumerate(tokens) if found != tokens[0]]:
        ranks = f"process {', '.join(other[:8])} of {len(tokens)}"
        raise DataError(f"{ranks} reads other {what} than process 0; give all the same files")


def is_sharing() -> bool:
    """Whether each process has its own part to do just now."""
    return _sharing


def part_of(parts: Sequence[T]) -> Sequence[T]:
    """Those of ``parts`` that this process does: all of them, or, within :func:`sharing`, its own.

    Each part is one process's, the part ``n`` that of rank ``n`` modulo their count.
    """
    return parts[rank() :: count()] if _sharing else parts


def speaks(code: int) -> bool:
    """Whether the line of an error, which ends this process with ``code``, is to be printed here.

    It is where no other process has come before: several that meet the same are heard once.
    """
    if _group is None:
        if not launched() or os.environ.get("RANK", "0") == "0":
            return True
        with suppress(KeyboardInterrupt):  # the first to end has all others ended by the launcher
            time.sleep(_PATIENCE)
        return False
    try:
        first: bool = _group.store.add(_CLAIMS, 1) == 1
        if first:
            _group.store.set(_FAILURE, str(code))
    except RuntimeError:  # whoever held the store is gone
        return True
    return first


def last_words() -> int | None:
    """The exit code of the process that ended first; None where it was killed, and said nothing."""
    if _group is None:
        return None
    for _ in range(int(_PATIENCE / _PAUSE)):
        try:
            if _group.store.check([_FAILURE]):
                return int(_group.store.get(_FAILURE))
        except RuntimeError:
            return None
        time.sleep(_PAUSE)
    return None
