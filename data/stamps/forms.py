"""The form of a written stamp: which of its characters are year, month, day, hour, zone.

A text's *skeleton* has ``9`` for every digit, so that all texts of one skeleton have their numbers
at the same places: a column has few skeletons, and is then cut up at once. What the numbers mean
is told by their lengths, by what stands between them, and by words; where they can mean two things,
a form has several orders, and the whole column decides (:mod:`birnn.data.stamps.orders`).
"""

import re
import zoneinfo
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache

from birnn.data.stamps import words

LONGEST = 80  # characters of a stamp
AMPM = r"(?<![^\W\d_])[aApP]\.?[mM]\.?(?=[zZ]?(?![^\W\d_]))"
TOKEN = re.compile(rf"(?P<ampm>{AMPM})|(?P<num>9+)|(?P<word>[^\W\d_]+)|(?P<gap>\s+)|(?P<sign>.)")
BETWEEN = re.compile(r"\s+(?:-|–|—|to|bis|until|till|through|à|→|a|al|tot)\s+|\s*(?:~|\.\.+|→)\s*")
ZONE_AFTER = re.compile(r"\s*\(?\b([A-Za-z]{1,5}|[A-Za-z]+/[A-Za-z_]+)\)?$")
MARKS = {"Q": words.QUARTERS, "W": words.WEEKS, "H": words.HALVES, "P": words.MONTHS}
DAY_ORDERS = ("dmy", "mdy")
# By the signs of a date (lengths of numbers, M for a month's name, marks): the orders that it can
# be in. Letters name the numbers from the left: year, month, day, quarter, week, half, n for the
# day of the year, u for that of the week; _ for a sign that is no number.
ORDERS: dict[str, tuple[str, ...]] = {
    "422": ("ymd", "ydm"), "224": DAY_ORDERS, "222": ("dmy", "mdy", "ymd"),
    "42": ("ym", "yq", "yw"), "24": ("my",), "43": ("yn",), "8": ("c",), "6": ("e",),
    "2M4": ("d_y",), "M24": ("_dy",), "4M2": ("y_d",), "42M": ("yd_",),
    "2M2": ("d_y", "y_d"), "M22": ("_dy",),
    "M4": ("_y",), "4M": ("y_",), "M2": ("_y",), "2M": ("y_",),
    "4Q2": ("y_q",), "Q24": ("_qy",), "2Q4": ("q_y",), "2Q2": ("q_y",), "Q22": ("_qy",),
    "42Q": ("yq_",), "4W2": ("y_w",), "W24": ("_wy",), "2W4": ("w_y",), "W22": ("_wy",),
    "42W": ("yw_",), "4W22": ("y_wu",), "4W3": ("y_v",), "4H2": ("y_h",), "H24": ("_hy",),
    "2H4": ("h_y",), "2H2": ("h_y",), "H22": ("_hy",), "42H": ("yh_",), "4P2": ("y_m",),
}  # fmt: skip
DATED = re.compile(r"422|224|8|2M4|M24|4M2|42M")  # what a time without colons may follow
LONE_YEAR = {"M2", "2M"}  # its two digits may as well be a day without a year


@dataclass(frozen=True)
class Form:
    """How texts of one skeleton are read: places are pairs of characters, end excluded."""

    signs: str  # the key of ORDERS
    numbers: tuple[tuple[int, int], ...]  # those of the date, from the left
    month: int = 0  # of a month's name
    clock: dict[str, tuple[int, int]] = field(default_factory=dict)  # H, M, S, f (a fraction)
    half: int = -1  # 0 for AM, 1 for PM
    zone: str = ""  # a name of the time zone database
    offset: int | None = None  # minutes east of Greenwich of a zone that is named in short
    called: str = ""  # its short name, in lower case
    east: dict[str, tuple[int, int]] = field(default_factory=dict)  # places of hours and minutes
    sign: int = 1  # of these
    range: bool = False  # what stands there is the first of two stamps
    short: bool = False  # the year has two digits
    dots: bool = False  # the numbers of the date have dots between them


