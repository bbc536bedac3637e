"""Scores of frames and events among them: the `open`, `confirmed`, `closed` and `dropped` lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from audiogmm.anomaly.notice import Notice
from audiogmm.anomaly.scorer import NO_SCORES, FrameScores
from audiogmm.blocks import FrameBlock, StreamPiece
from audiogmm.live.line import Line
from audiogmm.live.stream.kinds import KindStage
from audiogmm.live.stream.plan import StreamPlan
from audiogmm.live.stream.sources import InputIdentity
from audiogmm.telemetry.meter import count_done
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
    kinds : KindStage, optional
        Tells the kinds of events.
    memory : DriftMemory, optional
        Of the stretch before, whose drift goes on.
    """

    def __init__(
        self,
        plan: StreamPlan,
        identity: InputIdentity,
        clock: FrameClock,
        n_before: int = 0,
        kinds: KindStage | None = None,
        memory: Any = None,
    ) -> None:
        self._n_before = n_before
        self._kinds = kinds
        began = None if identity.start is None else identity.start.at(clock.start(0))
        path = identity.audio_filepath
        self._piece = began and StreamPiece(identity.id, path, 0, clock.start(0), began)
        self._events = self._scores = None
        if plan.detection is not None:
            self._events = plan.detection.open(clock, identity.id, identity.audio_filepath, began, memory)
        elif plan.scorer is not None:
            self._scores = plan.scorer.open(identity.id)

    @property
    def memory(self) -> Any:
        """What the next stretch goes on from."""
        return None if self._events is None or self._events.drift is None else self._events.drift.memory

    def push(self, block: FrameBlock) -> tuple[list[Line], FrameScores]:
        """Take the next frames; give lines, and the scores that are complete.

        Where nothing is scored, all frames have a score of 0 and none is voiced.
        """
        if self._piece:
            block = replace(block, piece=self._piece)
        if self._events is not None:
            return self._lines(self._events.push(block)), self._events.scored
        if self._scores is not None:
            return [], self._scores.push(block)
        return [], FrameScores(np.zeros(len(block)), np.zeros(len(block), np.bool_))

    def flush(self) -> tuple[list[Line], FrameScores]:
        """End the stretch; give the rest."""
        if self._events is not None:
            return self._lines(self._events.flush()), self._events.scored
        return [], NO_SCORES if self._scores is None else self._scores.flush()

    def _lines(self, notices: list[Notice]) -> list[Line]:
        if self._kinds is not None:
            notices = [self._kinds.take(notice) for notice in notices]
        count_done(events=sum(notice.is_event for notice in notices))
        return [
            Line(
                n.kind,
                n.at,
                {"number": None if n.number < 0 else self._n_before + n.number, "event": n.event.to_dict()},
            )
            for n in notices
        ]
