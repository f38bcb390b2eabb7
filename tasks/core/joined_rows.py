"""Predictions of several folds as one file."""

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from birnn.data.tables.csv_cells import RowWriter
from birnn.errors import DataError

PREDICTIONS, FOLD = "predictions.csv", "fold"


def join_predictions(
    folders: Sequence[Path], items: Sequence[Sequence[int] | None], folds: Sequence[int],
    column: str, target: Path,
) -> None:  # fmt: skip
    """Write the predictions of all folds as one ``predictions.csv`` with a column ``fold``.

    The items stand in the order of the whole data, or fold by fold where origins roll. ``column``
    numbers the items in the files, where one has several rows, and numbers them anew in ``target``.

    Raises:
        DataError: an item stands in two folds, or in none: the data changed while they trained.
    """
    placed: dict[int, tuple[int, list[dict[str, str]]]] = {}
    first = 0
    for folder, own, fold in zip(folders, items, folds, strict=True):
        groups = list(_items(folder / PREDICTIONS, column))
        if groups and column:
            first = int(groups[0][0][column])
        places = range(len(placed), len(placed) + len(groups)) if own is None else own
        if len(places) != len(groups) or not placed.keys().isdisjoint(places):
            raise DataError("folds: an item stands in two folds: the data changed on the way")
        placed.update(zip(places, ((fold, rows) for rows in groups), strict=True))
    if sorted(placed) != list(range(len(placed))):
        raise DataError("folds: an item stands in no fold: the data changed on the way")
    names = dict.fromkeys(name for _, rows in placed.values() for name in rows[0])
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = RowWriter(file)
        writer.row([*names, FOLD])
        for place in range(len(placed)):
            fold, rows = placed[place]
            for row in rows:
                number = {column: str(place + first)} if column else {}
                writer.row([*({**row, **number}.get(name, "") for name in names), str(fold)])


def _items(path: Path, column: str) -> Iterator[list[dict[str, str]]]:
    """The rows of each item of a ``predictions.csv``."""
    csv.field_size_limit(sys.maxsize)
    with path.open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, str]] = []
        for row in csv.DictReader(file):
            if rows and (not column or row[column] != rows[0][column]):
                yield rows
                rows = []
            rows.append(row)
        if rows:
            yield rows
