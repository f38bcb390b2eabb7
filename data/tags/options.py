"""How tagged sentences are read, and what their files are called: said before any is opened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from birnn.data.splits.cutting import SourceOptions

CONLLU = (".conllu", ".conllup")
COLUMNS = (
    ".conll", ".txt", ".tsv", ".iob", ".iob2", ".bio", ".bioes", ".iobes", ".ner", ".pos", ".tags",
    ".tag", ".col", ".dat", ".train", ".dev", ".valid", ".test", ".testa", ".testb",
)  # fmt: skip
ABOUT = ("readme", "license", "licence", "copying", "notice", "changelog")  # no data
JSON, TABLES, CSV = (".jsonl", ".json"), (".parquet",), ".csv"
SUFFIXES = (*CONLLU, *COLUMNS, *JSON, *TABLES, CSV)


@dataclass(frozen=True)
class TagOptions(SourceOptions):
    """How tagged sentences are read and split; columns by name or number, empty for a usual one."""

    tag_column: str = ""
    token_column: str = ""
    tag_scheme: str = "auto"  # one of tag_forms.ASKED
    reading: Mapping[str, Any] = field(default_factory=dict)  # how a run's own data was read
