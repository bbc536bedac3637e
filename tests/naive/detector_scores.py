"""Slow, obvious twins of the detector's scores: whole recordings, one frame or window after the other."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from tests.naive.mixture import covariance_matrix, log_joint, log_likelihood


def window(t, half, n_frames):
    """The frames within `half` of frame t."""
    return [i for i in range(t - half, t + half + 1) if 0 <= i < n_frames]


def box(scores, voiced, half):
    """Mean of the voiced scores around each frame; its own score where there is none."""
    pooled = []
    for t in range(len(scores)):
        chosen = [scores[i] for i in window(t, half, len(scores)) if voiced[i]]
        pooled.append(math.fsum(chosen) / len(chosen) if chosen else scores[t])
    return np.array(pooled)


def low_quantile(scores, voiced, half, level):
    """Quantile of the voiced scores around each frame; its own score where there is none."""
    pooled = []
    for t in range(len(scores)):
        chosen = [scores[i] for i in window(t, half, len(scores)) if voiced[i]]
        pooled.append(np.quantile(chosen, level) if chosen else scores[t])
    return np.array(pooled)


def deviates(normal, scores):
    """Normal deviates of scores by their rank among normal ones, with an exponential lower tail."""
    levels = [0.1, *np.linspace(0.15, 0.999, 18)]
    quantiles = [np.quantile(normal, level) for level in levels]
    below = [quantiles[0] - value for value in normal if value <= quantiles[0]]
    excess = math.fsum(below) / len(below)
    found = []
    for score in scores:
        if score < quantiles[0]:
            log_p = math.log(0.1) - (quantiles[0] - score) / excess
            found.append(brentq(lambda z, log_p=log_p: norm.logcdf(z) - log_p, -1e6, 0.0, xtol=1e-12))
            continue
        place = 0
        while place + 2 < len(levels) and score >= quantiles[place + 1]:
            place += 1
        low, high = quantiles[place], quantiles[place + 1]
        share = min(1.0, (score - low) / (high - low))
        first, last = norm.ppf(levels[place]), norm.ppf(levels[place + 1])
        found.append(first + share * (last - first))
    return np.array(found)


def page(scores, voiced, half, reference, limit):
    """Page's cumulative sum over windows that do not overlap, as every frame's score."""
    total, found = 0.0, []
    for t in range(len(scores)):
        if t % (2 * half + 1) == half and voiced[t]:
            total = min(limit, max(0.0, total - scores[t] - reference))
        found.append(-total)
    return np.array(found)


def density(mixture, frames):
    """log p(x) of every frame under a mixture."""
    return log_likelihood(
        log_joint(frames, mixture.weights, mixture.means, mixture.covariances, mixture.covariance_type)
    )


def posteriors(mixture, frames):
    """P(component | frame)."""
    joint = log_joint(frames, mixture.weights, mixture.means, mixture.covariances, mixture.covariance_type)
    return np.exp(joint - log_likelihood(joint)[:, None])


def single_gaussian_density(mixture, frames):
    """log density of the diagonal Gaussian with a mixture's mean and variances."""
    D = mixture.means.shape[1]
    mean = sum(w * m for w, m in zip(mixture.weights, mixture.means, strict=True))
    second = np.zeros(D)
    for k, (weight, own) in enumerate(zip(mixture.weights, mixture.means, strict=True)):
        covariance = covariance_matrix(mixture.covariances, mixture.covariance_type, k, D)
        second += weight * (np.diag(covariance) + own**2)
    variances = second - mean**2
    terms = (frames - mean) ** 2 / variances + np.log(2 * np.pi * variances)
    return -0.5 * terms.sum(axis=1)


def marginal_density(mixture, matrix, offset, frames):
    """log density of A x + b, component by component."""
    D = mixture.means.shape[1]
    covariances = [
        matrix @ covariance_matrix(mixture.covariances, mixture.covariance_type, k, D) @ matrix.T
        for k in range(len(mixture.weights))
    ]
    means = mixture.means @ matrix.T + offset
    values = frames.astype(np.float64) @ matrix.T + offset
    return log_likelihood(log_joint(values, mixture.weights, means, np.array(covariances), "full"))


def time_weighted(levels, decay):
    """Each band's levels, the loudest first, averaged with weights decay ** rank."""
    pooled = []
    for band in levels.T:
        ranked = sorted(band, reverse=True)
        weights = [decay**rank for rank in range(len(ranked))]
        pooled.append(sum(w * v for w, v in zip(weights, ranked, strict=True)) / sum(weights))
    return np.array(pooled)


def windowed(rows, voiced, half, hop, score_window):
    """Every frame's score is that of the window on the grid whose middle is nearest; 0 if nothing counts."""
    n_frames, scores = len(rows), []
    for middle in range(0, n_frames, hop):
        chosen = [i for i in window(middle, half, n_frames) if voiced[i]]
        scores.append(score_window(rows[chosen]) if chosen else 0.0)
    return np.array([scores[min((t + hop // 2) // hop, len(scores) - 1)] for t in range(n_frames)])


def hellinger(p, q):
    """Distance of two distributions."""
    affinity = sum(math.sqrt(a * b) for a, b in zip(p, q, strict=True))
    return math.sqrt(max(0.0, 1.0 - affinity))
