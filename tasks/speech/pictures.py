"""Spectrograms with the words under them, as they stand in a report."""

import base64
import struct
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from birnn.arrays import Array
from birnn.tasks.pages.figures import Drawing, writable

MOST_FRAMES = 400  # of a picture: of more, each is the mean of several
WIDTH, HEIGHT, BELOW = 560, 120, 34  # pixels of a picture, and below it of its words
KINDS = ("broad", "narrow")  # classes of the style sheet: one of them is shown
LETTER = 7.5  # pixels of a letter, at least


def picture_of(frames: Array, hop: float, words: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What a report keeps of a recording: ``[T, M]`` log-mel frames as bytes, and its words.

    The lightest cell is 1 % of the loudest power and less, the darkest the loudest.
    """
    every = -(-len(frames) // MOST_FRAMES)
    padded = np.pad(frames, ((0, -len(frames) % every), (0, 0)), mode="edge")
    means = padded.reshape(-1, every, frames.shape[1]).mean(1)
    low, high = np.quantile(means, 0.05), means.max()
    shades = np.clip((means - low) / max(float(high - low), 1e-6), 0, 1)
    cells = np.round(255 * shades).astype(np.uint8)
    return {
        "cells": base64.b64encode(cells.tobytes()).decode(), "bands": int(cells.shape[1]),
        "seconds": round(len(frames) * hop, 3), "words": [dict(word) for word in words],
    }  # fmt: skip


def cells_of(picture: Mapping[str, Any]) -> Array:
    """``[T, M]`` bytes of a picture.

    Raises:
        ValueError: it holds something else.
    """
    bands = picture["bands"]
    cells = np.frombuffer(base64.b64decode(picture["cells"], validate=True), dtype=np.uint8)
    if type(bands) is not int or not 1 <= bands <= 256 or not len(cells) or len(cells) % bands:
        raise ValueError("a picture has no frames of equal size")
    return cells.reshape(-1, bands)


def png(values: Array) -> bytes:
    """A grey picture ``[H, W]`` of bytes as PNG (RFC 2083)."""
    height, width = values.shape
    lines = b"".join(b"\0" + row.tobytes() for row in np.ascontiguousarray(values))

    def chunk(kind: bytes, data: bytes) -> bytes:
        head = struct.pack(">I", len(data)) + kind + data
        return head + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines, 9)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def drawn(picture: Mapping[str, Any], description: str) -> Drawing:
    """A spectrogram, low bands below, and each word under the stretch in which it was read."""
    cells = 255 - cells_of(picture).T[::-1]
    image = base64.b64encode(png(cells)).decode()
    total = float(picture["seconds"]) or 1.0
    parts = [
        Markup(
            '<image href="data:image/png;base64,{}" x="0" y="0" width="{}" height="{}"'
            ' preserveAspectRatio="none"/>'
        ).format(image, WIDTH, HEIGHT)
    ]
    last = [0.0, 0.0]  # where the words end in each of two rows
    for word in picture["words"]:
        start, end = (
            WIDTH * min(max(float(word[n]), 0.0), total) / total for n in ("start", "end")
        )
        text = writable(str(word["word"]))[:40]
        row = int(last[0] > start and last[1] < last[0])
        last[row] = start + LETTER * len(text)
        parts.append(
            Markup(
                '<line x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}" style="stroke: var(--c2)"/>'
                '<line x1="{0:.1f}" x2="{2:.1f}" y1="{1}" y2="{1}" style="stroke: var(--c2);'
                ' stroke-width: 3"/><text x="{0:.1f}" y="{3}" style="font-size: 13px; fill:'
                ' var(--ink)">{4}</text>'
            ).format(start, HEIGHT, max(end, start + 2), HEIGHT + 14 + 15 * row, text)
        )
    head = Markup('<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}">')
    body = Markup("").join(parts) + Markup("</svg>")
    size = WIDTH, HEIGHT + BELOW
    views = [head.format(kind, writable(description), *size) + body for kind in KINDS]
    frame = (0.0, 0.0, 1.0, HEIGHT / (HEIGHT + BELOW))
    return Drawing(views[0], views[1], (frame, frame), (0.0, total))
