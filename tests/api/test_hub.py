"""Runs on the Hub: against local folders that are laid out as its cache and its repositories."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from huggingface_hub import ModelCard, constants

import birnn
from birnn.errors import CheckpointError, ConfigError, DataError
from birnn.tasks.api.hub import run_folder
from birnn.tasks.runs.folder import write_model

import contract

TEXTS = ["a lovely film", "dull plot"]
FILES = {"README.md", "config.json", "labels.json", "metrics.json", "model.safetensors",
         "ngrams.json", "vocabulary.json"}  # fmt: skip
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cached(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds ``user/reviews`` at main and at v1; offline."""
    cache = tmp_path / "hub"
    home = cache / "models--user--reviews"
    birnn.load(trained).save_pretrained(home / "snapshots" / COMMIT, repo_id="user/reviews")
    (home / "refs").mkdir()
    for name in ("main", "v1"):
        (home / "refs" / name).write_text(COMMIT)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return cache


class FakeApi:
    """The Hub as a folder."""

    home: Path
    calls: list[dict[str, Any]]
    refuses: Exception | None = None

    def __init__(self, token: str | None = None) -> None:
        pass

    def create_repo(self, repo_id: str, **options: Any) -> Any:
        """Its name, unless it is refused."""
        if self.refuses is not None:
            raise self.refuses
        self.calls.append(options)
        return SimpleNamespace(repo_id=repo_id)

    def upload_folder(self, *, repo_id: str, folder_path: Path, **options: Any) -> None:
        """Copy all."""
        self.calls.append(options)
        shutil.copytree(folder_path, self.home / repo_id)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[FakeApi]:
    api = type("Api", (FakeApi,), {"home": tmp_path / "hub", "calls": []})
    monkeypatch.setattr("huggingface_hub.HfApi", api)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    return api


def test_a_repository_is_a_run_without_the_users_texts(
    trained: Path, sentences_csv: Path, tmp_path: Path
) -> None:
    run = birnn.load(trained)
    assert run.save_pretrained(tmp_path / "made", repo_id="user/reviews") is None
    assert {path.name for path in (tmp_path / "made").iterdir()} == FILES
    again = birnn.Run.from_pretrained(tmp_path / "made")
    assert again.predict_proba(TEXTS).tolist() == run.predict_proba(TEXTS).tolist()
    texts = [line.rpartition(",")[0] for line in sentences_csv.read_text().splitlines()[1:]]
    told = run.metrics["details"]["mistakes"]
    for path in (tmp_path / "made").iterdir():
        content = path.read_bytes().decode("utf-8", "replace")
        assert str(sentences_csv.parent) not in content, path
        assert not any(text in content for text in texts), path
    assert told is not None
    config = json.loads((tmp_path / "made" / "config.json").read_text())
    assert config["data"]["data"] == "reviews.csv"
    kept = {**json.loads((trained / "config.json").read_text()), "data": config["data"]}
    assert config == kept


def test_the_card(trained: Path, tmp_path: Path) -> None:
    run = birnn.load(trained)
    run.save_pretrained(tmp_path / "made", repo_id="user/reviews")
    for folder in (trained, tmp_path / "made"):
        card = ModelCard.load(folder / "README.md")
        assert card.data.library_name == "birnn"
        assert card.data.pipeline_tag == "text-classification"
        assert card.data.language is None
        results = {part.metric_type: part.metric_value for part in card.data.eval_results}
        own = run.metrics["test"]["model"]
        assert results == {name: round(score["value"], 4) for name, score in own.items()}
        assert card.data.eval_results[0].dataset_name == "reviews.csv"
        score = own["accuracy"]
        cell = f"{score['value']:.4f} [{score['low']:.4f}, {score['high']:.4f}]"
        assert cell in card.text
        assert run.metrics["verdict"] in card.text
        assert "## Limits" in card.text
    assert "hf://user/reviews" in card.text


@pytest.mark.parametrize(
    ("task", "variant", "tag"),
    [("tagging", "spans", "token-classification"), ("forecast", "panel", "time-series-forecasting"),
     ("regression", "table", None)],
)  # fmt: skip
def test_every_task_can_be_shared(task: str, variant: str, tag: str, tmp_path: Path) -> None:
    case = contract.prepare(task, variant, tmp_path)
    (tmp_path / "run").mkdir()
    write_model(tmp_path / "run", case.task, case.data.info, contract.trained(case))
    birnn.load(tmp_path / "run").save_pretrained(tmp_path / "made")
    again = birnn.load(tmp_path / "made")
    assert again.task == task
    assert str(tmp_path) not in (tmp_path / "made" / "README.md").read_text()
    assert ModelCard.load(tmp_path / "made" / "README.md").data.pipeline_tag == tag


