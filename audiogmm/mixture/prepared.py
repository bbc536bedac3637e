"""A mixture's parameters, laid out for the kernels: one class for components that are diagonal, one for full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from audiogmm.kernels import estep
from audiogmm.kernels.densities import AnyFrames, scaled_joint, triangular_joint, whiten
from audiogmm.kernels.microkernels import BLOCK, PANEL
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.screening import diagonal_screen
from audiogmm.types import FloatArray


@dataclass(frozen=True)
class Sums:
    """What an E-step adds up, for all components of the mixture; see `SufficientStats`."""

    counts: FloatArray
    first: FloatArray
    second: FloatArray
    log_likelihood: float
    pairs: float
    """Pairs of component and frame that were not skipped."""
    fault: int
    """First frame that holds NaN or infinity, or negative."""


class Prepared(Protocol):
    """Parameters laid out for kernels."""

    origin: FloatArray

    def accumulate(self, frames: AnyFrames, weights: FloatArray, log_cut: float) -> Sums:
        """Sufficient statistics about `origin`; empty weights are ones."""
        ...

    def log_likelihood(self, frames: AnyFrames, log_cut: float, totals: FloatArray) -> int:
        """Fill totals (n,); the index of a frame that is not finite, or negative."""
        ...

    def log_joint(self, frames: AnyFrames, joint: FloatArray) -> None:
        """Fill joint (n, K) for the components that have a weight."""
        ...


def prepare(mixture: Mixture) -> Prepared:
    """Lay a mixture out for the kernels of its form."""
    return Ellipsoids(mixture) if mixture.covariance_type == "full" else Axes(mixture)


def padded(features: FloatArray) -> FloatArray:
    """Rows (n, D) with zeros up to a multiple of `BLOCK`, shape (n, width)."""
    width = -(-features.shape[1] // BLOCK) * BLOCK
    return np.pad(features, ((0, 0), (0, width - features.shape[1])))


LARGEST_TILE = 128
"""Frames of a tile; sums within a tile are in the frames' type, so this bounds their rounding."""

TILE_SCORES = 2**17
"""Scores that a tile may hold: they should stay in a core's own cache."""


