"""Layouts of triangular factors, as the microkernels of full covariances read them."""

from __future__ import annotations

import numpy as np

from audiogmm.kernels.estep.dots import Float32Array, Int32Array
from audiogmm.kernels.estep.screens import TRIANGLES
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


@kernel
def pack_integers(
    factors: FloatArray, offsets: FloatArray, scales: FloatArray, steps: FloatArray, coefficients: Int32Array
) -> None:
    """Round triangular factors to integers, and lay them out.

    Parameters
    ----------
    factors : ndarray of shape (K, D, D), float64
        IN. P = L^T.
    offsets : ndarray of shape (K, D), float64
        IN. -L m.
    scales : ndarray of shape (D,), float64
        IN. Step of each feature.
    steps : ndarray of shape (K, D), float64
        IN. Step of each row of L; infinity makes the row zero.
    coefficients : ndarray, int32
        OUT. As in `triangles.IntegerFactors`, zero before.
    """
    K, D = offsets.shape
    n_pairs = (D + 1) // 2
    stride = n_pairs * (n_pairs + 3) // 2 * 2 * TRIANGLES
    for k in range(K):
        for i in range(D):
            # behind the pairs of rows that come before: from pair p + 1 on, p' + 2 columns each
            p = i // 2
            column = (n_pairs * (n_pairs + 3) - (p + 1) * (p + 4)) // 2
            at = k // TRIANGLES * stride + (column * 2 + i % 2) * TRIANGLES + k % TRIANGLES
            coefficients[at] = np.int32(np.rint(offsets[k, i] / steps[k, i]))
            for c in range(p + 1):
                low = np.int64(np.rint(factors[k, 2 * c, i] * scales[2 * c] / steps[k, i]))
                high = np.int64(0)
                if 2 * c + 1 <= i:
                    high = np.int64(np.rint(factors[k, 2 * c + 1, i] * scales[2 * c + 1] / steps[k, i]))
                both = (high << 16) | (low & 0xFFFF)
                coefficients[at + (c + 1) * 2 * TRIANGLES] = np.int32(both)


@kernel
def lay_out(factors: FloatArray, offsets: FloatArray, scale: FloatArray, coefficients: Float32Array) -> None:
    """Lay triangular factors out for `screens.triangle_block`.

    Parameters
    ----------
    factors : ndarray of shape (K, D, D), float64
        IN. P = L^T.
    offsets : ndarray of shape (K, D), float64
        IN.
    scale : ndarray of shape (K,), float64
        IN. What factors are multiplied by.
    coefficients : ndarray, float32
        OUT. Flat (n_groups, columns, 2, TRIANGLES), zero before.
    """
    K, D = offsets.shape
    n_pairs = (D + 1) // 2
    stride = n_pairs * (n_pairs + 2) * 2 * TRIANGLES
    for k in range(K):
        for i in range(D):
            column = (i // 2) * (i // 2 + 2)
            at = k // TRIANGLES * stride + (column * 2 + i % 2) * TRIANGLES + k % TRIANGLES
            coefficients[at] = offsets[k, i]
            for j in range(i + 1):
                coefficients[at + (j + 1) * 2 * TRIANGLES] = factors[k, j, i] * scale[k]
