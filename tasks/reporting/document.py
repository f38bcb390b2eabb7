"""From a run's files to one HTML file that needs no network, no script and no other file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from birnn.storage.files import write_text
from birnn.tasks import TASKS
from birnn.tasks.core.stored import stored
from birnn.tasks.core.toml_text import write_toml
from birnn.tasks.pages.assets import UPLOT, UPLOT_STYLE, content_hash, inline, read_asset
from birnn.tasks.pages.rendering import environment
from birnn.tasks.reporting.blocks import Section
from birnn.tasks.reporting.data_section import data_section
from birnn.tasks.reporting.folds_section import folds_section
from birnn.tasks.reporting.inputs import RunFiles, read_run_files
from birnn.tasks.reporting.origin_section import origin_section
from birnn.tasks.reporting.repeat_section import repeat_section
from birnn.tasks.reporting.training_section import training_section
from birnn.tasks.reporting.verdict import verdict_section
from birnn.version import __version__

PACKAGE = "birnn.tasks.reporting"
REPORT = "report.html"
MOST_NUMBERS = 50_000  # values of the test split that the report holds beside its scores


def write_report(folder: Path, config: Mapping[str, Any], options: Any, name: str = "",
                 path: Path | None = None) -> Path:  # fmt: skip
    """Write the report of the finished run in ``folder``; returns where it is.

    Args:
        folder: of the run.
        config: what its ``config.json`` holds.
        options: the same as the task's dataclass, shown as TOML.
        name: of the run, where the folder still has another.
        path: of the report; without one, ``report.html`` in the folder.

    Raises:
        CheckpointError: a file of the run is missing, or is not as a run's.
    """
    with stored(folder, "report's files are"):
        files = read_run_files(folder, config, name)
        text = render_report(files, write_toml({"config": options}))
    target = path or folder / REPORT
    write_text(target, text)
    return target


def render_report(files: RunFiles, options: str = "") -> str:
    """The report as HTML; ``options`` are all options as TOML."""
    spec = TASKS[files.metrics["task"]]
    pooled = "folds" in files.metrics  # what the task alone shows stands in each fold's report
    joint = pooled or "ensemble" in files.metrics
    own: list[Section] = spec.part("report")(files) if spec.report and not joint else []
    own += [folds_section(files)] if pooled else []
    began = [origin_section(files)] if "from" in files.metrics else []
    sections = [verdict_section(files), *began, data_section(files), *own, training_section(files),
                repeat_section(files, options)]  # fmt: skip
    return render_page(files.metrics["task"], files.name, files.metrics["verdict"], sections,
                       report_numbers(files))  # fmt: skip


def render_page(task: str, name: str, verdict: str, sections: Sequence[Section],
                numbers: Mapping[str, Any]) -> str:  # fmt: skip
    """Sections as one HTML file, under a ``verdict``, with its ``numbers`` as JSON."""
    blocks = [part for section in sections for block in section.blocks for part in block.within()]
    plot = any(block.kind == "series" for block in blocks)
    own_scripts = dict.fromkeys(name for block in blocks for name in block.scripts)
    scripts = [read_asset(name, PACKAGE) for name in ("report.js", *own_scripts)]
    if plot:
        scripts.insert(0, read_asset(UPLOT))
    style = read_asset("look.css") + read_asset("report.css", PACKAGE)
    if plot:
        style = read_asset(UPLOT_STYLE) + style
    template = environment(PACKAGE).get_template("report.html")
    return template.render(
        task=task, name=name, verdict=unbroken(verdict),
        sections=sections, version=__version__, style=inline(style),
        scripts=[inline(part) for part in scripts],
        policy=" ".join(content_hash(part) for part in scripts),
        numbers=numbers,
    )  # fmt: skip


def is_report(path: Path) -> bool:
    """Whether a file is a report that some version of birnn has written."""
    try:
        with path.open("rb") as file:
            return b'<meta name="generator" content="birnn ' in file.read(4096)
    except OSError:
        return False


def unbroken(text: str) -> str:
    """``text`` with no line's end between a number and its per cent sign."""
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text)


def report_numbers(files: RunFiles) -> dict[str, Any]:
    """The numbers of the report, for whoever wants to recompute them."""
    spec = TASKS[files.metrics["task"]]
    numbers: dict[str, Any] = {"metrics": files.metrics, "histories": files.histories,
                               "config": files.config}  # fmt: skip
    if spec.report_numbers and not {"folds", "ensemble"} & set(files.metrics):
        numbers["test"] = spec.part("report_numbers")(files)
    return numbers
