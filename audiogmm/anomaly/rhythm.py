"""How unusual the modulation of an event is, and at which rates."""

from __future__ import annotations

import numpy as np

from audiogmm.anomaly.moment import MomentPlan
from audiogmm.anomaly.normal_moments import NormalMoments
from audiogmm.types import FloatArray, Json

STANDING = 1.0
"""Deviations from normal by which a rate stands out."""


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
    known, modulation = moments.usual_modulation, plan.modulation
    if known is None:
        return None
    mean, precision, limit = known
    span = modulation.span
    missing = max(0, span - len(frames))
    if missing > len(before):
        return None
    sound = np.concatenate([before[len(before) - missing :], frames])
    starts = np.unique(np.linspace(0, len(sound) - span, 1 + (len(sound) - span) // plan.window).astype(int))
    away = np.stack([modulation(sound[start : start + span]).ravel() for start in starts]) - mean
    unusual = float(np.einsum("ni,ij,nj->n", away, precision, away).mean()) / limit
    deviations = np.sqrt(np.diag(np.linalg.inv(precision)))
    shape = len(modulation.tracks), len(modulation.rates)
    change = away.mean(axis=0).reshape(shape)
    standing = change / deviations.reshape(shape)
    return {
        "unusual": unusual,
        "within": not missing,
        "stronger": _rate(modulation.rates, change, standing),
        "weaker": _rate(modulation.rates, change, -standing),
    }


def _rate(rates: FloatArray, change: FloatArray, standing: FloatArray) -> Json | None:
    """The rate band that stands out most in any track."""
    track, rate = np.unravel_index(int(np.argmax(standing)), standing.shape)
    if standing[track, rate] < STANDING:
        return None
    low, high = rates[rate]
    return {"low": float(low), "high": float(high), "db": float(change[track, rate])}
