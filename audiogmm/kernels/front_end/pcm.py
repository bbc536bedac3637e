"""Interleaved PCM: mixing down, and finding where a recording is clipped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.policy import kernel
from audiogmm.types import Samples

CLIPPED_RUN = 3
"""Consecutive samples at full scale that count as clipped: two may be a true peak."""


@kernel
def mix(
    interleaved: NDArray[np.int16] | Samples,
    first: int,
    last: int,
    scale: np.float32,
    mono: Samples,
) -> None:
    """Average the channels `first` up to `last`, in their order, one sample after the other.

    The order is fixed, so a sample does not depend on the block that it came in.

    Parameters
    ----------
    interleaved : ndarray of shape (n_samples, n_channels), int16 or float32, IN
    first, last : int, IN
        Half-open range of channels, 0-based.
    scale : float32, IN
        Factor to full scale 1.0; a power of two, so that it is exact.
    mono : ndarray of shape (n_samples,), float32, OUT

    Examples
    --------
    >>> mono = np.empty(2, np.float32)
    >>> mix(np.array([[16384, 0], [-32768, -32768]], np.int16), 0, 2, np.float32(2**-15), mono)
    >>> mono
    array([ 0.25, -1.  ], dtype=float32)
    """
    if last - first == 1:
        for i in range(len(mono)):
            mono[i] = np.float32(interleaved[i, first]) * scale
        return
    count = np.float32(last - first)
    for i in range(len(mono)):
        total = np.float32(0.0)
        for channel in range(first, last):
            total += np.float32(interleaved[i, channel]) * scale
        mono[i] = total / count


@kernel
def clipped(
    interleaved: NDArray[np.int16] | Samples,
    first: int,
    last: int,
    ceiling: float,
    runs: NDArray[np.int64],
) -> int:
    """Count samples in runs of at least `CLIPPED_RUN` at full scale, in the channels `first` up to `last`.

    Parameters
    ----------
    interleaved : ndarray of shape (n_samples, n_channels), int16 or float32, IN
    first, last : int, IN
        Half-open range of channels, 0-based.
    ceiling : float, IN
        Full scale, in the units of `interleaved`.
    runs : ndarray of shape (n_channels,), int64, INOUT
        Length of the run that each channel is in, carried from block to block.

    Returns
    -------
    int
        How many samples of this block became part of such a run (earlier ones of the run included).

    Examples
    --------
    >>> samples = np.array([[1.0], [1.0], [0.5], [-1.0], [-1.0], [-1.0], [-1.0]], np.float32)
    >>> clipped(samples, 0, 1, 1.0, np.zeros(1, np.int64))
    4
    """
    total = 0
    for channel in range(first, last):
        run = runs[channel]
        for i in range(len(interleaved)):
            if interleaved[i, channel] >= ceiling or interleaved[i, channel] <= -ceiling:
                run += 1
                if run == CLIPPED_RUN:
                    total += CLIPPED_RUN
                elif run > CLIPPED_RUN:
                    total += 1
            else:
                run = 0
        runs[channel] = run
    return total


@kernel
def energy(samples: Samples, total: float) -> float:
    """Add the squares of samples to `total`, one after the other.

    So the sum over a stretch does not depend on how it was cut.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32, IN
    total : float, IN
        Of the samples before.

    Examples
    --------
    >>> energy(np.array([2.0, 1.0], np.float32), 0.5)
    5.5
    """
    for i in range(len(samples)):
        value = np.float64(samples[i])
        total += value * value
    return total
