"""The covariance forms of matrices: one for each component, or one for all."""

from __future__ import annotations

import numpy as np

from audiogmm.mixture import matrices
from audiogmm.mixture.form import CovarianceForm, StepwiseConstants
from audiogmm.threads import one_blas_thread
from audiogmm.types import FloatArray, IntArray


class MatrixForm(CovarianceForm):
    """A form whose covariances are matrices, one or K."""

    is_matrix = True

    def add(self, covariances: FloatArray, amount: float) -> FloatArray:
        return covariances + amount * np.eye(covariances.shape[-1])

    def scatter(self, deviations: FloatArray) -> FloatArray:
        scatter: FloatArray = np.einsum("ni,nj->ij", deviations, deviations)
        return scatter

    def project(self, covariances: FloatArray, matrix: FloatArray, K: int) -> FloatArray:
        return matrix @ covariances @ matrix.T * np.ones((K, 1, 1))

    def precision(self, factors: FloatArray) -> FloatArray:
        precision: FloatArray = factors @ factors.swapaxes(-1, -2)
        return precision

    def covariance(self, factors: FloatArray) -> FloatArray:
        roots = np.linalg.inv(factors)
        covariance: FloatArray = roots.swapaxes(-1, -2) @ roots
        return covariance

    def squared_distance(
        self,
        factors: FloatArray,
        means: FloatArray,
        counts: FloatArray,
        first: FloatArray,
        second: FloatArray,
    ) -> float:
        cross = np.einsum("kd,ke->kde", first, means)
        about = np.einsum("k,kd,ke->kde", counts, means, means) - cross - cross.swapaxes(1, 2)
        about = second + (about.sum(axis=0) if self.shared else about)
        # trace of P^T S P, with S about the means
        return float(np.einsum("...de,...di,...ei->", about, factors, factors, optimize=True))

    def squared_size(self, ratios: FloatArray, D: int) -> FloatArray:
        size: FloatArray = np.einsum("kde,kde->k", ratios, ratios)
        return size

    def unconstrained(self, covariances: FloatArray) -> FloatArray:
        with one_blas_thread():
            factors = np.linalg.cholesky(covariances).astype(np.float64)
        diagonal = np.einsum("...dd->...d", factors)
        diagonal[...] = np.log(diagonal)
        return factors

    def constrained(self, coordinates: FloatArray) -> FloatArray:
        factors = coordinates.copy()
        diagonal = np.einsum("...dd->...d", factors)
        diagonal[...] = np.exp(diagonal)
        with one_blas_thread():
            product: FloatArray = factors @ factors.swapaxes(-1, -2)
        return matrices.symmetric(product)


