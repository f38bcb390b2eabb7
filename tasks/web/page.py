"""The page: files of the package and nothing else; no name in a request is ever opened."""

from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Response

KINDS = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}  # fmt: skip
FILES = ("index.html",)


def add_page(app: FastAPI) -> None:
    """Routes of the page: ``/`` and what it loads, read once."""
    folder = files("birnn.tasks.web") / "static"
    for name in FILES:
        content = (folder / name).read_bytes()
        kind = KINDS[name[name.rindex(".") :]]
        path = "/" if name == "index.html" else f"/{name}"
        app.add_api_route(path, _sends(content, kind), methods=["GET"], include_in_schema=False)


def _sends(content: bytes, kind: str) -> Any:
    async def send() -> Response:
        return Response(content, media_type=kind)

    return send
