"""Gaussian log-densities of every frame under every component, in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray

AnyFrames = NDArray[np.float32] | NDArray[np.float64]

LANES = 8


@kernel
def scaled_joint(
    frames: AnyFrames, means: FloatArray, scales: FloatArray, constants: FloatArray, joint: FloatArray
) -> None:
    """Compute weighted log-densities of components with diagonal covariances.

    `joint[n, k] = constants[k] - 1/2 sum_d ((frames[n, d] - means[d, k]) * scales[d, k])^2`. The lanes are
    the components and the sum runs over d in order, so that a row does not depend on where it stands.

    Parameters
    ----------
    frames : ndarray of shape (n, at least D), float32 or float64
        IN.
    means, scales : ndarray of shape (D, K), float64
        IN. Transposed: component last. A scale is one over a standard deviation.
    constants : ndarray of shape (K,), float64
        IN. log weight + log sqrt det precision - D/2 log 2 pi; minus infinity where the weight is 0.
    joint : ndarray of shape (n, K), float64
        OUT.
    """
    n_features, n_components = means.shape
    distance = np.empty(n_components)
    for n in range(len(frames)):
        distance[:] = 0.0
        for d in range(n_features):
            x = np.float64(frames[n, d])
            for k in range(n_components):
                t = (x - means[d, k]) * scales[d, k]
                distance[k] += t * t
        for k in range(n_components):
            joint[n, k] = constants[k] - 0.5 * distance[k]


@kernel
def triangular_joint(
    frames: AnyFrames, means: FloatArray, factors: FloatArray, constants: FloatArray, joint: FloatArray
) -> None:
    """Compute weighted log-densities of components with a full precision matrix each.

    `joint[n, k] = constants[k] - 1/2 || factors[k] (frames[n] - means[k]) ||^2`, eight frames side by side.

    Parameters
    ----------
    frames : ndarray of shape (n, D), float32 or float64
        IN.
    means : ndarray of shape (K, D), float64
        IN.
    factors : ndarray of shape (K, D, D), float64
        IN. Lower triangular: the inverse of the covariance's Cholesky factor.
    constants : ndarray of shape (K,), float64
        IN. As in `scaled_joint`.
    joint : ndarray of shape (n, K), float64
        OUT.
    """
    n_frames, n_features = frames.shape
    centered = np.empty((n_features, LANES))
    row = np.empty(LANES)
    distance = np.empty(LANES)
    for start in range(0, n_frames, LANES):
        present = min(LANES, n_frames - start)
        for k in range(len(constants)):
            for d in range(n_features):
                for lane in range(LANES):
                    n = start + min(lane, present - 1)
                    centered[d, lane] = np.float64(frames[n, d]) - means[k, d]
            distance[:] = 0.0
            for i in range(n_features):
                row[:] = 0.0
                for j in range(i + 1):
                    factor = factors[k, i, j]
                    for lane in range(LANES):
                        row[lane] += factor * centered[j, lane]
                for lane in range(LANES):
                    distance[lane] += row[lane] * row[lane]
            for lane in range(present):
                joint[start + lane, k] = constants[k] - 0.5 * distance[lane]
