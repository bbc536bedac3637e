"""Set a detector by normal audio, without what in it is not normal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from audiogmm.anomaly.default_budget import with_default_budget
from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.detector_settings import DetectorSettings
from audiogmm.anomaly.low_runs import NormalEvents
from audiogmm.anomaly.normal import NormalScores
from audiogmm.errors import MismatchError
from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import BoolArray
from audiogmm.words import amount

REFERENCE = 20
"""Spacings between ordinary events from which the scale of the tail is estimated."""

FALSE_ALARM = 1e-3
"""Probability that anything is left out of audio that is all normal (of an exponential tail)."""

_MOST = 50


def calibrate_detector(
    tracks: Iterable[ScoreTrack], settings: DetectorSettings | None = None, *, robust: bool = True
) -> Detector:
    """Set a detector by the scores of normal audio.

    Parameters
    ----------
    tracks : iterable of ScoreTrack
        Of normal recordings that the model was not trained on; read once, one at a time.
    settings : DetectorSettings, optional
        The default ones otherwise.
    robust : bool
        Leave out events that lie too far below the rest to be chance (`find_outliers`); the detector's note
        names them.

    Returns
    -------
    Detector
        With its thresholds.

    Raises
    ------
    MismatchError
        If there is less than one window of voiced frames, or the tracks have different frame rates, or there
        is too little normal audio for a budget of alarms.

    Examples
    --------
    >>> from audiogmm.timeline import FrameClock
    >>> rng, clock = np.random.default_rng(0), FrameClock(8000, 80, 200)
    >>> calm = ScoreTrack("calm", rng.normal(-40, 1, 60_000), np.ones(60_000, bool), clock)
    >>> round(calibrate_detector([calm]).typical)
    -40
    """
    settings = settings or DetectorSettings()
    if settings.by_default:  # another budget than before may follow from this audio
        settings = replace(settings, alarms_per_hour=None)
    detector = Detector(NormalScores.of(tracks), settings)
    if len(detector.windows) and detector.n_independent < 1:
        voiced = amount(int(detector.normal.voiced.sum()), "voiced frame")
        raise MismatchError(
            f"the normal audio holds {voiced}, less than one window of {detector.settings.window:g} s",
            needed="at least one, to set a threshold by",
            remedy="more normal audio",
        )
    odd = find_outliers(detector.normal_events) if robust else np.zeros(0, np.bool_)
    if odd.any():
        events = detector.normal_events
        first, last = events.first[odd] - detector.half, events.last[odd] + detector.half
        detector = replace(detector, normal=detector.normal.without(np.maximum(first, 0), last))
    if settings.by_default:
        return with_default_budget(detector)
    _ = detector.thresholds  # too little normal audio is refused here, not at the first detection
    return detector


def find_outliers(events: NormalEvents) -> BoolArray:
    """Find the events that a gap which chance does not leave sets apart from the rest, shape (n_events,).

    Under an exponential tail the spacings of the ordered peaks, i * (p[i + 1] - p[i]) for the i-th lowest,
    are independent and exponential with one mean (Renyi 1953). Each spacing is compared with the mean of
    the `REFERENCE` ones above it; what lies beyond the innermost gap that is too wide is anomalous. At most a
    quarter of the events are.

    Examples
    --------
    >>> peaks = np.r_[-40 - np.random.default_rng(0).exponential(size=80), -70.0, -65.0]
    >>> frames = np.arange(82)
    >>> np.flatnonzero(find_outliers(NormalEvents(frames, frames, peaks)))
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
