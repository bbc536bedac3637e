"""What is odd, how odd it is, and that all is well: events, scores and heartbeats of a stream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from audiogmm.anomaly.listener import Listening
from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.scorer import NOTHING, Scored, ScorerStream
from audiogmm.blocks import FrameBlock
from audiogmm.jobs.stream_intervals import Interval, Intervals
from audiogmm.jobs.stream_line import Line, in_order
from audiogmm.jobs.stream_plan import Plan
from audiogmm.jobs.stream_pulse import Pulse
from audiogmm.jobs.stream_tap import Tap
from audiogmm.timeline import FrameClock


class Judge:
    """Tells of one input what its scores tell; all times are those of frames: chunking changes no line.

    Parameters
    ----------
    plan : Plan
        What is wanted.
    id, audio_filepath : str
        Of the input, for its events.
    pulse : Pulse
        Gives heartbeats.
    """

    def __init__(self, plan: Plan, id: str, audio_filepath: str | None, pulse: Pulse) -> None:
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
        self._tap = None if self._plan.scorer is None else Tap(self._plan.scorer)
        self._listening: Listening | None = None
        self._scoring: ScorerStream | None = None
        if self._plan.listener is not None and self._tap is not None:
            listener = replace(self._plan.listener, scorer=self._tap)
            self._listening = listener.open(clock, self._id, self._path)
        elif self._tap is not None:
            self._scoring = self._tap.open(self._id)
        self._scores = Intervals(clock.count(settings.score_interval)) if "scores" in settings.emit else None
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

    def _passed(self, block: FrameBlock | None) -> Scored:
        if self._tap is not None:
            return self._tap.take()
        return NOTHING if block is None else Scored(np.zeros(len(block)), np.zeros(len(block), np.bool_))

    def _told(self, notices: list[Notice], scored: Scored) -> list[Line]:
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

    def _score_lines(self, intervals: Iterable[Interval]) -> list[Line]:
        return [
            Line(
                "score",
                self._clock.end(found.last),
                {"start": self._clock.start(found.first), "score": found.mean, "voiced": found.voiced},
            )
            for found in intervals
        ]
