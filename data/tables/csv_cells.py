"""Cells of CSV files that a spreadsheet would run as a formula."""

import csv
from collections.abc import Iterable
from typing import Any

# What starts a formula, as OWASP's page on CSV injection lists it, with the full-width forms that
# spreadsheets take for the same.
# https://owasp.org/www-community/attacks/CSV_Injection
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def escape_formula(cell: Any) -> Any:
    """``cell``, a text that starts like a formula with an apostrophe before it.

    Numbers stay what they are; all other text is left alone.

    >>> escape_formula("=1+1"), escape_formula("a=b"), escape_formula(-1.5)
    ("'=1+1", 'a=b', -1.5)
    """
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(STARTS) else cell


class RowWriter:
    """Writes rows of CSV, cells that start like a formula escaped where it is asked for."""

    def __init__(self, file: Any, *, escape: bool, end: str = "\n") -> None:
        self.writer = csv.writer(file, lineterminator=end)
        self.escape = escape

    def row(self, cells: Iterable[Any]) -> None:
        """Write one row."""
        self.writer.writerow([escape_formula(cell) for cell in cells] if self.escape else cells)
