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
    """Writes rows of CSV that read back as they are.

    Cells that start like a formula are escaped where it is asked for.
    """

    def __init__(self, file: Any, *, escape: bool = False, end: str = "\n") -> None:
        self.writer = csv.writer(file, lineterminator=end)
        self.careful = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL)
        self.escape = escape

    def row(self, cells: Iterable[Any]) -> None:
        """Write one row."""
        row = [escape_formula(cell) for cell in cells] if self.escape else list(cells)
        # Python's writer leaves a carriage return bare, and readers end the row there.
        returns = any(isinstance(cell, str) and "\r" in cell for cell in row)
        (self.careful if returns else self.writer).writerow(row)
