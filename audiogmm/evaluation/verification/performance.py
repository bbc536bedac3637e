"""All that is said about one set of scores: figures with their intervals, and curves with their bands."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from audiogmm.evaluation.intervals import Draws, Interval
from audiogmm.evaluation.verification.bootstrap import FEW_SPEAKERS, Sample, limits, replicate
from audiogmm.evaluation.verification.hull import Hull, Ordered
from audiogmm.types import BoolArray, FloatArray, Json
from audiogmm.verification.decision import OperatingPoint

CALIBRATED = 0.2
"""Scores pass as log-likelihood ratios while Cllr is at most this share above its minimum."""

_ON_GRID = 201
_MOST_CLAIMED = 20.0  # nats: e^20 to 1 is beyond any list of trials


@dataclass(frozen=True, slots=True)
class Performance:
    """How well scores tell speakers apart, and whether they are calibrated.

    Attributes
    ----------
    n_targets, n_nontargets : int
        Trials.
    n_speakers, n_target_speakers : int
        Speakers in the trials, and those among them with a target trial.
    points : tuple of OperatingPoint
        Where costs were measured.
    eer : Interval
        Equal error rate on the ROC convex hull.
    cllr, min_cllr : Interval
        Bits.
    min_dcf, act_dcf : tuple of Interval
        Normalized, one for each point.
    """

    n_targets: int
    n_nontargets: int
    n_speakers: int
    n_target_speakers: int
    points: tuple[OperatingPoint, ...]
    eer: Interval
    cllr: Interval
    min_cllr: Interval
    min_dcf: tuple[Interval, ...]
    act_dcf: tuple[Interval, ...]

    @property
    def indicative(self) -> bool:
        """Whether there are so few speakers that an interval is no more than a hint."""
        return self.n_target_speakers < FEW_SPEAKERS

    @property
    def calibration_loss(self) -> float:
        """Share by which Cllr is above its minimum; infinite where that is 0 and Cllr is not."""
        if self.cllr.value <= self.min_cllr.value:
            return 0.0
        return self.cllr.value / self.min_cllr.value - 1 if self.min_cllr.value else math.inf

    @property
    def calibrated(self) -> bool:
        """Whether the scores may be taken as log-likelihood ratios; bits under 0.01 are not argued about."""
        return self.calibration_loss <= CALIBRATED or self.cllr.value - self.min_cllr.value < 0.01

    def to_json(self) -> Json:
        """As a JSON object."""
        loss = self.calibration_loss
        return {
            "n_trials": self.n_targets + self.n_nontargets,
            "n_targets": self.n_targets,
            "n_nontargets": self.n_nontargets,
            "n_speakers": self.n_speakers,
            "n_target_speakers": self.n_target_speakers,
            "indicative": self.indicative,
            "eer": self.eer.to_json(),
            "cllr": self.cllr.to_json(),
            "min_cllr": self.min_cllr.to_json(),
            "calibration_loss": loss if math.isfinite(loss) else None,
            "calibrated": self.calibrated,
            "operating_points": [
                {
                    "prior": point.prior,
                    "cost_miss": point.cost_miss,
                    "cost_false_alarm": point.cost_false_alarm,
                    "threshold": point.threshold,
                    "min_dcf": least.to_json(),
                    "act_dcf": actual.to_json(),
                }
                for point, least, actual in zip(self.points, self.min_dcf, self.act_dcf, strict=True)
            ],
        }


@dataclass(frozen=True, eq=False, slots=True)
class Band:
    """A curve with an interval at every place.

    Attributes
    ----------
    at : ndarray of shape (m,), float64
        Places.
    value, low, high : ndarray of shape (m,), float64
        The curve and the ends of its intervals; NaN where they are not known.
    """

    at: FloatArray
    value: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Curves:
    """What a picture of the performance shows.

    Attributes
    ----------
    scores : ndarray of shape (n,), float64
        Rising.
    target : ndarray of shape (n,), bool
        Whether each is a target trial.
    hull : Hull
        Of all trials.
    det : Band
        Miss rate at false-alarm rates.
    reliability : Band
        Log-likelihood ratio borne out, nats, at ratios claimed.
    """

    scores: FloatArray
    target: BoolArray
    hull: Hull
    det: Band
    reliability: Band


def perform(sample: Sample, draws: Draws | None = None) -> tuple[Performance, Curves]:
    """Measure a sample, with intervals from draws of its speakers.

    Where a figure is 0, no draw can be worse: its interval ends where so many speakers without a single
    error would be seen in 5 % of the cases (the rule of three, at a confidence of 0.95). With one speaker
    there is no interval.

    Parameters
    ----------
    sample : Sample
        Trials with their speakers.
    draws : Draws, optional
        How speakers are drawn.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> speakers = rng.integers(30, size=(2000, 2))
    >>> speakers[:600, 1] = speakers[:600, 0]
    >>> target = speakers[:, 0] == speakers[:, 1]
    >>> scores = rng.normal(np.where(target, 4.0, -4.0), np.sqrt(8.0))
    >>> found, _ = perform(Sample(scores, target, speakers, [OperatingPoint()]))
    >>> found.calibrated, found.indicative, found.eer.low < found.eer.value < found.eer.high
    (True, False, True)
    """
    draws = draws or Draws()
    confidence = draws.confidence
    values, hull = sample.measure()
    alarms, claimed = _alarm_grid(sample.ordered), _claim_grid(sample.ordered)
    last = sample.ordered.scores

    def curves(drawn: Hull) -> FloatArray:
        return np.concatenate([_misses(drawn, alarms), _borne_out(drawn, last, claimed)])

    n = len(values)
    at_all = np.concatenate([values, curves(hull)])
    low, high = np.full((2, len(at_all)), np.nan)
    if sample.n_speakers > 1:
        drawn = replicate([sample], draws, curves)[:, 0]
        m = n + len(alarms)
        low[:m], high[:m] = limits(at_all[:m], drawn[:, :m], confidence)
        bound = 1 - (1 - confidence) ** (1 / sample.n_target_speakers)
        high[:m] = np.where((at_all[:m] == 0) & np.isfinite(high[:m]), bound, high[:m])
        heard = drawn[np.isfinite(drawn).all(axis=1)]
        if len(heard) > 1:
            low[m:], high[m:] = np.quantile(
                heard[:, m:], [(1 - confidence) / 2, (1 + confidence) / 2], axis=0
            )
    top = np.array([{"eer": 0.5, "min_cllr": 1.0, "min_dcf": 1.0}.get(name, np.inf) for name in sample.names])
    high[:n] = np.minimum(high[:n], top)
    misses = slice(n, n + len(alarms))  # they fall as false alarms rise, and so does what bounds them
    high[misses] = np.minimum.accumulate(np.minimum(high[misses], 1.0))
    low[misses] = np.maximum.accumulate(low[misses][::-1])[::-1]
    bands = [
        Band(grid, *(ends[first : first + len(grid)] for ends in (at_all, low, high)))
        for grid, first in ((alarms, n), (claimed, n + len(alarms)))
    ]
    found = [
        Interval(*numbers) for numbers in zip(values.tolist(), low.tolist(), high.tolist(), strict=False)
    ]
    k, target = len(sample.points), sample.ordered.target
    performance = Performance(
        n_targets=int(target.sum()),
        n_nontargets=int((~target).sum()),
        n_speakers=sample.n_speakers,
        n_target_speakers=sample.n_target_speakers,
        points=sample.points,
        eer=found[0],
        cllr=found[1],
        min_cllr=found[2],
        min_dcf=tuple(found[3 : 3 + k]),
        act_dcf=tuple(found[3 + k :]),
    )
    return performance, Curves(sample.ordered.scores, target, hull, *bands)


def _alarm_grid(trials: Ordered) -> FloatArray:
    """False-alarm rates from less than one nontarget to most, evenly on the probit scale."""
    from scipy.special import ndtr, ndtri

    least = min(0.5 / np.count_nonzero(~trials.target), 0.01)
    grid: FloatArray = ndtr(np.linspace(ndtri(least), ndtri(0.9), _ON_GRID))
    return grid


def _claim_grid(trials: Ordered) -> FloatArray:
    """Scores from the lowest to the highest, within reason."""
    ends = np.clip(trials.scores[[0, -1]], -_MOST_CLAIMED, _MOST_CLAIMED)
    return np.linspace(ends[0], ends[1], _ON_GRID)


def _misses(hull: Hull, alarms: FloatArray) -> FloatArray:
    """Miss rates of the hull at false-alarm rates, which must be above 0."""
    return np.interp(alarms, hull.p_false_alarm[::-1], hull.p_miss[::-1])


def _borne_out(hull: Hull, scores: FloatArray, claimed: FloatArray) -> FloatArray:
    """What the trials bear out at each score, nats, within reason."""
    block = np.searchsorted(scores[hull.last], claimed)
    llr = np.clip(hull.llr, -2 * _MOST_CLAIMED, 2 * _MOST_CLAIMED)
    return np.asarray(llr[np.minimum(block, len(llr) - 1)], dtype=np.float64)
