"""Slow, obvious twins of the back end: supervectors, principal components, eigenchannels, PLDA."""

from __future__ import annotations

import numpy as np


def supervector(frames, weights, means, variances, relevance):
    """Relevance-MAP offsets of the means in standard deviations, frame by frame."""
    K, D = means.shape
    counts, sums = np.zeros(K), np.zeros((K, D))
    for x in frames:
        joint = np.zeros(K)
        for k in range(K):
            joint[k] = np.log(weights[k])
            for d in range(D):
                v = variances[k, d]
                joint[k] -= 0.5 * (np.log(2 * np.pi * v) + (x[d] - means[k, d]) ** 2 / v)
        share = np.exp(joint - joint.max())
        share /= share.sum()
        for k in range(K):
            counts[k] += share[k]
            sums[k] += share[k] * x
    found = []
    for k in range(K):
        alpha = counts[k] / (counts[k] + relevance)
        own = sums[k] / counts[k] if counts[k] > 0 else means[k]
        adapted = alpha * own + (1 - alpha) * means[k]
        found.append((adapted - means[k]) / np.sqrt(variances[k]))
    return np.concatenate(found)


def principal(vectors, n):
    """Mean, and the eigenvectors of the covariance with the greatest eigenvalues, as columns."""
    mean = vectors.mean(axis=0)
    values, directions = np.linalg.eigh(np.cov(vectors.T))
    return mean, directions[:, np.argsort(-values)[:n]]


def eigenchannel(counts, first, loadings):
    """First moments without the most likely offset of the recording, by gradient-free normal equations.

    The factors x maximize sum_k (f_k . U_k x - n_k |U_k x|^2 / 2) - |x|^2 / 2.
    """
    K, D = first.shape
    rank = loadings.shape[1]
    blocks = loadings.reshape(K, D, rank)
    left, right = np.eye(rank), np.zeros(rank)
    for k in range(K):
        left = left + counts[k] * blocks[k].T @ blocks[k]
        right = right + blocks[k].T @ first[k]
    factors = np.linalg.inv(left) @ right
    return np.array([first[k] - counts[k] * blocks[k] @ factors for k in range(K)])


def same_speaker_ratio(mean, within, between, enrolled, test):
    """Log density of both vectors with one speaker behind them, less that with two."""
    n = len(mean)
    both = np.concatenate([enrolled - mean, test - mean])
    total = within + between
    nothing = np.zeros((n, n))

    def log_density(covariance):
        sign, logdet = np.linalg.slogdet(covariance)
        assert sign > 0
        return -0.5 * (logdet + both @ np.linalg.solve(covariance, both))

    return log_density(np.block([[total, between], [between, total]])) - log_density(
        np.block([[total, nothing], [nothing, total]])
    )
