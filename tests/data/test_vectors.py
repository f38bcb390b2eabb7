"""Pretrained vectors: from a file, a package or a download; bad ones are named by line."""

import bz2
import contextlib
import gzip
import json
import lzma
import os
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from torchtext import vocab

from birnn.data.samples import INSTALL
from birnn.data.text.vectors import PACKAGED, find_vectors, read_vectors
from birnn.errors import ConfigError, DataError

GLOVE = "the 1 2.5 -3\nof 0.25 0 4e-1\n. . 1 2 3\n日本 7 8 9\n"
FASTTEXT = "3 2 \nthe 1 2 \nof 3 4 \nto 5 6 \n"


@pytest.fixture
def write(tmp_path):
    def write(text, name="v.txt"):
        path = tmp_path / name
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(path)

    return write


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of downloads."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/birnn/vectors"


def test_glove_file_is_read(write):
    table = find_vectors(write(GLOVE), 100)
    assert table.name == "v.txt"
    assert table.words == ["the", "of", ". .", "日本"]
    wanted = [[1, 2.5, -3], [0.25, 0, 0.4], [1, 2, 3], [7, 8, 9]]
    np.testing.assert_allclose(table.values, wanted, rtol=1e-3)


def test_counts_of_fasttext_are_no_word(write):
    table = find_vectors(write(FASTTEXT), 100)
    assert table.words == ["the", "of", "to"]
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4], [5, 6]])


def test_compressed_file_is_read(write):
    table = find_vectors(write(GLOVE, "v.txt.gz"), 100)
    assert len(table.words) == 4


def test_limit_keeps_the_first_words(write):
    assert find_vectors(write(GLOVE), 2).words == ["the", "of"]
    assert find_vectors(write(FASTTEXT), 2).words == ["the", "of"]


def test_lines_beyond_the_limit_are_not_read(write):
    assert find_vectors(write(GLOVE + "broken\n"), 4).words[-1] == "日本"


def test_repeated_word_keeps_its_first_vector(write):
    table = find_vectors(write("a 1 2\nb 3 4\na 5 6\n"), 100)
    assert table.words == ["a", "b"]
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])


def test_windows_line_ends_and_undecodable_words_are_read(write):
    table = find_vectors(write(b"the 1 2\r\ncaf\xe9 3 4\r\n"), 100)
    np.testing.assert_array_equal(table.values, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("the 1 2 3\nof 1 2\n", 2),
        ("the 1 2 3\nof 1 2 3 x\n", 2),
        ("the 1 2 3\nof 1 nan 3\n", 2),
        ("the 1 2 3\nof 1 inf 3\n", 2),
        ("the 1 2 3\n\nof 1 2 3\n", 2),
        ("the one two three\n", 1),
        ("text,label\ngood film,positive\n", 1),
        (FASTTEXT + "x 1\n", 5),
        ("\x00\x01\x02\n", 1),
    ],
)
def test_bad_line_is_named(text, line, write):
    path = write(text)
    with pytest.raises(DataError, match=rf"v\.txt line {line}: "):
        find_vectors(path, 100)


def test_number_too_large_for_half_precision_is_refused(write):
    path = write("the 1 2\nof 1e30 2\n")
    with pytest.raises(DataError, match="line 2"):
        find_vectors(path, 100)


@pytest.mark.parametrize(("text", "name"), [("", "v.txt"), ("3 2\n", "v.txt"), ("", "v.txt.gz")])
def test_file_without_vectors_is_refused(text, name, write):
    with pytest.raises(DataError, match="holds no vectors"):
        find_vectors(write(text, name), 100)


