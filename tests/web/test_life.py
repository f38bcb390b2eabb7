"""A server from its start to its end: what it refuses to start with, and how it stops."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from birnn.tasks.web.server import listen_at

from places import ROOT
from served import ALL, AUDIT, JSON, named, serving


def test_a_port_that_is_taken(birnn):
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        line = birnn("serve", ALL[0], "--port", port).refusal()
        assert f"127.0.0.1:{port}" in line
        assert "--port" in line


def test_what_can_not_be_served(birnn, tmp_path, monkeypatch):
    for words, said in (
        ([tmp_path / "none"], "no such run folder"),
        ([ALL[0], "--host", "no.such.host.invalid"], "can't listen"),
        ([ALL[0], "--token", "short"], "16 characters"),
        ([ALL[0], "--port", 70000], "65535"),
        ([], "Missing argument"),
    ):
        assert said in birnn("serve", *words).refusal()
    monkeypatch.setenv("BIRNN_TOKEN", "é" * 20)
    assert "16 characters" in birnn("serve", ALL[0]).refusal()


@pytest.mark.parametrize("module", ["fastapi", "uvicorn", "prometheus_client"])
def test_without_the_extra(birnn, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    assert birnn("serve", ALL[0]).refusal().endswith("pip install 'birnn[serve]'")


def test_answers_are_not_held_back():
    """Of a socket without its protocol, asyncio doesn't turn Nagle's delay off: 40 ms an answer."""
    with contextlib.closing(listen_at("127.0.0.1", 0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_help_is_light():
    heavy = "{'torch', 'fastapi', 'uvicorn', 'numpy'} & set(sys.modules)"
    code = f"import sys\nfrom birnn import cli\ncli.main(['serve', '--help'])\nsys.exit({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stderr.strip() in ("", "set()")
    assert "--max-body" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_in_flight_is_answered(number):
    """A request that has come is answered after the signal, and the process ends well."""
    with serving(ALL[1]) as server:
        replies = []
        texts = {"texts": ["Ada met Bo in the film " * 40] * 100}

        def ask():
            replies.append(server.ask(texts).status)

        asking = [threading.Thread(target=ask) for _ in range(3)]
        for thread in asking:
            thread.start()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:  # until they are in the queue
            if b"birnn_waiting 3.0" in server.send("GET", "/metrics").body or replies:
                break
        code, err = server.stop(number)
        for thread in asking:
            thread.join(30)
        assert (code, err) == (0, "")
        assert replies == [200] * 3


def test_idle_connections_hold_nothing_up():
    with serving(ALL[0]) as server, socket.create_connection((server.host, server.port)) as link:
        link.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert link.recv(1000)
        begin = time.monotonic()
        assert server.stop() == (0, "")
        assert time.monotonic() - begin < 5


def test_runs_that_are_called_alike(tmp_path):
    twin = shutil.copytree(ALL[0], tmp_path / ALL[0].name)
    with serving(ALL[0], twin) as server:
        names = [run["name"] for run in server.send("GET", "/v1/runs").json["runs"]]
        assert names == [named("sentiment"), f"{named('sentiment')}-2"]


def test_a_report_is_shown_in_a_sandbox(tmp_path):
    home = shutil.copytree(ALL[0], tmp_path / "mine")
    (home / "report.html").write_text("<script>1</script>")
    with serving(home, ALL[1]) as server:
        runs = {run["name"]: run["report"] for run in server.send("GET", "/v1/runs").json["runs"]}
        assert runs == {"mine": True, named("tagging"): False}
        reply = server.send("GET", "/reports/mine")
        assert reply.body == b"<script>1</script>"
        policy = reply.headers["content-security-policy"]
        assert policy.startswith("sandbox allow-scripts")
        assert "allow-same-origin" not in policy
        assert "default-src 'none'" in policy
        for name in (named("tagging"), "..%2fmine", "mine%2freport.html", "nothing"):
            server.send("GET", f"/reports/{name}").refusal(404)


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="no such signal on this system")
def test_nothing_that_a_request_names_is_opened(inputs, tmp_path):
    """Paths in every place of a request: the process opens its own table, and nothing else."""
    secret = tmp_path / "secret.csv"
    secret.write_text("date,north,south\n2024-01-01,1,2\n")
    with serving(*ALL, code=AUDIT) as server:
        good = (inputs / "series.csv").read_text()
        for run in map(named, ("sentiment", "tagging", "forecast", "regression")):
            server.ask({"run": run, "csv": good})
            server.ask({"run": run, "text": "a"})
        server.process.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
        for path in (str(secret), f"file://{secret}", "hf://user/name", "temperatures", "tweets"):
            for task in ("sentiment", "tagging", "forecast", "regression"):
                run = named(task)
                for body in (
                    {"run": path, "text": "a"}, {"run": run, "text": path},
                    {"run": run, "csv": path}, {"run": run, "data": path},
                    {"run": run, "rows": [{"text": path, path: path}]},
                    {"run": run, "csv": good, "reading": {"encoding": path}},
                    {"run": run, "csv": good, "reading": {"id_column": path, "text_column": path}},
                ):  # fmt: skip
                    assert server.ask(body).status in (200, 404, 422)
                query = f"/v1/predict?run={run}&path={path}&input={path}"
                server.send("POST", query, path.encode(), **{"Content-Type": "text/csv"})
            server.send("GET", f"/{path}")
        code, err = server.stop()
    assert code == 0
    assert not err


def test_an_error_of_ours_is_told_to_the_log_alone(tmp_path):
    code = (
        "from birnn.tasks.web import strict_json\n"
        "def fails(body): raise KeyError('a secret')\n"
        "import birnn.tasks.web.service as service\nservice.parse = fails\n"
    )
    with serving(ALL[2], code=code) as server:
        reply = server.ask({"text": "a"}, **JSON)
        assert reply.status == 500
        assert json.loads(reply.body)["error"]["code"] == "failed"
        assert b"secret" not in reply.body
        _, err = server.stop()
        assert "KeyError: 'a secret'" in err
