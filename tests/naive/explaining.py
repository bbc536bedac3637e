"""What an explanation rests on, from the formulas: plain loops, float64."""

from __future__ import annotations

import cmath
import math

import numpy as np

from audiogmm.anomaly.modulation import FAINTEST
from audiogmm.mixture.gaussian import Mixture


def covariance(mixture: Mixture, k: int) -> np.ndarray:
    """A component's covariance as a matrix."""
    D = mixture.n_features
    return {
        "full": lambda: mixture.covariances[k],
        "tied": lambda: mixture.covariances,
        "diag": lambda: np.diag(mixture.covariances[k]),
        "spherical": lambda: mixture.covariances[k] * np.eye(D),
    }[mixture.covariance_type]()


def log_normal(x: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """log N(x; mean, covariance)."""
    d = x - mean
    distance = d @ np.linalg.solve(covariance, d)
    return float(-0.5 * (distance + len(x) * math.log(2 * math.pi) + math.log(np.linalg.det(covariance))))


def log_likelihood(mixture: Mixture, x: np.ndarray, matrix: np.ndarray | None = None) -> float:
    """log p(x), or that of ``matrix @ x`` under the mixture's marginal."""
    terms = []
    for k, weight in enumerate(mixture.weights):
        mean, cov, y = mixture.means[k], covariance(mixture, k), x
        if matrix is not None:
            mean, cov, y = matrix @ mean, matrix @ cov @ matrix.T, matrix @ x
        terms.append(math.log(weight) + log_normal(y, mean, cov))
    return max(terms) + math.log(sum(math.exp(term - max(terms)) for term in terms))


def undone(mixture: Mixture, x: np.ndarray, direction: np.ndarray) -> tuple[float, float]:
    """The gain of undoing a direction in one frame, and the amount: a search by component."""
    plain = max(
        math.log(weight) + log_normal(x, mixture.means[k], covariance(mixture, k))
        for k, weight in enumerate(mixture.weights)
    )
    best, at = -math.inf, 0.0
    for k, weight in enumerate(mixture.weights):

        def value(amount: float, k: int = k, weight: float = weight) -> float:
            return math.log(weight) + log_normal(
                x - amount * direction, mixture.means[k], covariance(mixture, k)
            )

        low, high = -1e4, 1e4
        for _ in range(80):  # the value is concave in the amount: drop the worse third
            left, right = low + (high - low) / 3, high - (high - low) / 3
            low, high = (left, high) if value(left) < value(right) else (low, right)
        if value(low) > best:
            best, at = value(low), low
    return best - plain, at


def distance_of(mixture: Mixture, posteriors: np.ndarray, frames: np.ndarray) -> float:
    """The squared Mahalanobis distances of all frames from all components, by posterior."""
    total = 0.0
    for x, gamma in zip(frames, posteriors, strict=True):
        for k in range(mixture.n_components):
            d = x - mixture.means[k]
            total += gamma[k] * float(d @ np.linalg.solve(covariance(mixture, k), d))
    return total


def modulation(track: np.ndarray, frame_rate: float, rates: np.ndarray) -> list[float]:
    """Power of one track about its mean in bands of rates, decibels, by a plain Fourier sum."""
    n = len(track)
    mean = sum(track) / n
    window = [0.5 - 0.5 * math.cos(2 * math.pi * i / (n - 1)) for i in range(n)]
    power = []
    for line in range(n // 2 + 1):
        terms = ((track[i] - mean) * window[i] * cmath.exp(-2j * math.pi * line * i / n) for i in range(n))
        power.append(abs(sum(terms)) ** 2 / n)
    found = []
    for low, high in rates:
        inside = [p for line, p in enumerate(power) if low <= line * frame_rate / n < high]
        found.append(10 * math.log10(sum(inside) + FAINTEST))
    return found
