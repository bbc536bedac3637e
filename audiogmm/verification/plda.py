"""Probabilistic linear discriminant analysis: log-likelihood ratios of pairs of vectors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from audiogmm.errors import TrainingError
from audiogmm.types import FloatArray

MIN_BETWEEN = 1e-6
"""Variance between speakers, relative to that within, below which a direction is left out."""


@dataclass(frozen=True, eq=False)
class Plda:
    """The two-covariance model, in coordinates where it is diagonal (Brummer and de Villiers 2010).

    A speaker is a point y ~ N(mean, between), a recording of the speaker x ~ N(y, within). `transform` makes
    the covariance within speakers the identity and the one between them diagonal, so that a score is a sum
    over coordinates.

    Attributes
    ----------
    mean : ndarray of shape (n_inputs,), float64
        Of all speakers.
    transform : ndarray of shape (n_inputs, n_outputs), float64
        To coordinates, in descending order of `between`.
    between : ndarray of shape (n_outputs,), float64
        Variance between speakers in each coordinate, where the one within is 1.

    Examples
    --------
    >>> plda = Plda(np.zeros(1), np.eye(1), np.array([9.0]))
    >>> plda.scores(np.array([[3.0]]), np.array([[3.0], [-3.0]])).round(1)
    array([[ 1.3, -7.3]])
    """

    mean: FloatArray
    transform: FloatArray
    between: FloatArray

    def coordinates(self, vectors: FloatArray) -> FloatArray:
        """Return vectors (n, n_inputs) in the model's coordinates, shape (n, n_outputs)."""
        return np.asarray((vectors - self.mean) @ self.transform, dtype=np.float64)

    def scores(self, enrolled: FloatArray, tests: FloatArray) -> FloatArray:
        """Return the log-likelihood ratio of one speaker against two, for every pair.

        Per coordinate with between-speaker variance b, ``(x, t)`` is Gaussian with variances ``1 + b`` and
        covariance b if both are of one speaker, 0 if not; the ratio is (Brummer and de Villiers 2010,
        section 3)

            -1/2 log(1 - r^2) - 1/2 r / (1 - r^2) / (1 + b) * (r x^2 - 2 x t + r t^2),    r = b / (1 + b).

        Parameters
        ----------
        enrolled : ndarray of shape (m, n_outputs), float64
            Coordinates of speakers' vectors.
        tests : ndarray of shape (t, n_outputs), float64
            Coordinates of tests.

        Returns
        -------
        ndarray of shape (m, t), float64
            Nats.
        """
        total = 1 + self.between
        r = self.between / total
        factor = 0.5 * r / ((1 - r**2) * total)
        constant = -0.5 * np.log1p(-(r**2)).sum()
        own = np.square(enrolled) @ (factor * r)
        other = np.square(tests) @ (factor * r)
        cross = (enrolled * (2 * factor)) @ tests.T
        scores: FloatArray = constant - own[:, None] - other[None, :] + cross
        return scores


def learn_plda(groups: Iterable[FloatArray], n_outputs: int, shrinkage: float = 0.0) -> Plda:
    """Learn the two covariances from vectors by speaker, in closed form.

    The covariance within is the pooled scatter about speakers' means, shrunk towards a multiple of the
    identity: ``(1 - s) W + s tr(W) / n I`` with s = `shrinkage` (Ledoit and Wolf 2004, equation 2); the one
    between is that of the means less what is within, divided by the harmonic mean of the group sizes. Both
    are diagonalized together.

    Parameters
    ----------
    groups : iterable of ndarray of shape (n_i, n_inputs), float64
        Vectors of each speaker, taken once; those with one vector count for the covariance between
        speakers alone.
    n_outputs : int
        Coordinates, at most; fewer where speakers differ in fewer.
    shrinkage : float
        s, in [0, 1].

    Raises
    ------
    TrainingError
        If no speaker has two vectors, or there are fewer than two speakers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> groups = [y + rng.normal(size=(5, 2)) for y in rng.normal(0.0, [4.0, 0.5], (500, 2))]
    >>> learn_plda(groups, n_outputs=1).between.round()
    array([16.])
    """
    n_vectors, centers, scatter = [], [], np.zeros(())
    for group in groups:
        n_vectors.append(len(group))
        centers.append(group.mean(axis=0))
        deviations = group - centers[-1]
        scatter = scatter + deviations.T @ deviations
    several = sum(n > 1 for n in n_vectors)
    if len(n_vectors) < 2 or not several:
        raise TrainingError(
            f"{len(n_vectors)} speakers, {several} of them with two recordings or more",
            needed="two speakers, one of them with two recordings, for the covariance within speakers",
            remedy="a background with several recordings a speaker, or pieces of its recordings",
        )
    means, sizes = np.stack(centers), np.array(n_vectors, dtype=np.float64)
    within = scatter / (sizes - 1).sum()
    n = len(within)
    between = np.cov(means.T, ddof=1).reshape(n, n) - within * np.mean(1 / sizes)
    level = np.trace(within) / n
    ridge = max(level, np.trace(between) / n, 1e-300) * 1e-10  # else a constant input makes it singular
    within = (1 - shrinkage) * within + (shrinkage * level + ridge) * np.eye(n)
    ratios, directions = eigh(between, within)
    chosen = np.argsort(-ratios, kind="stable")[:n_outputs]
    chosen = chosen[ratios[chosen] > MIN_BETWEEN]
    if not len(chosen):
        raise TrainingError(
            "no direction in which speakers differ more than their own recordings do",
            needed="recordings whose speaker keys are right, and enough of them",
            remedy="look at the `speaker` keys of the manifest",
        )
    return Plda(means.mean(axis=0), np.ascontiguousarray(directions[:, chosen]), ratios[chosen])
