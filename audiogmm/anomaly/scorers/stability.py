"""Which scores are stable: how much their false-alarm rates differ between normal recordings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiogmm.types import BoolArray, FloatArray

LEVEL = 0.05
"""False-alarm rate at which scores are compared."""

MARGIN = 2.0
"""Standard errors by which a score has to be less stable than the first one, to be left out."""

FEWEST, MOST = 4, 200
"""Recordings needed to compare scores at all, and compared at most, evenly spread over those there are."""


def false_alarm_misses(recordings: Sequence[FloatArray], level: float = LEVEL) -> FloatArray:
    """Measure how far each recording's false-alarm rate is from the one that the others predict.

    A threshold at the `level` quantile of all other recordings is compared with the one left out: the
    difference between the share of its windows under the threshold and `level`. Ranks alone matter, so
    scores of any unit can be compared.

    Parameters
    ----------
    recordings : sequence of ndarray of shape (n_windows,), float64
        Scores of windows of normal recordings, at least two of them.
    level : float
        Rate, in (0, 1).

    Returns
    -------
    ndarray of shape (n_recordings,), float64

    Examples
    --------
    >>> stable, other = np.arange(100.0), np.arange(100.0) - 50
    >>> false_alarm_misses([stable, stable, other]).round(2)
    array([0.05, 0.05, 0.5 ])
    """
    misses = []
    for i, scores in enumerate(recordings):
        others = np.concatenate([other for j, other in enumerate(recordings) if j != i])
        misses.append(abs(float(np.mean(scores < np.quantile(others, level))) - level))
    return np.array(misses)


def find_stable_scores(recordings: Sequence[FloatArray]) -> tuple[BoolArray, FloatArray]:
    """Find the scores whose false-alarm rates differ little between normal recordings.

    Stability says nothing of how well a score detects (on real sites the two ranked scores in no common
    order), so it chooses none. But a score whose false-alarm rate differs
    between normal recordings by significantly more than the first one's would do harm: it is left out where
    the mean of the paired differences of `false_alarm_misses` exceeds `MARGIN` of its standard errors. With
    fewer than `FEWEST` recordings none is.

    Parameters
    ----------
    recordings : sequence of ndarray of shape (n_windows, n_scores), float64
        Scores of windows of normal recordings; the first column is that of the score to compare with.

    Returns
    -------
    kept : ndarray of shape (n_scores,), bool
        The first is always kept.
    misses : ndarray of shape (n_scores,), float64
        Mean of `false_alarm_misses`; NaN where there are too few recordings.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> recordings = [np.stack([rng.normal(size=200), rng.normal(8 * (i % 2), 1, 200)], axis=1)
    ...               for i in range(6)]
    >>> find_stable_scores(recordings)[0]
    array([ True, False])
    """
    recordings = [rows for rows in recordings if len(rows)]
    n_scores = recordings[0].shape[1] if recordings else 1
    if len(recordings) < FEWEST:
        return np.ones(n_scores, dtype=np.bool_), np.full(n_scores, np.nan)
    recordings = recordings[:: -(-len(recordings) // MOST)]
    misses = np.stack(
        [false_alarm_misses([rows[:, score] for rows in recordings]) for score in range(n_scores)]
    )
    worse = misses - misses[0]
    errors = worse.std(axis=1, ddof=1) / np.sqrt(len(recordings))
    return worse.mean(axis=1) <= MARGIN * errors, misses.mean(axis=1)
