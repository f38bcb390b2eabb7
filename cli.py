"""The command line: the one place that prints.

A command is a function whose signature says what it takes: arguments, and dataclasses whose fields
are its options. Heavy libraries are imported inside, so that ``--help`` answers at once.
"""

import gc
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from typer import Argument, Option

# Threads that wait must soon sleep: ones that spin double the time of a step on a busy machine,
# ones that sleep at once add a seventh on an idle one (docs/speed.md). torch's OpenMP reads this.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    os.environ.setdefault("KMP_BLOCKTIME", "0")

from birnn import processes
from birnn.errors import ConfigError
from birnn.tasks import TASKS
from birnn.tasks.tuning.options import TuneOptions
from birnn.tasks.web.options import ServeOptions
from birnn.terminal import command_options as has
from birnn.terminal.errors import exit_code, flush
from birnn.terminal.help import HelpGroup
from birnn.terminal.option_parsing import ShowConfig, command
from birnn.terminal.signals import listen
from birnn.terminal.together import together
from birnn.terminal.views import run_training as training
from birnn.version import __version__

Source = Annotated[str, Argument(help="The same as --data.", show_default=False)]
Inspected = Annotated[list[str] | None, Argument(help="A file, the same as --data; or TASK FILE.")]
Run = Annotated[str, Argument(help="Run folder, or hf://USER/NAME, or hf://USER/NAME@REVISION.")]
Runs = Annotated[list[str], Argument(help="Run folders of one task; the first is the reference.")]
Served = Annotated[list[str], Argument(help="Run folders, or hf://USER/NAME, of any tasks.")]
Texts = Annotated[list[str] | None, Argument(help="Texts; none: --input or standard input.")]
Prompt = Annotated[str, Argument(help="What is gone on from.", show_default=False)]
Repository = Annotated[str, Argument(help="USER/NAME on the Hugging Face Hub.")]

app = typer.Typer(
    cls=HelpGroup, add_completion=False,
    rich_markup_mode=None if os.environ.get("BIRNN_PLAIN_HELP") else "rich",
)  # fmt: skip


def version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        typer.echo(f"birnn {__version__}")
        raise typer.Exit()


VERSION = Option("--version", callback=version, is_eager=True, help="Show the version.")


@app.callback()
def root(show: Annotated[bool, VERSION] = False) -> None:
    """Train, evaluate and use bidirectional GRU and LSTM models on your own files."""


@contextmanager
def status(words: str) -> Iterator[None]:
    """Something that moves in a terminal while libraries are loaded and files are read."""
    from birnn.terminal.console import console

    with console().status(words):
        yield
    collect_garbage()


