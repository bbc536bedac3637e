"""Scores of frames and events among them: the `open`, `confirmed`, `closed` and `dropped` lines."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.scorer import NO_SCORES, FrameScorer, FrameScores, ScorerStream
from audiogmm.blocks import FrameBlock
from audiogmm.live.line import Line
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.sources import InputIdentity
from audiogmm.timeline import FrameClock


class EventStage:
    """Score the frames of one stretch, and report its events; the first stage, whose scores others take.

    Parameters
    ----------
    plan : StreamPlan
        Says whether frames are scored, and whether events are looked for.
    identity : InputIdentity
        Of the input, for its events.
    clock : FrameClock
        Of the frames.
    n_before : int
        Events that began before the stretch: they are numbered through.
    """

    def __init__(
        self, plan: StreamPlan, identity: InputIdentity, clock: FrameClock, n_before: int = 0
    ) -> None:
        self._n_before = n_before
        self._events = self._shared = self._scores = None
        if plan.detection is not None:
            self._shared = SharedScorer(plan.detection.scorer)
            detection = replace(plan.detection, scorer=self._shared)
            self._events = detection.open(clock, identity.id, identity.audio_filepath)
        elif plan.scorer is not None:
            self._scores = plan.scorer.open(identity.id)

    def push(self, block: FrameBlock) -> tuple[list[Line], FrameScores]:
        """Take the next frames; give lines, and the scores that are complete.

        Where nothing is scored, all frames have a score of 0 and none is voiced.
        """
        if self._events is not None:
            return self._lines(self._events.push(block)), self._take_scores()
        if self._scores is not None:
            return [], self._scores.push(block)
        return [], FrameScores(np.zeros(len(block)), np.zeros(len(block), np.bool_))

    def flush(self) -> tuple[list[Line], FrameScores]:
        """End the stretch; give the rest."""
        if self._events is not None:
            return self._lines(self._events.flush()), self._take_scores()
        return [], NO_SCORES if self._scores is None else self._scores.flush()

    def _take_scores(self) -> FrameScores:
        assert self._shared is not None
        return self._shared.take()

    def _lines(self, notices: list[Notice]) -> list[Line]:
        return [
            Line(n.kind, n.at, {"number": self._n_before + n.number, "event": n.event.to_dict()})
            for n in notices
        ]


@dataclass(frozen=True)
class SharedScorer:
    """Score one recording once, for the search for events and for further stages.

    Parameters
    ----------
    scorer : FrameScorer
        Computes the scores.
    """

    scorer: FrameScorer
    _parts: list[FrameScores] = field(default_factory=list)

    @property
    def latency(self) -> int:
        """Frames, the scorer's."""
        return self.scorer.latency

    def open(self, id: str) -> ScorerStream:
        """Begin with a recording."""
        return _SharedStream(self.scorer.open(id), self._parts)

    def take(self) -> FrameScores:
        """Return the scores that were computed since the last call."""
        parts = tuple(self._parts)
        self._parts.clear()
        if len(parts) == 1:
            return parts[0]
        return FrameScores(
            np.concatenate([NO_SCORES.scores, *(part.scores for part in parts)]),
            np.concatenate([NO_SCORES.voiced, *(part.voiced for part in parts)]),
        )


@dataclass(frozen=True)
class _SharedStream:
    stream: ScorerStream
    parts: list[FrameScores]

    def push(self, block: FrameBlock) -> FrameScores:
        return self._kept(self.stream.push(block))

    def flush(self) -> FrameScores:
        return self._kept(self.stream.flush())

    def _kept(self, scored: FrameScores) -> FrameScores:
        self.parts.append(scored)
        return scored
