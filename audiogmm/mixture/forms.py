"""The four covariance forms in one table: whatever depends on the form is asked of its row."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture import matrices
from audiogmm.mixture.form import CovarianceForm
from audiogmm.threads import one_blas_thread
from audiogmm.types import CovarianceType, FloatArray, IntArray


class Spherical(CovarianceForm):
    """One variance a component: covariances (K,), second moments (K,), the sums of squared distances."""

    name = "spherical"

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (K,)

    def second_shape(self, K: int, D: int) -> tuple[int, ...]:
        return (K,)

    def n_parameters(self, K: int, D: int) -> int:
        return K

    def fault(self, covariances: FloatArray) -> str:
        k = int(np.argmin(covariances))
        return "" if covariances[k] > 0 else f"component {k} has variance {covariances[k]:.6g}"

    def moment(self, deviations: FloatArray, posteriors: FloatArray) -> FloatArray:
        moment: FloatArray = posteriors.T @ np.einsum("nd,nd->n", deviations, deviations)
        return moment

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

    def add(self, covariances: FloatArray, amount: float) -> FloatArray:
        return covariances + amount

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

    def precision_factor(self, covariances: FloatArray) -> FloatArray:
        return 1 / np.sqrt(covariances)

    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        return D * np.log(factors)

    def colour(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        return noise * np.sqrt(covariances[components, None])


class Diagonal(CovarianceForm):
    """One variance a component and feature: covariances (K, D), second moments (K, D)."""

    name = "diag"

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (K, D)

    def second_shape(self, K: int, D: int) -> tuple[int, ...]:
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

    def shift(
        self, second: FloatArray, first: FloatArray, counts: FloatArray, delta: FloatArray
    ) -> FloatArray:
        return second - 2 * delta * first + counts[:, None] * delta**2

    def expected(self, covariances: FloatArray, deviations: FloatArray, counts: FloatArray) -> FloatArray:
        return counts[:, None] * (covariances + deviations**2)

    def estimate(self, counts: FloatArray, deviations: FloatArray, second: FloatArray) -> FloatArray:
        return second / counts[:, None] - deviations**2

    def add(self, covariances: FloatArray, amount: float) -> FloatArray:
        return covariances + amount

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

    def precision_factor(self, covariances: FloatArray) -> FloatArray:
        return 1 / np.sqrt(covariances)

    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        half: FloatArray = np.log(factors).sum(axis=1)
        return half

    def colour(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        return noise * np.sqrt(covariances[components])


class Full(CovarianceForm):
    """One matrix a component: covariances (K, D, D), second moments (K, D, D)."""

    name = "full"

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (K, D, D)

    def second_shape(self, K: int, D: int) -> tuple[int, ...]:
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

    def add(self, covariances: FloatArray, amount: float) -> FloatArray:
        return covariances + amount * np.eye(covariances.shape[-1])

    def floor(self, covariances: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
        return matrices.all_floored(covariances, floor)

    def total(self, second: FloatArray, D: int) -> FloatArray:
        result: FloatArray = np.einsum("kdd->d", second)
        return result

    def variances(self, covariances: FloatArray, K: int, D: int) -> FloatArray:
        variances: FloatArray = np.einsum("kdd->kd", covariances).copy()
        return variances

    def broaden(self, variances: FloatArray, K: int) -> FloatArray:
        return np.tile(np.diag(variances), (K, 1, 1))

    def direction(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        return matrices.longest_axis(covariances[component])

    def precision_factor(self, covariances: FloatArray) -> FloatArray:
        return matrices.precision_factors(covariances)

    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        half: FloatArray = np.log(np.einsum("kdd->kd", factors)).sum(axis=1)
        return half

    def colour(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        coloured = np.empty_like(noise)
        for k, matrix in enumerate(covariances):
            rows = components == k
            coloured[rows] = noise[rows] @ np.linalg.cholesky(matrix).T
        return coloured


class Tied(CovarianceForm):
    """One matrix for all components: covariance (D, D), second moment (D, D), the scatter of all frames."""

    name = "tied"
    shared = True

    def shape(self, K: int, D: int) -> tuple[int, ...]:
        return (D, D)

    def second_shape(self, K: int, D: int) -> tuple[int, ...]:
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

    def estimate(self, counts: FloatArray, deviations: FloatArray, second: FloatArray) -> FloatArray:
        between = (deviations * counts[:, None]).T @ deviations
        return matrices.symmetric((second - between) / counts.sum())

    def add(self, covariances: FloatArray, amount: float) -> FloatArray:
        return covariances + amount * np.eye(covariances.shape[-1])

    def floor(self, covariances: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
        floored, raised = matrices.floored(covariances, floor)
        return floored, raised[None]

    def total(self, second: FloatArray, D: int) -> FloatArray:
        return np.diag(second).copy()

    def variances(self, covariances: FloatArray, K: int, D: int) -> FloatArray:
        return np.tile(np.diag(covariances), (K, 1))

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

    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        return np.full(K, np.log(np.diag(factors)).sum())

    def colour(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        return noise @ np.linalg.cholesky(covariances).T


FORMS: MappingProxyType[CovarianceType, CovarianceForm] = MappingProxyType(
    {form.name: form for form in (Spherical(), Diagonal(), Tied(), Full())}
)
"""Covariance type -> its form."""


def form_of(covariance_type: str) -> CovarianceForm:
    """The form of a covariance type.

    Raises
    ------
    ChoiceError
        If there is no such form.

    Examples
    --------
    >>> form_of("full").shape(4, 13), form_of("tied").n_parameters(4, 13)
    ((4, 13, 13), 91)
    """
    for name, form in FORMS.items():
        if name == covariance_type:
            return form
    raise ChoiceError(f"covariance type {covariance_type!r}", needed="one of " + ", ".join(FORMS))
