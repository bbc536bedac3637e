"""Stepwise EM from the formulas (Cappe and Moulines 2009): moments about 0, in obvious loops."""

from __future__ import annotations

import numpy as np

from tests.naive import mixture as naive


def moments(frames, gamma, sample_weight):
    """Per unit of weight: counts (K,), sums of x (K, D), sums of x x^T (K, D, D)."""
    K, D = gamma.shape[1], frames.shape[1]
    counts, first, second = np.zeros(K), np.zeros((K, D)), np.zeros((K, D, D))
    for x, shares, weight in zip(frames.astype(np.float64), gamma, sample_weight, strict=True):
        for k in range(K):
            counts[k] += weight * shares[k]
            first[k] += weight * shares[k] * x
            second[k] += weight * shares[k] * np.outer(x, x)
    total = sum(sample_weight)
    return counts / total, first / total, second / total


def of_model(weights, means, covariances, form):
    """The moments that a mixture has."""
    D = means.shape[1]
    second = [
        w * (naive.covariance_matrix(covariances, form, k, D) + np.outer(m, m))
        for k, (w, m) in enumerate(zip(weights, means, strict=True))
    ]
    return weights, weights[:, None] * means, np.array(second)


def estimate(counts, first, second, form, reg_covar):
    """Weights, means and covariances, with `reg_covar` added to the variances."""
    K, D = first.shape
    means = first / counts[:, None]
    full = np.array([second[k] / counts[k] - np.outer(means[k], means[k]) for k in range(K)])
    if form == "full":
        covariances = full + reg_covar * np.eye(D)
    elif form == "tied":
        covariances = sum(counts[k] * full[k] for k in range(K)) / sum(counts) + reg_covar * np.eye(D)
    elif form == "diag":
        covariances = np.array([np.diag(c) for c in full]) + reg_covar
    else:
        covariances = np.array([np.trace(c) / D for c in full]) + reg_covar
    return counts / sum(counts), means, covariances


def step(past, model, frames, sample_weight, rho, form, reg_covar):
    """One batch: the running moments after it, and the model that they make."""
    gamma = naive.posteriors(naive.log_joint(frames, *model, form))
    batch = moments(frames, gamma, sample_weight)
    past = tuple((1 - rho) * old + rho * new for old, new in zip(past, batch, strict=True))
    return past, estimate(*past, form, reg_covar)
