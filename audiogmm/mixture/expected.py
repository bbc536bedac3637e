"""Expected statistics of a mixture, and the likelihood of statistics under it."""

from __future__ import annotations

import numpy as np

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats


def expected_statistics(mixture: Mixture, n_frames: float = 1.0) -> SufficientStats:
    """Return the expected statistics of `n_frames` frames drawn from the mixture.

    They are the mixture itself in the mean parameters of the exponential family (Cappe and Moulines 2009,
    section 2.3): an M-step on them gives it back.

    Parameters
    ----------
    mixture : Mixture
        The model.
    n_frames : float
        Number of frames.

    Returns
    -------
    SufficientStats
        About the mixture's center; the log-likelihood is left at 0.

    Examples
    --------
    >>> stats = expected_statistics(Mixture([0.25, 0.75], [[0.0], [4.0]], [[1.0], [2.0]], "diag"), n_frames=8)
    >>> stats.counts, stats.origin + stats.first[1] / 6
    (array([2., 6.]), array([4.]))
    """
    counts = n_frames * mixture.weights
    deviations = mixture.means - mixture.center
    return SufficientStats(
        mixture.covariance_type,
        origin=mixture.center,
        counts=counts,
        first=counts[:, None] * deviations,
        second=form_of(mixture.covariance_type).expected(mixture.covariances, deviations, counts),
        n_frames=n_frames,
    )


def joint_log_likelihood(stats: SufficientStats, mixture: Mixture) -> float:
    """Return the expected log-likelihood of frames and components together, from moments alone.

    ``sum_nk r_nk (log w_k + log N(x_n | mu_k, Sigma_k))`` (Bishop 2006, equation 9.40), with the posteriors
    r_nk that the statistics were taken with.

    Parameters
    ----------
    stats : SufficientStats
        Of the mixture's form and shape.
    mixture : Mixture
        The model.

    Returns
    -------
    float
        Nats.

    Examples
    --------
    >>> mixture = Mixture([1.0], [[1.0]], [4.0], "spherical")
    >>> stats = SufficientStats.measure(
    ...     np.array([[1.0], [3.0]]), origin=np.zeros(1), covariance_type="spherical")
    >>> round(joint_log_likelihood(stats, mixture), 6)  # -log(2 pi 4) - 4 / 8
    -3.724171
    """
    form, (K, D) = form_of(mixture.covariance_type), mixture.means.shape
    factors = form.precision_factor(mixture.covariances)
    means = mixture.means - stats.origin
    counts = stats.counts
    alive = (mixture.weights > 0) & (counts > 0)
    logs = np.log(mixture.weights[alive]) - 0.5 * D * np.log(2 * np.pi)
    determinants = np.broadcast_to(form.half_log_precision(factors, K, D), (K,))[alive]
    distances = form.squared_distance(factors, means, counts, stats.first, stats.second)
    return float(counts[alive] @ (logs + determinants)) - distances / 2
