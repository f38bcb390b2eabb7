"""What a source of pairs holds."""

from functools import partial
from typing import Any

from birnn.data.pairs.findings import KINDS
from birnn.data.pairs.loading import ReadPairs, load_pairs, read_pairs
from birnn.data.splits.provenance import audit, overlap_warnings
from birnn.data.wording import plural
from birnn.tasks.core.inspection import Finding, Inspection, attempt, lengths_in_words


def inspect_pairs(task: Any) -> Inspection:
    """What the data of a translator hold.

    Raises:
        DataError: they can't be read, or have no columns that could be source and target.
    """
    options = task.pair_options(task.config.data.data)
    read = read_pairs(options)
    _, refusals = attempt(partial(load_pairs, options))
    texts = {name: part.sources for name, part in read.splits.items()}
    repeats = audit(texts)
    sides = {}
    pairs = [("rows", ", ".join(f"{name} {len(part):,}" for name, part in read.splits.items()))]
    for side in ("source", "target"):
        rows = (text for part in read.splits.values() for text in getattr(part, f"{side}s"))
        words, sides[side] = lengths_in_words((len(text.split()) for text in rows), "words")
        pairs.append((side, f"{read.columns[side]}: {words}"))
    facts = {"rows": {name: len(part) for name, part in read.splits.items()},
             "columns": read.columns, "lengths": sides, **repeats,
             "odd": {n: part.odd._asdict() for n, part in read.splits.items()}}  # fmt: skip
    findings = [*refusals, *_odd(read), *_repeats(repeats, texts)]
    return Inspection(task.name, read.tables.source, pairs, [], findings, read.notes, facts)


def _odd(read: ReadPairs) -> list[Finding]:
    """Pairs that are empty, equal or uneven."""
    found = []
    for name, part in read.splits.items():
        unit = "line" if name in read.tables.lines else "row"
        for kind, places in part.odd._asdict().items():
            if places:
                done = "left out" if kind == "empty" else "kept; look at them"
                what = f"of {name} {KINDS[kind]}"
                found.append(Finding.of_rows(kind, places, what, done, unit))
        if part.apart is not None:
            text = f"from about {unit} {part.apart:,} of {name} on, lengths don't go together"
            found.append(
                Finding("apart", 1, [part.apart], text, "kept; is a line missing on one side?")
            )
    return found


def _repeats(repeats: dict[str, Any], texts: dict[str, list[str]]) -> list[Finding]:
    """Sources that stand twice, in one split or in two."""
    found = []
    counts = repeats["duplicates"]["normalised"]
    if total := sum(counts.values()):
        where = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        text = f"{plural(total, 'source')} that repeat an earlier one ({where})"
        found.append(Finding("duplicate", total, [], text, "kept; a cut puts them on one side"))
    for text in overlap_warnings(repeats, texts, "source"):
        found.append(Finding("overlap", 1, [], text, "kept"))
    return found
