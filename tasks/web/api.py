"""The application: its routes, behind the guard."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from starlette.exceptions import HTTPException

from birnn.tasks.web.guard import FAILED, Application, Guard, listed
from birnn.tasks.web.openapi import OPERATIONS, described
from birnn.tasks.web.page import add_page, add_reports
from birnn.tasks.web.refusals import Refused
from birnn.tasks.web.service import JSON, Service
from birnn.tasks.web.strict_json import encode
from birnn.version import __version__

LIMITS = ("max_body", "max_text", "max_explained", "max_texts", "max_rows", "timeout")


def json_response(value: Any, status: int = 200, headers: Any = None) -> Response:
    """A value as JSON."""
    return Response(encode(value), status, media_type=JSON, headers=headers)


def application(service: Service, token: str) -> Application:
    """The whole of it: routes behind the guard."""
    app = FastAPI(
        title="birnn", version=__version__, docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False,
    )  # fmt: skip

    async def refused(request: Request, error: Any) -> Response:
        return json_response(error.to_json(), error.status, error.headers)

    async def unknown(request: Request, error: Any) -> Response:
        words = {404: "there is nothing here", 405: "this can't be asked so"}
        message = words.get(error.status_code, str(error.detail))
        known = Refused(error.status_code, "http", message, headers=error.headers or {})
        return await refused(request, known)

    async def failed(request: Request, error: Exception) -> Response:
        return await refused(request, FAILED)

    app.add_exception_handler(Exception, failed)  # and then the guard tells the log
    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, unknown)
    add_api(app, service, has_token=bool(token))
    add_page(app)
    add_reports(app, service.runs)
    if origins := list(listed(service.limits.allow_origin)):
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Accept"],
            expose_headers=["Server-Timing"],
        )  # fmt: skip
    return Guard(app, service.limits, token, service.metrics.answered)


def add_api(app: FastAPI, service: Service, *, has_token: bool) -> None:
    """The routes of the API."""
    known: dict[str, bytes] = {}  # made when first asked for

    def once(name: str, make: Callable[[], Any]) -> bytes:
        if name not in known:
            known[name] = encode(make())
        return known[name]

    def runs() -> dict[str, Any]:
        limits = {name: getattr(service.limits, name) for name in LIMITS}
        return {"runs": [run.about() for run in service.runs.values()], "limits": limits}

    @app.post("/v1/predict", **OPERATIONS["predict"])
    async def predict(request: Request) -> Response:
        return await service.predict(request)

    @app.post("/v1/explain", **OPERATIONS["explain"])
    async def explain(request: Request) -> Response:
        return await service.explain(request)

    @app.get("/v1/runs", **OPERATIONS["runs"])
    async def list_runs() -> Response:
        return Response(once("runs", runs), media_type=JSON)

    @app.get("/health", **OPERATIONS["health"])
    async def health() -> Response:
        return json_response({"status": "ok"})

    @app.get("/metrics", **OPERATIONS["metrics"])
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        made = once("openapi", lambda: described(
            app, service.runs, service.limits, service.examples, has_token=has_token
        ))  # fmt: skip
        return Response(made, media_type=JSON)
