"""The scores of frames: what a scorer is, and the plain log-likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from audiogmm.blocks import FrameBlock
from audiogmm.scoring.likelihood import Density, score_block
from audiogmm.types import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class FrameScores:
    """Scores of consecutive frames.

    Attributes
    ----------
    scores : ndarray of shape (n_frames,), float64
        All finite; higher is more normal.
    voiced : ndarray of shape (n_frames,), bool
        Which of them count.
    """

    scores: FloatArray
    voiced: BoolArray

    def __len__(self) -> int:
        return len(self.scores)


NO_SCORES = FrameScores(np.empty(0), np.empty(0, np.bool_))
"""No frame."""


class ScorerStream(Protocol):
    """Scores one recording, block by block; any chunking gives the same bytes."""

    def push(self, block: FrameBlock) -> FrameScores:
        """Take the next block; return the scores that are complete, in order, each frame once.

        Raises
        ------
        FeatureError
            If a frame or a score is not finite.
        """
        ...

    def flush(self) -> FrameScores:
        """End the recording; return the rest."""
        ...


class FrameScorer(Protocol):
    """Frozen and picklable: what a worker needs to score recordings."""

    @property
    def latency(self) -> int:
        """Frames by which a score comes later than its frame."""
        ...

    def open(self, id: str) -> ScorerStream:
        """Begin with the recording of that name."""
        ...


@dataclass(frozen=True)
class LogLikelihoodScorer:
    """log p(x | model) of every frame, nats.

    Parameters
    ----------
    density : Evaluator
        The model.
    every_frame : bool
        Whether frames of exact silence count as well: a dead microphone is an event.

    Examples
    --------
    >>> from audiogmm.timeline import FrameClock
    >>> class Standard:
    ...     def log_likelihood(self, frames):
    ...         return -0.5 * np.square(frames.astype(np.float64)).sum(axis=1)
    >>> frames, clock = np.array([[0.0], [2.0]], np.float32), FrameClock(8000, 80, 200)
    >>> stream = LogLikelihoodScorer(Standard()).open("two")
    >>> stream.push(FrameBlock(frames, np.ones(2, bool), 0, clock)).scores.tolist()
    [-0.0, -2.0]
    """

    density: Density
    every_frame: bool = False

    @property
    def latency(self) -> int:
        """A score comes with its frame."""
        return 0

    def open(self, id: str) -> _LogLikelihoods:
        """Begin with the recording of that name."""
        return _LogLikelihoods(self, id)


@dataclass(frozen=True)
class _LogLikelihoods:
    scorer: LogLikelihoodScorer
    id: str

    def push(self, block: FrameBlock) -> FrameScores:
        scores = score_block(self.scorer.density, block, self.id)
        voiced = np.ones_like(block.voiced) if self.scorer.every_frame else block.voiced
        return FrameScores(scores, voiced)

    def flush(self) -> FrameScores:
        return NO_SCORES
