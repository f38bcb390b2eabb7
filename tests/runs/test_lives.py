"""Every task, from training to the Hub, and with every encoder what depends on it.

A new task is covered by itself.
"""

from pathlib import Path

import pytest

from birnn.registry import ENCODERS
from birnn.tasks import TASKS

import light
import lives
from lives import Life

CASES = [(task, encoder) for task in TASKS for encoder in ENCODERS]
FIRST = next(iter(ENCODERS))
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


@pytest.fixture
def first(which: tuple[str, str], life: Life) -> Life:
    """A run whose encoder makes no difference: one is enough."""
    if which[1] != FIRST:
        pytest.skip("the same with every encoder")
    return life


def test_the_report(life: Life) -> None:
    lives.check_report(life)


def test_the_card(first: Life) -> None:
    lives.check_card(first)


def test_evaluate(life: Life, birnn) -> None:
    lives.check_evaluate(life, birnn)


def test_inspect_or_its_refusal(first: Life, birnn, monkeypatch: pytest.MonkeyPatch) -> None:
    lives.check_inspect(first, birnn, monkeypatch)


def test_predict(life: Life, birnn) -> None:
    lives.check_predict(life, birnn)


def test_compare(first: Life, birnn, tmp_path: Path) -> None:
    lives.check_compare(first, birnn, tmp_path)


def test_export_or_its_refusal(life: Life, birnn, tmp_path: Path) -> None:
    lives.check_export(life, birnn, tmp_path)


def test_push(first: Life, birnn, tmp_path: Path) -> None:
    lives.check_push(first, birnn, tmp_path)


def test_damaged_files_end_in_one_line(first: Life, birnn, tmp_path: Path) -> None:
    lives.check_hostile(first, birnn, tmp_path)


def test_commands_load_no_more_than_they_need(first: Life, tmp_path: Path) -> None:
    light.check_light(first.task, first.run, first.source, tmp_path)


def test_overwrite(first: Life, birnn) -> None:
    lives.check_overwrite(first, birnn)
