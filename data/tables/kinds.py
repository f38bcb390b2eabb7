"""What a value is, of the libraries of tables: none is loaded to tell.

Nobody holds a table of a library that isn't loaded.
"""

import sys
from typing import Any


def is_a(value: Any, library: str, *names: str) -> bool:
    """Whether ``value`` is an instance of a class of a library, called one of ``names``.

    >>> is_a(1, "pandas", "Series", "DataFrame")
    False
    """
    module = sys.modules.get(library)
    kinds = tuple(getattr(module, name) for name in names) if module else ()
    return isinstance(value, kinds)


def is_frame(value: Any) -> bool:
    """Whether it is a DataFrame of pandas."""
    return is_a(value, "pandas", "DataFrame")


def is_dataset(value: Any) -> bool:
    """Whether it is a Dataset of Hugging Face."""
    return is_a(value, "datasets", "Dataset")


def is_nothing(value: Any) -> bool:
    """Whether it is what stands in an empty cell: None, NaN, or a mark of pandas' own."""
    if value is None or (isinstance(value, float) and value != value):
        return True
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is pandas.NA or value is pandas.NaT)
