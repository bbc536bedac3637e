"""Accelerated batch EM: SQUAREM, which extrapolates from two passes, and goes back where that fails."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.movement import movement
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.schedule.batch import EM, Schedule, TrainingState
from audiogmm.training.schedule.convergence import Converged
from audiogmm.training.schedule.monitor import PassReport
from audiogmm.types import FloatArray

WIDEN = 4.0
"""By how much the longest step grows when it was taken in full, and shrinks when it failed; Varadhan's."""


@dataclass(frozen=True)
class SquaremSchedule(Schedule[SufficientStats]):
    """Batch EM, extrapolated every second pass (Varadhan and Roland 2008, scheme S3).

    From a mixture theta_0 and what two passes make of it, theta_1 and theta_2, with ``r = theta_1 -
    theta_0`` and ``v = (theta_2 - theta_1) - r``, the next pass is given

    ``theta_0 - 2 alpha r + alpha^2 v``,  ``alpha = -|r| / |v|``    (equations 5 and 8)

    and measures its likelihood: if that is below the last one known, the pass is lost, its report
    says so (`fell_back`), and EM goes on from theta_2. So the likelihood never falls. Where alpha is -1 or
    nearer to 0, the point is theta_2. The length of a step is limited, the limit adapted (section 6).
    """

    method: EM

    def converged(self, state: TrainingState) -> Converged:
        """As batch EM, but never after a pass that was lost."""
        return "" if state.history and state.history[-1].fell_back else super().converged(state)

    def _once(self, state: TrainingState) -> TrainingState:
        after = super()._once(state)
        report = after.history[-1]
        if len(state.trail) == 2 and not (report.gain is not None and report.gain >= 0):
            back = _fallen_back(state, report, state.history[-1].log_likelihood)
            return replace(back, reach=max(WIDEN / 2, state.reach / WIDEN))
        if report.rescued:
            return replace(after, reach=state.reach)
        if len(state.trail) != 1 or len(after.history) >= self.passes or self.converged(after):
            return replace(after, trail=(state.mixture,), reach=state.reach)
        found = extrapolate(state.trail[0], state.mixture, after.mixture, state.reach, self.method.floor)
        if found is None:
            return replace(after, trail=(state.mixture,), reach=state.reach)
        mixture, step = found
        reach = state.reach * WIDEN if step >= state.reach else state.reach
        return TrainingState(mixture, after.statistics, after.history, (state.mixture, after.mixture), reach)


def _fallen_back(state: TrainingState, report: PassReport, known: float) -> TrainingState:
    """Return the training after a pass that was lost: at `state.settled`, and the report says so.

    Parameters
    ----------
    state : TrainingState
        Before, with a mixture that was not confirmed.
    report : PassReport
        Of the pass that found it no better.
    known : float
        The log-likelihood last known, nats a frame.
    """
    kept = state.settled
    lost = replace(
        report,
        log_likelihood=known,
        gain=None,
        movement=movement(state.mixture, kept),
        floored=0,
        emptied=(),
        rescued=(),
        fell_back=True,
    )
    return TrainingState(kept, state.statistics, (*state.history, lost))


def extrapolate(
    first: Mixture, second: Mixture, third: Mixture, reach: float, floor: FloatArray
) -> tuple[Mixture, float] | None:
    """Make one step of SQUAREM from three successive mixtures.

    Weights and variances are extrapolated as logarithms, matrices as their Cholesky factors with the
    logarithm of the diagonal, so that every point is a mixture; then variances are floored. Lengths are
    taken as `movement` takes them, in standard deviations and by weight.

    Parameters
    ----------
    first, second, third : Mixture
        theta_0, theta_1, theta_2: of one shape and form.
    reach : float
        -alpha at most, at least 1.
    floor : ndarray of shape (n_features,), float64
        Variance floor.

    Returns
    -------
    tuple of Mixture and float, or None
        The extrapolation and its -alpha; None where it would be `third` itself, or no finite mixture.

    Examples
    --------
    >>> one, two, three = (Mixture([1.0], [[m]], [1.0], "spherical") for m in (0.0, 4.0, 6.0))
    >>> mixture, step = extrapolate(one, two, three, reach=4.0, floor=np.array([1e-3]))
    >>> mixture.means, step  # the limit of 0, 4, 6, 7, 7.5, ...
    (array([[8.]]), 2.0)
    """
    points = [_coordinates(mixture) for mixture in (first, second, third)]
    scales = _scales(second)
    form = form_of(third.covariance_type)
    r = [b - a for a, b in zip(points[0], points[1], strict=True)]
    v = [c - b - step for b, c, step in zip(points[1], points[2], r, strict=True)]
    length, bend = _norm(r, scales), _norm(v, scales)
    if not (np.isfinite(length) and bend > 0):
        return None
    step = min(length / bend, reach)
    if not step > 1:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        logs, means, spread = (
            a + 2 * step * d + step**2 * c for a, d, c in zip(points[0], r, v, strict=True)
        )
        weights = np.where(third.weights > 0, np.exp(logs - logs.max()), 0.0)
        covariances = form.constrained(spread)
    if not all(np.isfinite(array).all() for array in (weights, means, covariances)):
        return None
    if form.fault(covariances):  # a diagonal that left the range of float64
        return None
    floored, _ = form.floor(covariances, floor)
    return Mixture(weights / weights.sum(), means, floored, third.covariance_type), float(step)


def _coordinates(mixture: Mixture) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Log weights (0 for none), means, and log variances or Cholesky factors with logarithmic diagonal."""
    weights = mixture.weights
    logs = np.log(np.where(weights > 0, weights, 1.0))
    return logs, mixture.means, form_of(mixture.covariance_type).unconstrained(mixture.covariances)


def _scales(mixture: Mixture) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scales of squared differences of coordinates: weights, and weights per variance for the means."""
    form, (K, D) = form_of(mixture.covariance_type), mixture.means.shape
    weights = mixture.weights
    variances = form.variances(mixture.covariances, K, D)
    spread = form.coordinate_weights(mixture.covariances, weights, D)
    return weights, weights[:, None] / variances, spread


def _norm(vector: list[FloatArray], scales: tuple[FloatArray, FloatArray, FloatArray]) -> float:
    return float(np.sqrt(sum(np.sum(scale * d * d) for d, scale in zip(vector, scales, strict=True))))
