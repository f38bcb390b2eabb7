"""What running text holds."""

from collections import Counter
from typing import Any

from birnn.tasks.core.inspection import Counts, Finding, Inspection, attempt, lengths_in_words

RARE = 10  # characters of train that are fewer are told


def inspect_language(task: Any) -> Inspection:
    """Documents, their characters, and what the alphabet is.

    Raises:
        DataError: the data can't be read at all.
    """
    read = task.read(task.config.data.data)
    data, findings = attempt(task.load)
    documents = [text for texts in read.splits.values() for text in texts]
    rows = {split: len(texts) for split, texts in read.splits.items()}
    counts = Counter[str]()
    for text in documents:
        counts.update(text)
    words, lengths = lengths_in_words(map(len, documents), "characters")
    rare = sorted(symbol for symbol, count in counts.items() if count < RARE)
    if rare:
        what = f"{len(rare):,} of {len(counts):,} characters stand there less than {RARE} times"
        mend = "read like the others; --min-frequency makes them unknown"
        findings.append(Finding("rare", len(rare), [], what, mend))
    pairs = [
        ("documents", ", ".join(f"{name} {count:,}" for name, count in rows.items())),
        ("characters", f"{sum(counts.values()):,}, {len(counts):,} different ones"),
        ("lengths", words),
    ]
    table = Counts("Most frequent characters", ["character", "times"],
                   [[repr(symbol), count] for symbol, count in counts.most_common(8)])  # fmt: skip
    notes = data.notes if data is not None else read.notes
    facts = {"rows": rows, "lengths": lengths, "characters": sum(counts.values())}
    return Inspection(
        task.name, read.source, pairs, [table], findings, [*notes, *read.warnings], facts
    )
