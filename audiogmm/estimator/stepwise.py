"""Stepwise EM behind `partial_fit`: the online learner with scikit-learn's starts and updates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.estimator.em import step
from audiogmm.estimator.parameters import Given, started
from audiogmm.estimator.passes import Rows
from audiogmm.estimator.start import statistics_of_start
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.arithmetic import Combine
from audiogmm.types import CovarianceType, FloatArray


@dataclass(frozen=True, eq=False)
class Sklearns:
    """The `Arithmetic` of an estimator: its starts, and `reg_covar` added to every variance.

    Parameters
    ----------
    n_components, covariance_type, init_params, reg_covar
        The estimator's.
    random_state : RandomState
        Of the start.
    given : Given
        What the user starts from.
    """

    n_components: int
    covariance_type: CovarianceType
    init_params: str
    reg_covar: float
    random_state: np.random.RandomState
    given: Given

    def start(self, rows: Rows, weights: FloatArray | None) -> Mixture:
        """As `fit` starts on these rows."""
        stats = None
        if not self.given.complete:
            stats = statistics_of_start(
                rows, weights, self.n_components, self.covariance_type, self.init_params, self.random_state
            )
        return started(stats, self.given, self.covariance_type, self.reg_covar)

    def step(
        self, mixture: Mixture, rows: Rows, weights: FloatArray | None, combine: Combine
    ) -> tuple[Mixture, SufficientStats]:
        """One E-step and M-step."""
        return step(mixture, rows, weights, self.reg_covar, rows.dtype, combine)[:2]

    def implied(self, mixture: Mixture) -> SufficientStats:
        """See `implied`."""
        return implied(mixture, self.reg_covar)


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
