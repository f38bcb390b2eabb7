"""Pickles from before birnn was one import name: they call its classes ``tasks.estimators.Tagger``.

The last finder on :data:`sys.meta_path` answers for those modules, and only while one of them is
asked for. A user's own ``tasks`` always comes first, and ``import tasks`` fails as it would without
birnn.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import FrameType, ModuleType
from typing import Any

PARENT = "tasks"
# Module that an old pickle names → the classes that it had.
CLASSES = {
    "tasks.estimators": ("SentimentClassifier", "Tagger"),
    "tasks.number_estimators": ("Forecaster", "SequenceRegressor"),
}


class OldModule(ModuleType):
    """A module of old names; each is resolved when a pickle asks for it."""

    def __init__(self, name: str, resolve: Callable[[str], Any]) -> None:
        super().__init__(name, "Where an old pickle finds its classes.")
        self._resolve = resolve

    def __getattr__(self, name: str) -> Any:
        """The class that is called ``name`` today."""
        if not name.startswith("__"):  # those the import system asks for
            forget()
        if name not in CLASSES[self.__name__]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return self._resolve(name)


class OldParent(ModuleType):
    """``tasks`` as an import of ``tasks.estimators`` needs it, where the user has none."""


class OldPickles:
    """Finder and loader of the old modules; ``resolve`` gives the class of a name."""

    def __init__(self, resolve: Callable[[str], Any]) -> None:
        self.modules = {name: OldModule(name, resolve) for name in CLASSES}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """A spec for an old module, and for its parent while an old module is asked for."""
        if name in self.modules:
            return ModuleSpec(name, self)  # type: ignore[arg-type]
        if name == PARENT and asked_for():
            return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """One of the old modules, or their parent."""
        return self.modules.get(spec.name) or OldParent(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


def asked_for() -> bool:
    """Whether the import system looks for an old module further up the stack.

    It asks for a parent by its bare name; only its callers know for which child.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        value = frame.f_locals.get("name")
        if isinstance(value, str) and value in CLASSES:
            return True
        frame = frame.f_back
    return False


def alone() -> bool:
    """Whether this is the only thread, but for the one that tqdm's bars are watched by."""
    monitors = sum(type(thread).__name__ == "TMonitor" for thread in threading.enumerate())
    return len(sys._current_frames()) == 1 + monitors


def forget() -> None:
    """Take what was made up out of :data:`sys.modules`, so that nothing is called ``tasks``.

    It stays where another thread may be half-way through the same import.
    """
    if isinstance(sys.modules.get(PARENT), OldParent) and alone():
        for name in (PARENT, *CLASSES):
            sys.modules.pop(name, None)


def answer_old_names(resolve: Callable[[str], Any]) -> None:
    """Let old pickles find their classes, once and last of all; ``resolve``: a name → its class."""
    if any(type(finder).__name__ == OldPickles.__name__ for finder in sys.meta_path):
        return
    finder = OldPickles(resolve)
    sys.meta_path.append(finder)
    if plain_module(PARENT):
        # The import system asks no finder for a child of the user's own tasks.py, and nothing of
        # theirs can be called tasks.estimators.
        for name, module in finder.modules.items():
            sys.modules.setdefault(name, module)


def plain_module(name: str) -> bool:
    """Whether ``name`` is loaded, or would be found, as a module that is no package."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return not hasattr(loaded, "__path__")
    spec = PathFinder.find_spec(name)
    return spec is not None and spec.submodule_search_locations is None
