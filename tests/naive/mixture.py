"""Gaussian mixtures from the formula, in float64, one obvious loop after another."""

from __future__ import annotations

import numpy as np


def covariance_matrix(covariances, covariance_type, k, n_features):
    """The D x D covariance of component k, whatever the form."""
    if covariance_type == "spherical":
        return covariances[k] * np.eye(n_features)
    if covariance_type == "diag":
        return np.diag(covariances[k])
    if covariance_type == "tied":
        return covariances
    return covariances[k]


def log_joint(frames, weights, means, covariances, covariance_type):
    """log(weight_k) + log N(x_n; mean_k, covariance_k), shape (n, K)."""
    frames = np.asarray(frames, dtype=np.float64)
    n_frames, n_features = frames.shape
    joint = np.full((n_frames, len(weights)), -np.inf)
    for k in range(len(weights)):
        if weights[k] == 0:
            continue
        covariance = covariance_matrix(covariances, covariance_type, k, n_features)
        root = np.linalg.cholesky(covariance)
        log_det = 2 * np.log(np.diag(root)).sum()
        for n in range(n_frames):
            t = np.linalg.solve(root, frames[n] - means[k])
            joint[n, k] = np.log(weights[k]) - 0.5 * (n_features * np.log(2 * np.pi) + log_det + t @ t)
    return joint


def log_likelihood(joint):
    """log of the row sums of exp(joint), shape (n,)."""
    highest = joint.max(axis=1)
    return highest + np.log(np.exp(joint - highest[:, None]).sum(axis=1))


def posteriors(joint):
    """Shape (n, K); the rows sum to one."""
    return np.exp(joint - log_likelihood(joint)[:, None])


def statistics(frames, gamma, sample_weight, origin, covariance_type):
    """Counts, first and second moments about the origin, and the sums of the sizes of their terms."""
    x = np.asarray(frames, dtype=np.float64) - origin
    g = gamma * sample_weight[:, None]
    counts = g.sum(axis=0)
    first, first_size = g.T @ x, g.T @ np.abs(x)
    if covariance_type == "spherical":
        second = g.T @ (x**2).sum(axis=1)
        second_size = second
    elif covariance_type == "diag":
        second = g.T @ x**2
        second_size = second
    elif covariance_type == "tied":
        second = np.einsum("n,ni,nj->ij", sample_weight, x, x)
        second_size = np.einsum("n,ni,nj->ij", sample_weight, np.abs(x), np.abs(x))
    else:
        second = np.einsum("nk,ni,nj->kij", g, x, x)
        second_size = np.einsum("nk,ni,nj->kij", g, np.abs(x), np.abs(x))
    return counts, first, second, first_size, second_size
