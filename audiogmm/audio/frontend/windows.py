"""Window shapes: the weights of a frame's samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from audiogmm.types import FloatArray

WINDOWS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "hann": lambda turn: 0.5 - 0.5 * np.cos(turn),
    "hamming": lambda turn: 0.54 - 0.46 * np.cos(turn),
    "povey": lambda turn: np.maximum(0.5 - 0.5 * np.cos(turn), 0.0) ** 0.85,
    "blackman": lambda turn: 0.42 - 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn),
    "rectangular": lambda turn: np.ones(len(turn)),
}
"""Shapes by name, of the angle that turns once in a period; `povey` is Kaldi's default."""


def window_weights(shape: str, length: int, periodic: bool = False) -> FloatArray:
    """Return the weights of a frame's samples.

    Parameters
    ----------
    shape : str
        One of `WINDOWS`.
    length : int
        Samples.
    periodic : bool
        Of period `length` (scipy's and librosa's default for spectra) in place of symmetric (Kaldi's).

    Returns
    -------
    ndarray of shape (length,), float64

    Examples
    --------
    >>> window_weights("hann", 5).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    >>> window_weights("hann", 4, periodic=True).round(3).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    period = length if periodic else length - 1
    return WINDOWS[shape](2 * np.pi * np.arange(length) / max(period, 1))
