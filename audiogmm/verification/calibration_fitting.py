"""Learning a calibration from trials: prior-weighted logistic regression."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.errors import ChoiceError
from audiogmm.types import BoolArray, FloatArray
from audiogmm.verification.calibration import Calibration, stack_columns

RIDGE = 1e-4
"""Default weight of the penalty: small beside the gain of the scores, but weights stay finite."""

_MAX_STEPS = 100
_FLAT = 1e-12
"""Newton's method ends when a step promises less than this, nats a trial."""


def fit_calibration(
    columns: Mapping[str, ArrayLike],
    target: ArrayLike,
    *,
    prior: float = 0.1,
    weights: ArrayLike | None = None,
    l2: float = RIDGE,
) -> Calibration:
    """Learn a calibration by prior-weighted logistic regression.

    The cost is least, over the weights a and the offset b of s = a.x + b:

        prior * mean over targets of log(1 + exp(-s - logit(prior)))
        + (1 - prior) * mean over nontargets of log(1 + exp(s + logit(prior))) + l2 / 2 * |a'|^2

    where a' are the weights of the columns brought to mean 0 and variance 1 (Brümmer et al. 2007, "Fusion of
    heterogeneous speaker recognition systems", section 4; the penalty is ours, and keeps ratios finite where
    the trials are separable). The numbers of targets and nontargets do not matter,
    only `prior` does.

    Parameters
    ----------
    columns : mapping of str to array-like of shape (n,), float64
        Scores of one system (calibration) or several (fusion), and quality measures; all are used.
    target : array-like of shape (n,), bool
        Whether each is a target trial.
    prior : float
        Where on the scale the map has to be right, in (0, 1).
    weights : array-like of shape (n,), float64, optional
        How much each trial counts among those of its kind; by default all the same.
    l2 : float
        Weight of the penalty, above 0.

    Raises
    ------
    ChoiceError
        If there are no trials of one kind, a number is not finite, or a setting is outside its range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> target = np.arange(4000) < 2000
    >>> llr = rng.normal(np.where(target, 2.0, -2.0), 2.0)  # well calibrated: variance twice the mean
    >>> found = fit_calibration({"score": 10 * llr + 30}, target)
    >>> round(10 * found.weights[0], 1), round(found.offset + 30 * found.weights[0], 1)
    (1.0, 0.0)
    """
    names = tuple(columns)
    x, y = stack_columns(columns, names), np.asarray(target, dtype=np.bool_)
    alpha = weigh_trials(y, len(x), prior, weights)
    if not 0 < l2 < math.inf:
        raise ChoiceError(f"l2={l2}", needed="a finite penalty above 0")
    mean = alpha @ x
    scale = np.sqrt(alpha @ np.square(x - mean))
    scale[scale <= 1e-12 * np.abs(mean)] = np.inf  # a constant says nothing: its weight is 0
    penalty = np.append(np.full(x.shape[1], l2), 0.0)
    design = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    *slope, offset = minimize_cost(design, y, alpha, math.log(prior / (1 - prior)), penalty).tolist()
    raw = np.array(slope) / scale
    return Calibration(
        names,
        tuple(raw.tolist()),
        float(offset - raw @ mean),
        prior,
        int(np.count_nonzero(y)),
        int(np.count_nonzero(~y)),
    )