def tile_frames(n_frames: int, n_components: int) -> int:
    """Frames of a tile: a multiple of PANEL, no more than there are."""
    room = min(LARGEST_TILE, max(1, TILE_SCORES // n_components), max(1, n_frames))
    return -(-room // PANEL) * PANEL


class Axes:
    """Components that are diagonal: in the frames' own axes, or (tied) once frames are whitened.

    A tied covariance with P P^T its inverse (`CovarianceForm.precision_factor`) makes of (x - origin) @ P points whose
    components all have the identity for a covariance.
    """

    def __init__(self, mixture: Mixture) -> None:
        form, (K, D) = form_of(mixture.covariance_type), mixture.means.shape
        self._form = form
        self.origin = mixture.centre.astype(np.float32).astype(np.float64)
        factors = form.precision_factor(mixture.covariances)
        with np.errstate(divide="ignore"):
            constants = np.log(mixture.weights)
        constants += form.half_log_precision(factors, K, D) - 0.5 * D * np.log(2 * np.pi)
        means, centred = mixture.means, mixture.means - self.origin
        whitener = np.empty((0, 0))
        if form.shared:
            whitener, factors = np.ascontiguousarray(factors), np.ones(K)
            means = centred = centred @ whitener
        self._means, self._scales, self._constants = (
            means,
            np.broadcast_to(factors.reshape(K, -1), (K, D)),
            constants,
        )
        self._active = np.flatnonzero(mixture.weights > 0)
        active = self._active
        self._screen = diagonal_screen(
            centred[active], factors.reshape(K, -1)[active] ** 2, constants[active]
        )
        self._components = estep.Components(
            padded(means[active]).ravel(),
            padded(self._scales[active]).ravel(),
            constants[active],
            self.origin,
            whitener,
        )

    def accumulate(self, frames: AnyFrames, weights: FloatArray, log_cut: float) -> Sums:
        """See `Prepared`."""
        K, D = self._means.shape
        active, width = self._active, -(-D // BLOCK) * BLOCK
        name = self._form.name
        first = np.zeros((len(active), width))
        second = np.zeros({"diag": first.shape, "spherical": (len(active),)}.get(name, (0,)))
        totals = estep.Totals(np.zeros(len(active)), first.ravel(), second.ravel(), np.zeros(2))
        fault = estep.accumulate(
            frames, weights, log_cut, self._screen, self._components, self._tile(frames), totals
        )
        sums = Sums(
            np.zeros(K), np.zeros((K, D)), np.zeros(self._form.second_shape(K, D)), *totals.sums, fault
        )
        sums.counts[active] = totals.counts
        sums.first[active] = first[:, :D]
        if name == "tied":
            estep.scatter(frames, weights, self.origin, sums.second)
        else:
            sums.second[active] = second[:, :D] if second.ndim == 2 else second
        return sums

    def log_likelihood(self, frames: AnyFrames, log_cut: float, totals: FloatArray) -> int:
        """See `Prepared`."""
        return estep.log_likelihood(
            frames, log_cut, self._screen, self._components, self._tile(frames), totals
        )

    def log_joint(self, frames: AnyFrames, joint: FloatArray) -> None:
        """See `Prepared`."""
        points: AnyFrames = frames
        if self._form.shared:
            points = np.empty(frames.shape)
            whiten(frames, self.origin, self._components.factor, points)
        means, scales = np.ascontiguousarray(self._means.T), np.ascontiguousarray(self._scales.T)
        scaled_joint(points, means, scales, self._constants, joint)

    def _tile(self, frames: AnyFrames) -> estep.Tile:
        D, K = self._means.shape[1], len(self._active)
        T, width = tile_frames(len(frames), K), -(-D // BLOCK) * BLOCK
        return estep.Tile(
            centred=np.zeros(T * width, frames.dtype),
            points=np.zeros(T * width),
            norm=np.empty(T),
            terms=np.empty(T * self._screen.n_terms, np.float32),
            upper=np.empty(T * len(self._screen.start), np.float32),
            lower=np.empty(T, np.float32),
            highest=np.empty(T),
            total=np.empty(T),
            begin=np.empty(K + 1, np.int64),
            member=np.empty(T * K, np.int32),
            score=np.empty(T * K),
            gamma=np.empty(T * K, frames.dtype),
        )


class Ellipsoids:
    """Components with a full covariance each: (x - mean) @ P with P P^T its inverse."""

    def __init__(self, mixture: Mixture) -> None:
        form, (K, D) = form_of(mixture.covariance_type), mixture.means.shape
        self.origin = mixture.centre.astype(np.float32).astype(np.float64)
        factors = form.precision_factor(mixture.covariances)
        with np.errstate(divide="ignore"):
            constants = np.log(mixture.weights)
        self._constants = constants + form.half_log_precision(factors, K, D) - 0.5 * D * np.log(2 * np.pi)
        self._means = mixture.means
        self._factors = np.ascontiguousarray(factors.swapaxes(1, 2))

    def log_joint(self, frames: AnyFrames, joint: FloatArray) -> None:
        """See `Prepared`."""
        triangular_joint(frames, self._means, self._factors, self._constants, joint)

    def log_likelihood(self, frames: AnyFrames, log_cut: float, totals: FloatArray) -> int:
        """See `Prepared`."""
        for at in range(0, len(frames), LARGEST_TILE):
            rows = frames[at : at + LARGEST_TILE]
            joint = np.empty((len(rows), len(self._means)))
            self.log_joint(rows, joint)
            highest = joint.max(axis=1)
            totals[at : at + len(rows)] = highest + np.log(np.exp(joint - highest[:, None]).sum(axis=1))
        bad = np.flatnonzero(~np.isfinite(frames).all(axis=1))
        return int(bad[0]) if len(bad) else -1

    def accumulate(self, frames: AnyFrames, weights: FloatArray, log_cut: float) -> Sums:
        """See `Prepared`."""
        K, D = self._means.shape
        sums = Sums(np.zeros(K), np.zeros((K, D)), np.zeros((K, D, D)), 0.0, len(frames) * K, -1)
        total = 0.0
        for at in range(0, len(frames), LARGEST_TILE):
            rows = frames[at : at + LARGEST_TILE]
            joint = np.empty((len(rows), K))
            self.log_joint(rows, joint)
            highest = joint.max(axis=1)
            gamma = np.exp(joint - highest[:, None])
            mass = gamma.sum(axis=1)
            w = weights[at : at + LARGEST_TILE] if len(weights) else np.ones(len(rows))
            total += float(w @ (highest + np.log(mass)))
            gamma *= (w / mass)[:, None]
            x = rows - self.origin
            np.add(sums.counts, gamma.sum(axis=0), out=sums.counts)
            np.add(sums.first, gamma.T @ x, out=sums.first)
            for k in range(K):
                sums.second[k] += (x * gamma[:, k, None]).T @ x
        bad = np.flatnonzero(~np.isfinite(frames).all(axis=1))
        return Sums(sums.counts, sums.first, sums.second, total, sums.pairs, int(bad[0]) if len(bad) else -1)
