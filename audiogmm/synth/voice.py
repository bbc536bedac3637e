"""Voices: a source (pulses and breath) through a filter (formants), as in Fant 1960."""

from __future__ import annotations

import numpy as np

from audiogmm.synth.noise import SAMPLE_RATE, colored_noise, fade_gain, random_curve, rms
from audiogmm.types import FloatArray

_VOWELS = np.array(
    [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410)]
)
_BANDWIDTHS = (80.0, 110.0, 160.0)  # hertz, of the three formants


def make_speech(n: int, rng: np.random.Generator, pitch: float, tract: float, breath: float) -> FloatArray:
    """Synthesize vowels (Peterson and Barney 1952, table II) and hisses in turn, of unit power.

    Parameters
    ----------
    n : int
        Samples.
    rng : Generator
        Draws the sounds.
    pitch : float
        Hertz.
    tract : float
        Scales the formants: over 1 is a shorter vocal tract.
    breath : float
        Noise in the source, in addition to pulses of height 1.

    Returns
    -------
    ndarray of shape (n,), float64
        Mono audio.
    """
    from scipy.signal import lfilter

    speech = np.zeros(n)
    start = 0
    while start < n:
        length = min(round(rng.uniform(0.12, 0.3) * SAMPLE_RATE), n - start)
        if rng.uniform() < 0.2:
            low = rng.uniform(2500, 4000) * tract
            part = 0.3 * colored_noise(max(length, 64), rng, slope=0.0, band=(low, 7500.0))[:length]
        else:
            melody = pitch * (1 + 0.08 * rng.standard_normal() + 0.04 * random_curve(length, rng, 6.0))
            pulses = np.diff(np.floor(np.cumsum(melody) / SAMPLE_RATE), prepend=0.0)
            part = lfilter([1.0], [1.0, -0.96], pulses) + breath * rng.standard_normal(length)
            formants = _VOWELS[rng.integers(len(_VOWELS))] * tract * rng.normal(1.0, 0.02, 3)
            for formant, bandwidth in zip(formants, _BANDWIDTHS, strict=True):
                r = np.exp(-np.pi * bandwidth / SAMPLE_RATE)
                pole = [1.0, -2 * r * np.cos(2 * np.pi * formant / SAMPLE_RATE), r * r]
                part = lfilter([sum(pole)], pole, part)
            part = part - part.mean()
            part = part / max(rms(part), 1e-9)
        speech[start : start + length] = part * fade_gain(length, 0.005)
        start += length
    return speech / max(rms(speech), 1e-9)
