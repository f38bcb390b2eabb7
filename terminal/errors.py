"""What ends a command becomes one line on standard error and an exit code."""

import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from birnn.errors import BirnnError, Stopped

STOPPED = 130  # exit code of a command that a signal ended


def fail(message: str, code: int = 2) -> int:
    """Print one line to standard error; returns the exit code."""
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


def exit_code(command: Callable[[], Any]) -> int:
    """Run ``command``; bad input ends in one line and 2, a signal in 130.

    Raises:
        Exception: whatever is no fault of the input.
    """
    try:
        result = command()
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
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return fail("out of memory; lower --batch-size, --batch-tokens, --max-length or the sizes")
    if result == STOPPED:  # typer has caught the signal
        return fail("stopped; no run was written", STOPPED)
    return result if isinstance(result, int) else 0
