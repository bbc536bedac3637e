"""Listen again to a recording of a run: its score, spectrograms where it matters, and its events to hear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.smoothing import Smoother
from audiogmm.errors import AudioDataError, AudioGMMError, OutputError
from audiogmm.jobs.progress import say_nothing
from audiogmm.report.page.envelope import Envelope
from audiogmm.report.page.image import spectrogram_image
from audiogmm.report.page.shown import Curve, Found, Shown, Stretch
from audiogmm.report.page.sound import Clip, clip
from audiogmm.report.picture import score_limits
from audiogmm.scoring.claims import StrongestClaims, claims
from audiogmm.scoring.likelihood import score_blocks
from audiogmm.scoring.posterior import Assignment, ComponentTally, assign
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray, Samples, Seconds

if TYPE_CHECKING:
    from audiogmm.audio.recording import Recording
    from audiogmm.manifest import Entry
    from audiogmm.mixture.evaluator import Evaluator

WHOLE: Seconds = 60.0
WHOLE_FRAMES = 2000
"""A recording up to so long, whichever is longer, is shown from end to end."""

CONTEXT: Seconds = 1.0
"""Sound before and after an event."""

LONGEST: Seconds = 8.0
"""Sound of one event; of a longer one, what lies around its lowest score."""

MOMENT: Seconds = 3.0
"""Sound of the least normal moment of a recording without an event."""

COLUMNS = 500
"""Of a curve, up to twice as many."""

LISTENED: Seconds = 600.0
"""How far into a recording components are listened for."""


@dataclass(frozen=True)
class Heard:
    """What came of listening again: what is shown, what ended it early, and what the components claim."""

    shown: Shown
    error: AudioGMMError | None = None
    tally: ComponentTally | None = None
    claims: StrongestClaims | None = None


@dataclass(frozen=True)
class HearAgain:
    """Listens to a recording again, in bounded memory; runs in a thread.

    Attributes
    ----------
    evaluator, detector
        Of the run.
    threshold : float
        Nats.
    every_frame : bool
        Whether frames of exact silence count.
    found : mapping of str to (int, list of Found)
        Of each recording, how many events there are, and the worst of them in order.
    n_stretches, n_sounds : int
        At most so many of a recording.
    n_components : int
        Listened for as well; 0 for none.
    """

    evaluator: Evaluator
    detector: Detector
    threshold: float
    every_frame: bool
    found: Mapping[str, tuple[int, list[Found]]] = field(repr=False)
    n_stretches: int = 3
    n_sounds: int = 8
    n_components: int = 0

    @property
    def whole(self) -> Seconds:
        """A recording up to so long is shown from end to end; rows without time count as seconds."""
        return max(WHOLE, WHOLE_FRAMES / self.detector.frame_rate)

    @property
    def window(self) -> Seconds:
        """Of a longer one, so much is shown around its severest events."""
        return self.whole / 3

    def __call__(self, recording: Recording) -> Heard:
        n_events, found = self.found.get(recording.id, (0, []))
        path = recording.entry.path
        try:
            return self._listen(recording, n_events, found)
        except OutputError:
            raise
        except AudioGMMError as error:
            return Heard(Shown(recording.id, path, n_events, found, trouble=str(error)), error)

    def _listen(self, recording: Recording, n_events: int, found: Sequence[Found]) -> Heard:
        offset = recording.entry.offset
        wanted = plan(found, self.n_stretches, offset, window=self.window)
        track = self._track(recording, [(offset, offset + self.whole), *wanted])
        if not track.strip.n:
            raise AudioDataError(f"{recording.id} has no frame", needed="at least one")
        if track.seconds <= self.whole:
            pieces = track.pieces[:1]
        elif wanted:
            pieces = track.pieces[1:]
        else:  # long, and nothing found: around its least normal moment
            middle = track.clock.centre(track.strip.lowest_at)
            pieces = self._track(
                recording, [(middle - self.window / 2, middle + self.window / 2)], stop=True
            ).pieces
        strip = Curve(track.strip.low, track.strip.high, track.strip.step / track.clock.frame_rate)
        stretches = [self._stretch(recording, piece, track.clock) for piece in pieces if len(piece.values)]
        voices = [
            replace(one, clip=_sound(recording.entry, one)) if i < self.n_sounds else one
            for i, one in enumerate(found)
        ]
        quiet = None
        if not found:
            middle = track.clock.centre(track.strip.lowest_at)
            quiet = cut(recording.entry, middle - MOMENT / 2, middle + MOMENT / 2)
        shown = Shown(
            id=recording.id,
            path=recording.entry.path,
            n_events=n_events,
            found=voices,
            start=track.clock.start(0),
            seconds=track.seconds,
            lowest=track.strip.lowest,
            limits=self._limits([stretch.curve for stretch in stretches]),
            strip_limits=self._limits([strip]),
            strip=strip if track.seconds > self.whole else None,
            stretches=stretches,
            truth=recording.entry.events,
            quiet=quiet,
            note=_changed(found, pieces, track.clock),
        )
        if not self.n_components:
            return Heard(shown)
        return Heard(shown, None, *self._components(recording))

    def _track(
        self, recording: Recording, wanted: Sequence[tuple[Seconds, Seconds]], *, stop: bool = False
    ) -> _Track:
        """Score the recording once; keep its outline, and the pieces that are wanted.

        With `stop`, end where the last piece does.
        """
        smoother = Smoother(self.detector.half)
        track: _Track | None = None
        for block, scores in score_blocks(self.evaluator, recording):
            track = track or _Track.of(block.clock, wanted)
            heard = np.ones_like(block.voiced) if self.every_frame else block.voiced
            track.push(self._filled(smoother.push(scores, heard)))
            if stop and all(piece.last <= track.strip.n for piece in track.pieces):
                break
        else:
            if track is not None:
                track.push(self._filled(smoother.flush()))
        if track is None:
            return _Track.of(FrameClock.for_rows(), wanted)
        return track

    def _limits(self, curves: Sequence[Curve]) -> tuple[float, float]:
        values = [part for curve in curves for part in (curve.low, curve.high)]
        return score_limits(np.concatenate(values), self.threshold) if values else (-1.0, 0.0)

    def _filled(self, means: FloatArray) -> FloatArray:
        return np.where(np.isnan(means), self.detector.typical, means)

    def _stretch(self, recording: Recording, piece: _Piece, clock: FrameClock) -> Stretch:
        first, last = piece.first, piece.first + len(piece.values) - 1
        start, end = clock.start(first), clock.end(last)
        outline = Envelope(COLUMNS)
        outline.push(piece.values)
        curve = Curve(outline.low, outline.high, outline.step / clock.frame_rate)
        if recording.entry.audio_filepath is None:
            return Stretch(start, end, curve)
        samples, rate = _samples(recording.entry, start, end)
        return Stretch(start, end, curve, spectrogram_image(samples, rate), rate / 2)

    def _components(self, recording: Recording) -> tuple[ComponentTally, StrongestClaims]:
        """What each component claims of the recording's beginning."""
        tally = ComponentTally.zero(self.n_components)
        strongest = StrongestClaims(self.n_components, 2)

        def each() -> Iterator[Assignment]:
            nonlocal tally
            for found in assign(self.evaluator, recording):
                tally = tally + ComponentTally.of(found)
                yield found
                if found.clock.start(found.start) > found.clock.start(0) + LISTENED:
                    return

        for claim in claims(recording.id, each()):
            strongest.add(claim)
        return tally, strongest


