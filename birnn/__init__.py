"""birnn: bidirectional recurrent models, as one import name.

This file is a façade of strings: what it names is imported when it is first asked for, so that
``import birnn`` stays cheap. Nothing inside the package imports it; see ``__init__.pyi`` for types.
"""

from pathlib import Path
from typing import Any

from birnn.storage.old_pickles import answer_old_names

if Path(__file__).with_name("tasks").is_file():
    raise ImportError(
        "birnn/tasks is a file that should be a symbolic link: run 'git config core.symlinks true'"
        " and 'git checkout -- birnn', or install birnn from a wheel (docs/design.md)"
    )

# Name in ``birnn`` → where it lives.
API = {
    "BiGRU": "birnn.nn.encoders:BiGRU",
    "BiLSTM": "birnn.nn.encoders:BiLSTM",
    "load": "birnn.tasks.api.run:load",
    "train": "birnn.tasks.api.run:train",
    "Run": "birnn.tasks.api.run:Run",
    "SentimentClassifier": "birnn.tasks.sentiment.estimator:SentimentClassifier",
    "Tagger": "birnn.tasks.sentiment.estimator:Tagger",
    "Forecaster": "birnn.tasks.forecast.estimator:Forecaster",
    "SequenceRegressor": "birnn.tasks.forecast.estimator:SequenceRegressor",
    "__version__": "birnn.version:__version__",
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


# Pickles from before this was one package name tasks.estimators and tasks.number_estimators.
answer_old_names(__getattr__)
