"""Blocks cut anew at multiples of one length, so that sums over them do not depend on how they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from audiogmm.blocks import FrameBlock


def reblock(blocks: Iterable[FrameBlock], n_frames: int) -> Iterator[FrameBlock]:
    """Cut consecutive blocks of one recording at the multiples of `n_frames`.

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
    >>> from audiogmm.timeline import FrameClock
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
    return FrameBlock(frames, voiced, blocks[0].start, blocks[0].clock, joined)
