"""Find events in scores as they arrive: hysteresis, merging and splitting, edges, and a least duration."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.edges import CLIP, refine, refine_start
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.low_runs import low_frames, trim_starts
from audiogmm.anomaly.notice import Kind, Notice
from audiogmm.anomaly.piece_table import PieceTable
from audiogmm.anomaly.smoothing import Smoother
from audiogmm.blocks import StreamPiece
from audiogmm.errors import FeatureError
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Seconds

EXPLAINED: Seconds = 120.0
"""How far back the frames of an event that is explained may lie."""

_APART, _LOW, _NORMAL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Consecutive frames from `first` to `last`: the sum of their window scores, and the lowest one."""

    first: int
    last: int
    total: float
    lowest: float
    lowest_at: int

    def then(self, other: _Stretch) -> _Stretch:
        """Join this stretch and the one that follows it."""
        low = other if other.lowest < self.lowest else self
        return _Stretch(self.first, other.last, self.total + other.total, low.lowest, low.lowest_at)


class EventStream:
    """Find the events of one recording in scores that arrive piece by piece.

    A *low run* is a stretch of frames whose window scores are at or under the release threshold. It is an
    event if one of them is at or under the threshold. Events that are at most `merge_gap` apart become one,
    unless scores were typical for as long as `merge_gap` in between; there, a low run is also split: a long
    window may not have recovered yet. Likewise a run begins only where a window of that length is low, too:
    a long one is low before the event begins (`low_runs.low_frames`). What is shorter than `min_duration` is
    dropped. A window without a voiced frame counts as a typical normal one.

    Windows are low half a window before and behind what made them low. The edges that an event has when it
    closes are therefore change points of the scores of single frames (`edges.refine`).

    Any chunking gives the same notices, byte for byte. State: one window of scores, two more at the edges of
    the event that is going on, and four stretches. An event closes `Detector.latency` frames after its last
    low window; later only if a low run, which may yet become part of it, has begun meanwhile.

    Parameters
    ----------
    detector : Detector
        Gives the thresholds.
    clock : FrameClock
        Of the recording.
    id, audio_filepath : str
        Named in the events.
    time : Seconds, optional
        When the first frame begins, as `audiogmm.wall_clock` has it; `place` says so of entries.

    Raises
    ------
    MismatchError
        If the clock has another frame rate than the normal audio.

    Examples
    --------
    >>> from audiogmm.anomaly.detector_calibration import calibrate_detector
    >>> from audiogmm.scoring.track import ScoreTrack
    >>> clock = FrameClock(8000, 80, 200)
    >>> normal = np.random.default_rng(0).normal(-40, 1, 60_000)
    >>> detector = calibrate_detector([ScoreTrack("calm", normal, np.ones(60_000, bool), clock)])
    >>> stream = EventStream(detector, clock, "odd")
    >>> scores = np.r_[normal[:500], np.full(50, -60.0), normal[:500]]
    >>> found = [notice for score in scores for notice in stream.push(score[None], np.ones(1, bool))]
    >>> [notice.kind for notice in found], found[-1].event.start, stream.flush()
    (['open', 'confirmed', 'closed'], 5.0, [])
    """

    def __init__(
        self,
        detector: Detector,
        clock: FrameClock,
        id: str = "",
        audio_filepath: str | None = None,
        time: Seconds | None = None,
    ) -> None:
        detector.require_rate(clock)
        self.detector = detector
        self.clock = clock
        self.id = id
        self.audio_filepath = audio_filepath
        self.time = time
        self.pieces = PieceTable(clock, StreamPiece(id, audio_filepath, 0, clock.start(0), time))
        self._smoother = Smoother(detector.half)
        self._short = Smoother(detector.merge_gap_frames // 2)
        self._means: FloatArray = np.empty(0)  # of either smoother, for frames that lack the other one's
        self._shorts: FloatArray = np.empty(0)
        self._losses: FloatArray = np.empty(0)  # of single frames, from frame `_losses_from` on
        self._losses_from = 0
        self._n_pushed = 0  # frames that were pushed
        self._n_frames = 0  # window scores searched
        self._run: _Stretch | None = None  # the low run that is going on
        self._event: _Stretch | None = None  # ended, but another one may join it
        self._gap: _Stretch | None = None  # what came between the event and the run that is going on
        self._run_head: FloatArray = np.empty(0)  # losses within half a window of a run's first frame
        self._head: FloatArray = np.empty(0)  # the same of the event
        self._tail: FloatArray = np.empty(0)  # losses within half a window of the event's last frame
        self._n_opened = 0
        self._is_open = self._is_confirmed = False

    def place(self, piece: StreamPiece) -> None:
        """Say of which entry the frames from `piece.first` on are; before they are pushed."""
        if self.pieces.add(piece):
            half = self.detector.half
            marks = [(self._n_frames - half - self.clock.count(EXPLAINED), self._n_pushed)]
            for stretch in (self._event, self._run, self._gap):
                if stretch is not None:
                    places = stretch.first, stretch.last, stretch.lowest_at
                    marks += [(at - half, at + half) for at in places]
            self.pieces.keep(marks)

    def push(self, scores: FloatArray, voiced: BoolArray) -> list[Notice]:
        """Take the next scores, nats, and marks, shape (n,); return what happened.

        Raises
        ------
        FeatureError
            If the two differ in length.
        """
        if scores.shape != voiced.shape:
            raise FeatureError(
                f"{self.id}: {scores.shape} scores and {voiced.shape} marks", needed="as many of both"
            )
        self._n_pushed += len(scores)
        self._losses = np.concatenate([self._losses, np.where(voiced, self.detector.typical - scores, 0.0)])
        return self._pair(self._smoother.push(scores, voiced), self._short.push(scores, voiced))

    def flush(self) -> list[Notice]:
        """End the recording; return the rest."""
        notices = self._pair(self._smoother.flush(), self._short.flush())
        self._end_run()
        notices += self._close(self._n_frames - 1)
        self.__init__(self.detector, self.clock, self.id, self.audio_filepath, self.time)  # type: ignore[misc]
        return notices

    def _pair(self, means: FloatArray, shorts: FloatArray) -> list[Notice]:
        """Look at the frames of which both windows are complete."""
        means, shorts = np.concatenate([self._means, means]), np.concatenate([self._shorts, shorts])
        n = min(len(means), len(shorts))
        self._means, self._shorts = means[n:].copy(), shorts[n:].copy()
        notices = self._look(means[:n], shorts[:n]) if n else []
        needed = max(0, self._n_frames - 1 - self.detector.half)
        self._losses = self._losses[needed - self._losses_from :].copy()
        self._losses_from = needed
        return notices

    def _look(self, means: FloatArray, shorts: FloatArray) -> list[Notice]:
        """Cut window scores into stretches that are low, not low, or normal again, and take them in turn."""
        detector = self.detector
        means = np.where(np.isnan(means), detector.typical, means)
        low, normal, may_begin = low_frames(
            means, shorts, detector.release, detector.typical, detector.merge_gap_frames
        )
        if self._run is not None:
            may_begin[: 1 if low[0] else 0] = True  # it goes on
        low = trim_starts(low, may_begin)
        state = np.where(low, _LOW, np.where(normal, _NORMAL, _APART))
        bounds = np.concatenate([[0], np.flatnonzero(state[1:] != state[:-1]) + 1, [len(means)]])
        notices: list[Notice] = []
        for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            values = means[first:last]
            if state[first] == _LOW:
                notices += self._extend_run(values)
            else:
                self._end_run()
                notices += self._extend_gap(values, closing=state[first] == _NORMAL)
            self._n_frames += last - first
        return notices

    def _extend_run(self, values: FloatArray) -> list[Notice]:
        before = self._run
        if before is None:
            self._run_head = self._around(self._n_frames)
        self._run = self._extend(before, values)
        return self._progress(before, values)

    def _progress(self, before: _Stretch | None, values: FloatArray) -> list[Notice]:
        """The event may open and be confirmed within these frames."""
        run, notices = self._run, []
        assert run is not None
        if run.lowest > self.detector.threshold or self._is_confirmed:
            return []
        already = before is not None and before.lowest <= self.detector.threshold
        entered = 0 if already else int(np.argmax(values <= self.detector.threshold))
        first = run.first if self._event is None else self._event.first
        if not self._is_open:
            notices.append(self._notice("open", first, self._n_frames + entered, before, values))
            self._is_open = True
        long_enough = max(self._n_frames + entered, first + self.detector.min_duration_frames - 1)
        if long_enough < self._n_frames + len(values):
            notices.append(self._notice("confirmed", first, long_enough, before, values))
            self._is_confirmed = True
        return notices

    def _notice(
        self, kind: Kind, first: int, now: int, before: _Stretch | None, values: FloatArray
    ) -> Notice:
        """An event that is going on, as it is known at frame `now`, within `values`."""
        lowest = self._extend(before, values[: now - self._n_frames + 1])
        if self._event is not None:
            lowest = self._event.then(lowest)
        return Notice(
            kind, self._known_until(now), self._n_opened, self._describe(lowest, first, now, None), first, now
        )

    def _end_run(self) -> None:
        """The low run is over: an event, or part of the one before it, or nothing."""
        run, self._run = self._run, None
        if run is None:
            return
        if run.lowest > self.detector.threshold:  # not an event
            if self._event is not None:
                self._gap = run if self._gap is None else self._gap.then(run)
            return
        self._tail = self._around(run.last)
        if self._event is not None and self._gap is not None:
            self._event = self._event.then(self._gap).then(run)
            self._gap = None
        else:
            self._event, self._head = run, self._run_head

    def _extend_gap(self, values: FloatArray, *, closing: bool) -> list[Notice]:
        if self._event is None:
            return []
        self._gap = self._extend(self._gap, values)
        over = self._event.last + self.detector.merge_gap_frames + 1
        if closing or self._gap.last >= over:
            return self._close(self._n_frames if closing else max(self._n_frames, over))
        return []

    def _extend(self, stretch: _Stretch | None, values: FloatArray) -> _Stretch:
        """Add consecutive frames from the current one on; summed one by one, so that chunks do not matter."""
        first, i = self._n_frames, int(np.argmin(values))
        total = 0.0 if stretch is None else stretch.total
        total = float(np.cumsum(np.concatenate([[total], values]))[-1])
        added = _Stretch(first, first + len(values) - 1, total, float(values[i]), first + i)
        return added if stretch is None else replace(stretch.then(added), total=total)

    def _close(self, now: int) -> list[Notice]:
        """The event as it stands, if it is long enough."""
        event, self._event, self._gap = self._event, None, None
        if event is None:
            return []
        n_frames = event.last - event.first + 1
        first, last = self._edges(event)
        kind: Kind = "closed" if n_frames >= self.detector.min_duration_frames else "dropped"
        found = self._describe(event, first, last, event.total / n_frames)
        notice = Notice(kind, self._known_until(now), self._n_opened, found, first, last)
        self._n_opened += 1
        self._is_open = self._is_confirmed = False
        return [notice]

    def _known_until(self, frame: int) -> Seconds:
        """End of the last frame in the windows around a frame."""
        last = min(frame + self.detector.window_latency, self._n_pushed - 1)
        first = self._event or self._run
        return self.pieces.seconds(self.pieces.at(first.first if first else last), last, self.clock.end)

    def _around(self, frame: int) -> FloatArray:
        """Losses within half a window of a frame, as far as the recording goes."""
        first = max(frame - self.detector.half, 0) - self._losses_from
        return self._losses[first : frame + self.detector.half + 1 - self._losses_from].copy()

    def _edges(self, event: _Stretch) -> tuple[int, int]:
        """First and last frame of an event, by the scores of the frames around its outermost low windows."""
        half, most = self.detector.half, CLIP * (self.detector.typical - event.lowest)
        head_from, tail_from = max(event.first - half, 0), max(event.last - half, 0)
        if tail_from <= head_from + len(self._head):  # they meet: one stretch
            known = tail_from - head_from
            first, last = refine(np.concatenate([self._head[:known], self._tail]), most)
            return head_from + first, head_from + last
        last = len(self._tail) - 1 - refine_start(self._tail[::-1], most)
        return head_from + refine_start(self._head, most), tail_from + last

    def _describe(self, stretch: _Stretch, first: int, last: int, score: float | None) -> Event:
        piece = self.pieces.at(first)
        return Event(
            audio_filepath=piece.audio_filepath,
            id=piece.id,
            start=self.pieces.seconds(piece, first, self.clock.start),
            end=self.pieces.seconds(piece, last, self.clock.end),
            time=self.pieces.time(first, self.clock.start),
            end_time=self.pieces.time(last, self.clock.end),
            score=score,
            peak=stretch.lowest,
            peak_time=self.pieces.seconds(piece, stretch.lowest_at, self.clock.center),
            threshold=self.detector.threshold,
            p_value=self.detector.p_value(stretch.lowest),
            severity=self.detector.severity(stretch.lowest),
            alarms_per_hour=None  # rows of a table are no time
            if self.detector.frame_rate == 1.0
            else self.detector.alarms_per_hour(stretch.lowest),
        )


def detect_events(detector: Detector, track: ScoreTrack, audio_filepath: str | None = None) -> list[Event]:
    """Find the events of a whole track, in order of time.

    Raises
    ------
    MismatchError
        If the track has another frame rate than the normal audio.

    Examples
    --------
    >>> from audiogmm.anomaly.detector_calibration import calibrate_detector
    >>> rng, clock = np.random.default_rng(0), FrameClock(8000, 80, 200)
    >>> calm = ScoreTrack("calm", rng.normal(-40, 1, 60_000), np.ones(60_000, bool), clock)
    >>> odd = ScoreTrack("odd", np.r_[calm.scores[:500], np.full(50, -60.0), calm.scores[:500]],
    ...                  np.ones(1050, bool), clock)
    >>> events = detect_events(calibrate_detector([calm]), odd)
    >>> [(round(event.start, 2), round(event.end, 2)) for event in events]
    [(5.0, 5.51)]
    """
    stream = EventStream(detector, track.clock, track.id, audio_filepath)
    notices = [*stream.push(track.scores, track.voiced), *stream.flush()]
    return [notice.event for notice in notices if notice.kind == "closed"]
