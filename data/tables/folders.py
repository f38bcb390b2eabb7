"""Which files of a folder make which split, and which make none."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
FORM = "submission"  # a file to be filled in for a competition


def split_of(name: str) -> str:
    """The split that a file's name speaks of, whatever the case; ``""`` if none.

    >>> split_of("Train.csv"), split_of("TEST_set.csv"), split_of("myDev.csv"), split_of("latest")
    ('train', 'test', 'validation', '')
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    for split, keywords in KEYWORDS.items():
        if re.search(rf"(?:^|[^a-z])(?:{'|'.join(keywords)})(?:[^a-z]|$)", words):
            return split
    return ""


def assign_splits(
    files: Sequence[Path], found: Mapping[str, Sequence[Path]]
) -> tuple[dict[str, list[Path]], list[Path]]:
    """The files of each split, and those of none.

    Args:
        files: all that could hold data.
        found: what Hugging Face datasets makes of their names; if it sees no split in them it takes
            them all for train, one called ``Test.csv`` too.
    """
    splits = {name: list(paths) for name, paths in found.items()}
    if list(splits) == ["train"] and len(splits["train"]) > 1:
        plain = [path for path in splits["train"] if FORM not in path.name.lower()]
        grouped: dict[str, list[Path]] = {}
        for path in plain or splits["train"]:
            grouped.setdefault(split_of(path.name), []).append(path)
        unnamed = grouped.pop("", [])
        splits = grouped if "train" in grouped else {"train": unnamed, **grouped}
    used = {path.resolve() for paths in splits.values() for path in paths}
    return splits, [path for path in files if path.resolve() not in used]
