"""What annotation tools export → plain rows: a text with its spans, or tokens with their tags.

Known are the shapes of Prodigy, doccano, Label Studio, spaCy, Dataturks and those that share them;
whatever else a row is, it stays as it is.
"""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from birnn.data.tags.findings import CANCELLED, IGNORED, REJECTED, UNMARKED, Findings
from birnn.errors import DataError

ANSWERS = {"reject": REJECTED, "ignore": IGNORED}  # of Prodigy
SEVERAL = "row with several annotations, of which the first is taken"
SHAPE = '{"text": "…", "spans": [[0, 5, "PER"]]} or {"tokens": ["…"], "tags": ["…"]}'
LIST = re.compile(r"\s*[\[(].*[\])]\s*", re.DOTALL)
Row = Mapping[str, Any]


def unpacked(whole: Any) -> Any:
    """The list of rows within what a JSON file holds, where it is wrapped.

    >>> unpacked({"classes": ["PER"], "annotations": [["Ada", {"entities": []}], None]})
    [['Ada', {'entities': []}]]
    """
    if not isinstance(whole, Mapping) or isinstance(whole.get("text"), str):
        return [whole] if isinstance(whole, Mapping) else whole
    inner = [value for value in whole.values() if isinstance(value, list)]
    pairs = whole.get("annotations")
    if isinstance(pairs, list) and "classes" in whole:
        return [pair for pair in pairs if pair is not None]
    if len(inner) == 1 and all(isinstance(row, (Mapping, list)) for row in inner[0]):
        return inner[0]
    return [whole]


def plain_rows(
    rows: Sequence[tuple[int, Any]], source: str, unit: str, findings: Findings
) -> Iterator[tuple[int, str, Row | DataError]]:
    """Number, place and plain row of each that an annotator has accepted.

    What is no row at all comes as the error that says so.
    """
    for number, row in rows:
        where = f"{source} {unit} {number}"
        if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str):
            row = {"text": row[0], "spans": row[1]}
        if isinstance(row, ValueError):
            yield number, where, DataError(f"{where} is not JSON: {row}")
        elif not isinstance(row, Mapping):
            yield number, where, DataError(f"{where}: expected an object such as {SHAPE}")
        elif str(row.get("answer", "")) in ANSWERS:
            findings.leave_out(ANSWERS[row["answer"]], where)
        elif isinstance(row.get("data"), Mapping):
            if (task := _label_studio(row, where, findings)) is not None:
                yield number, where, task
        elif isinstance(row.get("paragraphs"), list):
            yield from ((number, where, sentence) for sentence in _spacy(row["paragraphs"]))
        else:
            yield number, where, _plain(row)


def _label_studio(row: Row, where: str, findings: Findings) -> Row | None:
    """A task of Label Studio's JSON export; None where nobody has finished it."""
    data = row["data"]
    texts = [key for key, value in data.items() if isinstance(value, str)]
    key = next((name for name in ("text", "content", "sentence") if name in texts), "")
    text = data.get(key or next(iter(texts), ""))
    given = row.get("annotations", row.get("completions")) or []
    done = [one for one in given if isinstance(one, Mapping) and not one.get("was_cancelled")]
    if not done:
        findings.leave_out(CANCELLED if given else UNMARKED, where)
        return None
    if len(done) > 1:
        findings.notice(SEVERAL, where)
    regions = [
        item["value"] for item in done[0].get("result") or ()
        if isinstance(item, Mapping) and isinstance(item.get("value"), Mapping)
        and any(name.endswith("labels") for name in item["value"])
    ]  # fmt: skip
    return {"text": text, "spans": [span for region in regions for span in _regions(region)]}


def _regions(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A span for each label of a region that may have several."""
    name = next((key for key in value if key.endswith("labels")), "")
    labels = value[name] if isinstance(value.get(name), list) else []
    shared = {key: value.get(key) for key in ("start", "end", "text")}
    yield from ({**shared, "label": label} for label in labels)


def _plain(row: Row) -> Row:
    """Regions with lists of labels and points as spans (JSON-MIN, Dataturks); else the row."""
    plain = dict(row)
    for name, value in row.items():
        if not isinstance(value, list) or not value or not isinstance(value[0], Mapping):
            continue
        if isinstance(value[0].get("points"), list):
            plain[name] = [span for one in value for span in _points(one)]
        elif any(key.endswith("labels") and isinstance(value[0][key], list) for key in value[0]):
            plain[name] = [span for one in value for span in _regions(one)]
        elif "token_start" in value[0] and "start" not in value[0]:
            plain[name] = [_of_token_numbers(one, row.get("tokens")) for one in value]
    return plain


def _points(value: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    labels = value.get("label")
    for label in labels if isinstance(labels, list) else [labels]:
        yield from ({**point, "label": label} for point in value.get("points") or ())


def _of_token_numbers(span: Mapping[str, Any], tokens: Any) -> Mapping[str, Any]:
    """A span of token numbers, the last included, with its characters."""
    try:
        start, end = tokens[span["token_start"]]["start"], tokens[span["token_end"]]["end"]
    except (KeyError, IndexError, TypeError):
        return span
    return {**span, "start": start, "end": end}


def _spacy(paragraphs: Sequence[Any]) -> Iterator[Row]:
    """The sentences of spaCy 2's training format."""
    for paragraph in paragraphs:
        for sentence in paragraph.get("sentences", ()) if isinstance(paragraph, Mapping) else ():
            tokens = sentence.get("tokens", ())
            row = {"tokens": [token.get("orth") for token in tokens]}
            for name, key in (("ner", "ner"), ("pos", "tag")):
                values = [token.get(key) for token in tokens]
                if any(values):
                    row[name] = ["O" if v in (None, "") and key == "ner" else v for v in values]
            yield row


def listed_cells(values: Sequence[Any]) -> list[Any] | None:
    """Cells of text that all spell lists, as lists; None where one doesn't.

    >>> listed_cells(["['a', 'b']", '["c"]', None]), listed_cells(["['a' 'b']"])
    ([['a', 'b'], ['c'], None], [['a', 'b']])
    >>> listed_cells(["[sic]", "['a']"])
    """
    filled = [value for value in values if value not in (None, "")]
    if not filled or not all(isinstance(v, str) and LIST.fullmatch(v) for v in filled):
        return None
    read = [None if value in (None, "") else _list(value) for value in values]
    wrong = any(a is None and b not in (None, "") for a, b in zip(read, values, strict=True))
    return None if wrong else read


def _list(text: str) -> list[Any] | None:
    """The list that ``text`` spells, in Python, JSON or as numpy prints one; None for none."""
    try:
        tokens = [*tokenize.generate_tokens(io.StringIO(text.replace("\n", " ")).readline)]
        pairs = pairwise(tokens)
        if any(a.type == b.type == tokenize.STRING for a, b in pairs):  # no commas between them
            return [ast.literal_eval(t.string) for t in tokens if t.type == tokenize.STRING]
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, tokenize.TokenError, MemoryError, RecursionError):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return None
    return list(value) if isinstance(value, (list, tuple)) else None
