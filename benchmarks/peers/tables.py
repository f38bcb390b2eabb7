"""From the reports of all processes to medians, ratios and tables."""

import statistics
from collections.abc import Sequence
from typing import Any, NamedTuple

Report = dict[str, Any]


class Column(NamedTuple):
    """A measure, as a table shows it."""

    key: str
    head: str
    digits: int
    more_is_better: bool
    ratio: bool = True  # whether quotients mean anything


SPEEDS = (
    ("train_per_second", "training, {}/s", 0, True),
    ("predict_per_second", "prediction, {}/s", 0, True),
    ("latency_ms", "a single {}, ms", 2, False),
    ("peak_mib", "peak memory, MiB", 0, False),
)
SCORES = {
    "tagging": (Column("accuracy", "test accuracy", 4, True, False),),
    "forecasting": (
        Column("mse", "test MSE", 4, False, False),
        Column("mae", "test MAE", 4, False, False),
    ),
}
WORDS = {"tagging": ("tokens", "sentence"), "forecasting": ("windows", "window")}
TITLES = {
    "tagging": "Tagging: BiLSTM-CRF, EWT parts of speech",
    "forecasting": "Forecasting: {}, ETTh1, 336 steps read, 96 ahead",
}


def columns(part: str) -> list[Column]:
    """The measures of tagging or forecasting."""
    many, one = WORDS[part]
    speeds = [
        Column(key, head.format(one if key == "latency_ms" else many), digits, more)
        for key, head, digits, more in SPEEDS
    ]
    return [*speeds, *SCORES[part]]


def groups(reports: Sequence[Report]) -> dict[tuple[str, str], dict[str, list[Report]]]:
    """Part and cell → system → its reports, in the order in which they came."""
    found: dict[tuple[str, str], dict[str, list[Report]]] = {}
    for report in reports:
        systems = found.setdefault((report["part"], report.get("cell", "")), {})
        systems.setdefault(report["system"], []).append(report)
    return found


def medians(systems: dict[str, list[Report]], part: str) -> dict[str, dict[str, float]]:
    """System → measure → median over the rounds."""
    return {
        name: {c.key: statistics.median(r[c.key] for r in own) for c in columns(part)}
        for name, own in systems.items()
    }


def ratios(found: dict[str, dict[str, float]], part: str, base: str) -> dict[str, dict[str, float]]:
    """System → measure → how many times better the system ``base`` is."""
    result: dict[str, dict[str, float]] = {}
    for name, own in found.items():
        result[name] = {}
        for c in columns(part):
            if c.ratio and name != base:
                quotient = found[base][c.key] / own[c.key]
                result[name][c.key] = quotient if c.more_is_better else 1 / quotient
    return result


def bases(names: Sequence[str]) -> list[str]:
    """The systems that others are compared with: this library's."""
    return [name for name in names if name.startswith("birnn")]


def summary(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Medians of every group and ratios to each system of this library."""
    result = []
    for (part, cell), systems in groups(reports).items():
        found = medians(systems, part)
        compared = {base: ratios(found, part, base) for base in bases(list(found))}
        result.append({"part": part, "cell": cell, "medians": found, "ratios": compared})
    return result


def waiting(reports: Sequence[Report]) -> list[str]:
    """How the threads of each system wait, as its environment says."""
    return list({f"{r['system']} {r['omp_wait_policy']}": None for r in reports})


def lines(reports: Sequence[Report], settings: dict[str, Any]) -> list[str]:
    """Everything as Markdown."""
    first = reports[0]
    text = [
        f"torch {first['torch']}, {first['threads']} threads on {settings['processors']}"
        f" processors; OMP_WAIT_POLICY: {', '.join(waiting(reports))}. A process a system, one at a"
        f" time, in {settings['rounds']} round(s) of turns; medians. Training ran for"
        f" {settings['seconds']:g} s and is counted after {settings['warm']} steps; test scores"
        " are those of the weights at the end of that time. In brackets, how many times better"
        " each of birnn's rows is than this one, in their order: above 1 it wins.",
    ]
    for (part, cell), systems in groups(reports).items():
        shown = columns(part)
        found = medians(systems, part)
        better = [ratios(found, part, base) for base in bases(list(found))]
        heads = ["system", *(c.head for c in shown), "steps trained"]
        text += ["", f"## {TITLES[part].format(cell.upper())}", ""]
        text += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        for name, own in systems.items():
            cells = [f"{name} ({own[0]['version']})"]
            for c in shown:
                value = f"{found[name][c.key]:,.{c.digits}f}"
                times = [f"{base[name][c.key]:.2f}" for base in better if c.key in base[name]]
                compared = times and name not in bases(list(found))
                cells.append(f"{value} ({'; '.join(times)})" if compared else value)
            cells.append(f"{statistics.median(r['train_steps'] for r in own):,.0f}")
            text.append(f"| {' | '.join(cells)} |")
    return text
