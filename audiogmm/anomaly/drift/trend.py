"""Is what departed steady, or does it go on? And trends that are slow beside normal wandering."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from audiogmm.types import BoolArray, FloatArray

RISES = 0.3
"""Share of its mean size by which a departure must grow to be rising."""

SURE = 4.0
"""Standard errors by which a slope differs from zero."""

_WINDOWS = (16, 24, 32, 48, 64, 96, 128, 192, 224, 256, 384, 512)
"""Spans in which a slow trend is looked for, latest ones."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A line through values in time.

    Attributes
    ----------
    rate, error : float
        Units an hour, and the standard error.
    """

    rate: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """At 95 %."""
        return self.rate - 1.96 * self.error, self.rate + 1.96 * self.error

    @classmethod
    def fit(cls, times: FloatArray, values: FloatArray, least: float = 0.0) -> Slope:
        """Fit by least squares; the error is widened by the correlation of neighbors' residuals.

        Parameters
        ----------
        times, values : ndarray of shape (n,)
            Seconds; at least three.
        least : float
            Correlation, at least.
        """
        hours = (times - times.mean()) / 3600
        spread = float(np.square(hours).sum())
        rate = float((hours * values).sum()) / max(spread, 1e-12)
        rest = values - values.mean() - rate * hours
        power = float(np.square(rest).sum())
        rho = min(0.95, max(least, float((rest[1:] * rest[:-1]).sum()) / max(power, 1e-12)))
        deviation = math.sqrt(power / max(1, len(values) - 2) * (1 + rho) / (1 - rho))
        return cls(rate, deviation / math.sqrt(max(spread, 1e-12)))


def rising_probability(times: FloatArray, values: FloatArray) -> tuple[bool, float]:
    """Tell whether a departure goes on.

    Parameters
    ----------
    times, values : ndarray of shape (n,)
        Seconds, and how far it is from where it came, in any unit.

    Returns
    -------
    bool
        Whether it grows by `RISES` of its size, and surely.
    float
        Probability of that verdict against the other one: a line against a constant by the Bayesian
        information criterion, with as many values as are independent.
    """
    slope = Slope.fit(times, values)
    grown = slope.rate * (times[-1] - times[0]) / 3600
    score = slope.rate / max(slope.error, 1e-12)
    rises = grown > RISES * abs(float(values.mean())) and score > SURE
    evidence = 0.5 * (score * score - math.log(len(values)))
    line = 1 / (1 + math.exp(-max(-30.0, min(30.0, evidence))))
    if rises:
        return True, line
    # steady within its bound: how surely it grows by less than RISES
    bound = RISES * abs(float(values.mean())) / max(1e-9, (times[-1] - times[0]) / 3600)
    return False, 0.5 * (1 + math.erf((bound - abs(slope.rate)) / max(slope.error, 1e-12) / math.sqrt(2)))


def change_point(values: FloatArray, first: int, last: int) -> tuple[int, int, int]:
    """Find where the mean of a sequence changed: the likeliest place, and an interval of 95 %.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Of which the deviation is the same before and behind.
    first, last : int
        Places that are considered, of the first value behind the change.

    Examples
    --------
    >>> change_point(np.r_[np.zeros(20), np.full(20, 9.0)] + np.tile([0.5, -0.5], 20), 1, 39)
    (20, 20, 20)
    """
    places = np.arange(max(1, first), max(min(len(values), last + 1), max(1, first) + 1))
    total = np.concatenate([[0.0], np.cumsum(values)])
    before, behind = total[places], total[-1] - total[places]
    fits = np.square(before) / places + np.square(behind) / np.maximum(1, len(values) - places)
    differences = np.diff(values)
    variance = max(1e-12, (1.4826 * float(np.median(np.abs(differences)))) ** 2 / 2)
    weights = np.exp((fits - fits.max()) / (2 * variance))
    weights /= weights.sum()
    summed = np.cumsum(weights)
    low, high = (places[min(len(places) - 1, int(np.searchsorted(summed, q)))] for q in (0.025, 0.975))
    return int(places[weights.argmax()]), int(low), int(high)


@dataclass(frozen=True, slots=True)
class SlowTrend:
    """A trend over many spans.

    Attributes
    ----------
    first : int
        Of the spans, where the window begins.
    bands : ndarray of shape (n_bands,), bool
        In which it shows.
    slope : Slope
        Of their mean level away from the baseline, decibels an hour.
    size : float
        Decibels from the baseline, now.
    """

    first: int
    bands: BoolArray
    slope: Slope
    size: float


def find_slow_trend(
    times: FloatArray,
    levels: FloatArray,
    anchor: FloatArray,
    wander: FloatArray,
    correlation: float,
    limit: float,
    least: float,
) -> SlowTrend | None:
    """Find a trend that leads away from a baseline, in windows of several lengths.

    A window has one if its last quarter differs from its first by `limit` deviations in some band, the two
    quarters between lie between, the line through it surely rises, and it ends `least` decibels away.

    Parameters
    ----------
    times, levels : ndarray of shape (n,), (n, n_bands)
        Of spans: seconds, and decibels.
    anchor, wander : ndarray of shape (n_bands,)
        The baseline, and the deviation of normal spans.
    correlation : float
        Of neighboring normal spans.
    """
    inflation = (1 + correlation) / (1 - correlation)
    for window in _WINDOWS:
        if window > len(times):
            return None
        part = levels[-window:]
        quarters = part.reshape(4, window // 4, -1).mean(axis=1)
        error = wander * np.sqrt(2 * min(inflation, window / 4) * 4 / window)
        scores = (quarters[3] - quarters[0]) / error
        away = quarters[3] - anchor
        scores = np.where(np.sign(scores) == np.sign(away), np.abs(scores), 0.0)
        if scores.max() < limit:
            continue
        best = scores.argmax()
        bands = (scores >= 0.5 * scores.max()) & (np.sign(away) == np.sign(away[best]))
        sign = np.sign(away[best])
        path = sign * (part - anchor)[:, bands].mean(axis=1)
        course = sign * quarters[:, bands].mean(axis=1)
        slope = Slope.fit(times[-window:], path, correlation)
        ordered = course[0] < course[1:3].min() and course[3] > course[1:3].max()
        size = float(path[-(window // 4) :].mean())
        if size >= least and ordered and slope.rate > SURE * slope.error:
            return SlowTrend(len(times) - window, bands, slope, size)
    return None