def collect_garbage() -> None:
    """From here on, as ever; what :func:`run` has loaded until now is no garbage."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def train_command(
    task: str, config: Any, run: has.RunOptions, source: Source = "", show: ShowConfig = False
) -> None:
    """Train a model of a task, or go on with an unfinished run; or only show how."""
    collect_garbage()
    carry_out = training.show_training if show else training.run_training
    carry_out(task, training.with_source(config, source, resume=bool(run.resume)), run)


for name, spec in TASKS.items():
    defaults, begun = {"config": spec.part("options")()}, partial(training.begun_options, name)
    command(app, name, defaults, begun, spec.summary)(partial(train_command, name))


tune_app = typer.Typer(
    cls=HelpGroup, add_completion=False, rich_markup_mode=app.rich_markup_mode
)  # fmt: skip
app.add_typer(tune_app, name="tune")


@tune_app.callback()
def tune_root() -> None:
    """Search for better options of a task on your data: many trials, judged on validation."""


def tune_command(task: str, config: has.Given, tune: TuneOptions, source: Source = "") -> None:
    """Search for better options of a task; one command is one worker."""
    collect_garbage()
    from birnn.terminal.views.tuning import run_tuning

    run_tuning(task, config.values, source, tune)


for name, spec in TASKS.items():
    defaults = {"config": spec.part("options")(), "tune": TuneOptions()}
    words = f"Search for better options of {name}; one command is one worker of a study."
    command(tune_app, name, defaults, has.given_to_tune, words)(partial(tune_command, name))


@command(app, "inspect", {"data": has.inspect_options()}, has.given_options)
def inspect_command(data: has.Given, output: has.OutputOptions, source: Inspected = None) -> None:
    """Say what is in a file, and what is wrong with it, before anything is trained."""
    with status("reading data"):
        from birnn.tasks.runs.inspection import inspect_words
        from birnn.terminal.views.inspection import draw_inspection

        task, inspection, others = inspect_words(source or [], data.values)
    draw_inspection(task, inspection, others, as_json=output.json)


@command(app, "evaluate")
def evaluate_command(run: Run, options: has.EvaluateOptions) -> None:
    """Score a trained run on labelled data."""
    with status("loading the run"):
        from birnn.tasks.api.hub import run_folder
        from birnn.tasks.runs.evaluation import Reading, evaluate, reread
        from birnn.tasks.runs.folder import load_run
        from birnn.terminal.views.answers import draw_evaluation
        from birnn.terminal.views.working import working

        use_machine(options)
        given = Reading(
            options.text_column, options.label_column, options.encoding, options.skip_ragged,
            options.table, options.stamps,
        )  # fmt: skip
        loaded = reread(load_run(run_folder(run), options.device), given)
    with working("reading and scoring"):
        scored = evaluate(loaded, options.data, options.split, options.table)
    draw_evaluation(scored, as_json=options.json)


@command(app, "compare")
def compare_command(runs: Runs, options: has.CompareOptions) -> None:
    """Compare trained runs: scores, differences, options and curves."""
    with status("reading the runs"):
        from birnn.tasks.comparing.comparison import compare
        from birnn.tasks.comparing.plot import picture_path, save_comparison
        from birnn.terminal.views.comparison import draw_comparison

        picture = picture_path(options.out, runs) if options.out else None
        comparison = compare([Path(run) for run in runs], options.metric)
        if picture:
            save_comparison(picture, comparison)
    draw_comparison(comparison, picture=str(picture or ""), as_json=options.json)


def use_machine(
    options: has.EvaluateOptions
    | has.PredictOptions
    | has.ExplainOptions
    | has.GenerateOptions
    | ServeOptions,
) -> None:
    """Set the threads and the engine of a command that uses a trained run."""
    from birnn.nn import engines
    from birnn.nn.devices import use_threads

    use_threads(options.threads)
    engines.force(options.engine)
    if note := engines.cpu_note():
        print(f"birnn: note: {note}", file=sys.stderr)


def standard_input() -> BinaryIO | None:
    """What is piped in; None where that is a terminal or closed."""
    return None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer


@command(app, "predict")
def predict_command(run: Run, options: has.PredictOptions, texts: Texts = None) -> None:
    """Predict with a trained run: labels, tags, or what comes next."""
    with status("loading the run"):
        from birnn.tasks.api.hub import run_folder
        from birnn.tasks.serving.predictor import serve
        from birnn.tasks.serving.request import Request
        from birnn.terminal.views.answers import draw_answer
        from birnn.terminal.views.working import working

        use_machine(options)
        folder = run_folder(run)
    request = Request(
        texts or [], options.input, options.text_column, options.encoding, standard_input(),
        options.output, options.explain, options.n_best, options.escape_formulas, options.table,
        options.stamps, options.skip_ragged, resume=options.resume,
    )  # fmt: skip
    with processes.sharing(everyone=True):
        with working("reading"):
            answer = serve(folder, request, options.device)
        if options.output and processes.is_main():
            with working("predicting"):
                answer.write(Path(options.output))
        if processes.is_main():
            draw_answer(answer, output=options.output, as_json=options.json)
        if answer.parts:
            answer.parts.assist()
        processes.barrier()


@command(app, "explain")
def explain_command(run: Run, options: has.ExplainOptions, texts: Texts = None) -> None:
    """Say what moved the answers of a trained run: which words, which steps of a series."""
    with status("loading the run"):
        from birnn.tasks.api.hub import run_folder
        from birnn.tasks.core.explanation import Wish
        from birnn.tasks.serving.explaining import explain
        from birnn.tasks.serving.request import Request
        from birnn.terminal.views.explanation import draw_explained

        use_machine(options)
        wish = Wish(options.class_, options.token, options.step, options.series)
        request = Request(
            texts or [], options.input, options.text_column, options.encoding, standard_input(),
            options.output, escape_formulas=options.escape_formulas, table=options.table,
            stamps=options.stamps, skip_ragged=options.skip_ragged,
        )  # fmt: skip
        explained = explain(run_folder(run), request, wish, options.device)
    draw_explained(explained, request, as_json=options.json)


@command(app, "generate")
def generate_command(run: Run, options: has.GenerateOptions, prompt: Prompt = "") -> None:
    """Let a trained run write: text that goes on from a beginning."""
    with status("loading the run"):
        from birnn.tasks.api.hub import run_folder
        from birnn.tasks.serving.generating import generate
        from birnn.terminal.views.generated import draw_generated

        use_machine(options)
        texts = generate(run_folder(run), prompt, options.wish, options.device)
    draw_generated(texts, as_json=options.json)


@command(app, "report")
def report_command(run: Run, options: has.ReportOptions) -> None:
    """Write a run's report: one HTML file with scores, data, mistakes and training."""
    with status("writing the report"):
        from birnn.tasks.api.hub import run_folder
        from birnn.tasks.runs.reporting import report_run
        from birnn.terminal.views.export import draw_written

        path = report_run(run_folder(run), options.out, overwrite=options.overwrite)
    draw_written(path)


