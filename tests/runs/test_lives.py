"""Every task with every encoder, from training to the Hub: a new task is covered by itself."""

from pathlib import Path

import pytest

from birnn.registry import ENCODERS
from birnn.tasks import TASKS

import light
import lives
from lives import Life

CASES = [(task, encoder) for task in TASKS for encoder in ENCODERS]
_made: dict[tuple[str, str], Life] = {}


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case), scope="module")
def which(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A task and an encoder."""
    return request.param


@pytest.fixture
def life(which, birnn, tmp_path_factory) -> Life:
    """A trained run, made once; not to be changed."""
    if which not in _made:
        _made[which] = lives.live(birnn, *which, tmp_path_factory.mktemp(which[0]))
    return _made[which]


def test_the_report(life: Life) -> None:
    lives.check_report(life)


def test_the_card(life: Life) -> None:
    lives.check_card(life)


def test_evaluate(life: Life, birnn) -> None:
    lives.check_evaluate(life, birnn)


def test_inspect_or_its_refusal(life: Life, birnn, monkeypatch: pytest.MonkeyPatch) -> None:
    lives.check_inspect(life, birnn, monkeypatch)


def test_predict(life: Life, birnn) -> None:
    lives.check_predict(life, birnn)


def test_compare(life: Life, birnn, tmp_path: Path) -> None:
    lives.check_compare(life, birnn, tmp_path)


def test_export_or_its_refusal(life: Life, birnn, tmp_path: Path) -> None:
    lives.check_export(life, birnn, tmp_path)


def test_push(life: Life, birnn, tmp_path: Path) -> None:
    lives.check_push(life, birnn, tmp_path)


def test_damaged_files_end_in_one_line(life: Life, birnn, tmp_path: Path) -> None:
    lives.check_hostile(life, birnn, tmp_path)


def test_commands_load_no_more_than_they_need(life: Life, which, tmp_path: Path) -> None:
    if which[1] == next(iter(ENCODERS)):  # they load the same
        light.check_light(life.task, life.run, life.source, tmp_path)


def test_overwrite(life: Life, birnn) -> None:
    lives.check_overwrite(life, birnn)
