"""Coordinates in which distances say how unlike two segments are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from audiogmm.types import FloatArray

N_COORDINATES = 15
"""Directions by which segments are grouped, at most."""

SHRINKAGE = 0.3
"""Share of a multiple of the identity in the covariance of pieces (Ledoit and Wolf 2004)."""

LEAST_WITHIN = 0.1
"""Least mean variance of pieces, as a share of that of segments: a short one has one piece."""


@dataclass(frozen=True, eq=False)
class Likeness:
    """Whitens what differs between the pieces of one segment, and keeps where segments differ most.

    It is the transform of linear discriminant analysis, with each segment as a class of its pieces: no label
    is needed.

    Attributes
    ----------
    mean : ndarray of shape (n_values,), float64
    transform : ndarray of shape (n_values, n_coordinates), float64

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> vectors = rng.normal(size=(50, 3)) * [1.0, 5.0, 1.0]
    >>> Likeness.learned(vectors, np.diag([1.0, 0.1, 1.0]), 2).coordinates(vectors).shape
    (50, 2)
    """

    mean: FloatArray
    transform: FloatArray

    @classmethod
    def learned(
        cls, vectors: FloatArray, within: FloatArray, n_coordinates: int | None = N_COORDINATES
    ) -> Likeness:
        """Learn it from vectors (n, n_values) and the mean covariance of pieces (n_values, n_values).

        Without a number of coordinates, all are kept, also those in which these segments do not differ:
        others may.
        """
        mean = vectors.mean(axis=0)
        scale = vectors.std(axis=0) + 1e-9
        scaled = (vectors - mean) / scale
        inner = within / np.outer(scale, scale)
        n = len(inner)
        level = max(np.trace(inner) / n, LEAST_WITHIN)
        inner = (1 - SHRINKAGE) * inner + SHRINKAGE * level * np.eye(n)
        ratios, directions = eigh(scaled.T @ scaled / max(len(scaled) - 1, 1), inner)
        most = n if n_coordinates is None else max(min(n_coordinates, len(vectors) - 1), 1)
        best = np.argsort(-ratios, kind="stable")[:most]
        return cls(mean, directions[:, best] / scale[:, None])

    def coordinates(self, vectors: FloatArray) -> FloatArray:
        """Return vectors (n, n_values) in these coordinates, (n, n_coordinates)."""
        return np.asarray((vectors - self.mean) @ self.transform)
