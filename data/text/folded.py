"""Labelled texts cut into folds: by class, with repeated texts and groups whole."""

from collections.abc import Mapping, Sequence
from typing import Any

from birnn.data.splits import folds
from birnn.data.splits.folds import FoldPart
from birnn.data.tables.columns import check_column
from birnn.data.tables.hugging_face import library
from birnn.data.text.choosing import same_name
from birnn.data.text.options import TextOptions
from birnn.data.text.rows import Cleaned, joined_texts
from birnn.data.text.splits import RawTexts


def group_values(raw: RawTexts, names: Sequence[str], cleaned: Mapping[str, Cleaned],
                 group: str) -> list[str]:  # fmt: skip
    """The group of every usable row of the splits ``names``, as text; empty where it has none.

    Raises:
        DataError: there is no such column.
    """
    values: list[str] = []
    for name in names:
        part = raw.splits[name]
        column = same_name(group, part.table.column_names)
        if not column:
            check_column(group, part.table.column_names, raw.tables.source)
        cells = part.table[column][:]
        places = {row: place for place, row in enumerate(part.rows)}
        own = (cells[places[row]] for row in cleaned[name].table["row"][:])
        values += ["" if cell is None else str(cell) for cell in own]
    return values


def cut_texts(raw: RawTexts, cleaned: Mapping[str, Cleaned],
              options: TextOptions) -> tuple[dict[str, Any], list[str], FoldPart]:  # fmt: skip
    """The splits of one fold of train and validation, what was cut, and where its rows stand.

    A test split that is given apart is left out.

    Raises:
        DataError: no such column, or classes, texts or groups that don't reach every fold.
    """
    fold = options.fold
    names = [name for name in ("train", "validation") if name in cleaned]
    tables = [cleaned[name].table for name in names]
    whole = library().concatenate_datasets(tables) if len(tables) > 1 else tables[0]
    texts, labels = joined_texts(whole), whole["label"][:]
    groups = group_values(raw, names, cleaned, fold.group) if fold.group else []
    bound, chained = folds.bind(folds.twins(texts), groups, fold.folds)
    grouped = bool(groups)
    found = folds.deal(bound, labels, fold.folds, options.split_seed, grouped=grouped)
    folds.check_classes(found, labels, bound, grouped=grouped)
    rest = max(int((found != fold.fold).sum()), 1)
    share = min(options.validation_share * len(whole) / rest, 0.5)
    cut = folds.cut_fold(bound, labels, fold, share, options.split_seed, found)
    how = folds.in_words(fold, fold.group, "class", chained=chained)
    sizes = f"train {len(cut.train):,}, validation {len(cut.validation):,}, test {len(cut.test):,}"
    notes = [f"{how} (split seed {options.split_seed}); fold {fold.fold}: {sizes}"]
    notes += [chained] if chained else []
    if "test" in cleaned:
        notes.append(folds.apart_note(len(cleaned["test"].table), "row"))
    splits = {name: whole.select(getattr(cut, name)) for name in ("train", "validation", "test")}
    digest = folds.digest_of(part for row in zip(texts, labels, strict=True) for part in row)
    part = FoldPart(fold.fold, fold.folds, cut.test, len(whole), digest, how)
    return splits, notes, part
