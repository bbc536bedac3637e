"""Synthetic channels: what another microphone or line adds to every frame of a recording."""

from __future__ import annotations

import numpy as np

from audiogmm.audio.frontend.mfcc import cepstral_matrix
from audiogmm.audio.frontend.settings import FrontEndSettings
from audiogmm.types import FloatArray, Frames

RIPPLES = 6
"""Cosines over the band that make up a random response."""

RIPPLE_DECIBELS = 4.0
"""Deviation of the first cosine's height; that of the k-th is so much over the square root of k."""

CUT_DECIBELS = 25.0
"""What a band outside a line's band loses."""


def channel_offsets(frontend: FrontEndSettings, n: int, seed: int = 0) -> Frames | None:
    """Draw random smooth responses, as offsets of static features.

    A time-invariant channel multiplies each band's energy, so it adds a constant to log energies and to
    cepstra, and nothing to deltas. Every second response also cuts the band to that of a narrow line.

    Parameters
    ----------
    frontend : FrontEndSettings
        The features.
    n : int
        Number of responses.
    seed : int
        Of the generator.

    Returns
    -------
    ndarray of shape (n, n_features), float32, or None
        To be added to every frame; None where normalization takes such offsets away.

    Examples
    --------
    >>> channel_offsets(FrontEndSettings(cmvn="none", deltas=1), 3).shape
    (3, 40)
    >>> channel_offsets(FrontEndSettings(cmvn="sliding"), 3) is None
    True
    """
    if frontend.cmvn not in ("none", "global"):
        return None
    rng = np.random.default_rng(seed)
    band = (np.arange(frontend.n_mels) + 0.5) / frontend.n_mels
    offsets = np.zeros((n, frontend.n_features()), np.float32)
    for offset in offsets:
        decibels = rng.normal(0, RIPPLE_DECIBELS) * (band - 0.5)
        for k in range(1, RIPPLES + 1):
            decibels += rng.normal(0, RIPPLE_DECIBELS / np.sqrt(k)) * np.cos(np.pi * k * band)
        low, high, cut = rng.uniform(0, 0.15), rng.uniform(0.88, 1.0), rng.uniform() < 0.5
        if cut:
            decibels[(band < low) | (band > high)] -= CUT_DECIBELS
        offset[: frontend.n_static] = _static(frontend, decibels)
    if frontend.cmvn == "global" and frontend.cmvn_scale:
        offsets *= np.array(frontend.cmvn_scale, np.float32)
    return offsets


def _static(frontend: FrontEndSettings, decibels: FloatArray) -> FloatArray:
    """What a response adds to the static features, shape (n_static,)."""
    logs = decibels if frontend.log_scale == "db" else decibels * np.log(10.0) / 10.0
    if frontend.spectrum == "magnitude":
        logs = logs / 2
    level = [logs.mean()] if frontend.energy != "none" else []
    if frontend.feature == "mfcc":
        logs = cepstral_matrix(frontend) @ logs
    return np.concatenate([level, logs])
