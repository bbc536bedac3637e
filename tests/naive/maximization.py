"""The M-step from the frames themselves, not from moments: weighted means and scatter about them."""

from __future__ import annotations

import numpy as np
import scipy.linalg


def scatter(frames, shares, mean):
    """Covariance of frames about a mean, each frame with its share."""
    total = np.zeros((frames.shape[1],) * 2)
    for x, share in zip(frames, shares, strict=True):
        total += share * np.outer(x - mean, x - mean)
    return total / sum(shares)


def raise_eigenvalues(matrix, floor):
    """The matrix with its eigenvalues relative to diag(floor) at least 1, by the generalised problem."""
    values, vectors = scipy.linalg.eigh(matrix, np.diag(floor))
    inverse = np.linalg.inv(vectors)
    return inverse.T @ np.diag(np.maximum(values, 1)) @ inverse


def maximize(frames, posteriors, covariance_type, floor):
    """Weights, means and floored covariances."""
    n_components, n_features = posteriors.shape[1], frames.shape[1]
    counts = [sum(posteriors[:, k]) for k in range(n_components)]
    weights = np.array(counts) / sum(counts)
    means = np.array(
        [
            sum(share * x for share, x in zip(posteriors[:, k], frames, strict=True)) / counts[k]
            for k in range(n_components)
        ]
    )
    full = np.array([scatter(frames, posteriors[:, k], means[k]) for k in range(n_components)])
    if covariance_type == "full":
        return weights, means, np.array([raise_eigenvalues(matrix, floor) for matrix in full])
    if covariance_type == "tied":
        pooled = sum(weight * matrix for weight, matrix in zip(weights, full, strict=True))
        return weights, means, raise_eigenvalues(pooled, floor)
    variances = np.array([np.diag(matrix) for matrix in full])
    if covariance_type == "diag":
        return (
            weights,
            means,
            np.array([[max(v, f) for v, f in zip(row, floor, strict=True)] for row in variances]),
        )
    return (
        weights,
        means,
        np.array([max(sum(row) / n_features, sum(floor) / n_features) for row in variances]),
    )
