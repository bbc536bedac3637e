"""How far parameters have moved, in units that do not depend on the features' scales."""

from __future__ import annotations

import numpy as np

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture


def movement(before: Mixture, after: Mixture) -> float:
    """Measure how far the parameters moved, in standard deviations.

    The length of the step in the Fisher metric of complete data (each frame's component known), with the
    metric taken at `before`, as a root mean square over the D features:

    ``D m^2 = sum_k (dw_k)^2 / w_k + sum_k w_k (dmu_k^T P_k dmu_k + tr((P_k dSigma_k)^2) / 2)``

    with weights w, means mu, covariances Sigma and precisions P. Near a maximum, one pass of EM gains about
    ``D m^2 / 2`` nats a frame or more.

    Parameters
    ----------
    before, after : Mixture
        Of one shape and one covariance type.

    Returns
    -------
    float
        At least 0; 0.01 is a hundredth of a standard deviation in every mean.

    Examples
    --------
    >>> before = Mixture([1.0], [[0.0, 0.0]], [[4.0, 1.0]], "diag")
    >>> movement(before, Mixture([1.0], [[2.0, 1.0]], [[4.0, 1.0]], "diag"))
    1.0
    """
    form, w, D = form_of(before.covariance_type), before.weights, before.n_features
    steps, ratios = form.relative_change(
        before.covariances, after.means - before.means, after.covariances - before.covariances
    )
    means = np.einsum("kd,kd->k", steps, steps)
    spreads = form.squared_size(ratios, D) / 2
    present = w > 0
    shares = float(np.sum((after.weights - w)[present] ** 2 / w[present]))
    return float(np.sqrt((shares + np.sum(w * (means + spreads))) / D))


def largest_change(before: Mixture, after: Mixture) -> float:
    """Measure the largest change of any parameter.

    A weight's change counts as it is; a mean's in standard deviations of its component; a covariance's
    relative to what it was (matrices after whitening with it).

    Examples
    --------
    >>> before = Mixture([1.0], [[0.0, 0.0]], [[4.0, 1.0]], "diag")
    >>> largest_change(before, Mixture([1.0], [[1.0, 0.1]], [[5.0, 1.0]], "diag"))
    0.5
    """
    parts = form_of(before.covariance_type).relative_change(
        before.covariances, after.means - before.means, after.covariances - before.covariances
    )
    return float(max(np.abs(part).max() for part in (after.weights - before.weights, *parts)))
