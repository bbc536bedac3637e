"""Moments of frames about an origin, one frame and component after another."""

from __future__ import annotations

import numpy as np


def moments(frames, posteriors, weights, origin, covariance_type):
    """Counts, first and second moments, as `SufficientStats` has them."""
    n_components, n_features = posteriors.shape[1], frames.shape[1]
    counts = np.zeros(n_components)
    first = np.zeros((n_components, n_features))
    second = np.zeros((n_components, n_features, n_features))
    for x, shares, weight in zip(frames, posteriors, weights, strict=True):
        deviation = x - origin
        for k in range(n_components):
            counts[k] += weight * shares[k]
            for i in range(n_features):
                first[k, i] += weight * shares[k] * deviation[i]
                for j in range(n_features):
                    second[k, i, j] += weight * shares[k] * deviation[i] * deviation[j]
    reduced = {
        "full": second,
        "tied": sum(second),
        "diag": np.array([np.diag(matrix) for matrix in second]),
        "spherical": np.array([np.trace(matrix) for matrix in second]),
    }
    return counts, first, reduced[covariance_type]
