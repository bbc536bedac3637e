"""Gaussian noise by position: the n-th number of a seed, whichever numbers were drawn before."""

from __future__ import annotations

import math

import numpy as np

from audiogmm.kernels.policy import kernel
from audiogmm.types import Samples


@kernel
def _mix(counter: np.uint64, key: np.uint64) -> np.uint64:
    """64 random bits of a counter: SplitMix64 (Steele, Lea & Flood 2014), started at counter times gamma."""
    z = np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15) + key
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@kernel
def add_noise(samples: Samples, position: int, seed: int, deviation: float, out: Samples) -> None:
    """Add Gaussian noise (Box & Muller 1958), one number for each absolute index.

    samples : IN, float32 (n,).
    position : IN, int, absolute index of samples[0].
    seed : IN, int.
    deviation : IN, float, standard deviation of the noise.
    out : OUT, float32 (n,).
    """
    key = _mix(np.uint64(seed), np.uint64(0x632BE59BD9B4E019))
    unit = 1.0 / 9007199254740992.0
    for i in range(len(samples)):
        counter = np.uint64(2) * np.uint64(position + i)
        u = (np.float64(_mix(counter, key) >> np.uint64(11)) + 0.5) * unit
        v = np.float64(_mix(counter + np.uint64(1), key) >> np.uint64(11)) * unit
        out[i] = samples[i] + deviation * math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)
