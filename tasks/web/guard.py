"""What stands before every request: who may ask, under which name, and how long it may take."""

import asyncio
import hmac
import ipaddress
import socket
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextlib import suppress
from typing import Any

from birnn.tasks.web.options import ServeOptions
from birnn.tasks.web.refusals import Refused
from birnn.tasks.web.strict_json import encode

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

DRAINING, DRAINED = 2.0, 64 << 20  # seconds and bytes of a body that was refused
FAILED = Refused(500, "failed", "the server failed; its log says how")
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SECRET = ("/v1/", "/metrics", "/openapi.json", "/reports/")  # the page itself holds no data
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
HEADERS = {
    b"content-security-policy": POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """An ASGI application around another: it refuses, and dresses what goes out.

    Args:
        application: what answers.
        options: names and origins that are allowed.
        token: what ``Authorization: Bearer`` must hold; empty: nothing.
        answered: told of path, status and seconds of each request.
    """

    def __init__(
        self, application: Application, options: ServeOptions, token: str,
        answered: Callable[[str, int, float], None],
    ) -> None:  # fmt: skip
        self.application, self.token, self.answered = application, token, answered
        self.origins = {origin.rstrip("/") for origin in listed(options.allow_origin)}
        self.hosts = {*LOOPBACK, *map(str.lower, listed(options.allow_host))}
        self.anywhere = not is_loopback(options.host)
        if self.anywhere:
            self.hosts |= {options.host.lower(), socket.gethostname().lower()}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request of HTTP, or pass on what is none."""
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        begin, status, more = time.perf_counter(), 0, True

        async def heard() -> Message:
            nonlocal more
            message = await receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
            return message

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                there = {name.lower() for name, _ in message.get("headers", ())}
                rest = [pair for pair in HEADERS.items() if pair[0] not in there]
                message["headers"] = [*message.get("headers", ()), *rest]
            elif more and not message.get("more_body", False):
                # All is said, but to close now would cut off a client that is still sending.
                await send({**message, "more_body": True})
                await drain(heard, lambda: more)
                message = {"type": message["type"], "body": b""}
            await send(message)

        try:
            self.check(scope)
            await self.application(scope, heard, dressed)
        except Refused as refused:
            if not status:
                await respond(refused, dressed)
        except Exception as error:
            traceback.print_exception(error, file=sys.stderr)
            if not status:
                await respond(
                    Refused(500, "failed", "the server failed; its log says how"), dressed
                )
        finally:
            self.answered(scope["path"], status, time.perf_counter() - begin)

    def check(self, scope: Message) -> None:
        """Refuse a request by its head.

        Raises:
            Refused: a host, an origin or a token that is not allowed.
        """
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if not self.is_ours(host):
            what = f"the host {host[:80]!r} is not served here (--allow-host adds names)"
            raise Refused(421, "wrong_host", what)
        origin = headers.get(b"origin", b"").decode("latin-1")
        same = origin.partition("://")[2].lower() == host
        if origin and not same and origin not in self.origins:
            what = f"pages of {origin[:80]!r} may not ask (--allow-origin allows them)"
            raise Refused(403, "wrong_origin", what)
        preflight = scope["method"] == "OPTIONS" and origin in self.origins
        if self.token and scope["path"].startswith(SECRET) and not preflight:
            given = headers.get(b"authorization", b"")
            if not hmac.compare_digest(given, b"Bearer " + self.token.encode()):
                raise Refused(
                    401, "token", "give the token: Authorization: Bearer …",
                    headers={"WWW-Authenticate": "Bearer"},
                )  # fmt: skip

    def is_ours(self, host: str) -> bool:
        """Whether a ``Host`` names this server: pages of strangers can point their names here."""
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        if name in self.hosts:
            return True
        if not self.anywhere:
            return False
        try:  # no name, so no stranger's
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True


async def drain(receive: Receive, more: Callable[[], bool]) -> None:
    """Take the rest of a body and forget it, for some seconds and bytes."""
    left = DRAINED
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAINING):
            while more() and left > 0:
                left -= len((await receive()).get("body", b""))


async def respond(refused: Refused, send: Send) -> None:
    """Send what a request is refused with."""
    body = encode(refused.to_json())
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(k.lower().encode(), v.encode()) for k, v in refused.headers.items()]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def listed(words: str) -> Iterable[str]:
    """The words of an option that takes several, with commas."""
    return [word.strip() for word in words.split(",") if word.strip()]
