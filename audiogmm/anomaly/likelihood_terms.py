"""Divide a log-likelihood exactly into level, spectral shape and dynamics."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from audiogmm.anomaly.counterfactual import covariance_of
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.marginal import marginal
from audiogmm.types import FloatArray


@dataclass(frozen=True, eq=False)
class LikelihoodTerms:
    """Log-likelihood of frames by the chain rule: the level, the shape given the level, and the rest.

        log p(x) = log p(level) + log p(static | level) + log p(deltas | static)

    Each is a difference of two marginals of the mixture, which are mixtures themselves, with the means A mu
    and covariances A Sigma A'. What does not exist (no level in the features, or no deltas) is 0 throughout.

    Parameters
    ----------
    mixture : Mixture
        The model.
    static : ndarray of shape (n_static,), int64
        The features that are no deltas.
    level : ndarray of shape (n_features,), float64, optional
        The level of all bands together, as a linear map of the static features.

    Examples
    --------
    >>> mixture = Mixture([1.0], [[0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0]], "diag")
    >>> parts = LikelihoodTerms(mixture, np.array([0, 1]), np.array([1.0, 0.0, 0.0]))
    >>> frames = np.array([[4.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    >>> np.abs(parts(frames)[1] - parts(frames)[0]).round(9).tolist()
    [8.0, 2.0, 0.0]
    """

    mixture: Mixture
    static: NDArray[np.int64]
    level: FloatArray | None

    @cached_property
    def _marginals(self) -> tuple[Evaluator | None, Evaluator | None, Evaluator]:
        """Of the level, of the static features (None where these are all), and of everything."""
        D = self.mixture.n_features
        level = (
            None if self.level is None else Evaluator(marginal(self.mixture, self.level[None], np.zeros(1)))
        )
        static = None
        if len(self.static) < D:
            static = Evaluator(marginal(self.mixture, np.eye(D)[self.static], np.zeros(len(self.static))))
        return level, static, Evaluator(self.mixture)

    @property
    def static_evaluator(self) -> Evaluator:
        """Of the static features alone."""
        _, static, whole = self._marginals
        return whole if static is None else static

    def __call__(self, frames: np.ndarray) -> FloatArray:
        """The three terms of each frame, shape (n_frames, 3), nats; a row's sum is log p(x)."""
        X = np.ascontiguousarray(frames, dtype=np.float64)
        level, static, whole = self._marginals
        of_whole = whole.log_likelihood(X)
        of_static = of_whole if static is None else static.log_likelihood(X[:, self.static].copy())
        if level is None:
            of_level = np.zeros(len(X))
        else:
            assert self.level is not None
            of_level = level.log_likelihood(np.einsum("td,d->t", X, self.level)[:, None])
        return np.stack([of_level, of_static - of_level, of_whole - of_static], axis=1)


def divide_distance(mixture: Mixture, posteriors: FloatArray, frames: np.ndarray) -> tuple[float, float]:
    """Divide the squared Mahalanobis distance of frames from their components into shift and scatter.

    For each component, the sum over frames of gamma (x - mu)'P(x - mu) is exactly N (m - mu)'P(m - mu), of
    their mean m, and the sum of gamma (x - m)'P(x - m), of their scatter about it.

    Parameters
    ----------
    mixture : Mixture
        The model.
    posteriors : ndarray of shape (n_frames, n_components), float64
        Gamma.
    frames : ndarray of shape (n_frames, n_features)
        Feature vectors.

    Returns
    -------
    shift, scatter : float
        Summed over components.

    Examples
    --------
    >>> mixture = Mixture([1.0], [[0.0]], [[1.0]], "diag")
    >>> divide_distance(mixture, np.ones((2, 1)), np.array([[1.0], [3.0]]))
    (8.0, 2.0)
    """
    X = frames.astype(np.float64)
    shift = scatter = 0.0
    for k in range(mixture.n_components):
        gamma = posteriors[:, k]
        count = float(gamma.sum())
        if count < LEAST:
            continue
        precision = np.linalg.inv(covariance_of(mixture, k))
        mean = np.einsum("t,td->d", gamma, X) / count
        away = mean - mixture.means[k]
        about = X - mean
        shift += count * float(np.einsum("i,ij,j->", away, precision, away))
        scatter += float(np.einsum("ij,ij->", precision, (gamma[:, None] * about).T @ about))
    return shift, scatter


LEAST = 1e-6
"""Frames' worth of posterior under which a component is left out."""
