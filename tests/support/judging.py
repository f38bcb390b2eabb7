"""What a reader made of a file whose content is known, and of which kind a refusal is."""

import random
import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

# Outcomes. The first four are right, each for some files; the others never are.
READ, WARNED, OTHERWISE, REFUSED = "read", "read, warned", "read otherwise, warned", "refused"
ALTERED, WRONG, SILENT, CRASHED = "ALTERED", "WRONG, warned", "READ SILENTLY", "CRASHED"
NEVER = (ALTERED, WRONG, SILENT, CRASHED)


@dataclass(frozen=True)
class Judged:
    """What a reader made of a sample."""

    outcome: str
    verdict: str  # clear, arguable, ambiguous
    detail: str = ""  # what differs, or the refusal
    kind: str = ""  # of refusal or difference: the detail without its names and numbers


def outcome(
    verdict: str, wrong: str, notes: Sequence[str], decide: Sequence[str], why: str, kind: str = ""
) -> Judged:
    """Of a file that was read: ``wrong`` is what differs from what was meant, empty for nothing.

    A warning is a note that names one of the options that ``decide``.
    """
    warned = any(option in note for note in notes for option in decide)
    if not wrong:
        result = READ if verdict != "ambiguous" else WARNED if warned else SILENT
    elif warned:
        result = OTHERWISE
    else:
        named = verdict != "ambiguous" and any("--" in note for note in notes)
        result = WRONG if named else ALTERED
    detail = wrong or (why if result == SILENT else "")
    return Judged(result, verdict, detail, (kind if wrong else "") or kind_of(detail))


def refusal(verdict: str, error: Exception, path: Path) -> Judged:
    """Of a file that was refused in one line."""
    said = str(error).replace(str(path), path.name)
    return Judged(REFUSED, verdict, said, kind_of(said.removeprefix(path.name).lstrip(": ")))


def crash(verdict: str, error: Exception) -> Judged:
    """Of a reader that ended in none of birnn's own errors."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "site-packages" not in f.filename] or list(frames)
    where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    said = f"{type(error).__name__} at {where}: {error}"
    return Judged(CRASHED, verdict, said[:300], f"{type(error).__name__} at {where}")


def kind_of(said: str) -> str:
    """A message without its names, numbers and lists: what many of a kind share."""
    said = re.sub(r"'[^']*'(?= |,|;|\)|$|:)|\"[^\"]*\"(?= |,|;|\)|$|:)", "…", said)
    said = re.sub(r"\([^()]*\)", "", re.sub(r"[-+]?\d[\d,.:T+-]*", "N", said))
    return re.sub(r"\s+", " ", re.sub(r"(?:table|times)-\S+", "FILE", said)).strip()[:110]


def first_made(kind: str, seed: int, attempt: Callable[[int, random.Random], T | None]) -> T:
    """The sample of a seed: the first that an ``attempt`` with a generator of its own makes."""
    generators = (random.Random(f"{kind} {seed} {number}") for number in range(1000))
    made = (attempt(seed, generator) for generator in generators)
    return next(sample for sample in made if sample is not None)
