"""Thresholds from the scores of normal windows, also where there are few of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from audiogmm.types import FloatArray, Seconds

TAIL = 0.1
"""Share of the lowest normal windows to which the tail is fitted."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where events begin and how far they reach.

    Attributes
    ----------
    enter, release : float
        Window scores, nats; `enter` <= `release`.
    note : str
        Empty, or why `enter` is not the plain quantile.
    """

    enter: float
    release: float
    note: str

    @classmethod
    def of(
        cls,
        windows: FloatArray,
        n_independent: float,
        quantile: float,
        release_quantile: float,
        length: Seconds,
    ) -> Thresholds:
        """Thresholds of two levels.

        With fewer than 1 / `quantile` windows that do not overlap, the quantile lies beyond what was heard.
        The threshold is then extrapolated, and never above the lowest normal window: the scores under their
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
        length : Seconds
            Of a window, for the note.

        Examples
        --------
        >>> windows = np.linspace(-50.0, -40.0, 10_001)
        >>> found = Thresholds.of(windows, 2000, 0.001, 0.1, 0.5)
        >>> round(found.enter, 3), round(found.release, 3), found.note
        (-49.99, -49.0, '')
        >>> Thresholds.of(windows, 200, 0.001, 0.1, 0.5).note[:80]
        'the normal audio holds 200 windows of 0.5 s, a quantile of 0.001 needs 1000 (500'
        """
        release = float(np.quantile(windows, release_quantile))
        enter = float(np.quantile(windows, quantile))
        note = ""
        if n_independent * quantile < 1 - 1e-9:
            enter = min(float(windows[0]), _extrapolate(windows, quantile))
            needed = math.ceil(1 / quantile - 1e-9)
            note = (
                f"the normal audio holds {int(n_independent)} windows of {length:g} s, a quantile of "
                f"{quantile:g} needs {needed} ({needed * length:g} s): the threshold is extrapolated, not "
                f"above the lowest normal window"
            )
        return cls(min(enter, release), release, note)


def _extrapolate(windows: FloatArray, quantile: float) -> float:
    edge = float(np.quantile(windows, TAIL))
    excess = float(np.mean(edge - windows[windows <= edge]))
    return edge - excess * max(0.0, math.log(TAIL / quantile))


def tail_probability(windows: FloatArray, n_independent: float, score: float) -> float:
    """p-value of a window score against normal windows: (1 + m) / (1 + n) (Davison and Hinkley 1997, 4.11).

    `n` counts windows that do not overlap, and `m` those among them that score as low, averaged over all the
    ways to lay them: overlapping windows are not so many witnesses.

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