@dataclass(frozen=True)
class Token:
    """A piece of a skeleton."""

    kind: str  # num, word, ampm, gap, sign
    text: str
    place: tuple[int, int]


def skeleton(text: str) -> str:
    """``text`` with 9 for every digit."""
    return re.sub(r"[0-9]", "9", text)


@lru_cache(20_000)
def read_form(skeleton: str) -> Form | None:
    """The form of a skeleton; ``None`` for no stamp that is known."""
    if not 4 <= len(skeleton) <= LONGEST or "9" not in skeleton:
        return None
    two = _first_of_two(skeleton)
    if two is None:
        return _read_one(skeleton)
    form = _read_one(two[0], alone=False)
    zone = ZONE_AFTER.search(two[1])
    if form and zone and form.offset is None and not form.east:
        called = zone[1].casefold()
        form = replace(form, offset=words.ZONES.get(called), called=called,
                       zone=_zone_names().get(called, ""))  # fmt: skip
    return replace(form, range=True) if form else None


def _read_one(skeleton: str, *, alone: bool = True) -> Form | None:
    """A lone stamp; eight digits are a date only where they do not stand alone."""
    tokens = _tokens(skeleton)
    tokens = [token for token in tokens if token.text not in "()[]\"'´`’" or token.kind != "sign"]
    clock, rest = _take_clock(tokens)
    return _read_date(rest, clock, alone) if clock else None


def _tokens(skeleton: str) -> list[Token]:
    found = TOKEN.finditer(skeleton)
    return [Token(str(match.lastgroup), match.group(), match.span()) for match in found]


@lru_cache(20_000)
def read_clock(skeleton: str) -> Form | None:
    """The form of a time of day alone: ``9:99``, ``99:99:99``, ``9 PM``; of a span its first."""
    if len(skeleton) > LONGEST or "9" not in skeleton:
        return None
    cut = re.match(r"(.*?[9mM])\s*[-–]\s*9", skeleton)
    if cut:
        skeleton = cut[1]
    clock, rest = _take_clock(_tokens(skeleton))
    left = [t for t in rest if t.kind != "gap" and words.plain(t.text) not in words.FILLERS]
    return replace(clock, range=bool(cut)) if clock and clock.clock and not left else None


def _first_of_two(skeleton: str) -> tuple[str, str] | None:
    """Two stamps of like form, or a stamp and a time of day; ``None`` for a lone stamp."""
    plain = ZONE_AFTER.sub("", skeleton)
    for match in BETWEEN.finditer(plain):
        one, two = plain[: match.start()], plain[match.end() :]
        if one.count("9") < 4 or two.count("9") < 2:
            continue
        if _loose(one) == _loose(two) or (":" in two and _loose(one).endswith(_loose(two))):
            return one, skeleton[match.end() :]
    for match in re.finditer(r"[/_–~-]", skeleton):
        one, two = skeleton[: match.start()], skeleton[match.end() :]
        alike = one.count("9") >= 5 and _loose(one) == _loose(two)
        if alike and _read_one(one, alone=False):
            return one, two
    return None


def _loose(skeleton: str) -> str:
    """A skeleton whose numbers may have one digit or two, and whose words are any, with a dot."""
    return re.sub(r"[^\W\d_]+\.?", "a", re.sub(r"\b9\b", "99", skeleton)).strip()


def _take_clock(tokens: list[Token]) -> tuple[Form | None, list[Token]]:
    """Cut the time of day and its zone out; what is left is the date."""
    form = Form("", ())
    begin, end, clock = _find_clock(tokens)
    if clock:
        while end < len(tokens) and tokens[end].kind == "gap":
            end += 1
        half = -1
        if end < len(tokens) and tokens[end].kind == "ampm":
            half, end = int(tokens[end].text[0] in "pP"), end + 1
        return _take_zone(replace(form, clock=clock, half=half), tokens[:begin], tokens[end:])
    at = next((at for at, token in enumerate(tokens) if token.kind == "ampm"), None)
    if at is None:
        return _take_last_zone(form, tokens)
    before = at - 1 - (at > 1 and tokens[at - 1].kind == "gap")
    if before < 0 or tokens[before].kind != "num" or len(tokens[before].text) > 2:
        return None, tokens
    form = replace(form, half=int(tokens[at].text[0] in "pP"), clock={"H": tokens[before].place})
    return _take_zone(form, tokens[:before], tokens[at + 1 :])


