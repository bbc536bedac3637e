"""One recording, evaluated: its truth against the events found and the scores."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.errors import AudioDataError, FeatureError, MismatchError
from audiogmm.evaluation.detection.criteria import DetectionCriteria
from audiogmm.evaluation.detection.levels import LabeledScores, score_levels
from audiogmm.evaluation.detection.matching import active, delays, n_matched, n_segments, touching, union
from audiogmm.evaluation.detection.truth import SLACK, Truth, truth_of, within
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import Segment
from audiogmm.types import FloatArray, Seconds

if TYPE_CHECKING:
    from audiogmm.manifest import Entry

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


@dataclass(frozen=True, slots=True, eq=False)
class EvaluatedRecording:
    """One recording, evaluated.

    Attributes
    ----------
    id, site : str
        Its name, and the site within which it is compared.
    entry : Entry
        As the manifest has it.
    anomalous, unplaced : bool
        Whether anything in it is; whether it is not known where.
    seconds, normal_seconds : float
        Its length, and what of it no true event covers; NaN where it is not known where events are.
    levels : mapping from str to LabeledScores
        Of its frames, its segments and itself, as far as they are known.
    counts : mapping from str to float
        By the names of `COUNTS`.
    delays : ndarray of shape (n_caught,), float64
        Of each true event that was found, seconds.
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


def evaluate_recording(
    entry: Entry,
    site: str,
    found: Sequence[Segment],
    track: ScoreTrack | None,
    length: Callable[[Entry], Seconds],
    criteria: DetectionCriteria,
) -> EvaluatedRecording:
    """Evaluate one recording.

    Parameters
    ----------
    entry : Entry
        With its truth.
    site : str
        The site within which it is compared.
    found : sequence of Segment
        What a detector found.
    track : ScoreTrack or None
        Its scores.
    length : callable
        Finds the end of the recording, seconds, where it is in neither entry nor track.
    criteria : DetectionCriteria
        Windows, segments, clip score, collars.

    Raises
    ------
    ManifestError
        If it has no truth, or one that contradicts itself.
    AudioDataError
        If its truth, or what was found, reaches past its end.
    MismatchError
        If the track is of another segment.
    FeatureError
        If the track has no frame.
    """
    truth = truth_of(entry)
    start, end, slack = find_extent(entry, track, length)
    truth = within(truth, start, end, slack)
    for event in found:
        if event.start < start - slack or event.end > end + slack:
            raise AudioDataError(
                f"an event was found from {event.start:g} to {event.end:g} s, "
                f"and it reaches from {start:g} to {end:.3f} s",
                needed="events of this recording",
                remedy="detect with this manifest",
            )
    levels = {} if track is None else score_levels(track, truth, start, end, criteria)
    return EvaluatedRecording(
        id=entry.id,
        site=site,
        entry=entry,
        anomalous=truth.anomalous,
        unplaced=truth.events is None,
        seconds=end - start,
        normal_seconds=normal_seconds(truth, end - start),
        levels=levels,
        counts=count_recording(found, truth, start, end, criteria),
        delays=find_delays(found, truth),
        frame_rate=None if track is None else track.clock.frame_rate,
    )


def find_extent(
    entry: Entry, track: ScoreTrack | None, length: Callable[[Entry], Seconds]
) -> tuple[Seconds, Seconds, Seconds]:
    """Find where a recording begins and ends, and how exactly that is known, seconds.

    Raises
    ------
    MismatchError
        If the track is of another segment.
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
                needed="scores of the same segment",
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
    """Return the seconds that no true event covers; NaN where it is not known where they are."""
    if truth.events is None:
        return math.nan
    return max(0.0, seconds - sum(event.duration for event in union(truth.events)))


def count_recording(
    found: Sequence[Segment], truth: Truth, start: Seconds, end: Seconds, criteria: DetectionCriteria
) -> dict[str, float]:
    """Count one recording; only as a whole where it is not known where its events are."""
    counts = dict.fromkeys(COUNTS, 0.0)
    counts["clips_found"] = float(bool(found))
    counts["clips_true"] = float(truth.anomalous)
    counts["clips_both"] = float(truth.anomalous and bool(found))
    if truth.events is None:
        return counts
    n = n_segments(end - start, criteria.segment)
    here = active(found, n, criteria.segment, start)
    there = active(truth.events, n, criteria.segment, start)
    return counts | {
        "found": float(len(found)),
        "true": float(len(truth.events)),
        "matched": float(n_matched(found, truth.events, criteria.collars)),
        "onset_matched": float(n_matched(found, truth.events, criteria.collars, offsets=False)),
        "caught": float(len(find_delays(found, truth))),
        "segments_found": float(here.sum()),
        "segments_true": float(there.sum()),
        "segments_both": float((here & there).sum()),
        "false_alarms": float(len(found) - touching(found, truth.events).sum()),
        "normal_hours": normal_seconds(truth, end - start) / 3600,
    }


def find_delays(found: Sequence[Segment], truth: Truth) -> FloatArray:
    """Return the delays of the true events that were found, seconds."""
    if not truth.events:
        return np.empty(0)
    times = delays(found, truth.events)
    return times[~np.isnan(times)]
