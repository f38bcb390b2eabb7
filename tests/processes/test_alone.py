"""One process alone: all of it is the identity, and loads nothing."""

import subprocess
import sys

import numpy as np
import pytest

from birnn import processes
from birnn.errors import ConfigError

from places import ROOT


def test_alone_everything_is_the_identity() -> None:
    assert (processes.rank(), processes.count(), processes.is_main()) == (0, 1, True)
    assert processes.gathered("a") == processes.collected("a") == ["a"]
    assert processes.from_main(lambda: 3) == 3
    counts = {"right": np.array([1, 2])}
    assert processes.summed(counts)["right"].tolist() == [1, 2]
    with processes.sharing():
        assert not processes.is_sharing()
        assert processes.part_of([1, 2, 3]) == [1, 2, 3]
    assert processes.speaks(2)
    assert processes.last_words() is None


def test_alone_nothing_is_loaded() -> None:
    code = (
        "import sys\nfrom birnn import processes\nprocesses.is_main(), processes.gathered(1)\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


@pytest.mark.parametrize("settings", [{"WORLD_SIZE": "2"}, {"WORLD_SIZE": "two"}])
def test_a_launcher_says_all_or_nothing(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="WORLD_SIZE"):
        processes.place()