@command(app, "push")
def push_command(run: Run, repository: Repository, options: has.PushOptions) -> None:
    """Share a run on the Hugging Face Hub: model, vocabulary, card."""
    with status("writing the repository"):
        from birnn.tasks.api.run import push_run
        from birnn.terminal.views.export import draw_pushed

        where, names = push_run(
            run, repository, private=options.private, to=options.to, report=options.report
        )
    draw_pushed(where, names)


@command(app, "export")
def export_command(run: Run, options: has.ExportOptions) -> None:
    """Write a trained run as an ONNX graph that needs no torch."""
    if not options.onnx:
        raise ConfigError("export: name the format; there is one, --onnx")
    with status("exporting and comparing"):
        from birnn.tasks.export.onnx import export_onnx
        from birnn.terminal.views.export import draw_export

        export = export_onnx(
            Path(run), options.out, overwrite=options.overwrite, int8=options.int8,
            data=options.data, split=options.split,
        )  # fmt: skip
    draw_export(export, as_json=options.json)


@command(app, "serve")
def serve_command(runs: Served, options: ServeOptions) -> None:
    """Serve trained runs: a page to try them on, and a JSON API."""
    with status("loading the runs"):
        from birnn.tasks.web.server import prepare
        from birnn.terminal.views.serving import draw_served

        use_machine(options)
        server = prepare(runs, options)
    draw_served(server)
    server.run()


def main(arguments: list[str] | None = None) -> int:
    """Run a command; bad input ends in one line and exit code 2."""
    listen()
    words = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    return exit_code(partial(carry_out, words))


def carry_out(words: list[str]) -> Any:
    """Run the command ``words``, with the other processes if there are any."""
    with together(words):
        return app(words, standalone_mode=False, prog_name="birnn")


def run() -> None:
    """The console script."""
    gc.disable()  # to search for garbage again and again while libraries load takes a fifth of it
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = main()
    sys.exit(flush() or code)


if __name__ == "__main__":
    run()
