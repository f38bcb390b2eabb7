"""Tag a file of tokens: the same file comes back with a column more."""

import sys
from collections.abc import Iterator
from pathlib import Path

from birnn.data.tables.dialect import ReadOptions
from birnn.data.tags.conll import read_lines
from birnn.data.tags.json_columns import kind_of
from birnn.data.tags.json_spans import read_json
from birnn.data.tags.layout import numbers_sentences
from birnn.data.tags.loading import load_untagged
from birnn.data.tags.options import CSV, JSON, TagOptions
from birnn.data.tags.tag_forms import TagForm
from birnn.data.tags.writing import prediction_lines, write_lines
from birnn.errors import ConfigError
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.parts import Parts
from birnn.tasks.serving.request import Answer, Request, Streamed
from birnn.tasks.tagging.serve import CHUNK, FILES, shown_labels, tag_tokens, write_tagged


def is_tagged_file(request: Request) -> bool:
    """Whether the input is a file of tokens: a column file, a treebank, or JSON lists of tokens."""
    path = Path(request.input)
    if path.suffix.lower() == CSV and path.is_file():  # of texts, unless it has a row a word
        return numbers_sentences(read_lines(path, request.encoding))
    if path.suffix.lower() not in JSON or not path.is_file():
        return path.suffix.lower() in FILES
    rows = read_json(path, request.encoding)
    first = rows[0][1] if rows else None
    return isinstance(first, dict) and "tokens" in map(kind_of, first.values())


def tag_file(run: LoadedRun, request: Request) -> Answer:
    """Tag the sentences of a file of tokens; its tag column, if it has one, is not looked at."""
    data = run.task.config.data
    reading = run.task.reading.get("tags", {})
    options = TagOptions(
        request.input, read=ReadOptions(request.encoding, request.skip_ragged),
        tag_column=data.tag_column, token_column=request.text_column or data.token_column,
        reading=reading,
    )  # fmt: skip
    table, layout, notes = load_untagged(options)
    form = TagForm.of(reading.get("form", {}))

    parts = Parts(
        len(table), CHUNK,
        lambda start: tag_tokens(run, table[start : start + CHUNK]["tokens"], request.best),
    )  # fmt: skip

    def lines() -> Iterator[str]:
        # A file's tags are few strings, each of which is held once.
        tags = [list(map(sys.intern, row)) for rows, _ in parts.since() for row in rows]
        yield from prediction_lines(table, tags, layout, run.info.scheme, form=form)

    records = Streamed(len(table), lambda start: (part for _, part in parts.since(start)))

    def write(path: Path) -> None:
        kind = path.suffix.lower()
        if kind in (".json", ".jsonl") and layout.kind != "tokens":
            write_tagged(path, records, escape=request.escape_formulas)
        elif kind in (CSV, ".json") and kind != layout.suffix:
            raise ConfigError(
                f"output: a file of tokens is written in its own format; name it {layout.suffix}"
            )
        else:
            write_lines(path, lines())

    said = [f"note: {text}" for text in notes]
    return Answer(records, write, said, labels=shown_labels(run), lines=lines(), parts=parts)
