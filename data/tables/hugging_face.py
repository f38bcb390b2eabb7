"""Hugging Face datasets, called so that whatever it raises is one line."""

import glob
import logging
import re
from functools import cache
from pathlib import Path
from typing import Any

from birnn.errors import DataError

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@cache
def library() -> Any:
    """The library, which says nothing itself; loaded when it is first asked for."""
    import datasets

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity(logging.CRITICAL)  # what it says becomes our error
    logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
    return datasets


def literal(path: Path) -> str:
    """``path`` as a pattern that matches itself alone; ``datasets`` globs whatever it is given."""
    return glob.escape(str(path))


def guarded(source: str, load: Any) -> Any:
    """Call ``load``; whatever the libraries raise becomes one line about ``source``."""
    try:
        return load()
    except DataError:
        raise
    except Exception as error:  # the libraries raise dozens of kinds for one unreadable file
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        text = " ".join(str(cause).split()) or type(cause).__name__
        if "same data file format" in text:
            text = "its splits are files of different formats; save them all in one"
        if "corresponds to no data" in text:
            text = "it holds no rows"
        if isinstance(cause, OSError) and HUB_NAME.fullmatch(source) and not Path(source).exists():
            text += "; is there a network, and is the name right?"
        raise DataError(f"{source} can't be loaded: {text[:300]}") from error
