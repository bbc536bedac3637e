"""Activity detectors, which mark the frames that hold speech or sound and never move them."""

from __future__ import annotations

import numpy as np

from audiogmm.audio.frontend.row_buffer import RowBuffer
from audiogmm.kernels.front_end.activity import N_BINS, classify, hang_over
from audiogmm.types import BoolArray, Samples

QUIET_QUANTILE = 0.1
"""Share of the window's frames that are taken for the noise floor."""

LOUD_QUANTILE = 0.95
"""Share of the window's frames that the loud level exceeds: a click is not a speech level."""


class EnergyVad:
    """Marks frames that exceed a sliding noise floor.

    A frame is loud if its level is `margin` decibels above the quiet level of the window around it, and not
    more than `depth` below the loud level; loud frames, the `before` frames ahead of them and the `after`
    frames behind them are voiced. Only differences of levels count, so that a quieter recording gives the
    same marks. Stationary noise is never voiced. Frames of exact silence are never voiced and do not count
    as noise floor. Where less than a third of the window is sound, as in a recording of one short word,
    there is no noise floor, and only `depth` counts.

    Latency: window - window // 2 - 1 + before frames; at the start window - 1 (if the window is at
    least twice as long as `before`).

    Parameters
    ----------
    window : int
        Frames of the sliding window, centered, pushed inwards at the edges.
    margin, depth : float
        Decibels.
    before, after : int
        Frames.

    Examples
    --------
    >>> levels = np.array([-70, -70.5, -30, -70, -71, -70, -70] * 3, np.float32)
    >>> detector = EnergyVad(window=12, margin=6.0, depth=30.0, before=0, after=1)
    >>> np.concatenate([detector.push(levels), detector.flush()])[:7].tolist()
    [False, False, True, True, False, False, False]
    """

    def __init__(self, window: int, margin: float, depth: float, before: int, after: int) -> None:
        self._settings = (window, QUIET_QUANTILE, LOUD_QUANTILE, margin, depth)
        self._before = before
        self._after = after
        self._levels = RowBuffer(0, np.float32)
        self._states = RowBuffer(0, np.uint8)
        self._histogram = np.zeros(N_BINS, np.int64)
        self._bounds = np.zeros(7, np.int64)
        self.next_frame = 0

    def push(self, levels: Samples) -> BoolArray:
        """Take levels (n,), decibels, float32, minus infinity for exact silence; return marks (m,)."""
        self._levels.append(levels)
        end, window = self._levels.end, self._settings[0]
        self._classify(end - window + window // 2 + 1 if end >= window else 0)
        return self._mark(self._states.end - self._before)

    def flush(self) -> BoolArray:
        """Return the last marks."""
        self._classify(self._levels.end)
        return self._mark(self._states.end)

    def _classify(self, stop: int) -> None:
        kept, start = self._levels, self._states.end
        if stop <= start:
            return
        states = np.empty(stop - start, np.uint8)
        classify(
            kept.rows, kept.first, start, kept.end - 1, self._settings, self._histogram, self._bounds, states
        )
        self._states.append(states)
        kept.discard(min(int(self._bounds[0]), stop))

    def _mark(self, stop: int) -> BoolArray:
        n = max(stop - self.next_frame, 0)
        voiced = np.empty(n, np.bool_)
        if n:
            kept = self._states
            hang_over(kept.rows, kept.first, self.next_frame, kept.end - 1, self._before, self._after, voiced)
            self.next_frame += n
            kept.discard(self.next_frame - self._after)
        return voiced


class SilenceVad:
    """Marks every frame except those of exact silence. Latency: none.

    Examples
    --------
    >>> SilenceVad().push(np.array([-40.0, -np.inf], np.float32)).tolist()
    [True, False]
    """

    def push(self, levels: Samples) -> BoolArray:
        """Take levels of shape (n,), decibels; return marks of shape (n,)."""
        return levels > -np.inf

    def flush(self) -> BoolArray:
        """Return nothing: no mark waits."""
        return np.empty(0, np.bool_)
