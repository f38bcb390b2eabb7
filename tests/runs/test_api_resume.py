"""``birnn.train(resume=True)``: the same call again, whatever became of the last one."""

from pathlib import Path

import pandas as pd
import pytest

import birnn
from birnn.errors import ConfigError

from writers import sentences

OPTIONS = {
    "hidden_size": 8, "word_size": 8, "gram_size": 4, "gram_buckets": 50, "epochs": 3,
    "vectors": "none", "members": 1, "patience": 0,
}  # fmt: skip


def test_the_same_call_goes_on_and_then_loads(tmp_path: Path, monkeypatch) -> None:
    frame = pd.DataFrame(sentences(), columns=["text", "label"])
    whole = birnn.train("sentiment", frame, tmp_path / "whole", **OPTIONS)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("birnn.tasks.runs.member.make_report", interrupted)
        birnn.train("sentiment", frame, tmp_path / "run", resume=True, **OPTIONS)
    with pytest.raises(ConfigError, match="hidden_size"):
        birnn.train(
            "sentiment", frame, tmp_path / "run", resume=True, **{**OPTIONS, "hidden_size": 9}
        )
    run = birnn.train("sentiment", frame, tmp_path / "run", resume=True, **OPTIONS)
    texts = frame["text"].tolist()
    assert (run.predict_proba(texts) == whole.predict_proba(texts)).all()
    monkeypatch.setattr("birnn.tasks.runs.experiment.train", None)  # what is complete is loaded
    again = birnn.train("sentiment", frame, tmp_path / "run", resume=True, **OPTIONS)
    assert (again.predict_proba(texts) == whole.predict_proba(texts)).all()
