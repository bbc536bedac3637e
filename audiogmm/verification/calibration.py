"""Calibration and fusion: from the scores of one or several systems to one log-likelihood ratio."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from audiogmm.errors import ChoiceError, MismatchError
from audiogmm.types import BoolArray, FloatArray, Json

RIDGE = 1e-4
"""Default weight of the penalty: small beside what scores win, and enough to stay finite."""

UNCALIBRATED = (
    "the gallery is not calibrated: scores and posteriors give an order, not probabilities, and `verify` "
    "makes no decision; `enroll` learns a calibration where it can, and `fuse` does from trials whose truth "
    "is known"
)
"""What to say where a gallery has no calibration."""

_MOST_STEPS = 100
_FLAT = 1e-12
"""Newton's method ends when a step promises less than this, nats a trial."""


@dataclass(frozen=True)
class Calibration:
    """An affine map of score columns and quality measures to a log-likelihood ratio.

    Attributes
    ----------
    names : tuple of str
        Columns that it reads: scores, and quality measures as side information. ``a*b`` is the product of
        two columns, so that a score may count for more where the quality is good.
    weights : tuple of float
        One for each column.
    offset : float
        Nats.
    prior : float
        Prior for which the training trials were weighted.
    n_targets, n_nontargets : int
        Trials that it was learnt from; 0 where that is not known.

    Raises
    ------
    ChoiceError
        If the numbers of names and weights differ, or a number is not finite.

    Examples
    --------
    >>> calibration = Calibration(("score",), (2.0,), -1.0)
    >>> calibration.apply({"score": np.array([0.0, 3.0])})
    array([-1.,  5.])
    >>> Calibration.from_json(calibration.to_json()) == calibration
    True
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    offset: float
    prior: float = 0.1
    n_targets: int = 0
    n_nontargets: int = 0

    def __post_init__(self) -> None:
        if len(self.names) != len(self.weights) or not self.names:
            raise ChoiceError(
                f"a calibration of {len(self.names)} columns with {len(self.weights)} weights",
                needed="a weight for each column",
            )
        if not all(map(math.isfinite, (*self.weights, self.offset))):
            raise ChoiceError(f"weights {self.weights} and offset {self.offset}", needed="finite numbers")

    def apply(self, columns: Mapping[str, ArrayLike]) -> FloatArray:
        """Log-likelihood ratios.

        Parameters
        ----------
        columns : mapping of str to array-like of shape (n,), float64
            At least those of `names` (or of the factors of a product).

        Returns
        -------
        ndarray of shape (n,), float64
            Natural logarithm.

        Raises
        ------
        MismatchError
            If a column is not there.
        ChoiceError
            If a column holds a number that is not finite, or the columns differ in length.
        """
        llr: FloatArray = _matrix(columns, self.names) @ np.array(self.weights) + self.offset
        return llr

    def to_json(self) -> Json:
        """As a JSON object."""
        return {
            "names": list(self.names),
            "weights": list(self.weights),
            "offset": self.offset,
            "prior": self.prior,
            "n_targets": self.n_targets,
            "n_nontargets": self.n_nontargets,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibration:
        """From what `to_json` gave.

        Raises
        ------
        MismatchError
            If it is something else.
        """
        try:
            return cls(
                tuple(str(name) for name in content["names"]),
                tuple(float(weight) for weight in content["weights"]),
                float(content["offset"]),
                float(content["prior"]),
                int(content.get("n_targets", 0)),
                int(content.get("n_nontargets", 0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise MismatchError(
                f"{str(content)[:80]} is no calibration",
                needed="an object with names, weights, offset and prior",
            ) from error


def fit_calibration(
    columns: Mapping[str, ArrayLike],
    target: ArrayLike,
    *,
    prior: float = 0.1,
    weights: ArrayLike | None = None,
    l2: float = RIDGE,
) -> Calibration:
    """Learn the map by prior-weighted logistic regression.

    Least, over the weights a and the offset b of s = a.x + b, is

        prior * mean over targets of log(1 + exp(-s - logit(prior)))
        + (1 - prior) * mean over nontargets of log(1 + exp(s + logit(prior))) + l2 / 2 * |a'|^2

    where a' are the weights of the columns brought to mean 0 and variance 1 (Brümmer et al. 2007, "Fusion of
    heterogeneous speaker recognition systems", section 4; the penalty is ours, and stands for the fact that
    no finite set of trials bears out an infinite ratio). The numbers of targets and nontargets do not matter,
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
    x, y = _matrix(columns, names), np.asarray(target, dtype=np.bool_)
    alpha = _trial_weights(y, len(x), prior, weights)
    if not 0 < l2 < math.inf:
        raise ChoiceError(f"l2={l2}", needed="a finite penalty above 0")
    mean = alpha @ x
    scale = np.sqrt(alpha @ np.square(x - mean))
    scale[scale <= 1e-12 * np.abs(mean)] = np.inf  # a constant says nothing: its weight is 0
    penalty = np.append(np.full(x.shape[1], l2), 0.0)
    design = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    *slope, offset = _newton(design, y, alpha, math.log(prior / (1 - prior)), penalty).tolist()
    raw = np.array(slope) / scale
    return Calibration(
        names,
        tuple(raw.tolist()),
        float(offset - raw @ mean),
        prior,
        int(np.count_nonzero(y)),
        int(np.count_nonzero(~y)),
    )


