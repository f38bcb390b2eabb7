"""The examples of docs/python.md run."""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from places import ROOT
from writers import sentences


def test_the_examples_run(tmp_path: Path) -> None:
    page = ROOT / "docs" / "python.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 5
    frame = pd.DataFrame(sentences(60), columns=["text", "label"])
    names: dict[str, Any] = {"reviews": frame, "folder": tmp_path}
    for block in blocks:
        exec(compile(block, str(page), "exec"), names)
    assert (tmp_path / "fitted" / "config.json").is_file()
