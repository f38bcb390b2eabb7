"""A server of runs in a process of its own, and what asks it."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from places import ROOT, RUNS

OLD = "2026-11-24-07964cf-"  # runs of the four tasks that an earlier state has written
TASKS = ("sentiment", "tagging", "forecast", "regression")
ALL = tuple(RUNS / f"{OLD}{task}" for task in TASKS)
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


# What runs before the server: after SIGUSR1 it tells standard error of all that is opened, read or
# run, but for the server's own table in its folder, what is imported, and what the system says.
AUDIT = """
import os, re, signal, tempfile
temporary, on = re.escape(tempfile.gettempdir()), []
harmless = re.compile(
    rf"open /proc/|os.listdir /proc/|os.scandir ({temporary}$|\\d)"
    rf"|(open|os.remove|os.scandir) {temporary}/birnn-"
)
heard = ("open", "os.listdir", "os.scandir", "os.rename", "os.remove", "os.mkdir", "os.system",
         "subprocess.Popen", "socket.connect", "pickle.find_class")
def hear(event, details):
    if on and event in heard:
        line = f"{event} {details[0]}"
        code = str(details[0]).endswith((".py", ".pyc", ".so"))
        looks = event == "os.listdir" and str(details[0]).startswith(tuple(filter(None, sys.path)))
        if not (harmless.match(line) or code or looks):  # code: what is imported when first needed
            print(line, file=sys.__stderr__, flush=True)
sys.addaudithook(hear)
signal.signal(signal.SIGUSR1, lambda *_: on.append(1))
"""


def named(task: str) -> str:
    """What the run of a task is called."""
    return f"{OLD}{task}"


class Reply(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)

    def refusal(self, status: int) -> dict[str, Any]:
        """The one error of a refusal with ``status``."""
        assert self.status == status, (self.status, self.body[:500])
        assert self.headers["content-type"] == "application/json"
        assert set(self.json) == {"error"}
        error: dict[str, Any] = self.json["error"]
        assert error["message"]
        assert "\n" not in error["message"]
        return error


class Server:
    """``birnn serve`` that runs; ``headers`` go with every request."""

    def __init__(self, process: "subprocess.Popen[str]", address: str, token: str = "") -> None:
        self.process, self.address = process, address
        place = re.fullmatch(r"http://(.+):(\d+)/(?:#token=(.*))?", address)
        assert place, address
        self.host, self.port, self.token = place[1].strip("[]"), int(place[2]), place[3] or token
        self.headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        """One request on a connection of its own; ``content_type`` is the header Content-Type."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(method, path, body, self.headers | given)
            reply = connection.getresponse()
            names = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, names, reply.read())
        finally:
            connection.close()

    def ask(self, body: Any, **headers: str) -> Reply:
        """A question as JSON; bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", "/v1/predict", data, **{**JSON, **headers})

    def records(self, body: Any) -> list[dict[str, Any]]:
        """The records of an answer."""
        reply = self.ask(body)
        assert reply.status == 200, reply.body[:500]
        found: list[dict[str, Any]] = reply.json["records"]
        return found

    def raw(self, data: bytes, seconds: float = 10) -> bytes:
        """All that comes back for bytes, until the server closes or ``seconds`` are over."""
        with socket.create_connection((self.host, self.port), timeout=seconds) as link:
            link.sendall(data)
            parts = []
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while part := link.recv(1 << 16):
                    parts.append(part)
            return b"".join(parts)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Ask it to end; its exit code and what it said of errors."""
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@contextlib.contextmanager
def serving(*words: object, code: str = "", **environment: str) -> Iterator[Server]:
    """``birnn serve`` with these words, on a free port; ``code`` runs before it in its process."""
    # Where tests run in the background, a child would ignore Ctrl-C from the start.
    heard = "import signal, sys\nsignal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{heard}\n{code}\nfrom birnn import cli\nsys.exit(cli.main(sys.argv[1:]))"
    arguments = [str(word) for word in (*(words or ALL), "--port", 0, "--threads", 1)]
    process = subprocess.Popen(
        [sys.executable, "-c", program, "serve", *arguments], text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        found = re.search(r"at (http://\S+)", line)
        assert found, line + process.stderr.read()
        given = arguments[arguments.index("--token") + 1] if "--token" in arguments else ""
        yield Server(process, found[1], given)
    finally:
        process.kill()
        process.communicate()
