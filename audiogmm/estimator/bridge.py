"""Between a model, which scores recordings, and the estimator, which has scikit-learn's interface."""

from __future__ import annotations

import numpy as np

from audiogmm.estimator.em import FitResult
from audiogmm.estimator.gaussian_mixture import GaussianMixture
from audiogmm.mixture.store import Model, floor_of


def to_estimator(model: Model) -> GaussianMixture:
    """Return a fitted `GaussianMixture` with the parameters and the statistics of a model.

    Parameters
    ----------
    model : Model
        Its front end is left behind: the estimator takes the frames that the front end makes.

    Returns
    -------
    GaussianMixture
        Its log-likelihoods are the model's. `warm_start=True` and `fit`, or `partial_fit`, go on from it;
        `reg_covar` is the least variance floor of the model's training, and `feature_names_in_` the columns
        that the model names.

    Examples
    --------
    >>> from audiogmm.mixture.gaussian import Mixture
    >>> model = Model(Mixture([0.5, 0.5], [[0.0], [4.0]], [1.0, 1.0], "spherical"))
    >>> gmm = to_estimator(model)
    >>> gmm.predict([[0.5], [3.0]]), gmm.means_.ravel()
    (array([0, 1]), array([0., 4.]))
    """
    mixture, training = model.mixture, model.metadata.training
    floor = float(floor_of(model).min()) if mixture.n_features else 0.0
    gmm = GaussianMixture(
        mixture.n_components,
        covariance_type=mixture.covariance_type,
        reg_covar=floor or 1e-6,
        random_state=model.metadata.seed,
    )
    reached = training.get("log_likelihood")
    found = FitResult(
        mixture,
        model.statistics,
        [] if reached is None else [float(reached)],
        converged=bool(training.get("converged")),
    )
    gmm._adopt(found, np.dtype(np.float64))
    gmm.n_iter_ = int(training.get("passes") or 0)
    gmm.n_features_in_ = mixture.n_features
    if model.metadata.columns:
        gmm.feature_names_in_ = np.array(model.metadata.columns, dtype=object)
    return gmm
