"""Draw recordings with the events that were found in them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.learning.assembly import make_scorer
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.anomaly.scorers.track import score_recording
from audiogmm.anomaly.stream import detect_events
from audiogmm.errors import ChoiceError
from audiogmm.files import refuse_overwrite
from audiogmm.reporting.run.excerpt import read_samples
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.types import Seconds

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.mixture.store import Model
    from audiogmm.runs.inputs import Inputs

LONGEST: Seconds = 60.0
"""Most of a recording that a picture shows, around its severest event."""


def check_pictures(path: Path, *, force: bool = False) -> None:
    """Refuse a picture that cannot be drawn, before the work begins.

    Raises
    ------
    ChoiceError
        If pictures have no such suffix.
    OutputError
        If it exists (and not `force`), or cannot be written.
    """
    from audiogmm.reporting.figure import FORMATS

    if path.suffix and path.suffix.lower() not in FORMATS and not path.is_dir():
        raise ChoiceError(
            f"a picture cannot be written to {path}",
            needed=f"a name that ends in {', '.join(FORMATS)}, or a folder (no suffix)",
        )
    if path.suffix.lower() in FORMATS:
        refuse_overwrite(path, force)


def draw_recordings(
    model: Model,
    detector: Detector,
    inputs: Inputs,
    severest: Sequence[Event],
    with_events: Set[str],
    path: Path,
    *,
    force: bool = False,
) -> list[Path]:
    """Draw the recording of the severest event into a file, or each recording with an event into a folder.

    A file shows the first recording where nothing was found.

    Parameters
    ----------
    model : Model
    detector : Detector
        The one that found the events.
    inputs : Inputs
        The recordings, to be read again.
    severest : sequence of Event
        The most severe first.
    with_events : set of str
        Ids of the recordings with an event.
    path : Path
        A picture (.png, .svg, .pdf), or a folder, for pictures named after the recordings.

    Returns
    -------
    list of Path
        The pictures drawn.

    Raises
    ------
    OutputError
        If a picture exists (and not `force`), or cannot be written.
    """
    from audiogmm.reporting.figure import FORMATS

    scorer = make_scorer(model)
    if path.suffix.lower() in FORMATS:
        wanted = severest[0].id if severest else None
        for recording in inputs:
            if wanted in (None, recording.id):
                draw_recording(recording, scorer, detector, path, force=force)
                return [path]
        return []
    pictures = []
    for recording in inputs:
        if recording.id in with_events:
            pictures.append(path / f"{recording.id}.png")
            draw_recording(recording, scorer, detector, pictures[-1], force=force)
    return pictures


def draw_recording(
    recording: Recording, scorer: FrameScorer, detector: Detector, path: Path, *, force: bool = False
) -> None:
    """Draw one recording: its spectrogram above, its score below, events shaded."""
    from audiogmm.reporting.picture import RecordingPicture, draw_picture

    track = score_recording(scorer, recording)
    events = detect_events(detector, track, recording.entry.path)
    first, last = _window(track, events)
    start, end = track.clock.start(first), track.clock.end(last - 1)
    samples, rate = read_samples(recording.entry, start, end)
    clock = track.clock
    draw_picture(
        RecordingPicture(
            samples=samples,
            sample_rate=rate,
            scores=detector.smooth(track)[first:last],
            clock=FrameClock(clock.sample_rate, clock.hop, clock.length, start),
            threshold=detector.threshold,
            release=detector.release,
            events=[e for e in events if e.end > start and e.start < end],
            truth=recording.entry.events or None,
            title=recording.id,
        ),
        path,
        force=force,
    )


def _window(track: ScoreTrack, events: Sequence[Event]) -> tuple[int, int]:
    """Return the first frame to show, and the one after the last."""
    length = track.clock.count(LONGEST)
    if len(track) <= length:
        return 0, len(track)
    severest = min(events, key=lambda event: event.peak or 0.0, default=None)
    center = 0.0 if severest is None else ((severest.peak_time or severest.start) - track.clock.offset)
    first = int(np.clip(round(center * track.clock.frame_rate) - length // 2, 0, len(track) - length))
    return first, first + length
