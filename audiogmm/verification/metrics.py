"""How well scores tell target from nontarget trials, and whether they may be taken at their word.

Everything but Cllr and the actual cost follows from one pass over the sorted scores, the pooling of adjacent
violators, whose blocks are the segments of the ROC convex hull (Fawcett and Niculescu-Mizil 2007, "PAV and
the ROC convex hull"). A higher score speaks for the target; equal scores are accepted or rejected together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.errors import ChoiceError
from audiogmm.types import BoolArray, FloatArray, IntArray
from audiogmm.verification.decision import OperatingPoint


@dataclass(frozen=True, eq=False, slots=True)
class Hull:
    """The ROC convex hull: blocks of trials whose empirical odds rise with the score.

    Attributes
    ----------
    targets, nontargets : ndarray of shape (n_blocks,), float64
        Weight of the target and nontarget trials in each block.
    last : ndarray of shape (n_blocks,), int64
        Index of each block's last trial among the sorted ones.

    Examples
    --------
    >>> hull = roc_hull([1.0, 3.0], [0.0, 2.0])
    >>> hull.p_miss, hull.p_false_alarm
    (array([0. , 0. , 0.5, 1. ]), array([1. , 0.5, 0. , 0. ]))
    >>> hull.llr
    array([-inf,   0.,  inf])
    """

    targets: FloatArray
    nontargets: FloatArray
    last: IntArray

    @property
    def p_miss(self) -> FloatArray:
        """Miss rates at the vertices, shape (n_blocks + 1,), from 0 to 1."""
        rejected = np.append(0.0, np.cumsum(self.targets))
        return np.asarray(rejected / rejected[-1], dtype=np.float64)

    @property
    def p_false_alarm(self) -> FloatArray:
        """False-alarm rates at the vertices, shape (n_blocks + 1,), from 1 to 0."""
        accepted = np.append(np.cumsum(self.nontargets[::-1])[::-1], 0.0)
        return np.asarray(accepted / accepted[0], dtype=np.float64)

    @property
    def llr(self) -> FloatArray:
        """Log-likelihood ratio that the trials of each block bear out, nats, shape (n_blocks,)."""
        with np.errstate(divide="ignore"):
            odds = np.log(self.targets / self.targets.sum()) - np.log(self.nontargets / self.nontargets.sum())
        return np.asarray(odds, dtype=np.float64)

    def eer(self) -> float:
        """Rate at which the hull has as many misses as false alarms."""
        miss, false_alarm = self.p_miss, self.p_false_alarm
        k = int(np.searchsorted(miss - false_alarm, 0.0))  # the vertex at, or next after, the crossing
        before, after = miss[k - 1] - false_alarm[k - 1], miss[k] - false_alarm[k]
        share = -before / (after - before)
        return float(miss[k - 1] + share * (miss[k] - miss[k - 1]))

    def min_dcf(self, point: OperatingPoint) -> float:
        """Least normalised detection cost that any threshold has."""
        unit = min(point.prior * point.cost_miss, (1 - point.prior) * point.cost_false_alarm)
        a, b = point.prior * point.cost_miss / unit, (1 - point.prior) * point.cost_false_alarm / unit
        return float(np.min(a * self.p_miss + b * self.p_false_alarm))

    def min_cllr(self) -> float:
        """Cllr in bits after the best rising map of the scores: 1 less the Jensen-Shannon divergence."""
        p, q = self.targets / self.targets.sum(), self.nontargets / self.nontargets.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            bits = np.where(p > 0, p * np.log2((p + q) / p), 0) + np.where(q > 0, q * np.log2((p + q) / q), 0)
        return float(bits.sum() / 2)


@dataclass(frozen=True, eq=False, slots=True)
class Ordered:
    """Trials sorted by score, once for all that is measured on them.

    Attributes
    ----------
    scores : ndarray of shape (n,), float64
        From lowest to highest.
    target : ndarray of shape (n,), bool
        Whether each is a target trial.
    begins : ndarray of shape (n,), bool
        Whether each score differs from the one before.
    order : ndarray of shape (n,), int64
        Where each trial was before sorting.
    """

    scores: FloatArray
    target: BoolArray
    begins: BoolArray
    order: IntArray

    @classmethod
    def of(cls, scores: FloatArray, target: BoolArray) -> Ordered:
        """Sort trials.

        Raises
        ------
        ChoiceError
            If a score is NaN, or all trials are of one kind.
        """
        bad = np.flatnonzero(np.isnan(scores))
        if len(bad):
            raise ChoiceError(
                f"{len(bad)} of {len(scores)} scores are NaN, the first is number {bad[0]}",
                needed="scores that can be compared",
            )
        n_targets = int(np.count_nonzero(target))
        if n_targets in (0, len(target)):
            raise ChoiceError(
                f"{n_targets} target and {len(target) - n_targets} nontarget trials",
                needed="trials of both kinds",
            )
        order = np.argsort(scores, kind="stable")
        ordered = scores[order]
        begins = np.append(True, ordered[1:] != ordered[:-1])
        return cls(ordered, target[order], begins, order)

    def hull(self) -> Hull:
        """The ROC convex hull, every trial weighing the same."""
        n = len(self.scores)
        blocks, one = np.empty((n, 3)), np.ones(1)
        speakers, losses, sums = np.zeros((n, 2), np.int64), np.empty((n, 0)), np.empty((2, 0))
        return pooled(self.target, self.begins, speakers, one, losses, blocks, sums)


def pooled(
    target: BoolArray,
    begins: BoolArray,
    speakers: IntArray,
    multiplicity: FloatArray,
    losses: FloatArray,
    blocks: FloatArray,
    sums: FloatArray,
) -> Hull:
    """The hull of sorted trials, each weighing the multiplicities of its speakers; `sums` as the kernel's."""
    from audiogmm.kernels.hulls import pool_adjacent

    n_blocks = pool_adjacent(target, begins, speakers, multiplicity, losses, blocks, sums)
    found = blocks[:n_blocks]
    return Hull(found[:, 0].copy(), found[:, 1].copy(), found[:, 2].astype(np.int64))


