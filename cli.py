"""The command line: the one place that prints.

Heavy libraries are imported inside the commands, so that ``--help`` answers at once.
"""

import inspect
import io
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

# Threads that wait must soon sleep: ones that spin double the time of a step on a busy machine,
# ones that sleep at once add a seventh on an idle one. OpenMP (GNU's, LLVM's) reads this once, when
# torch is loaded; docs/speed.md has the figures.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    os.environ.setdefault("KMP_BLOCKTIME", "0")

from birnn.errors import BirnnError, ConfigError, Stopped
from birnn.tasks import TASKS
from birnn.tasks.forecast.options import ForecastingData
from birnn.terminal.command_options import (
    CompareOptions,
    EvaluateOptions,
    ExportOptions,
    OutputOptions,
    PredictOptions,
    PushOptions,
    RunOptions,
    with_options,
)
from birnn.training.checkpoint_options import StopRequest
from birnn.version import __version__

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None if os.environ.get("BIRNN_PLAIN_HELP") else "rich",
    help="Train, evaluate and use bidirectional GRU and LSTM models on your own files.",
)


def version(value: bool) -> None:
    """Print the version and stop."""
    if value:
        typer.echo(f"birnn {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    show: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options before the command."""


stop = StopRequest()  # how a signal reaches training


def train_command(name: str, source: str, config: Any, run: RunOptions) -> None:
    """Train a task, drawing its events; or go on with an unfinished run."""
    from birnn.terminal.console import console, draw_training

    config = with_source(config, source)
    with console().status("loading libraries"):
        from birnn.tasks.runs.events import Finished
        from birnn.tasks.runs.experiment import how_to_go_on, train
        from birnn.tasks.runs.growing import resumable, run_name, work_folder
        from birnn.tasks.runs.launch import Plan, make_task, resume_plan
    stamp = time.strftime("%Y%m%d-%H%M%S")
    out = Path(run.out or f"runs/{name}-{config.encoder.encoder}-{stamp}")
    command = "python cli.py " + shlex.join(sys.argv[1:])
    plan = Plan(out, run.seeds, run.overwrite, command, run.keep, stop=stop)
    if run.resume:
        out = run_name(Path(run.resume))
        unfinished = resume_plan(replace(plan, out=out), config)
        if unfinished is None:
            console().print(f"{out} is complete: nothing is left to do.", markup=False)
            return
        plan = unfinished
    task = make_task(name, config)
    events = train(task, plan)
    seen: list[Any] = [None]

    def watched() -> Iterator[Any]:
        for event in events:
            seen[0] = event
            yield event

    try:
        draw_training(watched())
    except KeyboardInterrupt:
        events.close()
        written = isinstance(seen[0], Finished)
        more = f"the run is complete: {out}" if written else "no run was written"
        if resumable(work_folder(out)):
            more = how_to_go_on(task, out)
        raise Stopped(f"stopped; {more}") from None


def resumed(name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The configurations that the options of a training command change: those of a begun run.

    Raises:
        BirnnError: ``--resume`` names no run, or one of another task.
    """
    if not given.get("resume"):
        return {"config": TASKS[name].part("options")(), "run": RunOptions()}
    from birnn.tasks.runs.launch import changeable_config, unfinished_start

    start = unfinished_start(name, given["resume"], given.get("out") or "")
    run = replace(RunOptions(), seeds=start.seeds, keep=start.keep) if start else RunOptions()
    return {"config": changeable_config(name, start), "run": run}


def with_source(config: Any, source: str) -> Any:
    """The configuration with the data that were named without ``--data``."""
    if not source:
        return config
    if config.data.data not in (source, type(config.data)().data):
        raise ConfigError(f"data: {source} and --data {config.data.data} are both named; give one")
    return replace(config, data=replace(config.data, data=source))


def inspect_command(source: str, data: ForecastingData, output: OutputOptions) -> None:
    """Say what is in a file of series, and what is wrong with it."""
    from birnn.terminal.console import console, draw_inspection

    with console().status("reading data"):
        from birnn.tasks.forecast.data import inspect_series

        found = inspect_series(replace(data, data=source or data.data))
    draw_inspection(found, as_json=output.json)


def evaluate_command(run: str, options: EvaluateOptions) -> None:
    """Score a trained run on labelled data."""
    from birnn.terminal.console import console, draw_evaluation

    with console().status("loading the run"):
        from birnn.tasks.api.hub import run_folder
        from birnn.tasks.runs.evaluation import evaluate
        from birnn.tasks.runs.folder import load_run

        use_machine(options)
        folder = run_folder(run)
    scored = evaluate(load_run(folder), options.data, options.split)
    draw_evaluation(scored, as_json=options.json)


def compare_command(runs: list[str], options: CompareOptions) -> None:
    """Put runs of one task side by side."""
    from birnn.terminal.console import console, draw_comparison

    with console().status("reading the runs"):
        from birnn.tasks.comparing.comparison import compare
        from birnn.tasks.comparing.plot import picture_path, save_comparison

        picture = picture_path(options.out) if options.out else None
        found = compare([Path(run) for run in runs], options.metric)
        if picture:
            save_comparison(picture, found)
    draw_comparison(found, picture=str(picture or ""), as_json=options.json)


def use_machine(options: EvaluateOptions | PredictOptions) -> None:
    """Set the threads and the engine of a command that uses a trained run."""
    from birnn.nn import engines
    from birnn.nn.devices import use_threads

    use_threads(options.threads)
    engines.force(options.engine)
    if note := engines.cpu_note():
        print(f"birnn: note: {note}", file=sys.stderr)


def predict_command(run: str, texts: list[str] | None, options: PredictOptions) -> None:
    """Predict texts, a file of them, or standard input."""
    from birnn.terminal.console import console, draw_answer

    with console().status("loading the run"):
        from birnn.tasks.api.hub import run_folder
        from birnn.tasks.serving.predictor import serve
        from birnn.tasks.serving.request import Request

        use_machine(options)
        folder = run_folder(run)
    standard_input = None if sys.stdin is None or sys.stdin.isatty() else sys.stdin.buffer
    request = Request(
        texts or [], options.input, options.text_column, options.encoding, standard_input,
        options.output, options.explain, options.n_best, options.escape_formulas,
    )  # fmt: skip
    answer = serve(folder, request)
    if options.output:
        answer.write(Path(options.output))
    draw_answer(answer, output=options.output, as_json=options.json)


def push_command(run: str, repository: str, options: PushOptions) -> None:
    """Send a run to the Hugging Face Hub, or write what would be sent into a folder."""
    from birnn.terminal.console import console
    from birnn.terminal.views.hub import draw_pushed

    with console().status("writing the repository"):
        from birnn.tasks.api.run import push_run

        where, names = push_run(run, repository, private=options.private, to=options.to)
    draw_pushed(where, names)


def export_command(run: str, options: ExportOptions) -> None:
    """Write a trained run in a form that needs neither birnn nor torch."""
    from birnn.terminal.console import console
    from birnn.terminal.views.export import draw_export

    if not options.onnx:
        raise ConfigError("export: name the format; there is one, --onnx")
    with console().status("exporting and comparing"):
        from birnn.tasks.export.onnx import export_onnx

        found = export_onnx(
            Path(run), options.out, overwrite=options.overwrite, int8=options.int8,
            data=options.data, split=options.split,
        )  # fmt: skip
    draw_export(found, as_json=options.json)


def argument(
    name: str, kind: Any, help_text: str, default: Any = inspect.Parameter.empty
) -> inspect.Parameter:
    """A positional parameter of a command."""
    annotation = Annotated[kind, typer.Argument(help=help_text, show_default=False)]
    where = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, where, default=default, annotation=annotation)


def add_commands() -> None:
    """One command a task, then those that use a run."""
    data = argument("source", str, "The same as --data.", "")
    for name, spec in TASKS.items():

        def handler(source: str, config: Any, run: RunOptions, name: str = name) -> None:
            train_command(name, source, config, run)

        defaults = spec.part("options")()
        base = partial(resumed, name)
        callback = with_options(handler, {"config": defaults, "run": RunOptions()}, [data], base)
        app.command(name, help=spec.summary)(callback)
    folder = argument("run", str, "Run folder, or hf://USER/NAME, or hf://USER/NAME@REVISION.")
    texts = argument("texts", list[str] | None, "Texts; none: --input or standard input.", None)
    app.command("inspect", help="Say what is in a file of time series, and what is wrong with it.")(
        with_options(
            inspect_command, {"data": ForecastingData(), "output": OutputOptions()}, [data]
        )
    )
    app.command("evaluate", help="Score a trained run on labelled data.")(
        with_options(evaluate_command, {"options": EvaluateOptions()}, [folder])
    )
    runs = argument("runs", list[str], "Run folders of one task; the first is the reference.")
    app.command("compare", help="Compare trained runs: scores, differences, options and curves.")(
        with_options(compare_command, {"options": CompareOptions()}, [runs])
    )
    app.command("predict", help="Predict with a trained run: labels, tags, or what comes next.")(
        with_options(predict_command, {"options": PredictOptions()}, [folder, texts])
    )
    repository = argument("repository", str, "USER/NAME on the Hugging Face Hub.")
    app.command("push", help="Share a run on the Hugging Face Hub: model, vocabulary, card.")(
        with_options(push_command, {"options": PushOptions()}, [folder, repository])
    )
    app.command("export", help="Write a trained run as an ONNX graph that needs no torch.")(
        with_options(export_command, {"options": ExportOptions()}, [folder])
    )


add_commands()


STOPPED = 130  # exit code of a command that a signal ended


def fail(message: str, code: int = 2) -> int:
    """Print one line to standard error; returns the exit code."""
    from birnn.terminal.text import harmless, shortened

    line = shortened(" ".join(harmless(str(message)).split()))
    print(f"birnn: error: {line}", file=sys.stderr)
    return code


def on_signal(number: int, frame: Any) -> None:
    """Training stops at its next step, with a checkpoint; anything else, or a second time, now."""
    if not stop.listening or stop.asked:
        raise KeyboardInterrupt
    stop.asked = True


def main(arguments: list[str] | None = None) -> int:
    """Run a command; bad input ends in one line and exit code 2."""
    stop.listening = stop.asked = False
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # not every system hangs up
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, on_signal)
    words = sys.argv[1:] if arguments is None else arguments
    try:
        result = app(words or ["--help"], standalone_mode=False, prog_name="birnn")
    except Stopped as stopped:
        return fail(str(stopped), STOPPED)
    except BirnnError as error:
        return fail(str(error))
    except typer.TyperException as error:
        return fail(f"{error.format_message()} (see --help)")
    except (KeyboardInterrupt, typer.Abort):
        return fail("stopped; no run was written", STOPPED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error):
            raise
        return fail("out of memory; lower --batch-size, --batch-tokens, --max-length or the sizes")
    if result == STOPPED:  # typer has caught the signal
        return fail("stopped; no run was written", STOPPED)
    return result if isinstance(result, int) else 0


def run() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = main()
    try:
        sys.stdout.flush()
    except OSError as error:
        code = fail(f"standard output: {error.strerror or error}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


if __name__ == "__main__":
    run()
