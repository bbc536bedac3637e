"""When to stop: the likelihood rises no more, or the parameters stand still."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.training.schedule.monitor import PassReport

Converged = Literal["likelihood", "parameters", ""]
"""Which rule ended the training; empty if it ended at its number of passes."""


@dataclass(frozen=True, slots=True)
class Convergence:
    """The two rules by which training stops.

    Parameters
    ----------
    tol : float
        It stops when the mean log-likelihood per frame rises by less than this, nats, from one pass to the
        next. 0 turns both rules off.
    movement_tol : float
        It stops when an update moves the parameters by less than this, in standard deviations; see
        `movement`.

    Raises
    ------
    ChoiceError
        If either is negative or not finite.

    Examples
    --------
    >>> report = PassReport(number=9, n_frames=100, log_likelihood=-3.0, gain=1e-5, movement=0.2)
    >>> Convergence(tol=1e-3).reached(report), Convergence(tol=0).reached(report)
    ('likelihood', '')
    """

    tol: float = 1e-3
    movement_tol: float = 1e-4

    def __post_init__(self) -> None:
        for name in ("tol", "movement_tol"):
            value = getattr(self, name)
            if not 0 <= value < np.inf:
                raise ChoiceError(
                    f"{name}={value}", needed="a finite number of at least 0", remedy="0 to turn it off"
                )

    def reached(self, report: PassReport) -> Converged:
        """Which rule says stop after this pass. A pass that rescued a component never is the last."""
        if self.tol == 0 or report.rescued:
            return ""
        if report.gain is not None and report.gain < self.tol:
            return "likelihood"
        return "parameters" if report.movement < self.movement_tol else ""


def movement(before: Mixture, after: Mixture) -> float:
    """How far the parameters moved, in standard deviations: free of the features' scales.

    The length of the step in the Fisher metric of complete data (each frame's component known), with the
    metric taken at `before`, as a root mean square over the D features:

    ``D m^2 = sum_k (dw_k)^2 / w_k + sum_k w_k (dmu_k^T P_k dmu_k + tr((P_k dSigma_k)^2) / 2)``

    with weights w, means mu, covariances Sigma and precisions P. Near a maximum, one pass of EM gains about
    ``D m^2 / 2`` nats a frame or more.

    Parameters
    ----------
    before, after : Mixture
        Of one shape and one covariance type.

    Returns
    -------
    float
        At least 0; 0.01 is a hundredth of a standard deviation in every mean.

    Examples
    --------
    >>> before = Mixture([1.0], [[0.0, 0.0]], [[4.0, 1.0]], "diag")
    >>> movement(before, Mixture([1.0], [[2.0, 1.0]], [[4.0, 1.0]], "diag"))
    1.0
    """
    form = form_of(before.covariance_type)
    K, D = before.means.shape
    factors = form.precision_factor(before.covariances)
    steps = after.means - before.means
    change = after.covariances - before.covariances
    w = before.weights
    if form.name in ("spherical", "diag"):
        scales = factors.reshape(K, -1)
        means = np.einsum("kd,kd->k", steps * scales, steps * scales)
        ratios = change.reshape(K, -1) * scales**2
        spreads = np.einsum("kd,kd->k", ratios, ratios) * (D / ratios.shape[1]) / 2
    else:
        shape = (-1, D, D)
        P, C = factors.reshape(shape), change.reshape(shape)
        white = np.einsum("kd,kde->ke", steps, P) if len(P) == K else steps @ P[0]
        means = np.einsum("kd,kd->k", white, white)
        ratios = P.swapaxes(1, 2) @ C @ P
        spreads = np.einsum("kde,kde->k", ratios, ratios) / 2
    alive = w > 0
    shares = float(np.sum((after.weights - w)[alive] ** 2 / w[alive]))
    return float(np.sqrt((shares + np.sum(w * (means + spreads))) / D))
