"""What ends a command becomes one line on standard error and an exit code."""

import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from birnn import processes
from birnn.errors import BirnnError, LostProcessError, Stopped

STOPPED = 130  # exit code of a command that a signal ended


def fail(message: str, code: int = 2) -> int:
    """Print one line to standard error; returns the exit code.

    Of several processes, one prints it.
    """
    if not processes.speaks(code):
        return code
    from birnn.terminal.text import harmless, shortened

    line = shortened(" ".join(harmless(str(message)).split()))
    print(f"birnn: error: {line}", file=sys.stderr)
    return code


def flush() -> int:
    """Write what is left for standard output; returns 0, or the exit code where that can't be."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _close()
        return fail(f"standard output: {error.strerror or error}")
    return 0


def _close() -> None:
    """Let no more be written to standard output, not even at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# What torch says of a GPU → what that means, and what would help.
CAUSES = {
    "device-side assert": "the GPU met an index or a value out of range; --device cpu says which",
    "no kernel image": "this torch has no code for this GPU; install one that has, or use"
    " --device cpu",
    "driver": "the NVIDIA driver doesn't suit this torch; renew one of them, or use --device cpu",
    "CUDA": "the GPU failed; try again, another --device cuda:N, or --device cpu",
    "cuDNN": "the GPU failed; try again, --engine torch, or --device cpu",
    "CUDNN": "the GPU failed; try again, --engine torch, or --device cpu",
    "CUBLAS": "the GPU failed; try again, another --device cuda:N, or --device cpu",
}


def _of_a_library(error: Exception) -> bool:
    """Whether torch, or what runs below it, gave up: our own code raises no such error."""
    own = isinstance(error, RecursionError) or type(error) is NotImplementedError
    return not own or "aten::" in str(error)


def _cause(error: Exception) -> str:
    """What went wrong in a library, in a line: what it means where that is known, and its words."""
    from birnn.nn.devices import out_of_memory

    if out_of_memory(error):
        sizes = "--batch-size, --batch-tokens, --max-length or the sizes of training"
        return f"out of memory; lower {sizes}, or use --device cpu"
    words = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason")
    words = f"{type(error).__name__}: {words[:400]}"
    # Of an operation that is not there torch lists all devices: none of them has failed.
    listed = "" if isinstance(error, NotImplementedError) else str(error)
    known = next((cause for sign, cause in CAUSES.items() if sign in listed), "")
    return f"{known} ({words})" if known else f"torch could not go on ({words})"


def exit_code(command: Callable[[], Any]) -> int:
    """Run ``command``; bad input ends in one line and 2, a signal in 130.

    Raises:
        Exception: whatever is no fault of the input.
    """
    try:
        result = command()
    except LostProcessError as error:
        code = processes.last_words()
        return fail(str(error)) if code is None else code
    except BirnnError as error:
        return fail(str(error), STOPPED if isinstance(error, Stopped) else 2)
    except typer.TyperException as error:
        return fail(f"{error.format_message()} (see --help)")
    except (KeyboardInterrupt, typer.Abort):
        result = STOPPED
    except BrokenPipeError:
        _close()
        return 1
    except OSError as error:
        return fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    except (MemoryError, RuntimeError) as error:
        if os.environ.get("BIRNN_DEBUG") or not _of_a_library(error):
            processes.speaks(1)
            raise
        return fail(f"{_cause(error)}; BIRNN_DEBUG=1 shows where")
    except Exception:
        processes.speaks(1)
        raise
    if result == STOPPED:  # typer has caught the signal
        return fail("stopped; no run was written", STOPPED)
    return result if isinstance(result, int) else 0
