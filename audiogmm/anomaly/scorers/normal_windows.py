"""The windows of normal recordings that a score learns from, kept in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.scorers.grid import WindowScorer
from audiogmm.anomaly.scorers.posterior import MOST_WINDOWS
from audiogmm.blocks import Shard
from audiogmm.errors import MismatchError

if TYPE_CHECKING:
    from audiogmm.reduce import OnError, Reducer


@dataclass(frozen=True, eq=False)
class Windows:
    """Some windows of normal audio, those with the smallest ranks, and how many there were.

    Attributes
    ----------
    vectors : ndarray of shape (n, v)
        Their vectors, by rank.
    ranks : ndarray of shape (n,), uint64
        Random numbers that depend on the recording's name and on the window's place in it.
    seen : int
        Windows seen.
    """

    vectors: np.ndarray
    ranks: np.ndarray
    seen: int

    def __add__(self, other: Windows) -> Windows:
        ranks = np.concatenate([self.ranks, other.ranks])
        kept = np.argsort(ranks, kind="stable")[:MOST_WINDOWS]
        vectors = np.concatenate([self.vectors, other.vectors])[kept]
        return Windows(vectors, ranks[kept], self.seen + other.seen)


@dataclass(frozen=True)
class WindowsTask:
    """Draws windows of a recording in bounded memory; runs in a thread or a worker process."""

    scorer: WindowScorer

    def __call__(self, shard: Shard) -> Windows | None:
        random = np.random.default_rng(int.from_bytes(hashlib.sha256(shard.id.encode()).digest()[:8], "big"))
        drawn: Windows | None = None
        for vectors in self.scorer.vectors_of(iter(shard), shard.id):
            ranks = random.integers(0, 1 << 63, size=len(vectors), dtype=np.uint64)
            part = Windows(vectors, ranks, len(vectors))
            drawn = part if drawn is None else drawn + part
        return drawn


def normal_windows(
    scorer: WindowScorer, shards: Iterable[Shard], reducer: Reducer, on_error: OnError | None
) -> Windows:
    """At most `MOST_WINDOWS` windows of normal recordings, the same whatever their order.

    Raises
    ------
    MismatchError
        If there is none.
    """
    drawn: Windows | None = None
    for part in reducer.map(shards, WindowsTask(scorer), on_error):
        if part is not None:
            drawn = part if drawn is None else drawn + part
    if drawn is None:
        raise MismatchError(
            "no window of the normal recordings holds a voiced frame",
            needed="voiced normal audio, for scores that learn from it",
            remedy="other recordings, or scores that do not: mean, ratio, quantile, scales, bands",
        )
    return drawn + Windows(drawn.vectors[:0], drawn.ranks[:0], 0)
