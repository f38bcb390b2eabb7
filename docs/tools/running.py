"""Runs the blocks of a page: commands in this process, with small data and quick settings."""

import contextlib
import io
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from birnn import cli
from birnn.tasks import TASKS
from docs.tools.blocks import ROOT, Block
from docs.tools.stand_ins import write_stand_ins

QUICK = {
    "sentiment": "--epochs 1 --epoch-steps 1 --hidden-size 4 --members 1 --word-size 4"
    " --gram-size 2 --gram-buckets 20 --vectors none --threads 1",
    "tagging": "--epochs 1 --epoch-steps 1 --hidden-size 4 --members 1 --word-size 4 --vectors none"
    " --threads 1",
    "forecast": "--epochs 1 --epoch-steps 1 --hidden-size 4 --members 1 --segment-size 4"
    " --epoch-windows 64 --threads 1",
    "regression": "--epochs 1 --hidden-size 4 --threads 1",
    "language": "--epochs 1 --hidden-size 4 --symbol-size 4 --window 16 --batch-size 4"
    " --passage 32 --overlap 8 --ngram-order 3 --threads 1",
    "translate": "--epochs 1 --hidden-size 4 --word-size 4 --decoder-size 4 --vocabulary-limit 100"
    " --beam 2 --threads 1",
    "speech": "--epochs 1 --hidden-size 4 --channels 2 --front-size 4 --threads 1",
}
EMPTY = "<!-- an empty desk -->"  # in a page that makes all of its files itself
VALUED = ("--resume", "--show-config")  # with these nothing is trained anew: nothing is added
PROGRAMS = (("python", "cli.py"), ("birnn",), (".venv/bin/python", "cli.py"))


@dataclass
class Desk:
    """A folder in which a page's blocks run one after another, and the names they have made."""

    folder: Path
    names: dict[str, Any] = field(default_factory=dict)

    def run(self, block: Block) -> None:
        """Run one block.

        Raises:
            AssertionError: a command failed; the message holds what it said.
        """
        with contextlib.chdir(self.folder):
            if block.before:
                self.execute(block.before.replace("; ", "\n"), block)
            if block.language == "python":
                self.execute(block.text, block)
            elif block.language == "toml":
                self.try_options(block)
            else:
                for line in command_lines(block.text):
                    self.command(line, block)

    def execute(self, code: str, block: Block) -> None:
        """Run Python in the page's names."""
        exec(compile(code, block.place, "exec"), self.names)

    def try_options(self, block: Block) -> None:
        """A block of TOML holds options that some command takes."""
        tomllib.loads(block.text)
        Path("block.toml").write_text(block.text, encoding="utf-8")
        codes = [call([task, "--config", "block.toml", "--show-config"], "")[1] for task in TASKS]
        assert 0 in codes, f"{block.place}: no command takes these options"

    def command(self, line: str, block: Block) -> None:
        """Run one line, as a shell would."""
        words = split(line)
        source, target = "", ""
        if ">" in words:
            words, (target,) = words[: words.index(">")], words[words.index(">") + 1 :]
        if "|" in words:
            shown, words = words[: words.index("|")], words[words.index("|") + 1 :]
            if shown[0] == "cat":
                source = "".join(Path(name).read_text(encoding="utf-8") for name in shown[1:])
            else:
                source = subprocess.check_output(shown, text=True)
        ours = [program for program in PROGRAMS if tuple(words[: len(program)]) == program]
        if ours:
            said, code = call(quick(words[len(ours[0]) :]), source)
        else:
            said, code = elsewhere(line, words)
        if target:
            Path(target).write_text(said, encoding="utf-8")
        assert not code, f"{block.place}: {line}\nexit code {code}\n{said}"


def command_lines(text: str) -> Iterator[str]:
    """The commands of a block, with those that go over several lines joined."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line.strip()


def split(line: str) -> list[str]:
    """Words, pipes and redirections."""
    parts = shlex.shlex(line, posix=True, punctuation_chars="|>")
    parts.whitespace_split = True
    return list(parts)


def quick(words: list[str]) -> list[str]:
    """A command that trains, made quick; any other as it is."""
    task = words[0] if words else ""
    if task == "tune" and len(words) > 1:
        return [*words, *few_trials(words)]
    if task not in QUICK or any(word in VALUED for word in words):
        return words
    options = QUICK[task].split()
    pairs = [options[at : at + 2] for at in range(0, len(options), 2)]
    # What the page itself says is what is tried, but for sizes that only cost time.
    kept = [part for name, value in pairs if name not in words for part in (name, value)]
    return [*words, *kept, "--overwrite"]


def few_trials(words: list[str]) -> list[str]:
    """What makes a search quick: the last of two options of a name counts."""
    options = QUICK[words[1]].split()
    pairs = [options[at : at + 2] for at in range(0, len(options), 2)]
    text = " ".join(words).replace("_", "-")
    kept = [part for name, value in pairs if name[2:] not in text for part in (name, value)]
    return [*kept, "--trials", "2", "--minutes", "0", "--confirm", "1"]


def call(words: list[str], source: str) -> tuple[str, int]:
    """What the command line says to these words, and its exit code."""
    out, stdin = io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(source.encode()), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = cli.main(words)
    finally:
        sys.stdin = stdin
    return out.getvalue(), code


def elsewhere(line: str, words: list[str]) -> tuple[str, int]:
    """A program that is not ours; of make, only whether the target is there."""
    if words[0] == "make":
        command, folder = ["make", "-n", *words[1:]], ROOT
    else:
        command, folder = ["bash", "-c", line], Path.cwd()
    bin = Path(sys.executable).parent
    variables = {
        **os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{bin}:{os.environ['PATH']}",
    }  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300
    )
    return done.stdout + done.stderr, done.returncode


@contextlib.contextmanager
def desk(folder: Path, blocks: Sequence[Block]) -> Iterator[Desk]:
    """A desk on which lies what these blocks name: files, folders and runs."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(block.text for block in blocks)
    with small_samples(folder):
        if not any(EMPTY in block.page.read_text(encoding="utf-8") for block in blocks):
            with contextlib.chdir(folder):
                write_stand_ins(text, lambda words: call(quick(words), ""))
        yield Desk(folder)


@contextlib.contextmanager
def small_samples(folder: Path) -> Iterator[None]:
    """The first rows of the embedded data in place of all."""
    from birnn.data import samples

    def tweets() -> Any:
        table, notes = samples.tweets()
        return table.select(range(0, len(table), 100)), notes

    def tweet_entities() -> Path:
        path = folder / "entities.txt"
        lines = samples.tweet_entities().read_text(encoding="utf-8").splitlines()
        ends = [at for at, line in enumerate(lines) if not line.strip()]
        path.write_text("\n".join(lines[: ends[150]]) + "\n", encoding="utf-8")
        return path

    def electricity() -> Any:
        table, notes = samples.electricity()
        return table.select(range(900)), notes

    tables: list[dict[str, Any]] = [samples.SAMPLES, samples.TAGGED_SAMPLES, samples.SERIES_SAMPLES]
    before = [dict(table) for table in tables]
    samples.SAMPLES["tweets"] = tweets
    samples.TAGGED_SAMPLES["tweet_entities"] = tweet_entities
    samples.SERIES_SAMPLES["electricity"] = electricity
    try:
        yield
    finally:
        for table, old in zip(tables, before, strict=True):
            table.update(old)
