"""What a file of tagged sentences holds."""

from collections import Counter
from functools import partial
from typing import Any

from birnn.data.splits.provenance import overlap_warnings
from birnn.data.tags.files import Part, read_parts
from birnn.data.tags.loading import TaggedText, joined, load_tagged
from birnn.data.wording import plural
from birnn.tasks.core.inspection import Counts, Finding, Inspection, attempt, lengths_in_words

MOST_TAGS = 60  # that are drawn


def inspect_tags(task: Any) -> Inspection:
    """What the data of a tagger hold: sentences, tokens, tags or spans by type, odd places.

    Raises:
        DataError: they can't be read at all.
    """
    options = task.tag_options(task.config.data.data)
    source, parts, notes = read_parts(options.data, options, tagged=True)
    loaded, findings = attempt(partial(load_tagged, options))
    lengths, values = lengths_in_words(
        (len(sentence.tokens) for part in parts.values() for sentence in part.sentences), "tokens"
    )
    facts: dict[str, Any] = {
        "rows": {name: len(part.sentences) for name, part in parts.items()},
        "tokens": {name: sum(map(_size, part.sentences)) for name, part in parts.items()},
        "lengths": values, "columns": _columns(next(iter(parts.values()))),
    }  # fmt: skip
    pairs = [
        ("sentences", _per_split(facts["rows"])),
        ("tokens", _per_split(facts["tokens"])),
        ("columns", ", ".join(f"{name} {value}" for name, value in facts["columns"].items())),
        ("lengths", lengths),
    ]
    counts: list[Counts] = []
    for name, part in parts.items():
        for kind, count, text in part.findings.phrases():
            end = "left out" if kind == "left_out" else "read"
            findings.append(Finding(kind, count, [], f"{name}: {text}", end))
    if loaded is not None:
        pairs.append(("scheme", loaded.scheme.upper() if loaded.scheme != "raw" else "raw tags"))
        counts, notes = [_tag_table(loaded)], loaded.notes
        facts |= {key: loaded.provenance[key] for key in ("classes", "scheme", "duplicates")}
        findings += _odd_sentences(loaded)
    return Inspection(task.name, source, pairs, counts, findings, notes, facts)


def _size(sentence: Any) -> int:
    return len(sentence.tokens)


def _per_split(counts: dict[str, int]) -> str:
    """A count, or one of each split."""
    if len(counts) == 1:
        return f"{next(iter(counts.values())):,}"
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _columns(part: Part) -> dict[str, Any]:
    """How the files of a split are laid out, in plain values."""
    named = ("token", "tag", "tokens", "tags", "offsets")
    taken: dict[str, Any] = {key: value for key, value in part.reading.items() if key in named}
    return {"kind": part.layout.kind, **taken}


def _tag_table(loaded: TaggedText) -> Counts:
    """How many spans of each type, or tokens of each raw tag, the splits have once they are cut."""
    classes = loaded.provenance["classes"]
    totals: Counter[str] = Counter()
    for part in classes.values():
        totals.update(part)
    what = "Tags" if loaded.scheme == "raw" else "Spans by type"
    rows = [[tag, *(part.get(tag, 0) for part in classes.values())]
            for tag, _ in totals.most_common(MOST_TAGS)]  # fmt: skip
    return Counts(what, ["tag" if loaded.scheme == "raw" else "type", *classes], rows)


def _odd_sentences(loaded: TaggedText) -> list[Finding]:
    """Sentences that stand twice, those that are tagged in two ways, and what warnings say."""
    findings = []
    repeats = loaded.provenance["duplicates"]["normalised"]
    if total := sum(repeats.values()):
        text = f"{plural(total, 'sentence')} that repeat an earlier one ({_per_split(repeats)})"
        findings.append(Finding("duplicate", total, [], text, "kept; a cut puts them on one side"))
    seen: dict[str, dict[tuple[str, ...], int]] = {}
    for table in loaded.splits.values():
        rows = zip(joined(table), table["tags"][:], table["line"][:], strict=True)
        for text, tags, line in rows:
            seen.setdefault(text, {}).setdefault(tuple(tags), line)
    lines = [line for ways in seen.values() if len(ways) > 1 for line in ways.values()]
    if lines:
        what = "with the tokens of another and other tags"
        findings.append(Finding.of_rows("contradiction", sorted(lines), what, "kept", "line"))
    known = overlap_warnings(loaded.provenance, loaded.splits, "sentence")
    for text in loaded.warnings:
        kind = "overlap" if text in known else "warning"
        findings.append(Finding(kind, 1, [], text, "kept"))
    return findings
