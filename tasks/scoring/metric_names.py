"""How a score is read: in per cent or as it is, up or down; light to import."""

# Shown times 100.
PERCENT = frozenset(
    {
        "accuracy", "macro_f1", "weighted_f1", "unseen_accuracy",
        "span_f1", "span_precision", "span_recall", "unseen_span_f1",
        "strict_span_f1", "conlleval_span_f1", "calibration_error", "span_calibration_error",
    }
)  # fmt: skip

LOWER_IS_BETTER = frozenset(
    {
        "log_loss", "nll", "calibration_error", "span_calibration_error", "mse", "rmse", "mae",
        "mse_scaled", "mae_scaled", "mape", "smape", "mase", "rmsse", "pinball",
    }
)  # fmt: skip


def is_percent(name: str) -> bool:
    """Whether a score is a share that is shown times 100."""
    return name in PERCENT or name.startswith("coverage_")


def lower_is_better(name: str) -> bool:
    """Whether less of a score is more."""
    return name in LOWER_IS_BETTER or name.startswith(("winkler_", "width_"))


def has_better(name: str) -> bool:
    """Whether more, or less, of a score is better by itself.

    A coverage is best at its level; a width tells nothing without the coverage beside it.
    """
    return not name.startswith(("coverage_", "width_"))


def format_score(name: str, value: float) -> str:
    """A score with a sensible number of digits."""
    if is_percent(name):
        return f"{value * 100:.1f}"
    size = abs(value)
    if 0 < size < 0.01 or size >= 1e7:
        return f"{value:.2g}" if size < 1 else f"{value:.3g}"
    digits = 3 if size < 100 else 1 if size < 1000 else 0
    return f"{value:,.{digits}f}"


def score_title(name: str) -> str:
    """A metric's name in words, with its unit."""
    words = name.removesuffix("_error").replace("_", " ")
    words = words.replace("f1", "F1").replace("roc auc", "ROC AUC")
    return f"{words} %" if is_percent(name) or name in ("mape", "smape") else words
