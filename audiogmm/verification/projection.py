"""Principal components of supervectors, with length normalization."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from audiogmm.errors import TrainingError
from audiogmm.types import FloatArray

MIN_VARIANCE = 1e-9
"""A direction with less than this share of the first one's variance is rounding."""


@dataclass(frozen=True, eq=False)
class Projection:
    """A projection on principal components, scaled to length one.

    Attributes
    ----------
    mean : ndarray of shape (n_inputs,), float32
        Of the vectors that it was learned from.
    basis : ndarray of shape (n_inputs, n_outputs), float32
        Orthonormal columns, those of most variance first.

    Examples
    --------
    >>> Projection(np.zeros(3), np.eye(3)[:, :2])(np.array([3.0, 4.0, 9.0]))
    array([0.6, 0.8])
    """

    mean: FloatArray
    basis: FloatArray

    def __call__(self, vectors: FloatArray) -> FloatArray:
        """Return the coordinates of vectors (..., n_inputs), shape (..., n_outputs), float64, of length one.

        The length of a vector depends on how long was spoken; its direction is nearly Gaussian
        (Garcia-Romero and Espy-Wilson 2011, "Analysis of i-vector length normalization").
        """
        found = (vectors - self.mean) @ self.basis
        length = np.sqrt(np.square(found).sum(axis=-1, keepdims=True))
        unit: FloatArray = found / np.maximum(length, np.finfo(np.float64).tiny)
        return unit


def learn_projection(vectors: FloatArray, n_outputs: int) -> Projection:
    """Learn principal components from n vectors, by the eigenvectors of their n x n products.

    For vectors much longer than there are many: it takes n^2 n_inputs operations and the memory of n^2
    numbers beside the vectors.

    Parameters
    ----------
    vectors : ndarray of shape (n, n_inputs), float32 or float64
        One a row.
    n_outputs : int
        Components to keep, at most n - 1; fewer where the others have no variance.

    Raises
    ------
    TrainingError
        If all vectors are the same.

    Examples
    --------
    >>> found = learn_projection(np.array([[0.0, 3.0], [0.0, -3.0], [0.0, 1.0], [0.0, -1.0]]), 2)
    >>> abs(found.basis)
    array([[0.],
           [1.]], dtype=float32)
    """
    mean = vectors.mean(axis=0, dtype=np.float64)
    deviations = vectors - mean.astype(vectors.dtype)
    n = len(vectors)
    products = np.asarray(deviations @ deviations.T, dtype=np.float64)
    values, inner = eigh(products, subset_by_index=[max(0, n - n_outputs), n - 1])
    chosen = np.flatnonzero(values > MIN_VARIANCE * max(values[-1], 0.0))[::-1]
    if not len(chosen) or not values[-1] > 0:
        raise TrainingError(
            f"{n} vectors that are all the same", needed="recordings that differ", remedy="other recordings"
        )
    basis = deviations.T @ (inner[:, chosen] / np.sqrt(values[chosen]))
    basis = basis * np.where(basis[np.abs(basis).argmax(axis=0), range(basis.shape[1])] < 0, -1.0, 1.0)
    return Projection(mean.astype(np.float32), np.ascontiguousarray(basis, dtype=np.float32))