def _ordered(targets: ArrayLike, nontargets: ArrayLike) -> Ordered:
    t, n = (np.asarray(scores, dtype=np.float64).ravel() for scores in (targets, nontargets))
    return Ordered.of(np.concatenate([t, n]), np.arange(len(t) + len(n)) < len(t))


def roc_hull(targets: ArrayLike, nontargets: ArrayLike) -> Hull:
    """The ROC convex hull of scores.

    Parameters
    ----------
    targets, nontargets : array-like of shape (n_targets,) and (n_nontargets,), float64
        Scores; higher speaks for the target. They may be infinite.

    Raises
    ------
    ChoiceError
        If a score is NaN, or there is no target or no nontarget trial.
    """
    return _ordered(targets, nontargets).hull()


def eer(targets: ArrayLike, nontargets: ArrayLike) -> float:
    """Equal error rate on the ROC convex hull, in [0, 0.5].

    The rate of misses and false alarms where they are equal, choosing at random between two thresholds where
    no single one does it (Brümmer and de Villiers 2011, "The BOSARIS Toolkit"). It is the largest error rate
    that a prior can force on the best threshold, so it does not depend on how ties are broken.

    Parameters
    ----------
    targets, nontargets : array-like of shape (n_targets,) and (n_nontargets,), float64
        As of `roc_hull`, which also says what is raised.

    Examples
    --------
    >>> eer([1.0, 3.0], [0.0, 2.0]), eer([2.0, 3.0], [0.0, 1.0]), eer([1.0], [1.0])
    (0.25, 0.0, 0.5)
    """
    return roc_hull(targets, nontargets).eer()


def min_dcf(
    targets: ArrayLike,
    nontargets: ArrayLike,
    prior: float = 0.05,
    cost_miss: float = 1.0,
    cost_false_alarm: float = 1.0,
) -> float:
    """Normalised detection cost at the best threshold, in [0, 1] (NIST SRE: C_det / C_default).

    Parameters
    ----------
    targets, nontargets : array-like of shape (n_targets,) and (n_nontargets,), float64
        As of `roc_hull`.
    prior, cost_miss, cost_false_alarm : float
        As of `OperatingPoint`.

    Raises
    ------
    ChoiceError
        As `roc_hull` and `OperatingPoint`.

    Examples
    --------
    >>> min_dcf([1.0, 3.0], [0.0, 2.0], prior=0.5)
    0.5
    """
    return roc_hull(targets, nontargets).min_dcf(OperatingPoint(prior, cost_miss, cost_false_alarm))


