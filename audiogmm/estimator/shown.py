"""A mixture behind public attributes: the model in float64, and what of it the user sees and may change."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.estimator import checks
from audiogmm.estimator.em import Trial
from audiogmm.estimator.parameters import Attributes, mixture_of, started
from audiogmm.estimator.passes import Rows
from audiogmm.estimator.start import centre_of
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.online import OnlineEM
from audiogmm.types import CovarianceType


@dataclass(frozen=True, eq=False)
class Kept:
    """The model as it was estimated.

    Attributes
    ----------
    mixture : Mixture
        In float64.
    shown : tuple of ndarray
        weights_, means_ and precisions_cholesky_ as they were made of it.
    statistics : SufficientStats or None
        What it was estimated from.
    learner : OnlineEM or None
        What learnt it and can go on; None where `fit` made it.
    """

    mixture: Mixture
    shown: tuple[NDArray[Any], ...]
    statistics: SufficientStats | None
    learner: OnlineEM | None = None


class Shown:
    """The part of `GaussianMixture` that holds a model and shows it in attributes."""

    covariance_type: CovarianceType
    reg_covar: float
    weights_init: Any
    means_init: Any
    precisions_init: Any
    weights_: NDArray[Any]
    means_: NDArray[Any]
    covariances_: NDArray[Any]
    precisions_: NDArray[Any]
    precisions_cholesky_: NDArray[Any]

    def _adopt(self, trial: Trial, dtype: np.dtype[Any], learner: OnlineEM | None = None) -> None:
        """Show a result in the attributes, rounded to X's dtype, and keep it as it is beside them."""
        self._show(Attributes.of(trial.mixture, dtype))
        shown = tuple(array.copy() for array in self._read())
        self._kept = Kept(trial.mixture, shown, trial.statistics, learner)
        self.converged_ = trial.converged
        self.n_iter_ = len(trial.lower_bounds)
        self.lower_bound_ = dtype.type(trial.lower_bound)
        self.lower_bounds_ = [dtype.type(bound) for bound in trial.lower_bounds]

    def _current(self) -> Kept:
        """What was kept; made anew of the attributes where the user has changed them."""
        kept: Kept | None = getattr(self, "_kept", None)
        now = self._read()
        if (
            kept is not None
            and kept.mixture.covariance_type == self.covariance_type
            and all(np.array_equal(a, b) for a, b in zip(kept.shown, now, strict=True))
        ):
            return kept
        return Kept(mixture_of(*now, self.covariance_type), now, None)

    def _mixture(self) -> Mixture:
        """The model."""
        return self._current().mixture

    def _read(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The attributes that scikit-learn's methods evaluate."""
        return self.weights_, self.means_, self.precisions_cholesky_

    def _show(self, attributes: Attributes) -> None:
        for each in fields(attributes):
            setattr(self, each.name, getattr(attributes, each.name))

    def _set_parameters(self, params: tuple[NDArray[Any], ...]) -> None:
        """Show weights, means, covariances and precision factors that belong together."""
        weights, means, covariances, factors = params
        precisions = form_of(self.covariance_type).precision(factors)
        self._show(Attributes(weights, means, covariances, precisions, factors))

    def _initialize(self, X: Rows, resp: NDArray[Any]) -> None:
        """Show the start that responsibilities (n_samples, n_components) make."""
        (K, D), form = (resp.shape[1], X.shape[1]), self.covariance_type
        given = checks.checked_start(self.weights_init, self.means_init, self.precisions_init, form, K, D)
        stats = SufficientStats.measure(X, resp, origin=centre_of(X), covariance_type=form)
        self._show(Attributes.of(started(stats, given, form, self.reg_covar), X.dtype))

    def _n_parameters(self) -> int:
        """Free parameters of the model."""
        K, D = self.means_.shape
        return int(form_of(self.covariance_type).n_parameters(K, D) + K * D + K - 1)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "precisions_cholesky_")
