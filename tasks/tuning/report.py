"""A study as pictures and as one HTML file."""

from collections.abc import Sequence
from pathlib import Path

from birnn.data.wording import plural
from birnn.storage.files import atomic_path
from birnn.tasks.core.plots import INK, SOFT, new_figure, save_figure
from birnn.tasks.pages.figures import Line, LineChart, draw
from birnn.tasks.reporting.blocks import (
    Alert,
    Alerts,
    Bar,
    Bars,
    Block,
    Chart,
    Code,
    Column,
    Facts,
    Grid,
    Key,
    KeyFigure,
    KeyFigures,
    Section,
    Table,
)
from birnn.tasks.reporting.document import render_page
from birnn.tasks.reporting.scores import score_name
from birnn.tasks.scoring.metric_names import is_percent
from birnn.tasks.tuning.results import Findings, Row

MOST_SLICES = 4  # options that are drawn against the score
MOST_ROWS = 500  # trials in the table


def value_text(value: object) -> str:
    """The value of an option, short."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def score_text(findings: Findings, score: float | None) -> str:
    """A score as it is shown; finer than a report's, as trials lie close together."""
    if score is None:
        return "–"
    return f"{100 * score:.2f}" if is_percent(findings.monitor) else f"{score:.4f}"


def best_so_far(findings: Findings) -> tuple[list[int], list[float]]:
    """The trials that went to their end, and the best score up to each."""
    numbers, scores = list[int](), list[float]()
    for row in findings.rows:
        if row.state == "done" and row.score is not None:
            best = [*scores[-1:], row.score]
            numbers.append(row.number)
            scores.append(min(best) if findings.lower else max(best))
    return numbers, scores


def study_report(findings: Findings, folder: Path, command: str = "") -> str:
    """The report as HTML."""
    name, monitor = folder.resolve().name, score_name(findings.monitor)
    best = score_text(findings, findings.best.score)
    which = "The default options" if findings.best.default else f"Trial {findings.best.number}"
    verdict = (f"{which}: {findings.how}. Validation {monitor} {best}, chosen among"
               f" {plural(findings.finished, 'trial')}.")  # fmt: skip
    sections = [_verdict(findings), _search(findings), _trials(findings), _use(findings, folder,
                command)]  # fmt: skip
    return render_page(findings.task, name, verdict, sections, findings.to_json())


def _verdict(findings: Findings) -> Section:
    default = next((row for row in findings.rows if row.default), None)
    title = f"Validation {score_name(findings.monitor)}"
    states = [row.state for row in findings.rows]
    counted = ", ".join(f"{states.count(state)} {state}" for state in ("done", "pruned", "failed")
                        if state in states)  # fmt: skip
    figures = [KeyFigure(title, score_text(findings, findings.best.score),
                         f"trial {findings.best.number}, in the search")]  # fmt: skip
    if default is not None and default.score is not None:
        figures.append(KeyFigure("The default", score_text(findings, default.score), title))
    figures.append(KeyFigure("Trials", str(findings.finished), counted))
    options = [(name, value_text(value)) for name, value in findings.best.values.items()]
    blocks: list[Block] = [
        KeyFigures(figures),
        Alerts([Alert("Everything here was chosen on validation, whose scores are flattered by the"
                      " choice. The test split was not read."),
                *([Alert(f"Trials: {findings.lighter}.")] if findings.lighter else [])]),
        Facts(options, "What was found"),
    ]  # fmt: skip
    if len(findings.finalists) > 1:
        blocks.append(_finalists(findings))
    return Section("verdict", "Verdict", blocks)


def _finalists(findings: Findings) -> Table:
    seeds = sorted({seed for one in findings.finalists for seed in one.scores})
    heads = [Column("trial"), *(Column(f"seed {seed}", number=True) for seed in seeds),
             Column("gain", number=True), Column("± error", number=True)]  # fmt: skip
    rows = [
        [f"{one.number}, the default" if findings.of(one.number).default else str(one.number),
         *(score_text(findings, one.scores.get(seed)) for seed in seeds),
         score_text(findings, one.gain), score_text(findings, one.error)]
        for one in findings.finalists
    ]  # fmt: skip
    own = next((i for i, one in enumerate(findings.finalists)
                if one.number == findings.best.number), -1)  # fmt: skip
    caption = "Trained again with seeds that the search has not seen; the gain is over the default."
    return Table(heads, rows, "The finalists", caption, own)