class Full(MatrixForm):
    """One matrix a component: covariances (K, D, D), second moments (K, D, D)."""

    name = "full"
    stepwise = StepwiseConstants(frames_each=64, unit_each=64, memory=200)

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (K, D, D)

    def n_parameters(self, K: int, D: int) -> int:
        return K * D * (D + 1) // 2

    def fault(self, covariances: FloatArray) -> str:
        with one_blas_thread():
            if not matrices.fault(covariances):  # all at once, then which
                return ""
        for k, matrix in enumerate(covariances):
            if fault := matrices.fault(matrix):
                return f"component {k} has a covariance that {fault}"
        return ""

    def moment(self, deviations: FloatArray, posteriors: FloatArray) -> FloatArray:
        return np.stack([(deviations * weight[:, None]).T @ deviations for weight in posteriors.T])

    def shift(
        self, second: FloatArray, first: FloatArray, counts: FloatArray, delta: FloatArray
    ) -> FloatArray:
        crossed = first[:, :, None] * delta
        return second - (crossed + crossed.swapaxes(1, 2)) + counts[:, None, None] * np.outer(delta, delta)

    def expected(self, covariances: FloatArray, deviations: FloatArray, counts: FloatArray) -> FloatArray:
        return counts[:, None, None] * (covariances + matrices.outer_squares(deviations))

    def estimate(self, counts: FloatArray, deviations: FloatArray, second: FloatArray) -> FloatArray:
        return matrices.symmetric(second / counts[:, None, None] - matrices.outer_squares(deviations))

    def floor(self, covariances: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
        return matrices.floor_matrices(covariances, floor)

    def frames_needed(self, D: int) -> int:
        return D

    def total(self, second: FloatArray, D: int) -> FloatArray:
        result: FloatArray = np.einsum("kdd->d", second)
        return result

    def variances(self, covariances: FloatArray, K: int, D: int) -> FloatArray:
        variances: FloatArray = np.einsum("kdd->kd", covariances).copy()
        return variances

    def matrix(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        return np.asarray(covariances[component])

    def broaden(self, variances: FloatArray, K: int) -> FloatArray:
        return np.tile(np.diag(variances), (K, 1, 1))

    def direction(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        return matrices.longest_axis(covariances[component])

    def precision_factor(self, covariances: FloatArray) -> FloatArray:
        return matrices.precision_factors(covariances)

    def apply_precision(self, factors: FloatArray, vectors: FloatArray) -> FloatArray:
        applied: FloatArray = np.einsum("kij,klj,kl->ki", factors, factors, vectors, optimize=True)
        return applied

    def relative_change(
        self, covariances: FloatArray, steps: FloatArray, change: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        P = self.precision_factor(covariances)
        return np.einsum("kd,kde->ke", steps, P), P.swapaxes(1, 2) @ change @ P

    def coordinate_weights(self, covariances: FloatArray, weights: FloatArray, D: int) -> FloatArray:
        variances = self.variances(covariances, len(covariances), D)
        scales: FloatArray = (weights / variances.mean(axis=1))[:, None, None]
        return scales

    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        half: FloatArray = np.log(np.einsum("kdd->kd", factors)).sum(axis=1)
        return half

    def color(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        colored = np.empty_like(noise)
        for k, matrix in enumerate(covariances):
            rows = components == k
            colored[rows] = noise[rows] @ np.linalg.cholesky(matrix).T
        return colored


class Tied(MatrixForm):
    """One matrix for all components: covariance (D, D), second moment (D, D), the scatter of all frames."""

    name = "tied"
    shared = True
    stepwise = StepwiseConstants(frames_each=4, unit_each=1, memory=28)

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (D, D)

    def n_parameters(self, K: int, D: int) -> int:
        return D * (D + 1) // 2

    def fault(self, covariances: FloatArray) -> str:
        fault = matrices.fault(covariances)
        return f"the tied covariance {fault}" if fault else ""

    def moment(self, deviations: FloatArray, posteriors: FloatArray) -> FloatArray:
        moment: FloatArray = (deviations * posteriors.sum(axis=1)[:, None]).T @ deviations
        return moment

    def shift(
        self, second: FloatArray, first: FloatArray, counts: FloatArray, delta: FloatArray
    ) -> FloatArray:
        # with the sum of the counts, not of the frames: an estimate then does not depend on the origin
        # even where the E-step has skipped some of the mass
        crossed = np.outer(first.sum(axis=0), delta)
        moved: FloatArray = second - (crossed + crossed.T) + counts.sum() * np.outer(delta, delta)
        return moved

    def expected(self, covariances: FloatArray, deviations: FloatArray, counts: FloatArray) -> FloatArray:
        expected: FloatArray = counts.sum() * covariances + (deviations * counts[:, None]).T @ deviations
        return expected

    def without(
        self,
        second: FloatArray,
        first: FloatArray,
        counts: FloatArray,
        components: IntArray,
        covariances: FloatArray,
    ) -> FloatArray:
        counts = counts[components]
        return second - self.expected(covariances, first[components] / counts[:, None], counts)

    def estimate(self, counts: FloatArray, deviations: FloatArray, second: FloatArray) -> FloatArray:
        between = (deviations * counts[:, None]).T @ deviations
        return matrices.symmetric((second - between) / counts.sum())

    def floor(self, covariances: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
        floored, raised = matrices.floor_matrix(covariances, floor)
        return floored, raised[None]

    def total(self, second: FloatArray, D: int) -> FloatArray:
        return np.diag(second).copy()

    def variances(self, covariances: FloatArray, K: int, D: int) -> FloatArray:
        return np.tile(np.diag(covariances), (K, 1))

    def matrix(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        return covariances

    def broaden(self, variances: FloatArray, K: int) -> FloatArray:
        return np.diag(variances)

    def keep(self, covariances: FloatArray, previous: FloatArray, components: IntArray) -> FloatArray:
        return covariances  # shared, so that the other components have estimated it

    def take(self, covariances: FloatArray, components: IntArray) -> FloatArray:
        return covariances

    def direction(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        return matrices.longest_axis(covariances)

    def precision_factor(self, covariances: FloatArray) -> FloatArray:
        return matrices.precision_factor(covariances)

    def apply_precision(self, factors: FloatArray, vectors: FloatArray) -> FloatArray:
        applied: FloatArray = vectors @ factors @ factors.T
        return applied

    def relative_change(
        self, covariances: FloatArray, steps: FloatArray, change: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        P = self.precision_factor(covariances)
        return steps @ P, (P.T[None] @ change[None] @ P[None])

    def coordinate_weights(self, covariances: FloatArray, weights: FloatArray, D: int) -> FloatArray:
        variances = self.variances(covariances, len(weights), D)
        return np.full(1, 1 / variances.mean())

    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        return np.full(K, np.log(np.diag(factors)).sum())

    def color(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        return noise @ np.linalg.cholesky(covariances).T
