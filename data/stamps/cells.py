"""The numbers of a column's stamps, cut out of its texts: a slice at a time, each text once."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from birnn.arrays import Codes, Ints
from birnn.data.stamps.forms import Form, read_form

SLICE = 1_000_000  # rows that are text in memory at once
NAIVE = 10**6  # minutes east of Greenwich where nothing is said of a zone
MOST_FORMS = 5_000  # skeletons of a column; what has more is prose
PARTS = ("one", "two", "three", "H", "M", "S", "f", "half", "east", "month", "form")
FOREIGN = (("[\u00a0\u2000-\u200b\u202f\u3000]", " "), ("[\u2010-\u2015\u2212]", "-"))


@dataclass(frozen=True)
class Cells:
    """Numbers of ``R`` texts; ``form`` is the place of each one's form, -1 for none."""

    forms: list[Form]
    parts: dict[str, Codes]  # of PARTS, each [R] and int32; ``east`` is NAIVE without an offset

    def rows(self, signs: str) -> Ints:
        """The texts of the forms with these signs."""
        wanted = [number for number, form in enumerate(self.forms) if form.signs == signs]
        return np.flatnonzero(np.isin(self.parts["form"], wanted))


def trimmed(column: pa.ChunkedArray) -> pa.Array:
    """A slice of texts in one piece: no spaces around, none for a null, plain spaces and dashes."""
    texts = pc.fill_null(pc.utf8_trim_whitespace(column), "")
    if not pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        for foreign, plain in FOREIGN:
            texts = pc.replace_substring_regex(texts, foreign, plain)
    return texts.combine_chunks()


def cut_cells(column: pa.ChunkedArray) -> Cells:
    """Cut a column ``[R]`` of texts up by the forms of its cells."""
    known: dict[str, int] = {}
    forms: list[Form] = []
    parts = {part: np.zeros(len(column), np.int32) for part in PARTS}
    for start in range(0, len(column), SLICE):
        coded = trimmed(column.slice(start, SLICE)).dictionary_encode()
        places = coded.indices.to_numpy(zero_copy_only=False)
        for part, values in _cut(coded.dictionary, known, forms).items():
            parts[part][start : start + len(places)] = values[places]
    return Cells(forms, parts)


def _cut(texts: pa.Array, known: dict[str, int], forms: list[Form]) -> dict[str, Codes]:
    """The parts of ``[U]`` distinct texts; adds to the forms and skeletons that are ``known``."""
    parts = {part: np.zeros(len(texts), np.int32) for part in PARTS}
    parts["form"][:], parts["half"][:], parts["east"][:] = -1, -1, NAIVE
    coded = pc.replace_substring_regex(texts, "[0-9]", "9").dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(coded.dictionary) + 1))
    for number, skeleton in enumerate(coded.dictionary.to_pylist()):
        place = known.get(skeleton)
        if place is None and len(known) < MOST_FORMS:
            form = read_form(skeleton)
            place = known[skeleton] = -1 if form is None else len(forms)
            forms += [form] if form else []
        if place is None or place < 0:
            continue
        rows = order[bounds[number] : bounds[number + 1]]
        _fill(parts, rows, texts if len(rows) == len(texts) else texts.take(pa.array(rows)),
              forms[place], place)  # fmt: skip
    return parts


def _fill(parts: dict[str, Codes], rows: Ints, texts: pa.Array, form: Form, place: int) -> None:
    """Fill in what the texts ``[K]`` of one form hold."""
    parts["form"][rows], parts["month"][rows], parts["half"][rows] = place, form.month, form.half
    for part, (start, end) in zip(PARTS, form.numbers, strict=False):
        parts[part][rows] = _number(texts, start, end)
    for part, (start, end) in form.clock.items():
        number = _number(texts, start, min(end, start + 9))
        parts[part][rows] = number * 10 ** (9 - min(end - start, 9)) if part == "f" else number
    if form.offset is not None or form.east:
        parts["east"][rows] = form.offset or 0
    for minutes, (start, end) in zip((60, 1), form.east.values(), strict=False):
        parts["east"][rows] += form.sign * minutes * _number(texts, start, end)


def _number(texts: pa.Array, start: int, end: int) -> Codes:
    return np.asarray(
        pc.utf8_slice_codeunits(texts, start, end).cast(pa.int32()).to_numpy(zero_copy_only=False)
    )
