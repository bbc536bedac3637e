"""How the levels of normal audio lie and wander: what a monitor compares with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.anomaly.bands import BandMap
from audiogmm.anomaly.drift.settings import DriftSettings
from audiogmm.types import FloatArray, Json

FEWEST = 60
"""Blocks of one recording or stream, at least, from which a baseline is learned: ten minutes of sound."""

PREFIX = "drift/"
"""Of the names of its arrays in a model."""

SPAN = 48
"""Blocks of a span, whose mean a slow trend is made of."""

_LEAST = 0.05  # decibels: an exactly steady level still has a rounding
_FAR = 8.0  # deviations at which one block counts no more
_REMEMBERED = 2880.0  # blocks: eight hours of sound
_USUAL = 3.0  # the same while learning: a burst in normal audio is not how it wanders


@dataclass(frozen=True, slots=True)
class UsualDistance:
    """How far steady blocks lie from the level that follows them, in the log; goes on being learned.

    Attributes
    ----------
    mean, variance : float
        Of the log distance.
    long : float
        What a block adds to the variance of a long sum: more than `variance` where neighbors resemble.
    weight : float
        Blocks that this rests on; older ones count less once there are `_REMEMBERED`.
    latest : float
        Mean of the last span.
    """

    mean: float
    variance: float
    long: float
    weight: float
    latest: float

    def deviation(self, distance: float, most: float = _FAR) -> float:
        """Return by how many deviations a log distance lies above the mean, bounded."""
        return min(most, max(-most, (distance - self.mean) / math.sqrt(self.variance)))

    def updated(self, distances: Sequence[float]) -> UsualDistance:
        """Return it with a span of steady blocks."""
        deviation = math.sqrt(self.variance)
        bounded = np.clip(distances, self.mean - _USUAL * deviation, self.mean + _USUAL * deviation)
        n, weight = len(bounded), min(self.weight, _REMEMBERED)
        share = n / (weight + n)
        mean = float(bounded.mean())
        # by the step from the last span: a level that settles after a run-in is no wandering
        apart = (mean - self.latest) ** 2 / 2
        return UsualDistance(
            self.mean + share * (mean - self.mean),
            max(_LEAST**2, self.variance + share * (float(bounded.var()) + apart - self.variance)),
            max(_LEAST**2, self.long + share * (n * apart - self.long)),
            weight + n,
            mean,
        )

    def limit(self, settings: DriftSettings, blocks_per_hour: float) -> float:
        """Return the height of the CUSUM at which a departure begins.

        By Siegmund's approximation (Sequential Analysis, 1985, eq. 2.56) for a Brownian motion of
        drift -k and
        of the long-run variance v, a height of h is reached once in
        ``exp(2kh/v) v / (2k^2)`` blocks.
        """
        variance = max(1.0, self.long / self.variance)
        blocks = settings.hours * blocks_per_hour
        k = settings.allowance
        return max(2.0, variance / (2 * k) * math.log(max(2.0, 2 * k * k * blocks / variance)))


@dataclass(frozen=True)
class DriftBaseline:
    """Levels of normal audio.

    Attributes
    ----------
    levels : ndarray of shape (n_bands,), float64
        Decibels, at the end of what was learned from.
    noise : ndarray of shape (n_bands,), float64
        Deviation from block to block, decibels, from successive differences.
    wander : ndarray of shape (n_bands,), float64
        Deviation of the means of spans of `SPAN` blocks, decibels.
    hertz : ndarray of shape (n_bands, 3), float64
        Lower edge, center and upper edge of the bands.
    typical, spread : float
        Median and deviation of the log of the distance of normal blocks from the level that follows them.
    mean, long_variance : float
        Of the distance in these deviations: its mean, and a block's share in the variance of a long sum
        (one deviation squared where blocks are independent).
    span_correlation : float
        Of neighboring spans.
    n_blocks : int
        Learned from.
    """

    levels: FloatArray
    noise: FloatArray
    wander: FloatArray
    hertz: FloatArray
    typical: float
    spread: float
    mean: float
    long_variance: float
    span_correlation: float
    n_blocks: int

    def distance(self, levels: FloatArray, center: FloatArray) -> FloatArray:
        """Compute the log of the root mean square of the standardized difference; shape without bands."""
        squares = np.square((levels - center) / self.noise).mean(axis=-1)
        return np.asarray(0.5 * np.log(squares + 1e-12))

    @property
    def usual(self) -> UsualDistance:
        """How normal blocks lie about the level that follows them."""
        return UsualDistance(
            self.typical + self.mean * self.spread,
            self.spread**2,
            self.long_variance * self.spread**2,
            float(self.n_blocks),
            self.typical + self.mean * self.spread,
        )

    @classmethod
    def learn(
        cls, runs: Sequence[FloatArray], bands: BandMap, settings: DriftSettings
    ) -> DriftBaseline | None:
        """Learn from the levels of recordings, each of shape (n_blocks, n_bands).

        Those of fewer than `FEWEST` blocks are left out; None where nothing is left.
        """
        runs = [run for run in runs if len(run) >= FEWEST]
        if not runs:
            return None
        steps = np.concatenate([np.diff(run, axis=0) for run in runs])
        noise = robust_deviation(steps) / math.sqrt(2) + _LEAST
        blank = np.zeros(len(noise))
        draft = cls(runs[-1][-1], noise, blank, bands.hertz, 0.0, 1.0, 0.0, 1.0, 0.0, 0)
        distances, followed = [], runs[-1][0]
        for run in runs:
            followed, found = _follow(run, draft, settings.memory)
            distances.append(found[SPAN // 2 :])
        pooled = np.concatenate(distances)
        typical = float(np.median(pooled))
        robust = float(robust_deviation(pooled[:, None])[0])
        spread = max(0.05, robust, float(np.quantile(pooled, 0.99) - typical) / 3)
        scaled = [np.clip((one - typical) / spread, -_USUAL, _USUAL) for one in distances]
        spans = [means - means.mean(axis=0) for run in runs if len(means := span_means(run))]
        joined = np.concatenate(spans)
        n = max(1, len(joined) - len(spans))
        # few spans say little about how far the level goes: their deviation is widened
        wander = np.sqrt(np.square(joined).sum(axis=0) / n) * math.sqrt(1 + 4 / n)
        return cls(
            followed,
            noise,
            np.maximum(wander, noise / math.sqrt(SPAN)),
            bands.hertz,
            typical,
            spread,
            float(np.concatenate(scaled).mean()),
            _long_variance(scaled),
            _correlation([span[:, band] for span in spans for band in range(span.shape[1])]),
            sum(map(len, runs)),
        )

    def metadata(self) -> Json:
        """Return what `from_parts` needs in addition to the arrays, as JSON."""
        names = ("typical", "spread", "mean", "long_variance", "span_correlation", "n_blocks")
        return {name: getattr(self, name) for name in names}

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays, under names that begin with ``drift/``."""
        return {PREFIX + name: getattr(self, name) for name in ("levels", "noise", "wander", "hertz")}

    @classmethod
    def from_parts(cls, metadata: Json, tensors: Mapping[str, np.ndarray]) -> DriftBaseline:
        """Undo `metadata` and `tensors`; raises KeyError if something is missing."""
        levels, noise, wander, hertz = (
            tensors[PREFIX + name].astype(np.float64) for name in ("levels", "noise", "wander", "hertz")
        )
        names = ("typical", "spread", "mean", "long_variance", "span_correlation")
        typical, spread, mean, long, span = (float(metadata[name]) for name in names)
        n = int(metadata["n_blocks"])
        return cls(levels, noise, wander, hertz, typical, spread, mean, long, span, n)


