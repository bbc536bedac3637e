"""Score a recording of a run again: its curve, spectrograms of stretches, and the sound of its events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.scorer import FrameScorer
from audiogmm.anomaly.smoothing import Smoother
from audiogmm.errors import AudioDataError, AudioGMMError, OutputError
from audiogmm.reporting.page.content import ReportedEvent, ReportedRecording, ScoreCurve, Stretch
from audiogmm.reporting.page.envelope import Envelope
from audiogmm.reporting.page.image import spectrogram_image
from audiogmm.reporting.picture import score_limits
from audiogmm.reporting.run.excerpt import cut_event, cut_sound, read_samples
from audiogmm.reporting.run.outline import COLUMNS, Outline, Piece, choose_stretches, describe_change
from audiogmm.scoring.clustering import Clusterer, ClusterSummary
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry

WHOLE: Seconds = 60.0
WHOLE_FRAMES = 2000
"""A recording no longer than the longer of these is shown from end to end."""

MOMENT: Seconds = 3.0
"""Sound of the least normal part of a recording without an event."""

FEWEST = 3
"""Events of a recording that have sound even when the room for sound is used up."""

COMPONENT_SECONDS: Seconds = 600.0
"""Components are looked for in so much of a recording, from its start."""


@dataclass(frozen=True)
class Rescored:
    """A recording that was scored again."""

    shown: ReportedRecording  # what the page shows of it
    entry: Entry | None = None  # the recording; None where its place is not known
    error: AudioGMMError | None = None  # why it could not be scored
    clusters: ClusterSummary | None = None  # what it gave to the components, where these were asked for


@dataclass(frozen=True)
class RescoreTask:
    """Task that scores a recording again, in bounded memory; runs in a thread."""

    scorer: FrameScorer
    detector: Detector  # as they were in the run
    threshold: float  # nats
    # for each recording the number of its events, and the events, the most severe first
    found: Mapping[str, tuple[int, list[ReportedEvent]]] = field(repr=False)
    n_stretches: int = 3  # most stretches and sounds of a recording
    n_sounds: int = 8
    # bytes of sound of a recording; once they are used up, only the first three events have sound
    room: int = 1 << 20
    clusterer: Clusterer | None = None  # finds segments of components; None: nobody asked for them

    @property
    def whole(self) -> Seconds:
        """Length up to which a recording is shown from end to end; rows without time count as seconds."""
        return max(WHOLE, WHOLE_FRAMES / self.detector.frame_rate)

    @property
    def window(self) -> Seconds:
        """Length of a stretch around a severe event of a longer recording."""
        return self.whole / 3

    def __call__(self, recording: Recording) -> Rescored:
        n_events, found = self.found.get(recording.id, (0, []))
        path = recording.entry.path
        try:
            return self._rescore(recording, n_events, found)
        except OutputError:
            raise
        except AudioGMMError as error:
            shown = ReportedRecording(recording.id, path, n_events, found, error=str(error))
            return Rescored(shown, recording.entry, error)

    def _rescore(self, recording: Recording, n_events: int, found: Sequence[ReportedEvent]) -> Rescored:
        offset = recording.entry.offset
        wanted = choose_stretches(found, self.n_stretches, offset, window=self.window)
        track = self._outline(recording, [(offset, offset + self.whole), *wanted])
        if not track.strip.n:
            raise AudioDataError(f"{recording.id} has no frame", needed="at least one")
        if track.seconds <= self.whole:
            pieces = track.pieces[:1]
        elif wanted:
            pieces = track.pieces[1:]
        else:  # long, and nothing found: around its least normal moment
            middle = track.clock.center(track.strip.lowest_at)
            pieces = self._outline(
                recording, [(middle - self.window / 2, middle + self.window / 2)], stop=True
            ).pieces
        strip = ScoreCurve(track.strip.low, track.strip.high, track.strip.step / track.clock.frame_rate)
        stretches = [self._stretch(recording, piece, track.clock) for piece in pieces if len(piece.values)]
        with_sound = list(self._with_sound(recording, found))
        least_normal = None
        if not found:
            middle = track.clock.center(track.strip.lowest_at)
            least_normal = cut_sound(recording.entry, middle - MOMENT / 2, middle + MOMENT / 2)
        shown = ReportedRecording(
            id=recording.id,
            path=recording.entry.path,
            n_events=n_events,
            events=with_sound,
            start=track.clock.start(0),
            seconds=track.seconds,
            lowest=track.strip.lowest,
            limits=self._limits([stretch.curve for stretch in stretches]),
            strip_limits=self._limits([strip]),
            strip=strip if track.seconds > self.whole else None,
            stretches=stretches,
            truth=recording.entry.events,
            least_normal=least_normal,
            note=describe_change(found, pieces, track.clock, track.clock.start(0) + track.seconds),
        )
        if self.clusterer is None:
            return Rescored(shown, recording.entry)
        clusters = self.clusterer.zero()
        for _ in self.clusterer.segments(recording, clusters):
            pass
        return Rescored(shown, recording.entry, None, clusters)

    def _with_sound(self, recording: Recording, found: Sequence[ReportedEvent]) -> Iterator[ReportedEvent]:
        """Add their sound to the events, the most severe first, as far as there is room."""
        room = self.room
        for i, one in enumerate(found):
            if i < self.n_sounds and (i < FEWEST or room > 0):
                one = replace(one, clip=cut_event(recording.entry, one))
                room -= 0 if one.clip is None else len(one.clip.mp3)
            yield one

    def _outline(
        self, recording: Recording, wanted: Sequence[tuple[Seconds, Seconds]], *, stop: bool = False
    ) -> Outline:
        """Score the recording once; keep its outline, and the pieces that are wanted.

        With `stop`, scoring ends with the last piece.
        """
        smoother, scorer = Smoother(self.detector.half), self.scorer.open(recording.id)
        track: Outline | None = None
        for block in recording:
            track = track or Outline.of(block.clock, wanted)
            scored = scorer.push(block)
            track.push(self._filled(smoother.push(scored.scores, scored.voiced)))
            if stop and all(piece.last <= track.strip.n for piece in track.pieces):
                break
        else:
            if track is not None:
                rest = scorer.flush()
                track.push(self._filled(smoother.push(rest.scores, rest.voiced)))
                track.push(self._filled(smoother.flush()))
        if track is None:
            return Outline.of(FrameClock.for_rows(), wanted)
        return track

    def _limits(self, curves: Sequence[ScoreCurve]) -> tuple[float, float]:
        values = [part for curve in curves for part in (curve.low, curve.high)]
        return score_limits(np.concatenate(values), self.threshold) if values else (-1.0, 0.0)

    def _filled(self, means: FloatArray) -> FloatArray:
        return np.where(np.isnan(means), self.detector.typical, means)

    def _stretch(self, recording: Recording, piece: Piece, clock: FrameClock) -> Stretch:
        first, last = piece.first, piece.first + len(piece.values) - 1
        start, end = clock.start(first), clock.end(last)
        outline = Envelope(COLUMNS)
        outline.push(piece.values)
        curve = ScoreCurve(outline.low, outline.high, outline.step / clock.frame_rate)
        if recording.entry.audio_filepath is None:
            return Stretch(start, end, curve)
        samples, rate = read_samples(recording.entry, start, end)
        return Stretch(start, end, curve, spectrogram_image(samples, rate), rate / 2)
