"""Cllr, the cost of log-likelihood ratios, and its minimum."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.evaluation.verification.hull import SortedTrials
from audiogmm.types import BoolArray, FloatArray


def sort_trials(targets: ArrayLike, nontargets: ArrayLike) -> SortedTrials:
    """Sort the scores of target and nontarget trials.

    Parameters
    ----------
    targets, nontargets : array-like of shape (n_targets,) and (n_nontargets,), float64
        Scores; higher ones are more likely of targets. They may be infinite.

    Raises
    ------
    ChoiceError
        If a score is NaN, or there is no target or no nontarget trial.

    Examples
    --------
    >>> sort_trials([1.0, 3.0], [0.0, 2.0]).hull().eer()
    0.25
    """
    t, n = (np.asarray(scores, dtype=np.float64).ravel() for scores in (targets, nontargets))
    return SortedTrials.of(np.concatenate([t, n]), np.arange(len(t) + len(n)) < len(t))


def bits_lost(scores: FloatArray, target: BoolArray) -> FloatArray:
    """Return the cost of each score, bits, shape (n,): log2(1 + e^-llr) of a target, log2(1 + e^llr) else."""
    return np.asarray(np.logaddexp(0.0, np.where(target, -scores, scores)) / np.log(2), dtype=np.float64)


def cllr(targets: ArrayLike, nontargets: ArrayLike) -> float:
    """Return the cost of log-likelihood ratios over all decisions, bits.

    0 is perfect, 1 is that of scores that are always 0 (Brümmer and du Preez 2006, "Application-independent
    evaluation of speaker detection").

    Parameters
    ----------
    targets, nontargets : array-like of shape (n_targets,) and (n_nontargets,), float64
        Natural log-likelihood ratios.

    Raises
    ------
    ChoiceError
        As `sort_trials`.

    Examples
    --------
    >>> cllr([0.0, 0.0], [0.0]), round(cllr([np.log(3)], [-np.log(3)]), 6)
    (1.0, 0.415037)
    """
    trials = sort_trials(targets, nontargets)
    lost = bits_lost(trials.scores, trials.target)
    return float(np.mean(lost[trials.target]) + np.mean(lost[~trials.target])) / 2


def min_cllr(targets: ArrayLike, nontargets: ArrayLike) -> float:
    """Return Cllr after the best rising map of the scores, bits: the part that no calibration removes.

    The map is found by pooling adjacent violators (Brümmer and du Preez 2006).

    Raises
    ------
    ChoiceError
        As `sort_trials`.

    Examples
    --------
    >>> min_cllr([1.0, 3.0], [0.0, 2.0]), min_cllr([2.0, 3.0], [0.0, 1.0])
    (0.5, 0.0)
    """
    return sort_trials(targets, nontargets).hull().min_cllr()
