"""The sites of the scenes: machines and a room, whose normal sound is never twice the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audiogmm.synth.noise import LEVEL, SAMPLE_RATE, colored_noise, random_curve, rms
from audiogmm.types import FloatArray, Seconds

SITES = ("fan", "pump", "hall")
"""A steady machine, a rhythmic one, and a room whose spectrum changes."""

Pace = Callable[[Seconds], float]
"""Stroke rate of a machine at a time, as a multiple of its normal rate; 0 where it stands still."""


def steady_pace(_: Seconds) -> float:
    """Return the pace of a machine in order: 1 at any time.

    Examples
    --------
    >>> steady_pace(3.0)
    1.0
    """
    return 1.0


def make_background(site: str, n: int, rng: np.random.Generator, pace: Pace = steady_pace) -> FloatArray:
    """Synthesize the sound of a site, whose level and spectrum change slowly.

    Parameters
    ----------
    site : str
        One of `SITES`.
    n : int
        Samples.
    rng : Generator
        Draws all that changes.
    pace : callable
        Of the strokes, where the site has any.

    Returns
    -------
    ndarray of shape (n,), float64
        Mono audio, root mean square about `LEVEL`.

    Examples
    --------
    >>> make_background("fan", 16_000, np.random.default_rng(0)).shape
    (16000,)
    """
    bass, bright = colored_noise(n, rng, slope=-6.0), colored_noise(n, rng, slope=-2.0)
    share = 0.5 + 0.3 * random_curve(n, rng, 0.3)
    sound = (1 - share) * bass + share * bright
    if site == "fan":
        sound += 0.8 * _hum(n, rng, 50.0, harmonics=12) + 0.3 * _hum(n, rng, 287.0, harmonics=4)
    elif site == "pump":
        sound = 0.7 * sound + 0.5 * _hum(n, rng, 50.0, harmonics=6) + 1.1 * _strokes(n, rng, 1.6, pace)
    else:
        sound += (
            0.5 * colored_noise(n, rng, slope=-4.0, band=(300.0, 1200.0)) * (1 + random_curve(n, rng, 4.0))
        )
        sound += 0.4 * _strokes(n, rng, 0.4, pace)
    gain = 10 ** (2.0 * random_curve(n, rng, 1.0) / 20)  # 2 dB up and down
    return LEVEL * gain * sound / rms(sound)


def _hum(n: int, rng: np.random.Generator, pitch: float, harmonics: int) -> FloatArray:
    """A hum of unit power: harmonics of a pitch that drifts by half a percent."""
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.005 * random_curve(n, rng, 0.5))) / SAMPLE_RATE
    turn = np.exp(1j * phase)
    harmonic, hum = np.ones(n, dtype=np.complex128), np.zeros(n)
    for k in range(1, harmonics + 1):
        harmonic *= turn
        shift = np.exp(2j * np.pi * rng.uniform())
        hum += (1 + 0.3 * random_curve(n, rng, 0.5)) / k * (shift * harmonic).real
    return hum / rms(hum)


def _strokes(n: int, rng: np.random.Generator, rate: float, pace: Pace) -> FloatArray:
    """Dull strokes, `rate` a second at pace 1, that decay in a tenth of a second."""
    envelope = np.zeros(n)
    decay = np.exp(-np.arange(round(0.4 * SAMPLE_RATE)) / (0.1 * SAMPLE_RATE))
    at = rng.uniform(0, 1 / rate)
    while (start := round(at * SAMPLE_RATE)) < n:
        length = min(len(decay), n - start)
        factor = pace(at)
        if factor:
            envelope[start : start + length] += rng.uniform(0.7, 1.3) * decay[:length]
        at += rng.uniform(0.92, 1.08) / (rate * (factor or 1.0))
    return envelope * colored_noise(n, rng, slope=-6.0, band=(60.0, 900.0)) * 2.0