@dataclass
class _Piece:
    """Window scores of the frames from `first` up to `last`, not included."""

    first: int
    last: int
    values: FloatArray = field(default_factory=lambda: np.empty(0))

    def push(self, start: int, means: FloatArray) -> None:
        """Take what falls into it of the window scores of the frames from `start` on."""
        first, last = max(self.first, start), min(self.last, start + len(means))
        if first < last:
            self.values = np.concatenate([self.values, means[first - start : last - start]])


@dataclass
class _Track:
    """The outline of a recording's window scores, and some pieces of them."""

    clock: FrameClock
    strip: Envelope
    pieces: list[_Piece]

    @classmethod
    def of(cls, clock: FrameClock, wanted: Sequence[tuple[Seconds, Seconds]]) -> _Track:
        def frame(time: Seconds) -> int:
            return max(0, round((time - clock.offset) * clock.frame_rate))

        return cls(clock, Envelope(COLUMNS), [_Piece(frame(start), frame(end)) for start, end in wanted])

    @property
    def seconds(self) -> Seconds:
        """From the start of the first frame to the end of the last one."""
        return self.clock.end(self.strip.n - 1) - self.clock.start(0) if self.strip.n else 0.0

    def push(self, means: FloatArray) -> None:
        """Take the next window scores."""
        for piece in self.pieces:
            piece.push(self.strip.n, means)
        self.strip.push(means)


