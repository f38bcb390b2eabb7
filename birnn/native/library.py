"""The compiled library: its structures, and its phases run on torch's own threads."""

import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from birnn.native.compiler import NativeError, candidates

SOURCE = Path(__file__).parent / "c" / "scan.c"
NUMBER, ADDRESS = ctypes.c_int64, ctypes.c_void_p
FUNCTIONS = {  # name → what it returns and takes
    "birnn_places": (NUMBER, [ADDRESS, NUMBER, NUMBER, ADDRESS]),
    "birnn_begin": (NUMBER, [ADDRESS, NUMBER, NUMBER]),
    "birnn_panels": (NUMBER, [ADDRESS, NUMBER]),
    "birnn_transposed": (NUMBER, [ADDRESS]),
    "birnn_half": (NUMBER, []),
    "birnn_work": (None, [ADDRESS]),
    "birnn_best_paths": (NUMBER, [ADDRESS]),
    "birnn_curves": (None, [ADDRESS, ADDRESS, ADDRESS, NUMBER]),
    "birnn_pool": (None, [ADDRESS]),
    "birnn_pool_back": (None, [ADDRESS]),
    "birnn_dropout": (None, [ADDRESS]),
    "birnn_adam": (None, [ADDRESS]),
    "birnn_rows": (None, [ADDRESS]),
    "birnn_letters": (None, [ADDRESS]),
    "birnn_letters_back": (None, [ADDRESS]),
    "birnn_posteriors_begin": (None, [ADDRESS]),
    "birnn_posteriors": (None, [ADDRESS]),
    "birnn_lanes": (NUMBER, []),
    "birnn_scan_size": (NUMBER, []),
}
DROPOUT_PART = 4096  # numbers that a thread takes at once, as in dropout.h
ROWS_PART = 64  # rows, as in rows.h
# As in phases.h.
TAKE_ROWS, PACK_FORWARD, FORWARD, PACK_BACKWARD, BACKWARD, TRANSPOSE, GRADIENTS = range(7)


def _fields(kind: Any, names: str) -> list[tuple[str, Any]]:
    """Fields of a C structure that are all of one kind; their names stand in one text."""
    return [(name, kind) for name in names.split()]


class Direction(ctypes.Structure):
    """``Direction`` of ``layout.h``."""

    _fields_ = (
        *_fields(ADDRESS, "input recurrent input_bias recurrent_bias panels kept before memory"),
        *_fields(ADDRESS, "input_gradient recurrent_gradient"),
        *_fields(ADDRESS, "input_bias_gradient recurrent_bias_gradient"),
        *_fields(ADDRESS, "first_state first_memory last_memory"),
        *_fields(ADDRESS, "first_state_gradient first_memory_gradient last_memory_gradient"),
    )


class Scan(ctypes.Structure):
    """``Scan`` of ``layout.h``."""

    _fields_ = (
        *_fields(NUMBER, "lstm directions batch steps features hidden rows blocks slice half"),
        *_fields(
            ADDRESS, "length packed dense whole x states state_gradient x_gradient transposed"
        ),
        ("direction", Direction * 2),
        *_fields(NUMBER, "first last"),
        *_fields(NUMBER * (GRADIENTS + 1), "tasks next done"),
        ("failed", NUMBER),
    )


class Chain(ctypes.Structure):
    """``Chain`` of ``chain.h``."""

    _fields_ = (
        *_fields(NUMBER, "batch steps tags"),
        *_fields(ADDRESS, "length emissions moves start end path"),
    )


class Posteriors(ctypes.Structure):
    """``Posteriors`` of ``posteriors.h``."""

    _fields_ = (
        *_fields(NUMBER, "batch steps tags"),
        *_fields(ADDRESS, "length gold emissions moves start end onward back first last"),
        *_fields(ADDRESS, "unary expected value score"),
        ("peak", ctypes.c_double),
        *_fields(NUMBER, "next given_up"),
    )


class Pool(ctypes.Structure):
    """``Pool`` of ``pool.h``."""

    _fields_ = (
        *_fields(NUMBER, "batch steps size"),
        *_fields(ADDRESS, "length states weights mean max sum place"),
        *_fields(ADDRESS, "mean_gradient max_gradient sum_gradient"),
        *_fields(ADDRESS, "state_gradient weight_gradient"),
        *_fields(NUMBER, "next"),
    )


class Dropout(ctypes.Structure):
    """``Dropout`` of ``dropout.h``."""

    _fields_ = (
        *_fields(NUMBER, "count parts"),
        *_fields(ADDRESS, "x out"),
        *_fields(NUMBER, "seed dropped next"),
    )


