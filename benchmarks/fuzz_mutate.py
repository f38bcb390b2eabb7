"""Bend a valid input: at the level of bytes, of lines and fields, and of JSON values."""

import json
import random
from typing import Any

NASTY = (
    b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b'"', b"'", b"\\", b"\r", b"\t", b"\n\n",
    b"-1", b"0", b"1e999", b"NaN", b"Infinity", b"9" * 20, b"9" * 5000, b"0x" + b"f" * 5000,
    b"../../etc/passwd", b"/dev/zero", b"%s%n", b"[red]x[/red]", b"[/]", b"\x1b[31m", b"=1+1",
    "\u202e\u2028é\U0001f600".encode(), b"[" * 3000, b"{" * 3000, b"a" * 5000, b"0001-01-01",
    b"9999-12-31", b"2024-02-30", b"2024-13-01T25:61:61+99:99", b"-DOCSTART-",
    b"# global.columns =", b"_", b"O", b"B-", b"I-x", b"1-2", b"1.1", b"-0", b"1_000",
    b"true", b"null", b"{}", b"[]",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 10**6, 10**12, 2**31, 2**63, -(2**63) - 1, 10**400, 0.5,
    -0.0, 1e308, 5e-324, float("nan"), float("inf"), "", "x", "auto", "none", "../x", "/dev/zero",
    "\0", "\ud800", "\x1b[31m", "[red]x[/red]", "a" * 10_000, [], {}, [[]], [0], [None], ["x"],
    {"x": 1},
    {"__class__": "os.system"}, "O", "B-x", "dateutil//dev/zero", "raw", "spacy", "cuda", "nan",
)  # fmt: skip


def mutate(data: bytes, generator: random.Random) -> bytes:
    """``data`` bent in one to four places."""
    for _ in range(generator.choice((1, 1, 1, 2, 4))):
        data = generator.choice((of_bytes, of_lines, of_lines, of_json, of_json))(data, generator)
    return data


def of_bytes(data: bytes, generator: random.Random) -> bytes:
    """Flip, insert, cut, repeat or cross out bytes."""
    place = generator.randint(0, len(data))
    end = min(len(data), place + generator.choice((1, 1, 2, 8, 64)))
    how = generator.randrange(6)
    if how == 0:
        return data[:place] + bytes([generator.randrange(256)]) + data[end:]
    if how == 1:
        return data[:place] + generator.choice(NASTY) + data[place:]
    if how == 2:
        return data[:place]
    if how == 3:
        return data[:end] + data[place:]
    if how == 4:
        return data[:place] + data[end:]
    return data[:place] + generator.choice(NASTY) + data[end:]


def of_lines(data: bytes, generator: random.Random) -> bytes:
    """Double, drop, swap or join lines, or change a field of one."""
    lines = data.split(b"\n")
    one, other = generator.randrange(len(lines)), generator.randrange(len(lines))
    how = generator.randrange(6)
    if how == 0:
        lines.insert(one, lines[other])
    elif how == 1:
        del lines[one]
    elif how == 2:
        lines[one], lines[other] = lines[other], lines[one]
    elif how == 3:
        lines[one] = b""
    else:
        mark = generator.choice((b"\t", b",", b" ", b'"', b":", b"="))
        fields = lines[one].split(mark)
        place = generator.randrange(len(fields))
        if how == 4:
            fields[place] = generator.choice(NASTY)
        else:
            fields.insert(place, fields[generator.randrange(len(fields))])
        lines[one] = mark.join(fields)
    return b"\n".join(lines)


def of_json(data: bytes, generator: random.Random) -> bytes:
    """Change a value of JSON: of a whole file, one after a byte, a line of it, or a header."""
    if len(data) > 8 and data.find(b"{", 0, 12) in (8, 9):  # safetensors, after a byte or none
        start = data.find(b"{", 0, 12) - 8
        length = int.from_bytes(data[start : start + 8], "little")
        head = data[start + 8 : start + 8 + length]
        if len(head) < length or length > 1 << 24:
            return of_bytes(data, generator)
        if generator.random() < 0.3:  # of the values: some number of four bytes
            rest = bytearray(data)
            place = generator.randrange(start + 8 + length, len(data) + 1) & ~3
            odd = (b"\0\0\x80\x7f", b"\0\0\xc0\x7f", b"\xff\xff\x7f\x7f", b"\0\0\0\0", b"\1\0\0\0")
            rest[place : place + 4] = generator.choice(odd)
            return bytes(rest)
        changed = _changed(head, generator)
        size = len(changed) if generator.random() < 0.9 else generator.getrandbits(40)
        rest_of_it = data[start + 8 + length :]
        return data[:start] + size.to_bytes(8, "little") + changed + rest_of_it
    if data[:1] < b" ":
        return data[:1] + _changed(data[1:], generator)
    if b"}\n{" in data:
        lines = data.split(b"\n")
        place = generator.randrange(len(lines))
        lines[place] = _changed(lines[place], generator)
        return b"\n".join(lines)
    return _changed(data, generator)


def _changed(data: bytes, generator: random.Random) -> bytes:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):  # bent before
        return of_bytes(data, generator)
    places: list[tuple[Any, Any]] = []
    try:
        _collect(value, places)
    except RecursionError:
        return of_bytes(data, generator)
    if not places:
        return json.dumps(generator.choice(VALUES)).encode()
    # Half the time a place near the top: large lists would have nearly all the places.
    place = generator.choice(places[:60] if generator.random() < 0.5 else places)
    holder, key = place
    how = generator.randrange(6)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, list):
        holder.insert(key, holder[generator.randrange(len(holder))])
    elif how == 1:
        holder[generator.choice(("x", "__class__", "", "\ud800", "pad"))] = holder[key]
    elif how == 2:
        other, name = generator.choice(places)
        holder[key] = json.loads(json.dumps(other[name]))
    elif how == 3 and type(holder[key]) is int:
        holder[key] = holder[key] * generator.choice((-1, 0, 2, 10, 1000)) + generator.choice(
            (0, 1)
        )
    else:
        holder[key] = generator.choice(VALUES)
    try:
        text = json.dumps(value, ensure_ascii=generator.random() < 0.5)
    except (ValueError, RecursionError):  # a number of too many digits
        return of_bytes(data, generator)
    return text.encode("utf-8", "surrogatepass")


def _keys(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    if len(places) > 5000 or not isinstance(value, dict | list):
        return
    for key in list(_keys(value)):
        places.append((value, key))
        _collect(value[key], places)
