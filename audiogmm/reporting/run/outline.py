"""The outline of a recording's window scores, and the stretches of it that a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from audiogmm.reporting.page.content import ReportedEvent
from audiogmm.reporting.page.envelope import Envelope
from audiogmm.timeline import FrameClock
from audiogmm.types import FloatArray, Seconds

COLUMNS = 500
"""Columns of a curve, at least; up to twice as many."""


@dataclass
class Piece:
    """Window scores of the frames from `first` up to `last`, not included."""

    first: int
    last: int
    values: FloatArray = field(default_factory=lambda: np.empty(0))

    def push(self, start: int, means: FloatArray) -> None:
        """Add those window scores that belong to the piece; the first is of the frame `start`."""
        first, last = max(self.first, start), min(self.last, start + len(means))
        if first < last:
            self.values = np.concatenate([self.values, means[first - start : last - start]])


@dataclass
class Outline:
    """The outline of a recording's window scores, and some pieces of them."""

    clock: FrameClock
    strip: Envelope
    pieces: list[Piece]

    @classmethod
    def of(cls, clock: FrameClock, wanted: Sequence[tuple[Seconds, Seconds]]) -> Outline:
        def frame(time: Seconds) -> int:
            return max(0, round((time - clock.offset) * clock.frame_rate))

        return cls(clock, Envelope(COLUMNS), [Piece(frame(start), frame(end)) for start, end in wanted])

    @property
    def seconds(self) -> Seconds:
        """From the start of the first frame to the end of the last one."""
        return self.clock.end(self.strip.n - 1) - self.clock.start(0) if self.strip.n else 0.0

    def push(self, means: FloatArray) -> None:
        """Add the next window scores."""
        for piece in self.pieces:
            piece.push(self.strip.n, means)
        self.strip.push(means)


def choose_stretches(
    found: Sequence[ReportedEvent], most: int, offset: Seconds = 0.0, *, window: Seconds = 20.0
) -> list[tuple[Seconds, Seconds]]:
    """Choose the stretches of a long recording to show: around its severest events, apart, in order of time.

    Parameters
    ----------
    found : sequence of ReportedEvent
        The severest first.
    most : int
        Number of stretches, at most.
    offset : Seconds
        Start of the recording.
    window : Seconds
        Length of a stretch; up to three times as much around a long event.

    Returns
    -------
    list of (Seconds, Seconds)
        Start and end of each.

    Examples
    --------
    >>> from audiogmm.anomaly.event import Event
    >>> starts = (100.0, 105.0, 3.0, 118.0)
    >>> events = [ReportedEvent(Event(None, "a", t, t + 1.0, peak_time=t + 0.5)) for t in starts]
    >>> choose_stretches(events, 3)
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


def describe_change(
    found: Sequence[ReportedEvent], pieces: Sequence[Piece], clock: FrameClock, end: Seconds
) -> str:
    """Describe in a sentence how the recording has changed since the run; "" if it has not.

    It has changed where an event lies beyond its end, or does not score as it did.
    """
    for one in found:
        peak, time = one.event.peak, one.event.peak_time
        if one.event.start > end:
            return f"This recording has changed since the run: an event lies beyond its end at {end:.2f} s."
        if peak is None or time is None:
            continue
        frame = round((time - clock.center(0)) * clock.frame_rate)
        for piece in pieces:
            if piece.first <= frame < piece.first + len(piece.values):
                now = float(piece.values[frame - piece.first])
                if abs(now - peak) > 1e-6 * max(1.0, abs(peak)):
                    return (
                        f"This recording has changed since the run: at {time:.2f} s it scored {peak:.2f} "
                        f"nats then, and scores {now:.2f} now."
                    )
    return ""
