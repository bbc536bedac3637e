"""Feature warping: each coefficient to a normal distribution, by its rank within a sliding window."""

from __future__ import annotations

import numpy as np

from audiogmm.audio.frontend.row_buffer import RowBuffer
from audiogmm.kernels.front_end.warping import warp
from audiogmm.types import Frames, Samples


def warping_window(n_frames: int) -> int:
    """Return the frames in a window of warping: an odd number, as many before a frame as behind it.

    Examples
    --------
    >>> warping_window(300), warping_window(301)
    (301, 301)
    """
    return n_frames | 1


def normal_quantiles(n: int) -> Samples:
    """Compute the standard normal quantiles of the ranks among n numbers.

    Returns
    -------
    ndarray of shape (2 * n,), float32
        Entry k is the quantile of k / (2 n): rank r is at entry 2 r - 1, that is at (r - 1/2) / n; the
        averaged ranks of equal numbers are at the entries between. Entry 0, which no rank has, is NaN.
        Entries k and 2 n - k differ in their signs alone.

    Examples
    --------
    >>> normal_quantiles(2).astype(float).round(4).tolist()
    [nan, -0.6745, 0.0, 0.6745]
    """
    from scipy.special import ndtri

    table = np.full(2 * n, np.nan, np.float32)
    lower = ndtri(np.arange(1, n) / (2 * n))
    table[1:n] = lower
    table[n] = 0.0
    table[n + 1 :] = -lower[::-1]
    return table


class FeatureWarping:
    """Replaces each number by the standard normal quantile of its rank within a window of frames.

    J. Pelecanos and S. Sridharan, "Feature warping for robust speaker verification", Odyssey 2001: a number
    of rank r (1 is the smallest; theirs count from the largest) among the N of its column in the window
    becomes the quantile of (r - 1/2) / N; equal numbers share the average of their ranks, so that a
    constant column becomes 0. Any increasing map of a column, such as an offset, changes
    nothing.

    The window lies as that of `SlidingCmvn`: `window // 2` frames before the frame, pushed inwards whole at
    either edge of the recording, which is the window where it is shorter. Every frame in it counts, voiced
    or not. Latency: window - window // 2 - 1 frames, at the start window - 1. Numbers are only compared, so
    that any chunks give the same bytes; memory is that of the window.

    Parameters
    ----------
    width, window : int
        Numbers in a row, and frames in the window.

    Examples
    --------
    >>> stage = FeatureWarping(1, window=3)
    >>> rows = np.array([[5.0], [7.0], [6.0], [6.0]], np.float32)
    >>> np.concatenate([stage.push(rows), stage.flush()])[:, 0].astype(float).round(3).tolist()
    [-0.967, 0.967, -0.431, -0.431]
    """

    def __init__(self, width: int, window: int) -> None:
        self._width = width
        self._window = window
        self._kept = RowBuffer(width, np.float32)
        self._table: Samples | None = None
        self._places = np.zeros(width, np.int32)
        self.next_frame = 0

    def push(self, rows: Frames) -> Frames:
        """Take rows of shape (n, width); return rows of shape (m, width)."""
        self._kept.append(rows)
        end = self._kept.end
        return self._emit(end - self._window + self._window // 2 + 1 if end >= self._window else 0)

    def flush(self) -> Frames:
        """Return the last rows, whose windows end with the recording."""
        return self._emit(self._kept.end)

    def _emit(self, stop: int) -> Frames:
        n = max(stop - self.next_frame, 0)
        out = np.empty((n, self._width), np.float32)
        if n:
            kept = self._kept
            if self._table is None:  # all windows have as many frames: the recording is as long, or ends here
                self._table = normal_quantiles(min(self._window, kept.end))
            place = (kept.first, self.next_frame, kept.end - 1)
            warp(kept.rows, *place, self._window, self._table, self._places, out)
            self.next_frame += n
            # the last windows of a recording, pushed inwards, begin with that of the frame just given out
            kept.discard(self.next_frame - 1 - self._window // 2)
        return out
