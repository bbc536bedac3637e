"""The voiced frames of a shard, checked, and packed into arrays of a fixed number of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import FeatureError, TrainingError
from audiogmm.reduce import Addable
from audiogmm.types import Frames

S = TypeVar("S", bound=Addable)

SLICE_ROWS = 8192
"""Rows of a slice: what one thread works on at a time. Sums depend on it, and on nothing else."""


class Packer:
    """Packs rows into arrays of `rows` rows, however they arrive; the last array may be shorter.

    Parameters
    ----------
    rows : int
        Rows of an array.

    Examples
    --------
    >>> packer = Packer(rows=2)
    >>> [len(array) for array in packer.push(np.zeros((5, 3), np.float32))]
    [2, 2]
    >>> [len(array) for array in packer.flush()]
    [1]
    """

    def __init__(self, rows: int = SLICE_ROWS) -> None:
        self.rows = rows
        self._buffer: Frames | None = None
        self._filled = 0

    def push(self, frames: Frames) -> Iterator[Frames]:
        """Take rows of shape (n, n_features) and yield full arrays; each is valid until the next."""
        while len(frames):
            if not self._filled and len(frames) >= self.rows:
                full, frames = frames[: self.rows], frames[self.rows :]
                yield full
                continue
            if self._buffer is None:
                self._buffer = np.empty((self.rows, frames.shape[1]), frames.dtype)
            n = min(len(frames), self.rows - self._filled)
            self._buffer[self._filled : self._filled + n] = frames[:n]
            self._filled += n
            frames = frames[n:]
            if self._filled == self.rows:
                self._filled = 0
                yield self._buffer

    def flush(self) -> Iterator[Frames]:
        """Yield the rest, if there is one."""
        if self._buffer is not None and self._filled:
            yield self._buffer[: self._filled]
            self._filled = 0


def pack_frames(shard: Shard, rows: int = SLICE_ROWS) -> Iterator[Frames]:
    """Yield the voiced frames of a shard in arrays of `rows` rows, whatever the size of its blocks.

    Parameters
    ----------
    shard : Shard
        Source of blocks.
    rows : int
        Rows of an array.

    Yields
    ------
    ndarray of shape (rows, n_features), float32
        Voiced frames, valid until the next array; the last may have fewer rows.

    Raises
    ------
    FeatureError
        If a block cannot be trained on; see `voiced_frames`.
    """
    packer = Packer(rows)
    n_features: int | None = None
    for block in shard:
        frames = voiced_frames(shard.id, block, n_features)
        n_features = frames.shape[1]
        yield from packer.push(frames)
    yield from packer.flush()


def accumulate(shard: Shard, statistic: Callable[[Frames], S]) -> S:
    """Sum a statistic over the voiced frames of a shard, one array of `SLICE_ROWS` rows after the other.

    Parameters
    ----------
    shard : Shard
        Source of blocks; never all in memory.
    statistic : callable
        An array of frames to a value that can be added.

    Returns
    -------
    object
        The sum.

    Raises
    ------
    TrainingError
        If the shard has no voiced frame.

    Examples
    --------
    >>> from audiogmm.training.frames.source import ArraySlice
    >>> accumulate(ArraySlice("a", np.ones((10000, 2), np.float32)), len)
    10000
    """
    total: S | None = None
    for frames in pack_frames(shard):
        part = statistic(frames)
        total = part if total is None else total + part
    if total is None:
        raise TrainingError(
            f"{shard.id} has no voiced frame",
            needed="at least one, in every pass over it",
            remedy="leave it out, and keep the files as they are while training",
        )
    return total


def voiced_frames(shard_id: str, block: FrameBlock, n_features: int | None = None) -> Frames:
    """Return the voiced frames of a block, after checks.

    Parameters
    ----------
    shard_id : str
        Name of the recording, for the message.
    block : FrameBlock
        Consecutive frames.
    n_features : int or None
        Columns that the frames must have, where known.

    Returns
    -------
    ndarray of shape (n_voiced, n_features), float32 or float64, C-contiguous
        A view of the block's frames when all are voiced.

    Raises
    ------
    FeatureError
        If the frames are not a matrix of real numbers (integers are allowed), their width changes, or one
        of them is not finite: the recording, the frame and its time are named.
    """
    frames = np.asarray(block.frames)
    if frames.ndim != 2 or frames.shape[1] == 0 or frames.dtype.kind not in "fiub":
        raise FeatureError(
            f"{shard_id}: frames of shape {frames.shape} and type {frames.dtype}",
            needed="a matrix of real numbers, one row a frame, at least one column",
            remedy="numpy.asarray(frames, numpy.float32), and reshape(-1, 1) for rows of one number each",
        )
    if frames.dtype.kind != "f":
        frames = frames.astype(np.float32 if frames.itemsize <= 2 else np.float64)  # exactly
    if block.voiced.shape != (len(frames),):
        raise FeatureError(
            f"{shard_id}: {len(frames)} frames, but voiced marks of shape {block.voiced.shape}",
            needed="one mark a frame",
        )
    if n_features is not None and frames.shape[1] != n_features:
        raise FeatureError(
            f"{shard_id}: frames of {frames.shape[1]} features after frames of {n_features}",
            needed="the same number of features in every frame",
            remedy="one front end for all recordings",
        )
    voiced = np.ascontiguousarray(frames if block.voiced.all() else frames[block.voiced])
    if not np.isfinite(voiced).all():
        bad = int(np.flatnonzero(block.voiced & ~np.isfinite(frames).all(axis=1))[0])
        value = frames[bad][~np.isfinite(frames[bad])][0]
        index = block.start + bad
        raise FeatureError(
            f"{shard_id}: frame {index} at {block.clock.center(index):.3f} s holds {value}",
            needed="finite features",
            remedy="repair the recording, or leave it out",
        )
    return voiced
