"""The queue alone: what runs together, in which order, and whose error is whose."""

import threading
import time

import pytest

from birnn.errors import DataError
from birnn.tasks.web.jobs import PART, Items, Table, Worker
from birnn.tasks.web.refusals import Refused


def made(items, run, group="a", seconds=10.0):
    """A job whose answer is what ``run`` makes of its items, as bytes."""
    return Items(
        time.monotonic() + seconds, group=(group,), run=run, items=items,
        render=lambda records: repr(records).encode(),
    )  # fmt: skip


@pytest.fixture
def worker():
    started = Worker(100, lambda items, seconds: None)
    yield started
    started.stop()
    if started.ident is not None:
        started.join(10)
        assert not started.is_alive()


def test_what_waits_runs_together_and_comes_apart(worker):
    calls = []

    def run(items):
        calls.append(list(items))
        return [item.upper() for item in items]

    jobs = [made([f"{n}{m}" for m in range(n)], run) for n in range(1, 5)]
    other = made(["z"], run, "b")
    for job in (*jobs, other):
        worker.submit(job)
    worker.start()
    for job in jobs:
        assert job.future.result(10) == repr([item.upper() for item in job.items]).encode()
    assert other.future.result(10) == b"['Z']"
    assert [len(call) for call in calls] == [10, 1]


def test_a_long_request_does_not_hold_up_a_short_one(worker):
    order = []

    def run(items):
        order.append([len(item) for item in items])
        return ["x"] * len(items)

    long = made(["a" * PART] * 20, run)
    worker.submit(long)
    worker.submit(made(["b"], run))
    worker.start()
    long.future.result(10)
    assert order[0] == [PART, 1]
    assert order[1:] == [[PART]] * 19


def test_an_error_is_that_of_its_own_request(worker):
    def run(items):
        if "bad" in items:
            raise DataError("bad words")
        return list(items)

    jobs = [made([word], run) for word in ("good", "bad", "fine")]
    for job in jobs:
        worker.submit(job)
    worker.start()
    assert jobs[0].future.result(10) == b"['good']"
    assert jobs[2].future.result(10) == b"['fine']"
    with pytest.raises(Refused, match="bad words") as refused:
        jobs[1].future.result(10)
    assert refused.value.status == 422


def test_what_is_late_or_left_is_not_run(worker):
    def run(items):
        raise AssertionError("nobody waits for it")

    late, left = made(["a"], run, seconds=-1), made(["a"], run)
    left.dropped = True
    for job in (late, left):
        worker.submit(job)
    worker.start()
    for job in (late, left):
        with pytest.raises(TimeoutError):
            job.future.result(10)


def test_a_table_becomes_texts(worker):
    job = Table(time.monotonic() + 10, work=lambda job: made(["a", "b"], list))
    worker.submit(job)
    worker.start()
    assert job.future.result(10) == b"['a', 'b']"
    plain = Table(time.monotonic() + 10, work=lambda job: b"c")
    worker.submit(plain)
    assert plain.future.result(10) == b"c"


def test_too_many_wait():
    small = Worker(2, lambda items, seconds: None)
    for _ in range(2):
        small.submit(made(["a"], list))
    with pytest.raises(Refused) as refused:
        small.submit(made(["a"], list))
    error = refused.value.to_json()["error"]
    assert refused.value.status == 429
    assert (error["limit"], error["option"]) == (2, "--max-requests")
    assert refused.value.headers == {"Retry-After": "1"}


def test_no_items(worker):
    job = made([], list)
    worker.submit(job)
    worker.start()
    assert job.future.result(10) == b"[]"


def test_memory_is_given_back(worker):
    """What is answered is not held by the queue."""
    worker.start()
    for _ in range(50):
        job = made(["a"], list)
        worker.submit(job)
        job.future.result(10)
    time.sleep(0.05)
    assert not worker.waiting
    assert threading.active_count() < 10
