"""Images of spectrograms: a tone at its place, and few bytes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from audiogmm.reporting.page.image import COLUMNS, ROWS, spectrogram_image


def test_a_tone_lies_at_its_place_in_the_image() -> None:
    times = np.arange(32_000) / 16000
    samples = np.where(times > 1, np.sin(2 * np.pi * 6000 * times), 0).astype(np.float32)
    image = Image.open(io.BytesIO(spectrogram_image(samples, 16000)))
    assert image.format == "WEBP"
    brightness = np.asarray(image.convert("L"), dtype=float)
    rows, columns = brightness.shape
    assert columns <= COLUMNS
    assert rows <= ROWS
    right, left = brightness[:, int(0.75 * columns)], brightness[:, int(0.25 * columns)]
    assert right.argmax() == pytest.approx(rows * 0.25, abs=2)  # 6 kHz of 8, from the top
    assert right.max() > 150
    assert left.max() < 60


@pytest.mark.parametrize("n", [1, 100, 1_000_000])
def test_an_image_is_small_whatever_its_length(n: int) -> None:
    image = spectrogram_image(np.random.default_rng(0).normal(0, 0.1, n).astype(np.float32), 48000)
    assert len(image) < 45_000
    assert Image.open(io.BytesIO(image)).size[0] <= COLUMNS
