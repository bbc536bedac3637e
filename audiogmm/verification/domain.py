"""The channel that all who are enrolled share, and the background model moved to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.store import Model
from audiogmm.reduce import LocalReducer
from audiogmm.types import FloatArray
from audiogmm.verification.background_frames import Voice
from audiogmm.verification.supervector import deviations

FEWEST_SPEAKERS = 5
"""Speakers whose voices even out enough for what is left to be the channel."""

ROUNDS = 4
"""Of EM."""


def shared_offset(
    background: Mixture, voices: Sequence[Voice], reducer: LocalReducer | None = None
) -> FloatArray:
    """The offset of all frames under which the background model explains them best.

    Maximum likelihood by EM, the signal bias of Rahim and Juang (1996): with posteriors under the moved
    model, ``b_d = sum_k (f_kd - n_k m_kd) / v_kd / sum_k n_k / v_kd``. Every speaker counts alike.

    Parameters
    ----------
    background : Mixture
        Of full covariances the diagonal counts.
    voices : sequence of Voice
        Some frames of each speaker.
    reducer : LocalReducer, optional
        Its threads do the work.

    Returns
    -------
    ndarray of shape (n_features,), float64

    Examples
    --------
    >>> background = Mixture([0.5, 0.5], [[0.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> heard = np.array([[2.0], [12.0]] * 50, dtype=np.float32)
    >>> shared_offset(background, [Voice("a", "ann", "", heard, 100.0)]).round(3)
    array([2.])
    """
    evaluator = Evaluator(background)
    precision = 1 / np.square(deviations(background))
    lengths: dict[str, int] = {}
    for voice in voices:
        lengths[voice.speaker] = lengths.get(voice.speaker, 0) + len(voice.frames)
    offset = np.zeros(background.n_features)

    def sums(voice: Voice) -> FloatArray:
        stats = evaluator.accumulate(voice.frames - offset.astype(np.float32))
        about = stats.first - stats.counts[:, None] * (background.means - stats.origin)
        both = np.stack([(about * precision).sum(axis=0), stats.counts @ precision])
        return np.asarray(both / lengths[voice.speaker], dtype=np.float64)

    for _ in range(ROUNDS):
        total = sum((reducer or LocalReducer(1)).threaded.map(voices, sums), np.zeros((2, len(offset))))
        offset = offset + total[0] / total[1]
    return offset


def moved(model: Model, offset: FloatArray) -> Model:
    """The model with its means moved; it remembers which model it was.

    Examples
    --------
    >>> model = Model(Mixture([1.0], [[1.0]], [[1.0]], "diag"))
    >>> again = moved(model, np.array([2.0]))
    >>> again.means, again.metadata.moved["from"] == model.fingerprint
    (array([[3.]]), True)
    """
    old = model.mixture
    mixture = Mixture(old.weights, old.means + offset, old.covariances, old.covariance_type)
    told = {"from": model.fingerprint, "offset": offset.tolist()}
    return replace(model, mixture=mixture, statistics=None, metadata=replace(model.metadata, moved=told))


def origin(model: Model) -> str:
    """The fingerprint of the model as it was trained, before it was moved."""
    told = model.metadata.moved
    return model.fingerprint if told is None else str(told["from"])
