"""The tail of normal events: how rare would one be that is lower than all that were heard?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import gamma

from audiogmm.types import FloatArray

SHAPE_DEVIATION = 0.15
"""Of the prior of the tail's shape, about 0 (an exponential tail)."""

_SHAPES = np.linspace(-0.45, 0.45, 37)
_SCALES = np.exp(np.linspace(-1.2, 1.2, 61))  # times the mean excess
_QUANTILES = (np.arange(200) + 0.5) / 200


@dataclass(frozen=True, eq=False)
class Tail:
    """Peaks over threshold: the excesses of the lowest events follow a generalised Pareto law.

    The probability that an event at or under `edge` lies more than y lower is
    (1 + shape * y / scale)^(-1 / shape), exp(-y / scale) where the shape is 0 (Pickands 1975; Coles 2001,
    eq. 4.2). With twenty events the shape is hardly known, and decides how far down a rare alarm lies, so
    none is chosen: every shape and scale of a grid has its posterior weight, under a normal prior of the
    shape and one flat in the logarithm of the scale.

    Attributes
    ----------
    edge : float
        The score under which the tail begins.
    n_events : int
        Events under it.
    shape, scale, weight : ndarray of shape (n_points,), float64
        The grid, nats, and posterior weights, which sum to 1.

    Examples
    --------
    >>> tail = Tail.fit(-40 - np.random.default_rng(0).exponential(size=400), 20)
    >>> threshold, low, high = tail.threshold(0.5, (0.05, 0.95), 0.0)
    >>> threshold < tail.edge, round(low, 2) < 0.5 < round(high, 2)
    (True, True)
    """

    edge: float
    n_events: int
    shape: FloatArray
    scale: FloatArray
    weight: FloatArray

    @classmethod
    def fit(cls, peaks: FloatArray, n_events: int) -> Tail:
        """Fit to the `n_events` lowest of the peaks, shape (n,), nats; there must be one more."""
        ordered = np.sort(peaks)
        edge = float(ordered[n_events])
        excess = np.maximum(edge - ordered[:n_events], 0.0)
        mean = max(float(excess.mean()), 1e-12)
        shape, scale = (grid.ravel() for grid in np.meshgrid(_SHAPES, mean * _SCALES, indexing="ij"))
        log_posterior = -0.5 * np.square(shape / SHAPE_DEVIATION)
        for y in excess:
            log_posterior += _log_survival(shape, scale, y) - np.log(_at(shape, scale, y))
        weight = np.exp(log_posterior - log_posterior.max())
        return cls(edge, n_events, shape, scale, weight / weight.sum())

    def expected(self, score: float) -> float:
        """Events at or under `score`, where as much is heard again."""
        return self.n_events * float(self.weight @ self._survival(score))

    def threshold(
        self, expected: float, quantiles: tuple[float, float], spells: float
    ) -> tuple[float, float, float]:
        """The score at or under which `expected` events lie, and an interval for their number.

        Parameters
        ----------
        expected : float
            Fewer than `n_events`.
        quantiles : (float, float)
            Levels of the interval.
        spells : float
            Variance of numbers of events beyond Poisson's, relative to their square: it widens the interval.

        Returns
        -------
        score, low, high : float
            Nats; numbers of events.
        """
        width = float(self.weight @ self.scale)
        low, high = self.edge - width, self.edge
        while self.expected(low) > expected:
            low = self.edge - 2 * (self.edge - low)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if self.expected(middle) > expected else (middle, high)
        rates = gamma.ppf(_QUANTILES, self.n_events)  # the number under the edge is uncertain, too
        numbers = np.outer(self._survival(low), rates).ravel()
        order = np.argsort(numbers, kind="stable")
        reached = np.cumsum(np.repeat(self.weight, len(rates))[order]) / len(rates)
        least, most = numbers[order][np.minimum(np.searchsorted(reached, quantiles), len(numbers) - 1)]
        widen = float(gamma.ppf(quantiles[1], 1 / spells) * spells) if spells > 1e-6 else 1.0
        below = np.hypot(np.log(expected / least), np.log(widen)) if least > 0 else np.inf
        above = np.hypot(np.log(most / expected), np.log(widen))
        return low, float(expected * np.exp(-below)), float(expected * np.exp(above))

    def _survival(self, score: float) -> FloatArray:
        return np.exp(_log_survival(self.shape, self.scale, max(self.edge - score, 0.0)))


def _at(shape: FloatArray, scale: FloatArray, y: float) -> FloatArray:
    """What the density divides the survival by: scale + shape * y."""
    return np.maximum(scale + shape * y, 1e-300)


def _log_survival(shape: FloatArray, scale: FloatArray, y: float) -> FloatArray:
    curved = np.abs(shape) > 1e-9
    inside = np.maximum(1 + shape * y / scale, 0.0)
    with np.errstate(divide="ignore"):
        logs: FloatArray = np.where(curved, -np.log(inside) / np.where(curved, shape, 1.0), -y / scale)
    return np.where(curved & (inside == 0), -np.inf, logs)
