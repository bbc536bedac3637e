"""The budget of alarms that a detector keeps where nobody asked for one."""

from __future__ import annotations

from dataclasses import replace

from audiogmm.anomaly.budget import SLACK
from audiogmm.anomaly.detector import Detector
from audiogmm.errors import BudgetError
from audiogmm.types import Seconds

HEARD = 2.0
"""Alarms that the normal audio itself raises: the fewest from which the interval tells a rate from none."""

FEWEST = 1.0
"""Alarms an hour that are allowed at least: somebody can listen to them, and the interval gets narrower."""

SHORTEST: Seconds = 600.0
"""Normal audio that a budget needs: with less, it would allow an alarm in every five minutes or more."""


def with_default_budget(detector: Detector) -> Detector:
    """Return the detector with a budget of alarms, where there is enough normal audio, or its quantile.

    The budget is the rate at which the normal audio itself raises `HEARD` alarms, but `FEWEST` at least: an
    hour of normal audio gives 2 alarms an hour, eight hours give 1. Rows of a table have no hours.

    Examples
    --------
    >>> import numpy as np
    >>> from audiogmm.anomaly.normal import NormalScores
    >>> from audiogmm.scoring.track import ScoreTrack
    >>> from audiogmm.timeline import FrameClock
    >>> clock, rng = FrameClock(8000, 80, 200), np.random.default_rng(0)
    >>> tracks = [ScoreTrack("a", rng.normal(size=n), np.ones(n, bool), clock) for n in (120_000, 30_000)]
    >>> for track in tracks:
    ...     print(with_default_budget(Detector(NormalScores.of([track]))).settings.alarms_per_hour)
    6.0
    None
    """
    settings = replace(detector.settings, alarms_per_hour=None, by_default=True)
    plain = replace(detector, settings=settings)
    if detector.frame_rate == 1.0 or 3600 * detector.hours < SHORTEST * (1 - SLACK):
        return plain
    rate = max(FEWEST, float(f"{HEARD / detector.hours:.2g}"))
    kept = replace(detector, settings=replace(settings, alarms_per_hour=rate))
    try:
        _ = kept.thresholds
    except BudgetError:  # scores that never fall
        return plain
    return kept