def _search(findings: Findings) -> Section:
    """How the best score came about, and which options mattered."""
    done = [row for row in findings.rows if row.score is not None and row.state == "done"]
    scale = 100 if is_percent(findings.monitor) else 1
    numbers, best = best_so_far(findings)
    scores = [scale * (row.score or 0.0) for row in done]
    lines = [Line("trials", [row.number for row in done], scores, "c2", "points"),
             Line("best so far", numbers, [scale * score for score in best])]  # fmt: skip
    title = f"Validation {score_name(findings.monitor)} by trial"
    table = Table([Column("trial", number=True), Column("score", number=True),
                   Column("best so far", number=True)],
                  [[str(row.number), score_text(findings, row.score), score_text(findings, top)]
                   for row, top in zip(done, best, strict=True)])  # fmt: skip
    chart = LineChart(lines, x_label="trial", whole=True, full=True)
    keys = [Key("a trial", "c2", "points"), Key("best so far", "c1")]
    blocks: list[Block] = [Chart(title, draw(chart, f"{title}; the numbers are in the table."),
                                 table, legend=keys)]  # fmt: skip
    if findings.importance:
        ordered = sorted(findings.importance.items(), key=lambda pair: -pair[1])
        bars = [(name, [Bar(share, f"{100 * share:.0f} %")]) for name, share in ordered]
        caption = "How much each option tells good trials from the rest (PED-ANOVA)."
        blocks.append(Bars("Which options mattered", ["share"], bars, caption))
    if slices := _slices(findings, done):
        blocks.append(Grid(slices))
    return Section("search", "Search", blocks)


def _slices(findings: Findings, done: Sequence[Row]) -> list[Chart]:
    """The score against the options that matter most, as far as they are numbers."""
    names = sorted(findings.importance, key=lambda name: -findings.importance[name])
    scale = 100 if is_percent(findings.monitor) else 1
    charts: list[Chart] = []
    for name in names:
        pairs = sorted((row.values[name], row.score or 0.0) for row in done
                       if isinstance(row.values.get(name), int | float)
                       and not isinstance(row.values[name], bool))  # fmt: skip
        if len({x for x, _ in pairs}) < 3 or len(charts) == MOST_SLICES:
            continue
        line = Line(name, [x for x, _ in pairs], [scale * y for _, y in pairs], "c2", "points")
        table = Table([Column(name, number=True), Column("score", number=True)],
                      [[value_text(x), score_text(findings, y)] for x, y in pairs])  # fmt: skip
        title = f"{score_name(findings.monitor)} by {name}"
        chart = LineChart([line], x_label=name)
        charts.append(Chart(title, draw(chart, f"{title}; the numbers are in the table."), table))
    return charts


def _trials(findings: Findings) -> Section:
    names = list(findings.best.values)
    heads = [Column("trial", number=True), Column("state"), Column("score", number=True),
             Column("epoch", number=True), Column("seconds", number=True),
             *(Column(name) for name in names), Column("why")]  # fmt: skip
    order = [*findings.ranked(), *(row for row in findings.rows if row.state != "done")]
    rows = [
        [str(row.number), row.state, score_text(findings, row.score), str(row.epoch or "–"),
         f"{row.seconds:.1f}", *(value_text(row.values.get(name, "–")) for name in names),
         row.reason]
        for row in order[:MOST_ROWS]
    ]  # fmt: skip
    own = next((i for i, row in enumerate(order) if row.number == findings.best.number), -1)
    more = f"The best {MOST_ROWS} of {len(order)}; all are in trials.csv." if len(order) > len(
        rows) else ""  # fmt: skip
    return Section("trials", "Trials", [Table(heads, rows, "", more, own, sortable=True)])


def _use(findings: Findings, folder: Path, command: str) -> Section:
    commands = f"python cli.py {findings.task} --config {folder / 'best.toml'}"
    blocks: list[Block] = [Code("Train what was found", commands)]
    if command:
        blocks.append(Code("Go on with this study: the same command, with more --trials", command))
    return Section("use", "Use it", blocks)


def save_pictures(folder: Path, findings: Findings) -> None:
    """Write ``history.png`` and, where options can be told apart, ``importance.png``."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(7, 3.5)
    axes = figure.subplots()
    done = [row for row in findings.rows if row.state == "done"]
    numbers, best = best_so_far(findings)
    scores = [row.score or 0.0 for row in done]
    axes.plot([row.number for row in done], scores, "o", color=SOFT, ms=4)
    axes.step(numbers, best, where="post", color=INK)
    axes.set_xlabel("trial")
    axes.set_ylabel(f"validation {findings.monitor.replace('_', ' ')}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    with atomic_path(folder / "history.png") as path:
        save_figure(figure, path)
    if not findings.importance:
        return
    ordered = sorted(findings.importance.items(), key=lambda pair: pair[1])
    figure = new_figure(7, 0.3 * len(ordered) + 1)
    axes = figure.subplots()
    axes.barh([name for name, _ in ordered], [share for _, share in ordered], color=INK)
    axes.set_xlabel("importance, as a share")
    with atomic_path(folder / "importance.png") as path:
        save_figure(figure, path)
