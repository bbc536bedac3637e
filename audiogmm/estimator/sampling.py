"""Samples of a mixture with scikit-learn's random numbers."""

from __future__ import annotations

import numpy as np

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray, IntArray


def draw_samples(
    mixture: Mixture, n_samples: int, random_state: np.random.RandomState
) -> tuple[FloatArray, IntArray]:
    """Draw samples (n_samples, n_features), float64, and their components (n_samples,), int64, in order.

    They are the numbers that `sklearn.mixture.GaussianMixture.sample` draws.

    Examples
    --------
    >>> mixture = Mixture([0.5, 0.5], [[0.0], [10.0]], [1.0, 1.0], "spherical")
    >>> frames, components = draw_samples(mixture, 4, np.random.RandomState(0))
    >>> components
    array([0, 0, 1, 1])
    """
    K, D = mixture.n_components, mixture.n_features
    counts = random_state.multinomial(n_samples, mixture.weights / mixture.weights.sum())
    form = form_of(mixture.covariance_type)
    parts = []
    for k, (mean, count) in enumerate(zip(mixture.means, counts, strict=True)):
        covariance = mixture.covariances if form.shared else mixture.covariances[k]
        if form.is_matrix:
            parts.append(random_state.multivariate_normal(mean, covariance, int(count)))
        else:
            parts.append(mean + random_state.standard_normal(size=(count, D)) * np.sqrt(covariance))
    return np.vstack(parts), np.repeat(np.arange(K), counts)
