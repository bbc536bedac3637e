"""Normal audio that is not: which of its events lie too far below all the others to be chance?"""

from __future__ import annotations

import numpy as np

from audiogmm.anomaly.low_runs import NormalEvents
from audiogmm.types import BoolArray

REFERENCE = 20
"""Spacings between ordinary events from which the scale of the tail is estimated."""

FALSE_ALARM = 1e-3
"""Probability that anything is left out of audio that is all normal (of an exponential tail)."""

_MOST = 50


def outlying(events: NormalEvents) -> BoolArray:
    """Which events are set apart from the rest by a gap that chance does not leave, shape (n_events,).

    Under an exponential tail the spacings of the ordered peaks, i * (p[i + 1] - p[i]) for the i-th lowest,
    are independent and exponential with one mean (Renyi 1953). Each spacing is held against the mean of the
    `REFERENCE` ones above it; the innermost gap that is too wide parts what is anomalous. At most a quarter
    of the events are called so.

    Examples
    --------
    >>> peaks = np.r_[-40 - np.random.default_rng(0).exponential(size=80), -70.0, -65.0]
    >>> frames = np.arange(82)
    >>> np.flatnonzero(outlying(NormalEvents(frames, frames, peaks)))
    array([80, 81])
    """
    found = np.zeros(len(events), np.bool_)
    most = min(_MOST, len(events) // 4, len(events) - REFERENCE - 1)
    if most < 1:
        return found
    order = np.argsort(events.peaks, kind="stable")
    spacings = np.arange(1, len(order)) * np.diff(events.peaks[order])
    # (1 + x / REFERENCE)^-REFERENCE: of a spacing over the mean of REFERENCE others, an F distribution
    limit = REFERENCE * ((most / FALSE_ALARM) ** (1 / REFERENCE) - 1)
    for i in range(most, 0, -1):
        if spacings[i - 1] > limit * spacings[i : i + REFERENCE].mean():
            found[order[:i]] = True
            break
    return found
