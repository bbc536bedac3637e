"""Score whole recordings by any frame scorer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorer import FrameScorer, FrameScores
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.errors import AudioDataError
from audiogmm.scoring.track import ScoreTrack
from audiogmm.timeline import FrameClock


def scored_blocks(scorer: FrameScorer, shard: Shard) -> Iterator[tuple[FrameBlock, FrameScores]]:
    """Score a recording block by block, in bounded memory.

    Yields
    ------
    block : FrameBlock
        Consecutive frames whose scores are complete, without their features: only place and marks.
    scored : FrameScores
        Their scores.

    Raises
    ------
    FeatureError
        If a frame or a score is not finite.
    """
    stream, start = scorer.open(shard.id), 0
    clock: FrameClock | None = None
    for block in shard:
        clock = clock or block.clock
        scored = stream.push(block)
        if len(scored):
            yield _placed(scored, start, clock), scored
            start += len(scored)
    scored = stream.flush()
    if clock is not None and len(scored):
        yield _placed(scored, start, clock), scored


def _placed(scored: FrameScores, start: int, clock: FrameClock) -> FrameBlock:
    return FrameBlock(np.empty((len(scored), 0), dtype=np.float32), scored.voiced, start, clock)


def score_recording(scorer: FrameScorer, shard: Shard) -> ScoreTrack:
    """Score a recording and keep the whole track in memory: 9 bytes a frame.

    Raises
    ------
    AudioDataError
        If the recording has no frame.
    FeatureError
        If a frame or a score is not finite.

    Examples
    --------
    >>> from audiogmm.anomaly.scorer import LogLikelihoodScorer
    >>> from audiogmm.timeline import FrameClock
    >>> class First:
    ...     def log_likelihood(self, frames):
    ...         return frames[:, 0].astype(np.float64)
    >>> class Two:
    ...     id = "two"
    ...     def __iter__(self):
    ...         frames = np.array([[0.0], [2.0]], np.float32)
    ...         yield FrameBlock(frames, np.ones(2, bool), 0, FrameClock(8000, 80, 200))
    >>> score_recording(LogLikelihoodScorer(First()), Two()).scores
    array([0., 2.])
    """
    parts = list(scored_blocks(scorer, shard))
    if not parts:
        raise AudioDataError(f"{shard.id} has no frame", needed="at least one", remedy="a longer recording")
    scores = np.concatenate([scored.scores for _, scored in parts])
    voiced = np.concatenate([scored.voiced for _, scored in parts])
    return ScoreTrack(shard.id, scores, voiced, parts[0][0].clock)


@dataclass(frozen=True)
class TrackTask:
    """Scores a recording into memory; runs in a thread or a worker process."""

    scorer: FrameScorer

    def __call__(self, shard: Shard) -> ScoreTrack:
        return score_recording(self.scorer, shard)
