"""Differences of adapted models to their background, laid out for the kernels of likelihood ratios."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.kernels.estep.ratios import MODELS, ModelShifts
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import BoolArray, FloatArray


@dataclass(frozen=True)
class Shift:
    """One model, as differences to its background model.

    Attributes
    ----------
    linear : ndarray of shape (K, D), float64
        Coefficients of x - mean in ``log N(x; model's k) - log N(x; background's k)``.
    quadratic : ndarray of shape (K, D), float64, optional
        Those of its squares; None if the covariances are the background's.
    offset : ndarray of shape (K,), float64
        The rest, with the difference of the log weights, nats.
    """

    linear: FloatArray
    quadratic: FloatArray | None
    offset: FloatArray


def check_shape(background: Mixture, model: Mixture) -> Mixture:
    """Return the model, which must have the background's shape.

    Raises
    ------
    MismatchError
        If it is not.
    """
    came, wanted = ((m.covariance_type, *m.means.shape) for m in (model, background))
    if came != wanted:
        raise MismatchError(
            f"a model of {came[1]} components, {came[2]} features, {came[0]}",
            needed=f"{wanted[1]} components, {wanted[2]} features, {wanted[0]}, as its background has",
        )
    return model


def shift_from(background: Mixture, model: Mixture) -> Shift | None:
    """Return what a model adds to each component's log-density; None if that takes products of two features.

    With P the precision, z = x - m and d = m' - m, it is ``d P z - d P d / 2 + log w'/w`` for adapted means.
    For variances adapted along the axes, ``d P' z - z (P' - P) z / 2 - d P' d / 2 + log |P'| / |P| / 2 +
    log w'/w``. A full or tied covariance that was adapted needs products of two features.
    """
    form, (K, D) = form_of(background.covariance_type), background.means.shape
    factors = form.precision_factor(background.covariances)
    d = model.means - background.means
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(background.weights > 0, np.log(model.weights) - np.log(background.weights), 0.0)
    quadratic = None
    if np.array_equal(model.covariances, background.covariances):
        linear = form.apply_precision(factors, d)
    elif not form.is_matrix:
        theirs = form.precision_factor(model.covariances)
        ours, precision = (np.broadcast_to(f.reshape(K, -1) ** 2, (K, D)) for f in (factors, theirs))
        linear, quadratic = d * precision, -0.5 * (precision - ours)
        gain = gain + 0.5 * np.log(precision / ours).sum(axis=1)
    else:
        return None
    return Shift(linear, quadratic, gain - 0.5 * (d * linear).sum(axis=1))


@dataclass(frozen=True)
class ShiftTable:
    """The shifts of many models.

    Attributes
    ----------
    shifts : ModelShifts
        For the kernels.
    plain : ndarray of shape (n_models,), bool
        Models without a shift, which must be evaluated one by one.
    """

    shifts: ModelShifts
    plain: BoolArray


def tabulate_shifts(
    background: Mixture, models: Iterable[Mixture], *, means_alone: bool = False
) -> ShiftTable:
    """Lay out the shifts of models, which are taken one by one and not held.

    Parameters
    ----------
    background : Mixture
        The model that they were adapted from.
    models : iterable of Mixture
        The models.
    means_alone : bool
        Take the weights and covariances of the background.
    """
    found = []
    for model in models:
        check_shape(background, model)
        if means_alone:
            model = replace(background, means=model.means)
        found.append(shift_from(background, model))
    K, D = background.means.shape
    squares = any(shift is not None and shift.quadratic is not None for shift in found)
    n_terms, n_blocks = D * (1 + squares), -(-max(len(found), 1) // MODELS)
    table = np.zeros((K, n_blocks, n_terms, MODELS), np.float32)
    offset = np.zeros((K, n_blocks, MODELS))
    for m, shift in enumerate(found):
        if shift is None:
            continue
        b, lane = divmod(m, MODELS)
        with np.errstate(over="ignore"):
            table[:, b, :D, lane] = shift.linear
            if shift.quadratic is not None:
                table[:, b, D:, lane] = shift.quadratic
        offset[:, b, lane] = shift.offset
    return ShiftTable(
        ModelShifts(table.ravel(), offset.ravel(), background.means, n_terms),
        np.array([shift is None for shift in found], dtype=bool),
    )
