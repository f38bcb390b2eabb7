"""Tagged sentences cut into folds: documents stay whole where the file marks them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from birnn.data.splits import folds
from birnn.data.splits.folds import FoldPart
from birnn.data.tables.hugging_face import library
from birnn.data.tags.files import TagOptions
from birnn.data.tags.layout import DOCUMENT
from birnn.data.wording import plural
from birnn.errors import ConfigError

NEW = re.compile(rf"{DOCUMENT}|#\s*newdoc\b")  # a line above the first sentence of a document
GROUPS = ("document", "sentence")  # of ``--fold-group``


def documents(before: Iterable[Sequence[str]], files: Iterable[str]) -> list[str]:
    """The document of each sentence, by the marks in the lines ``before`` it; a file is another."""
    number, file, found = 0, "", []
    for lines, own in zip(before, files, strict=True):
        number += own != file or any(NEW.match(line) for line in lines)
        file = own
        found.append(str(number))
    return found


def rarest(kinds: Sequence[Sequence[str]]) -> list[str]:
    """Of each sentence, the rarest of its tags or types: what its folds are stratified by.

    >>> rarest([["A", "A"], ["A", "B"], [""]])
    ['A', 'B', '']
    """
    counts = Counter(kind for row in kinds for kind in row if kind)
    return [min(set(row) - {""}, key=lambda k: (counts[k], k), default="") for row in kinds]


def cut_sentences(
    given: Mapping[str, Any], texts: Sequence[str], kinds: Sequence[Sequence[str]],
    options: TagOptions,
) -> tuple[dict[str, Any], list[str], FoldPart]:  # fmt: skip
    """The splits of one fold of train and validation, what was cut, and where its sentences stand.

    A test split that is given apart is left out. Of each sentence of train and validation,
    ``texts`` is what repeated ones are told by, and ``kinds`` are the tags or types of its tokens.

    Raises:
        ConfigError: sentences are not grouped so.
        DataError: too few sentences or documents.
    """
    fold, seed = options.fold, options.split_seed
    if fold.group not in ("", *GROUPS):
        raise ConfigError(f"fold_group: sentences are grouped by {' or '.join(GROUPS)}, not by"
                          f" {fold.group!r}")  # fmt: skip
    tables = [given[name] for name in ("train", "validation") if name in given]
    whole = library().concatenate_datasets(tables) if len(tables) > 1 else tables[0]
    own = documents(whole["before"][:], whole["file"][:])
    marked = any(NEW.match(line) for lines in whole["before"][:] for line in lines)
    count = len(set(own))
    by_document = fold.group == "document" or (not fold.group and marked and count >= fold.folds)
    bound, chained = folds.bind(folds.twins(texts), own if by_document else [], fold.folds)
    labels = rarest(kinds)
    found = folds.deal(bound, labels, fold.folds, seed, grouped=by_document)
    rest = max(int((found != fold.fold).sum()), 1)
    share = min(options.validation_share * len(whole) / rest, 0.5)
    marks = ["marked" if label else "" for label in labels]
    cut = folds.cut_fold(bound, marks, fold, share, seed, found)
    how = folds.in_words(fold, "document" if by_document else "", "tag", "sentences", chained)
    sizes = f"train {len(cut.train):,}, validation {len(cut.validation):,}, test {len(cut.test):,}"
    grouping = f" ({plural(count, 'document')})" if by_document else ""
    notes = [f"{how}{grouping} (split seed {seed}); fold {fold.fold}: {sizes}"]
    notes += [chained] if chained else []
    if "test" in given:
        notes.append(folds.apart_note(len(given["test"]), "sentence"))
    splits = {name: whole.select(getattr(cut, name)) for name in ("train", "validation", "test")}
    pairs = zip(texts, whole["tags"][:], strict=True)
    digest = folds.digest_of(part for text, tags in pairs for part in (text, *tags))
    return splits, notes, FoldPart(fold.fold, fold.folds, cut.test, len(whole), digest, how)
