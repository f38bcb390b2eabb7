"""JSON files of rows, one a line or in one list, as Arrow tables; lines that are broken by name."""

import json
import re
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.json as pa_json

from birnn.arrays import Ints
from birnn.data.tables.csv_check import check_text, encoding_of
from birnn.data.tables.dialect import ReadOptions
from birnn.data.tables.hugging_face import guarded, library, literal
from birnn.data.tables.shape import Counts
from birnn.data.wording import number_list, plural
from birnn.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset

BROKEN = "not JSON"  # why a line is left out
NAMED = 8  # broken lines in a message
DEPTH = 200  # lists and objects within each other; readers call themselves for each, and crash
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def read_json_rows(
    paths: Sequence[Path], options: ReadOptions, source: str
) -> "tuple[Dataset, Ints, list[Counts]]":
    """The rows of the files of one split.

    Returns:
        The table; the lines that hold something, from 1, which are those of the rows if the files
        are of JSON lines; and what was left out of each file, if anything was.

    Raises:
        DataError: a file is no text, holds no rows, or a line of it is no JSON: its number, and the
            option that leaves it out.
    """
    encoding = encoding_of(paths[0], options.encoding)
    lines = [_filled_lines(path, encoding) for path in paths]
    try:
        return _read(paths, encoding, source), np.concatenate(lines), []
    except DataError:
        broken = [_broken_lines(path, encoding) for path in paths]
        if not any(broken) and not any(at[-1] > len(at) for at in lines):
            raise
    if any(broken) and not options.skip_ragged:
        raise refusal(paths, broken)
    counts = []
    with tempfile.TemporaryDirectory(prefix="birnn-") as folder:
        whole = []  # blank lines go too: where columns are of mixed kinds, datasets stops at them
        for number, (path, wrong) in enumerate(zip(paths, broken, strict=True)):
            part = Counts(len(lines[number]))
            for line in wrong:
                part.leave(BROKEN, line)
            counts += [part] if wrong else []
            lines[number] = np.setdiff1d(lines[number], list(wrong))
            text = path.read_text(encoding=encoding).split("\n")
            whole.append(Path(folder) / f"{number}.jsonl")
            whole[-1].write_text("\n".join(text[at - 1] for at in lines[number]), encoding="utf-8")
        table = _read(whole, "utf-8", source)
    return table, np.concatenate(lines), counts


def _read(paths: Sequence[Path], encoding: str, source: str) -> "Dataset":
    table = load_json(paths, encoding, source)
    whole: Dataset = guarded(source, partial(as_written, table, paths, encoding))
    return whole


def load_json(paths: Sequence[Path], encoding: str, source: str) -> "Dataset":
    """The rows of JSON files as ``datasets`` has them.

    Raises:
        DataError: it can't read them.
    """
    read = partial(
        library().load_dataset, "json", data_files={"train": [literal(path) for path in paths]},
        split="train", encoding=encoding.removesuffix("-sig"),
    )  # fmt: skip
    table: Dataset = guarded(source, read)
    return table


def _broken_lines(path: Path, encoding: str) -> dict[int, str]:
    """The lines, from 1, of a file of JSON lines that hold no object, and why.

    Raises:
        DataError: most lines hold none, and the file as a whole is no JSON either.
    """
    text = path.read_text(encoding=encoding)
    lines = [(at, line) for at, line in enumerate(text.split("\n"), 1) if line.strip()]
    broken = {at: reason for at, line in lines if (reason := fault(line))}
    if 2 * len(broken) < len(lines):
        return broken
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        what = f"{path} line {error.lineno} is not JSON: {error.msg} (column {error.colno})"
        raise DataError(f"{what}; mend it") from None
    except (ValueError, RecursionError):  # a number of very many digits
        pass
    return {}


def fault(line: str) -> str:
    """Why a line is no JSON object; ``""`` if it is one."""
    try:
        return "" if isinstance(json.loads(line), dict) else "it is no object"
    except json.JSONDecodeError as error:
        return f"{error.msg} (column {error.colno})"
    except ValueError:
        return "it holds a number of very many digits"
    except RecursionError:
        return "it is nested too deeply"