def robust_deviation(values: FloatArray) -> FloatArray:
    """Return the deviation of each column by the median of absolute deviations, shape (n_columns,)."""
    return np.asarray(1.4826 * np.median(np.abs(values - np.median(values, axis=0)), axis=0))


def span_means(levels: FloatArray) -> FloatArray:
    """Return the means of consecutive spans of `SPAN` blocks, shape (n_spans, n_bands)."""
    n = len(levels) // SPAN
    return np.asarray(levels[: n * SPAN].reshape(n, SPAN, -1).mean(axis=1))


def _follow(run: FloatArray, draft: DriftBaseline, memory: int) -> tuple[FloatArray, FloatArray]:
    """Follow the level as a monitor does; return it, and the log distance of each block."""
    level, found = np.median(run[:5], axis=0), np.empty(len(run))
    usual = math.inf
    for i, levels in enumerate(run):
        found[i] = draft.distance(levels, level)
        if i == SPAN // 2:
            usual = float(np.median(found[: i + 1]))
        weight = max(1 / memory, 1 / (i + 1))
        level = level + weight * (levels - level) * (0.2 if found[i] > usual + math.log(4) else 1.0)
    return level, found


def _long_variance(runs: Sequence[FloatArray]) -> float:
    """Return the variance of sums over batches of several lengths, a value; the largest."""
    found = [1.0]
    for length in (1, 6, 12, 24, SPAN):
        sums = [run[: len(run) // length * length].reshape(-1, length).sum(axis=1) for run in runs]
        steps = np.concatenate([np.diff(one) for one in sums])
        if len(steps) >= 8:
            found.append(float(np.square(steps).mean()) / 2 / length)
    return max(found)


def _correlation(runs: Sequence[FloatArray]) -> float:
    """Return the correlation of neighbors, from 0 to 0.95, over all runs."""
    above = sum(float((run[1:] * run[:-1]).sum()) for run in runs)
    below = sum(float(np.square(run).sum()) for run in runs)
    return min(0.95, max(0.0, above / max(below, 1e-12)))
