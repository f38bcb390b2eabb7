"""Which columns tell the series of a long file apart."""

from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa

from birnn.arrays import Bools, Codes, Ints
from birnn.data.series.columns import read_ids, read_numbers
from birnn.data.series.parts import role_of
from birnn.data.stamps.reading import Doubt, Stamps
from birnn.data.stamps.words import is_weekday, month_number
from birnn.data.tables.columns import usual_columns

ID_NAMES = (
    "unique_id", "series_id", "item_id", "id", "series", "store", "store_id", "item", "sku",
    "product", "product_id", "symbol", "ticker", "station", "station_id", "sensor", "sensor_id",
    "meter", "meter_id", "customer", "customer_id", "country", "region", "state", "city", "site",
    "location", "source", "name", "group", "key", "entity", "variable", "channel", "shop",
    "shop_id", "branch", "branch_id", "machine", "machine_id", "device", "device_id", "plant",
    "warehouse", "page", "asset", "brand", "panel_id", "household", "user_id",
    "category", "department", "dept", "segment", "cluster", "market", "account", "zone", "cell",
    "filiale", "filial", "laden", "artikel", "produkt", "kunde", "standort", "gerät", "anlage",
    "zähler", "reihe", "tienda", "producto", "sucursal", "magasin", "produit", "boutique",
    "client", "negozio", "prodotto", "loja", "produto", "winkel", "butik", "店铺", "门店", "商品",
    "店舗", "매장", "магазин", "товар",
)  # fmt: skip
SURE = ("unique_id", "series_id", "item_id")
VALUE_NAMES = (
    "y", "value", "values", "target", "demand", "sales", "count", "quantity", "load", "price",
)  # fmt: skip
ROWS_EACH = 3  # of a series, on average, where a column's name doesn't say that it names them
SHARED = 0.7  # with fewer distinct stamps than this share of rows, series share them
MOST_TRIED = 8
JUMP = 4.0  # from one series to the next, in standard deviations within them


@dataclass(frozen=True)
class Ids:
    """The columns that name series, and what should be said of them."""

    columns: list[str]
    notes: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)  # columns that would tell shared stamps apart