def extend_calibration(
    base: Calibration,
    columns: Mapping[str, ArrayLike],
    target: ArrayLike,
    names: Sequence[str],
    *,
    l2: float = RIDGE,
) -> Calibration:
    """Extend a calibration to further columns, such that it stays the same where these are 0.

    Only the weights of the further columns are learned: trials of poor quality set them, and those of good
    quality keep their scores. The cost and the penalty are those of `fit_calibration`, the columns being
    brought to a mean square of 1.

    Parameters
    ----------
    base : Calibration
        What there is; its prior holds.
    columns : mapping of str to array-like of shape (n,), float64
        At least those of `base`, and of `names` (or of the factors of a product).
    target : array-like of shape (n,), bool
        Whether each is a target trial.
    names : sequence of str
        The further columns.
    l2 : float
        Weight of the penalty, above 0.

    Raises
    ------
    ChoiceError
        As `fit_calibration`.

    Examples
    --------
    >>> base = Calibration(("score",), (1.0,), 0.0)
    >>> rng = np.random.default_rng(0)
    >>> target, noise = np.arange(4000) < 2000, np.ones(4000)
    >>> llr = rng.normal(np.where(target, 2.0, -2.0), 2.0)
    >>> found = extend_calibration(base, {"score": llr - 3, "noise": noise}, target, ["noise"])
    >>> found.names, [round(weight) for weight in found.weights]
    (('score', 'noise'), [1, 3])
    """
    x, y = stack_columns(columns, tuple(names)), np.asarray(target, dtype=np.bool_)
    alpha = weigh_trials(y, len(x), base.prior)
    scale = np.sqrt(alpha @ np.square(x))
    scale[scale == 0] = np.inf
    log_odds = base.apply(columns) + math.log(base.prior / (1 - base.prior))
    added = minimize_cost(x / scale, y, alpha, log_odds, np.full(x.shape[1], l2)) / scale
    return replace(base, names=(*base.names, *names), weights=(*base.weights, *map(float, added.tolist())))


def weigh_trials(y: BoolArray, n: int, prior: float, weights: ArrayLike | None = None) -> FloatArray:
    """Return the weight of each trial, shape (n,): those of targets sum to `prior`, all to 1.

    Raises
    ------
    ChoiceError
        If there are no trials of one kind, or the prior or a weight is outside its range.
    """
    if not 0 < prior < 1:
        raise ChoiceError(f"a prior of {prior}", needed="a probability above 0 and under 1")
    if y.shape != (n,):
        raise ChoiceError(f"{y.size} truths for {n} trials", needed="one for each trial")
    alpha = np.ones(n) if weights is None else np.array(weights, dtype=np.float64)
    if alpha.shape != (n,) or not np.all(np.isfinite(alpha)) or np.any(alpha < 0):
        raise ChoiceError(
            f"{alpha.size} weights from {alpha.min(initial=0)} to {alpha.max(initial=0)} for {n} trials",
            needed="one finite weight for each, not under 0",
        )
    for kind, share, name in ((y, prior, "target"), (~y, 1 - prior, "nontarget")):
        total = alpha[kind].sum()
        if not total > 0:
            raise ChoiceError(
                f"no {name} trial among the {n} to learn a calibration from", needed="trials of both kinds"
            )
        alpha[kind] *= share / total
    return alpha


def minimize_cost(
    design: FloatArray, y: BoolArray, alpha: FloatArray, log_odds: float | FloatArray, penalty: FloatArray
) -> FloatArray:
    """Minimize the cost of trials (convex) over the weights of a design's columns.

    Newton's method, with steps halved until they help.

    Parameters
    ----------
    design : ndarray of shape (n, n_columns), float64
    y : ndarray of shape (n,), bool
        Whether each is a target trial.
    alpha : ndarray of shape (n,), float64
        From `weigh_trials`.
    log_odds : float or ndarray of shape (n,), float64
        Added to the weighted columns, nats.
    penalty : ndarray of shape (n_columns,), float64
        Of half the square of each weight.

    Returns
    -------
    ndarray of shape (n_columns,), float64
    """
    sign = np.where(y, -1.0, 1.0)

    def objective(theta: FloatArray) -> float:
        lost = np.logaddexp(0.0, sign * (design @ theta + log_odds))
        return float(alpha @ lost + penalty @ np.square(theta) / 2)

    theta = np.zeros(design.shape[1])
    value = objective(theta)
    for _ in range(_MAX_STEPS):
        posterior = 0.5 * (1 + np.tanh((design @ theta + log_odds) / 2))
        gradient = design.T @ (alpha * (posterior - y)) + penalty * theta
        curvature = (design * (alpha * posterior * (1 - posterior))[:, None]).T @ design
        # where all posteriors are 0 or 1 there is no curvature: a little of it keeps the step defined
        step = np.linalg.solve(curvature + np.diag(penalty + 1e-12), gradient)
        promised = float(gradient @ step)
        size = 1.0
        while (new := objective(theta - size * step)) > value - 1e-4 * size * promised and size > 1e-10:
            size /= 2
        if new < value:
            theta, value = theta - size * step, new
        if promised < _FLAT or size <= 1e-10:
            break
    return theta
