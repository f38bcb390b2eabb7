"""Use a trained tagger on raw texts: tags and spans with their places in the text as given."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np

from birnn.arrays import Array
from birnn.data.tags.batches import TagSplit
from birnn.data.tags.options import COLUMNS, CONLLU
from birnn.data.tags.schemes import Span, convert, spans
from birnn.data.text.offsets import token_offsets
from birnn.data.wording import plural
from birnn.errors import ConfigError, DataError
from birnn.nn.decoding import n_best
from birnn.tasks.core.inference import run_split
from birnn.tasks.runs.folder import LoadedRun, load_run, predictions_of, single
from birnn.tasks.serving.parts import Parts
from birnn.tasks.serving.predictor import Predictor
from birnn.tasks.serving.python_inputs import Sentences, TextColumns, read_sentences
from birnn.tasks.serving.records import write_records
from birnn.tasks.serving.request import Answer, Form, Request, Streamed
from birnn.tasks.serving.texts import read_inputs
from birnn.tasks.tagging.decoding import predicted_tags
from birnn.tasks.tagging.ensemble import mean_marginals, tag_marginals
from birnn.tasks.tagging.model import best_tags
from birnn.tasks.tagging.spans import span_posterior
from birnn.tasks.tagging.task import Tagging

CHUNK = 4096  # texts that are held as batches at once
FILES = (*CONLLU, *(suffix for suffix in COLUMNS if suffix != ".txt"))  # a .txt holds texts
SAMPLE = "Ada Lovelace met Charles Babbage in London."
S = TypeVar("S", bound=Sequence[str])
T = TypeVar("T")
Places = Sequence[tuple[int, int]]
Alternatives = list[tuple[list[str], float]]  # tags and their probability, likeliest first


class TaggingPredictor(Predictor):
    """A loaded tagger: texts become records, a tagged file the same file with a column more."""

    outputs = (*Predictor.outputs, *FILES)
    refuses: ClassVar[Mapping[str, str]] = {
        "explain": "explain: a tagger has no attention to show; its spans have confidences"
    }

    takes = ("texts", "tokens", "table", "n_best")

    def about(self) -> dict[str, Any]:
        """Types of spans, or raw tags, and the scheme of the tags."""
        return {"labels": shown_labels(self.run), "scheme": self.run.info.scheme}

    def sample(self) -> dict[str, Any]:
        """A text with names in it."""
        return {"text": SAMPLE}

    def answer(self, request: Request) -> Answer:
        """Tag texts, a file of them or of tokens, or a pipe."""
        self.check(request)
        if request.input:
            from birnn.tasks.tagging import serve_files  # brings what reads files

            if serve_files.is_tagged_file(request):
                if request.texts:
                    raise ConfigError("give texts or --input, not both")
                return serve_files.tag_file(self.run, request)
        texts = read_inputs(request)
        parts = tagged_parts(self.run, texts, request.best)
        records = Streamed(len(texts), parts.since)
        return Answer(
            records,
            lambda path: write_tagged(path, records, escape=request.escape_formulas),
            empty_note(texts),
            labels=shown_labels(self.run),
            form=Form(_csv_rows, _column_lines),
            parts=parts,
        )

    def texts(self, request: Request) -> tuple[Sequence[str], list[str]]:
        """The texts of a file."""
        texts = read_inputs(request)
        return texts, [*request.told, *empty_note(texts)]

    def write_texts(self, path: Path, records: Iterable[dict[str, Any]]) -> None:
        """As :func:`write_tagged`."""
        write_tagged(path, records)

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """Records of raw texts, with their places, or of lists of tokens."""
        rows = self._read(data, column)
        if isinstance(rows, TextColumns):
            return tag_raw(self.run, rows.texts).records
        return on_filled(
            rows.tokens, lambda filled: tag_tokens(self.run, filled)[1], lambda: {"tokens": []}
        )

    def predict(self, data: Any, column: str) -> Any:
        """Tags of each list of tokens; of raw texts pairs of token and tag."""
        rows = self._read(data, column)
        if isinstance(rows, TextColumns):
            tagged = tag_raw(self.run, rows.texts).records
            pairs = [[(t["text"], t["tag"]) for t in row["tokens"]] for row in tagged]
            return rows.like("tags", pairs)
        return rows.like("tags", tag_sentences(self.run, rows.tokens))

    def predict_proba(self, data: Any, column: str) -> Any:
        """``[T, K]`` the probability of each of the network's tags at each token."""
        rows = self._read(data, column)
        if isinstance(rows, TextColumns):
            raise DataError("predict_proba: a tagger takes lists of tokens here, not raw texts")
        shape = 0, len(self.run.info.labels)
        shares = on_filled(rows.tokens, self._marginals, lambda: np.zeros(shape))
        return rows.like("probabilities", shares)

    def _marginals(self, sentences: list[list[str]]) -> list[Array]:
        parts = []
        for one in self.run.members or (self.run,):
            split = TagSplit.of(sentences, one.info.lexicon)
            rows = tag_marginals(one.model, split, one.task.config.train)
            parts.append((rows, one.info.labels))
        return parts[0][0] if len(parts) == 1 else mean_marginals(parts, self.run.info.labels)

    def _read(self, data: Any, column: str) -> TextColumns | Sentences:
        return read_sentences(data, column or self.run.task.config.data.token_column)


