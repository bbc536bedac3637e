"""A uniform sample of all frames, drawn as they pass by."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.types import Frames

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Reservoir:
    """Keeps a uniform sample without replacement of the frames that it is offered.

    Every frame has a random priority, a hash of the seed and of its absolute number among all frames; the
    `size` frames with the smallest are the sample. So it depends neither on how the frames are cut nor
    on who delivers them.

    Parameters
    ----------
    size : int
        Frames to keep.
    seed : int
        Another seed gives an independent sample.

    Examples
    --------
    >>> reservoir = Reservoir(size=2, seed=0)
    >>> reservoir.offer(np.arange(10.0, dtype=np.float32)[:, None])
    >>> reservoir.sample().shape, reservoir.seen
    ((2, 1), 10)
    """

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self.seen = 0
        self._salt = _mix(np.array([seed & 0xFFFFFFFFFFFFFFFF], np.uint64) + _GOLDEN)
        self._limit = np.uint64(0xFFFFFFFFFFFFFFFF)
        self._priorities: list[NDArray[np.uint64]] = []
        self._numbers: list[NDArray[np.uint64]] = []
        self._rows: list[Frames] = []
        self._held = 0

    def offer(self, frames: Frames) -> None:
        """Take the next frames, shape (n, n_features), in order."""
        numbers = np.arange(self.seen, self.seen + len(frames), dtype=np.uint64)
        self.seen += len(frames)
        priorities = _mix(numbers * _GOLDEN ^ self._salt)
        chosen = np.flatnonzero(priorities <= self._limit)
        if len(chosen):
            self._priorities.append(priorities[chosen])
            self._numbers.append(numbers[chosen])
            self._rows.append(frames[chosen])
            self._held += len(chosen)
        if self._held > self.size + max(self.size // 4, 2 * len(frames)):
            self._shrink()

    def sample(self) -> Frames:
        """The sample, in the frames' own order: shape (min(size, seen), n_features)."""
        if not self._rows:
            return np.empty((0, 0), np.float32)
        self._shrink()
        order = np.argsort(self._numbers[0])
        return self._rows[0][order]

    def _shrink(self) -> None:
        """Drop all but the `size` smallest priorities."""
        priorities = np.concatenate(self._priorities)
        keep = np.arange(len(priorities))
        if len(priorities) > self.size:
            keep = np.sort(np.argpartition(priorities, self.size - 1)[: self.size])
            self._limit = priorities[keep].max()
        self._priorities = [priorities[keep]]
        self._numbers = [np.concatenate(self._numbers)[keep]]
        self._rows = [_take(self._rows, keep)]
        self._held = len(keep)


def _take(parts: list[Frames], keep: NDArray[np.intp]) -> Frames:
    """Rows `keep` (ascending) of the parts laid end to end, letting each part go as it is read."""
    rows = np.empty((len(keep), parts[0].shape[1]), parts[0].dtype)
    done = start = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        end = int(np.searchsorted(keep, start + len(part)))
        rows[done:end] = part[keep[done:end] - start]
        done, start = end, start + len(part)
    return rows


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a random-looking bijection of 64 bits."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