def plan(
    found: Sequence[Found], most: int, offset: Seconds = 0.0, *, window: Seconds = 20.0
) -> list[tuple[Seconds, Seconds]]:
    """Which stretches of a long recording to show: around its severest events, none twice, in order of time.

    Parameters
    ----------
    found : sequence of Found
        The severest first.
    most : int
        Stretches.
    offset : Seconds
        Where the recording begins.
    window : Seconds
        Of a stretch; up to three times as much around a long event.

    Examples
    --------
    >>> from audiogmm.anomaly.event import Event
    >>> at = [Found(Event(None, "a", t, t + 1.0, peak_time=t + 0.5)) for t in (100.0, 105.0, 3.0, 118.0)]
    >>> plan(at, 3)
    [(0.0, 20.0), (90.5, 110.5), (110.5, 128.5)]
    """
    stretches: list[tuple[Seconds, Seconds]] = []
    for one in found:
        if len(stretches) == most:
            break
        event = one.event
        peak = (event.start + event.end) / 2 if event.peak_time is None else event.peak_time
        if any(start <= peak < end for start, end in stretches):
            continue
        wide = float(np.clip(event.end - event.start + 0.3 * window, window, 3 * window))
        start = max(offset, peak - wide / 2)
        end = start + wide
        start = max([start, *(b for _, b in stretches if b <= peak)])
        end = min([end, *(a for a, _ in stretches if a > peak)])
        stretches.append((start, end))
    return sorted(stretches)


def _changed(found: Sequence[Found], pieces: Sequence[_Piece], clock: FrameClock) -> str:
    """A note where an event does not score as it did: the recording is another one by now."""
    for one in found:
        peak, time = one.event.peak, one.event.peak_time
        if peak is None or time is None:
            continue
        frame = round((time - clock.centre(0)) * clock.frame_rate)
        for piece in pieces:
            if piece.first <= frame < piece.first + len(piece.values):
                now = float(piece.values[frame - piece.first])
                if abs(now - peak) > 1e-6 * max(1.0, abs(peak)):
                    return (
                        f"This recording has changed since the run: at {time:.2f} s it scored {peak:.2f} "
                        f"nats then, and scores {now:.2f} now."
                    )
    return ""


def _sound(entry: Entry, found: Found) -> Clip | None:
    """How an event sounds, with what comes before and after it."""
    event = found.event
    start, end = event.start - CONTEXT, event.end + CONTEXT
    if end - start > LONGEST:
        peak = (event.start + event.end) / 2 if event.peak_time is None else event.peak_time
        start = min(max(start, peak - LONGEST / 2), end - LONGEST)
        end = start + LONGEST
    return cut(entry, start, end)


def cut(entry: Entry, start: Seconds, end: Seconds) -> Clip | None:
    """A stretch of a recording to hear, as far as the recording goes; nothing of a feature matrix."""
    if entry.audio_filepath is None:
        return None
    start = max(start, entry.offset)
    samples, rate = _samples(entry, start, end)
    return clip(samples, rate, start) if len(samples) else None


def _samples(entry: Entry, start: Seconds, end: Seconds) -> tuple[Samples, float]:
    """What is heard from `start` to `end`, seconds on the recording's clock, as far as there is something."""
    from audiogmm.audio.decode import open_audio

    if entry.end is not None:
        end = min(end, entry.end)
    if end <= start:
        return np.zeros(0, dtype=np.float32), 1.0
    blocks, n = [], 0
    with open_audio(replace(entry, offset=start, duration=None), warn=say_nothing) as stream:
        wanted = max(1, round((end - start) * stream.info.sample_rate))
        for block in stream:  # not by duration: the last frame may reach past the last sample
            blocks.append(block[: wanted - n])
            n += len(blocks[-1])
            if n == wanted:
                break
        return np.concatenate(blocks), float(stream.info.sample_rate)