def on_filled(
    sentences: Sequence[S], answer: Callable[[list[S]], list[T]], empty: Callable[[], T]
) -> list[T]:
    """``answer`` to the sentences that have tokens, in their places; ``empty()`` to the others."""
    filled = [tokens for tokens in sentences if tokens]
    answers = iter(answer(filled) if filled else ())
    return [next(answers) if tokens else empty() for tokens in sentences]


def tag_tokens(
    run: LoadedRun, tokens: list[list[str]], best: int = 0
) -> tuple[list[list[str]], list[dict[str, Any]]]:
    """Tags of each sentence, and its record: ``tokens`` of ``text``, ``tag``, ``confidence``."""
    tagged = _tag(run, tokens, best)
    records = []
    for words, tags, row, alternatives in zip(tokens, *tagged, strict=True):
        triples = zip(words, tags, row[:, 1].tolist(), strict=True)
        record: dict[str, Any] = {
            "tokens": [{"text": word, "tag": t, "confidence": sure} for word, t, sure in triples]
        }
        if alternatives:
            record["n_best"] = [{"probability": p, "tags": other} for other, p in alternatives]
        records.append(record)
    return tagged[0], records


def write_tagged(path: Path, records: Iterable[dict[str, Any]], *, escape: bool = False) -> None:
    """Write records of texts or sentences in the format that the extension names.

    JSON holds the records, a CSV a row a token, anything else a token and its tag a line. In a CSV
    file, cells that a spreadsheet would run as a formula are escaped if ``escape``.
    """
    write_records(path, records, _csv_rows(records), _column_lines(records), escape=escape)


def _csv_rows(records: Iterable[Mapping[str, Any]], start: int = 0) -> Iterator[tuple[Any, ...]]:
    fields = ("start", "end", "text", "tag", "confidence")
    yield ("record", *fields)
    for i, record in enumerate(records, start=start + 1):
        for token in record["tokens"]:
            yield (i, *(str(token[name]) for name in fields))


def _column_lines(records: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for record in records:
        yield from (f"{token['text']}\t{token['tag']}" for token in record["tokens"])
        yield ""


@dataclass
class TextTags:
    """Records of tagged texts, in input order."""

    records: list[dict[str, Any]] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)  # span types, or raw tags, that there are
    notes: list[str] = field(default_factory=list)


def load_tagger(folder: Path) -> LoadedRun:
    """Load a run of the tagging task.

    Raises:
        CheckpointError: it is not a usable run.
        ConfigError: it is of another task.
    """
    run = load_run(folder)
    if not isinstance(run.task, Tagging):
        raise ConfigError(f"{run.folder} is a {run.task.name} run, not a tagger")
    return run


def tag_texts(folder: Path, texts: Sequence[str], *, best: int = 0) -> TextTags:
    """Tag raw ``texts`` with the run in ``folder``, in their order.

    Each text is one sequence, whatever its length; ``best`` also asks for this many of the
    likeliest tag sequences of each.

    Returns:
        Records with ``text``, ``tokens`` (``start``, ``end``, ``tag``, ``confidence``) and, where
        the tags spell spans, ``spans`` (``start``, ``end``, ``label``, ``confidence``), all with
        ``text[start:end]`` the words; with ``best`` also ``n_best``.
    """
    return tag_raw(load_tagger(folder), texts, best=best)


def tag_raw(run: LoadedRun, texts: Sequence[str], *, best: int = 0) -> TextTags:
    """Tag raw ``texts`` with a run that :func:`load_tagger` has loaded; see :func:`tag_texts`."""
    records = list(chain.from_iterable(tagged_parts(run, texts, best).since()))
    return TextTags(records, shown_labels(run), empty_note(texts))


def empty_note(texts: Sequence[str]) -> list[str]:
    """What is to be said of texts to tag."""
    empty = sum(not text.strip() for text in texts)
    return [f"note: {plural(empty, 'empty text')} without a token to tag"] if empty else []


