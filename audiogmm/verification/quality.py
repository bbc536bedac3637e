"""Quality measures: what tells how far a score can be trusted."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.types import FloatArray

TESTED, ENROLLED = (0.2, 10.0), (1.0, 20.0)
"""Voiced seconds, from which and up to which they count: a calibration is learned from pieces of such
lengths, and is not to be drawn out beyond them."""


def log_seconds(seconds: ArrayLike, limits: tuple[float, float]) -> FloatArray:
    """Natural logarithms of voiced seconds, within limits; NaN stays NaN.

    Examples
    --------
    >>> log_seconds([0.0, 1.0, 1000.0], (1.0, np.e)).tolist()
    [0.0, 0.0, 1.0]
    """
    logs: FloatArray = np.log(np.clip(np.asarray(seconds, dtype=np.float64), *limits))
    return logs
