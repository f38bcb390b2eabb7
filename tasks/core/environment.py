"""The machine and the libraries of a run, in words."""

import os
import platform
import re
from pathlib import Path

from birnn.data.wording import plural
from birnn.version import __version__

LIBRARIES = ("torch", "numpy", "scikit-learn", "datasets")


def environment(threads: int, engine: str) -> dict[str, str]:
    """What a run was made with: name → words; nothing that names the person or the machine."""
    from importlib.metadata import version

    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    cores, used = plural(os.cpu_count() or 1, "core"), plural(threads, "thread")
    return {
        "birnn": __version__,
        "Python": platform.python_version(),
        "libraries": libraries,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": f"{processor()}, {cores}, {used} used",
        "recurrences by": engine,
    }


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        names = re.findall(r"(?m)^model name\s*:\s*(.+)$", lines)
    except OSError:
        names = []
    return str(names[0]) if names else platform.processor() or platform.machine()
