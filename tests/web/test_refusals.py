"""What is no good question, too fast or too slow: one line and a 4xx, and the server lives."""

import json
import socket
import time
import urllib.error
import urllib.request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from served import ALL, CSV, JSON, named, serving

SENTIMENT, TAGGING, FORECAST = named("sentiment"), named("tagging"), named("forecast")
TEXT = {"run": SENTIMENT, "text": "a"}

NOT_JSON = [
    b"", b"{", b"nul", b"\xff\xfe", b'{"text": "\xff"}', b'{"text": NaN}', b'{"text": Infinity}',
    b'{"text": "a", "text": "b"}', b'{"text": 1e999}', b'{"n": ' + b"9" * 5000 + b"}",
    b"[" * 100_000, b'{"a":' * 5000, b'{"text": "a"} {"text": "b"}', b"\x00", b'{"text": "\x01"}',
]  # fmt: skip
INVALID = [
    [], "text", 1, None, {}, {"run": SENTIMENT}, {"run": SENTIMENT, "text": "a", "texts": ["b"]},
    {"run": SENTIMENT, "text": 1}, {"run": SENTIMENT, "text": ["a"]}, {"run": 1, "text": "a"},
    {"run": SENTIMENT, "texts": []}, {"run": SENTIMENT, "texts": "ab"}, {"text": "a"},
    {"run": SENTIMENT, "texts": [None]}, {"run": SENTIMENT, "texts": [["a"]]},
    {"run": SENTIMENT, "tokens": [["a"]]}, {"run": TAGGING, "tokens": [[]]},
    {"run": TAGGING, "tokens": [[""]]}, {"run": TAGGING, "tokens": [["a"]], "n_best": 2},
    {"run": TAGGING, "text": "a", "n_best": -1}, {"run": TAGGING, "text": "a", "n_best": True},
    {"run": TAGGING, "text": "a", "n_best": 10**30}, {**TEXT, "n_best": 2},
    {**TEXT, "path": "/etc/passwd"}, {**TEXT, "reading": {}, "drawings": 3},
    {**TEXT, "changes": []} | {"reading": {"encoding": "utf-8"}},
    {"run": FORECAST, "text": "a"},
    {"run": FORECAST, "csv": ""}, {"run": FORECAST, "csv": "a"}, {"run": FORECAST, "csv": "a\n1"},
    {"run": FORECAST, "rows": []}, {"run": FORECAST, "rows": [{}]}, {"run": FORECAST, "rows": [1]},
    {"run": FORECAST, "rows": [{"a": [1]}]}, {"run": FORECAST, "rows": [{"a": {"b": 1}}]},
    {"run": FORECAST, "rows": [{"a": "\x00"}]}, {"run": FORECAST, "rows": [{"\ud800": 1}]},
    {"run": FORECAST, "csv": "a,b\n1,2\n", "reading": {"delimiter": "ab"}},
    {"run": FORECAST, "csv": "a,b\n1,2\n", "reading": {"delimeter": ","}},
    {"run": FORECAST, "csv": "a,b\n1,2\n", "reading": {"skip_lines": -1}},
    {"run": FORECAST, "csv": "a,b\n1,2\n", "reading": {"encoding": "no-such"}},
    {"run": FORECAST, "csv": "a,b\n1,2\n", "reading": {"date_format": "\x00"}},
    {"run": FORECAST, "csv": "a,b\n1,2\n", "drawings": 10**9},
    {"run": FORECAST, "csv": "a,b\n1,2\n", "changes": [{"id": "b", "step": 0, "value": 1}]},
]  # fmt: skip


@pytest.mark.parametrize("body", NOT_JSON, ids=range(len(NOT_JSON)))
def test_what_is_not_json(server, body):
    assert server.ask(body).refusal(400)["code"] == "not_json"


@pytest.mark.parametrize("body", INVALID, ids=range(len(INVALID)))
def test_what_can_not_be_asked(server, body):
    server.ask(body).refusal(422)


