"""``birnn serve`` under load, and under hostile requests, on this machine.

    python benchmarks/serving.py load RUN [--clients 1 8 64] [--seconds 60]
    python benchmarks/serving.py hostile RUN [RUN …] [--requests 10000]

The load is that of so many clients who ask without a pause; each answer is compared with what
``birnn.load(RUN)`` predicts. Hostile requests are seeded: bodies that are no JSON or no question,
tables that are none, heads that are no HTTP, names of files everywhere. The server is told to say
what it opens meanwhile.
"""

import argparse
import asyncio
import json
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests/support")]

import numpy as np  # noqa: E402

import birnn  # noqa: E402

import served  # noqa: E402

WORDS = (
    "I really did not like this at all happy sad the weather in London is lovely today Ada met"
    " Charles at work again why would anybody do that thanks so much best day ever worst flight"
)
WARM = 3000  # hostile requests before it is watched what is opened
RESIDENT = re.compile(rb"^process_resident_memory_bytes (\S+)", re.MULTILINE)


def texts(count: int, seed: int) -> list[str]:
    """Sentences of 4 to 25 words."""
    generator, words = random.Random(seed), WORDS.split()
    return [" ".join(generator.choices(words, k=generator.randint(4, 25))) for _ in range(count)]


def alike(one: Any, other: Any) -> bool:
    """Equal, numbers to 1e-5."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return abs(one - other) <= 1e-5 if isinstance(one, float) else bool(one == other)


class Client:
    """One connection that stays open."""

    def __init__(self, server: Any) -> None:
        self.server = server

    async def ask(self, text: str) -> tuple[int, dict[str, float], Any]:
        """The status, the server's timings in ms, and the body."""
        if not hasattr(self, "writer"):
            link = asyncio.open_connection(self.server.host, self.server.port)
            self.reader, self.writer = await link
        body = json.dumps({"text": text}).encode()
        head = f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
        content = await self.reader.readexactly(int(headers["content-length"]))
        timing = re.findall(r"(\w+);dur=([\d.]+)", headers.get("server-timing", ""))
        return int(lines[0].split()[1]), {k: float(v) for k, v in timing}, json.loads(content)


async def load(server: Any, wanted: dict[str, Any], clients: int, seconds: float) -> dict[str, Any]:
    """So many clients for so long."""
    end, bad, wrong = time.monotonic() + seconds, 0, 0
    rows: list[tuple[float, float]] = []
    memory: list[float] = []

    async def one(number: int) -> None:
        nonlocal bad, wrong
        client, generator, known = Client(server), random.Random(number), list(wanted)
        while time.monotonic() < end:
            text = generator.choice(known)
            begin = time.perf_counter()
            status, timing, body = await client.ask(text)
            took = 1000 * (time.perf_counter() - begin)
            bad += status != 200
            wrong += status == 200 and not alike(body["records"], [wanted[text]])
            rows.append((took, timing.get("model", 0.0)))

    async def watch() -> None:
        while time.monotonic() < end - 0.5:
            memory.append(await asyncio.to_thread(resident, server))
            await asyncio.sleep(min(2.0, seconds / 10))

    await asyncio.gather(watch(), *(one(number) for number in range(clients)))
    took, model = np.array(rows).T
    return {
        "clients": clients, "seconds": seconds, "answers": len(rows), "errors": bad,
        "wrong": wrong, "per_second": round(len(rows) / seconds, 1),
        "ms": spread(took), "model_ms": spread(model), "above_model_ms": spread(took - model),
        "memory_mb": [round(memory[0]), round(max(memory)), round(memory[-1])],
    }  # fmt: skip


def spread(values: Any) -> dict[str, float]:
    """The median, the 99th percentile and the largest."""
    p50, p99, most = np.percentile(values, [50, 99, 100])
    return {"p50": round(p50, 2), "p99": round(p99, 2), "max": round(most, 2)}


def resident(server: Any) -> float:
    """MB of memory that the server holds."""
    found = RESIDENT.search(server.send("GET", "/metrics").body)
    return float(found[1]) / 1e6 if found else float("nan")


PATHS = (
    "/etc/passwd",
    "../../cli.py",
    "file:///etc/hosts",
    "hf://a/b",
    "C:\\x.csv",
    "tweets",
    "\0",
)
GOOD = b"time,value\n" + b"".join(b"2024-01-%02d,%d\n" % (day, day % 7) for day in range(1, 29))


