"""The sums of a backtest as a file: what every score of its windows is divided from.

``predictions.csv`` holds only windows that don't overlap; the scores are of all windows, so a run
keeps its :class:`~birnn.tasks.forecast.sums.Sums` beside it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from birnn.arrays import Array
from birnn.errors import CheckpointError
from birnn.storage.files import atomic_path
from birnn.tasks.core.evaluation import Evaluation
from birnn.tasks.core.run_rows import check_file
from birnn.tasks.core.stored import stored
from birnn.tasks.forecast.metrics import forecast_replicates, scores
from birnn.tasks.forecast.sums import STEPS, Sums, window_chunks
from birnn.tasks.runs.test_records import TestRecord, digest
from birnn.tasks.scoring.bootstrap import BOOTSTRAP_SEED

if TYPE_CHECKING:
    from birnn.data.series.windows import WindowSplit

NAME = "backtest.safetensors"
LIMIT = 512 * 1024 * 1024  # bytes
FLOATS = ("cells", "steps", "series_steps", "naive_absolute", "naive_squared")
PLACES = ("unit", "series")
OF_TRAIN = ("mse_scaled", "mae_scaled")  # these divide by scales of the training rows


def write_sums(folder: Path, split: "WindowSplit", sums: Sums) -> None:
    """Write ``backtest.safetensors``: the sums, and digests of the windows and the scales."""
    arrays = {name: np.ascontiguousarray(getattr(sums, name)) for name in (*FLOATS, *PLACES)}
    about = {
        "names": list(sums.names), "levels": list(sums.levels), "units": sums.units,
        "words": sums.words, "windows": len(split), "items": _items(split, sums),
        "scales": hashlib.sha256(np.ascontiguousarray(split.scale).tobytes()).hexdigest(),
    }  # fmt: skip
    with atomic_path(folder / NAME) as temporary:
        save_file(arrays, temporary, {"about": json.dumps(about)})


def _items(split: "WindowSplit", sums: Sums) -> str:
    """A digest of the windows: series, stamps, targets, and the blocks they are drawn in."""
    found = hashlib.sha256(json.dumps([split.panel.names, split.panel.clock.named()]).encode())
    starts = split.panel.starts[split.series]
    for part in (split.series, split.origin, starts, sums.unit, sums.series):
        found.update(np.ascontiguousarray(part, dtype=np.int64).tobytes())
    targets = map(split.futures, window_chunks(split, STEPS))
    for values in chain(targets, (sums.naive_absolute, sums.naive_squared)):
        found.update(np.where(np.isnan(values), np.nan, values).tobytes())  # one kind of NaN
    return found.hexdigest()


def read_windows(folder: Path, config: Mapping[str, Any]) -> TestRecord:
    """Windows of series: what a forecast run keeps.

    Raises:
        CheckpointError: ``backtest.safetensors`` is missing, as in runs of older versions, or is
            not what it should be.
    """
    path = folder / NAME
    check_file(path, LIMIT)
    try:
        sums, about = _read(path)
        evaluation = Evaluation(scores(sums), forecast_replicates(sums, BOOTSTRAP_SEED))
        items, scales, windows = str(about["items"]), str(about["scales"]), int(about["windows"])
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        line = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} is not usable ({line}); train the run again") from None
    monitors = ("mae_scaled", "mse_scaled")
    scopes = dict.fromkeys(OF_TRAIN, scales)
    return TestRecord(evaluation, items, windows, "windows", monitors, scopes=scopes)


def read_sums(folder: Path) -> Sums:
    """The sums that a run keeps.

    Raises:
        CheckpointError: they are missing or not what they should be.
    """
    path = folder / NAME
    check_file(path, LIMIT)
    try:
        return _read(path)[0]
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        line = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path} is not usable ({line}); train the run again") from None


def _read(path: Path) -> tuple[Sums, dict[str, Any]]:
    with safe_open(path, "np") as file:
        about = json.loads((file.metadata() or {})["about"])
        arrays: dict[str, Array] = {name: file.get_tensor(name) for name in (*FLOATS, *PLACES)}
    names, levels = tuple(map(str, about["names"])), tuple(map(float, about["levels"]))
    units = about["units"]
    _check(arrays, names, units)
    return Sums(names, levels, **arrays, units=units, words=str(about["words"])), about


def pool_sums(folders: Sequence[Path], target: Path) -> None:
    """Write the sums of several folds as one; a series counts once in each of them.

    So MASE and RMSSE, whose scales each fold takes from its own past, are means over the series of
    all folds. Of scores of intervals, those stay that all folds have.

    Raises:
        CheckpointError: sums are missing or not what they should be.
    """
    parts, about = [], []
    for folder in folders:
        check_file(folder / NAME, LIMIT)
        with stored(folder, "sums are"):
            sums, own = _read(folder / NAME)
        parts.append(sums)
        about.append(own)
    names = [name for name in parts[0].names if all(name in part.names for part in parts)]
    levels = [level for level in parts[0].levels if all(level in part.levels for part in parts)]
    chosen = [[part.names.index(name) for name in names] for part in parts]
    series = np.cumsum([0, *(len(part.naive_absolute) for part in parts)])
    units = np.cumsum([0, *(part.units for part in parts)])
    arrays = {
        "cells": np.concatenate([p.cells[:, k] for p, k in zip(parts, chosen, strict=True)]),
        "steps": np.sum([p.steps[:, k] for p, k in zip(parts, chosen, strict=True)], axis=0),
        "series_steps": np.concatenate([part.series_steps for part in parts], axis=1),
        "naive_absolute": np.concatenate([part.naive_absolute for part in parts]),
        "naive_squared": np.concatenate([part.naive_squared for part in parts]),
        "unit": np.concatenate([p.unit + k for p, k in zip(parts, units, strict=False)]),
        "series": np.concatenate([p.series + k for p, k in zip(parts, series, strict=False)]),
    }
    joined = {
        "names": names, "levels": levels, "units": int(units[-1]), "words": parts[0].words,
        "windows": sum(int(part["windows"]) for part in about),
        **{key: digest(part[key] for part in about) for key in ("items", "scales")},
    }  # fmt: skip
    with atomic_path(target / NAME) as temporary:
        whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        save_file(whole, temporary, {"about": json.dumps(joined)})


def _check(arrays: Mapping[str, Array], names: tuple[str, ...], units: Any) -> None:
    """Refuse arrays that don't fit together: nothing is indexed, or made, beyond their sizes."""
    for name in FLOATS:
        if arrays[name].dtype != np.float64:
            raise ValueError(f"{name} is not of float64")
    cells, size = len(arrays["unit"]), len(arrays["naive_absolute"])
    shapes = {
        "cells": (cells, len(names)), "steps": (len(arrays["steps"]), len(names)),
        "series_steps": (3, size, len(arrays["steps"])), "naive_squared": (size,),
        "unit": (cells,), "series": (cells,),
    }  # fmt: skip
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has the shape {arrays[name].shape}, not {shape}")
    if type(units) is not int or not 0 < units <= cells:
        raise ValueError(f"{units!r} blocks of {cells} cells")
    for name, bound in (("unit", units), ("series", size)):
        part = arrays[name]
        if part.dtype != np.int64 or part.min() < 0 or part.max() >= bound:
            raise ValueError(f"{name} is out of bounds")
    if not all(np.isfinite(arrays[name]).all() for name in FLOATS[:3]):
        raise ValueError("a sum is not finite")
