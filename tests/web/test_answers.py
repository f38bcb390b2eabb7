"""A server's answers are those of ``predict``, alone, in batches, and when many ask at once."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from places import RUNS
from served import CSV, JSON, named

TEXTS = [
    "a warm film",
    "the plot was cold",
    "story",
    "",
    "Ada met Bo",
    "  ",
    "🙂 né\u2028x",
    "w " * 50,
]
FILES = {"sentiment": "texts.csv", "forecast": "series.csv", "regression": "steps.csv"}


def predicted(birnn, task, *words):
    """The records that the command line prints."""
    outcome = birnn("predict", RUNS / named(task), *words, "--json", "--threads", 1)
    assert outcome.code == 0, outcome.err
    return [json.loads(line) for line in outcome.out.split("\n") if line]


def near(found, wanted):
    """Equal, numbers to 1e-5."""
    if isinstance(wanted, dict):
        assert list(found) == list(wanted)
        for name in wanted:
            near(found[name], wanted[name])
    elif isinstance(wanted, list):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            near(one, other)
    elif isinstance(wanted, float):
        assert found == pytest.approx(wanted, abs=1e-5)
    else:
        assert found == wanted


@pytest.mark.parametrize("task", ["sentiment", "tagging"])
def test_texts(server, birnn, task):
    wanted = predicted(birnn, task, *TEXTS)
    near(server.records({"run": named(task), "texts": TEXTS}), wanted)
    for text, record in zip(TEXTS, wanted, strict=True):
        near(server.records({"run": named(task), "text": text}), [record])


@pytest.mark.parametrize("task", FILES)
def test_tables(server, birnn, inputs, task):
    path = inputs / FILES[task]
    wanted = predicted(birnn, task, "--input", path)
    near(server.records({"run": named(task), "csv": path.read_text()}), wanted)
    reply = server.send("POST", f"/v1/predict?run={named(task)}", path.read_bytes(), **CSV)
    assert reply.status == 200
    near(reply.json["records"], wanted)


@pytest.mark.parametrize("task", [*FILES, "tagging"])
def test_answers_as_csv_are_those_of_output(server, birnn, inputs, tmp_path, task):
    path = inputs / FILES.get(task, "texts.csv")
    predicted(birnn, task, "--input", path, "--output", tmp_path / "out.csv")
    sent = {**CSV, "Accept": "text/csv"}
    reply = server.send("POST", f"/v1/predict?run={named(task)}", path.read_bytes(), **sent)
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.body == (tmp_path / "out.csv").read_bytes()


def test_rows_are_a_table_whatever_the_signs_of_the_run_are(server, inputs):
    lines = [line.split(",") for line in (inputs / "steps.csv").read_text().split()[1:]]
    rows = [{"x1": float(a), "x2": float(b)} for a, b in lines]
    answer = server.records({"run": named("regression"), "rows": rows})
    whole = server.records({"run": named("regression"), "csv": (inputs / "steps.csv").read_text()})
    assert [row["predicted"] for row in answer] == [row["predicted"] for row in whole]
    series = [{"date": f"2024-01-{day:02}", "north": day % 3, "south": 1.5} for day in range(1, 29)]
    assert len(server.records({"run": named("forecast"), "rows": series})) == 8


def test_tokens(server, birnn):
    import birnn as package

    sentences = [["Ada", "met", "Bo"], ["."], ["the film", "was"]]
    wanted = package.load(RUNS / named("tagging")).predict_records(sentences)
    near(server.records({"run": named("tagging"), "tokens": sentences}), wanted)


def test_n_best(server, birnn):
    wanted = predicted(birnn, "tagging", "Ada met Bo", "--n-best", 3)
    near(server.records({"run": named("tagging"), "text": "Ada met Bo", "n_best": 3}), wanted)


def explained(server, body):
    """The explanations of an answer."""
    reply = server.send("POST", "/v1/explain", json.dumps(body).encode(), **JSON)
    assert reply.status == 200, reply.body
    return reply.json["explanations"]


@pytest.mark.parametrize("task", ["sentiment", "tagging"])
def test_why_a_text(server, birnn, task):
    outcome = birnn("explain", RUNS / named(task), "Ada met Bo", "--json", "--threads", 1)
    wanted = [json.loads(line) for line in outcome.out.split("\n") if line]
    near(explained(server, {"run": named(task), "text": "Ada met Bo"}), wanted)


def test_why_a_table(server, birnn, inputs):
    path, run = inputs / "series.csv", RUNS / named("forecast")
    outcome = birnn("explain", run, "--input", path, "--step", 2, "--json", "--threads", 1)
    wanted = [json.loads(line) for line in outcome.out.split("\n") if line]
    asked = {"run": named("forecast"), "csv": path.read_text(), "step": 2}
    near(explained(server, asked), wanted)
    near(explained(server, {**asked, "series": "south"}), wanted[1:])


def test_many_at_once(server, birnn, inputs):
    """Requests that run together have the answers that they have alone."""
    sentiment = predicted(birnn, "sentiment", *TEXTS)
    tagging = predicted(birnn, "tagging", *TEXTS)
    forecast = predicted(birnn, "forecast", "--input", inputs / "series.csv")

    def one(number):
        place, kind = number % len(TEXTS), number % 3
        if kind == 2 and number % 9 == 2:
            asked = {"run": named("forecast"), "csv": (inputs / "series.csv").read_text()}
            near(server.records(asked), forecast)
        elif kind:
            near(server.records({"run": named("tagging"), "text": TEXTS[place]}), [tagging[place]])
        else:
            asked = {"run": named("sentiment"), "texts": TEXTS[place:]}
            near(server.records(asked), sentiment[place:])

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(160)))
    sizes = server.send("GET", "/metrics").body.decode()
    assert "birnn_batch_size_bucket" in sizes


def test_other_last_values_move_the_forecast(server, inputs):
    asked = {"run": named("forecast"), "csv": (inputs / "series.csv").read_text(), "drawings": 9}
    plain = server.ask(asked).json
    north, south = plain["drawings"]
    assert [north["name"], south["name"]] == ["north", "south"]
    assert len(north["times"]) == len(north["history"]) + len(north["mean"])
    assert north["mean"] == [row["mean"] for row in plain["records"] if row["id"] == "north"]
    assert [band["level"] for band in north["bands"]] == ["50"]
    lines = asked["csv"].splitlines()
    assert north["history"][-1] == float(lines[-1].split(",")[1])
    changes = [{"id": "north", "step": -1, "value": 14.5}]
    moved = server.ask({**asked, "changes": changes}).json
    date, _, last = lines[-1].split(",")
    other = server.records({**asked, "csv": "\n".join([*lines[:-1], f"{date},14.5,{last}"])})
    near(moved["records"], other)
    assert moved["drawings"][0]["history"][-1] == 14.5
    assert moved["drawings"][1] == south
    assert moved["drawings"][0]["mean"] != north["mean"]
    for wrong, words in (
        ({"id": "west", "step": -1, "value": 1.0}, "no series 'west'"),
        ({"id": "north", "step": -121, "value": 1.0}, "no step -121"),
    ):
        error = server.ask({**asked, "changes": [wrong]}).refusal(422)
        assert words in error["message"]


def test_runs_say_what_they_are(server):
    runs = {run["task"]: run for run in server.send("GET", "/v1/runs").json["runs"]}
    assert runs["sentiment"]["labels"] == ["bad", "good"]
    assert runs["tagging"]["labels"] == ["per"]
    assert runs["forecast"]["horizon"] == 4
    assert runs["regression"]["columns"] == ["x1", "x2"]


def test_openapi_has_examples_of_the_runs(server):
    document = server.send("GET", "/openapi.json").json
    operation = document["paths"]["/v1/predict"]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    answers = operation["responses"]["200"]["content"]["application/json"]["examples"]
    assert set(examples) == set(answers) == {named(t) for t in ("tagging", *FILES)}
    for name, example in examples.items():
        near(server.records(example["value"])[:3], answers[name]["value"]["records"])
    shares = answers[named("sentiment")]["value"]["records"][0]["probabilities"]
    assert set(shares) == {"bad", "good"}
    header = examples[named("forecast")]["value"]["csv"].splitlines()[0]
    assert header == "time,north"


def test_metrics_are_prometheus_text(server):
    from prometheus_client.parser import text_string_to_metric_families

    assert server.ask({"run": named("sentiment"), "text": "a"}, **JSON).status == 200
    text = server.send("GET", "/metrics").body.decode()
    found = {family.name for family in text_string_to_metric_families(text)}
    assert {"birnn_requests", "birnn_request_seconds", "birnn_model_seconds", "birnn_batch_size",
            "birnn_waiting", "process_resident_memory_bytes"} <= found  # fmt: skip
    assert named("sentiment") not in text
    assert server.send("GET", "/health").json == {"status": "ok"}
