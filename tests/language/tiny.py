"""Language models, small enough to check in a second."""

from pathlib import Path
from typing import Any

import numpy as np

from birnn.tasks.language.options import LanguageConfig, LanguageData, LanguageParts

from tiny_parts import ENCODER, TRAIN


def write_lines(path: Path) -> None:
    """60 lines, each the same few letters again and again, with a number of its own between."""
    lines = [f"abcd{i:02d}" * (4 + i % 3) + "." for i in range(60)]
    path.write_text("\n".join(f"{line}{i % 7}" for i, line in enumerate(lines)) + "\n")


def lines(folder: Path) -> LanguageConfig:
    """A document a line; both directions."""
    write_lines(folder / "lines.txt")
    data = LanguageData(
        str(folder / "lines.txt"), "lines", validation_share=0.1, passage=16, overlap=4
    )
    parts = LanguageParts(symbol_size=4, window=8, output_dropout=0.0, ngram_order=3)
    return LanguageConfig(data, parts, ENCODER, TRAIN)


def all_alike(data: Any) -> tuple[float, float]:
    """All symbols alike."""
    return float(np.log(len(data.info.symbols))), 0.05


def ask(config: LanguageConfig) -> list[str]:
    """What Python asks a run: texts."""
    return ["abcdabcd.1", "", "dcba\u2603"]


TINY = {"lines": lines}
START = {"lines": all_alike}