def _find_clock(tokens: list[Token]) -> tuple[int, int, dict[str, tuple[int, int]]]:
    """The first chain of numbers with colons that is a time: where it begins and ends, its parts.

    ``2024:01:05 10:00:00`` begins with a date, ``01JAN2024:10:00:00`` has its year before the hour.
    """
    at = 0
    while at < len(tokens):
        chain = [at] if tokens[at].kind == "num" else []
        while chain and chain[-1] + 2 < len(tokens) and tokens[chain[-1] + 1].text == ":":
            if tokens[chain[-1] + 2].kind != "num":
                break
            chain.append(chain[-1] + 2)
        after = chain[-1] + 1 if chain else at + 1
        signed = at > 0 and tokens[at - 1].text == "+"
        lengths = [len(tokens[place].text) for place in chain]
        if len(chain) > 1 and (lengths[0] == 4 or (len(chain) == 4 and lengths[-1] == 2)):
            worded = any(token.kind == "word" for token in tokens[:at]) or len(chain) == 4
            chain, lengths = (chain[1:], lengths[1:]) if worded else ([], [])
        if len(chain) > 1 and not signed and max(lengths[:3]) <= 2 and lengths[1] == 2:
            clock = {role: tokens[p].place for role, p in zip("HMSf", chain, strict=False)}
            point = len(chain) == 3 and after + 1 < len(tokens) and tokens[after].text in ".,"
            if point and tokens[after + 1].kind == "num":
                clock["f"] = tokens[after + 1].place
                after += 2
            return chain[0], after, clock
        at = after
    return 0, 0, {}


def _take_zone(form: Form, before: list[Token], after: list[Token]) -> tuple[Form, list[Token]]:
    """Take a zone from what follows the time of day: an offset, a name in short or in full."""
    kept, at = [token for token in after if token.kind != "gap"], 0
    called = kept[0].text.casefold() if kept and kept[0].kind == "word" else ""
    if called in words.ZONES:
        form, at = replace(form, offset=words.ZONES[called], called=called), 1
    if signed := _take_offset(kept[at:]):
        form, at = replace(form, east=signed[0], sign=signed[1]), at + signed[2]
    name = "".join(token.text for token in kept[at:]).casefold()
    if name in _zone_names():
        # An offset beside it says the same, and more: which of two hours in autumn it is.
        return replace(form, zone=_zone_names()[name]), before
    return form, [*before, *kept[at:]]


def _take_last_zone(form: Form, tokens: list[Token]) -> tuple[Form, list[Token]]:
    """Take a zone from the end of a stamp without a time of day: ``2024-01-01Z``."""
    kept = [token for token in tokens if token.kind != "gap"]
    last = kept[-1] if kept else None
    if last and last.kind == "word" and last.text.casefold() in ("z", "utc", "gmt"):
        return replace(form, offset=0), kept[:-1]
    for back in (2, 4):
        signed = _take_offset(kept[-back:]) if kept[-back:][0].text == "+" else None
        if signed and signed[2] == back:
            return replace(form, east=signed[0]), kept[:-back]
    return form, tokens


def _take_offset(tokens: list[Token]) -> tuple[dict[str, tuple[int, int]], int, int] | None:
    """``+01:00``, ``+0100``, ``+01``, ``+1``: places of hours and minutes, sign, tokens used."""
    if len(tokens) < 2 or tokens[0].text not in "+-" or tokens[1].kind != "num":
        return None
    start, end = tokens[1].place
    sign = -1 if tokens[0].text == "-" else 1
    if end - start == 4:
        return {"h": (start, start + 2), "m": (start + 2, end)}, sign, 2
    if end - start > 2:
        return None
    if len(tokens) > 3 and tokens[2].text == ":" and len(tokens[3].text) == 2:
        return {"h": (start, end), "m": tokens[3].place}, sign, 4
    return {"h": (start, end)}, sign, 2


