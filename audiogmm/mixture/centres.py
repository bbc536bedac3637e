"""k-means as a mixture: one spherical variance that all centres share."""

from __future__ import annotations

import numpy as np

from audiogmm.errors import MixtureError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray


def mixture_of_centres(centres: FloatArray, variance: float) -> Mixture:
    """The mixture whose likeliest component is the nearest centre.

    Weights are equal and all components have the same spherical variance: k-means is the limit of EM for
    this mixture as the variance goes to 0 (Bishop 2006, section 9.3.2). With the variance that the
    frames have about their nearest centres, it can be scored like any other model.

    Parameters
    ----------
    centres : ndarray of shape (n_components, n_features), float64
        Cluster centres.
    variance : float
        Sum of squared distances to the nearest centre / (n_frames * n_features).

    Returns
    -------
    Mixture
        Spherical.

    Raises
    ------
    MixtureError
        If the variance is not positive, or a centre not finite.

    Examples
    --------
    >>> mixture = mixture_of_centres(np.array([[0.0, 0.0], [3.0, 4.0]]), variance=0.25)
    >>> mixture.weights, mixture.covariances
    (array([0.5, 0.5]), array([0.25, 0.25]))
    """
    centres = np.asarray(centres, dtype=np.float64)
    if centres.ndim != 2 or not len(centres):
        raise MixtureError(f"centres of shape {centres.shape}", needed="shape (n_components, n_features)")
    K = len(centres)
    return Mixture(np.full(K, 1 / K), centres, np.full(K, float(variance)), "spherical")