def tagged_parts(run: LoadedRun, texts: Sequence[str], best: int) -> Parts[list[dict[str, Any]]]:
    """The records of :func:`tag_texts`, a part at a time."""

    def tag(filled: list[list[str]]) -> list[tuple[list[str], Array, Alternatives]]:
        return list(zip(*_tag(run, filled, best), strict=True))

    def make(start: int) -> list[dict[str, Any]]:
        records = []
        part = texts[start : start + CHUNK]
        places = [token_offsets(text) for text in part]
        tokens = [[text[a:b] for a, b in row] for text, row in zip(part, places, strict=True)]
        tagged = on_filled(tokens, tag, lambda: ([], np.zeros((0, 3)), []))
        for text, at, (tags, row, alternatives) in zip(part, places, tagged, strict=True):
            record = _record(text, at, tags, row, run)
            if best and at:
                record["n_best"] = [
                    {"probability": share, "tags": other,
                     **_placed(spans(other, run.info.scheme), at, run)}
                    for other, share in alternatives
                ]  # fmt: skip
            records.append(record)
        return records

    return Parts(len(texts), CHUNK, make)


def shown_labels(run: LoadedRun) -> list[str]:
    """Span types, or raw tags, of the run."""
    if run.info.scheme == "raw":
        return list(run.info.labels)
    return sorted({label[2:] for label in run.info.labels} - {""})


def tag_sentences(run: LoadedRun, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
    """Tag lists of tokens with a run that :func:`load_tagger` has loaded: the quickest way.

    An empty sentence has no tags; confidences are not made.

    Returns:
        The tags of each sentence, in the scheme of the run's data.
    """

    def tags_of(filled: list[Sequence[str]]) -> list[list[str]]:
        if run.members:
            return _tag(run, [list(tokens) for tokens in filled], 0)[0]
        split, tags = TagSplit.of(filled, run.info.lexicon), dict[int, list[str]]()
        for indices, batch, outputs in run_split(run.model, split, run.task.config.train):
            paths, sizes = best_tags(outputs).tolist(), batch.lengths.tolist()
            for item, path, size in zip(indices.tolist(), paths, sizes, strict=True):
                tags[item] = _spelled(path[:size], run)
        return [tags[item] for item in range(len(filled))]

    return on_filled(sentences, tags_of, list)


def _tag(
    run: LoadedRun, tokens: list[list[str]], best: int
) -> tuple[list[list[str]], list[Array], list[Alternatives]]:
    """Tags in the user's scheme, what :meth:`Tagging.decode` gives, and the n best sequences."""
    split, predictions = predictions_of(run, lambda one: TagSplit.of(tokens, one.info.lexicon))
    if best:
        single(run, "n_best")
    alternatives: list[Alternatives] = [[] for _ in tokens]
    if best:
        for indices, batch, outputs in run_split(run.model, split, run.task.config.train):
            paths, shares = n_best(outputs.scores, batch.lengths, outputs.chain, best)
            for item, rows, logs in zip(indices, paths, shares, strict=True):
                size = len(tokens[item])
                alternatives[item] = [
                    (_spelled(row[:size].tolist(), run), float(log.exp()))
                    for row, log in zip(rows, logs, strict=True)
                    if log.isfinite()
                ]
    return predicted_tags(predictions, run.info), predictions, alternatives


def _spelled(ids: Sequence[int], run: LoadedRun) -> list[str]:
    tags = [run.info.labels[i] for i in ids]
    return convert(tags, run.info.inner, run.info.scheme)


def _record(
    text: str, places: Places, tags: Sequence[str], row: Array, run: LoadedRun
) -> dict[str, Any]:
    tokens = [
        {"start": a, "end": b, "text": text[a:b], "tag": tag, "confidence": float(sure)}
        for (a, b), tag, sure in zip(places, tags, row[:, 1], strict=True)
    ]
    found = spans(tags, run.info.scheme)
    record = {"text": text, "tokens": tokens, **_placed(found, places, run)}
    for shown, span in zip(record.get("spans", ()), found, strict=True):
        shown["text"] = text[shown["start"] : shown["end"]]
        shown["confidence"] = span_posterior(row[:, 1], row[:, 2], span)
    return record


def _placed(found: Sequence[Span], places: Places, run: LoadedRun) -> dict[str, Any]:
    """``spans`` with their places in the text; nothing of raw tags."""
    rows = [
        {"start": places[s.start][0], "end": places[s.end - 1][1], "label": s.label} for s in found
    ]
    return {} if run.info.scheme == "raw" else {"spans": rows}
