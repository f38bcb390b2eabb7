"""Does the exported ``predict.py`` answer as birnn does, from the raw input to the last number?"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from birnn.errors import CheckpointError
from birnn.tasks import TASKS
from birnn.tasks.export.check_graph import TOLERANCE
from birnn.tasks.export.graph import Graph
from birnn.tasks.runs.folder import LoadedRun

LENGTHS = (1, 2, 7, 33, 128, 500)  # words of the texts
ODD = (
    "", "   ", "?", "It's GREAT!!! don't miss http://t.co/x :) #win @you",
    "I'd've said Dr. Müller-Lüdenscheidt's 3.5km run wasn't   bad…", "NAÏVE café — “quoted” <3",
    "日本語のテキスト", "👩‍👩‍👧‍👦 🇩🇪 ok", "a" * 200,
    "x\u200by\u00a0z&amp;co e.g. U.S. 1,000.50", "<unk> <pad>",
)  # fmt: skip


def check_script(run: LoadedRun, graph: Graph, made: Path) -> dict[str, Any]:
    """Compare the files in ``made`` with the run on made-up input.

    Returns:
        What was compared, and the largest difference.

    Raises:
        CheckpointError: they differ.
    """
    script = import_module(TASKS[run.task.name].predict_script)
    largest, what = graph.compare_script(run, made, script.Predictor)
    if largest is not None and not largest <= TOLERANCE:
        raise CheckpointError(
            f"{run.folder}: the exported predict.py differs from the run by {largest:.3g} ({what}),"
            f" more than {TOLERANCE:g}; nothing was written"
        )
    return {"compared": largest is not None, "what": what, "largest_difference": largest}


def sample_texts(run: LoadedRun) -> list[str]:
    """Odd texts, and words of the run's own vocabulary in texts of many lengths."""
    lexicon = getattr(run.info.lexicon, "words", run.info.lexicon)
    lexicon = lexicon if hasattr(lexicon, "vector_words") else run.info.lexicon
    words = [*lexicon.words[2:], *lexicon.vector_words[:1000], "unheard-of", "Xyzzy", "#new"]
    generator = np.random.default_rng(2)
    texts = [
        " ".join(words[i] for i in generator.integers(0, len(words), size)) for size in LENGTHS
    ]
    return [*ODD, *texts, *(text.title() for text in texts[:4])]
