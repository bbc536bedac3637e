"""How unusual the modulation of an event is, and at which rates."""

from __future__ import annotations

import numpy as np

from audiogmm.anomaly.moment import MomentPlan
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.types import FloatArray, Json

NOTABLE = 1.0
"""Standard deviations from normal by which a rate is given."""


def measure_rhythm(
    moments: NormalMoments, plan: MomentPlan, frames: np.ndarray, before: np.ndarray
) -> Json | None:
    """Compare the modulation of an event with that of normal moments.

    Parameters
    ----------
    moments : NormalMoments
        To compare with.
    plan : MomentPlan
        How modulation is measured.
    frames : ndarray of shape (n, n_features), float32
        Of the event.
    before : ndarray of shape (m, n_features), float32
        The frames before it, of which as many are used as a short event lacks.

    Returns
    -------
    dict or None
        The entry `rhythm` of an explanation, see `EventExplainer`; None where the usual modulation is not
        known, or there are too few frames.
    """
    usual, modulation = moments.usual_modulation, plan.modulation
    if usual is None:
        return None
    mean, precision, limit = usual
    span = modulation.span
    missing = max(0, span - len(frames))
    if missing > len(before):
        return None
    whole = np.concatenate([before[len(before) - missing :], frames])
    starts = np.unique(np.linspace(0, len(whole) - span, 1 + (len(whole) - span) // plan.window).astype(int))
    away = np.stack([modulation(whole[start : start + span]).ravel() for start in starts]) - mean
    unusual = float(np.einsum("ni,ij,nj->n", away, precision, away).mean()) / limit
    deviations = np.sqrt(np.diag(np.linalg.inv(precision)))
    shape = len(modulation.tracks), len(modulation.rates)
    change = away.mean(axis=0).reshape(shape)
    differences = change / deviations.reshape(shape)
    return {
        "unusual": unusual,
        "within": not missing,
        "stronger": _rate(modulation.rates, change, differences),
        "weaker": _rate(modulation.rates, change, -differences),
    }


def _rate(rates: FloatArray, change: FloatArray, differences: FloatArray) -> Json | None:
    """The rate band that differs most in any track."""
    track, rate = np.unravel_index(int(np.argmax(differences)), differences.shape)
    if differences[track, rate] < NOTABLE:
        return None
    low, high = rates[rate]
    return {"low": float(low), "high": float(high), "db": float(change[track, rate])}
