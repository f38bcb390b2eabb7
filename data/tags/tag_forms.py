"""Tags as people write them → ``O`` and ``B-PER``, and back: the schemes know no other form."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from birnn.errors import ConfigError

LETTERS = "BIESLUMW"
MIDDLE = {"M": "I", "W": "S"}  # the middle and the whole of BMEWO and BMES
OUTSIDES = ("O", "o", "0", "_", "-")
JOINTS = "-_:"
ONE_TYPE = "span"  # of tags that name none
MOSTLY = 0.95  # of the tags other than O that must be of a form
IO_SHARE = 0.5  # of O, from which on PER PER O are spans and no parts of speech
ASKED = ("auto", "raw", "iob1", "iob2", "iobes", "bilou")  # what an option may ask for


@dataclass(frozen=True)
class TagForm:
    """How a file writes its tags.

    ``prefix`` is ``B-PER``, ``suffix`` ``PER-B``, ``bare`` ``B`` alone, ``io`` ``PER`` alone, and
    ``raw`` whatever stands there.
    """

    kind: str = "prefix"
    joint: str = "-"
    outside: str = "O"
    lower: bool = False  # b-per
    middle: str = ""  # which of M and W stand for I and S

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "TagForm":
        """From what a run keeps of it; the usual form from nothing."""
        return cls(**{name: kept[name] for name in cls.__dataclass_fields__ if name in kept})

    def to_json(self) -> dict[str, Any]:
        """What a run keeps."""
        return asdict(self)

    @property
    def usual(self) -> bool:
        """Whether tags stay as they are."""
        return self in (TagForm(), TagForm("raw"))

    def fits(self, tag: str) -> bool:
        """Whether ``tag`` is written so."""
        return self.kind == "raw" or tag in ("O", self.outside) or self._letter(tag) is not None

    def read(self, tag: str) -> str:
        """``tag`` as ``B-PER`` or ``O``; one of another form as it is."""
        if self.usual:
            return tag
        if tag in ("O", self.outside):
            return "O"
        found = self._letter(tag)
        return tag if found is None else f"{found[0]}-{found[1]}"

    def write(self, tag: str) -> str:
        """The way back from what :meth:`read` makes."""
        if self.usual:
            return tag
        if tag == "O":
            return self.outside
        letter, kind = tag[0], tag[2:]
        letter = next((own for own in self.middle if MIDDLE[own] == letter), letter)
        letter = letter.lower() if self.lower else letter
        if self.kind == "bare":
            return letter
        if self.kind == "io":
            return kind
        parts = (letter, kind) if self.kind == "prefix" else (kind, letter)
        return self.joint.join(parts)

    def _letter(self, tag: str) -> tuple[str, str] | None:
        """Letter of the scheme and type of a tag of this form; None for another."""
        if self.kind == "io":
            return ("I", tag) if tag and not _split(tag, "prefix", "-") else None
        pair = (tag, ONE_TYPE) if self.kind == "bare" else _split(tag, self.kind, self.joint)
        if pair is None or len(pair[0]) != 1:
            return None
        letter = pair[0].upper() if self.lower else pair[0]
        if letter not in LETTERS or (letter in MIDDLE and letter not in self.middle):
            return None
        return MIDDLE.get(letter, letter), pair[1]

    def words(self) -> str:
        """What is said of a form that is not the usual one."""
        if self.usual:
            return ""
        if self.kind == "io":
            return (
                "tags without B- and I-: neighbours of one type are read as one span"
                " (--tag-scheme raw takes each tag alone)"
            )
        if self.kind == "bare":
            return (
                f"tags name no type: spans of one type, called {ONE_TYPE!r}"
                " (--tag-scheme raw takes each tag alone)"
            )
        shown = self.write("B-PER")
        outside = "" if self.outside == "O" else f", {self.outside!r} is read as O"
        middle = "".join(f", {own} is read as {MIDDLE[own]}" for own in self.middle)
        if shown == "B-PER":
            return f"tags:{outside[1:]}{middle}".replace(":,", ":")
        return f"tags are written like {shown}, read as B-PER{outside}{middle}"


USUAL = TagForm()


def _split(tag: str, kind: str, joint: str) -> tuple[str, str] | None:
    """Letter and type, by where ``joint`` stands; None where it doesn't."""
    if len(tag) < 3:
        return None
    if kind == "prefix":
        return (tag[0], tag[2:]) if tag[1] == joint else None
    return (tag[-1], tag[:-2]) if tag[-2] == joint else None


def tell_form(counts: Mapping[str, int], asked: str = "auto") -> TagForm:
    """The form of the tags that stand so often.

    >>> tell_form({"O": 9, "B_PER": 2}).read("B_PER"), tell_form({"B": 1, "O": 1}).read("B")
    ('B-PER', 'B-span')
    >>> tell_form({"PER": 2, "O": 5}).kind, tell_form({"NOUN": 2, "VERB": 1}).kind
    ('io', 'raw')

    Raises:
        ConfigError: ``asked`` is none of :data:`ASKED`.
    """
    if asked not in ASKED:
        raise ConfigError(f"tag_scheme: no {asked!r}; there are: {', '.join(ASKED)}")
    if asked == "raw":
        return TagForm("raw")
    marks = {tag: n for tag, n in counts.items() if tag not in OUTSIDES}
    if not marks:
        return TagForm("raw" if counts and "O" not in counts else "prefix")
    outside = next((tag for tag in OUTSIDES if tag in counts), "O")
    for kind, joint, lower in _candidates():
        form = TagForm(kind, joint, outside, lower, "MW")
        letters = {tag.upper()[0 if kind != "suffix" else -1] for tag in marks if form.fits(tag)}
        form = replace(form, middle="".join(sorted(letters & {*MIDDLE})) if "B" in letters else "")
        fitting = sum(n for tag, n in marks.items() if form.fits(tag))
        usual = (kind, joint, lower) == ("prefix", "-", False)
        opens = usual or ("B" in letters and (kind != "bare" or len(counts) > 1))
        if opens and fitting >= (MOSTLY if usual else 1.0) * sum(marks.values()):
            return form
    plain = not any(_split(tag, "prefix", "-") and tag[0] in LETTERS for tag in marks)
    words = all(len(tag) > 1 for tag in marks)
    if plain and words and counts.get("O", 0) >= IO_SHARE * sum(counts.values()):
        return TagForm("io")
    return TagForm("raw")


def _candidates() -> Sequence[tuple[str, str, bool]]:
    written = [(kind, joint, lower) for kind in ("prefix", "suffix") for joint in JOINTS
               for lower in (False, True)]  # fmt: skip
    return [*written, ("bare", "-", False), ("bare", "-", True)]
