"""RecordingEvaluator the recordings of a site, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.errors import AudioGMMError, MismatchError
from audiogmm.evaluation.detection.criteria import DetectionCriteria
from audiogmm.evaluation.detection.events import FoundEvents
from audiogmm.evaluation.detection.recording import EvaluatedRecording, evaluate_recording
from audiogmm.runs.aside import Aside
from audiogmm.runs.progress import Progress
from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import Seconds

if TYPE_CHECKING:
    from audiogmm.manifest import Entry


@dataclass
class RecordingEvaluator:
    """Evaluates recordings; those that cannot be evaluated are set aside."""

    found: FoundEvents  # what was found in each
    track_of: Callable[[str], ScoreTrack] | None  # gives the track of a recording
    criteria: DetectionCriteria  # windows, segments, clip score, collars
    aside: Aside  # takes what cannot be evaluated
    progress: Progress  # shows how far it is
    n_unplaced: int = 0  # recordings so far that are anomalous, without the times of events
    timeless: bool = False  # whether any had rows without a time

    def evaluate_site(self, entries: Sequence[Entry], site: str) -> list[EvaluatedRecording]:
        """Evaluate the recordings of one site; the first track sets their frame rate."""
        cases: list[EvaluatedRecording] = []
        rate = None
        for entry in entries:
            self.progress.advance(1)
            try:
                track = None if self.track_of is None else self.track_of(entry.id)
                if track is not None and rate not in (None, track.clock.frame_rate):
                    raise MismatchError(
                        f"its track has {track.clock.frame_rate:g} frames a second",
                        needed=f"{rate:g}, as that of {cases[0].id}",
                        remedy="score all recordings of a site through one front end",
                    )
                case = evaluate_recording(
                    entry, site, self.found.of.get(entry.id, ()), track, find_end, self.criteria
                )
            except AudioGMMError as error:
                self.aside.put(entry.id, entry.path, error)
                continue
            rate = case.frame_rate
            self.n_unplaced += case.unplaced
            self.timeless = self.timeless or (bool(entry.features_filepath) and not entry.frame_rate)
            cases.append(case)
        return cases


def find_end(entry: Entry) -> Seconds:
    """Find the end of a recording, seconds: of audio, from its header."""
    from audiogmm.audio.decode import probe

    info = probe(entry, full=bool(entry.features_filepath))
    if info.duration is None:
        info = probe(entry)
    if entry.features_filepath:
        return entry.offset + (info.n_samples or 0) / (entry.frame_rate or 1.0)
    return info.duration or 0.0
