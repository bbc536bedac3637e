"""The step length of SQUAREM, component after component (Varadhan and Roland 2008, scheme S3)."""

from __future__ import annotations

import math

import numpy as np


def step_of(first, second, third) -> float:
    """-alpha = |r| / |v|, each coordinate in units of the middle mixture's spread and weight."""
    form, (K, D) = second.covariance_type, second.means.shape
    r2 = v2 = 0.0

    def add(a: float, b: float, c: float, scale: float) -> None:
        nonlocal r2, v2
        r2 += scale * (b - a) ** 2
        v2 += scale * ((c - b) - (b - a)) ** 2

    def factor(mixture, k: int) -> np.ndarray:
        covariance = mixture.covariances if form == "tied" else mixture.covariances[k]
        lower = np.linalg.cholesky(covariance)
        for i in range(D):
            lower[i, i] = math.log(lower[i, i])
        return lower

    def variance(k: int, i: int) -> float:
        c = second.covariances
        return {"spherical": lambda: c[k], "diag": lambda: c[k, i], "tied": lambda: c[i, i]}.get(
            form, lambda: c[k, i, i]
        )()

    for k in range(K):
        w = second.weights[k]
        add(*(math.log(m.weights[k]) for m in (first, second, third)), w)
        for i in range(D):
            add(*(m.means[k, i] for m in (first, second, third)), w / variance(k, i))
            if form == "diag":
                add(*(math.log(m.covariances[k, i]) for m in (first, second, third)), w / 2)
        if form == "spherical":
            add(*(math.log(m.covariances[k]) for m in (first, second, third)), w * D / 2)
        if form == "full" or (form == "tied" and k == 0):
            mean = np.mean([variance(k, i) for i in range(D)])
            scale = (w if form == "full" else 1.0) / mean
            for entries in zip(*(factor(m, k).ravel() for m in (first, second, third)), strict=True):
                add(*entries, scale)
    return math.sqrt(r2 / v2)