@pytest.mark.parametrize("body", [
    {"run": SENTIMENT}, {**TEXT, "csv": "a\n1"}, {**TEXT, "label": "no such"}, {**TEXT, "step": 1},
    {**TEXT, "step": -1}, {**TEXT, "reading": {"header": True}}, {"run": FORECAST, "text": "a"},
    {"run": FORECAST, "csv": "a\n1"}, {**TEXT, "texts": ["a"]}, {"run": TAGGING, "text": "a",
    "token": "no such"}, {"run": SENTIMENT, "csv": "text\na"} | {"series": "a"},
])  # fmt: skip
def test_what_can_not_be_explained(server, body):
    data = json.dumps(body).encode()
    server.send("POST", "/v1/explain", data, **JSON).refusal(422)


def test_a_text_that_is_too_long_to_explain(server):
    data = json.dumps({**TEXT, "text": "a" * 501}).encode()
    error = server.send("POST", "/v1/explain", data, **JSON).refusal(413)
    assert (error["limit"], error["option"]) == (500, "--max-explained")
    data = json.dumps({"run": SENTIMENT, "csv": "text\n" + "a" * 501}).encode()
    error = server.send("POST", "/v1/explain", data, **JSON).refusal(413)


def test_names_are_shown_as_text(server):
    name = "<script>alert(1)</script>"
    error = server.ask({"run": name, "text": "a"}).refusal(404)
    assert name in error["message"]
    assert server.ask({"run": "../../etc", "text": "a"}).refusal(404)


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "application/xml"])
def test_other_kinds_of_bodies(server, kind):
    server.ask(TEXT, **{"Content-Type": kind}).refusal(415)


def test_bodies_that_are_packed(server):
    server.ask(TEXT, **{"Content-Encoding": "gzip"}).refusal(415)
    server.ask(TEXT, Accept="text/csv").refusal(406)


@pytest.mark.parametrize(
    "query", ["run=", "run=x", "run=a&run=b", "path=/etc/passwd", "drawings=-1", "drawings=a",
              "drawings=99999999999", "delimiter=ab", "skip_lines=x", "header=maybe", "%00=1"],
)  # fmt: skip
def test_addresses_that_ask_what_can_not_be(server, query):
    reply = server.send("POST", f"/v1/predict?{query}", b"a,b\n1,2\n", **CSV)
    assert reply.status in (404, 422)
    reply.refusal(reply.status)


@pytest.mark.parametrize("body", [b"", b" \n", b"\x00\x01", b"\xff" * 9, b'"', b"a,b\n1\n1,2,3\n"])
@pytest.mark.parametrize("task", ["sentiment", "tagging", "forecast", "regression"])
def test_tables_that_are_none(server, body, task):
    reply = server.send("POST", f"/v1/predict?run={named(task)}", body, **CSV)
    if reply.status != 200:  # bytes can be a text of their own
        message = reply.refusal(422)["message"]
        assert "/" not in message
        assert "--" not in message


def test_advice_can_be_followed(server):
    """Options of reading are named as a request has them; those of training are not advised."""
    ragged = b"date,north,south\n2024-01-01,1,2\n2024-01-02,1\n2024-01-03,3,2\n"
    query = f"/v1/predict?run={FORECAST}"
    message = server.send("POST", query, ragged, **CSV).refusal(422)["message"]
    assert "skip_ragged" in message
    rows = b"".join(b"2024-01-%02d,%d,2\n" % (day, day) for day in range(1, 20))
    message = server.send("POST", query, b"date,north,south\n" + rows + b"2024-01-20,x,2\n", **CSV)
    words = message.refusal(422)["message"]
    assert "no number" in words
    assert "mend the file" in words
    assert "text missing" not in words


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE", "HEAD", "BREW"])
def test_unknown_methods(server, method):
    assert server.send(method, "/v1/predict").status == 405


@pytest.mark.parametrize(
    "path", ["/v1", "/v1/", "/docs", "/../etc/passwd", "/..%2f..%2fetc/passwd", "/static/../api.py",
             "//etc/passwd", "/index.html%00", "/%ff", "/v1/predict/", "/" + "a" * 3000],
)  # fmt: skip
def test_other_paths(server, path):
    assert server.send("GET", path).status in (404, 405)


RAW = [
    b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
    b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n",
    b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n"
    b"Sec-WebSocket-Key: a\r\n\r\n",
    b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.1\nHost: 127.0.0.1\nConnection: close\n\n",
]  # fmt: skip