def fit_shift(
    llr: ArrayLike, target: ArrayLike, *, prior: float, precision: tuple[float, ...]
) -> tuple[float, float]:
    """The scale a and the offset b (nats) that make a ratio right: `fit_calibration` held to (1, 0).

    The penalty is ``(p_a (a - 1)^2 + p_b b^2) / 2``, with `precision` (p_a, p_b), both above 0.

    Raises
    ------
    ChoiceError
        As `fit_calibration`.

    Examples
    --------
    >>> scale, offset = fit_shift([-3.0, 5.0], [False, True], prior=0.5, precision=(1e9, 0.01))
    >>> round(scale, 3), round(offset, 1)
    (1.0, -0.6)
    """
    x, y = _matrix({"llr": llr}, ("llr",)), np.asarray(target, dtype=np.bool_)
    alpha = _trial_weights(y, len(x), prior, None)
    design = np.column_stack([x, np.ones(len(x))])
    slope, offset = _newton(design, y, alpha, x[:, 0] + math.log(prior / (1 - prior)), np.array(precision))
    return 1 + float(slope), float(offset)


def extend_calibration(
    base: Calibration,
    columns: Mapping[str, ArrayLike],
    target: ArrayLike,
    names: Sequence[str],
    *,
    l2: float = RIDGE,
) -> Calibration:
    """A calibration that reads further columns, and is the same as before where these are 0.

    What is learned is what each further column adds, and neither the weights nor the offset that were there:
    trials of poor quality teach what to make of it, and good ones are judged as they were. The objective and
    the penalty are those of `fit_calibration`, the columns being brought to a mean square of 1.

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
    x, y = _matrix(columns, tuple(names)), np.asarray(target, dtype=np.bool_)
    alpha = _trial_weights(y, len(x), base.prior, None)
    scale = np.sqrt(alpha @ np.square(x))
    scale[scale == 0] = np.inf
    log_odds = base.apply(columns) + math.log(base.prior / (1 - base.prior))
    added = _newton(x / scale, y, alpha, log_odds, np.full(x.shape[1], l2)) / scale
    return replace(base, names=(*base.names, *names), weights=(*base.weights, *map(float, added.tolist())))


def _trial_weights(y: BoolArray, n: int, prior: float, weights: ArrayLike | None) -> FloatArray:
    """What each trial counts for: those of targets sum to `prior`, all to 1."""
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


def _newton(
    design: FloatArray, y: BoolArray, alpha: FloatArray, log_odds: float | FloatArray, penalty: FloatArray
) -> FloatArray:
    """Minimise the convex objective over the weights of a design's columns.

    Newton's method, with steps halved until they help.
    """
    sign = np.where(y, -1.0, 1.0)

    def objective(theta: FloatArray) -> float:
        lost = np.logaddexp(0.0, sign * (design @ theta + log_odds))
        return float(alpha @ lost + penalty @ np.square(theta) / 2)

    theta = np.zeros(design.shape[1])
    value = objective(theta)
    for _ in range(_MOST_STEPS):
        posterior = 0.5 * (1 + np.tanh((design @ theta + log_odds) / 2))
        gradient = design.T @ (alpha * (posterior - y)) + penalty * theta
        curvature = (design * (alpha * posterior * (1 - posterior))[:, None]).T @ design
        # where all are sure, nothing bends: a grain of curvature keeps the step defined
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


def _matrix(columns: Mapping[str, ArrayLike], names: tuple[str, ...]) -> FloatArray:
    """The columns side by side, shape (n, n_columns)."""
    if not names:
        raise ChoiceError("no columns", needed="at least one column of scores")
    parts = [_column(columns, name) for name in names]
    if len({part.shape for part in parts}) > 1:
        raise ChoiceError(
            ", ".join(f"{name}: {part.shape}" for name, part in zip(names, parts, strict=True)),
            needed="columns of one length",
        )
    return np.column_stack(parts)


def _column(columns: Mapping[str, ArrayLike], name: str) -> FloatArray:
    if name not in columns and "*" in name:
        product: FloatArray = np.prod([_column(columns, factor) for factor in name.split("*")], axis=0)
        return product
    if name not in columns:
        raise MismatchError(
            f"the columns {', '.join(sorted(columns))} without {name!r}",
            needed="every column that the calibration was learnt with",
            remedy="give it, or learn the calibration anew",
        )
    values = np.asarray(columns[name], dtype=np.float64).ravel()
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise ChoiceError(
            f"{name!r} is {values[bad[0]]} in trial {bad[0]} ({len(bad)} such in all)",
            needed="finite numbers",
        )
    return values
