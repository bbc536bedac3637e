"""From scores to events as they arrive: hysteresis, merging, and a least duration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.event import Event
from audiogmm.anomaly.smoothing import Smoother
from audiogmm.errors import FeatureError
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray

if TYPE_CHECKING:
    from audiogmm.anomaly.detector import Detector


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Consecutive frames from `first` to `last`: the sum of their window scores, and the lowest one."""

    first: int
    last: int
    total: float
    lowest: float
    lowest_at: int

    def then(self, other: _Stretch) -> _Stretch:
        """This stretch and the one that follows it."""
        low = other if other.lowest < self.lowest else self
        return _Stretch(self.first, other.last, self.total + other.total, low.lowest, low.lowest_at)


class EventStream:
    """Find the events of one recording in scores that arrive piece by piece; made by `Detector.stream`.

    A *low run* is a stretch of frames whose window scores are at or under the release threshold. It is an
    event if one of them is at or under the threshold. Events that are at most `merge_gap` apart become one,
    what then is shorter than `min_duration` is dropped, and the rest is given out. A window without a voiced
    frame counts as a typical normal one: nothing was heard that could be odd.

    Any chunking gives the same events, byte for byte. State: one window of scores, and four stretches. An
    event is given out `Detector.latency` frames after its end; later only if a low run, which may yet become
    part of it, has begun meanwhile.

    Examples
    --------
    >>> from audiogmm.anomaly.detector import learn
    >>> from audiogmm.scoring.track import ScoreTrack
    >>> clock = FrameClock(8000, 80, 200)
    >>> normal = np.random.default_rng(0).normal(-40, 1, 60_000)
    >>> detector = learn([ScoreTrack("calm", normal, np.ones(60_000, bool), clock)])
    >>> stream = detector.stream(clock, "odd")
    >>> scores = np.r_[normal[:500], np.full(50, -60.0), normal[:500]]
    >>> found = [event for score in scores for event in stream.push(score[None], np.ones(1, bool))]
    >>> len(found), found[0].peak_time, stream.flush()
    (1, 5.2625, [])
    """

    def __init__(self, detector: Detector, clock: FrameClock, id: str, audio_filepath: str | None) -> None:
        self.detector = detector
        self.clock = clock
        self.id = id
        self.audio_filepath = audio_filepath
        self._smoother = Smoother(detector.half)
        self._n_frames = 0  # window scores looked at
        self._run: _Stretch | None = None  # the low run that is going on
        self._event: _Stretch | None = None  # ended, but another one may join it
        self._gap: _Stretch | None = None  # what came between the event and the run that is going on

    def push(self, scores: FloatArray, voiced: BoolArray) -> list[Event]:
        """Take the next scores, nats, and marks, shape (n,); give the events that are over.

        Raises
        ------
        FeatureError
            If the two differ in length.
        """
        if scores.shape != voiced.shape:
            raise FeatureError(
                f"{self.id}: {scores.shape} scores and {voiced.shape} marks", needed="as many of both"
            )
        return self._look(self._smoother.push(scores, voiced))

    def flush(self) -> list[Event]:
        """The recording is over: give the rest of its events."""
        events = self._look(self._smoother.flush())
        self._end_run()
        events += self._give_event()
        self.__init__(self.detector, self.clock, self.id, self.audio_filepath)  # type: ignore[misc]
        return events

    def _look(self, means: FloatArray) -> list[Event]:
        """Cut window scores into stretches that are low or not, and take them one by one."""
        if not len(means):
            return []
        means = np.where(np.isnan(means), self.detector.typical, means)
        low = means <= self.detector.release
        bounds = np.concatenate([[0], np.flatnonzero(low[1:] != low[:-1]) + 1, [len(means)]])
        events: list[Event] = []
        for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            values = means[first:last]
            if low[first]:
                self._extend_run(values)
            else:
                self._end_run()
                events += self._extend_gap(values)
            self._n_frames += last - first
        return events

    def _extend_run(self, values: FloatArray) -> None:
        self._run = self._extend(self._run, values)

    def _end_run(self) -> None:
        """The low run is over: an event, or part of the one before it, or nothing."""
        run, self._run = self._run, None
        if run is None:
            return
        if run.lowest > self.detector.threshold:  # not an event
            if self._event is not None:
                self._gap = run if self._gap is None else self._gap.then(run)
        elif self._event is not None and self._gap is not None:
            self._event = self._event.then(self._gap).then(run)
            self._gap = None
        else:
            self._event = run

    def _extend_gap(self, values: FloatArray) -> list[Event]:
        if self._event is None:
            return []
        self._gap = self._extend(self._gap, values)
        if self._gap.last - self._event.last > self.detector.merge_gap_frames:
            return self._give_event()
        return []

    def _extend(self, stretch: _Stretch | None, values: FloatArray) -> _Stretch:
        """Add consecutive frames from the current one on; summed one by one, so that chunks do not matter."""
        first, i = self._n_frames, int(np.argmin(values))
        total = 0.0 if stretch is None else stretch.total
        total = float(np.cumsum(np.concatenate([[total], values]))[-1])
        added = _Stretch(first, first + len(values) - 1, total, float(values[i]), first + i)
        return added if stretch is None else replace(stretch.then(added), total=total)

    def _give_event(self) -> list[Event]:
        """The event as it stands, if it is long enough."""
        event, self._event, self._gap = self._event, None, None
        if event is None:
            return []
        start, end = self.clock.start(event.first), self.clock.end(event.last)
        n_frames = event.last - event.first + 1
        if n_frames < self.detector.min_duration_frames:
            return []
        return [
            Event(
                audio_filepath=self.audio_filepath,
                id=self.id,
                start=start,
                end=end,
                score=event.total / n_frames,
                peak=event.lowest,
                peak_time=self.clock.centre(event.lowest_at),
                threshold=self.detector.threshold,
                p_value=self.detector.p_value(event.lowest),
            )
        ]
