"""EM from the formulas, frame by frame: the oracle of the training loop (Bishop 2006, section 9.2.2)."""

from __future__ import annotations

import math

import numpy as np


def matrix(covariances: np.ndarray, form: str, k: int, D: int) -> np.ndarray:
    """The covariance of component k, written out as (D, D)."""
    if form == "spherical":
        return covariances[k] * np.eye(D)
    if form == "diag":
        return np.diag(covariances[k])
    return covariances if form == "tied" else covariances[k]


def log_gaussian(x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """log N(x | mean, covariance)."""
    d = x - mean
    _, log_det = np.linalg.slogdet(2 * math.pi * covariance)
    return float(-0.5 * (log_det + d @ np.linalg.inv(covariance) @ d))


def em_pass(
    frames: np.ndarray, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray, form: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """One E-step and M-step without floors; also the mean log-likelihood of what came in."""
    frames = frames.astype(np.float64)
    N, (K, D) = len(frames), means.shape
    posteriors = np.zeros((N, K))
    total = 0.0
    for n, x in enumerate(frames):
        joint = np.zeros(K)
        for k in range(K):
            covariance = matrix(covariances, form, k, D)
            joint[k] = math.log(weights[k]) + log_gaussian(x, means[k], covariance)
        top = joint.max()
        likelihood = sum(math.exp(value - top) for value in joint)
        total += top + math.log(likelihood)
        for k in range(K):
            posteriors[n, k] = math.exp(joint[k] - top) / likelihood
    counts = posteriors.sum(axis=0)
    means, full = np.zeros((K, D)), np.zeros((K, D, D))
    for k in range(K):
        means[k] = sum(posteriors[n, k] * frames[n] for n in range(N)) / counts[k]
        for n in range(N):
            full[k] += posteriors[n, k] * np.outer(frames[n] - means[k], frames[n] - means[k]) / counts[k]
    if form == "full":
        estimated = full
    elif form == "tied":
        estimated = sum(counts[k] * full[k] for k in range(K)) / N
    elif form == "diag":
        estimated = np.array([np.diag(c) for c in full])
    else:
        estimated = np.array([np.trace(c) / D for c in full])
    return counts / N, means, estimated, total / N


def lloyd_pass(frames: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, float]:
    """One pass of k-means: the new centers, and the inertia about the old ones."""
    members: list[list[np.ndarray]] = [[] for _ in centers]
    inertia = 0.0
    for x in frames.astype(np.float64):
        distances = [float((x - c) @ (x - c)) for c in centers]
        nearest = distances.index(min(distances))
        members[nearest].append(x)
        inertia += distances[nearest]
    return np.array([np.mean(m, axis=0) if m else c for m, c in zip(members, centers, strict=True)]), inertia
