"""What is drawn of a trained run's scores and of what it predicts."""

import json
from typing import Any

from rich.console import Console
from rich.text import Text

from birnn.terminal.console import console, is_plain, print_json
from birnn.terminal.text import harmless, render_pairs
from birnn.terminal.views import view_of
from birnn.terminal.views.scores import render_scores


def draw_evaluation(scored: Any, *, as_json: bool) -> None:
    """Scores of a loaded run."""
    out, plain, metrics = console(), is_plain(), scored.metrics
    if as_json:
        print_json(metrics)
        return
    out.print(render_pairs(scored.title, scored.pairs))
    out.print(render_scores(metrics, {}, out.width, plain=plain))
    out.print(view_of(metrics["task"]).render_details(metrics["details"], out.width, plain=plain))


def draw_answer(answer: Any, *, output: str, as_json: bool) -> None:
    """What was predicted, or a word on where it was written."""
    out = console()
    if as_json:
        for record in answer.records:
            print(json.dumps(record, ensure_ascii=False))
    elif output:
        out.print(Text(f"{len(answer.records):,} records: {harmless(output)}"), soft_wrap=True)
    else:
        view_of(answer.task).draw_answer(answer, out, plain=is_plain())
    for note in answer.notes:
        Console(stderr=True, highlight=False).print(Text(harmless(note)), soft_wrap=True)
