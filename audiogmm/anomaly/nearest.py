"""The normal moments that an event resembles most, to compare it with."""

from __future__ import annotations

import numpy as np

from audiogmm.anomaly.counterfactual import covariance_of
from audiogmm.anomaly.moment import WINDOW, MomentPlan
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray, Json


def find_nearest(
    moments: NormalMoments,
    mixture: Mixture,
    plan: MomentPlan,
    mean: FloatArray,
    spread: FloatArray,
    count: int,
) -> list[Json]:
    """Find the nearest normal moments, at most one of each place in time.

    The squared distance of two moments is that of their means under the mixture's pooled covariance,
    ``sum w_k Sigma_k`` of the static features, plus that of the logarithms of their deviations, in units of
    how these vary over the normal moments.

    Parameters
    ----------
    moments : NormalMoments
        To search.
    mixture : Mixture
        The model, whose covariances measure.
    plan : MomentPlan
        Names the static features.
    mean, spread : ndarray of shape (n_static,), float64
        Of the event, as `MomentPlan.describe` gives them.
    count : int
        How many to give.

    Returns
    -------
    list of dict
        ``id``, ``audio_filepath`` (None where there is no file), ``start`` and ``end`` in seconds on the
        recording's clock, ``distance``; nearest first.
    """
    pooled = np.zeros((mixture.n_features, mixture.n_features))
    for k, weight in enumerate(mixture.weights.tolist()):
        pooled += weight * covariance_of(mixture, k)
    precision = np.linalg.inv(pooled[np.ix_(plan.static, plan.static)])
    away = moments.mean.astype(np.float64) - mean
    spreads = moments.spread.astype(np.float64)
    scatter = np.square((spreads - spread) / (spreads.std(axis=0) + 1e-3)).sum(axis=1)
    distance = np.sqrt(np.einsum("ni,ij,nj->n", away, precision, away) + scatter)
    order = np.lexsort((np.arange(len(moments)), distance))[:count]
    return [
        {
            "id": moments.ids[moments.recording[i]],
            "audio_filepath": moments.paths[moments.recording[i]] or None,
            "start": float(moments.start[i]),
            "end": float(moments.start[i]) + WINDOW,
            "distance": float(distance[i]),
        }
        for i in order
    ]
