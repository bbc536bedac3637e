"""The M-step: from statistics to a mixture, and what had to be done beyond the formulas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audiogmm.errors import ChoiceError, MismatchError, TrainingError
from audiogmm.mixture.floor import overall_moments
from audiogmm.mixture.form import CovarianceForm
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray, IntArray

EMPTY_WEIGHT = 1e-7
"""Below this weight a component is empty: an E-step that prunes may skip it everywhere."""

_ROUNDING = 1e-13
"""Below this share of the second moment about the origin, a variance consists of rounding errors."""

_NEGATIVE = 1e-6
"""How far below 0 a count may be, as a share of all frames, after statistics were subtracted."""


@dataclass(frozen=True, eq=False)
class Update:
    """What an M-step had to do beyond the formulas.

    Attributes
    ----------
    floored : ndarray of shape (n_components, n_features), int64
        Variances raised to the floor (spherical: the one of a component counts in every feature). Full:
        eigenvalues, each under the feature that weighs most in its eigenvector; tied, (1, n_features).
    cancelled : tuple of int
        Components with a variance that came out as 0 or below, or too small beside its squared distance
        from the origin to mean anything: identical frames, or an origin too far away. Floored as others are.
    emptied : tuple of int
        Components with too little weight to estimate anything from; they kept the parameters they had.

    Examples
    --------
    >>> Update(floored=np.array([[0, 0], [1, 0]]), cancelled=(), emptied=(3,)).n_floored
    1
    """

    floored: IntArray
    cancelled: tuple[int, ...]
    emptied: tuple[int, ...]

    @property
    def n_floored(self) -> int:
        """How many variances or eigenvalues were raised."""
        return int(self.floored.sum())


def maximize(
    stats: SufficientStats,
    *,
    floor: float | FloatArray = 0.0,
    previous: Mixture | None = None,
    empty_weight: float = EMPTY_WEIGHT,
    reg_covar: float = 0.0,
) -> tuple[Mixture, Update]:
    """Estimate the mixture of highest likelihood from statistics (Bishop 2006, equations 9.24 to 9.26).

    With a `floor` that stays the same, the covariances are the constrained maximum, so that EM never
    lowers the likelihood from one model above the floor to the next. Diagonal: each variance contributes
    ``-log v - s / v``, largest for ``v >= f`` at ``max(s, f)``. Spherical: the same, with the floor's
    mean. Full and tied: see `audiogmm.mixture.matrices.floor_matrix`. An emptied component keeps its mean and
    covariance and gets its new weight, which does not lower the likelihood either.

    Moments about an origin far from the frames lose digits, about ``log10((distance / deviation)^2)`` of
    16: take the mixture's `center` for origin. What is lost is in `Update.cancelled`, never NaN.

    Parameters
    ----------
    stats : SufficientStats
        The moments; statistics of a prior may have been added.
    floor : float or ndarray of shape (n_features,), float64
        Least variance of each feature, above 0 to be safe: see `variance_floor`.
    previous : Mixture, optional
        The model that gave the posteriors: an emptied component keeps its mean and covariance from here.
        Without it, it gets the mean and the variances of all frames.
    empty_weight : float
        A component whose weight comes out below this is emptied.
    reg_covar : float
        Added to every variance before the floor, as scikit-learn does. The likelihood may then fall.

    Returns
    -------
    mixture : Mixture
        The new model.
    update : Update
        What was floored, cancelled, emptied.

    Raises
    ------
    TrainingError
        If there are no frames, more was removed than there was, or a moment is not finite.
    MixtureError
        If a covariance is not positive definite, which a positive floor prevents.
    MismatchError
        If `previous` has another form or shape.
    ChoiceError
        If the floor is negative, not finite, or of another shape.

    Examples
    --------
    >>> stats = SufficientStats.measure(
    ...     np.array([[0.0, 1.0], [2.0, 1.0]]), origin=np.zeros(2), covariance_type="diag")
    >>> mixture, update = maximize(stats, floor=0.01)
    >>> mixture.means, mixture.covariances
    (array([[1., 1.]]), array([[1.  , 0.01]]))
    >>> update.n_floored, update.cancelled
    (1, (0,))
    """
    form = form_of(stats.covariance_type)
    low = checked_floor(floor, stats.n_features)
    _check_reg_covar(reg_covar)
    check_usable(stats)
    if previous is not None:
        check_fits(previous, stats)

    mass = np.maximum(stats.counts, 0.0)
    weights = mass / mass.sum()  # equation 9.26
    empty = np.flatnonzero((weights < empty_weight) | (weights == 0))
    deviations = np.zeros_like(stats.first)
    np.divide(stats.first, mass[:, None], out=deviations, where=mass[:, None] > 0)
    means = stats.origin + deviations  # equation 9.24
    with np.errstate(divide="ignore", invalid="ignore"):  # what an empty component gives is replaced
        covariances = form.estimate(mass, deviations, stats.second)  # equation 9.25
    if len(empty):
        kept = previous or _of_all_frames(stats, form, low)
        means[empty] = kept.means[empty]
        covariances = form.keep(covariances, kept.covariances, empty)
    estimated = form.variances(covariances, *means.shape)
    lost = (estimated <= _ROUNDING * (estimated + deviations**2)).any(axis=1)
    if reg_covar:
        covariances = form.add(covariances, reg_covar)
    covariances, floored = form.floor(covariances, low)
    update = Update(
        floored=floored,
        cancelled=tuple(np.flatnonzero(lost).tolist()),
        emptied=tuple(empty.tolist()),
    )
    return Mixture(weights, means, covariances, stats.covariance_type), update


def _of_all_frames(stats: SufficientStats, form: CovarianceForm, floor: FloatArray) -> Mixture:
    """A mixture whose components all have the mean and the variances of all frames."""
    K = stats.n_components
    mean, variances = overall_moments(stats)
    spread = np.maximum(variances, np.where(floor > 0, floor, np.finfo(float).tiny))
    return Mixture(np.full(K, 1 / K), np.tile(mean, (K, 1)), form.broaden(spread, K), stats.covariance_type)


def checked_floor(floor: float | FloatArray, n_features: int) -> FloatArray:
    """Return the floor of each feature, shape (n_features,), after checks.

    Raises
    ------
    ChoiceError
        If it is negative, not finite, or of another shape.
    """
    low = np.asarray(floor, dtype=np.float64)
    if low.shape not in ((), (n_features,)):
        raise ChoiceError(
            f"a variance floor of shape {low.shape}", needed=f"one number, or one of {n_features} features"
        )
    if not (np.isfinite(low).all() and (low >= 0).all()):
        raise ChoiceError(f"a variance floor of {low.min():.6g}", needed="finite variances of at least 0")
    return np.broadcast_to(low, (n_features,))


def _check_reg_covar(reg_covar: float) -> None:
    if not (np.isfinite(reg_covar) and reg_covar >= 0):
        raise ChoiceError(f"reg_covar={reg_covar}", needed="a finite variance of at least 0")


def check_usable(stats: SufficientStats) -> None:
    """Raise `TrainingError` if no model can be estimated from these statistics."""
    for name in ("counts", "first", "second"):
        moments = getattr(stats, name)
        if not np.isfinite(moments).all():
            raise TrainingError(
                f"the {name} of the statistics hold {moments[~np.isfinite(moments)][0]}",
                needed="finite moments",
                remedy="look for NaN, infinite or huge values in the frames",
            )
    total = stats.counts.sum()
    if total <= 0:
        raise TrainingError(
            f"statistics of {total:.6g} frames",
            needed="at least one frame to estimate from",
            remedy="check that the recordings are not all silent, unvoiced or set aside",
        )
    k = int(np.argmin(stats.counts))
    if stats.counts[k] < -_NEGATIVE * total:
        raise TrainingError(
            f"component {k} has {stats.counts[k]:.6g} frames of {total:.6g}",
            needed="counts of at least 0",
            remedy="remove only what was added, under the same model",
        )


def check_fits(previous: Mixture, stats: SufficientStats) -> None:
    """Raise `MismatchError` if a model has another form or shape than the statistics."""
    theirs = (previous.covariance_type, previous.n_components, previous.n_features)
    ours = (stats.covariance_type, stats.n_components, stats.n_features)
    if theirs != ours:
        raise MismatchError(
            f"a previous model of (covariance type, components, features) {theirs}",
            needed=f"{ours}, as the statistics have",
        )