@pytest.mark.parametrize("data", RAW, ids=range(len(RAW)))
def test_what_is_hardly_http(server, data):
    reply = server.raw(data, 3)
    assert not reply or reply.split(b" ")[1][:1] in b"24", reply[:200]
    assert server.send("GET", "/health").status == 200


def test_requests_in_a_row_on_one_connection(server):
    body = json.dumps(TEXT).encode()
    head = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    one = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    last = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    reply = server.raw(one * 20 + last)
    assert reply.count(b"HTTP/1.1 200 ") == 21
    assert reply.endswith(b'{"status":"ok"}')


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "10.0.0.1", "[::]"])
def test_other_hosts(server, host):
    server.send("GET", "/v1/runs", Host=host).refusal(421)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil:1"])
def test_other_origins(server, origin):
    server.ask(TEXT, Origin=origin).refusal(403)
    own = f"http://127.0.0.1:{server.port}"
    assert server.ask(TEXT, Origin=own).status == 200


def test_headers_that_keep_browsers_safe(server):
    for path in ("/", "/v1/runs", "/nothing"):
        headers = server.send("GET", path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


CELLS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    CELLS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
NAMES = (
    "run",
    "text",
    "texts",
    "tokens",
    "csv",
    "rows",
    "n_best",
    "changes",
    "reading",
    "drawings",
)
ROWS = st.lists(st.lists(CELLS.map(str), max_size=4).map(",".join))
RUNS = st.sampled_from([named(t) for t in ("sentiment", "tagging", "forecast", "regression")])


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3), RUNS)
def test_any_body(server, body, run):
    text = json.dumps({"run": run, **body})
    assert server.ask(text.encode("utf-8", "surrogatepass")).status in (200, 400, 404, 422)


@settings(max_examples=100)
@given(
    st.text() | st.lists(st.lists(CELLS.map(str), max_size=4).map(",".join)).map("\n".join), RUNS
)
def test_any_table(server, table, run):
    data = table.encode("utf-8", "surrogatepass")
    reply = server.send("POST", f"/v1/predict?run={run}", data, **CSV)
    assert reply.status in (200, 422), reply.body


@settings(max_examples=50)
@given(st.binary(max_size=300))
def test_any_bytes(server, data):
    reply = server.raw(data + b"\r\n\r\n", 0.05)
    assert not reply or reply.split(b" ")[1] in (b"400", b"421", b"404", b"405"), reply


@pytest.fixture(scope="module")
def small():
    """A server with small limits."""
    options = ("--max-body", 0.01, "--max-text", 100, "--max-texts", 5, "--max-rows", 50,
               "--timeout", 1, "--max-connections", 20, "--max-requests", 4)  # fmt: skip
    with serving(*ALL, *options) as started:
        yield started


@pytest.mark.parametrize(
    ("body", "code", "limit", "option"),
    [
        ({**TEXT, "text": "a" * 20_000}, "body_too_large", 0.01, "--max-body"),
        ({**TEXT, "text": "a" * 101}, "text_too_long", 100, "--max-text"),
        ({"run": SENTIMENT, "texts": ["a"] * 6}, "too_many_texts", 5, "--max-texts"),
        ({"run": TAGGING, "tokens": [["a" * 60, "b" * 41]]}, "text_too_long", 100, "--max-text"),
        ({"run": SENTIMENT, "csv": "text\n" + "a\n" * 60}, "too_many_rows", 50, "--max-rows"),
        ({"run": SENTIMENT, "csv": "text\n" + "a" * 101}, "text_too_long", 100, "--max-text"),
        ({"run": FORECAST, "csv": "a\n" * 60}, "too_many_rows", 50, "--max-rows"),
        ({"run": FORECAST, "rows": [{"a": 1}] * 51}, "too_many_rows", 50, "--max-rows"),
    ],
)  # fmt: skip
def test_sizes(small, body, code, limit, option):
    error = small.ask(body).refusal(413)
    assert (error["code"], error["limit"], error["option"]) == (code, limit, option)
    assert option in error["message"]


