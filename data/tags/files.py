"""Where tagged sentences stand: a file, a folder with one file a split, a data set, a sample."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from birnn.data import DATASETS
from birnn.data.samples import TAGGED_SAMPLES
from birnn.data.tables.hugging_face import HUB_NAME
from birnn.data.tables.kinds import is_a
from birnn.data.tables.memory import in_memory
from birnn.data.tables.sources import files_in, is_saved, load_tables, no_source
from birnn.data.tags.conll import Sentence, read_columns, read_lines
from birnn.data.tags.conllu import read_conllu, word_lines
from birnn.data.tags.findings import OTHER_SCHEME, Findings
from birnn.data.tags.json_rows import read_rows
from birnn.data.tags.json_spans import read_json
from birnn.data.tags.layout import ColumnLayout, is_word_table
from birnn.data.tags.options import ABOUT, CONLLU, CSV, JSON, SUFFIXES
from birnn.data.tags.options import TABLES as TABLES
from birnn.data.tags.options import TagOptions as TagOptions
from birnn.data.tags.tag_forms import TagForm, tell_form
from birnn.data.tags.word_tables import grouped
from birnn.errors import DataError

EXPORT = "export CoNLL 2003, CoNLL-U, or JSON with character offsets"
FOREIGN = {  # what annotation tools write that isn't read, and what to ask them for
    ".ann": f"a brat file beside its text isn't read; {EXPORT}",
    ".xmi": f"UIMA XML isn't read; {EXPORT}",
    ".xml": f"XML isn't read; {EXPORT}",
    ".spacy": 'a binary file of spaCy isn\'t read; write {"text": …, "spans": […]} lines from it',
    ".zip": "an archive isn't read; unpack it, and give the file of data in it",
}
KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "testa"),  # CoNLL-2003 calls it testa
    "test": ("test", "testing", "eval", "evaluation", "testb"),
}


G = TypeVar("G")
CLASSES = ("datasets", "ClassLabel")  # the kind of a column of numbers with names


@dataclass(frozen=True)
class Part:
    """The sentences of one split, and where each stands."""

    sentences: list[Sentence]
    files: list[str]  # of each sentence
    layout: ColumnLayout
    unit: str = "line"  # what the numbers of sentences count
    findings: Findings = field(default_factory=Findings)
    reading: dict[str, Any] = field(default_factory=dict)  # to read another file the same way


def read_parts(
    source: str, options: TagOptions, *, tagged: bool
) -> tuple[str, dict[str, Part], list[str]]:
    """Read all splits of a file, a folder, a saved data set, a sample, an alias or a Hub name.

    Where ``tagged`` is False, tags may be missing.

    Returns:
        The source in plain words, its splits (a file alone is ``train``), and notes.

    Raises:
        DataError: nothing there, an unknown format, or content that can't be read.
    """
    path = Path(source).expanduser()
    held = in_memory(source) is not None  # as tables, like those of a saved data set
    if source in TAGGED_SAMPLES:
        part = _read([TAGGED_SAMPLES[source]()], options, tagged)
        part = replace(part, files=[source] * len(part.files))
        return f"embedded {source}", {"train": part}, []
    if source and path.is_file() and not held:
        if why := FOREIGN.get(path.suffix.lower()):
            raise DataError(f"{path}: {why}")
        if path.suffix.lower() not in SUFFIXES:
            raise DataError(f"{path}: unknown format {path.suffix!r}; known: {', '.join(SUFFIXES)}")
        return str(path), {"train": _read([path], options, tagged)}, []
    if source and path.is_dir() and not held and not is_saved(path):
        files, notes = find_splits(path)
        if files:
            parts = _alike(files, options, lambda paths, like: _read(paths, like, tagged))
            return str(path), parts, notes
    known = held or path.is_dir() or HUB_NAME.fullmatch(DATASETS.get(source, source))
    if source and not known:
        raise no_source(source, [*TAGGED_SAMPLES, *DATASETS])
    tables = load_tables(source, options.read)
    named = {split_name(str(name)) or str(name): (str(name), table)
             for name, table in tables.splits.items()}  # fmt: skip

    def of_table(pair: tuple[str, Any], like: TagOptions) -> Part:
        return spelled(_of_table(pair[1], f"{tables.source} ({pair[0]})", like, tagged), like)

    return tables.source, _alike(named, options, of_table), list(tables.notes)


def _alike(
    given: Mapping[str, G], options: TagOptions, read: Callable[[G, TagOptions], Part]
) -> dict[str, Part]:
    """Each split as train is read: its columns may look like something else in a small one."""
    parts = {}
    for name in sorted(given, key=lambda name: name != "train"):
        parts[name] = read(given[name], options)
        if name == "train" and not options.reading:
            options = replace(options, reading=parts[name].reading)
    return {name: parts[name] for name in given}


def split_name(name: str) -> str:
    """The split that a file's name speaks of, as Hugging Face finds it; ``""`` if none.

    >>> split_name("en_ewt-ud-dev"), split_name("eval.en"), split_name("latest"), split_name("x")
    ('validation', 'test', '', '')
    """
    for split, words in KEYWORDS.items():
        if re.search(rf"(?:^|[^a-z])(?:{'|'.join(words)})(?:[^a-z]|$)", name.lower()):
            return split
    return ""


def find_splits(folder: Path) -> tuple[dict[str, list[Path]], list[str]]:
    """The files of each split in a folder; others are no data, and are named in a note.

    Raises:
        DataError: no file that could hold sentences, or several of which none names a split.
    """
    there = files_in(folder, SUFFIXES, ABOUT)

    def split_of(path: Path) -> str:
        """By its name, else by that of its folder within ``folder``."""
        return split_name(path.name) or split_name(path.relative_to(folder).parent.name)

    named = [path for path in there if split_of(path)]
    # A treebank's .txt files hold its raw text.
    named = [path for path in named if path.suffix.lower() in CONLLU] or named
    if all(path.suffix.lower() in TABLES for path in named or there):
        return {}, []  # Hugging Face datasets knows how to read these
    if not named and len(there) == 1:
        return {"train": there}, []
    if not named:
        some = ", ".join(path.name for path in there[:5])
        raise DataError(f"{folder}: no file is called train, dev or test; there are: {some}")
    splits: dict[str, list[Path]] = {}
    for path in named:
        splits.setdefault(split_of(path), []).append(path)
    others = [path.name for path in there if path not in named]
    return splits, [f"not read, as no split is theirs: {', '.join(others[:5])}"] if others else []


def _read(paths: Sequence[Path], options: TagOptions, tagged: bool) -> Part:
    """The sentences of files of one split."""
    parts: list[Part] = []
    for path in paths:
        parts.append(_read_file(path, options, tagged))
        if not options.reading:  # the first file says how the others are read
            options = replace(options, reading=parts[0].reading)
    first = parts[0]
    findings = Findings()
    for path, part in zip(paths, parts, strict=True):
        if part.layout != first.layout:
            wrong = f"its columns are not laid out like those of {paths[0]}"
            raise DataError(f"{path}: {wrong}; give the files of a split one layout")
        if len(parts) > 1:
            part.findings.notes[:] = [f"{path.name}: {note}" for note in part.findings.notes]
        findings.add(part.findings)
    if words := first.layout.words:
        findings.notes.append(words)
    findings.warnings += first.layout.doubts
    joined = replace(
        first, sentences=[sentence for part in parts for sentence in part.sentences],
        files=[file for part in parts for file in part.files], findings=findings,
    )  # fmt: skip
    return spelled(joined, options)


def _read_file(path: Path, options: TagOptions, tagged: bool) -> Part:
    suffix, encoding = path.suffix.lower(), options.read.encoding
    if suffix in TABLES or (suffix == CSV and not is_word_table(read_lines(path, encoding))):
        (table,) = load_tables(str(path), options.read).splits.values()
        return _of_table(table, str(path), options, tagged)
    if suffix in JSON:
        unit = "row" if suffix == ".json" else "line"
        rows = read_json(path, encoding, skip=options.read.skip_ragged)
        return _of_rows(rows, str(path), options, unit, tagged)
    if suffix in CONLLU:
        sentences, layout, findings = read_conllu(
            path, encoding, options.tag_column, tagged=tagged, skip=options.read.skip_ragged
        )
    else:
        sentences, layout, findings = read_columns(
            path, encoding, options.token_column, options.tag_column, tagged=tagged,
            skip=options.read.skip_ragged, reading=options.reading,
        )  # fmt: skip
        layout = replace(layout, suffix=suffix if suffix != ".txt" else ".conll")
    files = [str(path)] * len(sentences)
    return Part(sentences, files, layout, "line", findings, dict(layout.reading))


def spelled(part: Part, options: TagOptions) -> Part:
    """A split with its tags as the schemes know them; what is written otherwise is said.

    Sentences with one of the few tags that fit no form are left out. The form of a run's own data
    is kept where it can be.
    """
    counts = Counter(tag for sentence in part.sentences for tag in sentence.tags)
    form = tell_form(counts, options.tag_scheme)
    kept = TagForm.of(options.reading.get("form", {}))
    if options.tag_scheme == "auto" and "form" in options.reading and all(map(kept.fits, counts)):
        form = kept
    findings, sentences, files = part.findings, [], []
    for sentence, file in zip(part.sentences, part.files, strict=True):
        odd = [i for i, tag in enumerate(sentence.tags) if not form.fits(tag)]
        for i in odd:
            place = token_place(sentence, part.layout, part.unit, file, i)
            findings.leave_out(OTHER_SCHEME, f"{place}: {sentence.tags[i]!r}")
        if not odd:
            tags = sentence.tags if form.usual else [form.read(tag) for tag in sentence.tags]
            sentences.append(sentence._replace(tags=tags))
            files.append(file)
    if words := form.words():
        (findings.notes if kept == form else findings.warnings).append(words)
    if counts and all(tag.lstrip("-").isdigit() for tag in counts):
        findings.warnings.append(
            "tags are numbers without names: each is taken alone, as no span can be told;"
            " write their names in the file (B-PER for 1), or name another column with --tag-column"
        )
    reading = {**part.reading, "form": form.to_json()} if counts else part.reading
    return replace(part, sentences=sentences, files=files, reading=reading)


def token_place(sentence: Sentence, layout: ColumnLayout, unit: str, file: str, token: int) -> str:
    """File and line of a token."""
    line = sentence.line
    if layout.kind == "conllu":
        words = word_lines(sentence.lines)
        line += words[token] - words[0]
    elif layout.kind == "columns":
        line += token
    return f"{file} {unit} {line}"


def _of_rows(
    rows: Sequence[tuple[int, Any]], where: str, options: TagOptions, unit: str, tagged: bool
) -> Part:
    columns = options.token_column, options.tag_column
    sentences, layout, findings, reading = read_rows(
        rows, where, *columns, unit=unit, tagged=tagged, skip=options.read.skip_ragged,
        reading=options.reading,
    )  # fmt: skip
    if not sentences:
        left = "; ".join(findings.said())
        raise DataError(f"{where} holds no sentence" + (f": {left}" if left else ""))
    return Part(sentences, [where] * len(sentences), layout, unit, findings, reading)


def _of_table(table: Any, where: str, options: TagOptions, tagged: bool) -> Part:
    """The rows of an Arrow table; numbers of a ClassLabel become names."""
    inner = {name: getattr(kind, "feature", None) for name, kind in table.features.items()}
    names = {name: kind.names for name, kind in inner.items() if kind and is_a(kind, *CLASSES)}
    rows = [{key: _classes(value, names.get(key)) for key, value in row.items()} for row in table]
    columns = options.token_column, options.tag_column
    rows, note = grouped(rows, where, *columns, tagged=tagged)
    part = _of_rows(list(enumerate(rows, 1)), where, options, "row", tagged)
    part.findings.notes += [note] if note else []
    return part


def _classes(value: Any, names: Sequence[str] | None) -> Any:
    if names is None or value is None:
        return value
    return [names[v] if v is not None and 0 <= v < len(names) else str(v) for v in value]
