"""What the spelling of a token says: its letters, its affixes, how it is written."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from birnn.arrays import Ints
from birnn.data.text.tokenizers import PAD, UNKNOWN

MAX_CHARACTERS = 32  # of a token that are read: the first and the last halves of a longer one
PREFIXES, SUFFIXES = (1, 2, 3), (1, 2, 3, 4)
AFFIX_SLOTS = len(PREFIXES) + len(SUFFIXES)
CASE_SIZE = 10


def letters(token: str) -> str:
    """The characters that are read: all, or the first and last sixteen.

    >>> letters("a" * 40 + "b") == "a" * 16 + "a" * 15 + "b"
    True
    """
    half = MAX_CHARACTERS // 2
    return token if len(token) <= MAX_CHARACTERS else token[:half] + token[-half:]


def affixes(token: str) -> list[str]:
    """Prefixes of 1 to 3 and suffixes of 1 to 4 characters, in lower case, as ``-`` marks them.

    A slot that is longer than the token holds the whole token.

    >>> affixes("Unto")
    ['u-', 'un-', 'unt-', '-o', '-to', '-nto', '-unto']
    """
    plain = token.lower()
    return [f"{plain[:n]}-" for n in PREFIXES] + [f"-{plain[-n:]}" for n in SUFFIXES]


@lru_cache(maxsize=100_000)
def case_features(token: str) -> tuple[float, ...]:
    """How a token is written, as ``CASE_SIZE`` numbers of 0 or 1.

    >>> case_features("iPhone5")
    (0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    """
    inner = token[1:]
    flags = (
        token.islower(), token.isupper(), token.istitle(), any(c.isupper() for c in inner),
        any(c.isdigit() for c in token), any(c.isalpha() for c in token), "-" in inner,
        not any(c.isalnum() for c in token), token[0] in "#@", token.isdigit(),
    )  # fmt: skip
    return tuple(float(flag) for flag in flags)


def frequent(values: Iterable[str], least: int) -> list[str]:
    """``<pad>``, ``<unk>``, and what stands there ``least`` times, by falling frequency."""
    counts = Counter(values)
    known = sorted((v for v, n in counts.items() if n >= least), key=lambda v: (-counts[v], v))
    return [PAD, UNKNOWN, *known]


def pad_letters(tokens: Sequence[str], ids: dict[str, int], unknown: int) -> tuple[Ints, ...]:
    """Ids of each token's letters ``[U, L]``, 0 beyond its end, and how many there are ``[U]``."""
    rows = [[ids.get(c, unknown) for c in letters(token)] for token in tokens]
    lengths = np.array([len(row) for row in rows], dtype=np.int64)
    padded = np.zeros((len(rows), int(lengths.max(initial=1))), dtype=np.int64)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded, lengths
