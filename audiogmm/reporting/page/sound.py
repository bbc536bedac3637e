"""Sound of a page: a stretch of a recording, faded, amplified where it is quiet, and compressed.

Every browser plays MP3, Safari on a telephone included, and libsndfile writes it: half the size of its Opus
for three seconds of 16 kHz audio.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import Samples, Seconds

RATES = (16000, 22050, 24000, 32000, 44100, 48000)
"""Sample rates of MPEG 1 and 2, hertz; not every browser plays the lower ones of MPEG 2.5."""

FADE: Seconds = 0.02
PEAK = 0.7
"""Largest sample of a quiet stretch once it is amplified, full scale 1."""

MOST_GAIN = 36.0
"""dB; with more, only the noise of the converter would be heard."""

QUALITY = 0.5
"""Of libsndfile's variable bit rate, 0 the best and 1 the smallest: about 30 kbit/s for 16 kHz audio."""


@dataclass(frozen=True, eq=False)
class Clip:
    """The sound of a stretch of a recording.

    Attributes
    ----------
    mp3 : bytes
        Mono.
    start : Seconds
        Time of its first sample, on the recording's clock.
    duration : Seconds
    gain : float
        By how much it is louder than the recording, dB.
    """

    mp3: bytes
    start: Seconds
    duration: Seconds
    gain: float = 0.0


def clip(samples: Samples, sample_rate: float, start: Seconds) -> Clip:
    """Compress a stretch of a recording.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        Mono audio, full scale 1.
    sample_rate : float
        Hertz.
    start : Seconds
        Time of the first sample, on the recording's clock.

    Returns
    -------
    Clip
        At the next higher rate that MPEG has, or 48 kHz.

    Raises
    ------
    ChoiceError
        If there is no sample.

    Examples
    --------
    >>> tone = (0.01 * np.sin(np.arange(8000) * 0.5)).astype(np.float32)
    >>> quiet = clip(tone, 8000, 2.0)
    >>> quiet.duration, round(quiet.gain), quiet.mp3[:2].hex()[:3]
    (1.0, 36, 'fff')
    """
    import soundfile
    import soxr

    if not len(samples):
        raise ChoiceError("0 samples", needed="at least one sample")
    duration = len(samples) / sample_rate
    loud, gain = _amplified(samples.astype(np.float64))
    rate = next((rate for rate in RATES if rate >= sample_rate), RATES[-1])
    if rate != sample_rate:
        loud = soxr.resample(loud, sample_rate, rate)
    loud = np.clip(_faded(loud, round(FADE * rate)), -1.0, 1.0)
    file = io.BytesIO()
    soundfile.write(
        file,
        loud.astype(np.float32),
        rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        compression_level=QUALITY,
        bitrate_mode="VARIABLE",
    )
    return Clip(file.getvalue(), start, duration, gain)


def _amplified(samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Amplify quiet samples; return them and the gain, dB."""
    top = float(np.abs(samples).max())
    gain = 0.0 if top == 0 else float(np.clip(20 * np.log10(PEAK / top), 0.0, MOST_GAIN))
    return samples * 10 ** (gain / 20), gain


def _faded(samples: np.ndarray, length: int) -> np.ndarray:
    """Fade the first and the last `length` samples, so that there are no clicks."""
    length = min(length, len(samples) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(length, 1))
    samples = samples.copy()
    samples[:length] *= ramp
    samples[len(samples) - length :] *= ramp[::-1]
    return samples
