"""Checks of rows, weights and starting parameters; errors in scikit-learn's words, with a remedy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import _check_sample_weight, validate_data

from audiogmm.estimator.parameters import InitialParameters
from audiogmm.estimator.passes import Rows
from audiogmm.mixture import matrices
from audiogmm.mixture.forms import form_of
from audiogmm.types import CovarianceType, FloatArray

_REMEDIES = {
    "contains NaN": "drop those rows, or impute them",
    "contains infinity": "drop those rows, or scale the data",
    "0 sample(s)": "skip an empty batch, and check what selects the rows",
    "while a minimum of": "more rows or columns, in an array of shape (n_samples, n_features)",
    "features as input": "the columns, in the order, that the model was fitted on",
}
"""What to try, by a part of scikit-learn's message."""


def checked_rows(estimator: Any, X: Any, *, reset: bool, least: int = 1) -> Rows:
    """Return X as a finite array of shape (n, n_features): float32 as it is, all else as float64.

    Parameters
    ----------
    estimator : GaussianMixture
        Whose `n_features_in_` and `feature_names_in_` are set, or compared with.
    X : array-like of shape (n, n_features)
        Rows.
    reset : bool
        Whether to set them.
    least : int
        Rows needed.

    Raises
    ------
    ValueError
        In scikit-learn's words, with the first place that is not finite and what to try.
    """
    with _remedies(X):
        rows: Rows = validate_data(
            estimator, X, dtype=[np.float64, np.float32], reset=reset, ensure_min_samples=least
        )
    return rows


@contextmanager
def _remedies(X: Any) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        message = str(error)
        for part, remedy in _REMEDIES.items():
            if part in message:
                raise ValueError(f"{message}{_place(X, part)}\nTry: {remedy}.") from error
        raise


def _place(X: Any, part: str) -> str:
    """Say where the first value is that a message such as "contains NaN" is about."""
    if not part.startswith("contains"):
        return ""
    try:
        values = np.asarray(X, dtype=np.float64)
        row, column = np.argwhere(~np.isfinite(values))[0]
    except (TypeError, ValueError, IndexError):  # the message alone must do
        return ""
    return f"\nThe first is {values[row, column]} in row {row}, column {column}."


def checked_weights(sample_weight: Any, X: Rows) -> FloatArray | None:
    """Return the weights of the rows, shape (n,), float64; None for none.

    Raises
    ------
    ValueError
        If they are of another shape, not finite, negative, or all 0.
    """
    if sample_weight is None:
        return None
    weights: FloatArray = _check_sample_weight(
        sample_weight, X, dtype=np.float64, allow_all_zero_weights=True
    )
    if weights.min() < 0:
        row = int(np.flatnonzero(weights < 0)[0])
        raise ValueError(
            f"Negative values in data passed to `sample_weight`: row {row} has {weights[row]:g}. "
            "Try: weights of at least 0; 0 leaves a row out."
        )
    if not weights.any():
        raise ValueError(
            f"Sample weights must contain at least one non-zero number, but all {len(weights)} are 0. "
            "Try: leave sample_weight out to count every row once."
        )
    return weights


def check_enough_rows(rows: Rows, weights: FloatArray | None, n_components: int) -> None:
    """Raise ValueError unless there is a row (with a weight) for each component."""
    n_rows = len(rows) if weights is None else int(np.count_nonzero(weights))
    if n_rows < n_components:
        raise ValueError(
            "Expected n_samples >= n_components "
            f"but got n_components = {n_components}, n_samples = {n_rows}. "
            "Try: fewer components, or more samples (rows of weight 0 do not count)."
        )


def checked_start(
    weights_init: Any,
    means_init: Any,
    precisions_init: Any,
    covariance_type: CovarianceType,
    n_components: int,
    n_features: int,
) -> InitialParameters:
    """Return the parameters that the user starts from, float64.

    Raises
    ------
    ValueError
        If one has another shape, weights are not shares, or a precision is not positive definite; in
        scikit-learn's words, with the values and what to try.
    """
    K, D = n_components, n_features
    return InitialParameters(
        None if weights_init is None else _weights(weights_init, K),
        None if means_init is None else _array(means_init, (K, D), "means"),
        None if precisions_init is None else _precisions(precisions_init, covariance_type, K, D),
    )


def _array(values: Any, shape: tuple[int, ...], name: str) -> FloatArray:
    array = check_array(values, dtype=[np.float64, np.float32], ensure_2d=False, allow_nd=True)
    if array.shape != shape:
        raise ValueError(
            f"The parameter '{name}' should have the shape of {shape}, but got {array.shape}. "
            "Try: one entry for each component and feature, in the order of the model."
        )
    return np.asarray(array, dtype=np.float64)


def _weights(values: Any, n_components: int) -> FloatArray:
    tolerance = 1e-6 if getattr(values, "dtype", None) == np.float32 else 1e-8
    weights = _array(values, (n_components,), "weights")
    least, most = weights.min(), weights.max()
    if least < 0 or most > 1:
        raise ValueError(  # scikit-learn's message has the two the wrong way round, and its tests ask for it
            "The parameter 'weights' should be in the range [0, 1], "
            f"but got max value {least:.5f}, min value {most:.5f}. Try: weights / weights.sum()."
        )
    if not np.isclose(weights.sum(), 1.0, rtol=0, atol=tolerance):
        raise ValueError(
            "The parameter 'weights' should be normalized, "
            f"but got sum(weights) = {weights.sum():.5f}. Try: weights / weights.sum()."
        )
    return weights


def _precisions(values: Any, covariance_type: CovarianceType, K: int, D: int) -> FloatArray:
    name = f"{covariance_type} precision"
    form = form_of(covariance_type)
    precisions = _array(values, form.shape(K, D), name)
    if form.is_matrix:
        for k, matrix in enumerate(np.reshape(precisions, (-1, D, D))):
            symmetric = np.allclose(matrix, matrix.T)
            if not (symmetric and np.linalg.eigvalsh(matrix).min() > 0):
                fault = matrices.fault(matrix)
                owner = "it" if form.shared else f"that of component {k}"
                raise ValueError(
                    f"'{name}' should be symmetric, positive-definite, but {owner} {fault}. "
                    "Try: np.linalg.inv of each covariance, and its symmetric part."
                )
        precisions = matrices.symmetric(precisions)
    elif (precisions <= 0).any():
        raise ValueError(
            f"'{name}' should be positive, but got min value {precisions.min():g}. Try: 1 / variance."
        )
    return precisions
