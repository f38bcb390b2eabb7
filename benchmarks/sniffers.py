"""Which CSV sniffer reads files with known content right: the figures in docs/data.md.

    pip install duckdb clevercsv
    python benchmarks/sniffers.py --count 1000 --seed 0

The files are those of ``benchmarks/generated.py tables`` that can be read in one sensible way and
are no JSON. A sniffer gets the decoded file as UTF-8. What it reads is right if every cell is.
"""

import argparse
import csv
import importlib
import io
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

import dialects  # noqa: E402

Cells = list[list[str]]


def with_duckdb(path: Path) -> Cells:
    """DuckDB's sniffer and reader."""
    duckdb = importlib.import_module("duckdb")
    relation = duckdb.sql(f"FROM read_csv('{path}', all_varchar=true)")
    return [list(relation.columns), *([c or "" for c in row] for row in relation.fetchall())]


def with_clevercsv(path: Path) -> Cells:
    """CleverCSV's consistency measure and its reader."""
    clevercsv = importlib.import_module("clevercsv")
    text = path.read_bytes().decode()
    dialect = clevercsv.Sniffer().sniff(text)
    return list(clevercsv.reader(io.StringIO(text, newline=""), dialect))


def with_csv(path: Path) -> Cells:
    """The standard library's sniffer and reader."""
    text = path.read_bytes().decode()
    dialect = csv.Sniffer().sniff(text[:100_000])
    return list(csv.reader(io.StringIO(text, newline=""), dialect))


def with_pandas(path: Path) -> Cells:
    """Pandas with ``sep=None``, which asks the standard library."""
    import pandas as pd

    frame = pd.read_csv(
        path, sep=None, engine="python", dtype=str, keep_default_na=False, header=None
    )
    return [list(row) for row in frame.itertuples(index=False)]


def with_birnn(path: Path) -> Cells:
    """This project's reader."""
    from birnn.data.tables.sources import load_tables

    (table,) = load_tables(str(path)).splits.values()
    arrow = table.with_format("arrow")[:]
    rows = zip(*(arrow.column(i).to_pylist() for i in range(arrow.num_columns)), strict=True)
    return [list(arrow.column_names), *(list(row) for row in rows)]


SNIFFERS: dict[str, Callable[[Path], Cells]] = {
    "DuckDB": with_duckdb, "CleverCSV": with_clevercsv, "csv.Sniffer": with_csv,
    "pandas, sep=None": with_pandas, "birnn": with_birnn,
}  # fmt: skip


def judge(sample: dialects.Sample, read: Cells) -> str:
    """``right``, or ``columns`` where the fields are cut otherwise, or ``cells``."""
    meant = list(zip(*(c.cells for c in sample.columns), strict=True))
    width = len(sample.columns)
    some = [row for row in read if any(row)]
    body = [tuple(row[:width]) for row in some if not any(row[width:])][-len(meant) :]
    if not some or max(map(len, some)) not in (width, width + bool(sample.dialect.trailing)):
        return "columns"
    return "right" if body == [row for row in meant if any(row)] else "cells"


def main() -> None:
    """Print a table: how many each reads right, otherwise, and refuses; seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    samples = [dialects.make(seed) for seed in range(options.seed, options.seed + options.count)]
    samples = [s for s in samples if s.verdict == "clear" and s.dialect.form == "csv"]
    print(
        f"{len(samples):,} files\n\n| | right | other columns | other cells | refused | seconds |"
    )
    print("|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, sniff in SNIFFERS.items():
            if options.only and options.only != name:
                continue
            counts, begun = Counter[str](), time.perf_counter()
            for sample in samples:
                path = Path(folder) / "x.csv"
                path.write_bytes(sample.data.decode(sample.encoding).encode())
                try:
                    counts[judge(sample, sniff(path))] += 1
                except Exception:
                    counts["refused"] += 1
            shares = " | ".join(
                f"{counts[kind] / len(samples):.1%}"
                for kind in ("right", "columns", "cells", "refused")
            )
            print(f"| {name} | {shares} | {time.perf_counter() - begun:.0f} |", flush=True)


if __name__ == "__main__":
    main()
