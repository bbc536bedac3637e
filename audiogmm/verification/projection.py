"""Principal components of supervectors, with length normalization."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import TrainingError
from audiogmm.training.frames.row_spool import Rows, RowSpool, join_rows
from audiogmm.types import FloatArray
from audiogmm.verification.directions import condense, eigenvectors, project_columns

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

    @property
    def widened(self) -> Projection:
        """The same with a float64 basis, which numpy need not make of it for each float64 vector."""
        return replace(self, basis=self.basis.astype(np.float64))


def learn_projection(vectors: Rows, n_outputs: int) -> Projection:
    """Learn principal components from n vectors, by the eigenvectors of their n x n products.

    For vectors much longer than there are many, of which some are in memory at a time. Of more than
    `directions.MAX_ROWS` see `condense`.

    Parameters
    ----------
    vectors : Rows of n_inputs columns, float32 or float64
        One a row.
    n_outputs : int
        Components to keep, at most n - 1; fewer where the others have no variance.

    Raises
    ------
    TrainingError
        If all vectors are the same.
    OutputError
        If the temporary folder does not take as many rows again.

    Examples
    --------
    >>> with RowSpool() as spool:
    ...     vectors = spool.put(np.array([[0.0, 3.0], [0.0, -3.0], [0.0, 1.0], [0.0, -1.0]]))
    ...     abs(learn_projection(vectors, 2).basis)
    array([[0.],
           [1.]], dtype=float32)
    """
    total = np.zeros(vectors.n_columns)
    for _, block in vectors.blocks():
        total = np.concatenate([total[None], block.read()]).sum(axis=0, dtype=np.float64)
    mean: NDArray[Any] = (total / len(vectors)).astype(np.float32)
    with RowSpool() as spool:
        center = mean.astype(vectors.dtype)
        deviations = condense(join_rows([spool.put(block.read() - center) for _, block in vectors.blocks()]))
        values, inner = eigenvectors(deviations, n_outputs)
        chosen = np.flatnonzero(values > MIN_VARIANCE * max(values[-1], 0.0))[::-1]
        if not len(chosen) or not values[-1] > 0:
            raise TrainingError(
                f"{len(vectors)} vectors that are all the same",
                needed="recordings that differ",
                remedy="other recordings",
            )
        return Projection(mean, _basis(deviations, inner[:, chosen] / np.sqrt(values[chosen])))


def _basis(deviations: Rows, weights: FloatArray) -> FloatArray:
    """Directions (n_inputs, n_outputs) whose entry of the largest size is positive."""
    basis: NDArray[Any] = np.empty((deviations.n_columns, weights.shape[1]), np.float32)
    largest = np.zeros(weights.shape[1])  # with its sign
    for columns, part in project_columns(deviations, weights):
        basis[columns] = part
        found = part[np.abs(part).argmax(axis=0), range(part.shape[1])]
        largest = np.where(np.abs(found) > np.abs(largest), found, largest)
    basis *= np.where(largest < 0, np.float32(-1), np.float32(1))
    return basis
