#!/usr/bin/env python3
"""Forecast what comes after a CSV of series with model.onnx and model.json, beside this file.

Needs Python 3.11, numpy and onnxruntime. Usage:

    python predict.py new.csv
    python predict.py --json new.csv
    python predict.py --model model.int8.onnx new.csv

The file has the columns of the run's own: a time, and a column a series (wide) or columns of
names and values (long). Stamps are written YYYY-MM-DD, with a time or not, or are whole numbers,
and stand on the run's grid; other ways to write them, time zones and covariates other than
calendar features are refused, and so are stamps that a series has twice. Gaps are treated as the
run's options say. The answers are those of the trained run.
"""

import argparse
import csv
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from birnn.tasks.export.script_common import ITEMS, ExportedModel, run

STAMP = re.compile(r"(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:[T ](\d{1,2}:\d{2}(?::\d{2})?))?")
PHASES = ("minute", "hour", "weekday", "monthday", "month")
CALENDAR = {f"calendar:{name}:{part}" for name in PHASES for part in ("sin", "cos")}


class Predictor(ExportedModel):
    """The model of a folder: ``Predictor(folder).predict(path)`` → a record a step of a series."""

    def __init__(self, folder: Path, model: str = "model.onnx") -> None:
        super().__init__(folder, model)
        self.clock = self.card["clock"]
        if unlike := self.card["columns"].get("unlike"):
            raise ValueError(f"{unlike}: this script can't read such files; use birnn predict")
        names, dated = ", ".join(self.card["covariates"][:5]), self.clock["kind"] != "whole"
        made = CALENDAR.issuperset(self.card["covariates"]) and (dated or not names)
        if not made or len(self.card["covariates"]) != len(self.card["covariate_moments"][0]):
            raise ValueError(f"the run reads covariates ({names}); feed model.onnx yourself")
        if self.clock["kind"] != "whole" and not self.card["columns"]["time"]:
            raise ValueError("model.json does not say which column holds the time")
        if self.clock["kind"] == "other":
            raise ValueError(f"steps of {self.clock['name']} can't be counted here; use birnn")

    def series(self, path: Path) -> list[tuple[str, Any, Any]]:
        """Name, first stamp and history of each series of a file, trimmed to what was observed."""
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            head = [name.strip() for name in next(reader, [])]
            rows = [row for row in reader if any(cell.strip() for cell in row)]
        columns = self.card["columns"]
        wanted = [*([columns["time"]] if columns["time"] else []), *columns["ids"]]
        lost = [name for name in [*wanted, *columns["targets"]] if name not in head]
        if lost or not columns["targets"]:
            raise ValueError(f"{path}: no column {', '.join(lost) or 'of values'}; the run has it")
        if bad := [i for i, row in enumerate(rows, start=2) if len(row) != len(head)]:
            raise ValueError(f"{path} line {bad[0]}: expected {len(head)} cells")
        cells = {name: [row[head.index(name)].strip() for row in rows] for name in set(head)}
        counted = np.arange(len(rows))
        stamps = self.stamps(path, cells[columns["time"]]) if columns["time"] else counted
        names = ["/".join(parts) for parts in zip(*(cells[c] for c in columns["ids"]), strict=True)]
        groups: dict[str, list[int]] = {}
        for row, name in enumerate(names):
            groups.setdefault(name, []).append(row)
        histories = []
        for target in columns["targets"]:
            values = np.array([number(path, target, cell) for cell in cells[target]])
            if not columns["ids"]:
                histories.append((target, *self.grid(path, stamps, values)))
            for name, mine in groups.items():
                if name:
                    histories.append((name, *self.grid(path, stamps[mine], values[mine])))
        least, drop = self.card["horizon"] + 2, self.card["missing"] == "drop"
        long = [part for part in histories if len(part[2]) >= least]
        long = [part for part in long if not drop or np.isfinite(part[2]).all()]
        if not long:
            raise ValueError(f"{path}: no series has the {least} steps that are needed")
        return long

    def stamps(self, path: Path, cells: list[str]) -> Any:
        """A column of stamps: whole numbers, or nanoseconds."""
        if self.clock["kind"] == "whole":
            if bad := [cell for cell in cells if not re.fullmatch(r"[+-]?\d{1,18}", cell)]:
                raise ValueError(f"{path}: the stamp {bad[0]!r} is no whole number")
            return np.array([int(cell) for cell in cells])
        written = []
        for cell in cells:
            if not (match := STAMP.fullmatch(cell)):
                raise ValueError(f"{path}: can't read the stamp {cell!r}; write YYYY-MM-DD HH:MM")
            year, month, day, time = match.groups()
            hour, _, rest = (time or "00:00").partition(":")
            written.append(f"{year}-{month:0>2}-{day or 1:0>2}T{hour:0>2}:{rest}")
        return np.array(written, dtype="datetime64[ns]")

    def places(self, stamps: Any) -> Any:
        """The step of each stamp, counted from a fixed one; None off the grid."""
        kind, step = self.clock["kind"], self.clock["step"]
        if kind in ("whole", "fixed"):
            apart = (stamps - stamps.min()).astype(np.int64)
            return apart // step if not (apart % step).any() else None
        days = stamps.astype("datetime64[D]")
        if (days != stamps).any():
            return None
        if kind == "business":
            on = np.is_busday(days)
            return np.busday_count(days.min(), days) if on.all() else None
        shifted = days if self.clock["at"] == "start" else days + 1
        months = shifted.astype("datetime64[M]")
        apart = (months - months.min()).astype(np.int64)
        on = (months.astype("datetime64[D]") == shifted).all() and not (apart % step).any()
        return apart // step if on else None

    def grid(self, path: Path, stamps: Any, values: Any) -> tuple[Any, Any]:
        """The first stamp with a value, and the values from there to the last one."""
        keep = np.argsort(stamps, kind="stable")
        stamps, values = stamps[keep], values[keep]
        if not np.isfinite(values).any():
            return None, np.zeros(0)
        steps = self.places(stamps)
        jumps = np.diff(steps) if steps is not None else np.zeros(0)
        if steps is None or (len(jumps) and np.median(jumps) > 1):
            raise ValueError(f"{path}: its stamps are not on the run's grid ({self.clock})")
        if (jumps == 0).any():
            raise ValueError(f"{path}: the stamp {stamps[1:][jumps == 0][0]} stands there twice")
        if steps[-1] > 100 * len(steps) + 10_000:
            raise ValueError(f"{path}: the gap between its stamps is too long")
        whole = np.full(int(steps[-1]) + 1, np.nan)
        whole[steps] = values
        seen = np.flatnonzero(np.isfinite(whole))
        known = whole[seen[0] : seen[-1] + 1]
        if np.isnan(known).any() and self.card["missing"] == "fail":
            raise ValueError(f"{path}: values are missing, which the run's options refuse")
        if self.card["missing"] == "interpolate":
            known = np.interp(np.arange(len(known)), seen - seen[0], whole[seen])
        return stamps[steps == seen[0]][0], known

    def stamps_of(self, start: Any, steps: Any) -> Any:
        """The stamps of steps that are counted from ``start``."""
        kind, step = self.clock["kind"], self.clock["step"]
        if kind == "whole":
            return np.array([int(start) + step * int(i) for i in steps])
        if kind == "fixed":
            return start + (steps * step).astype("timedelta64[ns]")
        if kind == "business":
            return np.busday_offset(start.astype("datetime64[D]"), steps)
        late = self.clock["at"] == "end"
        month = (start.astype("datetime64[D]") + late).astype("datetime64[M]")
        return (month + steps * step).astype("datetime64[D]") - late

    def calendar(self, start: Any, steps: Any) -> Any:
        """Calendar features of steps, scaled, ``[len(steps), K]``; 0 before ``start``."""
        shares = phases(self.stamps_of(start, np.maximum(steps, 0)))
        columns = [name.split(":")[1:] for name in self.card["covariates"]]
        turns = [(2 * np.pi * shares[name], part) for name, part in columns]
        rows = np.stack([np.sin(x) if part == "sin" else np.cos(x) for x, part in turns], -1)
        shift, scale = np.array(self.card["covariate_moments"])
        return np.where((steps >= 0)[:, None], (rows - shift) / scale, 0).astype(np.float32)

    def feeds(self, part: list[Any], shift: Any, scale: Any, numbers: Any) -> dict[str, Any]:
        """The graph's inputs: the last steps of each history, in segments, the real ones first."""
        look, size, horizon = (self.card[name] for name in ("lookback", "segment", "horizon"))
        many = -(-look // size)
        lengths = np.array([max(-(-min(len(h), look) // size), 1) for _, _, h in part])
        segments = np.zeros((len(part), int(lengths.max()), size), dtype=np.float32)
        observed, width = np.zeros_like(segments), len(self.card["covariates"])
        covariates = np.zeros((*segments.shape, width), dtype=np.float32)
        ahead = np.zeros((len(part), horizon, width), dtype=np.float32)
        for row, (_, start, history) in enumerate(part):
            last = (history[-look:] - shift[row]) / scale[row]
            whole = np.concatenate([np.full(many * size - len(last), np.nan), last])
            whole = whole.reshape(many, size)[many - lengths[row] :]
            observed[row, : lengths[row]] = np.isfinite(whole)
            segments[row, : lengths[row]] = np.nan_to_num(whole)
            if width:
                steps = len(history) + np.arange(-size * lengths[row], horizon)
                known = self.calendar(start, steps)
                covariates[row, : lengths[row]] = known[:-horizon].reshape(-1, size, width)
                ahead[row] = known[-horizon:]
        feeds = {"segments": segments, "observed": observed, "covariates": covariates,
                 "ahead": ahead, "series": numbers, "lengths": lengths}  # fmt: skip
        return {name: feeds[name] for name in self.card["inputs"]}

    def predict(self, path: Path) -> list[dict[str, Any]]:
        """``id``, ``time``, ``mean`` and the bounds of each level, a record a step."""
        card, records = self.card, []
        known, histories = {n: i for i, n in enumerate(card["names"])}, self.series(path)
        for begin in range(0, len(histories), ITEMS):
            part = histories[begin : begin + ITEMS]
            numbers = np.array([known.get(name, -1) for name, _, _ in part])
            pairs = [
                (card["shift"][i], card["scale"][i]) if i >= 0 else moments(history)
                for i, (_, _, history) in zip(numbers, part, strict=True)
            ]
            shift, scale = np.array(pairs).T
            feeds = self.feeds(part, shift, scale, numbers + 1)
            scaled = self.session.run(["forecast"], feeds)[0].astype(np.float64)
            values = scaled * scale[:, None, None] + shift[:, None, None]
            for row, (name, start, history) in enumerate(part):
                bounds = self.bounds(values[row], int(numbers[row]), scale[row])
                mean = clip(values[row, :, values.shape[2] // 2], card)
                stamps = self.stamps_of(start, len(history) + np.arange(card["horizon"]))
                if self.clock["kind"] != "whole":
                    stamps = stamps.astype("datetime64[s]")
                for step, stamp in enumerate(map(str, stamps)):
                    time = stamp.replace("T", " ")
                    record = {"id": name, "time": time, "mean": float(mean[step])}
                    for level, low, high in bounds:
                        record[f"lower_{level * 100:g}"] = float(low[step])
                        record[f"upper_{level * 100:g}"] = float(high[step])
                    records.append(record)
        return records

    def bounds(self, values: Any, series: int, scale: float) -> list[tuple[float, Any, Any]]:
        """Each level's interval around ``values [H, Q]``: a radius, or quantiles moved by one."""
        card, intervals = self.card, []
        if not card["levels"]:
            return []
        table = np.array(card["radius"])
        # A series that the run doesn't know has the widest radius of all.
        own = table[0] if len(table) == 1 else table[series] if series >= 0 else table.max(0)
        least, most = np.inf, -np.inf
        for k, level in enumerate(card["levels"]):
            radius = own[k] * scale
            if card["quantiles"]:
                shares = np.array(card["quantiles"])
                below = np.abs(shares - (1 - level) / 2).argmin()
                above = np.abs(shares - (1 + level) / 2).argmin()
                low, high = values[:, below] - radius, values[:, above] + radius
                middle = (low + high) / 2
                low = least = np.minimum(least, np.minimum(low, middle))
                high = most = np.maximum(most, np.maximum(high, middle))
            else:
                point = clip(values[:, values.shape[1] // 2], card)
                low, high = point - radius, point + radius
            intervals.append((level, clip(low, card), clip(high, card)))
        return intervals


def phases(stamps: Any) -> dict[str, Any]:
    """Where stamps stand in their hour, day, week, month and year, from 0 to 1."""
    days, months = stamps.astype("datetime64[D]"), stamps.astype("datetime64[M]")
    minutes = (stamps.astype("datetime64[m]") - days).astype(np.int64)
    hours, minute = np.divmod(minutes, 60)
    first = months.astype("datetime64[D]")
    size = ((months + 1).astype("datetime64[D]") - first).astype(np.int64)
    share = (days - first).astype(np.int64) / size
    return {
        "minute": minute / 60, "hour": (hours + minute / 60) / 24, "monthday": share,
        "weekday": ((days.astype(np.int64) + 3) % 7 + hours / 24) / 7,
        "month": (months.astype(np.int64) % 12 + share) / 12,
    }  # fmt: skip


def clip(values: Any, card: dict[str, Any]) -> Any:
    """Values within the run's least and largest, where it has them."""
    if card["min"] is None and card["max"] is None:
        return values
    return np.clip(values, card["min"], card["max"])


def moments(history: Any) -> tuple[float, float]:
    """Mean and standard deviation of what was observed; the latter 1 where nothing changes."""
    known = history[np.isfinite(history)]
    mean = known.mean()
    spread = float(np.sqrt(np.square(known - mean).mean()))
    return mean, 1.0 if spread <= 1e-9 * max(abs(mean), 1e-300) else spread


def number(path: Path, column: str, cell: str) -> float:
    """A cell as a number; NaN where it is empty or infinite."""
    if not cell:
        return float("nan")
    try:
        value = float(cell)
    except ValueError:
        raise ValueError(f"{path}: {cell!r} in the column {column!r} is no number") from None
    return value if np.isfinite(value) else float("nan")


def show(records: list[dict[str, Any]]) -> None:
    """Print records as CSV."""
    writer = csv.DictWriter(sys.stdout, fieldnames=list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Forecast what comes after a CSV of series.")
    parser.add_argument("file")
    sys.exit(run(parser, Predictor, lambda given: Path(given.file), show))