def find_ids(table: pa.Table, layout: str, free: list[str], stamps: Stamps) -> Ids:
    """Columns of ids: by name, or by what they hold where series share their stamps.

    Text under which no stamp stands twice, or numbers that are few; columns of which only several
    together do so are named and not taken.
    """
    if layout == "wide":
        return Ids([])
    likely = usual_columns(ID_NAMES, free)
    repeated = bool(pd.Series(stamps.values).duplicated().any())
    if not repeated and layout == "auto":
        return _apart(table, likely, free, stamps)
    texts = [name for name in free if name not in likely and _is_text(table, name)]
    tried = [[name] for name in likely] + ([likely] if len(likely) > 1 else [])
    tried += [[name] for name in texts]
    fallback: list[str] = []
    for columns in tried:
        codes, names = read_ids(table, columns)
        if not 1 <= len(names) <= max(1, table.num_rows // 2):
            continue
        if not _shares(codes, stamps):
            return Ids(columns, _found(columns, named=columns[0] in likely))
        if not fallback and columns[0] in likely:
            fallback = columns
    few = len(np.unique(stamps.values)) <= SHARED * len(stamps.values)
    if few and not fallback:
        numbered = [name for name in free if _is_numbered(table, name, stamps)]
        if len(numbered) == 1:
            return Ids(numbered, _found(numbered, named=False))
    return Ids(fallback, shared=_suggested(table, free, stamps) if few else [])


def _found(columns: list[str], *, named: bool) -> list[str]:
    if named:
        return []
    words = f"{columns[0]!r} tells series apart that share their stamps, and names them"
    return [f"{words} (--id-column names other columns)"]


def _shares(codes: Codes, stamps: Stamps) -> bool:
    pairs = pd.DataFrame({"code": codes, "stamp": stamps.values})
    return bool(pairs.duplicated().any())


def _is_text(table: pa.Table, name: str) -> bool:
    return not read_numbers(table.column(name).slice(0, 1000)).numeric


def _few_values(table: pa.Table, name: str) -> bool:
    """Whether a column holds few values: text, or whole numbers, each in several rows."""
    if not _is_text(table, name):
        if name.casefold() in VALUE_NAMES:
            return False
        numbers = read_numbers(table.column(name)).values
        known = numbers[np.isfinite(numbers)]
        if len(known) < len(numbers) or (known != np.floor(known)).any():
            return False
    _, names = read_ids(table, [name])
    return bool(2 <= len(names) <= table.num_rows // ROWS_EACH)


def _is_numbered(table: pa.Table, name: str, stamps: Stamps) -> bool:
    if not _few_values(table, name):
        return False
    codes, names = read_ids(table, [name])
    sizes = np.bincount(codes[codes >= 0], minlength=len(names))
    return not _shares(codes, stamps) and bool(sizes.min() >= 2)


def _suggested(table: pa.Table, free: list[str], stamps: Stamps) -> list[str]:
    """The fewest columns under which no stamp stands twice."""
    able = [name for name in free if _few_values(table, name)][:MOST_TRIED]
    able.sort(key=lambda name: not _is_text(table, name))
    for many in (1, 2, 3):
        for columns in combinations(able, many):
            codes, names = read_ids(table, list(columns))
            if len(names) <= table.num_rows // ROWS_EACH and not _shares(codes, stamps):
                return [name for name in free if name in columns]
    return []


def _apart(table: pa.Table, likely: list[str], free: list[str], stamps: Stamps) -> Ids:
    """Ids in a file where no stamp stands twice: series that follow each other.

    By a sure name; where time goes back with the id; or where each id stands in one piece and has
    a name of ids, begins after a gap, or has values of another size (numbers: only the gap).
    """
    steps = np.diff(stamps.values)
    order = np.argsort(stamps.values, kind="stable")
    apart = np.diff(stamps.values[order])
    notes = []
    texts = [name for name in free if name not in likely and _is_text(table, name)]
    numbered = [name for name in free if name not in likely + texts and _may_count(table, name)]
    for name in [*likely, *texts, *numbered]:
        codes, names = read_ids(table, [name])
        if len(names) > max(1, table.num_rows // 2):
            continue
        if name.casefold() in SURE:
            return Ids([name], [f"{name!r} names the series (--id-column names others)"])
        change = np.diff(codes) != 0
        back = not (steps > 0).all() and ((steps > 0) | change).all() and len(names) > 1
        if back and name in likely:
            return Ids([name], [], [_following(name)])
        sorted_codes = codes[order]
        if not _in_pieces(sorted_codes, len(names)) or _calendar_words(names):
            continue
        change = np.diff(sorted_codes) != 0
        gaps = bool((apart[change] > 1.5 * np.median(apart)).all())
        others = (other for other in free if other != name and name not in numbered)
        if name in likely or back or gaps or any(_jumps(table, x, codes, order) for x in others):
            return Ids([name], [], [_following(name)])
        notes.append(f"{name!r} could name series that follow each other; --id-column takes it so")
    return Ids([], notes)


def _may_count(table: pa.Table, name: str) -> bool:
    """Whether a column of few whole numbers could number series: no flag, no part of a date."""
    if role_of(name) or not _few_values(table, name):
        return False
    return set(np.unique(read_numbers(table.column(name)).values)) != {0.0, 1.0}


def _calendar_words(names: list[str]) -> bool:
    """Whether all names are months or days of the week."""
    return all(month_number(name) or is_weekday(name) for name in names)


def _following(name: str) -> Doubt:
    text = f"{name!r} changes from one stretch of rows to the next, and no stamp stands twice"
    done = "taken as series that follow each other (--id-column); --layout wide takes it as one"
    return Doubt(text, done)


def _in_pieces(codes: Codes, count: int) -> bool:
    """Whether two or more ids each stand in one stretch of several rows."""
    changes = int((np.diff(codes) != 0).sum())
    few = 2 <= count <= len(codes) // ROWS_EACH
    return few and changes == count - 1 and bool((codes >= 0).all())


def _jumps(table: pa.Table, name: str, codes: Codes, order: Ints) -> bool:
    """Whether values leap where the id changes, as they do nowhere else; in order of time."""
    column = read_numbers(table.column(name))
    if not column.numeric:
        return False
    apart = np.abs(np.diff(column.values[order]))
    between: Bools = np.diff(codes[order]) != 0
    inside = apart[~between]
    inside = inside[np.isfinite(inside)]
    if len(inside) < 4:
        return False
    usual = float(np.quantile(inside, 0.95)) + 1e-12
    leaps = apart[between]
    return bool((leaps[np.isfinite(leaps)] > JUMP * usual).mean() > 0.5) if len(leaps) else False
