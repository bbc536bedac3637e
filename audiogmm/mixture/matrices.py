"""Symmetric matrices: their faults, floors and factors."""

from __future__ import annotations

import numpy as np

from audiogmm.threads import one_blas_thread
from audiogmm.types import FloatArray, IntArray

_ASYMMETRY = 1e-8
"""Largest difference across the diagonal, of the largest entry, that counts as rounding."""

_NO_FLOOR = 1e-14
"""Floor in place of 0 beside others, as a share of a feature's variance: whitening cannot divide by 0."""

_NARROWEST = 1e-12
"""Least floor, of a feature's variance: float64 holds no narrower matrix of features that vary together."""

_TOGETHER = 8
"""Matrices that are first tested together for one below the floor."""


def outer_squares(vectors: FloatArray) -> FloatArray:
    """Return ``v v^T`` of each row: (K, D) -> (K, D, D)."""
    return vectors[:, :, None] * vectors[:, None, :]


def symmetric(matrices: FloatArray) -> FloatArray:
    """Return the symmetric part of each matrix, shape (..., D, D)."""
    mean: FloatArray = (matrices + matrices.swapaxes(-1, -2)) / 2
    return mean


def fault(matrix: FloatArray) -> str:
    """Say what keeps a finite matrix (D, D) from being a covariance, with the value; "" if nothing does.

    A stack (..., D, D) is tested as a whole; the value is the worst of all.

    Examples
    --------
    >>> fault(np.diag([1.0, -2.0]))
    'is not positive definite (its smallest eigenvalue is -2)'
    """
    asymmetry = np.abs(matrix - matrix.swapaxes(-1, -2)).max(axis=(-1, -2))
    if (asymmetry > _ASYMMETRY * np.abs(matrix).max(axis=(-1, -2))).any():
        return f"is not symmetric (entries differ by {asymmetry.max():.6g} across the diagonal)"
    if not _positive_definite(matrix):
        smallest = np.linalg.eigvalsh(matrix).min()
        return f"is not positive definite (its smallest eigenvalue is {smallest:.6g})"
    return ""


def _positive_definite(matrices: FloatArray) -> bool:
    """Whether all symmetric matrices (..., D, D) are."""
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        return False
    return True


def floor_matrix(matrix: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the matrix (D, D) with no eigenvalue below the floor, and what was raised, by feature (D,).

    With F = diag(`floor`) = L L^T: whiten by L, raise eigenvalues to 1, unwhiten. That is the constrained
    maximum of the likelihood, so EM with a fixed floor stays monotone. For, given the scatter S (per
    frame), EM maximizes ``-log|C| - tr(C^-1 S)`` subject to ``C - F`` positive semi-definite. With
    ``C = L A L^T`` and ``S = L B L^T`` that is ``-log|A| - tr(A^-1 B)`` subject to every eigenvalue a of A
    being at least 1. By von Neumann's trace inequality the trace is smallest where A has the eigenvectors
    of B, in the same order; there the terms are ``-log a_i - b_i / a_i``, each largest, for a_i >= 1, at
    ``max(b_i, 1)``.

    A floor of 0 is none; beside features that have one, it counts as `_NO_FLOOR` of the feature's variance.
    Any other counts as at least `_NARROWEST` of it: where features vary together a million times as widely as
    the floor's, rounding makes a matrix with eigenvalues at the floor indefinite.

    Examples
    --------
    >>> floor_matrix(np.diag([4.0, 0.5]), np.array([1.0, 1.0]))
    (array([[4., 0.],
           [0., 1.]]), array([0, 1]))
    """
    raised, counts = floor_matrices(matrix[None], floor)
    return raised[0], counts[0]


def floor_matrices(stack: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
    """Floor each matrix (K, D, D): a new stack, and what was raised (K, D)."""
    result = stack.copy()
    raised = np.zeros(stack.shape[:2], dtype=np.int64)
    low: list[int] = []
    with one_blas_thread():
        for first in range(0, len(stack), _TOGETHER):
            some = range(len(stack))[first : first + _TOGETHER]
            if not _above(stack[some.start : some.stop], floor):  # some ten times faster than eigenvalues
                low += [k for k in some if not _above(stack[k], floor)]
        if low:
            result[low], raised[low] = _lifted(stack[low], floor)
    return result, raised


def _lifted(stack: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
    """`floor_matrices` by eigenvalues."""
    scale = np.sqrt(_least(stack, floor))
    units = scale[:, :, None] * scale[:, None, :]
    whitened = stack / units
    values, vectors = np.linalg.eigh(whitened)
    below = values < 1
    owners = np.abs(vectors).argmax(axis=1)  # of each eigenvector, the feature that weighs most
    raised = np.zeros(scale.shape, dtype=np.int64)
    np.add.at(raised, (np.nonzero(below)[0], owners[below]), 1)
    missing = np.where(below, 1 - values, 0.0)
    lifted = whitened + (vectors * missing[:, None, :]) @ vectors.swapaxes(-1, -2)
    return np.where(raised.sum(axis=1)[:, None, None] > 0, symmetric(lifted * units), stack), raised


def _above(matrices: FloatArray, floor: FloatArray) -> bool:
    """Whether all matrices (..., D, D) are greater than the floor's, in the Loewner order."""
    if not floor.any():
        return True
    lowered = matrices.copy()
    np.einsum("...dd->...d", lowered)[...] -= _least(matrices, floor)
    return _positive_definite(lowered)


def _least(matrices: FloatArray, floor: FloatArray) -> FloatArray:
    """The floor of each feature of matrices (..., D, D), shape (..., D), above 0."""
    variances = np.einsum("...dd->...d", matrices)
    unfloored = _NO_FLOOR * np.where(variances > 0, variances, floor.max())
    least: FloatArray = np.where(floor > 0, np.maximum(floor, _NARROWEST * variances), unfloored)
    return least


def longest_axis(matrix: FloatArray) -> FloatArray:
    """Return the principal direction of a covariance times its standard deviation there, shape (D,).

    Its largest entry is positive, so that the same matrix gives the same sign everywhere.
    """
    values, vectors = np.linalg.eigh(matrix)
    axis = vectors[:, -1] * np.sqrt(max(values[-1], 0.0))
    signed: FloatArray = axis * np.sign(axis[np.abs(axis).argmax()])
    return signed


def precision_factor(matrix: FloatArray) -> FloatArray:
    """Return upper triangular P, shape (D, D), with P P^T the inverse of a positive definite matrix.

    Examples
    --------
    >>> precision_factor(np.diag([4.0, 0.25]))
    array([[0.5, 0. ],
           [0. , 2. ]])
    """
    factor: FloatArray = precision_factors(matrix[None])[0]
    return factor


def precision_factors(stack: FloatArray) -> FloatArray:
    """Return the `precision_factor` of each matrix (K, D, D)."""
    from scipy.linalg.lapack import dtrtri

    factors = np.empty_like(stack)
    with one_blas_thread():
        for k, lower in enumerate(np.linalg.cholesky(stack)):
            factors[k] = dtrtri(lower.T, lower=0)[0]
    factors += 0.0  # no zero is negative
    return factors
