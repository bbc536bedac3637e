"""The variance floor: how narrow a component may become."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError, TrainingError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray

RELATIVE_FLOOR = 1e-4
"""Default floor of a feature's variance, of its variance over all frames."""

ABSOLUTE_FLOOR = 1e-6
"""Default floor of a feature that does not vary at all, in the feature's own unit, squared."""

LEAST_FLOOR = 1e-10
"""Least floor of a feature that varies, of its variance over all frames: of less, float64 sums leave rounding
errors, by which the likelihood of a pass may fall without bound."""

_ROUNDING = 1e-12  # of the second moment about the origin: what float64 sums of many frames leave
_FLOAT32 = 2.0**-23  # of the mean: what one step of a float32 frame amounts to


@dataclass(frozen=True, eq=False)
class VarianceFloor:
    """The least variance of each feature, the same for a whole training.

    Attributes
    ----------
    variances : ndarray of shape (n_features,), float64
        What `maximize` takes as `floor`.
    constant : tuple of int
        Features that do not vary.
    """

    variances: FloatArray
    constant: tuple[int, ...]


def variance_floor(
    stats: SufficientStats, relative: float = RELATIVE_FLOOR, absolute: float = ABSOLUTE_FLOOR
) -> VarianceFloor:
    """Choose the floor from the spread of all frames.

    A share of each feature's variance keeps its unit: features of any scale train alike. Only a feature
    without variance gets the absolute floor (or one step of float32 at its mean, if that is more).
    Spherical statistics contain the mean variance alone, which then counts for all features.

    Parameters
    ----------
    stats : SufficientStats
        Moments of the training frames, of any number of components.
    relative : float
        Floor as a share of a feature's variance over all frames; below `LEAST_FLOOR` it counts as that.
    absolute : float
        Floor of a feature that does not vary.

    Returns
    -------
    VarianceFloor
        The variances, and which features are constant.

    Raises
    ------
    TrainingError
        If there are no frames.
    ChoiceError
        If `relative` is not in [0, 1), or `absolute` not above 0.

    Examples
    --------
    >>> frames = np.array([[-10.0, 3.0], [10.0, 3.0]])
    >>> stats = SufficientStats.measure(frames, origin=frames.mean(axis=0), covariance_type="diag")
    >>> variance_floor(stats)
    VarianceFloor(variances=array([1.e-02, 1.e-06]), constant=(1,))
    """
    if not 0 <= relative < 1:
        raise ChoiceError(f"a relative variance floor of {relative}", needed="a share in [0, 1)")
    if not (absolute > 0 and np.isfinite(absolute)):
        raise ChoiceError(f"an absolute variance floor of {absolute}", needed="a finite variance above 0")
    mean, variances = overall_moments(stats)
    about_origin = form_of(stats.covariance_type).total(stats.second, stats.n_features) / stats.counts.sum()
    step = (_FLOAT32 * mean) ** 2
    constant = variances <= np.maximum(step, _ROUNDING * about_origin)
    floors = np.where(constant, np.maximum(absolute, step), max(relative, LEAST_FLOOR) * variances)
    return VarianceFloor(floors, tuple(np.flatnonzero(constant).tolist()))


def overall_moments(stats: SufficientStats) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of each feature over all frames, each of shape (n_features,).

    Raises
    ------
    TrainingError
        If there are no frames.

    Examples
    --------
    >>> frames = np.array([[1.0], [3.0]])
    >>> overall_moments(SufficientStats.measure(frames, origin=np.ones(1), covariance_type="tied"))
    (array([2.]), array([1.]))
    """
    total = stats.counts.sum()
    if not total > 0:
        raise TrainingError(
            f"statistics of {total:.6g} frames",
            needed="at least one frame",
            remedy="check that the recordings are not all silent, unvoiced or set aside",
        )
    mean = stats.origin + stats.first.sum(axis=0) / total
    about_mean = stats.shifted(mean)
    second = form_of(stats.covariance_type).total(about_mean.second, stats.n_features)
    return mean, np.maximum(second / total, 0.0)
