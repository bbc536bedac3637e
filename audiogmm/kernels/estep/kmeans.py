"""Squared distances from frames to centers, and sums by cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from audiogmm.kernels.policy import fast_kernel, kernel
from audiogmm.types import FloatArray, Frames

TILE = 64
"""Frames that are computed together, one a lane."""


@fast_kernel
def shrink_distances(frames: Frames, candidates: Frames, closest: FloatArray, shrunk: FloatArray) -> None:
    """Compute the squared distance of every frame to its nearest center, would each candidate become one.

    Parameters
    ----------
    frames : IN ndarray of shape (n, d), float32
        Rows padded with zeros to a multiple of 16 are fastest.
    candidates : IN ndarray of shape (t, d), float32
        Possible centers.
    closest : IN ndarray of shape (n,), float64
        Squared distance to the nearest center so far.
    shrunk : OUT ndarray of shape (t, n), float64
        The smaller of that and the squared distance to the candidate.
    """
    n, d = frames.shape
    for i in range(n):
        for t in range(len(candidates)):
            total = np.float32(0)
            for j in range(d):
                difference = frames[i, j] - candidates[t, j]
                total += difference * difference
            shrunk[t, i] = min(closest[i], np.float64(total))


@fast_kernel
def nearest_centers(
    frames: NDArray[np.floating], centers: FloatArray, labels: NDArray[np.int32], distances: FloatArray
) -> None:
    """Find the nearest center of every frame, the first of equals, in float64.

    Parameters
    ----------
    frames : IN ndarray of shape (n, d), float32 or float64
        Rows.
    centers : IN ndarray of shape (k, d), float64
        Centers.
    labels : OUT ndarray of shape (n,), int32
        Index of the nearest center.
    distances : OUT ndarray of shape (n,), float64
        Squared distance to it.
    """
    n, d = frames.shape
    tile = np.zeros((d, TILE))
    total = np.empty(TILE)
    best = np.empty(TILE)
    label = np.empty(TILE, np.int32)
    for start in range(0, n, TILE):
        width = min(TILE, n - start)
        for i in range(width):
            for j in range(d):
                tile[j, i] = frames[start + i, j]
        best[:] = np.inf
        label[:] = 0
        for k in range(len(centers)):
            total[:] = 0.0
            j = 0
            while j + 4 <= d:
                c0, c1, c2, c3 = centers[k, j], centers[k, j + 1], centers[k, j + 2], centers[k, j + 3]
                for i in range(TILE):
                    d0, d1 = tile[j, i] - c0, tile[j + 1, i] - c1
                    d2, d3 = tile[j + 2, i] - c2, tile[j + 3, i] - c3
                    total[i] += (d0 * d0 + d1 * d1) + (d2 * d2 + d3 * d3)
                j += 4
            while j < d:
                c0 = centers[k, j]
                for i in range(TILE):
                    d0 = tile[j, i] - c0
                    total[i] += d0 * d0
                j += 1
            for i in range(TILE):
                if total[i] < best[i]:
                    best[i] = total[i]
                    label[i] = k
        for i in range(width):
            labels[start + i] = label[i]
            distances[start + i] = best[i]


@kernel
def add_by_cluster(
    frames: NDArray[np.floating],
    labels: NDArray[np.int32],
    origin: FloatArray,
    counts: FloatArray,
    first: FloatArray,
    second: FloatArray,
) -> None:
    """Add count, sum and sum of squared norms of the frames of every cluster, about an origin.

    Parameters
    ----------
    frames : IN ndarray of shape (n, d), float32 or float64
        Rows.
    labels : IN ndarray of shape (n,), int32
        Cluster of each.
    origin : IN ndarray of shape (d,), float64
        Subtracted from the rows.
    counts, first, second : INOUT ndarrays of shape (k,), (k, d), (k,), float64
        Added to.
    """
    n, d = frames.shape
    for i in range(n):
        k = labels[i]
        counts[k] += 1.0
        square = 0.0
        for j in range(d):
            x = frames[i, j] - origin[j]
            first[k, j] += x
            square += x * x
        second[k] += square
