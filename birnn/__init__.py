"""birnn: bidirectional recurrent models, as one import name.

This file is a façade of strings: what it names is imported when it is first asked for, so that
``import birnn`` stays cheap. Nothing inside the package imports it; see ``__init__.pyi`` for types.
"""

from pathlib import Path
from typing import Any

from birnn.old_pickles import answer_old_names

if Path(__file__).with_name("tasks").is_file():
    raise ImportError(
        "birnn/tasks is a file that should be a symbolic link: run 'git config core.symlinks true'"
        " and 'git checkout -- birnn', or install birnn from a wheel (docs/design.md)"
    )

# Name in ``birnn`` → where it lives; each task's estimator comes from its specification.
API = {
    "BiGRU": "birnn.nn.encoders:BiGRU",
    "BiLSTM": "birnn.nn.encoders:BiLSTM",
    "Encoded": "birnn.nn.encoders:Encoded",
    "EncoderConfig": "birnn.config:EncoderConfig",
    "load": "birnn.tasks.api.run:load",
    "train": "birnn.tasks.api.train:train",
    "Run": "birnn.tasks.api.run:Run",
    "__version__": "birnn.version:__version__",
}


def _names() -> dict[str, str]:
    from birnn.registry import load

    specs = load("birnn.tasks:TASKS").values()
    estimators = [spec.estimator for spec in specs if spec.estimator]
    return {**API, **{place.rpartition(":")[2]: place for place in estimators}}


def __getattr__(name: str) -> Any:
    """What :data:`API` or a task names, imported when it is asked for.

    Raises:
        AttributeError: there is no such name.
    """
    # Without a look at the tasks: Python asks for many a name, of sub-modules and its own.
    place = API.get(name) or (name[:1].isupper() and _names().get(name))
    if not place:
        raise AttributeError(f"module 'birnn' has no attribute {name!r}")
    from birnn.registry import load

    value = globals()[name] = load(place)
    return value


def __dir__() -> list[str]:
    """Names that are there, and those that are imported when they are asked for."""
    return sorted({*globals(), *_names()})


# Pickles from before this was one package name tasks.estimators and tasks.number_estimators.
answer_old_names(__getattr__)
