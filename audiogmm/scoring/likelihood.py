"""How likely every frame is, alone or against a background model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioDataError
from audiogmm.scoring.track import ScoreTrack, require_finite, require_finite_frames
from audiogmm.types import FloatArray, Frames


class Density(Protocol):
    """What scores frames: an `audiogmm.mixture.evaluator.Evaluator`, or anything with its method."""

    def log_likelihood(self, frames: Frames) -> FloatArray:
        """Return log p(x) of frames of shape (n, d): shape (n,), float64, nats, row by row."""
        ...


def score_blocks(
    density: Density, shard: Shard, against: Density | None = None
) -> Iterator[tuple[FrameBlock, FloatArray]]:
    """Score a recording block by block, in bounded memory.

    Parameters
    ----------
    density : Evaluator
        The model.
    shard : Shard
        Blocks of consecutive frames; unvoiced frames are scored like all others.
    against : Evaluator, optional
        Background model: scores are then log p(x | model) - log p(x | background) (Reynolds 2000, eq. 6).

    Yields
    ------
    block : FrameBlock
        As it came.
    scores : ndarray of shape (n_frames,), float64
        Nats; a frame's score does not depend on the block that it came in.

    Raises
    ------
    FeatureError
        If a frame or a score is not finite (the frame is named by its number and time).

    Examples
    --------
    >>> class Standard:
    ...     def log_likelihood(self, frames):
    ...         return -0.5 * np.square(frames.astype(np.float64)).sum(axis=1)
    >>> from audiogmm.timeline import FrameClock
    >>> class Two:
    ...     id = "two"
    ...     def __iter__(self):
    ...         frames = np.array([[0.0], [2.0]], np.float32)
    ...         yield FrameBlock(frames, np.ones(2, bool), 0, FrameClock(8000, 80, 200))
    >>> [scores.tolist() for _, scores in score_blocks(Standard(), Two())]
    [[-0.0, -2.0]]
    """
    for block in shard:
        yield block, score_block(density, block, shard.id, against)


def score_block(density: Density, block: FrameBlock, id: str, against: Density | None = None) -> FloatArray:
    """Score one block of the recording `id`, as `score_blocks` does.

    Raises
    ------
    FeatureError
        If a frame or a score is not finite.
    """
    require_finite_frames(id, block)
    scores = density.log_likelihood(block.frames)
    if against is not None:
        scores = scores - against.log_likelihood(block.frames)
    require_finite(scores, id, block.start, block.clock)
    return scores


def score_shard(density: Density, shard: Shard, against: Density | None = None) -> ScoreTrack:
    """Score a recording and keep the whole track in memory: 9 bytes a frame.

    Parameters are those of `score_blocks`.

    Returns
    -------
    ScoreTrack
        A finite score for every frame.

    Raises
    ------
    AudioDataError
        If the recording has no frame.
    FeatureError
        If a score is not finite.
    """
    parts = [(block.clock, scores, block.voiced) for block, scores in score_blocks(density, shard, against)]
    if not parts:
        raise AudioDataError(f"{shard.id} has no frame", needed="at least one", remedy="a longer recording")
    clocks, scores, voiced = zip(*parts, strict=True)
    return ScoreTrack(shard.id, np.concatenate(scores), np.concatenate(voiced), clocks[0])
