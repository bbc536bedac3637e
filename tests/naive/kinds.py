"""Graphs of neighbors, and posteriors of kinds of sound, in loops from their formulas."""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import multivariate_normal


def edges(points: np.ndarray, n_neighbors: int, scale_neighbor: int) -> dict[tuple[int, int], float]:
    """Pairs that are joined, with their weights (Zelnik-Manor and Perona 2004, equation 2)."""
    n = len(points)
    distances = [[math.dist(points[i], points[j]) for j in range(n)] for i in range(n)]
    order = [sorted((j for j in range(n) if j != i), key=lambda j: distances[i][j]) for i in range(n)]
    scale = [distances[i][order[i][min(scale_neighbor, n - 1) - 1]] for i in range(n)]
    return {
        (min(i, j), max(i, j)): math.exp(-(distances[i][j] ** 2) / (scale[i] * scale[j]))
        for i in range(n)
        for j in order[i][:n_neighbors]
    }


def together(labels: np.ndarray, again: list[np.ndarray]) -> dict[tuple[int, int], float]:
    """How often two different points, one of each of two groups, are in one community."""
    found = {}
    for a in np.unique(labels):
        for b in np.unique(labels):
            pairs = [
                (i, j) for i in np.flatnonzero(labels == a) for j in np.flatnonzero(labels == b) if i != j
            ]
            if pairs:
                found[int(a), int(b)] = np.mean([[each[i] == each[j] for i, j in pairs] for each in again])
    return found


def log_likelihood(point: np.ndarray, members: np.ndarray, between: np.ndarray) -> float:
    """Of a point given those of its group, by the joint Gaussians of the two-covariance model."""
    total = 0.0
    for d, b in enumerate(between):
        total += _log_density([*members[:, d], point[d]], b)
        if len(members):
            total -= _log_density([*members[:, d]], b)
    return total


def _log_density(values: list[float], between: float) -> float:
    covariance = np.eye(len(values)) + between  # two of one group share what is between groups
    return float(multivariate_normal(np.zeros(len(values)), covariance).logpdf(values))
