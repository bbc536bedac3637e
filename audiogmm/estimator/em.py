"""Batch EM as scikit-learn runs it: until the mean log-likelihood hardly changes, printing on request."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from audiogmm.estimator import passes
from audiogmm.estimator.parameters import update_mixture
from audiogmm.estimator.passes import Rows
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.training.schedule.monitor import CERTIFIED
from audiogmm.types import FloatArray

FELL = (
    "The likelihood fell in iteration {}, by {:.3g} nats a sample: a component is too narrow for float64. "
    "Try: reg_covar=1e-6, fewer components, or dropping columns that are constant or follow from others."
)


@dataclass(frozen=True, eq=False)
class FitResult:
    """The result of EM from one start.

    Attributes
    ----------
    mixture : Mixture
        The last estimate.
    statistics : SufficientStats or None
        What it was estimated from; None without a pass.
    lower_bounds : list of float
        Mean log-likelihood of the rows under the model that each pass began with, nats.
    converged : bool
        Whether the last change was below `tol`.
    """

    mixture: Mixture
    statistics: SufficientStats | None = None
    lower_bounds: list[float] = field(default_factory=list)
    converged: bool = False

    @property
    def lower_bound(self) -> float:
        """The last of them; minus infinity without a pass."""
        return self.lower_bounds[-1] if self.lower_bounds else -np.inf


def run_em(
    mixture: Mixture,
    X: Rows,
    weights: FloatArray | None,
    *,
    reg_covar: float,
    tol: float,
    max_iter: int,
    lower_bound: float,
    reporter: Reporter,
) -> FitResult:
    """Repeat E-step and M-step until the mean log-likelihood changes by less than `tol`.

    Parameters
    ----------
    mixture : Mixture
        Where to begin.
    X : ndarray of shape (n, n_features), float32 or float64
        Rows.
    weights : ndarray of shape (n,), float64, or None
        Weight of each row.
    reg_covar : float
        Added to every variance in each M-step.
    tol : float
        Nats per row.
    max_iter : int
        Passes at most.
    lower_bound : float
        Of the pass before, minus infinity if there was none.
    reporter : Reporter
        Prints.

    Raises
    ------
    ValueError
        If a covariance is not positive definite.
    """
    trial, dtype = FitResult(mixture), X.dtype
    for n_iter in range(1, max_iter + 1):
        mixture, stats, dtype = em_step(mixture, X, weights, reg_covar, dtype)
        before, lower_bound = lower_bound, stats.log_likelihood / stats.n_frames
        change = lower_bound - before
        if not reg_covar and change < -CERTIFIED * max(1.0, abs(lower_bound)):
            warnings.warn(FELL.format(n_iter, -change), ConvergenceWarning, stacklevel=5)
        trial = FitResult(mixture, stats, [*trial.lower_bounds, lower_bound], abs(change) < tol)
        reporter.end_iteration(n_iter, change)
        if trial.converged:
            break
    if max_iter:
        reporter.end_initialization(trial)
    return trial


def em_step(
    mixture: Mixture,
    X: Rows,
    weights: FloatArray | None,
    reg_covar: float,
    dtype: np.dtype[Any],
    combine: Callable[[SufficientStats], SufficientStats] = lambda stats: stats,
) -> tuple[Mixture, SufficientStats, np.dtype[Any]]:
    """Make one E-step and M-step, in float32 only as long as that is good enough for the covariances.

    Second moments of float32 rows are summed in float32 within a tile, and the square of the mean is taken
    off them. Where rows lie much nearer to each other than to the origin of the moments, few digits are
    left. Then the E-step is done again in float64.

    Parameters
    ----------
    mixture, X, weights, reg_covar
        As of `run_em`.
    dtype : dtype
        What to compute in: float64, or that of X.
    combine : callable
        From the statistics of X to those that the model is made of.

    Returns
    -------
    mixture : Mixture
    stats : SufficientStats
        Of X.
    dtype : dtype
        What it was computed in.

    Raises
    ------
    ValueError
        If a covariance is not positive definite.
    """
    stats = passes.expect(mixture, X, weights, dtype)
    try:
        after = update_mixture(combine(stats), reg_covar, mixture)
    except ValueError:
        if dtype == np.float64:
            raise
    else:
        if dtype == np.float64 or not _blurred(after, stats.origin):
            return after, stats, dtype
    return em_step(mixture, X, weights, reg_covar, np.dtype(np.float64), combine)


BLURRED = 1e-3
"""Share of a float32 second moment below which a variance has too few digits left."""


def _blurred(mixture: Mixture, origin: FloatArray) -> bool:
    """Whether covariances, in any direction, are small beside the second moments about the origin."""
    form, (K, D) = form_of(mixture.covariance_type), mixture.means.shape
    moments = form.variances(mixture.covariances, K, D) + (mixture.means - origin) ** 2
    if form.shared:
        moments = np.tile(mixture.weights @ moments, (K, 1))
    least = np.stack([form.broaden(BLURRED * moment, 1) for moment in moments])
    margin = mixture.covariances - (least[0] if form.shared else least.reshape(form.shape(K, D)))
    return bool(form.fault(margin))


class Reporter:
    """Prints what scikit-learn prints.

    Parameters
    ----------
    verbose : int
        0 nothing, 1 that it goes on, 2 also times and changes.
    interval : int
        Iterations between two lines.

    Examples
    --------
    >>> reporter = Reporter(verbose=1, interval=2)
    >>> reporter.begin_initialization(0)
    Initialization 0
    >>> reporter.end_iteration(1, 0.5)
    >>> reporter.end_iteration(2, 0.5)
      Iteration 2
    """

    def __init__(self, verbose: int, interval: int) -> None:
        self._verbose, self._interval = int(verbose), interval
        self._began = self._last = time.perf_counter()

    def begin_initialization(self, number: int) -> None:
        """Print that a new start begins."""
        self._began = self._last = time.perf_counter()
        if self._verbose:
            print(f"Initialization {number}")  # noqa: T201

    def end_iteration(self, number: int, change: float) -> None:
        """Print that a pass has ended; `change` of the mean log-likelihood, nats."""
        if not self._verbose or number % self._interval:
            return
        line = f"  Iteration {number}"
        if self._verbose > 1:
            now = time.perf_counter()
            line += f"\t time lapse {now - self._last:.5f}s\t ll change {change:.5f}"
            self._last = now
        print(line)  # noqa: T201

    def end_initialization(self, trial: FitResult) -> None:
        """Print that the last pass has ended."""
        if not self._verbose:
            return
        line = f"Initialization {'converged' if trial.converged else 'did not converge'}."
        if self._verbose > 1:
            line += (
                f" time lapse {time.perf_counter() - self._began:.5f}s\t lower bound {trial.lower_bound:.5f}."
            )
        print(line)  # noqa: T201
