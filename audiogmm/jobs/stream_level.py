"""How loud a stream is, by windows that lie at multiples of their length."""

from __future__ import annotations

import math
from collections import deque
from fractions import Fraction

from audiogmm.kernels.pcm import energy
from audiogmm.types import Samples


class Level:
    """Root mean square over windows of samples, in decibels below full scale.

    Parameters
    ----------
    length : Fraction
        Samples of a window; need not be whole: each window ends at the next sample.

    Examples
    --------
    >>> import numpy as np
    >>> level = Level(Fraction(2))
    >>> level.push(np.array([1.0, 1.0, 0.25, 0.25, 0.0, 0.0], np.float32))
    >>> level.take(), round(level.take(), 2), level.take()
    (0.0, -12.04, None)
    """

    def __init__(self, length: Fraction) -> None:
        self._length = length
        self._done: deque[float | None] = deque()
        self._total = 0.0
        self._n_samples = self._begin = 0
        self._window = 1

    def push(self, samples: Samples) -> None:
        """Take the next samples."""
        taken = 0
        while taken < len(samples):
            end = math.ceil(self._length * self._window)
            part = samples[taken : taken + end - self._n_samples]
            self._total = energy(part, self._total)
            taken += len(part)
            self._n_samples += len(part)
            if self._n_samples == end:
                self._done.append(_decibels(self._total, end - self._begin))
                self._total, self._begin = 0.0, end
                self._window += 1

    def take(self) -> float | None:
        """The level of the next window, decibels; None where every sample of it is zero.

        Resampling may make a sample more at the end than there was time: the window is then as good as whole.
        """
        if not self._done:
            return _decibels(self._total, max(1, self._n_samples - self._begin))
        return self._done.popleft()


def _decibels(total: float, n_samples: int) -> float | None:
    return 10 * math.log10(total / n_samples) if total > 0 else None