@pytest.mark.parametrize("path", ["/v1/predict", "/nothing", "/health"])
def test_whoever_still_sends_reads_the_refusal(server, path):
    """To close at once would reset the connection, and the refusal would be lost on the way."""
    request = urllib.request.Request(f"{server.address[:-1]}{path}", b"a" * 20_000_000, JSON)
    with pytest.raises(urllib.error.HTTPError) as refused:  # it says Connection: close
        urllib.request.urlopen(request, timeout=20)
    with refused.value as reply:
        assert reply.status in (404, 405, 413)
        assert json.load(reply)["error"]["message"]


@pytest.mark.parametrize("task", ["sentiment", "tagging"])
def test_a_long_text_in_a_table_whose_answer_is_one(small, task):
    sent = {**CSV, "Accept": "text/csv"}
    table = b"text\n" + b"a" * 101
    small.send("POST", f"/v1/predict?run={named(task)}", table, **sent).refusal(413)


def test_a_body_without_a_length(small):
    head = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    chunks = (b"1000\r\n" + b" " * 4096 + b"\r\n") * 10
    reply = small.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert b"413" in reply.split(b"\r\n")[0]


@pytest.mark.parametrize("begun", [
    b"", b"GET /hea", b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: 10\r\n\r\n{",
])  # fmt: skip
def test_slow_clients(small, begun):
    """A byte now and then buys no more time."""
    with socket.create_connection((small.host, small.port)) as link:
        link.settimeout(0.2)
        link.sendall(begun)
        begin, reply = time.monotonic(), b""
        while time.monotonic() - begin < 10:
            try:
                if not (part := link.recv(1000)):
                    break
                reply += part
            except TimeoutError:
                link.sendall(begun and b"a")
            except ConnectionError:
                break
        assert time.monotonic() - begin < 9
        assert b" 408 " in reply.split(b"\r\n")[0], reply


def test_too_many_connections(small):
    links = [socket.create_connection((small.host, small.port)) for _ in range(20)]
    try:
        time.sleep(0.2)
        assert b" 429 " in small.raw(b"GET /health HTTP/1.1\r\n", 3)
    finally:
        for link in links:
            link.close()
    time.sleep(0.2)
    assert small.send("GET", "/health").status == 200


def test_a_token():
    secret = "a-token-of-some-length"
    with serving(ALL[0], "--token", secret) as server:
        assert secret not in server.address
        assert server.ask({"text": "a"}).status == 200
        for given in (
            "",
            "Bearer",
            "Bearer x",
            f"bearer {secret}",
            f"Bearer {secret}x",
            "Basic YQ==",
        ):
            error = server.ask({"text": "a"}, Authorization=given).refusal(401)
            assert secret not in error["message"]
        for path in ("/v1/runs", "/metrics", "/openapi.json"):
            assert server.send("GET", path, Authorization="").status == 401
        for path in ("/", "/health"):
            assert server.send("GET", path, Authorization="").status == 200
        assert SENTIMENT in server.send("GET", "/v1/runs").body.decode()


def test_elsewhere_than_at_home_a_token_is_made():
    with serving(ALL[0], "--host", "0.0.0.0", "--allow-origin", "https://a.example",
                 "--allow-host", "served.example") as server:  # fmt: skip
        assert len(server.token) > 20
        server.host = "127.0.0.1"
        assert server.ask({"text": "a"}).status == 200
        assert server.ask({"text": "a"}, Authorization="").status == 401
        assert server.ask({"text": "a"}, Host="served.example").status == 200
        assert server.ask({"text": "a"}, Host="192.0.2.1:8000").status == 200
        server.ask({"text": "a"}, Host="evil.example").refusal(421)
        reply = server.ask({"text": "a"}, Origin="https://a.example")
        assert reply.headers["access-control-allow-origin"] == "https://a.example"
        asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST",
                 "Access-Control-Request-Headers": "authorization,content-type"}  # fmt: skip
        reply = server.send("OPTIONS", "/v1/predict", Authorization="", **asked)
        assert reply.status == 200
        server.send("OPTIONS", "/v1/predict", **{**asked, "Origin": "https://b.example"}).refusal(
            403
        )


def test_accepted_is_what_json_says(server):
    assert server.ask(TEXT, **JSON).headers["content-type"] == "application/json"
