"""The page: files of the package and nothing else; no name in a request is ever opened."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Response

from birnn.tasks.pages.assets import UPLOT, UPLOT_STYLE, read_asset
from birnn.tasks.web.refusals import Refused
from birnn.tasks.web.served import ServedRun

KINDS = {
    "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8", "svg": "image/svg+xml",
}  # fmt: skip
PACKAGE = "birnn.tasks.web"
# A report brings its own scripts and styles; in a sandbox it can reach nothing of this server.
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none';"
    " script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)
SHARED = ("look.css", UPLOT, UPLOT_STYLE)  # with the reports


def add_page(app: FastAPI) -> None:
    """Routes of the page: ``/`` and what it loads, read once."""
    contents = {name.rpartition("/")[2]: read_asset(name) for name in SHARED}
    own = (place.name for place in files(PACKAGE).joinpath("static").iterdir())
    contents |= {name: read_asset(name, PACKAGE) for name in sorted(own)}
    contents[""] = contents.pop("index.html")
    for name, text in contents.items():
        kind = KINDS[name.rpartition(".")[2] or "html"]
        send = _sends(text.encode(), kind)
        app.add_api_route(f"/{name}", send, methods=["GET"], include_in_schema=False)


def add_reports(app: FastAPI, runs: Mapping[str, ServedRun]) -> None:
    """A route of the report of each run that has one, by the run's name."""

    @app.get("/reports/{name}", include_in_schema=False)
    async def report(name: str) -> Response:
        run = runs.get(name)
        if run is None or not run.report.is_file():
            raise Refused(404, "no_report", "there is no such report")
        headers = {"Content-Security-Policy": REPORT_POLICY}
        return Response(run.report.read_bytes(), media_type=KINDS["html"], headers=headers)


def _sends(content: bytes, kind: str) -> Any:
    async def send() -> Response:
        return Response(content, media_type=kind)

    return send
