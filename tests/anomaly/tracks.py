"""Score tracks to detect in, and how to push them in pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.stream import EventStream
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock

CLOCK = FrameClock(8000, 80, 200)
HOUR = 360_000


def track(scores: np.ndarray, id: str = "a", voiced: np.ndarray | None = None) -> ScoreTrack:
    marks = np.ones(len(scores), bool) if voiced is None else voiced
    return ScoreTrack(id, np.asarray(scores, dtype=np.float64), marks, CLOCK)


def normal_scores(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(-40, 3, n)


def restless(seed: int, n: int = 1500) -> ScoreTrack:
    """Scores that wander through both thresholds, with unvoiced stretches."""
    rng = np.random.default_rng(seed)
    walk = -40 + 2.5 * np.cumsum(rng.normal(size=n // 10)).repeat(10) * 0.3 + rng.normal(0, 2, n)
    voiced = np.repeat(rng.random(n // 50 + 1) < 0.8, 50)[:n]
    return ScoreTrack("restless", walk, voiced, CLOCK)


def in_pieces(detector: Detector, recording: ScoreTrack, cuts: list[int]) -> list[Notice]:
    stream = EventStream(detector, recording.clock, recording.id)
    notices: list[Notice] = []
    bounds = [0, *sorted(cuts), len(recording)]
    for first, last in pairwise(bounds):
        notices += stream.push(recording.scores[first:last], recording.voiced[first:last])
    return notices + stream.flush()


def closed(notices: list[Notice]) -> list[Event]:
    return [notice.event for notice in notices if notice.kind == "closed"]


def calm(n: int, seed: int = 0) -> np.ndarray:
    """Scores whose neighbors depend on each other."""
    from scipy.signal import lfilter

    noise = np.random.default_rng(seed).normal(size=n)
    return -40 + 3 * np.asarray(lfilter([np.sqrt(1 - 0.8**2)], [1, -0.8], noise))
