"""What annotation tools export: Label Studio's tasks, Prodigy's answers.

Label Studio's JSON holds ``data`` and ``annotations`` (``completions`` before 1.0), each with the
``result`` of one annotator; https://labelstud.io/guide/export describes it. Prodigy's JSONL holds
an ``answer``; https://prodi.gy/docs/api-interfaces describes it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

ANSWERS = ("accept", "reject", "ignore")  # what a person said to a task of Prodigy's
ACCEPTED = ANSWERS[0]
DONE = ("annotations", "completions")
ONE_OF = {"choices": "choices", "rating": "rating", "number": "number"}  # type → key of its value


def is_label_studio(row: Any) -> bool:
    """Whether an object is a task of Label Studio's with its annotations."""
    return (
        isinstance(row, Mapping) and isinstance(row.get("data"), Mapping)
        and any(isinstance(row.get(name), list) for name in DONE)
    )  # fmt: skip


def results_of(row: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """The results of each annotation of a task that was not cancelled."""
    done: list[Any] = next((row[name] for name in DONE if isinstance(row.get(name), list)), [])
    return [
        [part for part in one.get("result") or [] if isinstance(part, Mapping)]
        for one in done
        if isinstance(one, Mapping) and not (one.get("was_cancelled") or one.get("skipped"))
    ]


def chosen(results: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """What was chosen for a whole text: the name of each control → its choices."""
    choices: dict[str, list[str]] = {}
    for part in results:
        value, key = part.get("value"), ONE_OF.get(str(part.get("type")))
        if key and isinstance(value, Mapping) and value.get(key) is not None:
            inner = value[key] if isinstance(value[key], list) else [value[key]]
            choices.setdefault(str(part.get("from_name") or key), []).extend(map(str, inner))
    return choices


def flat_task(row: Mapping[str, Any]) -> dict[str, Any]:
    """A task of Label Studio's as a row: its data, and a list of choices for each control.

    Of several annotators who disagree, the choices of all stand there, each once.

    >>> value = {"value": {"choices": ["good"]}, "type": "choices", "from_name": "mood"}
    >>> flat_task({"data": {"text": "a"}, "annotations": [{"result": [value]}]})
    {'text': 'a', 'mood': ['good']}
    """
    flat: dict[str, Any] = dict(row["data"])
    for results in results_of(row):
        for name, values in chosen(results).items():
            old = flat.get(name) if isinstance(flat.get(name), list) else []
            flat[name] = list(dict.fromkeys([*(old or []), *values]))
    return flat


def flat_tasks(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The columns of :func:`flat_task` of all rows; what a row lacks is None."""
    flat = [flat_task(row) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return {name: [row.get(name) for row in flat] for name in names}


def is_answers(values: Iterable[Any]) -> bool:
    """Whether a column called ``answer`` holds Prodigy's, one at least."""
    there = {value for value in values if value not in (None, "")}
    return bool(there) and there <= set(ANSWERS)
