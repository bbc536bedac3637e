"""The statistics that a mixture expects: the way back from a model to moments."""

from __future__ import annotations

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats


def expected(mixture: Mixture, n_frames: float = 1.0) -> SufficientStats:
    """Statistics of `n_frames` frames drawn from the mixture, in the mean.

    They are the mixture itself in the mean parameters of the exponential family (Cappe and Moulines 2009,
    section 2.3): an M-step on them gives it back.

    Parameters
    ----------
    mixture : Mixture
        The model.
    n_frames : float
        How many frames they weigh.

    Returns
    -------
    SufficientStats
        About the mixture's centre; the log-likelihood is left at 0.

    Examples
    --------
    >>> stats = expected(Mixture([0.25, 0.75], [[0.0], [4.0]], [[1.0], [2.0]], "diag"), n_frames=8)
    >>> stats.counts, stats.origin + stats.first[1] / 6
    (array([2., 6.]), array([4.]))
    """
    counts = n_frames * mixture.weights
    deviations = mixture.means - mixture.centre
    return SufficientStats(
        mixture.covariance_type,
        origin=mixture.centre,
        counts=counts,
        first=counts[:, None] * deviations,
        second=form_of(mixture.covariance_type).expected(mixture.covariances, deviations, counts),
        n_frames=n_frames,
    )
