"""A search for better options, from the command to what was found."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rich.console import RenderableType
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from birnn.config import apply
from birnn.data.wording import agree, plural
from birnn.errors import ConfigError, Stopped
from birnn.search import Space
from birnn.tasks import TASKS
from birnn.tasks.scoring.metric_names import score_title
from birnn.tasks.tuning import events as happened
from birnn.tasks.tuning.options import TuneOptions
from birnn.tasks.tuning.report import score_text, value_text
from birnn.tasks.tuning.results import Findings, Row
from birnn.tasks.tuning.storage import load_optuna, without_password
from birnn.tasks.tuning.tuning import TunePlan, show_spaces, tune
from birnn.terminal.command_options import RunOptions
from birnn.terminal.console import console, is_plain, print_json
from birnn.terminal.text import BEST, harmless, make_table, render_pairs, titled
from birnn.terminal.views.run_training import run_training, with_source

SHOWN = 10  # trials in the table


def run_tuning(name: str, given: Mapping[str, Any], source: str, options: TuneOptions) -> None:
    """Tune a task, drawing its events; then train what was found, if that is wanted.

    Raises:
        BirnnError: as :func:`birnn.tasks.tuning.tuning.tune`.
        Stopped: a signal ended it; the message says how to go on.
    """
    if options.train and options.json:
        raise ConfigError("train: --json prints what was found and nothing else; leave one out")
    load_optuna()
    fixed = dict(given)
    config = with_source(apply(TASKS[name].part("options")(), fixed), source)
    if source:
        fixed["data"] = source
    plan = TunePlan(name, config, fixed, options, _command())
    if options.show_space:
        with console().status("reading data"):
            spaces = show_spaces(plan)
        draw_spaces(name, spaces, as_json=options.json)
        return
    found = _draw(plan)
    if options.train:
        _train(name, found, options)


def _command() -> str:
    """The command, without a password in it."""
    words = []
    for word in sys.argv[1:]:
        option, sign, value = word.partition("=")
        split = word.startswith("--") and sign and "://" in value
        shown = f"{option}={without_password(value)}" if split else without_password(word)
        words.append(shown if "://" in word else word)
    return "python cli.py " + shlex.join(words)


def _draw(plan: TunePlan) -> happened.Found:
    display, events = TuningDisplay(quiet=plan.options.json), tune(plan)
    found: happened.Found | None = None
    try:
        for event in events:
            if isinstance(event, happened.Found):
                found = event
            display.show(event)
    except KeyboardInterrupt:
        events.close()
        display.stop()
        kept = (
            "the study is kept; go on with" if display.opened else "nothing was tried; begin with"
        )
        raise Stopped(f"stopped; {kept}: {plan.command}") from None
    finally:
        events.close()
        display.stop()
    assert found is not None
    draw_found(found, as_json=plan.options.json)
    return found


def _train(name: str, found: happened.Found, options: TuneOptions) -> None:
    """Train what was found with seeds that no trial had."""
    out = found.folder / "best"
    if (out / "config.json").is_file():
        console().print(f"{out} is there already: nothing is trained.", markup=False)
        return
    first = max(found.findings.seeds) + 1
    config = replace(found.config, train=replace(found.config.train, seed=first))
    run_training(name, config, RunOptions(out=str(out), seeds=options.seeds))


def draw_spaces(name: str, spaces: Mapping[str, Space], *, as_json: bool) -> None:
    """What would be searched."""
    if as_json:
        print_json({option: str(space) for option, space in spaces.items()})
        return
    pairs = [(option, str(space)) for option, space in spaces.items()]
    console().print(render_pairs(f"What tune {name} searches", pairs))


class TuningDisplay:
    """Draws the events of :func:`birnn.tasks.tuning.tuning.tune`.

    Attributes:
        opened: whether there is a study.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.opened, self.quiet = False, quiet
        self.monitor, self.lower = "", False
        self.line: Progress | None = None
        self.what = ""
        self.say("reading data")

    def say(self, words: str) -> None:
        """One line that moves, in a terminal."""
        if is_plain() or self.quiet:
            return
        if self.line is None:
            self.line = Progress(
                SpinnerColumn(), TextColumn("{task.description}", markup=False),
                TimeElapsedColumn(), console=console(), transient=True,
            )  # fmt: skip
            self.line.start()
            self.line.add_task(words, total=None)
        self.line.update(self.line.task_ids[0], description=words)

    def stop(self) -> None:
        """Take the line away."""
        if self.line is not None:
            self.line.stop()
            self.line = None

    def show(self, event: Any) -> None:
        """Draw an event."""
        if isinstance(event, happened.Opened):
            self.opened = True
            self.monitor, self.lower = event.subject.monitor, event.subject.lower
            if not self.quiet:
                self._open(event)
            self.say("asking the study")
        elif isinstance(event, happened.Started):
            seed = f", seed {event.seed}" if event.what != "trial" else ""
            self.what = f"{event.what} {event.number}{seed}"
            self.say(self.what)
        elif isinstance(event, happened.Reported):
            score = self._score(event.score)
            self.say(f"{self.what}: epoch {event.epoch} of {event.epochs}, {score}")
        elif isinstance(event, happened.Ended) and not self.quiet:
            self.print(self._ended(event.row, best=event.best))
        elif isinstance(event, happened.Confirmed) and not self.quiet:
            score = f"failed: {event.reason}" if event.score is None else self._score(event.score)
            self.print(f"confirmation of {event.number}, seed {event.seed}: {score}")
        elif isinstance(event, happened.Waiting):
            self.say(f"waiting for {plural(event.running, 'trial')} of other workers")

    def print(self, words: str) -> None:
        """A line that stays."""
        console().print(Text(harmless(words)), soft_wrap=True)

    def _score(self, score: float) -> str:
        findings = Findings("", self.monitor, self.lower, [], Row(0, "", None, {}), "")
        return f"{score_title(self.monitor)} {score_text(findings, score)}"

    def _open(self, event: happened.Opened) -> None:
        subject = event.subject
        better = "lower" if subject.lower else "higher"
        rows = ", ".join(f"{name} {count:,}" for name, count in subject.rows.items())
        wanted = plural(event.wanted, "trial") if event.wanted else "as many as time allows"
        there = f", {event.finished} there already" if event.finished else ""
        pairs = [
            ("data", subject.source), ("splits", f"{rows}; test is not read"),
            ("score", f"validation {score_title(subject.monitor)}, {better} is better"),
            ("searched", ", ".join(event.spaces)), ("trials", wanted + there),
            *([("networks", event.lighter)] if event.lighter else []),
            ("study", str(event.folder)),
        ]  # fmt: skip
        console().print(render_pairs("Tuning", pairs))

    def _ended(self, row: Row, *, best: bool) -> str:
        values = "the default" if row.default else ", ".join(
            f"{name} {value_text(value)}" for name, value in row.values.items()
        )  # fmt: skip
        how = {"done": "", "pruned": f" (ended at epoch {row.epoch})"}.get(row.state, "")
        score = f"failed: {row.reason}" if row.score is None else self._score(row.score) + how
        mark = " *" if best else ""
        return f"trial {row.number}{mark}  {score}  {row.seconds:.1f} s  {values}"


