"""A sample of the windows of normal recordings, which a score learns from, in bounded memory."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorers.grid import WindowScorer
from audiogmm.anomaly.scorers.score import NormalRecordings
from audiogmm.blocks import Shard
from audiogmm.errors import MismatchError

MOST_WINDOWS = 1000
"""WindowSample kept."""


@dataclass(frozen=True, eq=False)
class WindowSample:
    """Windows of normal audio, those with the smallest ranks, and how many there were.

    Attributes
    ----------
    vectors : ndarray of shape (n, v)
        Their vectors, by rank.
    ranks : ndarray of shape (n,), uint64
        Random numbers that depend on the recording's name and on the window's place in it.
    seen : int
        WindowSample seen.
    """

    vectors: np.ndarray
    ranks: np.ndarray
    seen: int

    def __add__(self, other: WindowSample) -> WindowSample:
        ranks = np.concatenate([self.ranks, other.ranks])
        kept = np.argsort(ranks, kind="stable")[:MOST_WINDOWS]
        vectors = np.concatenate([self.vectors, other.vectors])[kept]
        return WindowSample(vectors, ranks[kept], self.seen + other.seen)


@dataclass(frozen=True)
class WindowSampleTask:
    """Draws windows of a recording in bounded memory; runs in a thread or a worker process."""

    scorer: WindowScorer

    def __call__(self, shard: Shard) -> WindowSample | None:
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(shard.id.encode()).digest()[:8], "big"))
        drawn: WindowSample | None = None
        for vectors in self.scorer.vectors_of(iter(shard), shard.id):
            ranks = random.integers(0, 1 << 63, size=len(vectors), dtype=np.uint64)
            part = WindowSample(vectors, ranks, len(vectors))
            drawn = part if drawn is None else drawn + part
        return drawn


def sample_windows(scorer: WindowScorer, normal: NormalRecordings) -> WindowSample:
    """Draw at most `MOST_WINDOWS` windows of the fitted recordings, the same whatever their order.

    Raises
    ------
    MismatchError
        If there is none.
    """
    drawn: WindowSample | None = None
    for part in normal.reducer.map(normal.fitted, WindowSampleTask(scorer), normal.on_error):
        if part is not None:
            drawn = part if drawn is None else drawn + part
    if drawn is None:
        raise MismatchError(
            "no window of the normal recordings holds a voiced frame",
            needed="voiced normal audio, for scores that learn from it",
            remedy="other recordings, or scores that do not: mean, ratio, quantile, scales, bands",
        )
    return drawn + WindowSample(drawn.vectors[:0], drawn.ranks[:0], 0)
