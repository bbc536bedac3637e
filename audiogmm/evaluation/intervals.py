"""Intervals of figures from draws of recordings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import FloatArray, Json

INDICATIVE_BELOW = 20
"""With fewer recordings, or speakers, an interval is called indicative."""

AT_ONCE = 50
"""Draws made at a time."""


def draw_count(n: int, *key: int) -> FloatArray:
    """Draw n units (recordings, speakers) with replacement, and count how often each was drawn.

    Parameters
    ----------
    n : int
        Units.
    key : int
        The draw depends on it alone.

    Returns
    -------
    ndarray of shape (n,), float64
    """
    drawn = np.random.default_rng(list(key)).integers(n, size=n)
    return np.bincount(drawn, minlength=n).astype(np.float64)


def draw_counts(n_recordings: int, replicates: int, seed: int, stratum: int) -> Iterator[FloatArray]:
    """Draw recordings of a stratum with replacement, and count how often each was drawn.

    Parameters
    ----------
    n_recordings : int
        Of the stratum.
    replicates : int
        Draws.
    seed, stratum : int
        The draws depend on both, and the i-th not on how many there are.

    Yields
    ------
    ndarray of shape (n, n_recordings), float64
        The next `AT_ONCE` draws, or what is left.

    Examples
    --------
    >>> [draws.sum(axis=1).tolist() for draws in draw_counts(3, 2, seed=0, stratum=0)]
    [[3.0, 3.0]]
    """
    for first in range(0, replicates, AT_ONCE):
        counts = np.empty((min(AT_ONCE, replicates - first), n_recordings))
        for i, row in enumerate(counts):
            row[:] = draw_count(n_recordings, seed, stratum, first + i)
        yield counts


@dataclass(frozen=True, slots=True)
class Coverage:
    """The share of draws that an interval encloses, for a confidence.

    Percentiles of draws lie too near to each other, the more so the fewer recordings there are: draws vary
    about the sample's figure by sqrt((n - 1) / n) of what samples do, and a few recordings estimate their own
    spread badly. So the tails are cut where Student's t would cut them (Hesterberg 2015, "What Teachers
    Should Know About the Bootstrap", the expanded percentile interval). In a simulation of clips that differ
    in level and difficulty, intervals of 95 % held the true AUC in 84, 87 and 93 % of the cases of 10, 20 and
    40 of them without this, and in 89, 90 and 94 % with it.

    Attributes
    ----------
    confidence : float
        Wanted, in (0, 1).
    n_recordings, n_strata : int
        Recordings that were drawn, and the sites within which.

    Examples
    --------
    >>> [round(Coverage(0.95, n).expanded, 4) for n in (10, 20, 100, 1000)]
    [0.9829, 0.9682, 0.9539, 0.9504]
    """

    confidence: float
    n_recordings: int
    n_strata: int = 1

    @classmethod
    def over(cls, confidence: float, sizes: Sequence[int]) -> Coverage:
        """Of several sites, by their numbers of recordings."""
        return cls(confidence, sum(sizes), len(sizes))

    @property
    def expanded(self) -> float:
        """The share of the draws between its ends."""
        from scipy.special import ndtr, stdtrit

        free = self.n_recordings - self.n_strata
        if free < 1:
            return self.confidence
        ends = math.sqrt(self.n_recordings / free) * float(stdtrit(free, (1 + self.confidence) / 2))
        return float(2 * ndtr(ends) - 1)


def percentiles(values: FloatArray, share: float) -> tuple[float, float]:
    """Find the ends that enclose a share of the replicates; NaN if fewer than two are defined (Efron 1979).

    Examples
    --------
    >>> percentiles(np.array([0.0, 1.0, 2.0, 3.0, 4.0, np.nan]), 0.5)
    (1.0, 3.0)
    """
    defined = values[np.isfinite(values)]
    if len(defined) < 2:
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - share) / 2, (1 + share) / 2])
    return float(low), float(high)


def bias_corrected_limits(
    values: FloatArray, replicates: FloatArray, confidence: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Compute the ends of the intervals of figures that are not under 0.

    The normal interval, less the bootstrap's bias, on the scale of cube roots. Measures that choose a
    threshold after the fact are optimistic on few trials, and more so on resampled ones, so that percentiles
    lie too low: in a simulation, intervals of 95 % held the true EER in 58 % (6 speakers), 74 % (30) and 86 %
    (100) of the cases by percentiles, and in 93 %, 91 % and 95 % by this one.

    Parameters
    ----------
    values : ndarray of shape (m,), float64
        As measured.
    replicates : ndarray of shape (n, m), float64
        Of draws; NaN where undefined.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : ndarray of shape (m,), float64
        NaN where fewer than two draws are defined. They enclose the value.
    """
    from scipy.special import ndtri

    defined = np.isfinite(replicates).sum(axis=0) > 1
    low, high = np.full(len(values), np.nan), np.full(len(values), np.nan)
    roots = np.cbrt(values[defined])
    resampled = np.cbrt(np.where(np.isfinite(replicates), replicates, np.nan)[:, defined])
    center = 2 * roots - np.nanmean(resampled, axis=0)
    half = ndtri((1 + confidence) / 2) * np.nanstd(resampled, axis=0)
    low[defined] = np.minimum(np.maximum(center - half, 0.0) ** 3, values[defined])
    high[defined] = np.maximum((center + half) ** 3, values[defined])
    return low, high


