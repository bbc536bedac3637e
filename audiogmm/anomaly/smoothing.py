"""The window score: the mean of the voiced frames' scores in a box around each frame."""

from __future__ import annotations

import numpy as np

from audiogmm.scoring.track import ScoreTrack
from audiogmm.types import BoolArray, FloatArray


class Smoother:
    """Running mean over the 2 * half + 1 frames around each frame, as a stream.

    At both ends of a recording the window is shorter: it holds the frames that there are. Only voiced frames
    count. A window without any is NaN.

    Every mean is a sum of the same tree of additions wherever the blocks were cut, so any chunking gives
    the same bytes.

    Parameters
    ----------
    half : int
        Frames on either side; also the latency in frames.

    Examples
    --------
    >>> smoother = Smoother(1)
    >>> voiced = np.ones(4, dtype=bool)
    >>> smoother.push(np.array([1.0, 2.0, 3.0, 10.0]), voiced), smoother.flush()
    (array([1.5, 2. , 5. ]), array([6.5]))
    """

    def __init__(self, half: int) -> None:
        self.half = half
        self._scores: FloatArray = np.zeros(half)
        self._counts: FloatArray = np.zeros(half)

    def push(self, scores: FloatArray, voiced: BoolArray) -> FloatArray:
        """Take the next scores and marks, shape (n,); return the means that are complete, shape (m,)."""
        self._scores = np.concatenate([self._scores, np.where(voiced, scores, 0.0)])
        self._counts = np.concatenate([self._counts, voiced.astype(np.float64)])
        width = 2 * self.half + 1
        ready = max(0, len(self._scores) - width + 1)
        if not ready:
            return np.empty(0)
        means = _means(self._scores, self._counts, width)
        self._scores, self._counts = self._scores[ready:].copy(), self._counts[ready:].copy()
        return means

    def flush(self) -> FloatArray:
        """Return the means of the last frames, whose windows are cut short, and start again."""
        means = self.push(np.zeros(self.half), np.zeros(self.half, dtype=bool))
        self.__init__(self.half)  # type: ignore[misc]
        return means


def smooth(track: ScoreTrack, half: int) -> FloatArray:
    """Compute the window score of every frame of a track, shape (n_frames,), nats; NaN if nothing is voiced.

    Examples
    --------
    >>> from audiogmm.timeline import FrameClock
    >>> track = ScoreTrack("a", np.array([1.0, 2.0, 6.0]), np.ones(3, bool), FrameClock(8000, 80, 200))
    >>> smooth(track, 1)
    array([1.5, 3. , 4. ])
    """
    smoother = Smoother(half)
    return np.concatenate([smoother.push(track.scores, track.voiced), smoother.flush()])


def _means(scores: FloatArray, counts: FloatArray, width: int) -> FloatArray:
    n = window_sums(counts, width)
    means = np.full(len(n), np.nan)
    np.divide(window_sums(scores, width), n, out=means, where=n > 0)
    return means


def window_sums(values: FloatArray, width: int) -> FloatArray:
    """Sum `width` consecutive values, shape (n - width + 1,), by doubling: log2(width) passes.

    Element-wise additions only, so each sum rounds the same wherever it stands in the array.

    Examples
    --------
    >>> window_sums(np.array([1.0, 2.0, 3.0, 4.0]), 3)
    array([6., 9.])
    """
    n = len(values) - width + 1
    sums = np.zeros(n)
    power, size, offset = values, 1, 0  # power[i] is the sum of `size` values from i on
    while size <= width:
        if width & size:
            sums = sums + power[offset : offset + n]
            offset += size
        size *= 2
        if size <= width:
            power = power[: -(size // 2)] + power[size // 2 :]
    return sums
