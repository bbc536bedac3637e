"""Whitening: frames in coordinates in which a shared covariance is the identity."""

from __future__ import annotations

import numpy as np

from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.kernels.estep.moments import ABREAST, times_triangle
from audiogmm.kernels.policy import kernel
from audiogmm.types import FloatArray


@kernel
def whiten(
    frames: AnyFrames, at: int, count: int, origin: FloatArray, factor: FloatArray, points: AnyFrames
) -> None:
    """Set `points[n] = (frames[at + n] - origin) @ factor` for n < `count`, whatever a row's place.

    Parameters
    ----------
    frames : ndarray of shape (n, D), float32 or float64
        IN.
    at, count : int
        IN. Which rows.
    origin : ndarray of shape (D,), float64
        IN.
    factor : ndarray of shape (width, width), float64
        IN. Upper triangular, such that factor factor^T is the precision matrix; zero beyond D.
    points : ndarray of shape (at least count * width,), float64
        OUT. Rows of `width` numbers, a multiple of `BLOCK`; rows from `count` on are left alone.
    """
    width = len(factor)
    differences = np.zeros(ABREAST * width)
    for n in range(0, count, ABREAST):
        n_rows = min(ABREAST, count - n)
        for i in range(n_rows):
            for d in range(len(origin)):
                differences[i * width + d] = np.float64(frames[at + n + i, d]) - origin[d]
        times_triangle(differences, width, factor, points, n * width, n_rows)