def act_dcf(
    targets: ArrayLike,
    nontargets: ArrayLike,
    prior: float = 0.05,
    cost_miss: float = 1.0,
    cost_false_alarm: float = 1.0,
) -> float:
    """Normalised detection cost at Bayes' threshold, the scores taken as log-likelihood ratios in nats.

    Parameters
    ----------
    targets, nontargets
        As of `roc_hull`.
    prior, cost_miss, cost_false_alarm : float
        As of `OperatingPoint`.

    Examples
    --------
    >>> act_dcf([1.0, -1.0], [-2.0, -3.0], prior=0.5), act_dcf([9.0], [8.0], prior=0.01)
    (0.5, 99.0)
    """
    trials, point = _ordered(targets, nontargets), OperatingPoint(prior, cost_miss, cost_false_alarm)
    accepted = trials.scores >= point.threshold
    return point.cost(float(np.mean(~accepted[trials.target])), float(np.mean(accepted[~trials.target])))


def bits_lost(scores: FloatArray, target: BoolArray) -> FloatArray:
    """What each trial's claim costs, bits, shape (n,): log2(1 + e^-llr) of a target, log2(1 + e^llr) else."""
    return np.asarray(np.logaddexp(0.0, np.where(target, -scores, scores)) / np.log(2), dtype=np.float64)


def cllr(targets: ArrayLike, nontargets: ArrayLike) -> float:
    """Cost of log-likelihood ratios, bits: what they claim wrongly over all decisions.

    0 is perfect, 1 is what scores that always say 0 have, and more is worse than not listening (Brümmer and
    du Preez 2006, "Application-independent evaluation of speaker detection").

    Parameters
    ----------
    targets, nontargets : array-like of shape (n_targets,) and (n_nontargets,), float64
        Natural log-likelihood ratios.

    Examples
    --------
    >>> cllr([0.0, 0.0], [0.0]), round(cllr([np.log(3)], [-np.log(3)]), 6)
    (1.0, 0.415037)
    """
    trials = _ordered(targets, nontargets)
    lost = bits_lost(trials.scores, trials.target)
    return float(np.mean(lost[trials.target]) + np.mean(lost[~trials.target])) / 2


def min_cllr(targets: ArrayLike, nontargets: ArrayLike) -> float:
    """Cllr that is left after the best rising map of the scores, bits: what no calibration can mend.

    The map is found by pooling adjacent violators (Brümmer and du Preez 2006).

    Examples
    --------
    >>> min_cllr([1.0, 3.0], [0.0, 2.0]), min_cllr([2.0, 3.0], [0.0, 1.0])
    (0.5, 0.0)
    """
    return roc_hull(targets, nontargets).min_cllr()


def det_points(targets: ArrayLike, nontargets: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The detection error trade-off, threshold by threshold (Martin et al. 1997).

    Returns
    -------
    p_false_alarm, p_miss : ndarray of shape (n_distinct + 1,), float64
        Rates when scores at or above each threshold are accepted.
    thresholds : ndarray of shape (n_distinct + 1,), float64
        The distinct scores, rising, and infinity, which accepts nothing.

    Examples
    --------
    >>> det_points([1.0, 2.0], [0.0, 1.0])
    (array([1. , 0.5, 0. , 0. ]), array([0. , 0. , 0.5, 1. ]), array([ 0.,  1.,  2., inf]))
    """
    trials = _ordered(targets, nontargets)
    first = np.flatnonzero(trials.begins)
    missed = np.append(np.append(0, np.cumsum(trials.target))[first], trials.target.sum())
    below = np.append(first, len(trials.scores))
    n_targets, n = missed[-1], below[-1]
    rejected = below - missed
    return (
        1 - rejected / (n - n_targets),
        missed / n_targets,
        np.append(trials.scores[first], np.inf),
    )