class Adam(ctypes.Structure):
    """``Adam`` of ``adam.h``."""

    _fields_ = (
        *_fields(NUMBER, "parts chunks"),
        *_fields(ADDRESS, "part"),
        *_fields(ctypes.c_double, "beta gamma eps scale decay"),
        *_fields(NUMBER, "next"),
    )


class Rows(ctypes.Structure):
    """``Rows`` of ``rows.h``."""

    _fields_ = (
        *_fields(NUMBER, "count size parts"),
        *_fields(ADDRESS, "rows gradient weight average first second last drift lag kept"),
        *_fields(NUMBER, "done base"),
        *_fields(ctypes.c_double, "rate root beta gamma eps scale decay"),
        *_fields(NUMBER, "next"),
    )


class Letters(ctypes.Structure):
    """``Letters`` of ``letters.h``."""

    _fields_ = (
        *_fields(NUMBER, "words size width filters step"),
        *_fields(ADDRESS, "start length vectors panel weights bias largest place gradient"),
        *_fields(ADDRESS, "vector_gradient weight_gradient bias_gradient"),
        *_fields(NUMBER, "next"),
    )


class Half(NamedTuple):
    """How this processor multiplies in bfloat16."""

    make: int  # Scan.half; 0: it does not
    words: str  # the make's name, or why there is none
    note: str = ""  # why a better one does not run


MAKES = (  # as half/makes.h counts them
    Half(0, "this processor has neither AVX512-BF16 nor AMX"),
    Half(1, "AVX512-BF16"),
    Half(2, "AMX"),
    Half(3, "AMX, whose tiles sum in an order of this processor"),
    Half(1, "AVX512-BF16", "bfloat16 without AMX: the system does not grant its use here"),
    Half(1, "AVX512-BF16", "bfloat16 without AMX: a small product by it is not what it should be"),
)


