"""Figures of the events found, each with its interval: precision and recall, delay, false alarms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiogmm.evaluation.detection.recording import COUNTS
from audiogmm.evaluation.intervals import (
    Coverage,
    Interval,
    percentile_interval,
    percentiles,
    poisson_limits,
    weighted_quantile,
)
from audiogmm.types import FloatArray, Json

SHARES = {
    "event": ("matched", "found", "true"),
    "onset": ("onset_matched", "found", "true"),
    "segment": ("segments_both", "segments_found", "segments_true"),
    "recording": ("clips_both", "clips_found", "clips_true"),
}
"""What precision and recall are of: the names of the counts of right, found and true."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Precision and recall of what was found.

    Attributes
    ----------
    precision, recall, f1 : Interval
        Precision is NaN where nothing was found, and F1 is then 0.
    error_rate : Interval
        Insertions and deletions over the number that is true: 0 is perfect, 1 is to find nothing.
    n_found, n_true, n_right : int
        What was found, what is true, and what is both.
    """

    precision: Interval
    recall: Interval
    f1: Interval
    error_rate: Interval
    n_found: int
    n_true: int
    n_right: int

    @classmethod
    def of(cls, sums: FloatArray, replicates: FloatArray | None, coverage: Coverage) -> Rates:
        """Compute from right, found and true counts, shape (3,), and those of draws, shape (n_draws, 3)."""
        values = rates(sums)
        drawn = [None] * 4 if replicates is None else list(rates(replicates).T)
        precision, recall, f1, error_rate = (
            percentile_interval(float(value), part, coverage)
            for value, part in zip(values, drawn, strict=True)
        )
        right, found, true = (round(float(count)) for count in sums)
        return cls(precision, recall, f1, error_rate, n_found=found, n_true=true, n_right=right)


def rates(sums: FloatArray) -> FloatArray:
    """Compute precision, recall, F1 and error rate, (..., 4), of right, found and true counts: (..., 3).

    Mesaros, Heittola and Virtanen 2016, for one class, so that nothing is substituted. NaN where a
    denominator is 0.

    Examples
    --------
    >>> rates(np.array([2.0, 4.0, 3.0])).round(3)
    array([0.5  , 0.667, 0.571, 1.   ])
    """
    right, found, true = np.moveaxis(sums, -1, 0)
    tops = np.stack([right, right, 2 * right, found + true - 2 * right], axis=-1)
    bottoms = np.stack([found, true, found + true, true], axis=-1)
    found_rates: FloatArray = np.full(tops.shape, np.nan)
    np.divide(tops, bottoms, out=found_rates, where=bottoms > 0)
    return found_rates


@dataclass(frozen=True, slots=True)
class Delay:
    """How long after its onset an event was found, seconds.

    Attributes
    ----------
    median, p90 : Interval
        Of the true events that were found, misses not counted: the delay that half, and 90 %, do not exceed.
        Negative where what was found began before the onset.
    n_caught, n_missed : int
        True events that an event found overlaps, and the others.
    """

    median: Interval
    p90: Interval
    n_caught: int
    n_missed: int

    @classmethod
    def of(cls, delays: FloatArray, weights: FloatArray | None, n_true: int, coverage: Coverage) -> Delay:
        """Compute from delays, shape (n_caught,), and how often each was drawn, shape (n_draws, n_caught)."""
        order = np.argsort(delays, kind="stable")
        once = np.ones((1, len(delays)))

        def within(share: float) -> Interval:
            (value,) = weighted_quantile(delays[order], once, share)
            drawn = None if weights is None else weighted_quantile(delays[order], weights[:, order], share)
            return percentile_interval(float(value), drawn, coverage)

        return cls(within(0.5), within(0.9), n_caught=len(delays), n_missed=n_true - len(delays))

    def to_json(self) -> Json:
        """Return a JSON object."""
        both = {"median_seconds": self.median.to_json(), "p90_seconds": self.p90.to_json()}
        return both | {"n_caught": self.n_caught, "n_missed": self.n_missed}


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Events that overlap no true one.

    Attributes
    ----------
    per_hour : Interval
        Of normal audio. The interval is that of the draws or the exact one of a Poisson rate, whichever
        is wider: draws of no false alarm have none, and the false alarms of one recording come together.
    n : int
        How many.
    hours : float
        Of normal audio.
    """

    per_hour: Interval
    n: int
    hours: float

    @classmethod
    def of(cls, sums: FloatArray, replicates: FloatArray | None, coverage: Coverage) -> FalseAlarms:
        """Compute from false alarms and normal hours, shape (2,), and those of draws, shape (n_draws, 2)."""
        n, hours = (float(value) for value in sums)
        if not hours > 0:
            return cls(Interval(math.nan), round(n), hours)
        low, high = (end / hours for end in poisson_limits(n, coverage.confidence))
        if replicates is not None:
            some = replicates[:, 1] > 0
            ends = percentiles(replicates[some, 0] / replicates[some, 1], coverage.expanded)
            low, high = np.fmin(low, ends[0]), np.fmax(high, ends[1])
        return cls(Interval(n / hours, float(low), float(high)), round(n), hours)

    def to_json(self) -> Json:
        """Return a JSON object."""
        return {"per_hour": self.per_hour.to_json(), "n": self.n, "normal_hours": self.hours}


@dataclass(frozen=True, slots=True)
class EventFigures:
    """Figures of the events found.

    Attributes
    ----------
    event, onset, segment : Rates or None
        Events matched by onset and offset, and by onset alone; segments with activity. None where no
        recording says where its events are, or none has any.
    recording : Rates
        Recordings in which anything was found, compared with the anomalous ones.
    delay : Delay or None
        As `event`.
    false_alarms : FalseAlarms
        On the recordings of which it is known where events are, if any.
    """

    event: Rates | None
    onset: Rates | None
    segment: Rates | None
    recording: Rates
    delay: Delay | None
    false_alarms: FalseAlarms

    @classmethod
    def of(
        cls,
        counts: FloatArray,
        delays: FloatArray,
        replicates: FloatArray | None,
        weights: FloatArray | None,
        coverage: Coverage,
    ) -> EventFigures:
        """Compute from the sums of `COUNTS`, shape (n_counts,), the delays, and both under draws."""

        def chosen(names: Sequence[str]) -> tuple[FloatArray, FloatArray | None]:
            place = [COUNTS.index(name) for name in names]
            return counts[place], None if replicates is None else replicates[:, place]

        found = {name: Rates.of(*chosen(names), coverage) for name, names in SHARES.items()}
        n_true = found["event"].n_true
        where = {name: found[name] if n_true else None for name in ("event", "onset", "segment")}
        return cls(
            **where,
            recording=found["recording"],
            delay=Delay.of(delays, weights, n_true, coverage) if n_true else None,
            false_alarms=FalseAlarms.of(*chosen(("false_alarms", "normal_hours")), coverage),
        )
