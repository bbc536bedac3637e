"""Slow, obvious twins of what an alarm budget rests on."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import quad


def spells(first: list[int], peaks: list[float], n_frames: int, n_lowest: int, n_blocks: int) -> float:
    """Variance of counts in blocks beyond Poisson's, relative to the square of their sum."""
    lowest = sorted(range(len(peaks)), key=lambda i: (peaks[i], i))[:n_lowest]
    counts = [0] * n_blocks
    for i in lowest:
        counts[min(first[i] * n_blocks // n_frames, n_blocks - 1)] += 1
    mean = sum(counts) / n_blocks
    variance = sum((count - mean) ** 2 for count in counts) / (n_blocks - 1)
    return n_blocks * variance / len(lowest) ** 2 - 1 / len(lowest)


def pareto_density(shape: float, scale: float, y: float) -> float:
    """Density of the generalised Pareto law, Coles 2001, differentiating his eq. 4.2."""
    if abs(shape) < 1e-9:
        return math.exp(-y / scale) / scale
    inside = 1 + shape * y / scale
    return inside ** (-1 / shape - 1) / scale if inside > 0 else 0.0


def pareto_survival(shape: float, scale: float, y: float) -> float:
    """Its survival, by integrating the density from y on."""
    end = -scale / shape if shape < -1e-9 else math.inf
    return 0.0 if y >= end else quad(lambda x: pareto_density(shape, scale, x), y, end, limit=200)[0]


def posterior(
    excess: list[float], shapes: np.ndarray, scales: np.ndarray, shape_deviation: float
) -> np.ndarray:
    """Weights of a grid of shapes and scales, shape (n_shapes, n_scales)."""
    weights = np.empty((len(shapes), len(scales)))
    for i, shape in enumerate(shapes):
        for j, scale in enumerate(scales):
            likelihood = math.prod(pareto_density(shape, scale, y) * 10 for y in excess)
            weights[i, j] = likelihood * math.exp(-0.5 * (shape / shape_deviation) ** 2)
    return weights / weights.sum()
