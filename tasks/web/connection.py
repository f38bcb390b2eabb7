"""uvicorn's connection, with limits: how many there are, and how long a client may be slow."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from birnn.tasks.web.refusals import Refused, beyond
from birnn.tasks.web.strict_json import encode

LONGEST_HEAD = 32 << 10  # bytes of a request line and headers
IDLE = 5  # seconds that a connection stays between requests
GRACE = 1.0  # seconds by which the application's own refusal comes first


class Connection(H11Protocol):
    """A connection that is closed when a request takes too long to arrive, or an answer to leave.

    Made by :func:`bounded`, which sets the limits.
    """

    seconds: float = 30.0  # for a request to arrive
    most: int = 512
    late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            what = f"{len(self.connections):,} open connections"
            self.refuse(beyond(429, "too_many_connections", what, self.most, "--max-connections"))
            return
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a request that is whole has arrived in time."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._expect()
        else:
            self._arrived()

    def timeout_keep_alive_handler(self) -> None:
        """Close, and don't wait for ever for the client to take what was sent."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.seconds, self.transport.abort)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in the words of all other refusals."""
        self.refuse(Refused(400, "not_http", "this is no request of HTTP, or its head is too long"))

    def refuse(self, refused: Refused) -> None:
        """Send a refusal and close; nothing where an answer has begun."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = encode(refused.to_json())
            reason = b"Refused"
            lines = [b"HTTP/1.1 %d %s" % (refused.status, reason),
                     b"content-type: application/json", b"content-length: %d" % len(body),
                     b"connection: close", b"x-content-type-options: nosniff"]  # fmt: skip
            self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self.transport.close()

    def _expect(self) -> None:
        if self.late is None:
            self.late = self.loop.call_later(self.seconds + GRACE, self._too_late)

    def _arrived(self) -> None:
        if self.late is not None:
            self.late.cancel()
            self.late = None

    def _too_late(self) -> None:
        self.late = None
        if not self.transport.is_closing():
            what = "the request took too long to arrive"
            self.refuse(beyond(408, "too_slow", what, self.seconds, "--timeout"))
            self.loop.call_later(self.seconds, self.transport.abort)


def bounded(seconds: float, most: int) -> type[asyncio.Protocol]:
    """The class of connections with these limits."""
    limits: dict[str, Any] = {"seconds": seconds, "most": most}
    return type("BoundedConnection", (Connection,), limits)
