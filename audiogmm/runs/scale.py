"""Samples whose type is for another full scale than theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOUD = 16.0
"""A peak of samples in floating point that no sound reaches whose full scale is 1."""

_FULL = (1 << 15, 1 << 23, 1 << 31)
"""Full scales of integers of 16, 24 and 32 bits."""


def scale_note(samples: NDArray[Any]) -> str | None:
    """Return a note where samples are probably on the scale of integers that their type is not for.

    Parameters
    ----------
    samples : ndarray of any shape, not empty
        Full scale is 1 in floating point, and that of the type in integers.

    Returns
    -------
    str or None
        The peak, and what to divide by. None for a peak up to `LOUD` in floating point, or above that of 16
        bits in int32; and for other types.

    Examples
    --------
    >>> scale_note(np.array([0.0, -12000.0]))
    'the peak of the samples is 12000, and full scale is 1; if they are integers of 16 bits: samples / 32768'
    """
    peak = max(-float(samples.min()), float(samples.max()))
    if samples.dtype.kind == "f" and LOUD < peak < np.inf:
        return _note(peak, 1, next((full for full in _FULL if peak <= full), None))
    if samples.dtype == np.int32 and 0 < peak <= _FULL[0]:
        return _note(peak, _FULL[-1], _FULL[0])
    return None


def _note(peak: float, taken: int, full: int | None) -> str:
    found = f"the peak of the samples is {peak:g}, and full scale is {taken}; "
    if full is None:
        return f"{found}try: samples / {peak:g}"
    return f"{found}if they are integers of {full.bit_length()} bits: samples / {full}"
