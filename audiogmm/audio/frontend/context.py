"""Stages that use neighboring frames: the protocol, and deltas."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from audiogmm.audio.frontend.row_buffer import RowBuffer
from audiogmm.kernels.front_end.context import deltas
from audiogmm.types import FloatArray, Frames


class Stage(Protocol):
    """Rows in, rows out, one for one and in order, some of them later."""

    def push(self, rows: Frames) -> Frames:
        """Take rows; return those that can be computed now."""
        ...

    def flush(self) -> Frames:
        """Return the rest, at the end of the recording."""
        ...


def delta_scales(order: int, window: int) -> FloatArray:
    """Compute the weights of the neighbors for deltas of orders 0 to `order`.

    Order 1 is the regression sum(j x[t+j]) / sum(j^2), j from -window to window (The HTK Book, eq. 5.16);
    each order is the regression of the one before, which makes one filter of them (Kaldi's `DeltaFeatures`).

    Returns
    -------
    ndarray of shape (order + 1, 2 * order * window + 1), float64

    Examples
    --------
    >>> delta_scales(1, 2).tolist()
    [[0.0, 0.0, 1.0, 0.0, 0.0], [-0.2, -0.1, 0.0, 0.1, 0.2]]
    """
    slope = np.arange(-window, window + 1, dtype=np.float64)
    slope /= np.sum(slope**2)
    scales = np.zeros((order + 1, 2 * order * window + 1))
    weights = np.ones(1)
    for i in range(order + 1):
        margin = (order - i) * window
        scales[i, margin : scales.shape[1] - margin] = weights
        weights = np.convolve(weights, slope)
    return scales


class Deltas:
    """Appends deltas up to an order; the first and the last row repeat beyond the edges (Kaldi's rule).

    Latency: order * window frames.

    Parameters
    ----------
    width : int
        Numbers in a row that comes in.
    order, window : int
        Highest order (at least 1), and frames to either side for each.

    Examples
    --------
    >>> stage = Deltas(1, order=1, window=2)
    >>> rows = np.arange(6, dtype=np.float32)[:, None]
    >>> len(stage.push(rows)), stage.flush().tolist()
    (4, [[4.0, 0.800000011920929], [5.0, 0.5]])
    """

    def __init__(self, width: int, order: int, window: int) -> None:
        self._scales = delta_scales(order, window)
        self._ahead = order * window
        self._kept = RowBuffer(width, np.float32)
        self._width = width
        self.next_frame = 0

    def push(self, rows: Frames) -> Frames:
        """Take rows of shape (n, width); return rows of shape (m, (order + 1) * width)."""
        self._kept.append(rows)
        return self._emit(self._kept.end - self._ahead)

    def flush(self) -> Frames:
        """Return the last rows, whose neighbors ahead are the last one repeated."""
        return self._emit(self._kept.end)

    def _emit(self, stop: int) -> Frames:
        n = max(stop - self.next_frame, 0)
        out = np.empty((n, len(self._scales) * self._width), np.float32)
        if n:
            kept = self._kept
            deltas(kept.rows, kept.first, self.next_frame, kept.end - 1, self._scales, out)
            self.next_frame += n
            kept.discard(self.next_frame - self._ahead)
        return out
