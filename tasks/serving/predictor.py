"""What a loaded run answers: a person's request, or what a program holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, cast

from birnn import processes
from birnn.config import with_flat
from birnn.data.tables.dialect import AS_FOUND, TableOptions
from birnn.errors import ConfigError
from birnn.tasks import TASKS
from birnn.tasks.runs.evaluation import Reading, reread, with_stamps
from birnn.tasks.runs.folder import LoadedRun, load_run, read_config
from birnn.tasks.serving.growing_output import (
    AT_ONCE,
    GrowingOutput,
    digest,
    resumable,
    run_digests,
)
from birnn.tasks.serving.records import check_apart, check_output
from birnn.tasks.serving.request import Answer, Request


class Predictor:
    """A loaded run that answers; this one, of a task that says nothing more, only refuses.

    A task overrides what it can answer, and names its class as ``serve`` in its specification.
    """

    outputs: ClassVar[tuple[str, ...]] = (".csv", ".json", ".jsonl", ".txt")  # of ``--output``
    # Option of a request → why this task refuses it.
    refuses: ClassVar[Mapping[str, str]] = {
        "best": "n_best: this run labels whole texts; the option is for taggers",
        "explain": "explain: this run has no attention to show"}  # fmt: skip

    # What a server may ask: "texts", "tokens" or a "table", with "n_best" or "changes".
    takes: ClassVar[tuple[str, ...]] = ()
    reads_files: ClassVar[bool] = False  # from Python too, not at the command line alone
    table: TableOptions = AS_FOUND  # how a program's files are read, where not as the run's own

    def __init__(self, run: LoadedRun) -> None:
        self.run = run

    def check(self, request: Request) -> None:
        """Refuse options that the task doesn't take, and an output that can't be written.

        Raises:
            ConfigError: one of these; nothing has been read or predicted.
        """
        if request.output:
            check_output(Path(request.output), self.outputs)
        for option, reason in self.refuses.items():
            if getattr(request, option):
                raise ConfigError(reason)

    def about(self) -> dict[str, Any]:
        """What the run answers with and reads, as JSON: labels, columns, steps."""
        return {}

    def sample(self) -> dict[str, Any]:
        """A request that the run can answer, made of its own columns: the body of ``/v1/predict``.

        Empty: none can be made.
        """
        return {}

    def answer(self, request: Request) -> Answer:
        """Answer a request of the command line.

        Raises:
            BirnnError: the task answers none, or an unusable input or output; nothing is predicted
                before these are checked.
        """
        raise ConfigError(refusal(self.run.task.name, self.run.folder))

    def texts(self, request: Request) -> tuple[Sequence[str], list[str]]:
        """The texts of a request's file, one an answer, and what should be said of them.

        Raises:
            BirnnError: an unusable file, or a task that takes no texts.
        """
        raise ConfigError(refusal(self.run.task.name, self.run.folder))

    def write_texts(self, path: Path, records: Iterable[dict[str, Any]]) -> None:
        """Write the records of texts, as the answer to them is written.

        Raises:
            BirnnError: as :meth:`texts`, or it can't be written.
        """
        raise ConfigError(refusal(self.run.task.name, self.run.folder))

    def predict(self, data: Any, column: str) -> Any:
        """What is predicted for ``data``, in its shape; ``column`` holds the texts of a table.

        Raises:
            BirnnError: the task predicts nothing from Python, or unusable data.
        """
        raise ConfigError(refusal(self.run.task.name, self.run.folder))

    def predict_proba(self, data: Any, column: str) -> Any:
        """Probabilities, where there are classes.

        Raises:
            ConfigError: the task has none.
        """
        raise ConfigError("predict_proba: this run predicts numbers; use predict")

    def records(self, data: Any, column: str) -> list[dict[str, Any]]:
        """The records that the command line prints.

        Raises:
            BirnnError: as :meth:`predict`.
        """
        raise ConfigError(refusal(self.run.task.name, self.run.folder))


def refusal(task: str, folder: Path) -> str:
    """Why ``predict`` takes no run of ``task``, and which runs it takes."""
    able = " or ".join(name for name, spec in TASKS.items() if spec.example)
    return f"predict takes a run of {able}; {folder} is of {task}: use evaluate"


def predictor_of(run: LoadedRun) -> Predictor:
    """What answers for a loaded run: its task's own predictor, else one that refuses."""
    spec = TASKS[run.task.name]
    return cast(Predictor, spec.part("serve")(run)) if spec.serve else Predictor(run)


def rereading(predictor: Predictor, options: Mapping[str, Any]) -> Predictor:
    """The predictor as it is, but that data is read by these options, as the command line has them.

    Raises:
        ConfigError: an unknown option, or its task reads no files from Python.
    """
    if not options:
        return predictor
    given = with_flat(Reading(), options)
    if not predictor.reads_files:
        what = f"a run of {predictor.run.task.name} is given its rows here, not files of them"
        raise ConfigError(f"{next(iter(options))}: {what}")
    again = predictor_of(reread(predictor.run, given))
    again.table = given.table
    return again


def serve(folder: Path, request: Request, device: str = "cpu") -> Answer:
    """Answer ``request`` with the run in ``folder``, its model on ``device``.

    Raises:
        BirnnError: an unusable run, input or output, or a run that answers no such request.
    """
    if request.escape_formulas and Path(request.output).suffix.lower() != ".csv":
        raise ConfigError("escape_formulas: it is for spreadsheets; name an --output that is .csv")
    config = read_config(folder)
    name = config["task"]
    if not TASKS[name].example:
        raise ConfigError(refusal(name, folder))
    if request.output:
        data = config.get("data")
        trained = data.get("data") if isinstance(data, dict) else ""
        check_apart(Path(request.output), request, folder, str(trained or ""))
    if request.resume and not (request.input and request.output):
        raise ConfigError("resume: name the --input and the --output of what was begun")
    if processes.count() > 1:
        _check_shared(folder, request)
    if not request.output or not request.input or not processes.is_main():
        return answer(load_run(folder, device), request)
    growing = GrowingOutput(Path(request.output), request, folder, device)
    growing.begin()
    return _growing(answer(load_run(folder, device), request), growing)


def _check_shared(folder: Path, request: Request) -> None:
    """Refuse what processes can't share: a pipe, or files that are not the same.

    Raises:
        BirnnError: that is so.
    """
    if not request.input and not request.texts:
        raise ConfigError("input: several processes share no pipe; name a file with --input")
    files = run_digests(folder)
    if Path(request.input).is_file():
        files["input"] = digest(Path(request.input))["sha256"]
    processes.agree(str(files), "files")


def _growing(answer: Answer, growing: GrowingOutput) -> Answer:
    """The answer, which is written by parts where it can be and is long."""
    if not resumable(answer):
        if growing.request.resume:
            raise ConfigError("resume: only texts that a run labels or tags are predicted by parts")
        return answer
    if growing.done or len(answer.records) > AT_ONCE:
        answer.write = lambda _: growing.write(answer)
    answer.notes[:0] = growing.notes
    return answer


def answer(run: LoadedRun, request: Request) -> Answer:
    """Answer ``request`` with a loaded run, which reads files as its own was read.

    Raises:
        BirnnError: an unusable input, or a run that answers no such request.
    """
    run = with_stamps(run, request.stamps)
    own = replace(request, trained=run.task.trained, columns=run.task.columns)
    answer = predictor_of(run).answer(own)
    answer.notes[:0] = own.told
    answer.task = run.task.name
    return answer