class Library:
    """The loaded library.

    Raises:
        NativeError: it can't be compiled or loaded here.
    """

    def __init__(self) -> None:
        self._lib, self.path = _open()
        self.lanes = int(self._lib.birnn_lanes())
        self.slice: int | None = None  # Scan.slice, once it is known: tuning.py
        self._fork = _openmp_fork()
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def best_paths(self, chain: Chain) -> int:
        """Fill ``chain.path``; returns −1, or the first item without a legal sequence.

        Raises:
            MemoryError: there is none left.
        """
        item = int(self._lib.birnn_best_paths(ctypes.byref(chain)))
        if item == -2:
            raise MemoryError("no memory for the scores of a chain")
        return item

    def posteriors(self, posteriors: Posteriors) -> bool:
        """Fill the posteriors of a chain; False: one of the items was given up, and all is void."""
        self._lib.birnn_posteriors_begin(ctypes.byref(posteriors))
        self._on_threads(self._lib.birnn_posteriors, posteriors, posteriors.batch)
        return not posteriors.given_up

    def curves(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The cells' own tanh and sigmoid of a contiguous float32 ``x``."""
        tanh, sigmoid = torch.empty_like(x), torch.empty_like(x)
        self._lib.birnn_curves(x.data_ptr(), tanh.data_ptr(), sigmoid.data_ptr(), x.numel())
        return tanh, sigmoid

    @cached_property
    def half(self) -> Half:
        """How products in bfloat16 are computed; asks the system for AMX where there is that."""
        return MAKES[self._lib.birnn_half()]

    def transposed(self, scan: Scan) -> int:
        """Words of 32 bits that the gradients of a scan in bfloat16 need beside what was saved."""
        return int(self._lib.birnn_transposed(ctypes.byref(scan)))

    def panels(self, scan: Scan, phase: int) -> int:
        """Floats that the packed weights of a direction take for a phase."""
        return int(self._lib.birnn_panels(ctypes.byref(scan), phase))

    def places(self, lengths: Tensor, steps: int) -> tuple[Tensor, int]:
        """Where sequences lie, longest first: ``[3, B]``, as ``Scan`` has them, and all real steps.

        Raises:
            ValueError: a length is not in [0, ``steps``].
            MemoryError: there is none left.
        """
        lengths = lengths.to("cpu", torch.int64).contiguous()
        places = torch.empty(3, len(lengths), dtype=torch.int64)
        total = self._lib.birnn_places(lengths.data_ptr(), len(lengths), steps, places.data_ptr())
        if total == -1:
            raise ValueError(f"lengths: not all are in 0 … {steps}: {lengths.tolist()}")
        if total < 0:
            raise MemoryError("no memory for the places of sequences")
        return places, int(total)

    def run(self, scan: Scan, first: int, last: int) -> None:
        """Run phases, from ``first`` to ``last``, on as many threads as torch may use.

        Raises:
            MemoryError: a thread found none for its buffers.
        """
        tasks = int(self._lib.birnn_begin(ctypes.byref(scan), first, last))
        self._on_threads(self._lib.birnn_work, scan, tasks)
        if scan.failed:
            raise MemoryError("no memory for the buffers of a recurrence")

    def pool(self, pool: Pool, *, back: bool = False) -> None:
        """Fill the views of a batch of states, or go ``back`` and fill their gradients."""
        self._on_threads(
            self._lib.birnn_pool_back if back else self._lib.birnn_pool, pool, pool.batch
        )

    def letters(self, letters: Letters, *, back: bool = False) -> None:
        """Fill the maxima of a convolution over words, or go ``back`` and fill its gradients."""
        tasks = letters.words + letters.filters * back
        work = self._lib.birnn_letters_back if back else self._lib.birnn_letters
        self._on_threads(work, letters, tasks)

    def dropout(self, x: Tensor, out: Tensor, dropped: int, seed: int) -> None:
        """Fill ``out`` with what is left of ``x``, both float32 and contiguous."""
        parts = -(-x.numel() // DROPOUT_PART)
        job = Dropout(x.numel(), parts, x.data_ptr(), out.data_ptr(), seed, dropped)
        self._on_threads(self._lib.birnn_dropout, job, parts)

    def adam(self, adam: Adam) -> None:
        """Take a step with all weights."""
        self._on_threads(self._lib.birnn_adam, adam, adam.chunks)

    def rows(self, rows: Rows) -> None:
        """Bring rows of a table up to date."""
        self._on_threads(self._lib.birnn_rows, rows, rows.parts)

    def _on_threads(self, work: Any, job: ctypes.Structure, tasks: int) -> None:
        """Let as many threads as torch may use, and as there are tasks, take those of a job."""
        address, threads = ctypes.byref(job), min(torch.get_num_threads(), tasks)
        if threads <= 1:
            work(address)
        elif self._fork is not None:
            self._fork(work, address, threads, 0)
        else:
            list(self._threads().map(work, [address] * threads))

    def _begin_anew(self) -> None:
        """A forked child has none of its parent's threads, and a lock that may be held."""
        self._pool, self._lock = None, threading.Lock()

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(torch.get_num_threads(), "birnn-scan")
        return self._pool


def _open() -> tuple[ctypes.CDLL, Path]:
    why = "no folder to write the compiled engine to; set BIRNN_CACHE to one"
    for path in candidates(SOURCE):
        try:
            return _bound(path), path
        except (OSError, AttributeError, ValueError) as error:
            why = f"the compiled engine can't be loaded: {error}"
    raise NativeError(why)


def _bound(path: Path) -> ctypes.CDLL:
    """The library in ``path``, its functions declared.

    Raises:
        OSError, AttributeError, ValueError: it is none, lacks a function, or is another version's.
    """
    library = ctypes.CDLL(str(path))
    for name, (returned, taken) in FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = returned, taken
    if library.birnn_scan_size() != ctypes.sizeof(Scan):
        raise ValueError("it lays its structures out in another way")
    return library


def _openmp_fork() -> Any:
    """Fork and join of the OpenMP runtime that torch has loaded, so that both share one pool.

    With a pool of our own, torch's idle threads, which spin for a while after each of its
    operations, would contend with ours for the cores. None where the runtime has another name.
    """
    try:
        fork = ctypes.CDLL(None).GOMP_parallel
    except (AttributeError, OSError, TypeError):
        return None
    fork.restype, fork.argtypes = None, [ADDRESS, ADDRESS, ctypes.c_uint, ctypes.c_uint]
    return fork


@cache
def _loaded() -> Library | NativeError:
    try:
        return Library()
    except NativeError as error:
        return error


def missing() -> str | None:
    """Why the library can't be had here; None where it can."""
    return str(loaded) if isinstance(loaded := _loaded(), NativeError) else None


def library() -> Library:
    """The library, compiled if need be and loaded once a process.

    Raises:
        NativeError: it can't be had here.
    """
    if isinstance(loaded := _loaded(), NativeError):
        raise loaded
    return loaded
