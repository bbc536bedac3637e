"""Sorted trials and their ROC convex hull, from which all measures that choose a threshold follow.

One pass over the sorted scores pools adjacent violators; its blocks are the segments of the hull (Fawcett and
Niculescu-Mizil 2007, "PAV and the ROC convex hull").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import BoolArray, FloatArray, IntArray
from audiogmm.verification.decision import OperatingPoint


@dataclass(frozen=True, eq=False, slots=True)
class Hull:
    """The ROC convex hull: blocks of trials whose odds rise with the score.

    Attributes
    ----------
    targets, nontargets : ndarray of shape (n_blocks,), float64
        Weight of the target and nontarget trials in each block.
    last : ndarray of shape (n_blocks,), int64
        Index of each block's last trial among the sorted ones.

    Examples
    --------
    >>> target = np.array([False, True, False, True])
    >>> hull = SortedTrials.of(np.arange(4.0), target).hull()
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
        """Calibrated log-likelihood ratio of each block, nats, shape (n_blocks,)."""
        with np.errstate(divide="ignore"):
            odds = np.log(self.targets / self.targets.sum()) - np.log(self.nontargets / self.nontargets.sum())
        return np.asarray(odds, dtype=np.float64)

    def eer(self) -> float:
        """Return the equal error rate, in [0, 0.5]: that of misses and of false alarms, where they are equal.

        Where no threshold has it, two are mixed at random (Brümmer and de Villiers 2011, "The BOSARIS
        Toolkit"). It is the largest error rate that a prior can force on the best threshold, so it does not
        depend on how ties are broken.
        """
        miss, false_alarm = self.p_miss, self.p_false_alarm
        k = int(np.searchsorted(miss - false_alarm, 0.0))  # the vertex at, or next after, the crossing
        before, after = miss[k - 1] - false_alarm[k - 1], miss[k] - false_alarm[k]
        share = -before / (after - before)
        return float(miss[k - 1] + share * (miss[k] - miss[k - 1]))

    def min_dcf(self, point: OperatingPoint) -> float:
        """Return the least normalized detection cost of all thresholds (NIST SRE: C_det / C_default)."""
        unit = min(point.prior * point.cost_miss, (1 - point.prior) * point.cost_false_alarm)
        a, b = point.prior * point.cost_miss / unit, (1 - point.prior) * point.cost_false_alarm / unit
        return float(np.min(a * self.p_miss + b * self.p_false_alarm))

    def min_cllr(self) -> float:
        """Return Cllr, bits, after the best rising map of scores: 1 less the Jensen-Shannon divergence."""
        p, q = self.targets / self.targets.sum(), self.nontargets / self.nontargets.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            bits = np.where(p > 0, p * np.log2((p + q) / p), 0) + np.where(q > 0, q * np.log2((p + q) / q), 0)
        return float(bits.sum() / 2)


@dataclass(frozen=True, eq=False, slots=True)
class SortedTrials:
    """Trials sorted by score.

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
    def of(cls, scores: FloatArray, target: BoolArray) -> SortedTrials:
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
        """Return the ROC convex hull, all trials having the same weight."""
        n = len(self.scores)
        blocks, one = np.empty((n, 3)), np.ones(1)
        speakers, losses, sums = np.zeros((n, 2), np.int64), np.empty((n, 0)), np.empty((2, 0))
        return pool_trials(self.target, self.begins, speakers, one, losses, blocks, sums)


def pool_trials(
    target: BoolArray,
    begins: BoolArray,
    speakers: IntArray,
    multiplicity: FloatArray,
    losses: FloatArray,
    blocks: FloatArray,
    sums: FloatArray,
) -> Hull:
    """Return the hull of sorted trials, weighted by the multiplicities of their speakers."""
    from audiogmm.kernels.isotonic import pool_adjacent

    n_blocks = pool_adjacent(target, begins, speakers, multiplicity, losses, blocks, sums)
    found = blocks[:n_blocks]
    return Hull(found[:, 0].copy(), found[:, 1].copy(), found[:, 2].astype(np.int64))
