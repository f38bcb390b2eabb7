"""Runs on the Hugging Face Hub: what is fetched, what goes there, and what stays at home.

A repository holds a run folder: JSON, safetensors and a card. Nothing else is fetched, and
nothing that is fetched is unpickled.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from birnn.errors import BirnnError, CheckpointError, ConfigError, DataError
from birnn.storage.files import new_folder, write_json, write_text
from birnn.storage.scratch import scratch
from birnn.tasks.reporting.document import REPORT
from birnn.tasks.runs.folder import RUN, LoadedRun, single, write_model

SCHEME = "hf://"
NAME = re.compile(r"[\w.-]+/[\w.-]+")
FETCHED = ["*.json", "*.safetensors", "README.md"]
SCORES = (
    "task",
    "encoder",
    "test",
    "validation",
    "train",
    "verdict",
    "from",
    "forgetting",
    "folds",
)  # of metrics.json; the rest is the user's
# Of the ``data`` part of metrics.json: counts and words about the source, no rows of it.
PUBLIC = ("source", "rows", "unit", "steps", "tokens", "scheme", "classes", "splits", "left_out",
          "notes", "duplicates", "overlap", "vectors", "cut_texts")  # fmt: skip


def run_folder(name: str | Path, revision: str | None = None, **options: Any) -> Path:
    """The folder of a run: ``name`` itself, or where the Hub's copy of it lies.

    The ``name`` is a folder, ``hf://USER/NAME``, ``hf://USER/NAME@REVISION``, or ``USER/NAME``
    where no such folder is, the ``revision`` a branch, tag or commit; ``options`` are those of
    :func:`huggingface_hub.snapshot_download`.

    Raises:
        ConfigError: two revisions.
        CheckpointError: no such repository or revision, no network, or offline and not cached.
    """
    text = str(name)
    if not text.startswith(SCHEME):
        local = Path(name).expanduser()
        if isinstance(name, Path) or local.is_dir() or not NAME.fullmatch(text):
            return local
    repository, _, named = text.removeprefix(SCHEME).partition("@")
    if named and revision not in (None, named):
        raise ConfigError(f"{text}: the revision {revision!r} is asked for too; give one")
    if not NAME.fullmatch(repository):
        raise CheckpointError(f"{SCHEME}{repository} is no name on the Hub; write hf://USER/NAME")
    from huggingface_hub import snapshot_download

    revision = named or revision
    given = {k: v for k, v in options.items() if v is not None}
    only = {"allow_patterns": FETCHED, "ignore_patterns": ["*/*"]}  # no subfolder
    try:
        return Path(snapshot_download(repository, revision=revision, **only, **given))
    except Exception as error:  # of the hub, of its HTTP library, or of the system
        where = f"{SCHEME}{repository}" + (f"@{revision}" if revision else "")
        plain = not text.startswith(SCHEME)
        absent = f"there is no folder {text} here, and " if plain else ""
        raise CheckpointError(f"{absent}{where} can't be fetched: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Why the Hub gave nothing, in a line."""
    from huggingface_hub import constants, errors

    if constants.HF_HUB_OFFLINE or isinstance(error, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set and it is not in the cache; unset it, or give a folder"
    if isinstance(error, errors.GatedRepoError):
        return "its owner must grant you access; then log in with: hf auth login"
    if isinstance(error, errors.RevisionNotFoundError):
        return "it has no such revision"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "there is no such repository, or it is private; log in with: hf auth login"
    if isinstance(error, errors.HFValidationError):
        return " ".join(str(error).split())[:200]
    if isinstance(error, (errors.LocalEntryNotFoundError, OSError)):
        return "the Hub can't be reached and it is not in the cache; is there a network?"
    return " ".join(str(error).split())[:200] or type(error).__name__


def public_metrics(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What may be told of a run: scores and counts, none of the user's texts, series or paths.

    Examples of mistakes, charts, series' names, and findings that quote a cell are left out.
    """
    public = {name: metrics[name] for name in SCORES if name in metrics}
    data = {name: metrics["data"][name] for name in PUBLIC if name in metrics["data"]}
    if "splits" in data:
        findings = metrics["data"].get("inspection", {}).get("findings", [])
        quotes = tuple(part["text"] for part in findings)
        data["splits"] = [line for line in data["splits"] if not line.startswith(quotes)]
    source = str(data["source"])
    # Notes on a file begin with its path.
    paths = sorted({source, str(Path(source).expanduser())}, key=len, reverse=True)
    return dict(_without({**public, "data": data}, [path for path in paths if "/" in path]))


def _without(value: Any, paths: list[str]) -> Any:
    """``value`` with every path in its texts cut down to the last name."""
    if isinstance(value, str):
        for path in paths:
            value = value.replace(path, Path(path).name)
        return value
    if isinstance(value, Mapping):
        return {key: _without(part, paths) for key, part in value.items()}
    return [_without(part, paths) for part in value] if isinstance(value, list) else value


def write_repository(folder: Path, run: LoadedRun, metrics: Mapping[str, Any],
                     name: str = "", *, report: bool = False) -> list[str]:  # fmt: skip
    """Write what a repository holds into ``folder``; returns the names of the files.

    The configuration, weights, vocabulary and labels as in the run, ``metrics.json`` as
    :func:`public_metrics` tells it, and the card; paths on this machine are cut down to names.
    """
    single(run, "push")
    write_model(folder, run.task, run.info, run.model, run.engine)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    source = str(config["data"]["data"])
    for key in ("data", "vectors"):
        value = config["data"].get(key, "")
        if "/" in value and (not NAME.fullmatch(value) or Path(value).exists()):
            config["data"][key] = Path(value).name
    write_json(folder / "config.json", config)
    public = _without(public_metrics(metrics), [source] if "/" in source else [])
    write_json(folder / "metrics.json", public)
    from birnn.tasks.runs.card import render_card

    write_text(folder / "README.md", render_card("", public, SCHEME + name if name else "FOLDER"))
    if report:
        if not (run.folder / REPORT).is_file():
            raise ConfigError(f"{run.folder} has no {REPORT}: make it with: birnn report RUN")
        shutil.copyfile(run.folder / REPORT, folder / REPORT)
    return sorted(path.name for path in folder.iterdir())


def _upload(folder: Path, repository: str, *, private: bool | None = None, **options: Any) -> str:
    """Make the repository, where it isn't there yet, and send all of ``folder``; its address."""
    from huggingface_hub import HfApi

    options["commit_message"] = options.get("commit_message") or "Add a run of birnn"
    try:
        api = HfApi(token=options.pop("token", None))
        address = api.create_repo(repository, private=private, exist_ok=True)
        api.upload_folder(repo_id=address.repo_id, folder_path=folder, **options)
    except BirnnError:
        raise
    except Exception as error:  # of the hub, of its HTTP library, or of the system
        raise DataError(f"{repository} can't be pushed: {_refusal(error)}") from None
    return str(address)


def _refusal(error: Exception) -> str:
    from huggingface_hub import constants, errors

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set; unset it, or write the files with --to FOLDER"
    if isinstance(error, errors.LocalTokenNotFoundError):
        return "log in first, with: hf auth login"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.HfHubHTTPError) and status in (401, 403):
        return "you may not write there; log in with: hf auth login, and check the name"
    if isinstance(error, OSError) and status is None:
        return "the Hub can't be reached; is there a network?"
    return " ".join(str(error).split())[:200] or type(error).__name__


def push(run: LoadedRun, metrics: Mapping[str, Any], repository: str, to: str = "",
         report: bool = False, **options: Any) -> tuple[str, list[str]]:  # fmt: skip
    """Send a run to the Hub, or write what would be sent into ``to``; its place and files' names.

    With ``report``, ``report.html`` goes along, which holds texts of the test split.

    Raises:
        ConfigError: no name of a repository, or a report that isn't there.
        DataError: a file can't be written; the Hub refused, or can't be reached.
    """
    if not NAME.fullmatch(repository):
        raise ConfigError(f"{repository!r} is no name on the Hub; write USER/NAME")
    if to:
        with new_folder(Path(to), RUN) as folder:
            names = write_repository(folder, run, metrics, repository, report=report)
        return to, names
    with scratch() as made:
        names = write_repository(made, run, metrics, repository, report=report)
        return _upload(made, repository, **options), names
