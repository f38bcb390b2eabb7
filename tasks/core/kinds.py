"""Whose data a source holds: labelled texts, tagged sentences, or series; told by a first look."""

from itertools import islice
from pathlib import Path

from birnn.data.samples import SAMPLES, SERIES_SAMPLES, TAGGED_SAMPLES
from birnn.data.tables import columns
from birnn.data.tables.dialect import AS_USUAL, ReadOptions
from birnn.data.tables.formats import FORMATS
from birnn.data.tables.kinds import is_a
from birnn.data.tables.sources import load_tables
from birnn.data.tags.conll import read_lines
from birnn.data.tags.json_rows import read_rows
from birnn.data.tags.json_spans import read_json
from birnn.data.tags.layout import numbers_sentences
from birnn.data.tags.options import COLUMNS, CONLLU
from birnn.data.text.choosing import looks_labelled
from birnn.data.text.plain_files import looks_plain
from birnn.errors import DataError

TEXTS, TAGS, SERIES = "texts", "tags", "series"  # as specifications name them
JSON, WORDS = (".json", ".jsonl"), (".csv", ".tsv")  # the latter may have a row a word
ROWS = 50  # of a file of JSON that are looked at
LINES = 2000  # of a column file


def kind_of(source: str, read: ReadOptions = AS_USUAL) -> str:
    """The kind of data that ``source`` seems to hold; series where nothing speaks for another."""
    for kind, samples in ((TEXTS, SAMPLES), (TAGS, TAGGED_SAMPLES), (SERIES, SERIES_SAMPLES)):
        if source in samples:
            return kind
    path = Path(source).expanduser()
    if looks_plain(path, read):
        return TEXTS
    if path.is_dir():
        path = _first_file(path)
    suffix = path.suffix.lower()
    if suffix in CONLLU or (suffix in COLUMNS and suffix not in FORMATS):
        return TAGS
    try:
        if (
            suffix in WORDS
            and path.is_file()
            and numbers_sentences(read_lines(path, read.encoding))
        ):
            return TAGS
        if suffix in JSON and path.is_file():
            return _kind_of_json(path, read)
        return _kind_of_table(str(path), read)
    except DataError:  # whoever reads it says what is wrong
        return TAGS if suffix in COLUMNS and _has_blocks(path, read.encoding) else SERIES


def _first_file(folder: Path) -> Path:
    """The file of a folder that is looked at: of train, if one is called so."""
    known = (*CONLLU, *COLUMNS, *FORMATS)
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in known)
    trained = [path for path in files if "train" in path.name.lower()]
    return next(iter([*trained, *files]), folder)


def _kind_of_json(path: Path, read: ReadOptions) -> str:
    """Tags where a tagger could read the first rows, else what the table says."""
    rows = read_json(path, read.encoding)[:ROWS]
    try:
        read_rows(rows, str(path))
    except DataError:
        return _kind_of_table(str(path), read)
    return TAGS


def _kind_of_table(source: str, read: ReadOptions) -> str:
    tables = load_tables(source, read)
    table = next(iter(tables.splits.values()))
    lists = [name for name, kind in table.features.items() if is_a(kind, "datasets", "List")]
    if columns.usual_columns(columns.TOKEN_NAMES, lists):
        return TAGS
    if looks_labelled(table):
        return TEXTS
    path = Path(source)
    blocks = path.suffix.lower() in COLUMNS and _has_blocks(path, read.encoding)
    return TAGS if blocks else SERIES


def _has_blocks(path: Path, encoding: str) -> bool:
    """Whether blank lines divide the lines of a file, as sentences of a column file are."""
    try:
        with path.open(encoding=encoding) as file:
            lines = [line.strip() for line in islice(file, LINES)]
    except (OSError, UnicodeError, LookupError):
        return False
    return any(not line for line in lines[:-1])
