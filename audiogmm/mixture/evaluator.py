"""Evaluation of frames under a mixture: likelihoods, posteriors, and the E-step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiogmm.errors import ChoiceError
from audiogmm.kernels.estep.densities import AnyFrames
from audiogmm.mixture.active_pairs import ActivePairs
from audiogmm.mixture.carried_margins import CarriedMargins
from audiogmm.mixture.checking import checked_frames, checked_weights, refuse, refuse_rows
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.kernels import kernels_of
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
        `accumulate` may skip a component for a frame if its posterior is proven to be below this; 0 skips
        nothing.
    float64 : bool
        Whether `accumulate` sums in float64 whatever the frames' type, for an M-step with a variance floor
        that `is_low`.

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

    def __init__(self, mixture: Mixture, threshold: float = 1e-7, float64: bool = False) -> None:
        if not 0 <= threshold < 1:
            raise ChoiceError(
                f"threshold={threshold}",
                needed="a posterior in [0, 1)",
                remedy="0 skips nothing, 1e-7 is usual",
            )
        self.mixture = mixture
        self.threshold = float(threshold)
        self._kernels = kernels_of(mixture)
        self._float64 = float64 or self._kernels.far

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.mixture, self.threshold, self._float64)

    def __repr__(self) -> str:
        return f"Evaluator({self.mixture!r}, threshold={self.threshold:g})"

    @property
    def origin(self) -> FloatArray:
        """The origin of the moments, shape (n_features,): the center of the mixture, rounded to float32."""
        return self._kernels.origin

    def accumulate(
        self, frames: AnyFrames, weights: FloatArray | None = None, carried: CarriedMargins | None = None
    ) -> SufficientStats:
        """Make the E-step: scores, log-sum-exp and moments at once; posteriors of all frames are never held.

        A posterior is computed from all components that were not skipped, and theirs sum to one. Sums over
        frames are taken in the frames' type within a tile, and in float64 beyond; throughout in float64
        where components lie so `far_apart`, or are so nearly singular, that variances would be lost.

        Parameters
        ----------
        frames : ndarray of shape (n, n_features), float32 or float64
            Feature vectors.
        weights : ndarray of shape (n,), float64, optional
            A weight of each frame, 1 by default.
        carried : CarriedMargins, optional
            Margins from the last pass over the same frames, which this pass uses and renews. They save
            time, and change no byte.

        Returns
        -------
        SufficientStats
            About `origin`.

        Raises
        ------
        MixtureError
            If frames have another shape or are not finite, naming the first such row, or weights do not fit.
        """
        frames = checked_frames(frames, self.mixture.n_features)
        if weights is None:
            weights = np.empty(0)
            n_frames = float(len(frames))
        else:
            weights = checked_weights(weights, len(frames))
            unit = _unit(weights)
            if unit != 1:
                part = self.accumulate(frames, weights / unit, carried)
                return replace(unit * part, skipped=part.skipped)
            n_frames = float(weights.sum())
        form, K = self.mixture.covariance_type, self.mixture.n_components
        if self._float64:
            frames = frames.astype(np.float64, copy=False)
        sums = self._kernels.accumulate(frames, weights, _log(self.threshold), carried)
        refuse(sums.fault, frames)
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
        """Return log p(x) of every frame, shape (n,), nats; finite however far a frame is.

        Off by at most `SKIPPED_IN_ALL` nats beside float64 rounding. Frames and errors as of `accumulate`.
        """
        frames = checked_frames(frames, self.mixture.n_features)
        totals = np.empty(len(frames))
        cut = _log(min(self.threshold, SKIPPED_IN_ALL / self.mixture.n_components))
        refuse(self._kernels.log_likelihood(frames, cut, totals), frames)
        return totals

    def log_joint(self, frames: AnyFrames) -> FloatArray:
        """Return log weight + log density of every component, shape (n, n_components), nats; none is skipped.

        Minus infinity for a component without weight. Frames and errors as of `accumulate`.
        """
        frames = checked_frames(frames, self.mixture.n_features)
        refuse_rows(frames)
        joint = np.full((len(frames), self.mixture.n_components), -np.inf)
        self._kernels.log_joint(frames, joint)
        return joint

    def posteriors(self, frames: AnyFrames) -> FloatArray:
        """Return P(component | frame), shape (n, n_components), rows sum to one; nothing is skipped.

        Frames and errors as of `accumulate`.
        """
        joint = self.log_joint(frames)
        joint -= joint.max(axis=1, keepdims=True)
        np.exp(joint, out=joint)
        joint /= joint.sum(axis=1, keepdims=True)
        return joint

    def top(self, frames: AnyFrames) -> tuple[NDArray[np.int32], FloatArray, FloatArray]:
        """Find the likeliest component of every frame, and how certain that is.

        Frames and errors as of `accumulate`.

        Returns
        -------
        component : ndarray of shape (n,), int32
            The first of those with the highest posterior.
        posterior : ndarray of shape (n,), float64
            Of that component.
        entropy : ndarray of shape (n,), float64
            Of the posteriors, nats; from 0, certain, to log(n_components).
        """
        frames = checked_frames(frames, self.mixture.n_features)
        component = np.empty(len(frames), dtype=np.int32)
        posterior, entropy = np.empty(len(frames)), np.empty(len(frames))
        for start in range(0, len(frames), ROWS):
            rows = slice(start, start + ROWS)
            gamma = self.posteriors(frames[rows])
            component[rows] = gamma.argmax(axis=1)
            posterior[rows] = gamma.max(axis=1)
            entropy[rows] = -(gamma * np.log(np.where(gamma > 0, gamma, 1.0))).sum(axis=1)
        return component, posterior, entropy

    def leading(self, frames: AnyFrames, n_components: int) -> NDArray[np.int32]:
        """Find the components of highest posterior for every frame: the sets of a `TruncatedEvaluator`.

        Parameters
        ----------
        frames : ndarray of shape (n, n_features)
            As of `accumulate`.
        n_components : int
            Number of components, C, as in Kaldi's gselect.

        Returns
        -------
        ndarray of shape (n, C), int32
            The best first; -1 behind where all others have a posterior below the threshold.

        Raises
        ------
        MixtureError
            As `accumulate`.
        ChoiceError
            If C is not from 1 to the mixture's number of components.
        """
        frames = checked_frames(frames, self.mixture.n_features)
        if not 1 <= n_components <= self.mixture.n_components:
            raise ChoiceError(
                f"the {n_components} best of {self.mixture.n_components} components",
                needed=f"a number from 1 to {self.mixture.n_components}",
            )
        leading = np.empty((len(frames), n_components), np.int32)
        refuse(self._kernels.leading(frames, _log(self.threshold), leading), frames)
        return leading

    def active_pairs(self, frames: AnyFrames, log_cut: float) -> Iterator[tuple[slice, ActivePairs]]:
        """Find the components that are not skipped for each frame, a tile of frames at a time.

        Parameters
        ----------
        frames : ndarray of shape (n, n_features)
            As of `accumulate`.
        log_cut : float
            A component is left out for a frame only if its log-score is proven to be so much below the best
            one's; minus infinity leaves out nothing.

        Yields
        ------
        slice
            Of the frames.
        ActivePairs
            Their pairs; those of a frame do not depend on the frames around it.

        Raises
        ------
        MixtureError
            As `accumulate`.
        """
        return self._kernels.active_pairs(checked_frames(frames, self.mixture.n_features), log_cut)


def _log(threshold: float) -> float:
    return float(np.log(threshold)) if threshold > 0 else -np.inf


def _unit(weights: FloatArray) -> float:
    """Return a power of 2 that brings weights near 1, so that float32 can hold them times squares.

    It is 1 for weights of 1e-6 to 1e6, and changes no digit.
    """
    largest = weights.max(initial=0.0)
    return 1.0 if largest == 0 or 1e-6 <= largest <= 1e6 else float(2.0 ** np.floor(np.log2(largest)))
