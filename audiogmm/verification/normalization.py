"""Score normalization: scores in deviations from those of impostors, by model, by test or by both."""

from __future__ import annotations

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.types import FloatArray

NORMALIZATIONS = ("none", "z", "t", "zt", "s", "as")
"""Methods of `normalize`."""

MIN_COHORT = 20
"""Impostors from whom a mean and a deviation can be estimated."""

NEAREST = 100
"""Impostors of adaptive normalization: those that score highest against the model, or the test."""

MIN_DEVIATION = 1e-12


def normalize(
    method: str,
    scores: FloatArray,
    *,
    of_models: FloatArray,
    of_tests: FloatArray,
    of_cohort: FloatArray | None = None,
    nearest: int = NEAREST,
) -> FloatArray:
    """Normalize scores by those of a cohort of impostors.

    With ``mu, sigma`` the mean and deviation over the cohort:

        z    ``(s - mu_model) / sigma_model`` (Reynolds 1997): how impostors score against this model,
        t    ``(s - mu_test) / sigma_test`` (Auckenthaler, Carey and Lloyd-Thomas 2000, section 3.2),
        zt   t after z, the cohort's models having been z-normalized too,
        s    the mean of z and t (Kenny 2010),
        as   the mean of z and t over the `nearest` highest scores of each side alone (Matejka et al. 2017,
             "adaptive s-norm 1").

    Parameters
    ----------
    method : {"none", "z", "t", "zt", "s", "as"}
    scores : ndarray of shape (m, t), float64
        Of m models and t tests.
    of_models : ndarray of shape (m, c), float64
        Each model's scores for the recordings of the cohort.
    of_tests : ndarray of shape (c, t), float64
        Each test's scores for the models of the cohort.
    of_cohort : ndarray of shape (c, c), float64, optional
        The cohort's models against its recordings, for ``zt``; the diagonal, of targets, is left out.
    nearest : int
        For ``as``.

    Returns
    -------
    ndarray of shape (m, t), float64
        In standard deviations of impostors' scores; as they came for ``none``.

    Raises
    ------
    ChoiceError
        If there is no such method, or the cohort is smaller than `MIN_COHORT`.

    Examples
    --------
    >>> impostors = np.linspace(-1.0, 1.0, 20)
    >>> of_tests = np.repeat(impostors[:, None], 2, axis=1)
    >>> normalize("t", np.array([[0.0, 3.0]]), of_models=impostors[None], of_tests=of_tests).round(2) + 0.0
    array([[0.  , 4.82]])
    """
    if method not in NORMALIZATIONS:
        raise ChoiceError(f"normalization {method!r}", needed=f"one of {', '.join(NORMALIZATIONS)}")
    if method == "none":
        return scores
    size = min(of_models.shape[1], of_tests.shape[0])
    if size < MIN_COHORT:
        raise ChoiceError(
            f"{method}-norm with a cohort of {size}",
            needed=f"at least {MIN_COHORT} recordings of other speakers",
            remedy="a background with more speakers (enroll --background), or --normalize none",
        )
    match method:
        case "z":
            return _standardize(scores, of_models, 1)
        case "t":
            return _standardize(scores, of_tests, 0)
        case "s":
            return _mean_of_both(scores, of_models, of_tests)
        case "as":
            return _mean_of_both(scores, _highest(of_models, nearest, 1), _highest(of_tests, nearest, 0))
        case "zt":
            if of_cohort is None:
                raise ChoiceError("zt-norm without the cohort's scores against itself", needed="of_cohort")
            tests = _standardize(of_tests, _drop_diagonal(of_cohort), 1)
            return _standardize(_standardize(scores, of_models, 1), tests, 0)
    raise AssertionError(f"{method!r} is named in NORMALIZATIONS and has no case")


def _standardize(scores: FloatArray, impostors: FloatArray, axis: int) -> FloatArray:
    """``(s - mu) / sigma``, mu and sigma over an axis of the impostors' scores."""
    deviation = np.maximum(impostors.std(axis=axis, ddof=1, keepdims=True), MIN_DEVIATION)
    result: FloatArray = (scores - impostors.mean(axis=axis, keepdims=True)) / deviation
    return result


def _mean_of_both(scores: FloatArray, of_models: FloatArray, of_tests: FloatArray) -> FloatArray:
    """The mean of z and t."""
    return 0.5 * (_standardize(scores, of_models, 1) + _standardize(scores, of_tests, 0))


def _highest(impostors: FloatArray, nearest: int, axis: int) -> FloatArray:
    """The `nearest` highest along an axis, all if there are no more."""
    size = impostors.shape[axis]
    count = min(max(nearest, 2), size)
    return np.take(np.partition(impostors, size - count, axis=axis), range(size - count, size), axis=axis)


def _drop_diagonal(square: FloatArray) -> FloatArray:
    """The entries of each row off the diagonal, (c, c - 1)."""
    size = len(square)
    return square[~np.eye(size, dtype=bool)].reshape(size, size - 1)
