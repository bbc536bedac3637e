"""Thresholds from the scores of normal windows, also where there are few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from audiogmm.types import FloatArray

TAIL = 0.1
"""Share of the lowest normal windows to which the tail is fitted."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where events begin and how far they reach.

    Attributes
    ----------
    enter, release : float
        Window scores, nats; `enter` <= `release`.
    is_estimate : bool
        Whether `enter` is extrapolated, since there is less normal audio than its quantile needs.
    """

    enter: float
    release: float
    is_estimate: bool = False

    @classmethod
    def of(
        cls,
        windows: FloatArray,
        n_independent: float,
        quantile: float,
        release_quantile: float,
    ) -> Thresholds:
        """Set thresholds at two quantiles.

        With fewer than 1 / `quantile` windows that do not overlap, the quantile lies beyond the data. The
        threshold is then extrapolated, and never above the lowest normal window: the scores under their
        `TAIL` quantile u are taken to fall off exponentially, with the mean excess b of those windows
        (Pickands 1975, with shape 0), so that P(score <= u - x) = TAIL * exp(-x / b).

        Parameters
        ----------
        windows : ndarray of shape (n,), float64, sorted
            Window scores of normal audio around every frame, nats.
        n_independent : float
            How many of them do not overlap.
        quantile, release_quantile : float
            Levels in (0, 1).

        Examples
        --------
        >>> windows = np.linspace(-50.0, -40.0, 10_001)
        >>> found = Thresholds.of(windows, 2000, 0.001, 0.1)
        >>> round(found.enter, 3), round(found.release, 3), found.is_estimate
        (-49.99, -49.0, False)
        >>> Thresholds.of(windows, 200, 0.001, 0.1).is_estimate
        True
        """
        release = float(np.quantile(windows, release_quantile))
        enter = float(np.quantile(windows, quantile))
        is_estimate = n_independent * quantile < 1 - 1e-9
        if is_estimate:
            enter = min(float(windows[0]), _extrapolate(windows, quantile))
        return cls(min(enter, release), release, is_estimate)


def _extrapolate(windows: FloatArray, quantile: float) -> float:
    edge = float(np.quantile(windows, TAIL))
    excess = float(np.mean(edge - windows[windows <= edge]))
    return edge - excess * max(0.0, math.log(TAIL / quantile))


def tail_probability(windows: FloatArray, n_independent: float, score: float) -> float:
    """Return the p-value of a window score: (1 + m) / (1 + n) (Davison and Hinkley 1997, 4.11).

    `n` counts windows that do not overlap, and `m` those among them that score as low, averaged over all
    ways to lay them: overlapping windows are not independent.

    Parameters
    ----------
    windows : ndarray of shape (n_windows,), float64, sorted
        Window scores around every frame, nats.
    n_independent : float
        How many of them do not overlap.
    score : float
        Window score in question, nats.

    Examples
    --------
    >>> tail_probability(np.arange(100.0), 9, -1.0), tail_probability(np.arange(100.0), 9, 200.0)
    (0.1, 1.0)
    """
    share = float(np.searchsorted(windows, score, side="right")) / len(windows)
    return (1.0 + share * n_independent) / (1.0 + n_independent)
