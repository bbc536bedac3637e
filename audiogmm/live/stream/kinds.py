"""Of what kind the sounds of events are, in a stream: the frames of the last seconds are kept for it."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from audiogmm.anomaly.kinds.description import LONGEST, described_span
from audiogmm.anomaly.learning.event_kinds import EventKinds
from audiogmm.anomaly.notice import Notice
from audiogmm.blocks import FrameBlock
from audiogmm.live.stream.frames import FrameStage
from audiogmm.types import Samples, Seconds

BACK: Seconds = 30.0
"""How far back frames are kept while no event is open; one opens later than it begins."""

SLACK: Seconds = 5.0
"""By how much the edges of an event may still move while it is open."""


class KindStage:
    """Tells the kinds of events in one stretch of a stream.

    Memory is bounded: `BACK` seconds of frames, and while an event is open those from its beginning on, up to
    what is described of it.

    Parameters
    ----------
    kinds : EventKinds
    sample_rate : int
        Of the samples, hertz.
    at : Seconds
        Time of the first one.
    """

    def __init__(self, kinds: EventKinds, sample_rate: int, at: Seconds) -> None:
        self._kinds = kinds
        self._frames = FrameStage(kinds.frontend, sample_rate, at, is_counted=False)
        self._blocks: deque[FrameBlock] = deque()
        self._open_from: Seconds | None = None

    def push(self, samples: Samples | None) -> None:
        """Take samples, or None at the end, before the frames that the detector sees of them."""
        self._blocks += self._frames.flush() if samples is None else self._frames.push(samples)

    def take(self, notice: Notice) -> Notice:
        """Return a notice with the kind of its event, once that is closed.

        An event of a kind that is normal is dropped.
        """
        if notice.kind in ("open", "confirmed"):
            self._open_from = notice.event.start
            return notice
        self._open_from = None
        if notice.kind != "closed":
            return notice
        start, end = described_span(notice.event.start, notice.event.end)
        event = replace(notice.event, kind=self._kinds.recognize(self._between(start, end)))
        return replace(notice, event=event, kind="dropped" if self._kinds.is_normal(event) else "closed")

    def forget(self, now: Seconds) -> None:
        """Drop frames that no event needs any more; the detector has seen those before `now`."""
        first = last = now - BACK
        if self._open_from is not None:
            first = min(first, self._open_from - SLACK)
            last = self._open_from + LONGEST + SLACK
        ends = [(block, block.clock.end(block.start + len(block) - 1)) for block in self._blocks]
        self._blocks = deque(block for block, end in ends if first < end < last or end > now - BACK)

    def _between(self, start: Seconds, end: Seconds) -> np.ndarray:
        """Frames that lie between two times."""
        clock = self._frames.clock
        kept = [np.empty((0, self._kinds.frontend.n_features()), np.float32)]
        for block in self._blocks:
            begin = clock.start(np.arange(block.start, block.start + len(block)))
            length = clock.length / clock.sample_rate
            inside = (begin > start - 1 / clock.frame_rate + 1e-9) & (begin + length < end + 1e-9)
            kept.append(block.frames[inside])
        return np.concatenate(kept)
