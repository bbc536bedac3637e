"""The covariance forms of variances without correlations: spherical and diagonal."""

from __future__ import annotations

import numpy as np

from audiogmm.mixture.form import CovarianceForm, StepwiseConstants
from audiogmm.types import FloatArray, IntArray


class VarianceForm(CovarianceForm):
    """A form whose covariances are variances along the features' own axes, K or more numbers."""

    def add(self, covariances: FloatArray, amount: float) -> FloatArray:
        return covariances + amount

    def matrix(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        return np.diag(np.broadcast_to(covariances[component], D)).astype(np.float64)

    def project(self, covariances: FloatArray, matrix: FloatArray, K: int) -> FloatArray:
        variances = covariances.reshape(K, -1) * np.ones(matrix.shape[1])
        projected: FloatArray = (matrix * variances[:, None, :]) @ matrix.T
        return projected

    def precision_factor(self, covariances: FloatArray) -> FloatArray:
        return 1 / np.sqrt(covariances)

    def precision(self, factors: FloatArray) -> FloatArray:
        return factors**2

    def covariance(self, factors: FloatArray) -> FloatArray:
        covariance: FloatArray = factors**-2
        return covariance

    def apply_precision(self, factors: FloatArray, vectors: FloatArray) -> FloatArray:
        return vectors * factors.reshape(len(vectors), -1) ** 2

    def relative_change(
        self, covariances: FloatArray, steps: FloatArray, change: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        scales = self.precision_factor(covariances).reshape(len(steps), -1)
        return steps * scales, change.reshape(len(steps), -1) * scales**2

    def squared_size(self, ratios: FloatArray, D: int) -> FloatArray:
        size: FloatArray = np.einsum("kd,kd->k", ratios, ratios) * (D / ratios.shape[1])
        return size

    def unconstrained(self, covariances: FloatArray) -> FloatArray:
        return np.log(covariances)

    def constrained(self, coordinates: FloatArray) -> FloatArray:
        return np.exp(coordinates)


class Spherical(VarianceForm):
    """One variance a component: covariances (K,), second moments (K,), the sums of squared distances."""

    name = "spherical"
    stepwise = StepwiseConstants(frames_each=4, unit_each=2, memory=40)

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (K,)

    def n_parameters(self, K: int, D: int) -> int:
        return K

    def fault(self, covariances: FloatArray) -> str:
        k = int(np.argmin(covariances))
        return "" if covariances[k] > 0 else f"component {k} has variance {covariances[k]:.6g}"

    def moment(self, deviations: FloatArray, posteriors: FloatArray) -> FloatArray:
        moment: FloatArray = posteriors.T @ np.einsum("nd,nd->n", deviations, deviations)
        return moment

    def scatter(self, deviations: FloatArray) -> FloatArray:
        squares: FloatArray = np.einsum("nd,nd->d", deviations, deviations).mean()
        return squares

    def shift(
        self, second: FloatArray, first: FloatArray, counts: FloatArray, delta: FloatArray
    ) -> FloatArray:
        return second - 2 * first @ delta + counts * (delta @ delta)

    def expected(self, covariances: FloatArray, deviations: FloatArray, counts: FloatArray) -> FloatArray:
        expected: FloatArray = counts * (
            deviations.shape[1] * covariances + np.einsum("kd,kd->k", deviations, deviations)
        )
        return expected

    def estimate(self, counts: FloatArray, deviations: FloatArray, second: FloatArray) -> FloatArray:
        squares = np.einsum("kd,kd->k", deviations, deviations)
        estimated: FloatArray = (second / counts - squares) / deviations.shape[1]
        return estimated

    def floor(self, covariances: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
        low = floor.mean()
        below = (covariances < low) & (low > 0)  # a floor of 0 is none
        return np.where(below, low, covariances), np.repeat(below[:, None], len(floor), axis=1).astype(
            np.int64
        )

    def total(self, second: FloatArray, D: int) -> FloatArray:
        return np.full(D, second.sum() / D)

    def variances(self, covariances: FloatArray, K: int, D: int) -> FloatArray:
        return np.repeat(covariances[:, None], D, axis=1)

    def broaden(self, variances: FloatArray, K: int) -> FloatArray:
        return np.full(K, variances.mean())

    def direction(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        return np.full(D, np.sqrt(covariances[component] / D))

    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        return D * np.log(factors)

    def squared_distance(
        self,
        factors: FloatArray,
        means: FloatArray,
        counts: FloatArray,
        first: FloatArray,
        second: FloatArray,
    ) -> float:
        cross, squares = (np.einsum("kd,kd->k", left, means) for left in (first, means))
        about = second - 2 * cross + counts * squares
        return float(about @ factors**2)

    def coordinate_weights(self, covariances: FloatArray, weights: FloatArray, D: int) -> FloatArray:
        return weights * D / 2

    def color(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        return noise * np.sqrt(covariances[components, None])


class Diagonal(VarianceForm):
    """One variance a component and feature: covariances (K, D), second moments (K, D)."""

    name = "diag"
    stepwise = StepwiseConstants(frames_each=4, unit_each=2, memory=40)

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (K, D)

    def n_parameters(self, K: int, D: int) -> int:
        return K * D

    def fault(self, covariances: FloatArray) -> str:
        k, d = np.unravel_index(np.argmin(covariances), covariances.shape)
        if covariances[k, d] > 0:
            return ""
        return f"component {k} has variance {covariances[k, d]:.6g} in feature {d}"

    def moment(self, deviations: FloatArray, posteriors: FloatArray) -> FloatArray:
        return posteriors.T @ deviations**2

    def scatter(self, deviations: FloatArray) -> FloatArray:
        squares: FloatArray = np.einsum("nd,nd->d", deviations, deviations)
        return squares

    def shift(
        self, second: FloatArray, first: FloatArray, counts: FloatArray, delta: FloatArray
    ) -> FloatArray:
        return second - 2 * delta * first + counts[:, None] * delta**2

    def expected(self, covariances: FloatArray, deviations: FloatArray, counts: FloatArray) -> FloatArray:
        return counts[:, None] * (covariances + deviations**2)

    def estimate(self, counts: FloatArray, deviations: FloatArray, second: FloatArray) -> FloatArray:
        return second / counts[:, None] - deviations**2

    def floor(self, covariances: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
        below = (covariances < floor) & (floor > 0)  # a floor of 0 is none
        return np.where(below, floor, covariances), below.astype(np.int64)

    def total(self, second: FloatArray, D: int) -> FloatArray:
        result: FloatArray = second.sum(axis=0)
        return result

    def variances(self, covariances: FloatArray, K: int, D: int) -> FloatArray:
        return covariances

    def broaden(self, variances: FloatArray, K: int) -> FloatArray:
        return np.tile(variances, (K, 1))

    def direction(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        result: FloatArray = np.sqrt(covariances[component])
        return result

    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        half: FloatArray = np.log(factors).sum(axis=1)
        return half

    def squared_distance(
        self,
        factors: FloatArray,
        means: FloatArray,
        counts: FloatArray,
        first: FloatArray,
        second: FloatArray,
    ) -> float:
        about = second - 2 * first * means + counts[:, None] * means**2
        return float(np.sum(about * factors**2))

    def coordinate_weights(self, covariances: FloatArray, weights: FloatArray, D: int) -> FloatArray:
        return weights[:, None] / 2

    def color(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        return noise * np.sqrt(covariances[components])