def draw_found(event: happened.Found, *, as_json: bool) -> None:
    """The best trials, the finalists, and what to do next."""
    findings, out, plain = event.findings, console(), is_plain()
    if as_json:
        print_json({**findings.to_json(), "folder": str(event.folder)})
        return
    out.print()
    for part in render_findings(findings, plain=plain):
        out.print(part)
    which = "the default options" if findings.best.default else f"trial {findings.best.number}"
    score = score_text(findings, findings.best.score)
    out.print(Text(f"Best: {which} ({findings.how}), validation"
                   f" {score_title(findings.monitor)} {score},"
                   f" chosen among {plural(findings.finished, 'trial')}.", style="bold"),
              soft_wrap=plain)  # fmt: skip
    out.print()
    folder = harmless(str(event.folder))
    out.print(Text(f"Report: {folder}/report.html"), soft_wrap=True)
    command = f"python cli.py {findings.task} --config {shlex.quote(folder + '/best.toml')}"
    out.print(Text(f"Train it: {command}"), soft_wrap=True)


def render_findings(findings: Findings, *, plain: bool) -> list[RenderableType]:
    """Tables of the best trials, of the finalists, and of what mattered."""
    names = list(findings.best.values)
    score = f"validation {score_title(findings.monitor)}"
    ranked = findings.ranked()[:SHOWN]
    rows = [
        [Text(f"{row.number}{' default' if row.default else ''}",
              BEST if row.number == findings.best.number else ""),
         ", ".join(f"{name} {value_text(row.values.get(name, '–'))}" for name in names),
         score_text(findings, row.score), f"{row.seconds:.1f}"]
        for row in ranked
    ]  # fmt: skip
    table = make_table(["trial", "options"], [score, "seconds"], rows, plain=plain)
    count = len(findings.ranked())
    title = f"The best {len(ranked)} of {count} {agree(count, 'trial', 'trials')} that ended"
    parts: list[RenderableType] = [titled(title, table)]
    beside = [one for one in findings.finalists if one.gain is not None]
    if beside:
        lines = [[str(one.number), plural(len(one.scores), "seed"), score_text(findings, one.gain),
                  score_text(findings, one.error), "yes" if one.better else "no"]
                 for one in beside]  # fmt: skip
        heads = ["gain over the default", "± error", "better"]
        parts.append(titled("Finalists, trained again", make_table(["trial", ""], heads, lines,
                                                                  plain=plain)))  # fmt: skip
    if findings.importance:
        shares = sorted(findings.importance.items(), key=lambda pair: -pair[1])[:6]
        words = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares)
        parts.append(Text(f"What mattered: {words}."))
    return parts
