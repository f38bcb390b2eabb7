"""Spectrograms of a report, and the voices of the embedded recordings."""

import base64
import io
import re

import numpy as np
import pytest
from matplotlib.image import imread

from birnn.data.audio.spoken import VARIANTS, Voice, phrases
from birnn.tasks.speech.pictures import MOST_FRAMES, cells_of, drawn, picture_of, png


def test_a_picture_is_a_png_of_the_same_cells() -> None:
    values = np.random.default_rng(0).integers(0, 256, (5, 7)).astype(np.uint8)
    np.testing.assert_array_equal(np.round(imread(io.BytesIO(png(values))) * 255), values)


@pytest.mark.parametrize("count", [1, 30, 1000])
def test_a_picture_keeps_frames_within_a_bound(count: int) -> None:
    frames = np.random.default_rng(0).normal(size=(count, 8)).astype(np.float32)
    cells = cells_of(picture_of(frames, 0.01, []))
    assert cells.shape[1] == 8
    assert len(cells) == min(count, -(-count // -(-count // MOST_FRAMES)))
    assert cells.max() == 255


def test_words_stand_under_it_as_text() -> None:
    words = [
        {"word": "<script>&\x07", "start": 0.1, "end": 0.2, "confidence": 1.0},
        {"word": "two", "start": 0.11, "end": 9.0, "confidence": 1.0},
    ]
    drawing = drawn(picture_of(np.zeros((30, 4), np.float32), 0.01, words), 'a "name" <b>')
    assert "<script>" not in drawing.broad
    assert "&lt;script&gt;&amp;\N{REPLACEMENT CHARACTER}" in drawing.broad
    rows = re.findall(r' y="(\d+)" style="font-size', drawing.broad)
    assert rows[0] != rows[1]  # they would run into each other
    image = re.search(r"base64,([^\"]+)", drawing.broad)
    assert image is not None
    assert imread(io.BytesIO(base64.b64decode(image[1]))).shape[:2] == (4, 30)


@pytest.mark.parametrize("cells", ["", "AAAA", "?", 7])
def test_what_is_no_picture_is_refused(cells: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        cells_of({"cells": cells, "bands": 2})


def test_a_voice_says_nearly_the_same_twice_and_another_something_else() -> None:
    pytest.importorskip("espeakng_loader")
    voice = Voice()
    voice.choose("en-us+m3", 50, 150)
    first, again = voice.say("seven"), voice.say("seven")
    assert abs(len(first) - len(again)) < 50  # it goes on where its last wave ended
    assert 0.2 < len(first) / 8000 < 1.5
    assert np.abs(first.astype(int)).max() > 3000
    voice.choose("en-gb-scotland+f2", 70, 150)
    assert abs(len(voice.say("seven")) - len(first)) > 50


def test_every_speaker_says_digits_and_commands() -> None:
    for speaker in range(len(VARIANTS)):
        said = phrases(speaker)
        assert len(said) == 40
        assert {"zero", "nine", "turn left"} <= set(said)
        assert said == phrases(speaker)
