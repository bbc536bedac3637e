"""The posterior of each kind of sound, or of none of them, for a further segment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from audiogmm.anomaly.kinds.likeness import Likeness
from audiogmm.types import FloatArray

NONE = -1
"""The group of what is like none of them."""

_PRIOR_NONE = 0.1
_PRIOR_COUNT = 30.0  # examples that the variance of pieces counts for, where a group says little of its own
_LEAST_BETWEEN = 0.1
_SCALES = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)  # of log-likelihoods, whose coordinates are not independent
_OFFSETS = (-8.0, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0)  # nats, of none of them


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a segment was taken for.

    Attributes
    ----------
    group : int
        Number of the group; `NONE` if it is like none of them.
    probability : float
        Posterior of that.
    """

    group: int
    probability: float


@dataclass(frozen=True, eq=False)
class Recognizer:
    """The two-covariance model of groups (Brummer and de Villiers 2010), with an open set.

    A group with n examples of mean m is a point y ~ N(m b n / (1 + b n), b / (1 + b n)), in coordinates where
    the variance within groups is 1 and that between them b, and a segment is x ~ N(y, 1); one of no group so
    far is x ~ N(0, 1 + b). Log-likelihoods are scaled, and those of none shifted, so that they fit the
    examples themselves, each left out once from its group, and once with its whole group.

    Attributes
    ----------
    likeness : Likeness
        To coordinates.
    groups : tuple of int
        Numbers of the groups, ascending.
    counts : ndarray of shape (n_groups,), float64
    means : ndarray of shape (n_groups, n_coordinates), float64
        In units of `within`, from `center`.
    center, within, between : ndarray of shape (n_coordinates,), float64
        The mean of all, the standard deviation within groups, and b.
    scale, offset : float
        The calibration.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> vectors = np.concatenate([rng.normal(center, 0.1, (9, 3)) for center in (0.0, 2.0)])
    >>> likeness = Likeness.learned(vectors, np.eye(3) / 100)
    >>> recognizer = Recognizer.learned(vectors, np.repeat([1, 4], 9), likeness)
    >>> recognizer.assign(np.full(3, 2.1)).group
    4
    """

    likeness: Likeness
    groups: tuple[int, ...]
    counts: FloatArray
    means: FloatArray
    center: FloatArray
    within: FloatArray
    between: FloatArray
    scale: float = 1.0
    offset: float = 0.0

    @classmethod
    def learned(cls, vectors: FloatArray, labels: np.ndarray, likeness: Likeness) -> Recognizer:
        """Learn it from examples.

        Parameters
        ----------
        vectors : ndarray of shape (n, n_values), float64
        labels : ndarray of shape (n,), int64
            The number of the group of each.
        likeness : Likeness
        """
        points = likeness.coordinates(vectors)
        center = points.mean(axis=0)
        points = points - center
        groups, own = np.unique(labels, return_inverse=True)
        counts = np.bincount(own).astype(np.float64)
        means = np.array([points[own == place].mean(axis=0) for place in range(len(groups))])
        freedom = len(points) - len(groups)
        scatter = np.square(points - means[own]).sum(axis=0)
        within = np.sqrt((scatter + _PRIOR_COUNT) / (freedom + _PRIOR_COUNT))
        means = means / within
        between = np.maximum(means.var(axis=0) - np.mean(1 / counts), _LEAST_BETWEEN)
        plain = cls(likeness, tuple(groups.tolist()), counts, means, center, within, between)
        return plain._calibrated(points / within, own)

    def assign(self, vector: FloatArray) -> Recognition:
        """Return the most probable group of a segment, or `NONE`."""
        posterior = self.posteriors(vector[None, :])[0]
        place = int(np.argmax(posterior))
        return Recognition((*self.groups, NONE)[place], float(posterior[place]))

    def posteriors(self, vectors: FloatArray, own: np.ndarray | None = None) -> FloatArray:
        """Return the posterior of each group and, last, of none of them.

        Parameters
        ----------
        vectors : ndarray of shape (n, n_values), float64
        own : ndarray of shape (n,), int64, optional
            The group that each is an example of, and from whose mean it is left out; `NONE`: of none.

        Returns
        -------
        ndarray of shape (n, n_groups + 1), float64
            Rows sum to 1.
        """
        points = (self.likeness.coordinates(vectors) - self.center) / self.within
        places = None if own is None else np.where(own == NONE, NONE, np.searchsorted(self.groups, own))
        return np.asarray(np.exp(self._log_posteriors(self._log_likelihoods(points, places))))

    def _log_likelihoods(self, points: FloatArray, own: np.ndarray | None) -> FloatArray:
        found = np.empty((len(points), len(self.counts) + 1))
        for place, (count, mean) in enumerate(zip(self.counts, self.means, strict=True)):
            found[:, place] = self._of_group(points, count, mean)
            if own is not None:
                mine = points[own == place]
                without = (count * mean - mine) / max(count - 1, 1)
                found[own == place, place] = self._of_group(mine, count - 1, without)
        found[:, -1] = _gaussian(points, 0.0, 1 + self.between)
        return found

    def _of_group(self, points: FloatArray, count: float, mean: FloatArray) -> FloatArray:
        share = count * self.between / (1 + count * self.between)
        return _gaussian(points, share * mean, 1 + self.between * (1 - share))

    def _log_posteriors(self, log_likelihoods: FloatArray) -> FloatArray:
        n = log_likelihoods.shape[1] - 1
        joint = self.scale * log_likelihoods
        joint[:, :n] += np.log((1 - _PRIOR_NONE) / n)
        joint[:, n] += np.log(_PRIOR_NONE) + self.offset
        return np.asarray(joint - logsumexp(joint, axis=1, keepdims=True))

    def _calibrated(self, points: FloatArray, own: np.ndarray) -> Recognizer:
        """Choose scale and offset by the log posterior of the true group, and that of none without it."""
        rows = np.arange(len(points))
        inside = self._log_likelihoods(points, own)
        outside = inside.copy()
        outside[rows, own] = -np.inf
        several = self.counts[own] > 1  # without its only example, there is no group
        best, chosen = -np.inf, self
        for scale in _SCALES:
            for offset in _OFFSETS:
                tried = replace(self, scale=scale, offset=offset)
                fit = tried._log_posteriors(inside)[rows, own][several].sum()
                fit += tried._log_posteriors(outside)[:, -1].sum()
                if fit > best:
                    best, chosen = fit, tried
        return chosen


def _gaussian(points: FloatArray, mean: FloatArray | float, variance: FloatArray) -> FloatArray:
    """Log densities but for a constant, (n,)."""
    return np.asarray(-0.5 * (np.square(points - mean) / variance + np.log(variance)).sum(axis=1))
