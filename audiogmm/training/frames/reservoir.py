"""A uniform sample of all frames, drawn as they are read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.types import Frames

_PORTION = 1024  # frames that are looked at together

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Reservoir:
    """Keeps a uniform sample without replacement of the frames that it is offered.

    Every frame has a random priority, a hash of the seed and of its absolute number among all frames; the
    `size` frames with the smallest are the sample. So it depends neither on how the frames are cut nor
    on how they are read.

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
        self._priorities = np.empty(0, np.uint64)
        self._rows: Frames = np.empty((0, 0), np.float32)
        self._held = 0

    def offer(self, frames: Frames) -> None:
        """Take the next frames, shape (n, n_features), in order."""
        for first in range(0, len(frames), _PORTION):
            self._offer(frames[first : first + _PORTION])

    def sample(self) -> Frames:
        """Return the sample, in the order of the frames: shape (min(size, seen), n_features)."""
        self._shrink()
        return self._rows[: self._held]

    def _offer(self, frames: Frames) -> None:
        numbers = np.arange(self.seen, self.seen + len(frames), dtype=np.uint64)
        self.seen += len(frames)
        priorities = _mix(numbers * _GOLDEN ^ self._salt)
        chosen = np.flatnonzero(priorities <= self._limit)
        if not len(chosen):
            return
        if not len(self._rows):
            room = self.size + max(self.size // 4, _PORTION)
            self._rows = np.empty((room, frames.shape[1]), frames.dtype)  # memory is used as it fills
            self._priorities = np.empty(room, np.uint64)
        if self._held + len(chosen) > len(self._rows):
            self._shrink()
        new = slice(self._held, self._held + len(chosen))
        self._priorities[new], self._rows[new] = priorities[chosen], frames[chosen]
        self._held = new.stop

    def _shrink(self) -> None:
        """Keep the `size` smallest priorities, in place: what is kept only moves towards the front."""
        if self._held <= self.size:
            return
        keep = np.sort(np.argpartition(self._priorities[: self._held], self.size - 1)[: self.size])
        for first in range(0, self.size, _PORTION):
            rows = slice(first, min(first + _PORTION, self.size))
            self._rows[rows] = self._rows[keep[rows]]
        self._priorities[: self.size] = self._priorities[keep]
        self._limit = self._priorities[: self.size].max()
        self._held = self.size


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a random-looking bijection of 64 bits."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
