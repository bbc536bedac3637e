"""Stepwise EM from the formulas, diagonal: the oracle of one pass (Cappe and Moulines 2009)."""

from __future__ import annotations

import math

import numpy as np


def expectation(
    frames: np.ndarray, weights: np.ndarray, means: np.ndarray, variances: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over the frames of posterior, posterior times x, posterior times x squared."""
    K, D = means.shape
    s0, s1, s2 = np.zeros(K), np.zeros((K, D)), np.zeros((K, D))
    for x in frames.astype(np.float64):
        joint = [
            math.log(weights[k])
            - 0.5
            * sum(
                math.log(2 * math.pi * v) + (a - m) ** 2 / v
                for a, m, v in zip(x, means[k], variances[k], strict=True)
            )
            for k in range(K)
        ]
        top = max(joint)
        total = sum(math.exp(value - top) for value in joint)
        for k in range(K):
            share = math.exp(joint[k] - top) / total / len(frames)
            s0[k] += share
            s1[k] += share * x
            s2[k] += share * x * x
    return s0, s1, s2


def stepwise_pass(
    batches: list[np.ndarray],
    mixture: tuple[np.ndarray, np.ndarray, np.ndarray],
    exponent: float,
    unit: int,
    memory: float,
    smoothing: float,
    passes: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and variances after the first of `passes` passes over these batches."""
    weights, means, variances = mixture
    K = len(weights)
    s0, s1, s2 = weights, weights[:, None] * means, weights[:, None] * (variances + means**2)
    for t, frames in enumerate(batches):
        even = smoothing * (1 - t / (len(batches) * passes))
        seen = [(1 - even) * w + even / K for w in weights]
        h0, h1, h2 = expectation(frames, np.array(seen), means, variances)
        seen = sum(len(earlier) for earlier in batches[:t])
        step = (seen / (unit * K) + 2) ** -exponent / (unit * K)
        rho = min(len(frames) * min(step, 1 / (memory * K)), 1.0)
        s0, s1, s2 = ((1 - rho) * s + rho * h for s, h in ((s0, h0), (s1, h1), (s2, h2)))
        weights, means = s0 / s0.sum(), s1 / s0[:, None]
        variances = s2 / s0[:, None] - means**2
    return weights, means, variances