def test_damaged_compressed_file_is_refused(tmp_path):
    whole = gzip.compress(GLOVE.encode() * 99)
    for content in (b"no gzip", whole[: len(whole) // 2], whole[:40] + b"xx" + whole[42:]):
        (tmp_path / "v.gz").write_bytes(content)
        with pytest.raises(DataError):
            find_vectors(str(tmp_path / "v.gz"), 10_000)


def test_none_is_none():
    assert find_vectors("none", 100) is None


def test_packaged_vectors_are_read_in_their_order():
    for name in ("auto", PACKAGED):
        table = find_vectors(name, 1000)
        assert table.name == "glove.6B.50d"
        assert table.words[:4] == ["the", ",", ".", "of"]
        assert table.values.shape == (1000, 50)
        # Stanford's file begins so: the 0.418 0.24968 -0.41242 0.1217 …
        np.testing.assert_allclose(
            table.values[0, :4], [0.418, 0.24968, -0.41242, 0.1217], rtol=1e-3
        )


def test_packaged_vectors_hold_400000_words():
    table = find_vectors("auto", 10**9)
    assert table.values.shape == (400_000, 50)
    assert len(table.words) == len(set(table.words)) == 400_000


def test_auto_is_none_where_the_package_is_missing(without_samples):
    without_samples()
    assert find_vectors("auto", 10) is None
    with pytest.raises(DataError) as caught:
        find_vectors(PACKAGED, 10)
    assert INSTALL in str(caught.value)


@pytest.mark.parametrize(
    ("name", "near"), [("glov.6B.50d", "glove.6B.50d"), ("nonne", "none"), ("autto", "auto")]
)
def test_unknown_name_suggests_the_nearest(name, near):
    with pytest.raises(ConfigError, match=f"did you mean '{near}'"):
        find_vectors(name, 10)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Serve an archive in place of Stanford's, from the file system."""

    def serve(content, member="glove.6B.100d.txt"):
        archive = tmp_path / "glove.6B.zip"
        if isinstance(content, bytes):
            archive.write_bytes(content)
        else:
            with zipfile.ZipFile(archive, "w") as bundle:
                bundle.writestr(member, content)
        monkeypatch.setitem(vocab.GloVe.url, "6B", archive.as_uri())
        return archive

    return serve


def test_torchtext_name_is_fetched_once_and_kept(served, cache):
    archive = served(GLOVE)
    table = find_vectors("glove.6B.100d", 100)
    assert table.name == "glove.6B.100d"
    assert table.words[:2] == ["the", "of"]
    archive.unlink()
    assert find_vectors("glove.6B.100d", 100).words == table.words
    assert not [path for path in cache.iterdir() if path.name.startswith(".")]


def test_fetched_plain_file_is_read(tmp_path, cache, monkeypatch):
    (tmp_path / "wiki.simple.vec").write_text(FASTTEXT)
    monkeypatch.setattr(vocab.FastText, "url_base", tmp_path.as_uri() + "/wiki.{}.vec")
    assert find_vectors("fasttext.simple.300d", 100).words == ["the", "of", "to"]


@pytest.mark.parametrize("content", [b"<html>moved</html>", b"PK\x03\x04 truncated"])
def test_fetched_rubbish_is_one_line_and_can_be_fetched_again(content, served, cache):
    served(content)
    with pytest.raises(DataError) as caught:
        find_vectors("glove.6B.100d", 100)
    assert "\n" not in str(caught.value)
    served(GLOVE)
    assert find_vectors("glove.6B.100d", 100).words[0] == "the"


def test_archive_without_the_file_is_one_line(served, cache):
    served(GLOVE, member="other.txt")
    with pytest.raises(DataError, match="can't be fetched"):
        find_vectors("glove.6B.100d", 100)


def test_missing_network_is_one_line_and_leaves_nothing(tmp_path, cache, monkeypatch):
    monkeypatch.setitem(vocab.GloVe.url, "6B", (tmp_path / "nope.zip").as_uri())
    with pytest.raises(DataError, match="give a file that you have"):
        find_vectors("glove.6B.100d", 100)
    assert list(cache.iterdir()) == []


def test_fetching_asks_for_verified_tls(cache, monkeypatch):
    asked = []

    def refuse(address, **options):
        asked.append((address, options.get("context")))
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    for name in ("glove.6B.100d", "fasttext.en.300d"):
        with pytest.raises(DataError):
            find_vectors(name, 10)
    assert all(address.startswith("https://") for address, _ in asked)
    assert [context for _, context in asked] == [None, None]
    assert ssl._create_default_https_context is ssl.create_default_context


def test_unreadable_file_is_refused(tmp_path):
    path = tmp_path / "v.txt"
    path.write_text(GLOVE)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything
        path.unlink()
    with pytest.raises(DataError, match="can't read"):
        read_vectors(Path(path), "v", 10)


MEBI = 1 << 20
FLOOD = {  # what unpacks to far more than it holds, piece by piece
    "zeros.txt.gz": lambda: (bytes(MEBI) for _ in range(700)),
    "one line.txt.gz": lambda: (b"w" + b" 1" * (MEBI // 2) for _ in range(600)),
    "one line.txt": lambda: (b"1 " * (MEBI // 2) for _ in range(500)),
    "one word.txt.gz": lambda: (b"w" * MEBI for _ in range(700)),
    "long words.vec.gz": lambda: (b"%07d" % n + b"w" * 120_000 + b" 1 2\n" for n in range(20_000)),
    "blank.txt.gz": lambda: (b"\n" * MEBI for _ in range(700)),
    "repeated.txt.gz": lambda: (b"the 1 2 3\n" * 100_000 for _ in range(700)),
    "wide.txt.gz": lambda: (b"%d" % n + b" 1" * 60_000 + b"\n" for n in range(5_000)),
    "announced.bin": lambda: iter([b"1000000000000 300\n", b"the " + bytes(range(256)) * 5000]),
    "announced.vec": lambda: iter([b"1000000000000 1000000000\n", b"the 1 2\n" * 20_000]),
}
READ = """
import json, resource, sys
from birnn.data.text.vectors import find_vectors
from birnn.errors import DataError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    find_vectors(sys.argv[1], 400_000)
    words = ""
except DataError as error:
    words = str(error)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([words, (after - before) / 1024]))
"""


def squeezed(pieces: Iterator[bytes], path: Path) -> Path:
    with path.open("wb") as raw, contextlib.ExitStack() as stack:
        packed = path.suffix == ".gz"
        whole = gzip.GzipFile(mode="wb", fileobj=raw, compresslevel=1) if packed else raw
        file = stack.enter_context(whole)
        for piece in pieces:
            file.write(piece)
    return path


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other ways elsewhere")
@pytest.mark.parametrize("name", FLOOD)
def test_a_small_file_takes_no_large_memory(name, tmp_path):
    path = squeezed(FLOOD[name](), tmp_path / name)
    done = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, check=True)
    path.unlink()
    message, mebibytes = json.loads(done.stdout)
    assert mebibytes < 900, (message, mebibytes)
    assert name in message
    assert "line" in message
    assert "\n" not in message
    assert len(message) < 500


def test_a_table_of_all_too_many_numbers_is_refused(write, monkeypatch):
    monkeypatch.setattr("birnn.data.text.vectors.MAX_TABLE", 20_000)
    rows = "".join(f"w{n} 1 2 3\n" for n in range(5_000))
    with pytest.raises(DataError, match="line .*--vectors-limit"):
        find_vectors(write(rows), 10_000)
    assert len(find_vectors(write(rows), 500).words) == 500


@pytest.mark.parametrize("end", [".gz", ".GZ", ".bz2", ".xz"])
def test_packed_vectors_are_read_in_bounded_memory(tmp_path, end) -> None:
    pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[end.lower()]
    path = tmp_path / f"x.txt{end}"
    path.write_bytes(pack(b"a 1 2\nb 3 4\n"))
    assert read_vectors(path, "x", 9).words == ["a", "b"]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match="can't read"):
        read_vectors(path, "x", 9)
    path.write_bytes(b"a 1 2\nb 3 4\n")
    with pytest.raises(DataError, match="can't read"):
        read_vectors(path, "x", 9)
    path.write_bytes(pack(b"a" * (20 << 20)))
    with pytest.raises(DataError, match="longer than"):
        read_vectors(path, "x", 9)


def test_an_archive_of_vectors_is_refused(tmp_path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.vec", "a 1 2\n")
    with pytest.raises(DataError, match="unpack it first"):
        read_vectors(tmp_path / "x.zip", "x", 9)
