"""What every report promises: the run's numbers, its sections, and the same bytes again."""

import json
import shutil

import pytest
from report_pages import read

from birnn.tasks import TASKS
from birnn.tasks.reporting.document import REPORT

import contract

CASES = [(task, variant) for task in TASKS for variant in contract.variants(task)]
SECTIONS = ("verdict", "data", "training", "repeat")
LARGEST = 2_000_000  # bytes


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def run(request, finished):
    return finished(*request.param)


def test_its_numbers_are_those_of_the_run(run):
    numbers = read(run / REPORT).numbers
    assert numbers["metrics"] == json.loads((run / "metrics.json").read_text())
    assert numbers["config"] == json.loads((run / "config.json").read_text())
    assert all(numbers["histories"].values())
    task = numbers["metrics"]["task"]
    assert ("test" in numbers) == bool(TASKS[task].report_numbers)


def test_it_has_every_section_in_its_bar(run):
    page = read(run / REPORT)
    ids = {value for name, value in page.values if name == "id"}
    links = {value[1:] for name, value in page.values if name == "href" and value[1:] in ids}
    assert ids > set(SECTIONS)
    assert links > set(SECTIONS)  # and sections of the task's own
    assert json.loads((run / "metrics.json").read_text())["verdict"].split()[0] in str(page.words)


def test_it_asks_the_network_for_nothing(run):
    page = read(run / REPORT)
    assert not [value for name, value in page.values if name == "src"]
    within = ("#", "data:image/png;base64,")
    outward = [v for name, v in page.values if name == "href" and not v.startswith(within)]
    assert not outward
    assert "default-src 'none'" in (run / REPORT).read_text(encoding="utf-8")
    assert (run / REPORT).stat().st_size < LARGEST


def test_the_command_makes_the_same_bytes(run, birnn, tmp_path):
    outcome = birnn("report", run, "--out", tmp_path / "again.html")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "again.html").read_bytes() == (run / REPORT).read_bytes()


def test_runs_of_older_versions_have_one(run, birnn, tmp_path):
    """Nothing that training stores for the report alone is needed."""
    shutil.copytree(run, tmp_path / "old")
    (tmp_path / "old" / "report.json").unlink()
    outcome = birnn("report", tmp_path / "old")
    assert outcome.code == 0, outcome.err
    wanted = {value for name, value in read(run / REPORT).values if name == "id"}
    found = {value for name, value in read(tmp_path / "old" / REPORT).values if name == "id"}
    assert {name for name in wanted if name.endswith("-title")} <= found
