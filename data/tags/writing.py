"""Predicted tags as files: in the input's own format, with a column more."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from birnn.data.tags.conll import column_lines, writable
from birnn.data.tags.conllu import conllu_lines, global_columns
from birnn.data.tags.json_spans import char_spans
from birnn.data.tags.layout import ColumnLayout
from birnn.data.tags.schemes import spans
from birnn.data.tags.tag_forms import USUAL, TagForm
from birnn.storage.files import atomic_path


def prediction_lines(
    table: Any, predicted: Sequence[Sequence[str]], layout: ColumnLayout, scheme: str, *,
    confidence: Sequence[Sequence[float]] = (), keep_before: bool = True, form: TagForm = USUAL,
) -> Iterator[str]:  # fmt: skip
    """The lines of a file of predictions, without line ends.

    Args:
        table: ``N`` sentences with the columns of :data:`birnn.data.tags.loading.FEATURES`.
        layout: of the file they were read from.
        scheme: of the predicted tags.
        confidence: of each sentence's predicted spans, where the rows are texts.
        keep_before: keep comments and -DOCSTART- lines: a scorer may stumble over them.
        form: how the data that was trained on writes its tags.
    """
    out = writable(layout, {tag for tags in predicted for tag in tags})
    if layout.kind == "conllu":
        yield global_columns(layout)
    for i, (row, plain) in enumerate(zip(table, predicted, strict=True)):
        tags = plain if layout.kind == "spans" else [form.write(tag) for tag in plain]
        if layout.kind == "conllu":
            yield from (*conllu_lines(row["lines"], row["before"], tags, layout), "")
        elif layout.kind == "columns":
            before = row["before"] if keep_before else []
            yield from column_lines(row["lines"], before, tags, layout, out)
            yield from [""] if layout.sentence < 0 else ()
        else:
            sure = confidence[i] if confidence else None
            yield json.dumps(_row(row, tags, layout, scheme, sure), ensure_ascii=False)


def _row(
    row: Mapping[str, Any], tags: Sequence[str], layout: ColumnLayout, scheme: str,
    sure: Sequence[float] | None,
) -> dict[str, Any]:  # fmt: skip
    """A row of JSON: tokens with tags, or a text with its spans; the gold ones where there are."""
    if layout.kind == "tokens":
        gold = {"tags": list(row["tags"])} if row["tags"] else {}
        return {"tokens": list(row["tokens"]), **gold, "predicted": list(tags)}
    found = char_spans(spans(tags, scheme), row["offsets"])
    marked: list[dict[str, Any]] = [span._asdict() for span in found]
    if sure is not None:
        marked = [{**span, "confidence": value} for span, value in zip(marked, sure, strict=True)]
    gold = {"spans": [dict(span) for span in row["spans"]]} if row["spans"] or row["tags"] else {}
    return {"text": row["text"], **gold, "predicted": marked}


def write_lines(path: Path, lines: Iterator[str]) -> None:
    """Write lines as UTF-8, whole or not at all."""
    with atomic_path(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\n" for line in lines)
