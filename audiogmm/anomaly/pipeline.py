"""From the frames of a recording to its events: scores, thresholds and reasons in one pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

from audiogmm.anomaly.detector import Detector
from audiogmm.anomaly.explainer import EventExplainer
from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.scorer import NO_SCORES, FrameScorer, FrameScores
from audiogmm.anomaly.stream import EventStream
from audiogmm.blocks import FrameBlock
from audiogmm.timeline import FrameClock
from audiogmm.types import Seconds


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
    ) -> DetectionStream:
        """Begin with a recording; `time` is when its first frame begins, where blocks do not say it.

        Raises
        ------
        MismatchError
            If the clock has another frame rate than the normal audio.
        """
        return DetectionStream(self, EventStream(self.detector, clock, id, audio_filepath, time))


class DetectionStream:
    """Finds the events of one recording, in any chunks; made by `DetectionPipeline.open`.

    Attributes
    ----------
    scored : FrameScores
        Scores that the last push, or the flush, completed.
    """

    def __init__(self, pipeline: DetectionPipeline, events: EventStream) -> None:
        self.scored = NO_SCORES
        self._scores = pipeline.scorer.open(events.id)
        self._events = events
        self._explaining = pipeline.explainer.open(events.clock) if pipeline.explainer else None

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
        return self._detect(self._scores.push(block))

    def flush(self) -> list[Notice]:
        """End the recording; return the rest."""
        notices = self._detect(self._scores.flush())
        return notices + [self._explained(notice, over=True) for notice in self._events.flush()]

    def _detect(self, scored: FrameScores) -> list[Notice]:
        self.scored = scored
        return [self._explained(notice) for notice in self._events.push(scored.scores, scored.voiced)]

    def _explained(self, notice: Notice, *, over: bool = False) -> Notice:
        if self._explaining is None or notice.kind != "closed":
            return notice
        reasons, explanation = self._explaining.explain(
            notice.first, notice.last, over=over, center=self._events.pieces.center_from(notice.first)
        )
        return replace(notice, event=replace(notice.event, reasons=reasons, explanation=explanation))
