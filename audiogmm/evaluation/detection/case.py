"""One recording with its truth, what a detector said of it, and how it was scored."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from audiogmm.anomaly.smoothing import smooth
from audiogmm.errors import AudioDataError, ChoiceError, FeatureError, MismatchError
from audiogmm.evaluation.detection.frame_metrics import frame_truth
from audiogmm.evaluation.detection.matching import (
    Collars,
    active,
    covered,
    delays,
    n_matched,
    n_segments,
    touching,
    union,
)
from audiogmm.evaluation.detection.truth import SLACK, Truth, truth_of, within
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import Segment
from audiogmm.types import BoolArray, FloatArray, Seconds

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

Clip = Literal["mean", "lowest"]
"""What the score of a whole recording is: the mean of its frames, or its lowest window."""


@dataclass(frozen=True, slots=True)
class DetectionCriteria:
    """How detection is judged.

    Attributes
    ----------
    window : Seconds
        Over which scores are averaged around each frame.
    segment : Seconds
        Length of the segments that are told apart, and in which activity is compared.
    clip : {"mean", "lowest"}
        Score of a whole recording: the mean of its voiced frames, or its lowest window.
    max_fpr : float
        Largest false-alarm rate of the pAUC.
    collars : Collars
        Of matched events.

    Raises
    ------
    ChoiceError
        If a setting is out of range.
    """

    window: Seconds = 0.5
    segment: Seconds = 1.0
    clip: Clip = "mean"
    max_fpr: float = 0.1
    collars: Collars = field(default_factory=Collars)

    def __post_init__(self) -> None:
        for name, seconds in (("window", self.window), ("segment", self.segment)):
            if not 0 < seconds < math.inf:
                raise ChoiceError(f"a {name} of {seconds} s", needed="more than 0 s")
        if self.clip not in ("mean", "lowest"):
            raise ChoiceError(f"a clip score of {self.clip!r}", needed="mean or lowest")
        if not 0 < self.max_fpr <= 1:
            raise ChoiceError(f"max_fpr={self.max_fpr}", needed="a rate in (0, 1]")


@dataclass(frozen=True, slots=True, eq=False)
class LabeledScores:
    """Scores with their truth.

    Attributes
    ----------
    scores : ndarray of shape (n,), float64
        Nats, higher is more normal.
    truth : ndarray of shape (n,), bool
        Which are anomalous.
    """

    scores: FloatArray
    truth: BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedRecording:
    """One recording, judged.

    Attributes
    ----------
    id, site : str
        Its name, and the group within which it is compared.
    entry : Entry
        As the manifest has it.
    anomalous, unplaced : bool
        Whether anything in it is; whether nothing says where.
    seconds, normal_seconds : float
        Its length, and what of it no true event covers; NaN where it is not known where events are.
    levels : mapping from str to LabeledScores
        Of its frames, its segments and itself, as far as they can be judged.
    counts : mapping from str to float
        What there is to count, by the names of `COUNTS`.
    delays : ndarray of shape (n_caught,), float64
        Of each true event that was caught, seconds.
    frame_rate : float or None
        Frames a second of its track.
    """

    id: str
    site: str
    entry: Entry
    anomalous: bool
    unplaced: bool
    seconds: Seconds
    normal_seconds: Seconds
    levels: dict[str, LabeledScores]
    counts: dict[str, float]
    delays: FloatArray
    frame_rate: float | None


LEVELS = ("frame", "segment", "clip")

COUNTS = (
    "found",
    "true",
    "matched",
    "onset_matched",
    "caught",
    "segments_found",
    "segments_true",
    "segments_both",
    "false_alarms",
    "normal_hours",
    "clips_found",
    "clips_true",
    "clips_both",
)
"""What is counted on each recording: events, segments with activity, and recordings with any event."""


def evaluate_recording(
    entry: Entry,
    site: str,
    found: Sequence[Segment],
    track: ScoreTrack | None,
    length: Callable[[Entry], Seconds],
    judging: DetectionCriteria,
) -> EvaluatedRecording:
    """Judge one recording.

    Parameters
    ----------
    entry : Entry
        With its truth.
    site : str
        The group within which it is compared.
    found : sequence of Segment
        What a detector found.
    track : ScoreTrack or None
        Its scores.
    length : callable
        Finds where the recording ends, seconds, where neither entry nor track says so.
    judging : DetectionCriteria
        How.

    Raises
    ------
    ManifestError
        If it has no truth, or one that contradicts itself.
    AudioDataError
        If its truth, or what was found, reaches past its end.
    MismatchError
        If the track is of another piece.
    FeatureError
        If the track has no frame.
    """
    truth = truth_of(entry)
    start, end, slack = extent_of(entry, track, length)
    truth = within(truth, start, end, slack)
    for event in found:
        if event.start < start - slack or event.end > end + slack:
            raise AudioDataError(
                f"an event was found from {event.start:g} to {event.end:g} s, "
                f"and it reaches from {start:g} to {end:.3f} s",
                needed="events of this recording",
                remedy="detect with this manifest",
            )
    levels = {} if track is None else levels_of(track, truth, start, end, judging)
    return EvaluatedRecording(
        id=entry.id,
        site=site,
        entry=entry,
        anomalous=truth.anomalous,
        unplaced=truth.events is None,
        seconds=end - start,
        normal_seconds=normal_seconds(truth, end - start),
        levels=levels,
        counts=counts_of(found, truth, start, end, judging),
        delays=caught_after(found, truth),
        frame_rate=None if track is None else track.clock.frame_rate,
    )


def extent_of(
    entry: Entry, track: ScoreTrack | None, length: Callable[[Entry], Seconds]
) -> tuple[Seconds, Seconds, Seconds]:
    """Where a recording begins and ends, and how exactly that is known, seconds.

    Raises
    ------
    MismatchError
        If the track is of another piece.
    FeatureError
        If the track has no frame.
    """
    start, end, slack = entry.offset, entry.end, SLACK
    if track is not None:
        clock = track.clock
        if not len(track):
            raise FeatureError("its track has no frame", needed="a recording that was scored")
        last = clock.end(len(track) - 1)
        if abs(clock.offset - start) > SLACK or (end is not None and last > end + SLACK):
            reach = "its end" if end is None else f"{end:.3f} s"
            raise MismatchError(
                f"its track reaches from {clock.offset:.3f} to {last:.3f} s, "
                f"and its entry from {start:.3f} s to {reach}",
                needed="scores of the same piece",
                remedy="score with this manifest",
            )
        if end is None:  # up to a hop may follow the last frame, and some less than a frame
            end, slack = last, SLACK + max(clock.hop, clock.length) / clock.sample_rate
    if end is None:
        end = length(entry)
    if not end > start:
        raise AudioDataError(f"it ends at {end:g} s, and begins at {start:g} s", needed="some audio")
    return start, end, slack


def normal_seconds(truth: Truth, seconds: Seconds) -> Seconds:
    """What no true event covers; NaN where it is not known where they are."""
    if truth.events is None:
        return math.nan
    return max(0.0, seconds - sum(event.duration for event in union(truth.events)))


def levels_of(
    track: ScoreTrack, truth: Truth, start: Seconds, end: Seconds, judging: DetectionCriteria
) -> dict[str, LabeledScores]:
    """Frames, segments and the whole, each with a score and its truth.

    A frame's score is the mean of the window around it, and it is anomalous if its centre lies in an event.
    The k-th segment lasts from `start` + k * length up to the next, or up to the end; one of less than half
    the length is left out. Its score is the mean of its voiced frames (by their centres), and it is anomalous
    if events cover more than half of it. Windows and segments without a voiced frame are not judged.
    """
    windows = smooth(track, round(judging.window * track.clock.frame_rate / 2))
    heard = ~np.isnan(windows)
    levels = {}
    if truth.events is not None:
        marks = frame_truth(track.clock, len(track), truth.events)
        levels["frame"] = LabeledScores(windows[heard], marks[heard])
        levels["segment"] = _segments(track, truth.events, start, end, judging.segment)
    voiced = track.voiced if track.voiced.any() else np.ones_like(track.voiced)
    if judging.clip == "mean" or not heard.any():
        score = float(track.scores[voiced].mean())
    else:
        score = float(windows[heard].min())
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
    judged = (number > 0) & (lengths >= length / 2)
    return LabeledScores(sums[judged] / number[judged], (covered(events, edges) > lengths / 2)[judged])


def counts_of(
    found: Sequence[Segment], truth: Truth, start: Seconds, end: Seconds, judging: DetectionCriteria
) -> dict[str, float]:
    """What is counted on one recording; nothing but its clip where it is not known where events are."""
    counts = dict.fromkeys(COUNTS, 0.0)
    counts["clips_found"] = float(bool(found))
    counts["clips_true"] = float(truth.anomalous)
    counts["clips_both"] = float(truth.anomalous and bool(found))
    if truth.events is None:
        return counts
    n = n_segments(end - start, judging.segment)
    here = active(found, n, judging.segment, start)
    there = active(truth.events, n, judging.segment, start)
    return counts | {
        "found": float(len(found)),
        "true": float(len(truth.events)),
        "matched": float(n_matched(found, truth.events, judging.collars)),
        "onset_matched": float(n_matched(found, truth.events, judging.collars, offsets=False)),
        "caught": float(len(caught_after(found, truth))),
        "segments_found": float(here.sum()),
        "segments_true": float(there.sum()),
        "segments_both": float((here & there).sum()),
        "false_alarms": float(len(found) - touching(found, truth.events).sum()),
        "normal_hours": normal_seconds(truth, end - start) / 3600,
    }


def caught_after(found: Sequence[Segment], truth: Truth) -> FloatArray:
    """Delays of the true events that were caught, seconds."""
    if not truth.events:
        return np.empty(0)
    times = delays(found, truth.events)
    return times[~np.isnan(times)]
