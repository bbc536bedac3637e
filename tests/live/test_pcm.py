"""Raw samples of every encoding become what libsndfile makes of them."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from audiogmm.errors import ChoiceError
from audiogmm.kernels.front_end.pcm import energy
from audiogmm.live.pcm import ENCODINGS, Pcm
from tests.naive import pcm as naive

CODES = {"u8": "B", "s8": "b", "s16": "h", "s32": "i", "f32": "f", "f64": "d"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_is_what_the_format_says(encoding: str) -> None:
    rng = np.random.default_rng(3)
    form = Pcm.parse(f"{encoding}:8000:2")
    data = rng.integers(0, 256, 12 * form.unit, dtype=np.uint8).tobytes()
    if encoding[0] == "f":
        values = rng.uniform(-1, 1, 24)
        data = struct.pack(f"{'>' if encoding.endswith('be') else '<'}24{CODES[encoding[:3]]}", *values)
    expected = np.array(
        [naive.sample(encoding, data[i : i + form.width]) for i in range(0, len(data), form.width)]
    )
    found = form.decode(data)
    scale = 2.0**-15 if found.dtype == np.int16 else 1.0
    assert found.shape == (12, 2)
    np.testing.assert_array_equal(found.ravel() * scale, expected.astype(np.float32))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s12le:8000", "'s12le' is not an encoding"),
        ("s16le", "needed: ENCODING:RATE"),
        ("s16le:8000:1:2", "needed: ENCODING:RATE"),
        ("s16le:eight", "needed: ENCODING:RATE"),
        ("s16le:-8000", "needed: ENCODING:RATE"),
        ("s16le:0", "0 Hz and 1 channels"),
        ("s16le:8000:0", "8000 Hz and 0 channels"),
    ],
)
def test_a_wrong_format_is_refused_by_the_part_that_is_wrong(text: str, said: str) -> None:
    with pytest.raises(ChoiceError, match=said):
        Pcm.parse(text)


def test_energy_is_the_sum_wherever_it_is_cut() -> None:
    samples = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    total = naive.energy(samples)
    assert energy(samples, 0.0) == total
    for cut in (1, 7, 500, 999):
        assert energy(samples[cut:], energy(samples[:cut], 0.0)) == total
