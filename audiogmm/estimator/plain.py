"""The E-step in NumPy, for mixtures and data so small that compiling kernels would take most of the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from audiogmm.kernels.estep.densities import AnyFrames, scaled_joint, triangular_joint
from audiogmm.mixture.checking import checked_frames, checked_weights, refuse_rows
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.layout import constants_of, lay_out_diagonal
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.threads import one_blas_thread
from audiogmm.types import FloatArray

CELLS = 2**15
"""Numbers of a block of (rows, n_components) that are held at a time, a few times over: 256 KiB."""

SMALL_MODEL = 2**11
"""Terms of a frame's scores up to which a mixture is small: `terms_of`."""

LARGE = 2**20
"""Terms of the scores of all frames from which compiled densities, which give the same bytes, are worth the
half second that they take to compile."""

SMALL_PASS = 2**21
"""Terms of the scores of all frames up to which a pass over them is small: a few hundredths of a second."""


def terms_of(mixture: Mixture) -> int:
    """Return how many products the scores of one frame take: n_components times the terms of a distance.

    Examples
    --------
    >>> terms_of(Mixture([1.0], [[0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0]], "diag"))
    3
    >>> terms_of(Mixture([1.0], [[0.0, 0.0, 0.0]], [np.eye(3)], "full"))
    6
    """
    K, D = mixture.n_components, mixture.n_features
    return K * (D if form_of(mixture.covariance_type).has_common_axes else D * (D + 1) // 2)


def is_small(mixture: Mixture, n_frames: int = 0) -> bool:
    """Return whether a mixture, and a pass over `n_frames` frames, are for NumPy.

    It depends on sizes alone, so that the same data give the same bytes on a machine whose kernels are
    compiled and on one whose kernels are not.

    Examples
    --------
    >>> mixture = Mixture([1.0], [[0.0]], [[1.0]], "diag")
    >>> is_small(mixture), is_small(mixture, 10**7)
    (True, False)
    """
    terms = terms_of(mixture)
    return terms <= SMALL_MODEL and n_frames * terms <= SMALL_PASS


class PlainEvaluator:
    """Evaluates frames under a small mixture, in float64 throughout, without a compiled kernel.

    The face of an `Evaluator`, as far as the estimator needs it. Nothing is skipped. Scores are taken term
    by term in the order of the features, so that what a frame gets does not depend on the frames around it.

    Parameters
    ----------
    mixture : Mixture
        The model.

    Examples
    --------
    >>> mixture = Mixture([0.5, 0.5], [[0.0], [10.0]], [[1.0], [1.0]], "diag")
    >>> evaluator = PlainEvaluator(mixture)
    >>> frames = np.array([[0.0], [1.0], [10.0]])
    >>> evaluator.log_likelihood(frames).round(3)
    array([-1.612, -2.112, -1.612])
    >>> evaluator.accumulate(frames).counts
    array([2., 1.])
    """

    def __init__(self, mixture: Mixture) -> None:
        self.mixture = mixture
        self.origin = mixture.centre.astype(np.float32).astype(np.float64)
        self._is_full = not form_of(mixture.covariance_type).has_common_axes
        if self._is_full:
            self._means, self._whitener = mixture.means, np.empty((0, 0))
            self._factors = form_of(mixture.covariance_type).precision_factor(mixture.covariances)
            self._constants = constants_of(mixture, self._factors)
        else:
            layout = lay_out_diagonal(mixture)
            self._means, self._scales, self._whitener = layout.means, layout.scales, layout.whitener
            self._constants = layout.constants

    def accumulate(self, frames: AnyFrames, weights: FloatArray | None = None) -> SufficientStats:
        """Take the E-step (Bishop 2006, equation 9.23); see `Evaluator.accumulate`."""
        frames = self._checked(frames)
        weights = None if weights is None else checked_weights(weights, len(frames))
        total = SufficientStats.zero(
            self.mixture.n_components, self.mixture.n_features, self.mixture.covariance_type, self.origin
        )
        with one_blas_thread():
            for rows, joint in self._joints(frames, SMALL_PASS):
                highest = joint.max(axis=1, keepdims=True)
                np.exp(joint - highest, out=joint)
                sums = joint.sum(axis=1, keepdims=True)
                part = SufficientStats.measure(
                    frames[rows],
                    joint / sums,
                    origin=self.origin,
                    covariance_type=self.mixture.covariance_type,
                    weights=None if weights is None else weights[rows],
                )
                scores = (highest + np.log(sums))[:, 0]
                total = total + replace(
                    part, log_likelihood=float(scores.sum() if weights is None else weights[rows] @ scores)
                )
        return total

    def log_likelihood(self, frames: AnyFrames) -> FloatArray:
        """Return log p(x) of every frame, shape (n,), nats."""
        frames = self._checked(frames)
        scores = np.empty(len(frames))
        for rows, joint in self._joints(frames):
            highest = joint.max(axis=1)
            joint -= highest[:, None]
            scores[rows] = highest + np.log(_sum_in_order(np.exp(joint, out=joint)))
        return scores

    def log_joint(self, frames: AnyFrames) -> FloatArray:
        """Return log weight + log density of every component, shape (n, n_components), nats."""
        frames = self._checked(frames)
        result = np.empty((len(frames), self.mixture.n_components))
        for rows, joint in self._joints(frames):
            result[rows] = joint
        return result

    def posteriors(self, frames: AnyFrames) -> FloatArray:
        """Return P(component | frame), shape (n, n_components); rows sum to one."""
        joint = self.log_joint(frames)
        joint -= joint.max(axis=1, keepdims=True)
        np.exp(joint, out=joint)
        joint /= _sum_in_order(joint)[:, None]
        return joint

    def _checked(self, frames: AnyFrames) -> FloatArray:
        frames = checked_frames(frames, self.mixture.n_features)
        refuse_rows(frames)
        return frames.astype(np.float64, copy=False)

    def _joints(self, frames: FloatArray, compiled_from: int = LARGE) -> Iterator[tuple[slice, FloatArray]]:
        """Yield the weighted log-densities of some rows at a time; from that many terms on by a kernel."""
        step = max(1, CELLS // self.mixture.n_components)
        is_large = len(frames) * terms_of(self.mixture) > compiled_from
        for first in range(0, len(frames), step):
            rows = slice(first, first + step)
            points = self._whitened(frames[rows])
            if is_large:
                yield rows, self._compiled_joint(points)
            else:
                distances = self._triangular if self._is_full else self._scaled
                yield rows, self._constants - 0.5 * distances(points)

    def _compiled_joint(self, points: FloatArray) -> FloatArray:
        """Return the weighted log-densities, shape (n, n_components), computed in the same order."""
        joint = np.empty((len(points), self.mixture.n_components))
        if self._is_full:
            lower = np.ascontiguousarray(self._factors.swapaxes(1, 2))
            triangular_joint(points, self._means, lower, self._constants, joint)
        else:
            means, scales = np.ascontiguousarray(self._means.T), np.ascontiguousarray(self._scales.T)
            scaled_joint(points, means, scales, self._constants, joint)
        return joint

    def _whitened(self, frames: FloatArray) -> FloatArray:
        """Return frames where a tied covariance is the identity, or as they are for other forms."""
        if not self._whitener.size:
            return frames
        points, centered = np.zeros_like(frames), frames - self.origin
        for d, factors in enumerate(self._whitener):
            points += centered[:, d, None] * factors
        return points

    def _scaled(self, points: FloatArray) -> FloatArray:
        """Return squared distances to components that are diagonal, or tied, shape (n, n_components)."""
        squares = np.zeros((len(points), self.mixture.n_components))
        for d in range(points.shape[1]):
            term = (points[:, d, None] - self._means[:, d]) * self._scales[:, d]
            squares += term * term
        return squares

    def _triangular(self, frames: FloatArray) -> FloatArray:
        """Return squared distances to components with a full covariance each, shape (n, n_components)."""
        centered = [frames[:, d, None] - self._means[:, d] for d in range(frames.shape[1])]
        squares = np.zeros((len(frames), self.mixture.n_components))
        for i in range(frames.shape[1]):
            row = np.zeros_like(squares)
            for j in range(i + 1):
                row += self._factors[:, j, i] * centered[j]
            squares += row * row
        return squares


def _sum_in_order(values: FloatArray) -> FloatArray:
    """Return the sum of each row, taken from the first column to the last whatever the number of rows."""
    total = np.zeros(len(values))
    for column in values.T:
        total += column
    return total
