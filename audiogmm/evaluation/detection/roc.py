"""The ROC curve of scores, its areas, and both again under draws of the recordings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import BoolArray, FloatArray, IntArray

MOST_COUNTS = 1 << 22
"""Counts of recordings by score that are kept for the draws: 32 MB for each kind."""

MOST_RANKS, LEAST_RANKS = 2048, 256


def rates(normal: FloatArray, anomalous: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Compute false-alarm rate and hit rate at every threshold, from (0, 0) to (1, 1).

    Parameters
    ----------
    normal, anomalous : ndarray of shape (..., n_ranks), float64
        How many of each kind have each score, the lowest score first.

    Returns
    -------
    false_alarms, hits : ndarray of shape (..., n_ranks + 1), float64
        NaN where there are none of that kind.
    """
    return _shares(normal), _shares(anomalous)


def _shares(counts: FloatArray) -> FloatArray:
    sums = np.zeros((*counts.shape[:-1], counts.shape[-1] + 1))
    np.cumsum(counts, axis=-1, out=sums[..., 1:])
    total = sums[..., -1:].copy()
    np.divide(sums, total, out=sums, where=total > 0)
    sums[np.broadcast_to(total == 0, sums.shape)] = np.nan
    return sums


def area(false_alarms: FloatArray, hits: FloatArray) -> FloatArray:
    """Compute the area under curves of shape (..., n) by trapezoids: ties count one half; shape (...)."""
    return np.asarray(np.trapezoid(hits, false_alarms, axis=-1))


def partial_area(false_alarms: FloatArray, hits: FloatArray, max_fpr: float) -> FloatArray:
    """Compute the area up to a false-alarm rate, standardized: 0.5 is chance, 1 is perfect; shape (...).

    McClish 1989, eq. 1 and the correction of section 3.

    Examples
    --------
    >>> line = np.array([0.0, 1.0])
    >>> float(partial_area(line, line, 0.1).round(12))
    0.5
    >>> float(partial_area(np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]), 0.1))
    1.0
    """
    widths = np.diff(false_alarms, axis=-1)
    kept = np.diff(np.minimum(false_alarms, max_fpr), axis=-1)
    share = np.divide(kept, widths, out=np.zeros_like(kept), where=widths > 0)
    heights = hits[..., :-1] + 0.5 * share * np.diff(hits, axis=-1)
    chance = max_fpr**2 / 2
    areas: FloatArray = np.asarray(np.sum(kept * heights, axis=-1))
    return 0.5 * (1 + (areas - chance) / (max_fpr - chance))


@dataclass(frozen=True, eq=False)
class Separation:
    """Scores of normal and anomalous things, each of some recording.

    Attributes
    ----------
    scores : ndarray of shape (n,), float64
        Higher is more normal.
    truth : ndarray of shape (n,), bool
        Which are anomalous.
    recording : ndarray of shape (n,), int64
        Number of the recording that each is of, from 0.

    Examples
    --------
    >>> truth = np.array([True, True, False, False])
    >>> two = Separation(np.array([-9.0, -1.0, -2.0, -1.0]), truth, np.array([0, 0, 0, 1]))
    >>> two.both_kinds, two.areas(0.1).round(3)
    (True, array([0.625, 0.737]))
    """

    scores: FloatArray
    truth: BoolArray
    recording: IntArray

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def n_anomalous(self) -> int:
        """Anomalous ones among them."""
        return int(np.count_nonzero(self.truth))

    @property
    def both_kinds(self) -> bool:
        """Whether there are anomalous and normal ones."""
        return 0 < self.n_anomalous < len(self)

    def curve(self) -> tuple[FloatArray, FloatArray]:
        """Compute false-alarm and hit rate at every distinct score.

        Raises
        ------
        ChoiceError
            If all are of one kind.
        """
        if not self.both_kinds:
            raise ChoiceError(
                f"{self.n_anomalous} anomalous frames among {len(self)}",
                needed="frames of both kinds for an AUC",
            )
        order = np.argsort(self.scores, kind="stable")
        distinct = np.append(np.flatnonzero(np.diff(self.scores[order])), len(self) - 1)
        hits = np.cumsum(self.truth[order])[distinct]
        alarms = distinct + 1 - hits
        n_anomalous = self.n_anomalous
        return np.append(0.0, alarms / (len(self) - n_anomalous)), np.append(0.0, hits / n_anomalous)

    def areas(self, max_fpr: float) -> FloatArray:
        """Compute the AUC, and its part up to a false-alarm rate, standardized: shape (2,).

        Raises
        ------
        ChoiceError
            If all are of one kind.
        """
        false_alarms, hits = self.curve()
        return np.array([area(false_alarms, hits), partial_area(false_alarms, hits, max_fpr)])

    def counts(self, n_recordings: int) -> Counts:
        """Count scores by recording, for areas under draws of the recordings.

        Where there are more distinct scores than are kept, neighbors share a rank, about as many in each:
        they then count as ties. A thousand ranks and more move an area by less than 1e-3, far less than an
        interval is wide; the areas themselves are of all scores.
        """
        most = min(MOST_RANKS, max(LEAST_RANKS, MOST_COUNTS // max(n_recordings, 1)))
        ranks = _ranks(self.scores, most)
        n_ranks = int(ranks.max(initial=-1)) + 1
        place = self.recording * n_ranks + ranks
        tables = [
            np.bincount(place[chosen], minlength=n_recordings * n_ranks).reshape(n_recordings, n_ranks)
            for chosen in (~self.truth, self.truth)
        ]
        return Counts(*(table.astype(np.float64) for table in tables))


def _ranks(scores: FloatArray, most: int) -> IntArray:
    """Ranks from 0, equal scores together, at most about `most` of them."""
    distinct, rank, number = np.unique(scores, return_inverse=True, return_counts=True)
    if len(distinct) > most:
        below = np.cumsum(number) - number
        _, part = np.unique(below * most // len(scores), return_inverse=True)
        rank = part[rank]
    return rank.astype(np.int64)


@dataclass(frozen=True, eq=False)
class Counts:
    """How many normal and anomalous things of each rank every recording has."""

    # whole numbers, so that sums are exact in any order. The lowest scores have the first rank; shape
    # (n_recordings, n_ranks)
    normal: FloatArray
    anomalous: FloatArray

    def areas(self, drawn: FloatArray, max_fpr: float) -> FloatArray:
        """Compute the areas when recordings count as often as they were drawn.

        Parameters
        ----------
        drawn : ndarray of shape (n_draws, n_recordings), float64
            How often.
        max_fpr : float
            As of `Separation.areas`.

        Returns
        -------
        ndarray of shape (n_draws, 2), float64
            NaN where a draw had only one kind.
        """
        false_alarms, hits = rates(drawn @ self.normal, drawn @ self.anomalous)
        return np.stack([area(false_alarms, hits), partial_area(false_alarms, hits, max_fpr)], axis=-1)
