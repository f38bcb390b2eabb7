"""Runs behind a socket, from the first request to the last."""

import asyncio
import os
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from birnn.errors import ConfigError, reason
from birnn.storage.scratch import scratch
from birnn.tasks.web.options import ServeOptions

EXTRA = {"fastapi": "fastapi", "uvicorn": "uvicorn", "prometheus_client": "prometheus-client"}
SHORTEST = 16  # characters of a token


def require_serve() -> None:
    """Refuse to go on without the extra.

    Raises:
        ConfigError: a package of it is not installed.
    """
    for module, package in EXTRA.items():
        try:
            import_module(module)
        except ImportError:
            need = f"serve needs the package {package}: pip install 'birnn[serve]'"
            raise ConfigError(need) from None


@dataclass
class Server:
    """Runs that are ready to be served at an address that is taken."""

    listener: socket.socket
    options: ServeOptions
    token: str
    made: bool  # whether the token was made here
    loaded: Sequence[tuple[str, Any]]

    @property
    def address(self) -> str:
        """Where a browser finds it; a token that was made stands where no browser sends it."""
        host, port = self.listener.getsockname()[:2]
        if host in ("0.0.0.0", "::"):  # noqa: S104
            host = socket.gethostname()
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{port}/" + (f"#token={self.token}" if self.made else "")

    @property
    def names(self) -> list[str]:
        """The runs, as they were named."""
        return [name for name, _ in self.loaded]

    def run(self) -> None:
        """Serve until a signal comes; what is in flight then is answered."""
        with scratch() as folder:
            asyncio.run(self._serve(folder))

    async def _serve(self, folder: Path) -> None:
        import uvicorn

        from birnn.tasks.web.api import application
        from birnn.tasks.web.connection import IDLE, LONGEST_HEAD, bounded
        from birnn.tasks.web.service import make_service
        from birnn.tasks.web.stopping import StoppableServer

        options = self.options
        service = make_service(self.loaded, options, folder)
        config = uvicorn.Config(
            application(service, self.token),
            http=bounded(options.timeout, options.max_connections), ws="none", lifespan="off",
            log_config=None, log_level="critical", access_log=False, proxy_headers=False,
            server_header=False, timeout_keep_alive=IDLE,
            h11_max_incomplete_event_size=LONGEST_HEAD,
            timeout_graceful_shutdown=int(options.timeout) + 2, backlog=128,
        )  # fmt: skip
        service.worker.start()
        try:
            await service.warm()
            await StoppableServer(config).serve(sockets=[self.listener])
        finally:
            service.worker.stop()
            service.worker.join(options.timeout)


def prepare(runs: Sequence[str], options: ServeOptions) -> Server:
    """Take the address, then load the runs.

    Raises:
        ConfigError: no extra, an address that is taken or none, or a token that is too short.
        BirnnError: a run that can't be loaded or served.
    """
    require_serve()
    from birnn.tasks.api.hub import run_folder
    from birnn.tasks.runs.folder import load_run
    from birnn.tasks.web.guard import is_loopback
    from birnn.tasks.web.served import served_runs

    if not runs:
        raise ConfigError("serve: name a run folder")
    token = options.token or os.environ.get("BIRNN_TOKEN", "")
    if token and (len(token) < SHORTEST or not token.isascii() or not token.isprintable()):
        raise ConfigError(f"token: at least {SHORTEST} characters, letters, digits and signs")
    made = not token and not is_loopback(options.host)
    listener = listen_at(options.host, options.port)
    try:
        loaded = [(name, load_run(run_folder(name), options.device)) for name in runs]
        served_runs(loaded)
    except BaseException:
        listener.close()
        raise
    return Server(listener, options, secrets.token_urlsafe(24) if made else token, made, loaded)


def listen_at(host: str, port: int) -> socket.socket:
    """A socket that takes connections.

    Raises:
        ConfigError: the address is taken, not allowed, or none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        # With its protocol named: only of such sockets asyncio turns Nagle's delay of 40 ms off.
        listener = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere it would let two listen
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(128)
        except BaseException:
            listener.close()
            raise
    except (OSError, UnicodeError) as error:
        where = f"serve: can't listen at {host}:{port}: {reason(error)}"
        raise ConfigError(f"{where}; choose another --port, or 0 for a free one") from None
    return listener
