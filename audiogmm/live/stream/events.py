"""What is odd, how odd it is, and that all is well: events, scores and heartbeats of a stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.pipeline import DetectionStream
from audiogmm.anomaly.scorer import NO_SCORES, FrameScorer, FrameScores, ScorerStream
from audiogmm.blocks import FrameBlock
from audiogmm.live.stream.heartbeat import Heartbeat
from audiogmm.live.stream.intervals import ScoreInterval, ScoreIntervals
from audiogmm.live.stream.line import Line, in_order
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.timeline import FrameClock


class EventStage:
    """Tells of one input what its scores tell; all times are those of frames: chunking changes no line.

    Parameters
    ----------
    plan : StreamPlan
        What is wanted.
    id, audio_filepath : str
        Of the input, for its events.
    pulse : Heartbeat
        Gives heartbeats.
    """

    def __init__(self, plan: StreamPlan, id: str, audio_filepath: str | None, pulse: Heartbeat) -> None:
        self._plan = plan
        self._id = id
        self._path = audio_filepath
        self._pulse = pulse
        self.frames = 0
        self.events = 0
        self._opened = 0

    def begin(self, clock: FrameClock) -> None:
        """A stretch of sound begins."""
        settings = self._plan.settings
        self._clock = clock
        self._tap = None if self._plan.scorer is None else SharedScorer(self._plan.scorer)
        self._listening: DetectionStream | None = None
        self._scoring: ScorerStream | None = None
        if self._plan.listener is not None and self._tap is not None:
            listener = replace(self._plan.listener, scorer=self._tap)
            self._listening = listener.open(clock, self._id, self._path)
        elif self._tap is not None:
            self._scoring = self._tap.open(self._id)
        self._scores = (
            ScoreIntervals(clock.count(settings.score_interval)) if "scores" in settings.emit else None
        )
        self._base = self._opened

    def push(self, block: FrameBlock) -> list[Line]:
        """Take the next frames."""
        notices: list[Notice] = []
        if self._listening is not None:
            notices = self._listening.push(block)
        elif self._scoring is not None:
            self._scoring.push(block)
        self.frames += len(block)
        return self._told(notices, self._passed(block))

    def flush(self) -> list[Line]:
        """The stretch is over: the rest."""
        notices: list[Notice] = []
        if self._listening is not None:
            notices = self._listening.flush()
        elif self._scoring is not None:
            self._scoring.flush()
        lines = self._told(notices, self._passed(None))
        if self._scores is not None:
            lines += self._score_lines(self._scores.flush())
        return lines

    def _passed(self, block: FrameBlock | None) -> FrameScores:
        if self._tap is not None:
            return self._tap.take()
        return (
            NO_SCORES if block is None else FrameScores(np.zeros(len(block)), np.zeros(len(block), np.bool_))
        )

    def _told(self, notices: list[Notice], scored: FrameScores) -> list[Line]:
        lines = [self._notice_line(notice) for notice in notices]
        if self._scores is not None:
            lines += self._score_lines(self._scores.push(scored))
        lines += self._pulse.push(scored)
        told = in_order(lines)
        for line in told:
            if line.type == "closed":
                self.events += 1
            elif line.type == "heartbeat":
                line.body["events"] = self.events
        return told

    def _notice_line(self, notice: Notice) -> Line:
        number = self._base + notice.number
        self._opened = max(self._opened, number + 1)
        return Line(notice.kind, notice.at, {"number": number, "event": notice.event.to_dict()})

    def _score_lines(self, intervals: Iterable[ScoreInterval]) -> list[Line]:
        return [
            Line(
                "score",
                self._clock.end(found.last),
                {"start": self._clock.start(found.first), "score": found.mean, "voiced": found.voiced},
            )
            for found in intervals
        ]


class SharedScorer:
    """A scorer of one recording whose scores can be read besides, without being computed twice.

    Parameters
    ----------
    scorer : FrameScorer
        What scores.
    """

    def __init__(self, scorer: FrameScorer) -> None:
        self._scorer = scorer
        self._passed: list[FrameScores] = []

    @property
    def latency(self) -> int:
        """The scorer's."""
        return self._scorer.latency

    def open(self, id: str) -> ScorerStream:
        """Begin with a recording."""
        return _SharedStream(self._scorer.open(id), self._passed)

    def take(self) -> FrameScores:
        """What has passed since it was last asked."""
        if not self._passed:
            return NO_SCORES
        parts = tuple(self._passed)
        self._passed.clear()
        if len(parts) == 1:
            return parts[0]
        return FrameScores(
            np.concatenate([p.scores for p in parts]), np.concatenate([p.voiced for p in parts])
        )


@dataclass(frozen=True)
class _SharedStream:
    stream: ScorerStream
    passed: list[FrameScores]

    def push(self, block: FrameBlock) -> FrameScores:
        scored = self.stream.push(block)
        self.passed.append(scored)
        return scored

    def flush(self) -> FrameScores:
        scored = self.stream.flush()
        self.passed.append(scored)
        return scored
