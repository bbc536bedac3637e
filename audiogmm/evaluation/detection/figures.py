"""Figures of detection, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from audiogmm.evaluation.detection.case import COUNTS
from audiogmm.evaluation.intervals import (
    FEW_RECORDINGS,
    Interval,
    PercentileLevel,
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
"""What precision and recall are taken of: what was right, what was found, what there was."""


def interval(value: float, replicates: FloatArray | None, reach: PercentileLevel) -> Interval:
    """A figure with the percentile interval of its replicates, which encloses it; none without replicates."""
    if replicates is None or not math.isfinite(value):
        return Interval(value)
    low, high = percentiles(replicates, reach.expanded)
    return Interval(value, min(low, value), max(high, value)) if math.isfinite(low) else Interval(value)


def number(value: float) -> float | None:
    """A number as JSON has it: null where it is not finite."""
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Areas:
    """How well scores tell apart what is anomalous.

    Attributes
    ----------
    auc, pauc : Interval
        Area under the ROC curve, whole, and up to a false-alarm rate, standardised; 0.5 is chance.
    n, n_anomalous : int
        Frames, segments or clips, and the anomalous ones among them.
    """

    auc: Interval
    pauc: Interval
    n: int
    n_anomalous: int

    def to_json(self) -> Json:
        """As a JSON object."""
        both = {"auc": self.auc.to_json(), "pauc": self.pauc.to_json()}
        return both | {"n": self.n, "n_anomalous": self.n_anomalous}


@dataclass(frozen=True, slots=True)
class MeanAreas:
    """Means over sites.

    Attributes
    ----------
    auc, pauc : Interval
        Arithmetic means.
    harmonic : Interval
        Harmonic mean of the AUC and the pAUC of all sites, as DCASE Task 2 takes it.
    n_sites : int
        Sites that have an area.
    """

    auc: Interval
    pauc: Interval
    harmonic: Interval
    n_sites: int

    def to_json(self) -> Json:
        """As a JSON object."""
        means = {name: getattr(self, name).to_json() for name in ("auc", "pauc")}
        return means | {"harmonic_mean": self.harmonic.to_json(), "n_sites": self.n_sites}


@dataclass(frozen=True, slots=True)
class Rates:
    """How far what was found and what there was are the same.

    Attributes
    ----------
    precision, recall, f1 : Interval
        Precision is NaN where nothing was found, and F1 is then 0.
    error_rate : Interval
        Insertions and deletions for each of what there was: 0 is perfect, 1 is to find nothing.
    n_found, n_true, n_right : int
        What was found, what there was, and what is both.
    """

    precision: Interval
    recall: Interval
    f1: Interval
    error_rate: Interval
    n_found: int
    n_true: int
    n_right: int

    @classmethod
    def of(cls, sums: FloatArray, replicates: FloatArray | None, reach: PercentileLevel) -> Rates:
        """From what was right, found and true, shape (3,), and the same under draws, shape (n_draws, 3)."""
        values = rates(sums)
        drawn = [None] * 4 if replicates is None else list(rates(replicates).T)
        precision, recall, f1, error_rate = (
            interval(float(value), part, reach) for value, part in zip(values, drawn, strict=True)
        )
        right, found, true = (round(float(count)) for count in sums)
        return cls(precision, recall, f1, error_rate, n_found=found, n_true=true, n_right=right)

    def to_json(self) -> Json:
        """As a JSON object."""
        return {
            field.name: value.to_json() if isinstance(value, Interval) else value
            for field in fields(self)
            for value in [getattr(self, field.name)]
        }


def rates(sums: FloatArray) -> FloatArray:
    """Precision, recall, F1 and error rate, shape (..., 4), of what was right, found and true: (..., 3).

    Mesaros, Heittola and Virtanen 2016, for the one class that there is, so that nothing is substituted. NaN
    where there is nothing to divide by.

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
    """How long after its onset an event was noticed, seconds.

    Attributes
    ----------
    median, p90 : Interval
        Of the events that were caught, misses not counted: the least delay that half, and 90 %, do not pass.
        Negative where what was found began before the onset.
    n_caught, n_missed : int
        True events that an event found overlaps, and the others.
    """

    median: Interval
    p90: Interval
    n_caught: int
    n_missed: int

    @classmethod
    def of(cls, delays: FloatArray, weights: FloatArray | None, n_true: int, reach: PercentileLevel) -> Delay:
        """From the delays, shape (n_caught,), and how often each was drawn, shape (n_draws, n_caught)."""
        order = np.argsort(delays, kind="stable")
        once = np.ones((1, len(delays)))

        def within(share: float) -> Interval:
            (value,) = weighted_quantile(delays[order], once, share)
            drawn = None if weights is None else weighted_quantile(delays[order], weights[:, order], share)
            return interval(float(value), drawn, reach)

        return cls(within(0.5), within(0.9), n_caught=len(delays), n_missed=n_true - len(delays))

    def to_json(self) -> Json:
        """As a JSON object."""
        both = {"median_seconds": self.median.to_json(), "p90_seconds": self.p90.to_json()}
        return both | {"n_caught": self.n_caught, "n_missed": self.n_missed}


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Events that touch no true one.

    Attributes
    ----------
    per_hour : Interval
        Of normal audio. The interval is that of the draws or the exact one of a Poisson rate, whichever
        reaches further: draws of no false alarm know of none, and those of one recording come together.
    n : int
        How many.
    hours : float
        Of normal audio.
    """

    per_hour: Interval
    n: int
    hours: float

    @classmethod
    def of(cls, sums: FloatArray, replicates: FloatArray | None, reach: PercentileLevel) -> FalseAlarms:
        """From false alarms and normal hours, shape (2,), and the same under draws, shape (n_draws, 2)."""
        n, hours = (float(value) for value in sums)
        if not hours > 0:
            return cls(Interval(math.nan), round(n), hours)
        low, high = (end / hours for end in poisson_limits(n, reach.confidence))
        if replicates is not None:
            some = replicates[:, 1] > 0
            ends = percentiles(replicates[some, 0] / replicates[some, 1], reach.expanded)
            low, high = np.fmin(low, ends[0]), np.fmax(high, ends[1])
        return cls(Interval(n / hours, float(low), float(high)), round(n), hours)

    def to_json(self) -> Json:
        """As a JSON object."""
        return {"per_hour": self.per_hour.to_json(), "n": self.n, "normal_hours": self.hours}


@dataclass(frozen=True, slots=True)
class Detected:
    """What the events found are worth.

    Attributes
    ----------
    event, onset, segment : Rates or None
        Events matched by onset and offset, and by onset alone; segments with activity. None where no
        recording says where its events are, or none has any.
    recording : Rates
        Recordings in which anything was found, against those in which anything is.
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
        reach: PercentileLevel,
    ) -> Detected:
        """From the sums of `COUNTS`, shape (n_counts,), the delays, and both under draws."""

        def chosen(names: Sequence[str]) -> tuple[FloatArray, FloatArray | None]:
            place = [COUNTS.index(name) for name in names]
            return counts[place], None if replicates is None else replicates[:, place]

        found = {name: Rates.of(*chosen(names), reach) for name, names in SHARES.items()}
        n_true = found["event"].n_true
        where = {name: found[name] if n_true else None for name in ("event", "onset", "segment")}
        return cls(
            **where,
            recording=found["recording"],
            delay=Delay.of(delays, weights, n_true, reach) if n_true else None,
            false_alarms=FalseAlarms.of(*chosen(("false_alarms", "normal_hours")), reach),
        )

    def to_json(self) -> Json:
        """As a JSON object; null for what could not be measured."""
        return {
            field.name: None if value is None else value.to_json()
            for field in fields(self)
            for value in [getattr(self, field.name)]
        }


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """All figures of one site.

    Attributes
    ----------
    site : str
        Its name.
    n_recordings, n_anomalous : int
        Recordings, and those with anything anomalous.
    hours : float
        Of audio.
    areas : mapping from str to Areas
        Of frames, segments and clips, as far as there are both kinds.
    left_out : mapping from str to str
        Why the others have none.
    detected : Detected
        What the events found are worth.
    """

    site: str
    n_recordings: int
    n_anomalous: int
    hours: float
    areas: dict[str, Areas]
    left_out: dict[str, str]
    detected: Detected

    @property
    def indicative(self) -> bool:
        """Whether there are so few recordings that an interval is to be read with care."""
        return self.n_recordings < FEW_RECORDINGS

    def to_json(self) -> Json:
        """As a JSON object."""
        return {
            "site": self.site,
            "n_recordings": self.n_recordings,
            "n_anomalous": self.n_anomalous,
            "hours": self.hours,
            "areas": {level: areas.to_json() for level, areas in self.areas.items()},
            "left_out": self.left_out,
            "detected": self.detected.to_json(),
            "indicative": self.indicative,
        }
