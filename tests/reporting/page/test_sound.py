"""Sound: what is decoded again is what was encoded, amplified and faded."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from audiogmm.errors import ChoiceError
from audiogmm.reporting.page.sound import RATES, clip


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 96000])
def test_a_tone_is_decoded_at_its_place(rate: int) -> None:
    times = np.arange(2 * rate) / rate
    tone = (0.3 * np.sin(2 * np.pi * 1000 * times)).astype(np.float32)
    made = clip(tone, rate, 5.0)
    decoded, new_rate = soundfile.read(io.BytesIO(made.mp3), dtype="float32")
    assert new_rate in RATES
    assert new_rate >= min(rate, 48000)
    assert (made.start, made.duration) == (5.0, 2.0)
    assert len(decoded) / new_rate == pytest.approx(2.0, abs=0.15)
    middle = decoded[len(decoded) // 4 : -len(decoded) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * new_rate / len(middle) == pytest.approx(1000, abs=5)
    assert np.abs(middle).max() == pytest.approx(0.7, rel=0.1)
    assert made.gain == pytest.approx(20 * np.log10(0.7 / 0.3), abs=0.01)
    assert len(made.mp3) < 24_000
    assert made.mp3 == clip(tone, rate, 5.0).mp3


def test_what_is_loud_is_not_made_louder_and_silence_stays_silent() -> None:
    loud = np.clip(np.random.default_rng(0).normal(0, 0.5, 16000), -1, 1).astype(np.float32)
    assert clip(loud, 16000, 0.0).gain == 0.0
    silent = clip(np.zeros(16000, np.float32), 16000, 0.0)
    assert silent.gain == 0.0
    assert np.abs(soundfile.read(io.BytesIO(silent.mp3))[0]).max() < 1e-3
    assert clip(np.full(16000, 1e-6, np.float32), 16000, 0.0).gain == 36.0
    assert clip(np.ones(1, np.float32), 16000, 0.0).duration == 1 / 16000
    with pytest.raises(ChoiceError, match="0 samples"):
        clip(np.zeros(0, np.float32), 16000, 0.0)


def test_a_sound_has_no_click_at_its_ends() -> None:
    tone = 0.7 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    decoded, _ = soundfile.read(io.BytesIO(clip(tone.astype(np.float32), 16000, 0.0).mp3))
    middle = np.square(decoded[7000:9000]).mean()
    assert np.square(decoded[:80]).mean() < 0.3 * middle
    assert np.square(decoded[15920:16000]).mean() < 0.3 * middle
