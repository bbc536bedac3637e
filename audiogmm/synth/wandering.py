"""Levels of bands that wander about a steady mean: sound that does not change, over days."""

from __future__ import annotations

import math

import numpy as np

from audiogmm.types import FloatArray, Seconds

STEP: Seconds = 10.0
"""Seconds that one row of levels stands for."""


def wandering_levels(seed: int, hours: float, n_bands: int = 12) -> FloatArray:
    """Draw levels of steady sound, shape (n, n_bands), decibels about 0, one row each `STEP` seconds.

    All bands wander together (0.7 dB, with a time constant of 20 minutes) and each for itself (0.5 dB, 10
    minutes: Ornstein-Uhlenbeck processes); each row has 0.3 dB of its own.

    Examples
    --------
    >>> levels = wandering_levels(0, 50.0)
    >>> levels.shape, bool(0.7 < levels.std() < 1.1)
    ((18000, 12), True)
    """
    random = np.random.default_rng(seed)
    n = int(hours * 3600 / STEP)
    alone = np.stack([_wander(random, n, 0.5, 600.0) for _ in range(n_bands)], axis=1)
    together = _wander(random, n, 0.7, 1200.0)[:, None]
    return alone + together + random.normal(0.0, 0.3, (n, n_bands))


def _wander(random: np.random.Generator, n: int, deviation: float, constant: Seconds) -> FloatArray:
    from scipy.signal import lfilter

    keep = math.exp(-STEP / constant)
    steps = random.normal(0.0, deviation * math.sqrt(1 - keep * keep), n)
    steps[:1] = random.normal(0.0, deviation, 1)
    return np.asarray(lfilter([1.0], [1.0, -keep], steps))
