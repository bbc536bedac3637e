"""Sound in a page: a stretch of a recording, faded, brought to a level that is heard, and compressed.

MP3 is what every browser plays, Safari on a telephone included, and what libsndfile writes: half the size of
its Opus for three seconds of 16 kHz audio, and no container that Safari does not know.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import Samples, Seconds

RATES = (16000, 22050, 24000, 32000, 44100, 48000)
"""Sample rates of MPEG 1 and 2, hertz; those of MPEG 2.5 below are not played everywhere."""

FADE: Seconds = 0.02
PEAK = 0.7
"""The largest sample of a quiet stretch becomes this, full scale 1: quiet rooms are heard on a telephone."""

MOST_GAIN = 36.0
"""dB: beyond, there is nothing but the noise of the converter to be heard."""

QUALITY = 0.5
"""Of libsndfile's variable bit rate, 0 the best and 1 the smallest: some 30 kbit/s of 16 kHz audio."""


@dataclass(frozen=True, eq=False)
class Clip:
    """A stretch of a recording to hear.

    Attributes
    ----------
    mp3 : bytes
        One channel.
    start : Seconds
        Of its first sample, on the recording's clock.
    duration : Seconds
    gain : float
        dB by which it is louder than the recording.
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
        Of the first sample, on the recording's clock.

    Returns
    -------
    Clip
        Its rate is the next one up that MPEG has, or 48 kHz.

    Raises
    ------
    ChoiceError
        If there is nothing to hear.

    Examples
    --------
    >>> tone = (0.01 * np.sin(np.arange(8000) * 0.5)).astype(np.float32)
    >>> heard = clip(tone, 8000, 2.0)
    >>> heard.duration, round(heard.gain), heard.mp3[:2].hex()[:3]
    (1.0, 36, 'fff')
    """
    import soundfile
    import soxr

    if not len(samples):
        raise ChoiceError("0 samples", needed="something to hear")
    duration = len(samples) / sample_rate
    loud, gain = _brought_up(samples.astype(np.float64))
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


def _brought_up(samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Quiet samples louder, and by how many dB; loud ones as they are."""
    top = float(np.abs(samples).max())
    gain = 0.0 if top == 0 else float(np.clip(20 * np.log10(PEAK / top), 0.0, MOST_GAIN))
    return samples * 10 ** (gain / 20), gain


def _faded(samples: np.ndarray, length: int) -> np.ndarray:
    """Without clicks at its ends."""
    length = min(length, len(samples) // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(length, 1))
    samples = samples.copy()
    samples[:length] *= ramp
    samples[len(samples) - length :] *= ramp[::-1]
    return samples
