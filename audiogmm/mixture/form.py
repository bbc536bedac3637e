"""What a covariance form is asked: everything that depends on the shape of covariances."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from audiogmm.types import CovarianceType, FloatArray, IntArray


class CovarianceForm(ABC):
    """One covariance form: shapes, moments, estimates, floors, factors.

    Arrays are float64. K components, D features, n frames. `second` is the second moment of a
    `SufficientStats`, `deviations` are frames minus its origin.
    """

    name: ClassVar[CovarianceType]
    shared: ClassVar[bool] = False
    """Whether all components have the one covariance."""

    @abstractmethod
    def shape(self, K: int, D: int) -> tuple[int, ...]:
        """Shape of the covariances."""

    @abstractmethod
    def second_shape(self, K: int, D: int) -> tuple[int, ...]:
        """Shape of the second moments."""

    @abstractmethod
    def n_parameters(self, K: int, D: int) -> int:
        """Free parameters of the covariances, as scikit-learn counts them."""

    @abstractmethod
    def fault(self, covariances: FloatArray) -> str:
        """What keeps finite covariances from being positive definite, and where; "" if nothing does."""

    @abstractmethod
    def moment(self, deviations: FloatArray, posteriors: FloatArray) -> FloatArray:
        """Second moments of frames: deviations (n, D), posteriors (n, K) times weights."""

    @abstractmethod
    def shift(
        self, second: FloatArray, first: FloatArray, counts: FloatArray, delta: FloatArray
    ) -> FloatArray:
        """Second moments about an origin that lies `delta` (D,) further, from those about the present one."""

    @abstractmethod
    def expected(self, covariances: FloatArray, deviations: FloatArray, counts: FloatArray) -> FloatArray:
        """Second moments of `counts` (K,) frames with exactly these covariances and these means - origin."""

    @abstractmethod
    def estimate(self, counts: FloatArray, deviations: FloatArray, second: FloatArray) -> FloatArray:
        """Maximum-likelihood covariances, not floored; counts are positive, deviations are means - origin."""

    @abstractmethod
    def add(self, covariances: FloatArray, amount: float) -> FloatArray:
        """Covariances with `amount` added to every variance."""

    @abstractmethod
    def floor(self, covariances: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
        """Covariances not below a floor (D,), and how many values were raised, by component and feature.

        The second has shape (K, D); (1, D) for tied. An eigenvalue is booked under the feature that weighs
        most in its eigenvector.
        """

    @abstractmethod
    def total(self, second: FloatArray, D: int) -> FloatArray:
        """Second moment of each feature over all components, shape (D,)."""

    @abstractmethod
    def variances(self, covariances: FloatArray, K: int, D: int) -> FloatArray:
        """Variance of each feature in each component, shape (K, D)."""

    @abstractmethod
    def broaden(self, variances: FloatArray, K: int) -> FloatArray:
        """Covariances of K components that all have these variances (D,) and no correlations."""

    def keep(self, covariances: FloatArray, previous: FloatArray, components: IntArray) -> FloatArray:
        """`covariances`, but those of these components as in `previous`."""
        kept = covariances.copy()
        kept[components] = previous[components]
        return kept

    def take(self, covariances: FloatArray, components: IntArray) -> FloatArray:
        """Covariances of a mixture of these components, in this order, repeated where they repeat."""
        return covariances[components]

    @abstractmethod
    def direction(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        """Longest axis of a component: its principal direction (D,) times the standard deviation there."""

    @abstractmethod
    def precision_factor(self, covariances: FloatArray) -> FloatArray:
        """Factor P of the precisions, P P^T = inverse covariance, shaped like the covariances.

        Diagonal and spherical: 1 / standard deviation. Full and tied: upper triangular, as scikit-learn's
        `precisions_cholesky_`, so that ``|(x - mean) @ P|^2`` is the squared Mahalanobis distance.
        """

    @abstractmethod
    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        """Half the log-determinant of the precisions, shape (K,), nats; from `precision_factor`."""

    @abstractmethod
    def colour(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        """Standard normal noise (n, D) given the covariance of the component (n,) of each row."""
