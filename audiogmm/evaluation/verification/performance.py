"""The performance of one set of scores: figures with their intervals, and curves with their bands."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from audiogmm.evaluation.intervals import INDICATIVE_BELOW, Draws, Interval, bias_corrected_limits
from audiogmm.evaluation.verification.bootstrap import TrialSet, replicate
from audiogmm.evaluation.verification.hull import Hull, SortedTrials
from audiogmm.types import BoolArray, FloatArray, Json
from audiogmm.verification.decision import OperatingPoint

CALIBRATED = 0.2
"""Scores are called calibrated while Cllr is at most this share above its minimum."""

_N_GRID = 201
_MAX_LLR = 20.0  # nats: e^20 to 1 is beyond any list of trials


@dataclass(frozen=True, slots=True)
class Performance:
    """Error rates, costs and calibration of scores.

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
        """Whether there are too few speakers for a reliable interval."""
        return self.n_target_speakers < INDICATIVE_BELOW

    @property
    def calibration_loss(self) -> float:
        """Share by which Cllr is above its minimum; infinite where that is 0 and Cllr is not."""
        if self.cllr.value <= self.min_cllr.value:
            return 0.0
        return self.cllr.value / self.min_cllr.value - 1 if self.min_cllr.value else math.inf

    @property
    def calibrated(self) -> bool:
        """Whether Cllr is near its minimum: by `CALIBRATED`, or by less than 0.01 bits."""
        return self.calibration_loss <= CALIBRATED or self.cllr.value - self.min_cllr.value < 0.01

    def to_json(self) -> Json:
        """Return it as a JSON object."""
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
    """A curve with an interval at every place."""

    at: FloatArray  # places; shape (m,)
    value: FloatArray  # the curve and the ends of its intervals; NaN where they are not known; shape (m,)
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class Curves:
    """The curves of a picture of the performance.

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
        Calibrated log-likelihood ratio, nats, at scores.
    """

    scores: FloatArray
    target: BoolArray
    hull: Hull
    det: Band
    reliability: Band


def measure_performance(trials: TrialSet, draws: Draws | None = None) -> tuple[Performance, Curves]:
    """Measure trials, with intervals from draws of their speakers.

    Where a figure is 0, it is 0 in all draws: its interval then ends at the error rate at which so many
    speakers are without an error in 5 % of the cases (the rule of three, at a confidence of 0.95). With one
    speaker there is no interval.

    Parameters
    ----------
    trials : TrialSet
    draws : Draws, optional
        How speakers are drawn.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> speakers = rng.integers(30, size=(2000, 2))
    >>> speakers[:600, 1] = speakers[:600, 0]
    >>> target = speakers[:, 0] == speakers[:, 1]
    >>> scores = rng.normal(np.where(target, 4.0, -4.0), np.sqrt(8.0))
    >>> found, _ = measure_performance(TrialSet(scores, target, speakers, [OperatingPoint()]))
    >>> found.calibrated, found.indicative, found.eer.low < found.eer.value < found.eer.high
    (True, False, True)
    """
    draws = draws or Draws()
    confidence = draws.confidence
    values, hull = trials.measure()
    alarms, scores = _alarm_grid(trials.ordered), _score_grid(trials.ordered)

    def curves(drawn: Hull) -> FloatArray:
        return np.concatenate([_misses(drawn, alarms), _calibrated(drawn, trials.ordered.scores, scores)])

    n = len(values)
    at_all = np.concatenate([values, curves(hull)])
    low, high = np.full((2, len(at_all)), np.nan)
    if trials.n_speakers > 1:
        drawn = replicate([trials], draws, curves)[:, 0]
        m = n + len(alarms)
        low[:m], high[:m] = bias_corrected_limits(at_all[:m], drawn[:, :m], confidence)
        bound = 1 - (1 - confidence) ** (1 / trials.n_target_speakers)
        high[:m] = np.where((at_all[:m] == 0) & np.isfinite(high[:m]), bound, high[:m])
        defined = drawn[np.isfinite(drawn).all(axis=1)]
        if len(defined) > 1:
            low[m:], high[m:] = np.quantile(
                defined[:, m:], [(1 - confidence) / 2, (1 + confidence) / 2], axis=0
            )
    top = np.array([{"eer": 0.5, "min_cllr": 1.0, "min_dcf": 1.0}.get(name, np.inf) for name in trials.names])
    high[:n] = np.minimum(high[:n], top)
    misses = slice(n, n + len(alarms))  # they fall as false alarms rise, and so does what bounds them
    high[misses] = np.minimum.accumulate(np.minimum(high[misses], 1.0))
    low[misses] = np.maximum.accumulate(low[misses][::-1])[::-1]
    bands = [
        Band(grid, *(ends[first : first + len(grid)] for ends in (at_all, low, high)))
        for grid, first in ((alarms, n), (scores, n + len(alarms)))
    ]
    found = [
        Interval(*numbers) for numbers in zip(values.tolist(), low.tolist(), high.tolist(), strict=False)
    ]
    k, target = len(trials.points), trials.ordered.target
    performance = Performance(
        n_targets=int(target.sum()),
        n_nontargets=int((~target).sum()),
        n_speakers=trials.n_speakers,
        n_target_speakers=trials.n_target_speakers,
        points=trials.points,
        eer=found[0],
        cllr=found[1],
        min_cllr=found[2],
        min_dcf=tuple(found[3 : 3 + k]),
        act_dcf=tuple(found[3 + k :]),
    )
    return performance, Curves(trials.ordered.scores, target, hull, *bands)


def _alarm_grid(trials: SortedTrials) -> FloatArray:
    """False-alarm rates from less than one nontarget to 0.9, evenly on the probit scale."""
    from scipy.special import ndtr, ndtri

    least = min(0.5 / np.count_nonzero(~trials.target), 0.01)
    grid: FloatArray = ndtr(np.linspace(ndtri(least), ndtri(0.9), _N_GRID))
    return grid


def _score_grid(trials: SortedTrials) -> FloatArray:
    """Scores from the lowest to the highest, clipped to `_MAX_LLR`."""
    ends = np.clip(trials.scores[[0, -1]], -_MAX_LLR, _MAX_LLR)
    return np.linspace(ends[0], ends[1], _N_GRID)


def _misses(hull: Hull, alarms: FloatArray) -> FloatArray:
    """Miss rates of the hull at false-alarm rates, which must be above 0."""
    return np.interp(alarms, hull.p_false_alarm[::-1], hull.p_miss[::-1])


def _calibrated(hull: Hull, sorted_scores: FloatArray, scores: FloatArray) -> FloatArray:
    """Calibrated log-likelihood ratios at scores, nats, clipped to twice `_MAX_LLR`."""
    block = np.searchsorted(sorted_scores[hull.last], scores)
    llr = np.clip(hull.llr, -2 * _MAX_LLR, 2 * _MAX_LLR)
    return np.asarray(llr[np.minimum(block, len(llr) - 1)], dtype=np.float64)
