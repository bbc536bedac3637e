"""The channel that enrolled recordings share, and the background model moved to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.store import Model
from audiogmm.reduce import LocalReducer
from audiogmm.types import FloatArray
from audiogmm.verification.background import AnyRecording
from audiogmm.verification.supervector import component_deviations

MIN_SPEAKERS = 5
"""Speakers over whom the means of voices average out, so that what is left is the channel."""

ROUNDS = 4
"""Of EM."""


def estimate_offset(
    background: Mixture, recordings: Sequence[AnyRecording], reducer: LocalReducer | None = None
) -> FloatArray:
    """Estimate the offset of all frames under which the background model explains them best.

    Maximum likelihood by EM, the signal bias of Rahim and Juang (1996): with posteriors under the moved
    model, ``b_d = sum_k (f_kd - n_k m_kd) / v_kd / sum_k n_k / v_kd``. All speakers have the same weight.

    Parameters
    ----------
    background : Mixture
        Of full covariances the diagonal counts.
    recordings : sequence of BackgroundRecording or StoredRecording
        Some frames of each speaker.
    reducer : LocalReducer, optional
        Its threads do the work.

    Returns
    -------
    ndarray of shape (n_features,), float64

    Examples
    --------
    >>> background = Mixture([0.5, 0.5], [[0.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> from audiogmm.verification.background import BackgroundRecording
    >>> frames = np.array([[2.0], [12.0]] * 50, dtype=np.float32)
    >>> estimate_offset(background, [BackgroundRecording("a", "ann", "", frames, 100.0)]).round(3)
    array([2.])
    """
    evaluator = Evaluator(background)
    precision = 1 / np.square(component_deviations(background))
    lengths: Counter[str] = Counter()
    for recording in recordings:
        lengths[recording.speaker] += recording.n_frames
    offset = np.zeros(background.n_features)

    def sums(recording: AnyRecording) -> FloatArray:
        stats = evaluator.accumulate(recording.load().frames - offset.astype(np.float32))
        about = stats.first - stats.counts[:, None] * (background.means - stats.origin)
        both = np.stack([(about * precision).sum(axis=0), stats.counts @ precision])
        return np.asarray(both / lengths[recording.speaker], dtype=np.float64)

    for _ in range(ROUNDS):
        total = sum((reducer or LocalReducer(1)).threaded.map(recordings, sums), np.zeros((2, len(offset))))
        offset = offset + total[0] / total[1]
    return offset


def shift_means(model: Model, offset: FloatArray) -> Model:
    """Return the model with its means shifted, and the original model's fingerprint in its metadata.

    Examples
    --------
    >>> model = Model(Mixture([1.0], [[1.0]], [[1.0]], "diag"))
    >>> shifted = shift_means(model, np.array([2.0]))
    >>> shifted.means, original_fingerprint(shifted) == model.fingerprint
    (array([[3.]]), True)
    """
    old = model.mixture
    mixture = Mixture(old.weights, old.means + offset, old.covariances, old.covariance_type)
    moved = {"from": model.fingerprint, "offset": offset.tolist()}
    return replace(model, mixture=mixture, statistics=None, metadata=replace(model.metadata, moved=moved))


def original_fingerprint(model: Model) -> str:
    """Return the fingerprint of the model as it was trained, before its means were shifted."""
    moved = model.metadata.moved
    return model.fingerprint if moved is None else str(moved["from"])
