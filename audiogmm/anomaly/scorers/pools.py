"""Pools: from the scores of frames to scores of the windows around them, as streams."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np

from audiogmm.anomaly.smoothing import Smoother
from audiogmm.types import BoolArray, FloatArray

AT_ONCE = 4096
"""Windows that are sorted at a time."""


class PoolStream(Protocol):
    """Pools the scores of one recording; any chunking gives the same bytes."""

    def push(self, scores: FloatArray, voiced: BoolArray) -> FloatArray:
        """Take the next scores and marks, shape (n,); return the pooled scores that are complete."""
        ...

    def flush(self) -> FloatArray:
        """Return the rest: as many in all as were pushed."""
        ...


class Pool(Protocol):
    """Frozen and picklable: what makes pools of scores."""

    @property
    def latency(self) -> int:
        """Frames by which a pooled score comes later than its frame."""
        ...

    def open(self) -> PoolStream:
        """Begin with a recording."""
        ...


@dataclass(frozen=True)
class Box:
    """The mean of the voiced scores within `half` frames of each frame; at the ends of those there are.

    A frame without a voiced one near it keeps the score that it had: it does not count.

    Examples
    --------
    >>> stream = Box(1).open()
    >>> stream.push(np.array([1.0, 2.0, 3.0, 10.0]), np.ones(4, bool)), stream.flush()
    (array([1.5, 2. , 5. ]), array([6.5]))
    """

    half: int

    @property
    def latency(self) -> int:
        """Half a window."""
        return self.half

    def open(self) -> _BoxStream:
        """Begin with a recording."""
        return _BoxStream(self.half)


class _BoxStream:
    def __init__(self, half: int) -> None:
        self._smoother = Smoother(half)
        self._own: FloatArray = np.empty(0)  # scores of the frames whose windows are not complete

    def push(self, scores: FloatArray, voiced: BoolArray) -> FloatArray:
        self._own = np.concatenate([self._own, scores])
        return self._take(self._smoother.push(scores, voiced))

    def flush(self) -> FloatArray:
        return self._take(self._smoother.flush())

    def _take(self, means: FloatArray) -> FloatArray:
        own, self._own = self._own[: len(means)], self._own[len(means) :].copy()
        return np.where(np.isnan(means), own, means)


@dataclass(frozen=True)
class LowQuantile:
    """A quantile of the voiced scores within `half` frames of each frame: how bad the worse ones are.

    Linear between order statistics (Hyndman and Fan 1996, type 7), as `numpy.quantile`. A frame without a
    voiced one near it keeps the score that it had.

    Examples
    --------
    >>> stream = LowQuantile(1, 0.25).open()
    >>> stream.push(np.array([1.0, 2.0, 3.0, 10.0]), np.ones(4, bool)), stream.flush()
    (array([1.25, 1.5 , 2.5 ]), array([4.75]))
    """

    half: int
    level: float

    @property
    def latency(self) -> int:
        """Half a window."""
        return self.half

    def open(self) -> _QuantileStream:
        """Begin with a recording."""
        return _QuantileStream(self)


class _QuantileStream:
    def __init__(self, pool: LowQuantile) -> None:
        self.pool = pool
        self._scores: FloatArray = np.full(pool.half, np.inf)  # what does not count sorts behind what does
        self._own: FloatArray = np.empty(0)

    def push(self, scores: FloatArray, voiced: BoolArray) -> FloatArray:
        self._own = np.concatenate([self._own, scores])
        return self._add(np.where(voiced, scores, np.inf))

    def flush(self) -> FloatArray:
        return self._add(np.full(self.pool.half, np.inf))

    def _add(self, scores: FloatArray) -> FloatArray:
        self._scores = np.concatenate([self._scores, scores])
        width = 2 * self.pool.half + 1
        ready = max(0, len(self._scores) - width + 1)
        if not ready:
            return np.empty(0)
        windows = np.lib.stride_tricks.sliding_window_view(self._scores, width)
        found = [self._quantiles(windows[i : i + AT_ONCE]) for i in range(0, ready, AT_ONCE)]
        pooled = np.concatenate(found)
        own, self._own = self._own[:ready], self._own[ready:].copy()
        self._scores = self._scores[ready:].copy()
        return np.where(np.isnan(pooled), own, pooled)

    def _quantiles(self, windows: FloatArray) -> FloatArray:
        ordered = np.sort(windows, axis=1)
        count = np.isfinite(ordered).sum(axis=1)
        place = np.maximum(count - 1, 0) * self.pool.level
        below = place.astype(np.intp)
        above = np.minimum(below + 1, np.maximum(count - 1, 0))
        row = np.arange(len(ordered))
        low, high = ordered[row, below], ordered[row, above]
        empty = count == 0
        low, high = np.where(empty, 0.0, low), np.where(empty, 0.0, high)
        return np.where(empty, np.nan, low + (place - below) * (high - low))


@dataclass(frozen=True)
class CusumPool:
    """Page's cumulative sum of normal deviates, for a slow change that no single window shows (Page 1954).

    From windows that do not overlap, ``S = max(0, S - deviate - reference)``; every frame's score is ``-S``
    of the last window whose middle has passed, so 0 is normal. Reset rules: S begins at 0 with every
    recording, falls back towards 0 where scores are normal again, and is capped at `limit`, so that it comes
    down in bounded time once the change is over: by ``reference + d`` with each window of deviate d. A window
    whose middle is not voiced is passed over.

    Parameters
    ----------
    half : int
        Frames on either side of a window's middle: deviates are those of windows of 2 * half + 1 frames.
    reference : float
        Deviates under the typical score that a window may lie without adding to the sum: half of the change
        that is to be found soonest.
    limit : float
        Largest sum, deviates.

    Examples
    --------
    >>> stream = CusumPool(0, reference=0.5, limit=3.0).open()
    >>> stream.push(np.array([0.0, -1.0, -2.0, -9.0, 1.0, 9.0]), np.ones(6, bool))
    array([-0. , -0.5, -2. , -3. , -1.5, -0. ])
    """

    half: int
    reference: float
    limit: float

    @property
    def latency(self) -> int:
        """None: a frame gets the sum of the windows before it."""
        return 0

    def open(self) -> _PageStream:
        """Begin with a recording."""
        return _PageStream(self)


class _PageStream:
    def __init__(self, pool: CusumPool) -> None:
        self.pool = pool
        self._n_frames = 0
        self._sum = 0.0

    def push(self, scores: FloatArray, voiced: BoolArray) -> FloatArray:
        pool, width = self.pool, 2 * self.pool.half + 1
        sums = np.empty(len(scores))
        first = (pool.half - self._n_frames) % width  # middles of windows that do not overlap
        bounds = [*range(first, len(scores), width), len(scores)]
        sums[:first] = self._sum
        for here, end in pairwise(bounds):
            if voiced[here]:
                self._sum = min(pool.limit, max(0.0, self._sum - float(scores[here]) - pool.reference))
            sums[here:end] = self._sum
        self._n_frames += len(scores)
        return -sums

    def flush(self) -> FloatArray:
        return np.empty(0)