@cache
def _zone_names() -> dict[str, str]:
    return {name.casefold(): name for name in zoneinfo.available_timezones() if "/" in name}


def _read_date(tokens: list[Token], form: Form, alone: bool) -> Form | None:
    """The date of what is left of a stamp."""
    tokens = [token for token in tokens if token.kind != "gap" and token.text != ","]
    for as_weekday in (False, True):  # mar. is March, or a Tuesday
        read = _signs(tokens, skip_first=as_weekday)
        found = _match(*read, form, alone) if read else None
        if found is not None:
            first = next(at for at, token in enumerate(tokens) if token.kind == "num")
            after = tokens[first + 1].text if first + 1 < len(tokens) else ""
            return replace(found, dots=after == ".")
    return None


def _signs(tokens: list[Token], *, skip_first: bool) -> tuple[str, list[Token], int] | None:
    """Signs as in ORDERS (numbers of one digit count as two), the numbers, the month's name."""
    signs, numbers, month = "", [], 0
    for token in tokens:
        name = words.plain(token.text)
        if token.kind == "num":
            numbers.append(token)
            signs += str(max(2, len(token.text))) if len(token.text) < 10 else "x"
            continue
        if token.kind == "sign" and token.text in "-/._:–—'":
            continue
        if token.kind != "word":
            return None
        if name in "年月日":
            continue
        if skip_first and words.is_weekday(name) and not signs:
            skip_first = False
            continue
        mark = next((sign for sign, names in MARKS.items() if name in names), "")
        if number := words.month_number(name):
            if month:
                return None
            month, signs = number, signs + "M"
        elif name == "t" and signs not in ("", "4"):
            signs += "T"
        elif name == "t" and signs in ("", "4"):  # trimestre
            signs += "Q"
        elif mark and not (mark == "H" and name == "h" and len(signs) > 2):
            signs += mark
        elif not (name in words.FILLERS or words.is_weekday(name)):
            return None
    return signs, numbers, month


def _match(signs: str, numbers: list[Token], month: int, form: Form, alone: bool) -> Form | None:
    """The orders of the longest beginning of ``signs`` that is a date; the rest is a clock's."""
    plain = signs.rstrip("T")
    for length in range(min(len(plain), 5), 0, -1):
        head, tail = plain[:length], plain[length:].removeprefix("T")
        zoned = form.east or form.offset is not None
        if head not in ORDERS or (head in "68" and alone and not (tail or form.clock or zoned)):
            continue
        count = sum(sign.isdigit() for sign in head)
        own, rest = numbers[:count], numbers[count:]
        clock = form.clock
        if tail:
            compact = _compact_clock(tail, rest) if DATED.fullmatch(head) and not clock else None
            if compact is None:
                continue
            clock = compact
        if not _year_fits(head, own):
            continue
        places = tuple(token.place for token in own)
        short = not any(len(token.text) in (4, 8) for token in own)
        return replace(form, signs=head, numbers=places, month=month, clock=clock, short=short)
    return None


def _year_fits(head: str, numbers: list[Token]) -> bool:
    """Whether the year has more than one digit, in one of the orders that the date can be in."""
    orders = (order.replace("_", "") for order in ORDERS[head])
    years = (order.find("y") for order in orders)
    return any(at < 0 or len(numbers[at].text) > 1 for at in years)


def _compact_clock(tail: str, numbers: list[Token]) -> dict[str, tuple[int, int]] | None:
    """A time of day without colons: ``00``, ``00 30``, ``0030``, ``003000``, ``003000.5``."""
    if tail.strip("2") == "" and len(numbers) <= 3:
        return {role: token.place for role, token in zip("HMS", numbers, strict=False)}
    first, rest = tail[0], numbers[1:]
    if not ((first == "6" and len(rest) <= 1) or (tail in ("4", "4T") and not rest)):
        return None
    start, end = numbers[0].place
    places = [(at, at + 2) for at in range(start, end, 2)]
    return dict(zip("HMSf", [*places, *(token.place for token in rest)], strict=False))
