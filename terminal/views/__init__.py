"""What each kind of result looks like.

A task's specification names one of these modules as its ``view``; each such module has

- ``render_details(details, width, *, plain)``: what a report shows beyond the scores;
- ``draw_answer(answer, out, *, plain)``: draws what ``predict`` answers on a console;
- and, if it likes, ``draw_learned(folder, details, out)``: draws more of a run that has just been
  trained, in a terminal.
"""

from importlib import import_module
from types import ModuleType

from birnn.tasks import TASKS


def view_of(task: str) -> ModuleType:
    """The module that draws the details and the answers of a task's runs."""
    return import_module(f"{__name__}.{TASKS[task].view}")
