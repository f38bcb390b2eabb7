"""What a file of labelled texts holds: the inspection of every classifier."""

from collections import Counter
from functools import partial
from typing import Any

from birnn.data.splits.provenance import audit, overlap_warnings
from birnn.data.text.labelled import ReadTexts, find_contradictions, load_labelled, read_labelled
from birnn.data.text.labels import class_warnings
from birnn.data.text.rows import joined_texts
from birnn.data.text.tokenizers import get_tokenizer
from birnn.data.text.twins import contradictions_in_words, wordless
from birnn.data.wording import plural
from birnn.tasks.core.inspection import Counts, Finding, Inspection, attempt, lengths_in_words

LEFT_OUT = {"an empty text": "empty_text", "no label": "no_label"}  # reason → kind of finding
MOST_CLASSES = 40  # that are drawn


def inspect_texts(task: Any) -> Inspection:
    """What the data of a ``Classification`` hold.

    Raises:
        DataError: they can't be read, or have no column of texts or labels.
    """
    data = task.config.data
    options = task.text_options(data.data)
    read = read_labelled(options)
    texts = {name: joined_texts(part.table) for name, part in read.splits.items()}
    tokenizer = get_tokenizer(data.tokenizer)
    words, lengths = lengths_in_words(
        (len(tokenizer(text)) for rows in texts.values() for text in rows), "words", data.max_length
    )
    repeats = audit(texts)
    _, refusals = attempt(partial(load_labelled, options))
    findings = [*refusals, *_odd_rows(read), *_odd_texts(read, repeats)]
    if lengths["cut"]:
        text = f"{plural(lengths['cut'], 'text')} of more than {data.max_length:,} words"
        findings.append(Finding("long", lengths["cut"], [], text, "cut there; see --max-length"))
    classes = _classes(read)
    facts = {
        "rows": {name: len(part.table) for name, part in read.splits.items()},
        "left_out": read.left_out, "unlabelled": read.unlabelled,
        "columns": read.columns.to_json(), "unused": read.columns.unused, "classes": classes,
        "lengths": lengths, **repeats, "reading": read.reading,
    }  # fmt: skip
    pairs = [
        ("rows", _rows_in_words(read)),
        ("text", " and ".join(read.columns.texts)),
        ("label", read.columns.label or "none"),
        ("not used", ", ".join(read.columns.unused)),
        ("classes", f"{len({label for part in classes.values() for label in part}):,}"),
        ("lengths", words),
    ]
    return Inspection(
        task.name, read.source, [pair for pair in pairs if pair[1]], [_class_table(classes)],
        findings, read.notes, facts,
    )  # fmt: skip


def _rows_in_words(read: ReadTexts) -> str:
    """Rows there are, used, and left out, of all splits together; those of each are notes."""
    used = sum(len(part.table) for part in read.splits.values())
    lost = sum(sum(part.counts.values()) for part in read.splits.values())
    lost += sum(counts.lost for counts in read.raw.tables.counts)
    words = [f"{used + lost:,} there", f"{used:,} used", f"{lost:,} left out"]
    if read.unlabelled:
        words.append(f"{sum(read.unlabelled.values()):,} without labels beside them")
    return ", ".join(words)


def _classes(read: ReadTexts) -> dict[str, dict[str, int]]:
    """Of each split the classes and their rows."""
    return {
        name: dict(sorted(Counter(part.table["label"][:]).items()))
        for name, part in read.splits.items()
    }


def _class_table(classes: dict[str, dict[str, int]]) -> Counts:
    totals: Counter[str] = Counter()
    for counts in classes.values():
        totals.update(counts)
    rows = [
        [label, *(counts.get(label, 0) for counts in classes.values())]
        for label, _ in totals.most_common(MOST_CLASSES)
    ]
    more = f" (the {MOST_CLASSES} most common)" if len(totals) > MOST_CLASSES else ""
    return Counts(f"Classes{more}", ["class", *classes], rows)


def _odd_rows(read: ReadTexts) -> list[Finding]:
    """Rows that are left out, and texts without a word."""
    findings = []
    for counts in read.raw.tables.counts:
        for reason, lines in counts.left_out.items():
            what, count = f"of the file: {reason}", counts.of(reason)
            findings.append(Finding.of_rows("left_out", lines, what, "left out", "line", count))
    for name, part in read.splits.items():
        unit = read.raw.splits[name].unit
        for reason, rows in part.left_out.items():
            if rows:
                kind = LEFT_OUT.get(reason, "answer")
                findings.append(
                    Finding.of_rows(kind, rows, f"of {name} with {reason}", "left out", unit)
                )
        both = zip(joined_texts(part.table), part.places, strict=True)
        places = [place for text, place in both if wordless(text)]
        if places:
            what = f"of {name} with no letter or digit"
            findings.append(Finding.of_rows("no_word", places, what, "used as they are", unit))
    return findings


def _odd_texts(read: ReadTexts, repeats: dict[str, Any]) -> list[Finding]:
    """Texts that stand twice, and classes that look alike."""
    findings = []
    counts = repeats["duplicates"]["normalised"]
    if total := sum(counts.values()):
        where = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        text = f"{plural(total, 'text')} that repeat an earlier one ({where})"
        findings.append(Finding("duplicate", total, [], text, "kept; a cut puts them on one side"))
    if twins := find_contradictions(read):
        unit = next(iter(read.raw.splits.values())).unit
        rows = [row for one in twins for row in one.rows]
        text = contradictions_in_words(twins, unit)
        findings.append(
            Finding("contradiction", len(twins), rows[:8], text, "kept; mend the labels")
        )
    labels = Counter(label for part in read.splits.values() for label in part.table["label"][:])
    for text in class_warnings(labels):
        findings.append(Finding("class", 1, [], text, "kept as they are"))
    splits = {name: part.table for name, part in read.splits.items()}
    for text in overlap_warnings(repeats, splits, "text"):
        findings.append(Finding("overlap", 1, [], text, "kept"))
    return findings