def poisson_limits(count: float, confidence: float) -> tuple[float, float]:
    """Compute the exact interval of a Poisson mean from a count of events (Garwood 1936).

    Examples
    --------
    >>> [round(end, 3) for n in (0, 10) for end in poisson_limits(n, 0.95)]
    [0.0, 3.689, 4.795, 18.39]
    """
    from scipy.special import gammaincinv

    tail = (1 - confidence) / 2
    low = float(gammaincinv(count, tail)) if count > 0 else 0.0
    return low, float(gammaincinv(count + 1, 1 - tail))


def weighted_quantile(values: FloatArray, weights: FloatArray, share: float) -> FloatArray:
    """Find the least value up to which a share of the weight lies, for each row of weights.

    Parameters
    ----------
    values : ndarray of shape (n,), float64
        In rising order.
    weights : ndarray of shape (n_rows, n), float64
        Whole numbers.
    share : float
        In (0, 1].

    Returns
    -------
    ndarray of shape (n_rows,), float64
        NaN where all weights are 0.

    Examples
    --------
    >>> weighted_quantile(np.array([1.0, 2.0, 9.0]), np.array([[1.0, 1, 1], [0, 0, 5], [0, 0, 0]]), 0.5)
    array([ 2.,  9., nan])
    """
    found = np.full(len(weights), np.nan)
    if not values.size:
        return found
    sums = np.cumsum(weights, axis=1)
    total = sums[:, -1:]
    reached = sums >= share * total * (1 - 1e-12)
    some = total[:, 0] > 0
    found[some] = values[np.argmax(reached, axis=1)[some]]
    return found


@dataclass(frozen=True, slots=True)
class Draws:
    """How recordings, or speakers, are drawn for intervals.

    Attributes
    ----------
    replicates : int
        Draws, at least 100.
    confidence : float
        Of the intervals, in (0, 1).
    seed : int
        The i-th draw depends on it alone, not on how many there are, nor on the number of threads.
    threads : int or None
        All cores by default; used where there are many trials.

    Raises
    ------
    ChoiceError
        If a setting is out of range.
    """

    replicates: int = 1000
    confidence: float = 0.95
    seed: int = 0
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.replicates < 100:
            raise ChoiceError(f"{self.replicates} replicates", needed="at least 100 for an interval")
        if not 0 < self.confidence < 1:
            raise ChoiceError(f"a confidence of {self.confidence}", needed="a share above 0 and under 1")
        if self.seed < 0:
            raise ChoiceError(f"a seed of {self.seed}", needed="0 or a whole number above")


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its interval.

    Attributes
    ----------
    value : float
        As measured.
    low, high : float
        Ends of the interval; NaN where there were too few recordings or speakers for one.
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def to_json(self) -> Json:
        """As a JSON object; null where a number is not finite."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: number if math.isfinite(number) else None for name, number in numbers.items()}


def fields_to_json(record: Any) -> Json:
    """Return the fields of a dataclass of figures as a JSON object, and those of the figures in it."""
    return {field.name: _to_json(getattr(record, field.name)) for field in fields(record)}


def _to_json(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: _to_json(part) for key, part in value.items()}
    return fields_to_json(value) if is_dataclass(value) else value


def percentile_interval(value: float, replicates: FloatArray | None, coverage: Coverage) -> Interval:
    """Return a figure with the percentile interval of its replicates, which encloses it; none without."""
    if replicates is None or not math.isfinite(value):
        return Interval(value)
    low, high = percentiles(replicates, coverage.expanded)
    return Interval(value, min(low, value), max(high, value)) if math.isfinite(low) else Interval(value)
