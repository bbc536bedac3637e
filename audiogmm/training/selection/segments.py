"""Sums over the frames of a pass by recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from audiogmm.blocks import Shard
from audiogmm.reduce import Addable
from audiogmm.training.frames.packing import voiced_frames
from audiogmm.training.frames.spool import SpoolSlice
from audiogmm.types import Frames

S = TypeVar("S", bound=Addable)

Key = tuple[str, int]
"""Names a recording within one source of frames."""


def split_recordings(shard: Shard, ends: NDArray[np.int64]) -> Iterator[tuple[Key, Frames]]:
    """Cut the voiced frames of a slice of a pass where one recording ends and the next begins.

    Parameters
    ----------
    shard : Shard
        A slice of the spool, or consecutive recordings.
    ends : ndarray of shape (n_recordings,), int64
        How many frames the spool holds up to the end of each recording.

    Yields
    ------
    key : tuple of str and int
        The recording.
    frames : ndarray of shape (n, n_features)
        Consecutive voiced frames of it.
    """
    if isinstance(shard, SpoolSlice):
        for block in shard:
            last = block.start + len(block)
            place = int(np.searchsorted(ends, block.start, side="right"))
            first = block.start
            while first < last:
                stop = min(int(ends[place]), last)
                yield ("", place), block.frames[first - block.start : stop - block.start]
                first, place = stop, place + 1
        return
    place, reached = -1, 0
    for block in shard:
        if place < 0 or block.start < reached:  # the next recording
            place += 1
        reached = block.start + len(block)
        frames = voiced_frames(shard.id, block)
        if len(frames):
            yield (shard.id, place), frames


@dataclass(frozen=True, eq=False)
class RecordingSums(Generic[S]):
    """A sum for each recording, which add up."""

    sums: dict[Key, S]

    def __add__(self, other: Self) -> RecordingSums[S]:
        merged = dict(self.sums)
        for key, value in other.sums.items():
            merged[key] = merged[key] + value if key in merged else value
        return RecordingSums(merged)


@dataclass(frozen=True, eq=False)
class RecordingStatistic(Generic[S]):
    """Sums a statistic over the voiced frames of each recording.

    Examples
    --------
    >>> from audiogmm.training.frames.source import ArraySlice
    >>> of = RecordingStatistic(len, np.array([5]))
    >>> of(ArraySlice("a", np.ones((5, 2), np.float32))).sums
    {('a', 0): 5}
    """

    statistic: Callable[[Frames], S]
    ends: NDArray[np.int64]

    def __call__(self, shard: Shard) -> RecordingSums[S]:
        total: RecordingSums[S] = RecordingSums({})
        for key, frames in split_recordings(shard, self.ends):
            value = self.statistic(frames)
            total.sums[key] = total.sums[key] + value if key in total.sums else value
        return total
