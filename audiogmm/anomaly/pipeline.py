"""From the frames of a recording to its events: scores, thresholds and reasons in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.event import Event
from audiogmm.anomaly.explainer import EventExplainer
from audiogmm.anomaly.notice import Kind, Notice
from audiogmm.anomaly.scorer import NO_SCORES, FrameScorer, FrameScores
from audiogmm.anomaly.stream import EventStream
from audiogmm.blocks import FrameBlock, StreamPiece
from audiogmm.timeline import FrameClock
from audiogmm.types import Json, Seconds


class Verdict(Protocol):
    """A departure and what it is, see `drift.change.Change`."""

    @property
    def verdict(self) -> str: ...
    @property
    def begins(self) -> Seconds: ...
    @property
    def at(self) -> Seconds: ...
    @property
    def severity(self) -> float: ...
    def to_dict(self) -> Json:
        """Return what an event has as `change`."""
        ...

    def line(self) -> str:
        """Return it in one line."""
        ...


class Place(Protocol):
    """Where some seconds of sound lie, see `drift.level_block.LevelBlock`."""

    @property
    def last(self) -> int: ...
    @property
    def start(self) -> Seconds: ...
    @property
    def end(self) -> Seconds: ...
    @property
    def offset(self) -> Seconds: ...
    @property
    def piece(self) -> StreamPiece | None: ...


class VerdictStream(Protocol):
    """Gives verdicts on one recording, see `drift.watch.DriftStream`."""

    since: Seconds | None

    @property
    def memory(self) -> Any:
        """What the next recording of the same source goes on from."""
        ...

    def push(self, block: FrameBlock) -> None:
        """Take the next frames."""
        ...

    def split(self, scored: FrameScores) -> Iterator[tuple[FrameScores, Verdict | None]]:
        """Cut scores where a verdict may come; yield them with it."""
        ...

    def flush(self) -> Verdict | None:
        """End the recording; return the departure that goes on."""
        ...

    def locate(self, time: Seconds) -> Place:
        """Return where a time lies."""
        ...


class VerdictGiver(Protocol):
    """Frozen and picklable: what a worker needs to judge recordings, see `drift.watch.DriftWatch`."""

    def open(self, detector: Detector, state: Any = None) -> VerdictStream:
        """Begin with a recording, or go on from a state."""
        ...


@dataclass(frozen=True)
class DetectionPipeline:
    """Scorer, detector and explainer in one; frozen and picklable, for threads and workers.

    Parameters
    ----------
    scorer : FrameScorer
        Gives every frame a score.
    detector : Detector
        Of the same scores of normal audio.
    explainer : EventExplainer, optional
        Explains events; they have no reasons without it.
    drift : VerdictGiver, optional
        Says of events whether they are transient, changed for good, or rising.

    Examples
    --------
    >>> import numpy as np
    >>> from audiogmm.anomaly.detector_calibration import calibrate_detector
    >>> from audiogmm.anomaly.scorer import LogLikelihoodScorer
    >>> from audiogmm.scoring.track import ScoreTrack
    >>> class FirstFeature:
    ...     def log_likelihood(self, frames):
    ...         return frames[:, 0].astype(np.float64)
    >>> clock = FrameClock(8000, 80, 200)
    >>> normal = np.random.default_rng(0).normal(-40, 1, 60_000)
    >>> detector = calibrate_detector([ScoreTrack("calm", normal, np.ones(60_000, bool), clock)])
    >>> frames = np.r_[normal[:500], np.full(50, -60.0), normal[:500]].astype(np.float32)[:, None]
    >>> stream = DetectionPipeline(LogLikelihoodScorer(FirstFeature()), detector).open(clock, "odd")
    >>> notices = stream.push(FrameBlock(frames, np.ones(1050, bool), 0, clock)) + stream.flush()
    >>> [(notice.kind, notice.event.start) for notice in notices]
    [('open', 4.88), ('confirmed', 4.88), ('closed', 5.0)]
    """

    scorer: FrameScorer
    detector: Detector
    explainer: EventExplainer | None = None
    drift: VerdictGiver | None = None

    @property
    def latency(self) -> int:
        """Frames from the last low window of an event to its notice, see `Detector.latency`."""
        return self.scorer.latency + self.detector.latency

    def open(
        self,
        clock: FrameClock,
        id: str = "",
        audio_filepath: str | None = None,
        time: Seconds | None = None,
        state: Any = None,
    ) -> DetectionStream:
        """Begin with a recording; `time` is when its first frame begins, where blocks do not say it.

        `state` is that of an earlier recording of the same source, whose drift goes on in this one.

        Raises
        ------
        MismatchError
            If the clock has another frame rate than the normal audio.
        """
        return DetectionStream(self, EventStream(self.detector, clock, id, audio_filepath, time), state)


class DetectionStream:
    """Finds the events of one recording, in any chunks; made by `DetectionPipeline.open`.

    Attributes
    ----------
    scored : FrameScores
        Scores that the last push, or the flush, completed.
    """

    def __init__(self, pipeline: DetectionPipeline, events: EventStream, state: Any = None) -> None:
        self.scored = NO_SCORES
        self._scores = pipeline.scorer.open(events.id)
        self._events = events
        self._explaining = pipeline.explainer.open(events.clock) if pipeline.explainer else None
        self.drift = pipeline.drift.open(pipeline.detector, state) if pipeline.drift else None
        self._open: int | None = None  # number of the event that goes on
        self._change: Verdict | None = None  # its last verdict
        self._ended: Seconds = -1.0  # when the last event ended, on the clock of verdicts

    def push(self, block: FrameBlock) -> list[Notice]:
        """Take the next block of frames; return what happened.

        Raises
        ------
        FeatureError
            If a frame or a score is not finite.
        """
        if block.piece is not None:
            self._events.place(block.piece)
        if self._explaining is not None:
            self._explaining.push(block)
        if self.drift is not None:
            self.drift.push(block)
        return self._detect(self._scores.push(block))

    def flush(self) -> list[Notice]:
        """End the recording; return the rest."""
        notices = self._detect(self._scores.flush())
        change = None if self.drift is None else self.drift.flush()
        if change is not None:
            notices += self._told(change)
        return notices + self._judged([self._explained(notice, over=True) for notice in self._events.flush()])

    def _detect(self, scored: FrameScores) -> list[Notice]:
        self.scored = scored
        if self.drift is None:
            return [self._explained(notice) for notice in self._events.push(scored.scores, scored.voiced)]
        notices: list[Notice] = []
        for part, change in self.drift.split(scored):
            found = self._events.push(part.scores, part.voiced)
            notices += self._judged([self._explained(notice) for notice in found])
            if change is not None:
                notices += self._told(change)
        return notices

    def _judged(self, notices: list[Notice]) -> list[Notice]:
        """Give events their verdict as they close; keep in mind which one goes on."""
        found = []
        for notice in notices:
            if self.drift is not None and notice.kind == "open":
                self._open, self._change = notice.number, None
                first = notice.event.start if notice.event.time is None else notice.event.time
                self.drift.since = first
            elif self.drift is not None and notice.kind in ("closed", "dropped"):
                if notice.kind == "closed":
                    event = notice.event
                    self._ended = event.end if event.end_time is None else event.end_time
                change, self._change, self._open, self.drift.since = self._change, None, None, None
                verdict = "transient" if change is None else change.verdict
                told = None if change is None else change.to_dict()
                notice = replace(notice, event=replace(notice.event, verdict=verdict, change=told))
            found.append(notice)
        return found

    def _told(self, change: Verdict) -> list[Notice]:
        """Tell a verdict: of the event that goes on, or of a change outside of any."""
        assert self.drift is not None
        if change.verdict == "transient" and (self._open is not None or change.begins <= self._ended):
            return []  # an event tells it
        if self._open is not None:
            self._change = change
        number = -1 if self._open is None else self._open
        begin, end = self.drift.locate(change.begins), self.drift.locate(change.at)
        piece = begin.piece
        start = begin.offset
        whole = begin.start != begin.offset or (piece is not None and piece.time is not None)
        event = Event(
            self._events.audio_filepath if piece is None else piece.audio_filepath,
            self._events.id if piece is None else piece.id,
            start,
            start + max(0.0, change.at - begin.start),
            severity=round(change.severity, 3),
            time=begin.start if whole else None,
            end_time=change.at if whole else None,
            verdict=change.verdict,
            change=change.to_dict(),
            reasons=(change.line(),),
        )
        kind: Kind = "rising" if change.verdict == "rising" else "change"
        return [Notice(kind, end.offset + max(0.0, end.end - end.start), number, event, end.last, end.last)]

    def _explained(self, notice: Notice, *, over: bool = False) -> Notice:
        if self._explaining is None or notice.kind != "closed":
            return notice
        reasons, explanation = self._explaining.explain(
            notice.first, notice.last, over=over, center=self._events.pieces.center_from(notice.first)
        )
        return replace(notice, event=replace(notice.event, reasons=reasons, explanation=explanation))
