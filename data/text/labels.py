"""Labels as classes: one spelling of a class whatever the source, and those that look alike."""

import ast
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from birnn.data.wording import agree, plural
from birnn.errors import DataError

MAX_CLASSES = 1000
WHOLE = re.compile(r"[+-]?\d+\.0+")  # 1.0: what a column of whole numbers with gaps becomes
LISTED = re.compile(r"\[.*\]", re.DOTALL)  # a list that a CSV file holds as text
NO_LABEL = {"", "nan", "<na>", "nat", "-100"}  # -100: a target that torch's losses leave out
MISSING_WORDS = {"NA", "N/A", "#N/A", "n/a", "null", "NULL", "None"}  # as programs write nothing
INNER = ("label", "name", "value", "choices", "choice", "labels")  # of a label that is an object
SURE = 0.5  # of a class among {"good": 1.0, "bad": 0.0}
SHOWN = 4


@dataclass(frozen=True)
class Labels:
    """A column of labels as classes."""

    texts: list[str]  # ``""`` where there is none
    notes: list[str] = field(default_factory=list)  # what was spelled anew
    several: list[int] = field(default_factory=list)  # rows, from 0, with more than one label


def read_labels(values: Sequence[Any], names: Sequence[str] | None = None) -> Labels:
    """A column's cells as classes; ``names`` are those of a set of named classes.

    ``1``, ``1.0`` and ``"1.0"`` are the class ``1``, and a column of truth values in any case is
    ``True`` and ``False``: a table is of one set of classes whether it comes from a CSV file, which
    holds texts, from JSON or from a DataFrame, where a gap makes all whole numbers floats. Other
    words stay as they are, but for the spaces around and between them.
    """
    kept = [one_label(value) for value in _parsed_lists(values)]
    several = [row for row, value in enumerate(kept) if isinstance(value, list)]
    plain = [None if isinstance(value, list) else value for value in kept]
    texts = [label_text(value, names) for value in plain]
    truths = {text.casefold() for text in texts if text}
    notes = []
    if truths and truths <= {"true", "false"}:
        texts = [text.capitalize() for text in texts]
    spelled = zip(plain, texts, strict=True)
    anew = Counter((v, t) for v, t in spelled if isinstance(v, str) and t and v != t)
    whole = {pair: n for pair, n in anew.items() if WHOLE.fullmatch(pair[0].strip())}
    spaces = sum(n for (v, t), n in anew.items() if v.casefold() != t.casefold() and
                 (v, t) not in whole)  # fmt: skip
    case = sum(n for (v, t), n in anew.items() if v != t and v.casefold() == t.casefold())
    if whole:
        some = ", ".join(f"{v.strip()} as {t}" for v, t in sorted(whole)[:SHOWN])
        notes.append(f"labels: whole numbers are read without a point ({some})")
    if case:
        notes.append(f"labels: truth values are read as True and False ({plural(case, 'row')})")
    if spaces:
        notes.append(f"labels: spaces around or within are evened out ({plural(spaces, 'row')})")
    return Labels(texts, notes, several)


def label_text(value: Any, names: Sequence[str] | None) -> str:
    """A label as text; ``""`` where there is none (missing, or -1 of a set of named classes).

    >>> label_text(1, ["bad", "good"]), label_text(-1, ["bad", "good"]), label_text(4.0, None)
    ('good', '', '4')
    >>> label_text("4.0", None), label_text(" 1.5 ", None), label_text("nan", None)
    ('4', '1.5', '')
    """
    value = one_label(value)
    if isinstance(value, list):
        shown = f"several labels ({', '.join(map(str, value))[:40]})"
        raise DataError(f"the label column holds {shown}; one label a row is expected")
    if value is None or value != value:
        return ""
    if names is not None and isinstance(value, int):
        value = names[value] if 0 <= value < len(names) else ""
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    text = " ".join(str(value).split())
    if names is None and WHOLE.fullmatch(text):
        text = text.partition(".")[0]
    return "" if text.casefold() in NO_LABEL else text


def one_label(value: Any) -> Any:
    """What a cell that is a list or an object says: its one label, None, or a list of several.

    >>> one_label(["good"]), one_label([]), one_label({"good": 1.0, "bad": 0.0}), one_label("x")
    ('good', None, 'good', 'x')
    >>> one_label([{"label": 3}]), one_label(["a", "b"])
    (3, ['a', 'b'])
    """
    if isinstance(value, Mapping):
        there = {key: inner for key, inner in value.items() if inner is not None}
        inner = next((there[name] for name in INNER if name in there), None)
        if inner is not None:
            return one_label(inner)
        if not all(isinstance(share, (int, float)) for share in there.values()):
            raise DataError(f"the label column holds objects ({str(value)[:40]}); one label a row")
        return one_label([key for key, share in there.items() if share >= SURE])
    if isinstance(value, (list, tuple)):
        parts = list(dict.fromkeys(str(one_label(p)) if isinstance(p, Mapping) else p
                                   for p in value if p is not None and p != ""))  # fmt: skip
        if not parts:
            return None
        return one_label(value[0]) if len(parts) == 1 else [str(part) for part in parts]
    return value


def _parsed_lists(values: Sequence[Any]) -> Sequence[Any]:
    """The values; the lists where all texts write lists out, as in a CSV file made of lists."""
    texts = {value for value in values if isinstance(value, str) and value.strip()}
    if not texts or not all(LISTED.fullmatch(text.strip()) for text in texts):
        return values
    try:
        lists = {text: ast.literal_eval(text.strip()) for text in texts}
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return values
    return [lists.get(value, value) if isinstance(value, str) else value for value in values]


def fold(label: str) -> str:
    """What two spellings of one class share: without case, width, accents' form or spaces.

    >>> fold("Positive") == fold("positive\u00a0"), fold("ＰＯＳ") == fold("pos")
    (True, True)
    """
    plain = unicodedata.normalize("NFKC", label).casefold()
    plain = plain.partition(".")[0] if WHOLE.fullmatch(plain) else plain
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) != "Cf")


def alike(counts: Mapping[str, int]) -> list[dict[str, int]]:
    """Groups of classes that differ by case, width or spaces alone, with their counts."""
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    for label, count in counts.items():
        groups[fold(label)][label] = count
    return [group for group in groups.values() if len(group) > 1]


def class_warnings(counts: Mapping[str, int]) -> list[str]:
    """What should be looked at in a set of classes: near twins, and words for nothing."""
    warnings = []
    for group in alike(counts)[:SHOWN]:
        words = ", ".join(f"{label!r} ({count:,})" for label, count in group.items())
        mend = "write them alike if they are one class"
        warnings.append(f"classes that differ by case or spaces alone: {words}; {mend}")
    for label, count in counts.items():
        if label in MISSING_WORDS:
            rows = f"{plural(count, 'row')} {agree(count, 'has', 'have')} the label {label!r}"
            mend = "empty these cells if it means that there is none"
            warnings.append(f"{rows}, taken as a class; {mend}")
    return warnings


def known_labels(labels: Iterable[str], known: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Labels in the spelling of the ``known`` classes, and what was spelled otherwise.

    A label is another's spelling where only one class is alike.
    """
    exact = set(known)
    by_fold: dict[str, list[str]] = defaultdict(list)
    for label in known:
        by_fold[fold(label)].append(label)
    changed: dict[str, str] = {}
    read = []
    for label in labels:
        if label not in exact and len(twins := by_fold.get(fold(label), [])) == 1:
            changed[label] = twins[0]
        read.append(changed.get(label, label))
    return read, changed
