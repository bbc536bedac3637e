"""A mixture made ready for frames: likelihoods, posteriors, and the E-step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import ChoiceError, MixtureError
from audiogmm.kernels.densities import AnyFrames
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.prepared import prepare
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray

ROWS = 256
"""Frames whose posteriors `top` holds at a time."""

SKIPPED_IN_ALL = 1e-7
"""Of a frame's likelihood, what `log_likelihood` may leave out at most, all components together."""


class Evaluator:
    """Evaluates frames under one mixture, on one thread and without the interpreter lock.

    A component is skipped only where a float32 bound proves its posterior to be below a threshold
    (`mixture.screening`); what is reported is computed in float64 from the others. What a frame gets does not
    depend on the frames around it: any chunking gives the same bytes. Memory beside the results does not grow
    with the frames.

    Parameters
    ----------
    mixture : Mixture
        The model.
    threshold : float
        `accumulate` may skip a component for a frame if its posterior is proven to be below this. 0 skips
        nothing.

    Raises
    ------
    ChoiceError
        If the threshold is not in [0, 1).

    Examples
    --------
    >>> mixture = Mixture([0.5, 0.5], [[0.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> evaluator = Evaluator(mixture)
    >>> frames = np.array([[0.0], [1.0], [10.0]], dtype=np.float32)
    >>> evaluator.log_likelihood(frames).round(3)
    array([-1.612, -2.112, -1.612])
    >>> stats = evaluator.accumulate(frames)
    >>> stats.counts, float(stats.skipped)
    (array([2., 1.]), 3.0)
    """

    def __init__(self, mixture: Mixture, threshold: float = 1e-7) -> None:
        if not 0 <= threshold < 1:
            raise ChoiceError(
                f"threshold={threshold}",
                needed="a posterior in [0, 1)",
                remedy="0 skips nothing, 1e-7 is usual",
            )
        self.mixture = mixture
        self.threshold = float(threshold)
        self._prepared = prepare(mixture)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.mixture, self.threshold)

    def __repr__(self) -> str:
        return f"Evaluator({self.mixture!r}, threshold={self.threshold:g})"

    @property
    def origin(self) -> FloatArray:
        """What moments are taken about, shape (n_features,): the mixture's centre, rounded to float32."""
        return self._prepared.origin

    def accumulate(self, frames: AnyFrames, weights: FloatArray | None = None) -> SufficientStats:
        """The E-step: scores, log-sum-exp and moments in one go; posteriors of all frames are never held.

        A posterior is computed from all components that were not skipped, and theirs sum to one. Sums over
        frames are taken in the frames' type within a tile of at most 128 of them, and in float64 beyond.

        Parameters
        ----------
        frames : ndarray of shape (n, n_features), float32 or float64
            Feature vectors.
        weights : ndarray of shape (n,), float64, optional
            A weight of each frame, 1 by default.

        Returns
        -------
        SufficientStats
            About `origin`.

        Raises
        ------
        MixtureError
            If frames have another shape or are not finite, naming the first such row, or weights do not fit.
        """
        frames = self._checked(frames)
        if weights is None:
            weights = np.empty(0)
            n_frames = float(len(frames))
        else:
            weights = self._checked_weights(weights, len(frames))
            n_frames = float(weights.sum())
        form, K = self.mixture.covariance_type, self.mixture.n_components
        sums = self._prepared.accumulate(frames, weights, _log(self.threshold))
        _refuse(sums.fault, frames)
        return SufficientStats(
            form,
            origin=self.origin,
            counts=sums.counts,
            first=sums.first,
            second=sums.second,
            n_frames=n_frames,
            log_likelihood=sums.log_likelihood,
            skipped=len(frames) * K - sums.pairs,
        )

    def log_likelihood(self, frames: AnyFrames) -> FloatArray:
        """log p(x) of every frame, shape (n,), nats; finite however far a frame is.

        Off by at most `SKIPPED_IN_ALL` nats beside float64 rounding. Frames and errors as of `accumulate`.
        """
        frames = self._checked(frames)
        totals = np.empty(len(frames))
        cut = _log(min(self.threshold, SKIPPED_IN_ALL / self.mixture.n_components))
        _refuse(self._prepared.log_likelihood(frames, cut, totals), frames)
        return totals

    def log_joint(self, frames: AnyFrames) -> FloatArray:
        """log weight + log density of every component, shape (n, n_components), nats; nothing is skipped.

        Minus infinity for a component without weight. Frames and errors as of `accumulate`.
        """
        frames = self._checked(frames)
        _refuse_rows(frames)
        joint = np.full((len(frames), self.mixture.n_components), -np.inf)
        self._prepared.log_joint(frames, joint)
        return joint

    def posteriors(self, frames: AnyFrames) -> FloatArray:
        """P(component | frame), shape (n, n_components), rows sum to one; nothing is skipped.

        Frames and errors as of `accumulate`.
        """
        joint = self.log_joint(frames)
        joint -= joint.max(axis=1, keepdims=True)
        np.exp(joint, out=joint)
        joint /= joint.sum(axis=1, keepdims=True)
        return joint

    def top(self, frames: AnyFrames) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
        """The likeliest component of every frame, and how sure that is.

        Frames and errors as of `accumulate`.

        Returns
        -------
        component : ndarray of shape (n,), int32
            The first of those with the highest posterior.
        posterior : ndarray of shape (n,), float64
            Of that component.
        entropy : ndarray of shape (n,), float64
            Of the posteriors, nats; from 0, sure, to log(n_components).
        """
        frames = self._checked(frames)
        component = np.empty(len(frames), dtype=np.int32)
        posterior, entropy = np.empty(len(frames)), np.empty(len(frames))
        for start in range(0, len(frames), ROWS):
            rows = slice(start, start + ROWS)
            gamma = self.posteriors(frames[rows])
            component[rows] = gamma.argmax(axis=1)
            posterior[rows] = gamma.max(axis=1)
            entropy[rows] = -(gamma * np.log(np.where(gamma > 0, gamma, 1.0))).sum(axis=1)
        return component, posterior, entropy

    def _checked(self, frames: AnyFrames) -> AnyFrames:
        frames = np.ascontiguousarray(frames)  # type: ignore[assignment]
        if frames.dtype not in (np.float32, np.float64):
            frames = frames.astype(np.float64)
        n_features = self.mixture.n_features
        if frames.ndim != 2 or frames.shape[1] != n_features:
            raise MixtureError(
                f"frames of shape {frames.shape}",
                needed=f"shape (n_frames, {n_features}): the mixture has {n_features} features",
                remedy="the front end that the mixture was trained with",
            )
        return frames if frames.flags.writeable else _Writeable(frames).view()

    def _checked_weights(self, weights: FloatArray, n_frames: int) -> FloatArray:
        weights = np.ascontiguousarray(weights, dtype=np.float64)
        if weights.shape != (n_frames,):
            raise MixtureError(
                f"weights of shape {weights.shape} for {n_frames} frames", needed=f"shape ({n_frames},)"
            )
        if n_frames and not (np.isfinite(weights).all() and weights.min() >= 0):
            n = int(np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))[0])
            raise MixtureError(f"frame {n} has weight {weights[n]}", needed="finite weights of at least 0")
        return weights


class _Writeable:
    """Passes a read-only array off as writeable: kernels would be compiled anew for the other kind."""

    def __init__(self, array: AnyFrames) -> None:
        self._array = array  # keeps the memory alive
        interface = array.__array_interface__
        self.__array_interface__ = interface | {"data": (interface["data"][0], False)}

    def view(self) -> AnyFrames:
        return np.asarray(self)


def _log(threshold: float) -> float:
    return float(np.log(threshold)) if threshold > 0 else -np.inf


def _refuse_rows(frames: AnyFrames) -> None:
    finite = np.isfinite(frames).all(axis=1)
    if not finite.all():
        _refuse(int(finite.argmin()), frames)


def _refuse(fault: int, frames: AnyFrames) -> None:
    if fault < 0:
        return
    feature = int(np.flatnonzero(~np.isfinite(frames[fault]))[0])
    raise MixtureError(
        f"frame {fault} has the value {frames[fault, feature]} in feature {feature}",
        needed="finite features",
        remedy="set the recording aside, or repair its samples",
    )
