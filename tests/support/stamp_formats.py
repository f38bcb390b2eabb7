"""Ways of writing stamps: in one cell, or apart in several columns."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre "
    "dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro "
    "dezembro",
}
SHORT = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "de": "Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez",
    "fr": "janv févr mars avr mai juin juil août sept oct nov déc",
    "es": "ene feb mar abr may jun jul ago sep oct nov dic",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
    "pt": "jan fev mar abr mai jun jul ago set out nov dez",
}
OF_LANGUAGE = {
    "en": ("{m} {d}, {y}", "{m}-{d}-{y}", "{m} {d} {y}"), "de": ("{d}. {m} {y}",),
    "es": ("{d} de {m} de {y}",), "pt": ("{d} de {m} de {y}",),
}  # fmt: skip


@dataclass(frozen=True)
class Format:
    """How stamps are written."""

    name: str
    write: Callable[[pd.Timestamp], str]
    family: str  # what is told apart in the counts
    order: str = ""  # of the numbers of a date: dmy, mdy, ymd
    two: bool = False  # digits of the year
    separator: str = ""
    number: str = ""  # excel, yyyymm, year: whole numbers


def _short(years: Sequence[int]) -> bool:
    """Whether two digits tell the years, as strptime reads them."""
    return min(years) >= 1970 and max(years) <= 2067


def _year(two: bool) -> Callable[[pd.Timestamp], str]:
    return (lambda t: f"{t.year % 100:02d}") if two else (lambda t: str(t.year))


def _numeric(rng: random.Random, years: Sequence[int]) -> Format:
    order = rng.choice(("dmy", "dmy", "mdy", "mdy", "ymd"))
    two = rng.random() < 0.25 and _short(years)
    separator = rng.choice("/-." if order == "ymd" or two else "//-.")
    if order == "mdy" and separator == ".":
        separator = "/"
    if order == "ymd" and not two and rng.random() < 0.3:
        separator = ""
    pad = rng.random() < 0.7 or not separator
    year = _year(two)

    def write(t: pd.Timestamp) -> str:
        parts = {"y": year(t), "m": f"{t.month:0{1 + pad}d}", "d": f"{t.day:0{1 + pad}d}"}
        return separator.join(parts[letter] for letter in order)

    shown = separator.join({"y": "yy" if two else "yyyy"}.get(x, x * (1 + pad)) for x in order)
    family = "compact" if not separator else "numbers, yy" if two else "numbers"
    return Format(shown, write, family, order, two, separator)


def _month_names(rng: random.Random) -> tuple[str, list[str], str]:
    language = rng.choice(("en",) * 6 + ("de", "fr", "es", "it", "nl", "pt"))
    long = rng.random() < 0.4
    names = (MONTHS if long else SHORT)[language].split()
    if not long and rng.random() < 0.2:
        full = MONTHS[language].split()
        names = [n if n == f else n + "." for n, f in zip(names, full, strict=True)]
    case = rng.choice((str, str, str, str.upper, str.lower))
    return language, [case(name) for name in names], "long" if long else "short"


def _named(rng: random.Random, years: Sequence[int]) -> Format:
    language, names, length = _month_names(rng)
    two = rng.random() < 0.3 and _short(years)
    year, pad = _year(two), rng.random() < 0.5
    patterns = ["{d}-{m}-{y}", "{d} {m} {y}", "{d}/{m}/{y}"]
    if not two:
        patterns += ["{y}-{m}-{d}", "{y} {m} {d}", *OF_LANGUAGE.get(language, ())]
    pattern = rng.choice(patterns)

    def write(t: pd.Timestamp) -> str:
        return pattern.format(d=f"{t.day:0{1 + pad}d}", m=names[t.month - 1], y=year(t))

    shown = pattern.format(d="d" * (1 + pad), m="mmm" if length == "short" else "mmmm",
                           y="yy" if two else "yyyy")  # fmt: skip
    return Format(f"{shown} {language}", write, "month names, yy" if two else "month names")


def _iso_day(_: random.Random, __: Sequence[int]) -> Format:
    return Format("yyyy-mm-dd", lambda t: t.strftime("%Y-%m-%d"), "ISO")


def _iso_week_day(_: random.Random, __: Sequence[int]) -> Format:
    write = "{}-W{:02d}-{}".format
    return Format("yyyy-Www-d", lambda t: write(*t.isocalendar()), "ISO weeks")


def _weekday(rng: random.Random, years: Sequence[int]) -> Format:
    inner = rng.choice((_iso_day, _named, _numeric))(rng, years)
    if inner.order and not inner.separator:
        inner = _iso_day(rng, years)
    long, comma = rng.random() < 0.4, rng.choice((" ", ", "))

    def write(t: pd.Timestamp) -> str:
        return t.day_name()[: None if long else 3] + comma + inner.write(t)

    name = "weekday " + inner.name
    return Format(name, write, "weekdays", inner.order, inner.two, inner.separator)


def _day(rng: random.Random, years: Sequence[int]) -> Format:
    makers = (_iso_day,) * 5 + (_numeric,) * 9 + (_named,) * 4 + (_weekday, _iso_week_day)
    return rng.choice(makers)(rng, years)


def _month(rng: random.Random, years: Sequence[int]) -> Format:
    two = _short(years)
    language, names, _ = _month_names(rng)
    some: list[tuple[str, Callable[[pd.Timestamp], str]]] = [
        ("yyyy-mm", lambda t: t.strftime("%Y-%m")), ("yyyy/mm", lambda t: t.strftime("%Y/%m")),
        ("mm/yyyy", lambda t: t.strftime("%m/%Y")), ("mm-yyyy", lambda t: t.strftime("%m-%Y")),
        ("m/yyyy", lambda t: f"{t.month}/{t.year}"), ("mm.yyyy", lambda t: t.strftime("%m.%Y")),
        ("yyyyMmm", lambda t: t.strftime("%YM%m")),
        (f"mmm yyyy {language}", lambda t: f"{names[t.month - 1]} {t.year}"),
        (f"mmm-yyyy {language}", lambda t: f"{names[t.month - 1]}-{t.year}"),
        (f"yyyy-mmm {language}", lambda t: f"{t.year}-{names[t.month - 1]}"),
        (f"yyyy mmm {language}", lambda t: f"{t.year} {names[t.month - 1]}"),
    ]  # fmt: skip
    if two:
        some.append((f"mmm-yy {language}", lambda t: f"{names[t.month - 1]}-{t.year % 100:02d}"))
    if rng.random() < 0.1:
        return Format("yyyymm", lambda t: t.strftime("%Y%m"), "months", number="yyyymm")
    return Format(*rng.choice(some), "months")


def _quarter(rng: random.Random, years: Sequence[int]) -> Format:
    two = _short(years)
    patterns = ["{y}Q{q}", "{y}-Q{q}", "{y} Q{q}", "Q{q} {y}", "Q{q}-{y}", "Q{q}/{y}", "{q}Q{y}"]
    patterns += ["{q}Q{s}", "Q{q} {s}", "Q{q}-{s}"] if two else []
    pattern = rng.choice(patterns)

    def write(t: pd.Timestamp) -> str:
        return pattern.format(y=t.year, q=t.quarter, s=f"{t.year % 100:02d}")

    return Format(pattern, write, "quarters")


def _range(rng: random.Random, years: Sequence[int]) -> Format:
    inner = rng.choice((_iso_day, _iso_day, _numeric, _named))(rng, years)
    joint = rng.choice((" - ", " – ", " to ", "/", "–"))
    if inner.separator in ("/", "-", "") and joint in ("/", "–") and inner.order:
        joint = " - "
    if "/" in inner.name:
        joint = " to "
    last = pd.Timedelta(6, "D")
    return Format(
        f"{inner.name}{joint}…", lambda t: inner.write(t) + joint + inner.write(t + last),
        "ranges", inner.order, inner.two, inner.separator,
    )  # fmt: skip


def _week(rng: random.Random, years: Sequence[int]) -> Format:
    if rng.random() < 0.4:
        return _day(rng, years)
    if rng.random() < 0.5:
        return _range(rng, years)
    mark = rng.choice(("-W", "W", " W", "-KW"))
    write = f"{{}}{mark}{{:02d}}".format
    return Format(f"yyyy{mark}ww", lambda t: write(*t.isocalendar()[:2]), "ISO weeks")


UNIX = {"s": 9, "ms": 6, "us": 3, "ns": 0}


def _number(rng: random.Random, index: pd.DatetimeIndex) -> Format:
    """Unix time, or Excel's days since 1899-12-30."""
    days = index.tz is not None and str(index.tz) != "UTC" and (index == index.normalize()).all()
    late = index[0].year >= 1975 and not days  # local days are none of Unix time's
    if rng.random() < 0.6 and late:
        unit = rng.choice(list(UNIX))
        size = 10 ** UNIX[unit]
        return Format(f"unix {unit}", lambda t: str(t.as_unit("ns").value // size), "unix")
    if index.tz is not None or (index != index.normalize()).any() or index[0].year < 1955:
        return _timed(rng, index, "s")
    origin = pd.Timestamp("1899-12-30")
    return Format("excel", lambda t: str((t - origin).days), "excel", number="excel")


def _clock(
    rng: random.Random, resolution: str, day: Format
) -> tuple[str, Callable[[pd.Timestamp], str]]:
    seconds = resolution == "s" or rng.random() < 0.5
    english = day.family.startswith("numbers") or day.name.endswith("en")
    if english and rng.random() < 0.25:
        upper, gap = rng.random() < 0.7, rng.choice((" ", " ", ""))

        def twelve(t: pd.Timestamp) -> str:
            said = f"{t.hour % 12 or 12}:{t:%M}{f':{t:%S}' * seconds}"
            return said + gap + (f"{t:%p}" if upper else f"{t:%p}".lower())

        return "h:mm AM", twelve
    if rng.random() < 0.1:
        return "h:mm", lambda t: f"{t.hour}:{t:%M}{f':{t:%S}' * seconds}"
    if seconds and rng.random() < 0.15:
        digits = rng.choice((1, 3, 6))
        return "hh:mm:ss.f", lambda t: f"{t:%H:%M:%S}.{'0' * digits}"
    return ("hh:mm:ss", lambda t: f"{t:%H:%M:%S}") if seconds else ("hh:mm", lambda t: f"{t:%H:%M}")


def _offset(rng: random.Random, zone: str) -> tuple[str, Callable[[pd.Timestamp], str]]:
    if zone == "UTC":
        mark = rng.choice(("Z", "Z", "+00:00", " UTC", " GMT", "+0000"))
        return mark, lambda t: mark
    if zone in ("Europe/Berlin", "America/New_York", "America/Los_Angeles") and rng.random() < 0.2:
        return " CET", lambda t: f" {t.tzname()}"
    if "Etc" not in zone and rng.random() < 0.1:
        return f" {zone}", lambda t: f" {zone}"
    if rng.random() < 0.3:
        return "+hhmm", lambda t: f"{t:%z}"
    return "+hh:mm", lambda t: f"{t:%z}"[:3] + ":" + f"{t:%z}"[3:]


def _timed(rng: random.Random, index: pd.DatetimeIndex, resolution: str) -> Format:
    """Date and time of day in one cell."""
    if index.tz is None and rng.random() < 0.12:
        form = {"h": "%Y%m%d%H", "min": "%Y%m%d%H%M"}.get(resolution, "%Y%m%d%H%M%S")
        form = rng.choice((form, form, "%Y%m%d%H%M%S", "%Y%m%dT%H%M%S"))
        return Format(form.replace("%", ""), lambda t: t.strftime(form), "compact, time")
    day = _day_before(rng, index)
    shown, clock = _clock(rng, resolution, day)
    joint = "T" if day.name == "yyyy-mm-dd" and rng.random() < 0.5 and "A" not in shown else " "
    if day.name[0] in "dmw" and rng.random() < 0.1:
        joint = ", " if rng.random() < 0.3 else "  "
    mark, offset = _offset(rng, str(index.tz)) if index.tz is not None else ("", lambda t: "")
    gap = " " if mark.startswith("+") and "A" in shown else ""

    def write(t: pd.Timestamp) -> str:
        return day.write(t) + joint + clock(t) + gap + offset(t)

    return Format(
        f"{day.name}{joint}{shown}{mark}", write,
        f"{day.family}, time{' and zone' * bool(mark)}", day.order, day.two, day.separator,
    )  # fmt: skip


def _day_before(rng: random.Random, index: pd.DatetimeIndex) -> Format:
    """A date that a time of day can follow."""
    years = (index[0].year, index[-1].year)
    if index.tz is not None and rng.random() < 0.6:
        return _iso_day(rng, years)
    while True:
        day = _day(rng, years)
        if day.family not in ("ISO weeks", "compact"):
            return day


def one_column(rng: random.Random, index: pd.DatetimeIndex, resolution: str) -> Format:
    years = (index[0].year, index[-1].year)
    if rng.random() < 0.06 and resolution != "Y":
        return _number(rng, index)
    if index.tz is not None or resolution in ("s", "min", "h"):
        return _timed(rng, index, resolution)
    if resolution == "Y" and rng.random() < 0.7:
        return Format("yyyy", lambda t: str(t.year), "years", number="year")
    maker = {"M": _month, "Q": _quarter, "W": _week}.get(resolution, _day)
    if maker is _day or rng.random() < 0.3:
        if rng.random() < 0.15:
            return _timed(rng, index, "D")
        maker = _day
    return maker(rng, years)


Columns = list[tuple[str, Callable[[pd.Timestamp], str]]]
PART_NAMES = (
    {"y": "Year", "m": "Month", "d": "Day", "h": "Hour", "w": "Week", "q": "Quarter"},
    {"y": "year", "m": "month", "d": "day", "h": "hour", "w": "week", "q": "quarter"},
    {"y": "Jahr", "m": "Monat", "d": "Tag", "h": "Stunde", "w": "KW", "q": "Quartal"},
    {"y": "YEAR", "m": "MO", "d": "DY", "h": "HR", "w": "WK", "q": "QTR"},
    {"y": "año", "m": "mes", "d": "día", "h": "hora", "w": "semana", "q": "trimestre"},
)


def parts_apart(
    rng: random.Random, index: pd.DatetimeIndex, resolution: str
) -> tuple[Format, Columns] | None:
    """Date and time apart, or the parts of a date; None where neither can write the index."""
    years = (index[0].year, index[-1].year)
    if index.tz is not None or resolution in ("Y", "s"):
        return None
    if resolution in ("h", "min") and (resolution == "min" or rng.random() < 0.6):
        day = _day_before(rng, index) if rng.random() < 0.9 else _day(rng, years)
        shown, clock = _clock(rng, resolution, day)
        names = rng.choice((("Date", "Time"), ("date", "time"), ("Datum", "Uhrzeit"),
                            ("fecha", "hora"), ("DATE", "TIME")))  # fmt: skip
        form = Format(f"{day.name} | {shown}", day.write, "date and time apart", day.order, day.two,
                      day.separator)  # fmt: skip
        return form, [(names[0], day.write), (names[1], clock)]
    parts = {"h": "ymdh", "D": "ymd", "M": "ym", "Q": "yq", "W": "yw"}[resolution]
    names_of = rng.choice(PART_NAMES[:3] + PART_NAMES)
    _, months, _ = _month_names(rng)
    named = rng.random() < 0.2
    writers: dict[str, Callable[[pd.Timestamp], str]] = {
        "y": lambda t: str(t.isocalendar()[0] if parts == "yw" else t.year),
        "m": lambda t: months[t.month - 1] if named else str(t.month),
        "d": lambda t: str(t.day), "h": lambda t: str(t.hour),
        "w": lambda t: str(t.isocalendar()[1]), "q": lambda t: str(t.quarter),
    }  # fmt: skip
    columns = [(names_of[p], writers[p]) for p in parts]
    if rng.random() < 0.2:
        columns.reverse()
    return Format(" | ".join(n for n, _ in columns), lambda t: "", "parts apart"), columns
