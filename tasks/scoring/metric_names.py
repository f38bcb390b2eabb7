"""How a score is read: in per cent or as it is, up or down; light to import."""

from dataclasses import dataclass
from functools import cache

from birnn.registry import load


@dataclass(frozen=True)
class Metric:
    """How a score is read."""

    name: str  # the key in ``metrics.json``; one that ends in ``_`` stands for all that begin so
    better: str = "higher"  # or ``lower``
    unit: str = ""  # ``share``, which is shown times 100; ``%``, which is in per cent; or empty
    judged: bool = True  # whether more, or less, of it is better by itself
    title: str = ""  # in words, where that is not the name
    digits: int = 3  # after the point, at most


# Scores of more than one task; a task's specification names its own.
COMMON = (Metric("accuracy", unit="share"), Metric("macro_f1", unit="share"),
          Metric("weighted_f1", unit="share"), Metric("calibration_error", "lower", "share"),
          Metric("log_loss", "lower"), Metric("nll", "lower"), Metric("mse", "lower"),
          Metric("rmse", "lower"), Metric("mae", "lower"))  # fmt: skip


@cache
def metric(name: str) -> Metric:
    """What is known of a score; one that no task names is a plain number, the higher the better."""
    known: Metric
    own = (part for spec in load("birnn.tasks:TASKS").values() for part in spec.metrics)
    for known in (*COMMON, *own):
        if known.name == name or (known.name.endswith("_") and name.startswith(known.name)):
            return known
    return Metric(name)


def is_percent(name: str) -> bool:
    """Whether a score is a share that is shown times 100."""
    return metric(name).unit == "share"


def lower_is_better(name: str) -> bool:
    """Whether less of a score is more."""
    return metric(name).better == "lower"


def format_score(name: str, value: float) -> str:
    """A score with a sensible number of digits."""
    if is_percent(name):
        return unsigned_zero(f"{value * 100:.1f}")
    size = abs(value)
    if 0 < size < 0.01 or size >= 1e7:
        return f"{value:.2g}" if size < 1 else f"{value:.3g}"
    digits = min(metric(name).digits, 3 if size < 100 else 1 if size < 1000 else 0)
    return unsigned_zero(f"{value:,.{digits}f}")


def fitted(value: float, width: int, digits: int) -> str:
    """A number in ``width`` columns, with up to so many digits after the point.

    >>> [fitted(value, 5, 3) for value in (0.5, 12.5, 1234.5)]
    ['0.500', '12.50', ' 1234']
    """
    texts = [f"{value:.{left}f}" for left in range(digits, -1, -1)]
    text = next((text for text in texts if len(text) <= width), texts[-1])
    return unsigned_zero(text).rjust(width)


def aligned_score(name: str, value: float) -> str:
    """As :func:`format_score`, as wide as others of its kind: lines of epochs are columns."""
    if is_percent(name):
        return fitted(100 * value, 4, 1)
    text = format_score(name, value)
    return text.rjust(5) if len(text) <= 5 else fitted(value, 5, 3)


def unsigned_zero(number: str) -> str:
    """A written number; one whose digits are all 0 without a sign.

    >>> unsigned_zero("-0.0"), unsigned_zero("-0.1")
    ('0.0', '-0.1')
    """
    return number if any(digit in number for digit in "123456789") else number.lstrip("-")


def score_title(name: str) -> str:
    """A metric's name in words, with its unit."""
    known = metric(name)
    words = name.removesuffix("_error").replace("_", " ")
    words = known.title or words.replace("f1", "F1").replace("roc auc", "ROC AUC")
    return f"{words} %" if known.unit else words
