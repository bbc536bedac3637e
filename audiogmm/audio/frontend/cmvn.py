"""Cepstral mean and variance normalization, over a sliding window or by given statistics."""

from __future__ import annotations

import numpy as np

from audiogmm.audio.frontend.row_buffer import RowBuffer
from audiogmm.kernels.front_end.context import slide
from audiogmm.types import FloatArray, Frames


class SlidingCmvn:
    """Subtracts the mean over a window of frames, and optionally divides by the deviation.

    Centered, the rule is that of Kaldi's `apply-cmvn-sliding --center=true`: `window // 2` frames before the
    frame, the others behind it, and at either edge of the recording the window is pushed inwards whole.
    Causal, the window ends with the frame and is shorter at the start. Latency: centered, window -
    window // 2 - 1 frames, at the start window - 1; causal, none.

    The sums run in float64 from frame to frame in one fixed order, so that any chunks give the same bytes.

    Parameters
    ----------
    width, window : int
        Numbers in a row, and frames in the window.
    variance, causal : bool
        Divide by the deviation too; use no frame ahead.

    Examples
    --------
    >>> stage = SlidingCmvn(1, window=4)
    >>> rows = np.arange(6, dtype=np.float32)[:, None]
    >>> np.concatenate([stage.push(rows), stage.flush()])[:, 0].tolist()
    [-1.5, -0.5, 0.5, 0.5, 0.5, 1.5]
    """

    def __init__(self, width: int, window: int, variance: bool = False, causal: bool = False) -> None:
        self._width = width
        self._window = window
        self._causal = causal
        self._kept = RowBuffer(width, np.float32)
        self._bounds = np.zeros(2, np.int64)
        self._sums = np.zeros((2 if variance else 1, width))
        self.next_frame = 0

    def push(self, rows: Frames) -> Frames:
        """Take rows of shape (n, width); return rows of shape (m, width)."""
        self._kept.append(rows)
        end = self._kept.end
        if self._causal:
            return self._emit(end)
        return self._emit(end - self._window + self._window // 2 + 1 if end >= self._window else 0)

    def flush(self) -> Frames:
        """Return the last rows, whose windows end with the recording."""
        return self._emit(self._kept.end)

    def _emit(self, stop: int) -> Frames:
        n = max(stop - self.next_frame, 0)
        out = np.empty((n, self._width), np.float32)
        if n:
            kept = self._kept
            span = (self._window, self._causal)
            slide(kept.rows, kept.first, self.next_frame, kept.end - 1, span, self._bounds, self._sums, out)
            self.next_frame += n
            kept.discard(min(int(self._bounds[0]), self.next_frame))
        return out


class GlobalCmvn:
    """Subtracts given means and multiplies by given scales. Latency: none.

    Parameters
    ----------
    mean, scale : array_like of shape (width,)
        Float64; the scale is one over the deviation.

    Examples
    --------
    >>> GlobalCmvn([1.0], [2.0]).push(np.array([[3.0]], np.float32)).tolist()
    [[4.0]]
    """

    def __init__(self, mean: FloatArray | tuple[float, ...], scale: FloatArray | tuple[float, ...]) -> None:
        self._mean = np.array(mean, np.float64)
        self._scale = np.array(scale, np.float64)

    def push(self, rows: Frames) -> Frames:
        """Take rows of shape (n, width); return as many."""
        return ((rows - self._mean) * self._scale).astype(np.float32)

    def flush(self) -> Frames:
        """Return nothing: no row waits."""
        return np.empty((0, len(self._mean)), np.float32)


class UtteranceMoments:
    """Means and deviations over an utterance, for the first of two passes: sums in float64, row after row.

    They are sums about the first row, so that large means cancel nothing.

    Parameters
    ----------
    width : int
        Numbers in a row.

    Examples
    --------
    >>> moments = UtteranceMoments(1)
    >>> moments.push(np.array([[1.0], [3.0]], np.float32))
    >>> moments.mean.tolist(), moments.deviation.tolist(), moments.n_rows
    ([2.0], [1.0], 2)
    """

    def __init__(self, width: int) -> None:
        self._origin = np.zeros(width)
        self._sums = np.zeros((2, width))
        self.n_rows = 0

    def push(self, rows: Frames) -> None:
        """Add rows of shape (n, width)."""
        if self.n_rows == 0 and len(rows):
            self._origin = rows[0].astype(np.float64)
        centered = rows - self._origin
        # cumsum adds row after row, whatever the number of rows: the same bytes for any chunks
        for i, terms in enumerate((centered, centered**2)):
            self._sums[i] = np.cumsum(np.vstack([self._sums[i][None], terms]), axis=0)[-1]
        self.n_rows += len(rows)

    @property
    def mean(self) -> FloatArray:
        """Means, shape (width,)."""
        mean: FloatArray = self._origin + self._sums[0] / max(self.n_rows, 1)
        return mean

    @property
    def deviation(self) -> FloatArray:
        """Standard deviations, shape (width,); 1 where there is no variation."""
        n = max(self.n_rows, 1)
        variance = self._sums[1] / n - (self._sums[0] / n) ** 2
        deviation: FloatArray = np.sqrt(np.where(variance > 1e-10, variance, 1.0))
        return deviation