def test_loading_from_the_cache(cached: Path, trained: Path, birnn: Callable[..., Any]) -> None:
    import birnn as package

    wanted = package.load(trained).predict_proba(TEXTS).tolist()
    for run in (
        package.load("hf://user/reviews"),
        package.load("user/reviews"),
        package.load("hf://user/reviews@v1"),
        package.load("hf://user/reviews", revision=COMMIT),
        package.Run.from_pretrained("user/reviews", revision="v1"),
        package.Run.from_pretrained("user/reviews", cache_dir=cached),
    ):
        assert run.predict_proba(TEXTS).tolist() == wanted
    out = birnn("predict", "hf://user/reviews@main", *TEXTS, "--json").out
    assert out == birnn("predict", trained, *TEXTS, "--json").out
    assert birnn("evaluate", "hf://user/reviews", "--data", "none.csv").code == 2


@pytest.mark.parametrize("name", ["hf://user/other", "hf://user/reviews@v2", "user/other"])
def test_what_is_not_cached(cached: Path, name: str, birnn: Callable[..., Any]) -> None:
    said = birnn("predict", name, "text").refusal()
    assert "HF_HUB_OFFLINE is set and it is not in the cache" in said


def test_names(cached: Path, birnn: Callable[..., Any]) -> None:
    import birnn as package

    assert "write hf://USER/NAME" in birnn("predict", "hf://reviews", "text").refusal()
    assert "write hf://USER/NAME" in birnn("predict", "hf://../../etc", "text").refusal()
    with pytest.raises(ConfigError, match="give one"):
        package.load("hf://user/reviews@v1", revision="main")
    with pytest.raises(CheckpointError, match="no such run folder"):
        package.load(Path("user/reviews"))


def test_without_a_network(monkeypatch: pytest.MonkeyPatch, birnn: Callable[..., Any]) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionError("no route\nto host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert "is there a network?" in birnn("evaluate", "hf://user/reviews").refusal()


def test_only_the_files_of_a_run_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def note(name: str, **options: Any) -> None:
        asked.update(options, name=name)
        raise OSError

    monkeypatch.setattr("huggingface_hub.snapshot_download", note)
    with pytest.raises(CheckpointError):
        birnn.load("hf://user/reviews@v1")
    assert asked == {
        "name": "user/reviews", "revision": "v1", "ignore_patterns": ["*/*"],
        "allow_patterns": ["*.json", "*.safetensors", "README.md"],
    }  # fmt: skip


def test_push(hub: type[FakeApi], trained: Path, birnn: Callable[..., Any]) -> None:
    import birnn as package

    done = birnn("push", trained, "user/reviews", "--private")
    assert done.code == 0, done.err
    assert hub.calls == [
        {"private": True, "exist_ok": True}, {"commit_message": "Add a run of birnn"}
    ]  # fmt: skip
    assert {path.name for path in (hub.home / "user/reviews").iterdir()} == FILES
    assert all(name in done.out for name in ("vocabulary.json", "user/reviews"))
    run = package.load(trained)
    run.push_to_hub("user/again", private=False, commit_message="why")
    assert hub.calls[-1] == {"commit_message": "why"}
    run.save_pretrained(hub.home / "third", repo_id="user/third", push_to_hub=True, private=None)
    for name in ("user/again", "user/third"):
        assert package.load(hub.home / name).predict(TEXTS) == run.predict(TEXTS)


def test_push_to_a_folder(trained: Path, tmp_path: Path, birnn: Callable[..., Any]) -> None:
    done = birnn("push", trained, "user/reviews", "--to", tmp_path / "made")
    assert done.code == 0, done.err
    assert {path.name for path in (tmp_path / "made").iterdir()} == FILES
    again = birnn("push", trained, "user/reviews", "--to", tmp_path / "made").refusal()
    assert "holds a run already" in again
    assert "write USER/NAME" in birnn("push", trained, "reviews", "--to", tmp_path / "x").refusal()
    assert not (tmp_path / "x").exists()
    missing = birnn("push", tmp_path / "none", "user/reviews", "--to", tmp_path / "x").refusal()
    assert "no such run folder" in missing


def test_push_refused(
    hub: type[FakeApi], trained: Path, monkeypatch: pytest.MonkeyPatch, birnn: Callable[..., Any]
) -> None:
    import birnn as package

    hub.refuses = ConnectionError("no\nroute")
    assert "is there a network?" in birnn("push", trained, "user/reviews").refusal()
    hub.refuses = ValueError("a\nlong story")
    assert birnn("push", trained, "user/reviews").refusal().endswith("a long story")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DataError, match="HF_HUB_OFFLINE is set"):
        package.load(trained).push_to_hub("user/reviews")


def test_a_folder_that_is_not_there_is_said_beside_the_hub(monkeypatch) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(CheckpointError, match="^there is no folder runs/typo here, and hf://"):
        run_folder("runs/typo")
    with pytest.raises(CheckpointError, match="^hf://runs/typo can't be fetched"):
        run_folder("hf://runs/typo")
