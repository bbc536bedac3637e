"""How well scores tell target from nontarget trials, and whether they may be taken at their word.

Everything but Cllr and the actual cost follows from one pass over the sorted scores, the pooling of adjacent
violators, whose blocks are the segments of the ROC convex hull (Fawcett and Niculescu-Mizil 2007, "PAV and
the ROC convex hull"). A higher score speaks for the target; equal scores are accepted or rejected together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.evaluation.verification.hull import Hull, Ordered
from audiogmm.types import BoolArray, FloatArray
from audiogmm.verification.decision import OperatingPoint


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
    """Normalized detection cost at the best threshold, in [0, 1] (NIST SRE: C_det / C_default).

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
    """Normalized detection cost at Bayes' threshold, the scores taken as log-likelihood ratios in nats.

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
