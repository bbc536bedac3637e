"""Learn the score `twfr`: its decay and its mixture, from the windows of normal recordings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.scorers.grid import WindowScorer
from audiogmm.anomaly.scorers.score import Arrays, NormalRecordings, ScoreContext
from audiogmm.anomaly.scorers.twfr import make_twfr_scorer
from audiogmm.anomaly.scorers.window_sample import sample_windows
from audiogmm.blocks import FrameBlock, Shard
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.timeline import FrameClock
from audiogmm.types import Seconds

DECAYS = (1.0, 0.95, 0.9, 0.7)
"""Values of r to choose from: 1 is the mean over time, 0 would be the maximum."""

MOST_COMPONENTS, WINDOWS_EACH, FLOOR = 8, 100, 1e-2
"""Components of the mixture of windows at most, windows for each of them at least, and its variance floor."""


def learn_twfr(
    context: ScoreContext, window: Seconds, normal: NormalRecordings, before: Arrays | None
) -> Arrays:
    """Train a mixture of time-weighted spectra for the r that carries over best to other audio.

    For each r the mean log density of the windows that it was trained on is compared with that of held-out
    normal ones, in standard deviations of the former: the r with the smallest difference is taken (the first
    of equals, so the mean over time). The difference does not depend on the scale of the vectors, as a
    likelihood does. It measures how much new normal audio differs from known audio by this score, which
    should be little. An r that was chosen `before` stays.
    """
    from audiogmm.training import train_mixture

    decays = DECAYS if before is None else (float(before["decay"][0]),)
    n_windows = sample_windows(make_twfr_scorer(context, window, decays[0]), normal).seen
    n_components = min(MOST_COMPONENTS, max(1, n_windows // WINDOWS_EACH))
    found: list[tuple[float, Arrays]] = []
    for decay in decays:
        trained = train_mixture(
            WindowShards(normal.fitted, make_twfr_scorer(context, window, decay)),
            n_components=n_components,
            covariance_type="full",
            floor=FLOOR,
            reducer=normal.reducer,
            on_error=normal.on_error,
        )
        mixture = trained.mixture
        gap = 0.0
        if normal.held_out is not None and len(decays) > 1:
            task = DensityTask(make_twfr_scorer(context, window, decay, Evaluator(mixture)))
            inside, outside = (
                sum(normal.reducer.map(part, task, normal.on_error), start=DensitySum(0.0, 0.0, 0))
                for part in (normal.fitted, normal.held_out)
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
class DensitySum:
    """Sum of log densities, of their squares, and their number."""

    total: float
    squares: float
    count: int

    def __add__(self, other: DensitySum) -> DensitySum:
        return DensitySum(self.total + other.total, self.squares + other.squares, self.count + other.count)

    @property
    def mean(self) -> float:
        """Minus infinity where there is nothing: no r is chosen by it."""
        return self.total / self.count if self.count else -np.inf

    @property
    def deviation(self) -> float:
        """Standard deviation; 1 where all are equal."""
        variance = self.squares / self.count - self.mean**2 if self.count else 0.0
        return float(np.sqrt(variance)) if variance > 0 else 1.0


@dataclass(frozen=True)
class DensityTask:
    """Sums the scores of the windows of a recording; runs in a thread or a worker process."""

    scorer: WindowScorer

    def __call__(self, shard: Shard) -> DensitySum:
        total = DensitySum(0.0, 0.0, 0)
        for vectors in self.scorer.vectors_of(iter(shard), shard.id):
            scores = self.scorer.score(vectors)
            total = total + DensitySum(math.fsum(scores), math.fsum(scores * scores), len(scores))
        return total
