"""What a table of steps holds."""

from typing import Any

from birnn.errors import ConfigError
from birnn.tasks.core.inspection import Counts, Inspection, attempt, lengths_in_words


def inspect_steps(task: Any) -> Inspection:
    """What the data of a regressor hold: sequences, steps, and the range of each column.

    Raises:
        ConfigError: no data is named.
        DataError: they can't be read at all.
    """
    options = task.config.data
    if not options.data:
        raise ConfigError("data: name a file; without one, regression draws synthetic sequences")
    tables = task.tables(options.data)
    data, findings = attempt(task.load)
    rows = {str(name): len(table) for name, table in tables.splits.items()}
    columns = list(next(iter(tables.splits.values())).column_names)
    facts: dict[str, Any] = {"rows": rows, "columns": columns, "reading": tables.reading}
    pairs = [
        ("rows", ", ".join(f"{name} {count:,}" for name, count in rows.items())),
        ("target", options.target),
        ("sequences by", options.sequence_column or f"every {options.length:,} rows"),
    ]
    counts = []
    notes = [*tables.notes, *tables.warnings]
    if data is not None:
        lengths = [int(n) for split in data.splits.values() for n in split.lengths]
        words, facts["lengths"] = lengths_in_words(lengths, "steps")
        names = [*data.info.features, data.info.target]
        scales = zip(names, data.info.shift, data.info.scale, strict=True)
        rows_of = [[name, float(mean), float(scale)] for name, mean, scale in scales]
        counts = [Counts("Columns of train", ["column", "mean", "deviation"], rows_of)]
        facts |= {"sequences": data.provenance["rows"], "features": data.info.features}
        pairs += [("features", ", ".join(data.info.features)), ("sequences", f"{len(lengths):,}"),
                  ("lengths", words)]  # fmt: skip
        notes = data.notes
    return Inspection(task.name, tables.source, pairs, counts, findings, notes, facts)
