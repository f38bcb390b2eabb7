"""What a loaded run says of why it answered so; and how that is asked for and written."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, cast

from birnn.data.tables.dialect import AS_FOUND, TableOptions
from birnn.errors import ConfigError
from birnn.tasks import TASKS
from birnn.tasks.core.explanation import Explanation, Wish
from birnn.tasks.runs.evaluation import with_stamps
from birnn.tasks.runs.folder import LoadedRun, load_run, read_config, single
from birnn.tasks.serving.python_inputs import read_texts
from birnn.tasks.serving.records import check_apart, check_output, write_records
from birnn.tasks.serving.request import Request
from birnn.tasks.serving.texts import read_inputs

NOTES = 10  # that are shown
OUTPUTS = (".csv", ".json", ".jsonl")
NAMES = {"label": "class"}  # of wishes, where the option on the command line is another


class Explainer:
    """A loaded run that can say what moved its answers; a task names its class as ``explain``."""

    wishes: ClassVar[tuple[str, ...]] = ()  # the fields of a :class:`Wish` that it knows

    def __init__(self, run: LoadedRun, table: TableOptions = AS_FOUND) -> None:
        self.run = run
        self.notes: list[str] = []  # what was noticed while answers were explained
        self.table = table  # how a program's files are read, where not as the run's own

    def check(self, wish: Wish) -> None:
        """Refuse wishes that the task doesn't know.

        Raises:
            ConfigError: one of these.
        """
        for part in fields(wish):
            if getattr(wish, part.name) != part.default and part.name not in self.wishes:
                known = ", ".join(NAMES.get(name, name) for name in self.wishes)
                reason = f"a run of {self.run.task.name} has no such choice"
                raise ConfigError(f"{NAMES.get(part.name, part.name)}: {reason}; it has: {known}")

    @abstractmethod
    def asked(self, request: Request, wish: Wish) -> Iterator[Explanation]:
        """Explain the answers to a request of the command line, one after the other.

        Raises:
            BirnnError: an unusable input, or a wish that it can't fulfil.
        """

    @abstractmethod
    def given(self, data: Any, column: str, wish: Wish) -> Iterator[Explanation]:
        """Explain the answers to what a program holds; ``column`` holds the texts of a table.

        Raises:
            BirnnError: as :meth:`asked`.
        """


class TextExplainer(Explainer):
    """Of a task that answers texts, each on its own."""

    column: str = ""  # of texts in a table; empty: found by its usual names

    @abstractmethod
    def of_text(self, text: str, wish: Wish) -> Iterator[Explanation]:
        """Explain the answers to one text."""

    def asked(self, request: Request, wish: Wish) -> Iterator[Explanation]:
        """See :class:`Explainer`."""
        named = replace(request, text_column=request.text_column or self.column)
        for text in read_inputs(named):
            yield from self.of_text(text, wish)

    def given(self, data: Any, column: str, wish: Wish) -> Iterator[Explanation]:
        """See :class:`Explainer`."""
        texts = read_texts(data, column or self.column, remembered=self.run.task.columns).texts
        for text in texts:
            yield from self.of_text(text, wish)


def explainer_of(run: LoadedRun, table: TableOptions = AS_FOUND) -> Explainer:
    """What explains the answers of a loaded run; ``table``: how a program's files are read.

    Raises:
        ConfigError: its task has no such part.
    """
    single(run, "explain")
    part = TASKS.require(run.task.name, "explain", "explain", run.folder)
    return cast(Explainer, part(run, table))


@dataclass
class Explained:
    """Explanations in input order, made when they are asked for."""

    explainer: Explainer
    explanations: Iterator[Explanation]
    told: list[str]  # of the input

    @property
    def notes(self) -> list[str]:
        """What one should know, once they have been gone through."""
        own = list(dict.fromkeys(self.explainer.notes))
        more = [f"{len(own) - NOTES:,} more notes of this kind"] if len(own) > NOTES else []
        return [*self.told, *(f"note: {note}" for note in [*own[:NOTES], *more])]

    def write(self, path: Path, *, escape: bool = False) -> int:
        """Write them to a file; returns how many there were."""
        made = list(self.explanations)
        records = (one.to_json() for one in made)
        write_records(path, records, csv_rows(made), escape=escape)
        return len(made)


def explain(folder: Path, request: Request, wish: Wish, device: str = "cpu") -> Explained:
    """Explain the answers of the run in ``folder`` to ``request``, its model on ``device``.

    Raises:
        BirnnError: an unusable run, input or output, or a wish that the task doesn't know.
    """
    config = read_config(folder)
    TASKS.require(config["task"], "explain", "explain", folder)
    if request.escape_formulas and Path(request.output).suffix.lower() != ".csv":
        raise ConfigError("escape_formulas: it is for spreadsheets; name an --output that is .csv")
    if request.output:
        check_output(Path(request.output), OUTPUTS)
        data = config.get("data")
        trained = data.get("data") if isinstance(data, dict) else ""
        check_apart(Path(request.output), request, folder, str(trained or ""))
    run = with_stamps(load_run(folder, device), request.stamps)
    own = replace(request, trained=run.task.trained, columns=run.task.columns)
    explainer = explainer_of(run)
    explainer.check(wish)
    return Explained(explainer, explainer.asked(own, wish), own.told)


def csv_rows(explanations: Iterable[Explanation]) -> Iterator[list[Any]]:
    """A row a cause, the header first; ``number`` counts the explanations."""
    places = ["start", "end", "attention", "value"]
    yield ["number", "item", "target", "name", "weight", *places, "unit", "text"]
    for number, one in enumerate(explanations, 1):
        for cause in (*one.causes, *one.others):
            known = ["" if getattr(cause, k) is None else getattr(cause, k) for k in places]
            what = [one.item or "", one.target, cause.name, cause.weight]
            yield [number, *what, *known, one.unit, one.text or ""]
