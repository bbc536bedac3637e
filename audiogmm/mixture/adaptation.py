"""MAP adaptation of a well-trained mixture to a little data."""

from __future__ import annotations

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import Update, check_fits, check_usable, checked_floor
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray

TAU = 16.0
"""Relevance factor of Reynolds, Quatieri and Dunn 2000, section 3.3, in frames."""


def adapt_mixture(
    prior: Mixture,
    stats: SufficientStats,
    *,
    tau: float = TAU,
    means: bool = True,
    variances: bool = False,
    weights: bool = False,
    floor: float | FloatArray = 0.0,
) -> tuple[Mixture, Update]:
    """Adapt a mixture (Reynolds, Quatieri and Dunn 2000, equations 11 to 14).

    With ``alpha_k = n_k / (n_k + tau)`` (equation 14) and E_k the mean over the frames of component k:

        weights    ``(alpha_k n_k / T + (1 - alpha_k) w_k) gamma``, gamma so that they sum to 1 (11),
        means      ``alpha_k E_k[x] + (1 - alpha_k) m_k`` (12),
        variances  ``alpha_k E_k[x^2] + (1 - alpha_k) (v_k + m_k^2) - adapted mean^2`` (13).

    Equations 12 and 13 are an M-step on ``stats + tau * prior_statistics(prior)``: tau virtual frames a
    component. That gives them a meaning for all covariance forms. Where the variances are adapted and the
    means are not, variances are those about the means kept, since equation 13 is for adapted ones.

    Parameters
    ----------
    prior : Mixture
        The model to start from, such as a background model.
    stats : SufficientStats
        Of the new frames, under the prior.
    tau : float
        Relevance factor, in frames: a component with tau frames moves half the way to them; 0: all the way.
    means, variances, weights : bool
        Which parameters to adapt; the others stay as they are.
    floor : float or ndarray of shape (n_features,), float64
        Least variance of each feature, if variances are adapted.

    Returns
    -------
    mixture : Mixture
        The adapted model.
    update : Update
        What was floored.

    Raises
    ------
    TrainingError
        If there are no frames, or moments are not finite.
    MismatchError
        If the statistics are of another model.
    ChoiceError
        If tau is negative, or the floor is.

    Examples
    --------
    >>> prior = Mixture([0.5, 0.5], [[0.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> frames = np.full((16, 1), 2.0)  # all nearest to the first component
    >>> shares = np.tile([1.0, 0.0], (16, 1))
    >>> stats = SufficientStats.measure(frames, shares, origin=prior.center, covariance_type="diag")
    >>> adapt_mixture(prior, stats, tau=16)[0].means
    array([[ 1.],
           [10.]])
    """
    if not (tau >= 0 and np.isfinite(tau)):
        raise ChoiceError(f"a relevance factor tau={tau}", needed="a finite number of frames, at least 0")
    low = checked_floor(floor, prior.n_features)
    check_usable(stats)
    check_fits(prior, stats)
    form, (K, D) = form_of(prior.covariance_type), prior.means.shape

    both = stats + tau * prior_statistics(prior, stats.origin)
    counts = np.maximum(both.counts, 0.0)
    untouched = np.flatnonzero(counts == 0)  # no frames, neither real nor virtual
    own = np.zeros_like(both.first)
    np.divide(both.first, counts[:, None], out=own, where=counts[:, None] > 0)
    adapted = stats.origin + own  # equation 12
    adapted[untouched] = prior.means[untouched]
    new_means = adapted if means else prior.means

    new_covariances, floored = prior.covariances, np.zeros((1 if form.shared else K, D), dtype=np.int64)
    if variances:
        with np.errstate(divide="ignore", invalid="ignore"):  # the untouched are replaced
            about_own = form.estimate(counts, own, both.second)  # equation 13
            second = form.expected(about_own, adapted - new_means, counts)
            about_new = form.estimate(counts, np.zeros_like(own), second)
        new_covariances, floored = form.floor(form.keep(about_new, prior.covariances, untouched), low)

    new_weights = prior.weights
    if weights:
        n = np.maximum(stats.counts, 0.0)
        alpha = np.divide(n, n + tau, out=np.zeros(K), where=n + tau > 0)  # equation 14
        new_weights = alpha * n / n.sum() + (1 - alpha) * prior.weights  # equation 11
        new_weights = new_weights / new_weights.sum()
    mixture = Mixture(new_weights, new_means, new_covariances, prior.covariance_type)
    return mixture, Update(floored=floored, cancelled=(), emptied=())


def prior_statistics(prior: Mixture, origin: FloatArray) -> SufficientStats:
    """Return statistics as if every component had one frame, with just its mean and covariance.

    Parameters
    ----------
    prior : Mixture
        The model.
    origin : ndarray of shape (n_features,), float64
        Origin of the moments.

    Returns
    -------
    SufficientStats
        With `n_components` frames.

    Examples
    --------
    >>> stats = prior_statistics(Mixture([1.0], [[3.0]], [[2.0]], "diag"), origin=np.zeros(1))
    >>> stats.counts, stats.first, stats.second
    (array([1.]), array([[3.]]), array([[11.]]))
    """
    counts = np.ones(prior.n_components)
    deviations = prior.means - origin
    return SufficientStats(
        prior.covariance_type,
        origin=origin,
        counts=counts,
        first=deviations,
        second=form_of(prior.covariance_type).expected(prior.covariances, deviations, counts),
        n_frames=float(prior.n_components),
    )
