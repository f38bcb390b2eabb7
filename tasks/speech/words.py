"""When each word of a recognised text was said, and how sure the network is of it."""

from typing import Any

from birnn.arrays import Array
from birnn.tasks.speech.info import SpeechInfo


def timed_words(predicted: Array, info: SpeechInfo, step: float) -> list[dict[str, Any]]:
    """The words of the symbols ``[L, 4]``: ``word``, ``start``, ``end`` in seconds, ``confidence``.

    CTC says a symbol in few of the steps in which it is heard, so that times are those of its
    peaks; a word's confidence is that of its least sure symbol.
    """
    words: list[list[Array]] = [[]]
    for row in predicted:
        space = not info.labels[int(row[0])].strip()
        if (info.spaced or space) and words[-1]:
            words.append([])
        if not space:
            words[-1].append(row)
    return [
        {
            "word": info.text([int(row[0]) for row in word]),
            "start": round(float(word[0][1]) * step, 3),
            "end": round(float(word[-1][2]) * step, 3),
            "confidence": min(float(row[3]) for row in word),
        }
        for word in words
        if word
    ]
