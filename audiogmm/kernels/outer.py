"""Sums of outer products: the second moments of full and tied covariances."""

from __future__ import annotations

import numpy as np

from audiogmm.kernels.densities import AnyFrames
from audiogmm.kernels.dots import Int32Array
from audiogmm.kernels.moments import SIDE, add_outer_block
from audiogmm.kernels.policy import kernel
from audiogmm.kernels.screens import BLOCK
from audiogmm.types import FloatArray, IntArray

LONGEST = 128
"""Rows that are summed in their own type before they go to float64."""


@kernel
def add_outer(
    rows: AnyFrames,
    width: int,
    member: Int32Array,
    gamma: AnyFrames,
    begin: int,
    end: int,
    total: FloatArray,
    at: int,
) -> None:
    """Add `sum_i gamma[i] x_i x_i^T`, x_i = rows[member[i]], to the upper triangle of a matrix.

    Parameters
    ----------
    rows : ndarray of shape (n * width,), float32 or float64
        IN. `width` is a multiple of `BLOCK`.
    member, gamma : ndarray, int32, and the type of rows
        IN. From `begin` to `end`.
    total : ndarray, float64
        INOUT. A matrix (width, width) from `at`; parts of its lower triangle are written too.
    """
    for row in range(0, width, SIDE):
        for column in range(row // BLOCK * BLOCK, width, BLOCK):
            add_outer_block(rows, width, row, column, member, gamma, begin, end, total, at)


@kernel
def mirror(upper: FloatArray, width: int, owners: IntArray, matrices: FloatArray) -> None:
    """Copy the upper triangles of padded matrices into symmetric ones.

    Parameters
    ----------
    upper : ndarray of shape (n * width * width,), float64
        IN.
    width : int
        IN. Of a padded matrix.
    owners : ndarray of shape (n,), int64
        IN. Which of `matrices` each one becomes.
    matrices : ndarray of shape (K, D, D), float64
        OUT.
    """
    for m, k in enumerate(owners):
        for i in range(matrices.shape[1]):
            at = (m * width + i) * width
            for j in range(i, matrices.shape[1]):
                matrices[k, i, j] = upper[at + j]
                matrices[k, j, i] = upper[at + j]


@kernel
def scatter(
    frames: AnyFrames, weights: FloatArray, origin: FloatArray, width: int, total: FloatArray
) -> None:
    """Add `sum_n weights[n] x_n x_n^T`, x_n = frames[n] - origin, to the upper triangle of a matrix.

    Parameters
    ----------
    frames : ndarray of shape (n, D), float32 or float64
        IN.
    weights : ndarray of shape (n,), float64
        IN. Empty: all are 1.
    origin : ndarray of shape (D,), float64
        IN. float32 numbers.
    width : int
        IN. D, rounded up to a multiple of `BLOCK`.
    total : ndarray of shape (width * width,), float64
        INOUT.
    """
    rows = np.zeros(LONGEST * width, frames.dtype)
    gamma = np.ones(LONGEST, frames.dtype)
    member = np.arange(LONGEST).astype(np.int32)
    for at in range(0, len(frames), LONGEST):
        count = min(LONGEST, len(frames) - at)
        for n in range(count):
            if len(weights):
                gamma[n] = weights[at + n]
            for d in range(len(origin)):
                rows[n * width + d] = frames[at + n, d] - frames.dtype.type(origin[d])
        add_outer(rows, width, member, gamma, 0, count, total, 0)