def refusal(paths: Sequence[Path], broken: Sequence[dict[int, str]]) -> DataError:
    """The error of files whose ``broken`` lines, with reasons, are not to be left out."""
    path, wrong = next((path, wrong) for path, wrong in zip(paths, broken, strict=True) if wrong)
    (line, why), *others = wrong.items()
    more = ", …" if len(wrong) > NAMED else ""
    all_of = f" ({plural(len(wrong), 'line')}: {number_list(list(wrong)[:NAMED])}{more})"
    mend = f"mend it, or leave such lines out with --skip-ragged{all_of if others else ''}"
    return DataError(f"{path} line {line} is not JSON: {why}; {mend}")


def _filled_lines(path: Path, encoding: str) -> Ints:
    """The numbers, from 1, of the lines of a JSON file that hold something: rows, if it is JSONL.

    Raises:
        DataError: it is no text of that encoding, is nested too deeply, or holds no rows.
    """
    check_text(path, encoding)
    text = path.read_text(encoding=encoding)
    check_depth(path, text)
    if not text.strip(" \t\r\n[]"):
        raise DataError(f"{path} holds no rows")
    return np.array(
        [i for i, line in enumerate(text.split("\n"), 1) if line.strip()], dtype=np.int64
    )


def check_depth(path: Path, text: str, line: int = 1) -> None:
    """Refuse JSON, a document or a value a line, that is nested beyond all that is usual.

    The text begins at that ``line`` of its file.

    Raises:
        DataError: so it is; names the line where there are several.
    """
    if _depth(text) <= DEPTH:
        return
    bare = STRING.sub("", text)
    whole = path.suffix.lower() == ".json" or bare.lstrip("\ufeff \t\r\n").startswith("[")
    for number, part in enumerate([bare] if whole else bare.split("\n"), line):
        if _depth(part) > DEPTH:
            where = path if whole else f"{path} line {number}"
            raise DataError(f"{where}: lists or objects are nested more than {DEPTH} deep; mend it")


def _depth(text: str) -> int:
    """How many brackets are open at most, those in strings too."""
    steps = np.zeros(256, dtype=np.int8)
    steps[[*b"[{"]], steps[[*b"]}"]] = 1, -1
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    depth = deepest = 0
    for start in range(0, len(data), 1 << 20):
        open_ones = depth + np.cumsum(steps[data[start : start + (1 << 20)]], dtype=np.int64)
        depth, deepest = int(open_ones[-1]), max(deepest, int(open_ones.max()))
    return deepest


def taken_for_stamps(table: "Dataset") -> list[str]:
    """The columns of texts that Arrow took for times."""
    times = ("timestamp", "time", "date")
    kinds = {name: getattr(kind, "dtype", "") for name, kind in table.features.items()}
    return [name for name, kind in kinds.items() if kind.startswith(times)]


def as_written(table: "Dataset", paths: Sequence[Path], encoding: str) -> "Dataset":
    """JSON rows whose texts Arrow took for time stamps, as they stand in the files."""
    from datasets import Dataset
    from datasets.table import InMemoryTable

    stamps = taken_for_stamps(table)
    if not stamps:
        return table
    parse = pa_json.ParseOptions(
        explicit_schema=pa.schema([(name, pa.string()) for name in stamps]), newlines_in_values=True
    )
    tables = []
    for path in paths:
        text = path.read_text(encoding=encoding).strip()
        if text.startswith("["):  # one list: its rows as lines
            text = "\n".join(json.dumps(row) for row in json.loads(text))
        data = text.encode()
        read = pa_json.ReadOptions(block_size=max(1 << 20, len(data)))
        tables.append(pa_json.read_json(pa.BufferReader(data), read, parse))
    joined = pa.concat_tables(tables, promote_options="default").select(table.column_names)
    return Dataset(InMemoryTable(joined))
