"""What a language model knows of its training split, and how a run folder keeps it."""

from dataclasses import dataclass
from pathlib import Path

from birnn.data.passages.symbols import MOST, Characters
from birnn.storage.files import read_json
from birnn.tasks.core.stored import check_strings, stored
from birnn.tasks.core.task import Files


@dataclass(frozen=True)
class LanguageInfo:
    """The symbols."""

    symbols: Characters

    def files(self) -> Files:
        """``symbols.json``."""
        return {"symbols.json": {"unit": "characters", "symbols": list(self.symbols.symbols)}}


def read_language_info(folder: Path) -> LanguageInfo:
    """Restore ``symbols.json``.

    Raises:
        CheckpointError: it is missing or damaged.
    """
    kept = read_json(folder / "symbols.json")
    with stored(folder, "symbols.json is"):
        symbols = kept["symbols"]
        check_strings("symbols", symbols, least=1)
        if kept["unit"] != "characters" or any(len(symbol) != 1 for symbol in symbols):
            raise ValueError("its symbols are not characters")
        if len(symbols) > MOST:
            raise ValueError(f"{len(symbols):,} symbols; a run has at most {MOST:,}")
    return LanguageInfo(Characters(symbols))
