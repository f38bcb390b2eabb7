"""The runs that are served: their names, what each says of itself, and how a question is run."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from birnn.config import flat_names
from birnn.data.wording import OPTION, possible
from birnn.errors import BirnnError, ConfigError
from birnn.registry import suggestion
from birnn.tasks import TASKS
from birnn.tasks.runs.evaluation import Reading, with_stamps
from birnn.tasks.runs.folder import LoadedRun
from birnn.tasks.serving.explaining import explainer_of
from birnn.tasks.serving.predictor import Predictor, answer, predictor_of
from birnn.tasks.serving.request import Answer, Request
from birnn.tasks.web.jobs import Items, Job, Records, Table
from birnn.tasks.web.options import ServeOptions
from birnn.tasks.web.question import Question, check_sizes, too_many_rows
from birnn.tasks.web.refusals import Refused
from birnn.tasks.web.strict_json import encode

MOST_EXPLAINED = 20  # spans, series or sequences of one request


def flags(names: Iterable[str]) -> set[str]:
    """Options as the command line has them."""
    return {f"--{name.replace('_', '-')}" for name in names}


READING = flags(flat_names(Reading()))  # what a request can say of its table
TRAINING = set().union(*(flags(flat_names(spec.part("options")())) for spec in TASKS.values()))


@dataclass(frozen=True)
class ServedRun:
    """A loaded run under its name."""

    name: str
    run: LoadedRun
    predictor: Predictor
    sample: dict[str, Any] = field(default_factory=dict)  # the body of a request

    @property
    def task(self) -> str:
        """The name of its task."""
        return self.run.task.name

    @property
    def report(self) -> Path:
        """Where its report lies, if it has one."""
        return self.run.folder / "report.html"

    def about(self) -> dict[str, Any]:
        """What ``/v1/runs`` says of it."""
        takes, spec = list(self.predictor.takes), TASKS[self.task]
        takes += ["explain"] if spec.explain else []
        about: dict[str, Any] = {"name": self.name, "task": self.task, "takes": takes}
        about |= {"view": spec.view, "report": self.report.is_file()}
        encoder = self.run.task.config.encoder.encoder
        return {**about, "encoder": encoder, **self.predictor.about(), "sample": self.sample}


def served_runs(loaded: Sequence[tuple[str, LoadedRun]]) -> dict[str, ServedRun]:
    """Name → run; the name is that of its folder, a number where two are called alike.

    Raises:
        ConfigError: a run of a task that can't be served.
    """
    runs: dict[str, ServedRun] = {}
    for given, run in loaded:
        predictor = predictor_of(run)
        if not predictor.takes:
            raise ConfigError(f"serve: {given} is a run of {run.task.name}, which answers nothing")
        name, number = Path(given).name or Path(given).resolve().name, 1
        while (unique := name if number == 1 else f"{name}-{number}") in runs:
            number += 1
        runs[unique] = ServedRun(unique, run, predictor, predictor.sample())
    return runs


@dataclass
class Desk:
    """Makes jobs of questions; in the folder ``scratch`` tables lie while they are read."""

    runs: dict[str, ServedRun]
    limits: ServeOptions
    scratch: Path

    def job(self, question: Question) -> Job:
        """What the worker is to do.

        Raises:
            Refused: there is no such run, or it takes no such question.
        """
        served = self._named(question.run)
        takes = served.predictor.takes
        if question.wish is not None and not TASKS[served.task].explain:
            raise Refused(422, "not_taken", f"the run {served.name!r} explains nothing")
        for given, what in (
            (question.kind, question.kind), (question.best, "n_best"),
            (question.changes, "changes"),
        ):  # fmt: skip
            if given and what not in takes:
                able = f"the run {served.name!r} takes {', '.join(takes)}"
                raise Refused(422, "not_taken", f"{what} can't be answered: {able}")
        if question.best and question.kind == "tokens":
            raise Refused(422, "not_taken", "n_best can't be answered for tokens: give texts")
        deadline = time.monotonic() + self.limits.timeout
        if question.wish is not None:
            return Table(deadline, work=lambda job: self._explain(served, question, job))
        if question.kind == "table":
            return Table(deadline, work=lambda job: self._table(served, question, job))
        return self._items(served, question, deadline, question.items, [])

    def _named(self, name: str | None) -> ServedRun:
        if name is None and len(self.runs) == 1:
            return next(iter(self.runs.values()))
        if name is None:
            known = ", ".join(self.runs)
            raise Refused(422, "which_run", f"run: several are served; name one of {known}")
        if name not in self.runs:
            near = suggestion(name[:80], self.runs)
            raise Refused(404, "no_such_run", f"there is no run {name[:80]!r}{near}; see /v1/runs")
        return self.runs[name]

    def _items(self, served: ServedRun, question: Question, deadline: float,
               items: Sequence[Any], notes: list[str]) -> Items:  # fmt: skip
        tokens, best = question.kind == "tokens", question.best

        def run(items: Sequence[Any]) -> Records:
            if tokens:
                return served.predictor.records(list(items), "")
            return list(served.predictor.answer(Request(texts=list(items), best=best)).records)

        def render(records: Records) -> bytes:
            if question.csv_answer:
                return self._csv(partial(served.predictor.write_texts, records=records))
            return envelope(served, records, notes)

        group = (served.name, tokens, best)
        return Items(deadline, group=group, run=run, items=items, render=render)

    @contextmanager
    def _request(self, served: ServedRun, question: Question) -> Iterator[Request]:
        """A question as the command line would ask it; a table lies in a file within the block.

        Raises:
            Refused: the table or the run can't be used so; in the words of its reader.
        """
        path = self.scratch / f"table{question.suffix}"
        reading, task = question.reading, served.run.task
        request = Request(
            [] if question.table else list(question.items), str(path) if question.table else "",
            reading.text_column, reading.encoding or "utf-8-sig", best=question.best,
            table=reading.table, stamps=reading.stamps, skip_ragged=reading.skip_ragged,
            changes=question.changes, trained=task.trained, columns=task.columns,
        )  # fmt: skip
        try:
            if question.table:
                path.write_bytes(question.table)
            yield request
        except BirnnError as error:
            raise Refused(422, "unusable", self._plain(str(error))) from None
        finally:
            path.unlink(missing_ok=True)

    def _table(self, served: ServedRun, question: Question, job: Table) -> bytes | Items:
        """Read a table as ``predict --input`` does: texts become items, anything else an answer."""
        with self._request(served, question) as request:
            if "texts" in served.predictor.takes:
                texts, notes = served.predictor.texts(request)
                check_sizes(texts, self.limits)
                return self._items(served, question, job.deadline, texts, self._words(notes))
            answered = answer(served.run, request)
            if question.csv_answer:
                return self._csv(answered.write)
            return self._answer(served, question, answered)

    def _explain(self, served: ServedRun, question: Question, job: Table) -> bytes:
        """As ``birnn explain``: the first explanations, as long as somebody waits for them."""
        assert question.wish is not None
        with self._request(served, question) as request:
            explainer = explainer_of(with_stamps(served.run, request.stamps))
            explainer.check(question.wish)
            if question.table and "texts" in served.predictor.takes:
                texts, _ = served.predictor.texts(request)
                check_sizes(texts[:MOST_EXPLAINED], self.limits, "max_explained")
                request = replace(request, texts=list(texts[:MOST_EXPLAINED]), input="")
            made, end = [], time.monotonic() + self.limits.timeout / 2
            for one in explainer.asked(request, question.wish):
                made.append(one.to_json())
                if len(made) == MOST_EXPLAINED or job.dropped or time.monotonic() > end:
                    explainer.notes.append(f"the first {len(made)} are explained, no more")
                    break
            notes = self._words([*request.told, *explainer.notes])
        known = {"run": served.name, "task": served.task, "explanations": made, "notes": notes}
        return encode(known)

    def _answer(self, served: ServedRun, question: Question, answered: Answer) -> bytes:
        records = list(answered.records)
        if len(records) > self.limits.max_rows:
            raise too_many_rows(len(records), self.limits)
        more: dict[str, Any] = {}
        if question.drawings and answered.drawings is not None:
            more["drawings"] = answered.drawings(question.drawings)
        return envelope(served, records, self._words(answered.notes), more)

    def _csv(self, write: Callable[[Path], None]) -> bytes:
        """The file that ``predict --output`` writes."""
        path = self.scratch / "answer.csv"
        try:
            write(path)
            return path.read_bytes()
        finally:
            path.unlink(missing_ok=True)

    def _words(self, notes: Sequence[str]) -> list[str]:
        return [self._plain(note.removeprefix("note: ")) for note in notes]

    def _plain(self, words: str) -> str:
        """Words of a reader without the folder of the table, options as a request has them."""
        bare = possible(words.replace(f"{self.scratch}/", ""), READING, TRAINING)
        return OPTION.sub(lambda name: name[0][2:].replace("-", "_"), bare)


def envelope(
    served: ServedRun, records: Records, notes: Sequence[str], more: dict[str, Any] | None = None
) -> bytes:
    """The body of an answer."""
    known = {"run": served.name, "task": served.task, "records": records, "notes": list(notes)}
    return encode({**known, **(more or {})})
