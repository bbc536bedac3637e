"""Stepwise EM: a model that follows batches, by a running mean of their statistics."""

from __future__ import annotations

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats


def step_size(step: float, alpha: float) -> float:
    """Weight of a new batch beside all before it, ``(step + 2) ** -alpha`` (Liang and Klein 2009, section 3).

    Examples
    --------
    >>> step_size(2, alpha=0.5), step_size(14, alpha=0.75)
    (0.5, 0.125)
    """
    return float((step + 2) ** -alpha)


def blended(old: SufficientStats, batch: SufficientStats, rho: float) -> SufficientStats:
    """``(1 - rho) old + rho batch``, each per frame (Cappe and Moulines 2009, equation 12).

    About the batch's origin, which is the present model's centre: the origin follows what drifts.

    Examples
    --------
    >>> from dataclasses import replace
    >>> old = SufficientStats.zero(1, 1, "diag")
    >>> old = replace(old, counts=[4.0], n_frames=4)
    >>> blended(old, replace(old, counts=[1.0], n_frames=2), 0.5).counts
    array([0.75])
    """
    return rho * per_frame(batch) + (1 - rho) * per_frame(old)


def per_frame(stats: SufficientStats) -> SufficientStats:
    """The statistics of the mean frame."""
    return stats if stats.n_frames == 1 else stats * (1 / stats.n_frames)


def implied(mixture: Mixture, reg_covar: float) -> SufficientStats:
    """Statistics per frame that the M-step makes this mixture of: what it expects of its own frames.

    For a model whose statistics are not known. `reg_covar`, which the M-step will add, is taken off.

    Examples
    --------
    >>> from audiogmm.estimator.parameters import updated
    >>> mixture = Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 2.0], "spherical")
    >>> updated(implied(mixture, 0.25), 0.25).covariances.round(9)
    array([1., 2.])
    """
    origin = mixture.centre
    counts, deviations = mixture.weights, mixture.means - origin
    form = form_of(mixture.covariance_type)
    return SufficientStats(
        mixture.covariance_type,
        origin=origin,
        counts=counts,
        first=counts[:, None] * deviations,
        second=form.expected(form.add(mixture.covariances, -reg_covar), deviations, counts),
        n_frames=1.0,
    )
