"""OpenAPI: what the API takes and gives, with examples of the runs that are served."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from birnn.tasks.web.options import ServeOptions
from birnn.tasks.web.question import CONTENT, MOST_DRAWINGS, Ask, AskWhy
from birnn.tasks.web.served import ServedRun
from birnn.version import __version__

ERRORS = {
    400: "The body is not JSON, or not in UTF-8.", 401: "The token is missing or wrong.",
    403: "A page of another origin asks.", 404: "There is no such run.",
    406: "An answer as CSV goes with a table.", 408: "The request, or its answer, took too long.",
    413: "A body, a text or a table is too large: the message names the option that moves it.",
    415: "A body of another kind.", 421: "The server is not called so.",
    422: "The request asks what can't be: the message says what mends it.",
    429: "Too many requests at once; try again.",
}  # fmt: skip
SHOWN = 3  # records of an example
GUARDED = (401, 403, 421, 429)
REFERENCE = {"$ref": "#/components/schemas/Error"}


def _errors(*statuses: int) -> dict[int | str, Any]:
    content = {"application/json": {"schema": REFERENCE}}
    return {status: {"description": ERRORS[status], "content": content} for status in statuses}


def _given(description: str, kind: str, schema: Any) -> dict[int | str, Any]:
    return {200: {"description": description, "content": {kind: {"schema": schema}}}}


OPERATIONS: dict[str, dict[str, Any]] = {
    "predict": {
        "summary": "Predict with a run: texts, sentences of tokens, or a table.",
        "responses": _given("What is predicted, in the order of what was sent.",
                            "application/json", {"$ref": "#/components/schemas/Answer"})
        | _errors(*ERRORS),
    },
    "explain": {
        "summary": "Why an answer is what it is: how far each word, or step, moved it.",
        "responses": _given("What moved each answer, the first 20 of them.", "application/json",
                            {"$ref": "#/components/schemas/Why"})
        | _errors(*(status for status in ERRORS if status != 406)),
    },
    "runs": {
        "summary": "The runs that are served, and the limits of a request.",
        "responses": _given("Runs.", "application/json", {"$ref": "#/components/schemas/Runs"})
        | _errors(*GUARDED),
    },
    "health": {
        "summary": "Whether the server answers.",
        "responses": _given("It does.", "application/json", {
            "type": "object", "required": ["status"],
            "properties": {"status": {"const": "ok"}}}) | _errors(403, 421, 429),
    },
    "metrics": {
        "summary": "Counters and times, in Prometheus's text format.",
        "responses": _given("Metrics.", "text/plain", {"type": "string"}) | _errors(*GUARDED),
    },
}  # fmt: skip

SCHEMAS: dict[str, Any] = {
    "Answer": {
        "type": "object", "required": ["run", "task", "records", "notes"],
        "properties": {
            "run": {"type": "string"}, "task": {"type": "string"},
            "records": {"type": "array", "items": {"type": "object"},
                        "description": "As `birnn predict RUN --json` prints them."},
            "notes": {"type": "array", "items": {"type": "string"},
                      "description": "What was read of a table, and how."},
            "drawings": {"type": "array", "items": {"type": "object"}}},
    },
    "Why": {
        "type": "object", "required": ["run", "task", "explanations", "notes"],
        "properties": {
            "run": {"type": "string"}, "task": {"type": "string"},
            "explanations": {"type": "array", "items": {"type": "object"},
                             "description": "As `birnn explain RUN --json` prints them."},
            "notes": {"type": "array", "items": {"type": "string"}}},
    },
    "Runs": {
        "type": "object", "required": ["runs", "limits"],
        "properties": {"runs": {"type": "array", "items": {"type": "object"}},
                       "limits": {"type": "object"}},
    },
    "Error": {
        "type": "object", "required": ["error"],
        "properties": {"error": {
            "type": "object", "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"},
                           "limit": {"type": "number"}, "option": {"type": "string"}}}},
    },
}  # fmt: skip


def described(
    app: FastAPI, runs: Mapping[str, ServedRun], limits: ServeOptions,
    answers: Mapping[str, Any], *, has_token: bool,
) -> dict[str, Any]:  # fmt: skip
    """The document, with the limits, and each run's answer to a question of its own columns."""
    document = get_openapi(title="birnn", version=__version__, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(SCHEMAS, **_bodies(runs, limits))
    examples = {
        name: {"summary": f"{run.task}: {name}", "value": {"run": name, **run.sample}}
        for name, run in runs.items() if run.sample
    }  # fmt: skip
    operation = document["paths"]["/v1/predict"]["post"]
    given = operation["responses"]["200"]["content"]["application/json"]
    given["examples"] = {name: {"value": shortened(value)} for name, value in answers.items()}
    table = {"schema": {"type": "string", "minLength": 1}}
    operation["requestBody"] = {"required": True, "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/Ask"}, "examples": examples},
        "text/csv": table, "text/tab-separated-values": table}}  # fmt: skip
    document["paths"]["/v1/explain"]["post"]["requestBody"] = {"required": True, "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/AskWhy"},
                             "examples": examples}}}  # fmt: skip
    query = {"in": "query", "required": False}
    one = len(runs) == 1
    operation["parameters"] = [
        {**query, "name": "run", "schema": {"enum": list(runs)},
         "description": f"With a body of text/csv{'' if one else ': needed'}."},
        {**query, "name": "drawings",
         "schema": {"type": "integer", "minimum": 0, "maximum": MOST_DRAWINGS}},
    ]  # fmt: skip
    if has_token:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, operations in document["paths"].items():
            if path != "/health":
                for part in operations.values():
                    part["security"] = [{"token": []}]
    return document


def shortened(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with its first records."""
    return {**answer, "records": answer["records"][:SHOWN]}


def _bodies(runs: Mapping[str, ServedRun], limits: ServeOptions) -> dict[str, Any]:
    """The schemas of bodies, with the names of the runs and the limits of this server."""
    made: dict[str, Any] = {}
    for model in (Ask, AskWhy):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        made |= schema.pop("$defs", {})
        for part in schema["properties"].values():  # null is the same as nothing; nobody sends it
            part.pop("default", None)
            part.pop("title", None)
            if choices := part.pop("anyOf", None):
                part.update(next(one for one in choices if one.get("type") != "null"))
        schema["properties"]["run"]["enum"] = list(runs)
        schema["properties"]["rows"]["maxItems"] = limits.max_rows
        content = [name for name in CONTENT if name in schema["properties"]]
        schema["oneOf"] = [{"required": [name]} for name in content]
        made[model.__name__] = schema
    asked = made["Ask"]["properties"]
    asked["text"]["maxLength"] = asked["texts"]["items"]["maxLength"] = limits.max_text
    asked["texts"]["maxItems"] = asked["tokens"]["maxItems"] = limits.max_texts
    made["AskWhy"]["properties"]["text"]["maxLength"] = limits.max_explained
    return made
