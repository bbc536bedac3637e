"""Parts of every synthetic sound: colored noise, and slow random curves."""

from __future__ import annotations

import numpy as np

from audiogmm.types import FloatArray

SAMPLE_RATE = 16_000
"""Hertz, of all synthetic sounds."""

_CONTROL = 80  # samples between the points of a curve

LEVEL = 0.03
"""Root mean square of a background: peaks then stay below full scale."""


def colored_noise(
    n: int, rng: np.random.Generator, slope: float, band: tuple[float, float] = (30.0, SAMPLE_RATE / 2)
) -> FloatArray:
    """Draw Gaussian noise of unit power whose spectrum changes by `slope` dB an octave in `band`, hertz."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    shape = np.where(
        (frequency >= band[0]) & (frequency <= band[1]), np.maximum(frequency, 1.0) ** (slope / 6.0206), 0
    )
    noise = np.fft.irfft(spectrum * shape, n)
    return noise / rms(noise)


def random_curve(n: int, rng: np.random.Generator, rate: float) -> FloatArray:
    """Draw a slow curve through normal deviates, `rate` of them a second, shape (n,)."""
    knots = rng.standard_normal(int(n / SAMPLE_RATE * rate) + 4)
    coarse = np.arange(0, n + _CONTROL, _CONTROL)  # drawn smoothly here, and straight in between
    where = coarse / SAMPLE_RATE * rate + rng.uniform(0, 1)
    left = where.astype(int)
    blend = 0.5 - 0.5 * np.cos(np.pi * (where - left))
    curve = knots[left] * (1 - blend) + knots[left + 1] * blend
    fine: FloatArray = np.interp(np.arange(n), coarse, curve)
    return fine


def fade_gain(n: int, seconds: float) -> FloatArray:
    """Return a gain that rises from 0 to 1, stays, and falls to 0 again, shape (n,)."""
    ramp = np.minimum(np.arange(n), np.arange(n)[::-1]) / (seconds * SAMPLE_RATE)
    return np.clip(ramp, 0.0, 1.0)


def rms(samples: FloatArray) -> float:
    """Return the root mean square."""
    return float(np.sqrt(np.mean(np.square(samples))))
