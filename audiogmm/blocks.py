"""Frames on their way: a block of consecutive frames, a source of blocks, and blocks of another length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from audiogmm.reprs import short_repr
from audiogmm.timeline import FrameClock
from audiogmm.types import BoolArray, FloatArray, Frames, Samples, Seconds


@dataclass(frozen=True, slots=True)
class StreamPiece:
    """Where the frames of an entry lie in a stream: on the clock of its recording, and on that of the world.

    Attributes
    ----------
    id : str
        The entry's.
    audio_filepath : str or None
        Its file.
    first : int
        Index of its first frame, counted from the stream's first.
    offset : Seconds
        Where that frame begins on the recording's clock.
    time : Seconds or None
        When it begins, as `audiogmm.wall_clock` has it.
    about : mapping
        Further keys of the entry.
    """

    id: str
    audio_filepath: str | None
    first: int
    offset: Seconds
    time: Seconds | None = None
    about: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False)


@dataclass(frozen=True, slots=True)
class FrameBlock:
    """Consecutive frames of one recording.

    Attributes
    ----------
    frames : ndarray of shape (n_frames, n_features), float32, C-contiguous
        Feature vectors.
    voiced : ndarray of shape (n_frames,), bool
        Which frames the activity detector marked; all True where there is none.
    start : int
        Index of the first frame, counted from the recording's first.
    clock : FrameClock
        Turns indices into seconds.
    levels : ndarray of shape (n_frames,), float32, or None
        Power of each frame before any normalization, decibels of unit power; minus infinity where all
        samples are exactly zero. None where frames were not made of audio.
    piece : StreamPiece or None
        The entry that the frames are of, where it has a time.
    """

    frames: Frames
    voiced: BoolArray
    start: int
    clock: FrameClock
    levels: Samples | None = None
    piece: StreamPiece | None = None

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def times(self) -> FloatArray:
        """Frame centers, shape (n_frames,), seconds on the recording's clock."""
        return self.clock.center(np.arange(self.start, self.start + len(self.frames)))

    def cut(self, first: int, last: int) -> FrameBlock:
        """Return the frames from place `first` of the block up to place `last`.

        Examples
        --------
        >>> block = FrameBlock(np.zeros((5, 1), np.float32), np.ones(5, bool), 10, FrameClock(8000, 80, 200))
        >>> block.cut(1, 3).start, len(block.cut(1, 3))
        (11, 2)
        """
        return FrameBlock(
            self.frames[first:last],
            self.voiced[first:last],
            self.start + first,
            self.clock,
            None if self.levels is None else self.levels[first:last],
            self.piece,
        )


class Identifiable(Protocol):
    """What work is mapped over: errors are reported under its id."""

    @property
    def id(self) -> str:
        """Name of the recording, unique within a job."""
        ...


@runtime_checkable
class Shard(Identifiable, Protocol):
    """A re-iterable, picklable source of the consecutive blocks of one recording.

    Each iteration starts at the first frame and gives the same bytes. One that fails raises an error of
    `audiogmm.errors`; the consumer then sets the whole shard aside.
    """

    def __iter__(self) -> Iterator[FrameBlock]: ...


def reblock(blocks: Iterable[FrameBlock], n_frames: int) -> Iterator[FrameBlock]:
    """Cut consecutive blocks of one recording at the multiples of `n_frames`.

    Sums over them then do not depend on how the blocks came.

    Parameters
    ----------
    blocks : iterable of FrameBlock
        Consecutive; the first one starts at frame 0.
    n_frames : int
        Length of every block but the last.

    Yields
    ------
    FrameBlock
        Of `n_frames` frames; the last one may be shorter.

    Examples
    --------
    >>> clock = FrameClock(8000, 80, 200)
    >>> three = [FrameBlock(np.zeros((3, 1), np.float32), np.ones(3, bool), 3 * i, clock) for i in range(3)]
    >>> [(block.start, len(block)) for block in reblock(three, 4)]
    [(0, 4), (4, 4), (8, 1)]
    """
    waiting: list[FrameBlock] = []
    held = 0
    for arrived in blocks:
        block = arrived
        while held + len(block) >= n_frames:
            take = n_frames - held
            yield _join([*waiting, block.cut(0, take)])
            block = block.cut(take, len(block))
            waiting, held = [], 0
        if len(block):
            waiting.append(block)
            held += len(block)
    if waiting:
        yield _join(waiting)


def _join(blocks: list[FrameBlock]) -> FrameBlock:
    if len(blocks) == 1:
        return blocks[0]
    frames = np.concatenate([block.frames for block in blocks])
    voiced = np.concatenate([block.voiced for block in blocks])
    levels = [block.levels for block in blocks if block.levels is not None]
    joined = np.concatenate(levels) if len(levels) == len(blocks) else None
    return FrameBlock(frames, voiced, blocks[0].start, blocks[0].clock, joined, blocks[0].piece)
