"""Does the exported ``predict.py`` answer as birnn does, from the raw input to the last number?"""

from pathlib import Path
from typing import Any
from tasks.run import LoadedRun

def check_ends(run: LoadedRun, made: Path) -> dict[str, Any]:
    return {"what": "", "largest_difference": 0.0}
