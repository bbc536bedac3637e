"""The parameters of a mixture, laid out for the kernels of diagonal and of full components."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from audiogmm.kernels.estep import diagonal, full
from audiogmm.kernels.estep.densities import AnyFrames, scaled_joint, triangular_joint
from audiogmm.kernels.estep.diagonal import DiagonalComponents
from audiogmm.kernels.estep.dots import Int32Array
from audiogmm.kernels.estep.full import FullComponents
from audiogmm.kernels.estep.leading import leading_diagonal, leading_full
from audiogmm.kernels.estep.margins import Margins
from audiogmm.kernels.estep.outer import mirror, scatter
from audiogmm.kernels.estep.screens import GROUP, PANEL, TRIANGLES
from audiogmm.kernels.estep.tiles import Tile
from audiogmm.kernels.estep.totals import DiagonalTotals, FullTotals
from audiogmm.kernels.estep.whitening import whiten
from audiogmm.mixture.active_pairs import ActivePairs, active_pairs_of
from audiogmm.mixture.carried_margins import (
    LEAST_COMPONENTS,
    NO_MARGINS,
    CarriedMargins,
    DriftCache,
    ScoreParameters,
)
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.layout import constants_of, lay_out_diagonal, needs_float64
from audiogmm.mixture.screening import diagonal_screen, triangular_screen
from audiogmm.mixture.tiling import make_tile, padded_width
from audiogmm.types import FloatArray


@dataclass(frozen=True)
class EStepSums:
    """Sums of an E-step, for all components of the mixture; see `SufficientStats`."""

    counts: FloatArray
    first: FloatArray
    second: FloatArray
    log_likelihood: float
    pairs: float
    """Pairs of component and frame that were not skipped."""
    fault: int
    """First frame that holds NaN or infinity, or negative."""


class MixtureKernels(Protocol):
    """A mixture laid out for kernels."""

    origin: FloatArray
    far: bool
    """Whether `accumulate` needs float64 frames; see `layout.needs_float64`."""

    def accumulate(
        self, frames: AnyFrames, weights: FloatArray, log_cut: float, carried: CarriedMargins | None
    ) -> EStepSums:
        """Sum sufficient statistics about `origin`; empty weights are ones. See `CarriedMargins`."""
        ...

    def log_likelihood(self, frames: AnyFrames, log_cut: float, totals: FloatArray) -> int:
        """Fill totals (n,); return the index of a frame that is not finite, or a negative number."""
        ...

    def log_joint(self, frames: AnyFrames, joint: FloatArray) -> None:
        """Fill joint (n, K) for the components that have a weight."""
        ...

    def leading(self, frames: AnyFrames, log_cut: float, leading: Int32Array) -> int:
        """Fill leading (n, C) with the best components; return as `log_likelihood`."""
        ...

    def active_pairs(self, frames: AnyFrames, log_cut: float) -> Iterator[tuple[slice, ActivePairs]]:
        """Yield the pairs that are not skipped, some frames at a time."""
        ...


def kernels_of(mixture: Mixture) -> MixtureKernels:
    """Lay a mixture out for the kernels of its form."""
    diagonal = form_of(mixture.covariance_type).has_common_axes
    return DiagonalKernels(mixture) if diagonal else FullKernels(mixture)


def pad_features(features: FloatArray) -> FloatArray:
    """Pad rows (n, D) with zeros, shape (n, width)."""
    D = features.shape[1]
    return np.pad(features, ((0, 0), (0, padded_width(D) - D)))


class DiagonalKernels:
    """Components that are diagonal: in the axes of the frames, or (tied) once frames are whitened.

    A tied covariance with P P^T its inverse (`CovarianceForm.precision_factor`) makes of (x - origin) @ P
    points whose components all have the identity for a covariance.
    """

    def __init__(self, mixture: Mixture) -> None:
        self._form = form_of(mixture.covariance_type)
        layout = lay_out_diagonal(mixture)
        self.origin, self._means, self._scales = layout.origin, layout.means, layout.scales
        self._constants = constants = layout.constants
        means, centered = layout.means, layout.centered
        self._active = np.flatnonzero(mixture.weights > 0)
        active = self._active
        self.far = needs_float64(mixture, layout.centered * layout.scales, layout.whitener)
        precisions = layout.precisions
        spread = np.sqrt(mixture.weights @ (centered**2 + 1 / precisions))
        self._screen = diagonal_screen(centered[active], precisions[active], constants[active], spread)
        self._parameters = ScoreParameters(
            active,
            np.ascontiguousarray(means[active]),
            np.ascontiguousarray(np.broadcast_to(precisions, means.shape)[active]),
            constants[active],
        )
        self._drifts = DriftCache(self._parameters)
        self._components = DiagonalComponents(
            pad_features(means[active]).ravel(),
            pad_features(self._scales[active]).ravel(),
            constants[active],
            self.origin,
            np.pad(layout.whitener, (0, padded_width(len(layout.whitener)) - len(layout.whitener))),
        )

    def accumulate(
        self, frames: AnyFrames, weights: FloatArray, log_cut: float, carried: CarriedMargins | None
    ) -> EStepSums:
        """See `MixtureKernels`."""
        K, D = self._means.shape
        active, width = self._active, padded_width(D)
        first = np.zeros((len(active), width))
        second = np.zeros(self._form.accumulator_shape(len(active), width))
        totals = DiagonalTotals(np.zeros(len(active)), first.ravel(), second.ravel(), np.zeros(2))
        tile, margins = self._tile(frames), self._margins(len(frames), carried)
        fault = diagonal.accumulate(
            frames, weights, log_cut, self._screen, self._components, margins, tile, totals
        )
        if carried is not None and fault < 0:
            carried.end(self._parameters)
        sums = EStepSums(
            np.zeros(K),
            np.zeros((K, D)),
            np.zeros(self._form.second_shape(K, D)),
            float(totals.sums[0]),
            float(totals.sums[1]),
            fault,
        )
        sums.counts[active] = totals.counts
        sums.first[active] = first[:, :D]
        if self._form.shared:
            total = np.zeros((width, width))
            scatter(frames, weights, self.origin, width, total.ravel())
            mirror(total.ravel(), width, np.zeros(1, np.int64), sums.second[None])
        else:
            sums.second[active] = second[:, :D] if second.ndim == 2 else second
        return sums

    def log_likelihood(self, frames: AnyFrames, log_cut: float, totals: FloatArray) -> int:
        """See `MixtureKernels`."""
        tile = self._tile(frames)
        return diagonal.log_likelihood(
            frames, log_cut, self._screen, self._components, NO_MARGINS, tile, totals
        )

    def _margins(self, n_frames: int, carried: CarriedMargins | None) -> Margins:
        """Return the margins of the frames, where they can be of use."""
        integers = len(self._screen.dots.per_step) > 0
        if carried is None or not integers or self._form.shared or len(self._active) < LEAST_COMPONENTS:
            return NO_MARGINS
        return carried.begin(self._parameters, self._drifts, n_frames)

    def log_joint(self, frames: AnyFrames, joint: FloatArray) -> None:
        """See `MixtureKernels`."""
        points: AnyFrames = frames
        if self._form.shared:
            n, width = len(frames), padded_width(frames.shape[1])
            flat = np.empty(n * width)
            whiten(frames, 0, n, self.origin, self._components.factor, flat)
            points = flat.reshape(n, width)
        means, scales = np.ascontiguousarray(self._means.T), np.ascontiguousarray(self._scales.T)
        scaled_joint(points, means, scales, self._constants, joint)

    def leading(self, frames: AnyFrames, log_cut: float, leading: Int32Array) -> int:
        """See `MixtureKernels`."""
        tile = self._tile(frames)
        fault = leading_diagonal(frames, log_cut, self._screen, self._components, NO_MARGINS, tile, leading)
        leading[:] = np.append(self._active, -1)[leading]
        return int(fault)

    def active_pairs(self, frames: AnyFrames, log_cut: float) -> Iterator[tuple[slice, ActivePairs]]:
        """See `MixtureKernels`."""
        tile, at = self._tile(frames), 0
        while at < len(frames):
            count = min(len(tile.highest), len(frames) - at)
            n_pairs = diagonal.score_tile(
                frames, at, count, log_cut, self._screen, self._components, NO_MARGINS, tile
            )
            count = int(tile.n_frames[0])
            yield slice(at, at + count), active_pairs_of(tile, n_pairs, count, self._active, frames)
            at += count

    def _tile(self, frames: AnyFrames) -> Tile:
        points = np.dtype(np.float64) if self._form.shared else frames.dtype
        return make_tile(
            frames, len(self._active), self._screen.n_terms, len(self._screen.start) + GROUP, points, True
        )


class FullKernels:
    """Components with a full covariance each: (x - mean) @ P with P P^T its inverse."""

    def __init__(self, mixture: Mixture) -> None:
        form, D = form_of(mixture.covariance_type), mixture.n_features
        self.origin = mixture.center.astype(np.float32).astype(np.float64)
        self._means, self._factors = mixture.means, form.precision_factor(mixture.covariances)
        self._constants = constants_of(mixture, self._factors)
        # the likeliest first: where they have set a standard, the others are soon ruled out
        by_weight = np.argsort(-mixture.weights, kind="stable")
        self._active = active = by_weight[mixture.weights[by_weight] > 0]
        centered = self._means - self.origin
        self.far = needs_float64(mixture, np.einsum("kd,kde->ke", centered, self._factors), self._factors)
        variances = form.variances(mixture.covariances, *centered.shape)
        spread = np.sqrt(mixture.weights @ (centered**2 + variances))
        self._screen = triangular_screen(
            centered[active], self._factors[active], self._constants[active], spread
        )
        rest = padded_width(D) - D
        factors = np.pad(self._factors[active], ((0, 0), (0, rest), (0, rest)))
        self._components = FullComponents(
            pad_features(self._means[active]).ravel(), factors.ravel(), self._constants[active], self.origin
        )

    def accumulate(
        self, frames: AnyFrames, weights: FloatArray, log_cut: float, carried: CarriedMargins | None
    ) -> EStepSums:
        """See `MixtureKernels`."""
        K, D = self._means.shape
        active, width = self._active, padded_width(D)
        first, second = np.zeros((len(active), width)), np.zeros((len(active), width, width))
        totals = FullTotals(np.zeros(len(active)), first.ravel(), second.ravel(), np.zeros(2))
        fault = full.accumulate(
            frames, weights, log_cut, self._screen, self._components, self._tile(frames), totals
        )
        sums = EStepSums(
            np.zeros(K),
            np.zeros((K, D)),
            np.zeros((K, D, D)),
            float(totals.sums[0]),
            float(totals.sums[1]),
            fault,
        )
        sums.counts[active] = totals.counts
        sums.first[active] = first[:, :D]
        mirror(second.ravel(), width, active, sums.second)
        return sums

    def log_likelihood(self, frames: AnyFrames, log_cut: float, totals: FloatArray) -> int:
        """See `MixtureKernels`."""
        return full.log_likelihood(
            frames, log_cut, self._screen, self._components, self._tile(frames), totals
        )

    def log_joint(self, frames: AnyFrames, joint: FloatArray) -> None:
        """See `MixtureKernels`."""
        lower = np.ascontiguousarray(self._factors.swapaxes(1, 2))
        triangular_joint(frames, self._means, lower, self._constants, joint)

    def leading(self, frames: AnyFrames, log_cut: float, leading: Int32Array) -> int:
        """See `MixtureKernels`."""
        tile = self._tile(frames)
        fault = leading_full(frames, log_cut, self._screen, self._components, tile, leading)
        leading[:] = np.append(self._active, -1)[leading]
        return int(fault)

    def active_pairs(self, frames: AnyFrames, log_cut: float) -> Iterator[tuple[slice, ActivePairs]]:
        """See `MixtureKernels`."""
        tile, at = self._tile(frames), 0
        while at < len(frames):
            count = min(len(tile.highest), len(frames) - at)
            n_pairs = full.score_tile(frames, at, count, log_cut, self._screen, self._components, tile)
            yield slice(at, at + count), active_pairs_of(tile, n_pairs, count, self._active, frames)
            at += count

    def _tile(self, frames: AnyFrames) -> Tile:
        screen = self._screen
        tile = make_tile(frames, len(self._active), screen.n_rows + 1, len(screen.limits) // 4, frames.dtype)
        n_pairs = len(screen.triangles.per_step) // 2
        return tile._replace(
            quantized=tile.quantized._replace(pairs=np.empty(n_pairs * PANEL, np.int32)),
            scratch=np.zeros((2 * n_pairs + TRIANGLES + 1) * PANEL + 1, np.float32),
        )
