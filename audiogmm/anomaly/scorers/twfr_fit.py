"""Fit the TWFR score: its decay and its mixture, from the windows of normal recordings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiogmm.anomaly.scorers.grid import WindowScorer
from audiogmm.anomaly.scorers.normal_windows import normal_windows
from audiogmm.anomaly.scorers.part import Arrays, ScoreContext
from audiogmm.anomaly.scorers.table import ScoreSpec
from audiogmm.anomaly.scorers.twfr import TwfrScore
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.timeline import FrameClock
from audiogmm.training import train_mixture

if TYPE_CHECKING:
    from audiogmm.reduce import OnError, Reducer


TWFR_COMPONENTS, TWFR_WINDOWS, TWFR_FLOOR = 8, 100, 1e-2
"""Components of the mixture of windows at most, windows for each of them at least, and its variance floor."""


def fit_twfr(
    score: TwfrScore,
    wanted: ScoreSpec,
    ground: ScoreContext,
    shards: Iterable[Shard],
    held: Iterable[Shard] | None,
    decays: Sequence[float],
    reducer: Reducer,
    on_error: OnError | None,
) -> Arrays:
    """A mixture of time-weighted spectra, by our own EM, for the r that carries over best to other audio.

    For each r the mean log density of the windows that it was trained on is compared with that of held-out
    normal ones, in standard deviations of the former: the r with the smallest difference is taken (the first
    of equals, so the mean over time). It does not depend on the scale of the vectors, of which no likelihood
    by itself is free, and says how far normal audio that is new can be told from what is known by this
    score: as little as possible.
    """
    n_windows = normal_windows(score.scorer(ground, wanted.window, decays[0]), shards, reducer, on_error).seen
    n_components = min(TWFR_COMPONENTS, max(1, n_windows // TWFR_WINDOWS))
    found: list[tuple[float, Arrays]] = []
    for decay in decays:
        scorer = score.scorer(ground, wanted.window, decay)
        trained = train_mixture(
            WindowShards(shards, scorer),
            n_components=n_components,
            covariance_type="full",
            floor=TWFR_FLOOR,
            reducer=reducer,
            on_error=on_error,
        )
        mixture = trained.mixture
        gap = 0.0
        if held is not None and len(decays) > 1:
            learnt = score.scorer(ground, wanted.window, decay, Evaluator(mixture))
            inside, outside = (
                sum(reducer.map(part, DensityTask(learnt), on_error), start=Total(0.0, 0.0, 0))
                for part in (shards, held)
            )
            gap = abs(inside.mean - outside.mean) / inside.deviation
        arrays = {
            "weights": mixture.weights,
            "means": mixture.means,
            "covariances": mixture.covariances,
            "decay": np.array([decay]),
        }
        found.append((gap, arrays))
    return min(found, key=lambda pair: pair[0])[1]


@dataclass(frozen=True)
class WindowShard:
    """The windows of a recording as frames to train on: re-iterable and picklable."""

    shard: Shard
    scorer: WindowScorer

    @property
    def id(self) -> str:
        """The recording's."""
        return self.shard.id

    def __iter__(self) -> Iterator[FrameBlock]:
        start, clock = 0, FrameClock.for_rows()
        for vectors in self.scorer.vectors_of(iter(self.shard), self.shard.id):
            frames = np.ascontiguousarray(vectors, dtype=np.float32)
            yield FrameBlock(frames, np.ones(len(frames), dtype=np.bool_), start, clock)
            start += len(frames)


@dataclass(frozen=True)
class WindowShards:
    """The windows of many recordings, re-iterable and lazy."""

    shards: Iterable[Shard]
    scorer: WindowScorer

    def __iter__(self) -> Iterator[WindowShard]:
        return (WindowShard(shard, self.scorer) for shard in self.shards)


@dataclass(frozen=True)
class Total:
    """A sum, one of squares, and of how many."""

    total: float
    squares: float
    count: int

    def __add__(self, other: Total) -> Total:
        return Total(self.total + other.total, self.squares + other.squares, self.count + other.count)

    @property
    def mean(self) -> float:
        """Infinity below where there is nothing: no r is chosen by it."""
        return self.total / self.count if self.count else -np.inf

    @property
    def deviation(self) -> float:
        """Standard deviation; 1 where all are equal."""
        variance = self.squares / self.count - self.mean**2 if self.count else 0.0
        return float(np.sqrt(variance)) if variance > 0 else 1.0


@dataclass(frozen=True)
class DensityTask:
    """Adds up what the windows of a recording score; runs in a thread or a worker process."""

    scorer: WindowScorer

    def __call__(self, shard: Shard) -> Total:
        total = Total(0.0, 0.0, 0)
        for vectors in self.scorer.vectors_of(iter(shard), shard.id):
            scores = self.scorer.judge(vectors)
            total = total + Total(math.fsum(scores), math.fsum(scores * scores), len(scores))
        return total
