"""EM as scikit-learn has it: its starts, and `reg_covar` added to every variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.estimator.em import em_step
from audiogmm.estimator.parameters import InitialParameters, initial_mixture
from audiogmm.estimator.passes import Rows
from audiogmm.estimator.start import statistics_of_start
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.em_steps import Combine
from audiogmm.types import CovarianceType, FloatArray


@dataclass(frozen=True, eq=False)
class RegularizedEM:
    """The `EMSteps` of an estimator, for `fit` and `partial_fit`.

    Parameters
    ----------
    n_components, covariance_type, init_params, reg_covar
        Of the estimator.
    random_state : RandomState
        Random numbers of the start.
    given : InitialParameters
        What the user starts from.

    Examples
    --------
    >>> em = RegularizedEM(2, "spherical", "kmeans", 0.25, np.random.RandomState(0), InitialParameters())
    >>> mixture = Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 2.0], "spherical")
    >>> from audiogmm.estimator.parameters import update_mixture
    >>> update_mixture(em.implied_statistics(mixture), 0.25).covariances.round(9)
    array([1., 2.])
    """

    n_components: int
    covariance_type: CovarianceType
    init_params: str
    reg_covar: float
    random_state: np.random.RandomState
    given: InitialParameters

    def start(self, rows: Rows, weights: FloatArray | None) -> Mixture:
        """Return the mixture to begin with: what was given, and the rest from rows (n, n_features)."""
        stats = None
        if not self.given.complete:
            stats = statistics_of_start(
                rows, weights, self.n_components, self.covariance_type, self.init_params, self.random_state
            )
        return initial_mixture(stats, self.given, self.covariance_type, self.reg_covar)

    def step(
        self, mixture: Mixture, rows: Rows, weights: FloatArray | None, combine: Combine
    ) -> tuple[Mixture, SufficientStats]:
        """See `EMSteps`."""
        return em_step(mixture, rows, weights, self.reg_covar, rows.dtype, combine)[:2]

    def implied_statistics(self, mixture: Mixture) -> SufficientStats:
        """See `EMSteps`; `reg_covar`, which the M-step will add, is taken off."""
        form, counts = form_of(mixture.covariance_type), mixture.weights
        deviations = mixture.means - mixture.center
        return SufficientStats(
            mixture.covariance_type,
            origin=mixture.center,
            counts=counts,
            first=counts[:, None] * deviations,
            second=form.expected(form.add(mixture.covariances, -self.reg_covar), deviations, counts),
            n_frames=1.0,
        )
