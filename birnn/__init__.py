"""birnn: bidirectional recurrent encoders that are exact under padding.

This package knows tensors only. Importing it is cheap: torch is loaded by the
modules that need it, so that a command line can answer before they do.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # so that editors know the names; at run time they are looked up in API
    from tasks.api import Run as Run
    from tasks.api import load as load
    from tasks.api import train as train
    from tasks.estimators import SentimentClassifier as SentimentClassifier
    from tasks.estimators import Tagger as Tagger
    from tasks.number_estimators import Forecaster as Forecaster
    from tasks.number_estimators import SequenceRegressor as SequenceRegressor

__version__ = "0.1.0"

# Encoder name → where its class lives. Adding an encoder is one class and one line here.
ENCODERS = {
    "bigru": "birnn.encoders:BiGRU",
    "bilstm": "birnn.encoders:BiLSTM",
}

# Engine name → how a recurrent layer is computed, in order of preference; see birnn.engines.
ENGINES = {
    "cudnn": "birnn.engines:CUDNN",
    "native": "birnn.engines:NATIVE",
    "onednn": "birnn.engines:ONEDNN",
    "torch": "birnn.engines:TORCH",
}

# Name in ``birnn`` → where it lives; resolved on first use, so that ``import birnn`` stays cheap.
API = {
    "load": "tasks.api:load",
    "train": "tasks.api:train",
    "Run": "tasks.api:Run",
    "SentimentClassifier": "tasks.estimators:SentimentClassifier",
    "Tagger": "tasks.estimators:Tagger",
    "Forecaster": "tasks.number_estimators:Forecaster",
    "SequenceRegressor": "tasks.number_estimators:SequenceRegressor",
}


def __getattr__(name: str) -> Any:
    """What :data:`API` names, imported when it is asked for.

    Raises:
        AttributeError: there is no such name.
    """
    if name not in API:
        raise AttributeError(f"module 'birnn' has no attribute {name!r}")
    from birnn.registry import resolve

    found = globals()[name] = resolve(API, name, "name")
    return found


def __dir__() -> list[str]:
    """Names that are there, and those that :data:`API` adds."""
    return sorted({*globals(), *API})