def any_value(generator: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can say, and some that it can't."""
    kind = generator.randrange(9 if depth < 4 else 6)
    if kind == 0:
        return generator.choice([None, True, False])
    if kind == 1:
        return generator.choice([0, -1, 2**63, -(10**40), generator.randrange(10**6)])
    if kind == 2:
        return generator.choice([1e308, -0.0, 5e-324, float("nan"), float("inf"), 0.1])
    if kind < 6:
        letters = "aé🙂\u2028\u202e\ud800\0\r\n\"'<>&,;\t%{}ab "
        text = "".join(generator.choices(letters, k=generator.randrange(40)))
        return generator.choice([text, generator.choice(PATHS), text * 50])
    if kind == 6:
        return [any_value(generator, depth + 1) for _ in range(generator.randrange(4))]
    names = ("text", "label", "id", "step", "value", "\ud800", "__proto__", "")
    keys = generator.choices(names, k=generator.randrange(4))
    return {key: any_value(generator, depth + 1) for key in keys}


def any_question(generator: random.Random, runs: Sequence[str]) -> bytes:
    """A body for ``/v1/predict`` that is nearly right, or far from it."""
    names = ("text", "texts", "tokens", "csv", "rows", "n_best", "changes", "reading", "drawings",
             "run", "path", "label", "token", "step", "series")  # fmt: skip
    body: dict[str, Any] = {"run": generator.choice([*runs, *PATHS])}
    for name in generator.choices(names, k=generator.randrange(4)):
        body[name] = any_value(generator)
    if generator.random() < 0.3:
        body["csv"] = GOOD.decode()
    data = json.dumps(body, ensure_ascii=generator.random() < 0.5)
    return mutated(data.encode("utf-8", "surrogatepass"), generator)


def mutated(data: bytes, generator: random.Random) -> bytes:
    """``data``, half of the time with bytes taken out, doubled or exchanged."""
    if generator.random() < 0.5 or not data:
        return data
    found = bytearray(data)
    for _ in range(generator.randint(1, 8)):
        place = generator.randrange(len(found))
        change = generator.randrange(3)
        if change == 0:
            del found[place : place + generator.randint(1, 20)]
        elif change == 1:
            found[place:place] = found[place : place + generator.randint(1, 50)] * 3
        else:
            found[place] = generator.randrange(256)
        if not found:
            break
    return bytes(found)


def any_head(generator: random.Random, port: int) -> bytes:
    """A request's head and body that are hardly HTTP."""
    method = generator.choice(["GET", "POST", "PUT", "BREW", "CONNECT", "OPTIONS", "HEAD", "\0"])
    path = generator.choice(["/", "/v1/predict", "/v1/runs", "*", "//", "/%00", "/..%2f", *PATHS])
    lines = [f"{method} {path} HTTP/1.{generator.randrange(3)}"]
    for name, value in (
        ("Host", f"127.0.0.1:{port}"), ("Host", "evil.example"), ("Content-Length", "-1"),
        ("Content-Length", "9" * 30), ("Transfer-Encoding", "chunked"), ("Upgrade", "websocket"),
        ("Connection", "upgrade"), ("Expect", "100-continue"), ("Content-Type", "text/csv"),
        ("Origin", "null"), ("X", "a" * generator.choice([1, 40_000])),
        ("Content-Encoding", "gzip"),
    ):  # fmt: skip
        if generator.random() < 0.3:
            lines.append(f"{name}: {value}")
    data = "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + generator.randbytes(20)
    return mutated(data, generator)


def attacks(server: Any, runs: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """What came back for each hostile request: a status, or that the connection was closed."""
    generator = random.Random(seed)
    for _ in range(count):
        kind = generator.random()
        if kind < 0.2:
            reply = server.raw(any_head(generator, server.port), 0.02)
            parts = reply.split(b" ", 2)
            yield parts[1].decode("latin-1") if len(parts) > 1 else "closed or waiting"
            continue
        if kind < 0.7:
            path = generator.choice(["/v1/predict", "/v1/explain"])
            reply = server.send("POST", path, any_question(generator, runs), **served.JSON)
        else:
            run = generator.choice([*runs, "x"])
            table = mutated(
                generator.choice([GOOD, generator.randbytes(200), b"text\na\n"]), generator
            )
            query = f"/v1/predict?run={run}&drawings={generator.choice(['1', '-1', 'x'])}"
            reply = server.send("POST", query, table, **served.CSV)
        yield str(reply.status)


def hostile(runs: Sequence[Path], count: int, seed: int) -> dict[str, Any]:
    """So many hostile requests; what the server answered and opened, and its memory."""
    with served.serving(*runs, code=served.AUDIT) as server:
        names = [run["name"] for run in server.send("GET", "/v1/runs").json["runs"]]
        for name in names:  # what is loaded late is loaded now
            server.ask({"run": name, "texts": texts(500, seed)})
        Counter(attacks(server, names, WARM, seed + 1))
        before = resident(server)
        server.process.send_signal(signal.SIGUSR1)
        begin = time.monotonic()
        found = Counter(attacks(server, names, count, seed))
        seconds, after = time.monotonic() - begin, resident(server)
        alive = server.send("GET", "/health").status
        code, told = server.stop()
    return {
        "requests": count, "seed": seed, "seconds": round(seconds),
        "answers": dict(sorted(found.items())),
        "server_errors": sum(n for status, n in found.items() if status.startswith("5")),
        "memory_mb": [round(before), round(after)], "alive": alive, "exit_code": code,
        "opened_or_said": told.splitlines()[:20],
    }  # fmt: skip


def main() -> int:
    """Measure; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["load", "hostile"])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.what == "hostile":
        result = hostile(options.runs, options.requests, options.seed)
        print(json.dumps(result))
        wrong = ("server_errors", "opened_or_said", "exit_code")
        return int(any(result[name] for name in wrong))
    failed = 0
    asked = texts(500, options.seed)
    wanted = dict(zip(asked, birnn.load(options.runs[0]).predict_records(asked), strict=True))
    with served.serving(options.runs[0]) as server:
        for clients in options.clients:
            row = asyncio.run(load(server, wanted, clients, options.seconds))
            print(json.dumps(row), flush=True)
            failed += row["errors"] + row["wrong"]
        code, told = server.stop()
    return int(bool(failed or code or told))


if __name__ == "__main__":
    sys.exit(main())
