"""The scores of a recording with their truth: of its frames, its segments, and itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.smoothing import smooth
from audiogmm.evaluation.detection.criteria import DetectionCriteria
from audiogmm.evaluation.detection.frame_metrics import frame_truth
from audiogmm.evaluation.detection.matching import covered, n_segments
from audiogmm.evaluation.detection.truth import Truth
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import Segment
from audiogmm.types import BoolArray, FloatArray, Seconds

if TYPE_CHECKING:
    pass

LEVELS = ("frame", "segment", "clip")
"""What has a score and a truth: frames, segments, and whole recordings."""


@dataclass(frozen=True, slots=True, eq=False)
class LabeledScores:
    """Scores with their truth."""

    scores: FloatArray  # nats, higher is more normal; shape (n,)
    truth: BoolArray  # which are anomalous; shape (n,)


def score_levels(
    track: ScoreTrack, truth: Truth, start: Seconds, end: Seconds, criteria: DetectionCriteria
) -> dict[str, LabeledScores]:
    """Score the frames, the segments and the whole of a recording, each with its truth.

    A frame's score is the mean of the window around it, and it is anomalous if its center lies in an event.
    The k-th segment lasts from `start` + k * length up to the next, or up to the end; one of less than half
    the length is left out. Its score is the mean of its voiced frames (by their centers), and it is anomalous
    if events cover more than half of it. Windows and segments without a voiced frame are left out.
    """
    windows = smooth(track, round(criteria.window * track.clock.frame_rate / 2))
    known = ~np.isnan(windows)
    levels = {}
    if truth.events is not None:
        marks = frame_truth(track.clock, len(track), truth.events)
        levels["frame"] = LabeledScores(windows[known], marks[known])
        levels["segment"] = _segments(track, truth.events, start, end, criteria.segment)
    voiced = track.voiced if track.voiced.any() else np.ones_like(track.voiced)
    if criteria.clip == "mean" or not known.any():
        score = float(track.scores[voiced].mean())
    else:
        score = float(windows[known].min())
    levels["clip"] = LabeledScores(np.array([score]), np.array([truth.anomalous]))
    return levels


def _segments(
    track: ScoreTrack, events: Sequence[Segment], start: Seconds, end: Seconds, length: Seconds
) -> LabeledScores:
    n = n_segments(end - start, length)
    edges: FloatArray = start + length * np.arange(n + 1, dtype=np.float64)
    edges[-1] = end
    lengths = np.diff(edges)
    which = np.floor((track.times - start) / length).astype(np.int64)
    inside = track.voiced & (which >= 0) & (which < n)
    number = np.bincount(which[inside], minlength=n)
    sums = np.bincount(which[inside], weights=track.scores[inside], minlength=n)
    kept = (number > 0) & (lengths >= length / 2)
    return LabeledScores(sums[kept] / number[kept], (covered(events, edges) > lengths / 2)[kept])
