"""A covariance form: everything that depends on the shape of covariances."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

from audiogmm.types import CovarianceType, FloatArray, IntArray


class StepwiseConstants(NamedTuple):
    """Constants of stepwise EM for a form, each in frames a component."""

    frames_each: int
    """Size of a batch by default: an M-step with matrices costs more."""
    unit_each: int
    """The unit in which the step size counts its steps, whatever the batch."""
    memory: int
    """What statistics are averaged over at least, lest components empty by chance."""


class CovarianceForm(ABC):
    """One covariance form: shapes, moments, estimates, floors, factors.

    Arrays are float64. K components, D features, n frames. `second` is the second moment of a
    `SufficientStats`, `deviations` are frames minus its origin, `factors` are what `precision_factor` gives.
    """

    name: ClassVar[CovarianceType]
    shared: ClassVar[bool] = False
    """Whether all components have the one covariance."""
    is_matrix: ClassVar[bool] = False
    """Whether a covariance is a matrix, with variances and correlations of all features."""
    stepwise: ClassVar[StepwiseConstants]

    @property
    def has_common_axes(self) -> bool:
        """Whether one linear map of the frames makes all components diagonal."""
        return self.shared or not self.is_matrix

    @abstractmethod
    def shape(self, K: int, D: int) -> tuple[int, ...]:
        """Shape of the covariances."""

    def second_shape(self, K: int, D: int) -> tuple[int, ...]:
        """Shape of the second moments."""
        return self.shape(K, D)

    def accumulator_shape(self, K: int, width: int) -> tuple[int, ...]:
        """Shape of what a kernel adds second moments up in, features padded to `width`.

        Without elements where the components share one: then it is the scatter of the frames, whatever their
        posteriors.
        """
        return (0,) if self.shared else self.second_shape(K, width)

    @abstractmethod
    def n_parameters(self, K: int, D: int) -> int:
        """Free parameters of the covariances, as scikit-learn counts them."""

    def frames_needed(self, D: int) -> int:
        """Frames of its own that a component needs for a covariance."""
        return 1

    @abstractmethod
    def fault(self, covariances: FloatArray) -> str:
        """What keeps finite covariances from being positive definite, and where; "" if nothing does."""

    @abstractmethod
    def moment(self, deviations: FloatArray, posteriors: FloatArray) -> FloatArray:
        """Second moments of frames: deviations (n, D), posteriors (n, K) times weights."""

    @abstractmethod
    def scatter(self, deviations: FloatArray) -> FloatArray:
        """Scatter of the frames of one component about their mean (n, D), shaped like its covariance."""

    @abstractmethod
    def shift(
        self, second: FloatArray, first: FloatArray, counts: FloatArray, delta: FloatArray
    ) -> FloatArray:
        """Second moments about an origin that lies `delta` (D,) further, from those about the present one."""

    @abstractmethod
    def expected(self, covariances: FloatArray, deviations: FloatArray, counts: FloatArray) -> FloatArray:
        """Second moments of `counts` (K,) frames with exactly these covariances and these means - origin."""

    def without(
        self,
        second: FloatArray,
        first: FloatArray,
        counts: FloatArray,
        components: IntArray,
        covariances: FloatArray,
    ) -> FloatArray:
        """Second moments less those of some components.

        What a component gave to a moment that all share is not known apart: what it would have given under
        `covariances` is taken out.
        """
        remaining = second.copy()
        remaining[components] = 0.0
        return remaining

    @abstractmethod
    def estimate(self, counts: FloatArray, deviations: FloatArray, second: FloatArray) -> FloatArray:
        """Maximum-likelihood covariances, not floored; counts are positive, deviations are means - origin."""

    @abstractmethod
    def add(self, covariances: FloatArray, amount: float) -> FloatArray:
        """Covariances with `amount` added to every variance."""

    @abstractmethod
    def floor(self, covariances: FloatArray, floor: FloatArray) -> tuple[FloatArray, IntArray]:
        """Covariances not below a floor (D,), and how many values were raised, by component and feature.

        The second has shape (K, D); (1, D) where the covariance is shared. An eigenvalue is counted under the
        feature that weighs most in its eigenvector.
        """

    @abstractmethod
    def total(self, second: FloatArray, D: int) -> FloatArray:
        """Second moment of each feature over all components, shape (D,)."""

    @abstractmethod
    def variances(self, covariances: FloatArray, K: int, D: int) -> FloatArray:
        """Variance of each feature in each component, shape (K, D)."""

    @abstractmethod
    def matrix(self, covariances: FloatArray, component: int, D: int) -> FloatArray:
        """Covariance of a component as a matrix, shape (D, D)."""

    @abstractmethod
    def project(self, covariances: FloatArray, matrix: FloatArray, K: int) -> FloatArray:
        """Covariances of `matrix` (m, D) times the frames, shape (K, m, m), symmetric to rounding."""

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
    def precision(self, factors: FloatArray) -> FloatArray:
        """Precisions P P^T, shaped like the covariances."""

    @abstractmethod
    def covariance(self, factors: FloatArray) -> FloatArray:
        """Covariances, the inverses of P P^T."""

    def inverse(self, precisions: FloatArray) -> FloatArray:
        """Covariances from precisions."""
        return self.precision(self.precision_factor(precisions))

    @abstractmethod
    def apply_precision(self, factors: FloatArray, vectors: FloatArray) -> FloatArray:
        """Precision of each component times its vector, shape (K, D)."""

    @abstractmethod
    def half_log_precision(self, factors: FloatArray, K: int, D: int) -> FloatArray:
        """Half the log-determinant of the precisions, shape (K,), nats."""

    @abstractmethod
    def squared_distance(
        self,
        factors: FloatArray,
        means: FloatArray,
        counts: FloatArray,
        first: FloatArray,
        second: FloatArray,
    ) -> float:
        """Sum of the squared Mahalanobis distances of all frames, from their moments; means are - origin."""

    @abstractmethod
    def relative_change(
        self, covariances: FloatArray, steps: FloatArray, change: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Changes of the means and of the covariances in units of the covariances: free of features' scales.

        Parameters
        ----------
        covariances : ndarray
            The unit.
        steps : ndarray of shape (K, D)
            Of the means.
        change : ndarray
            Of the covariances, in their shape.

        Returns
        -------
        means : ndarray of shape (K, D)
            In standard deviations along the axes of each component.
        ratios : ndarray of shape (K, 1), (K, D), (1, D, D) or (K, D, D)
            ``P^T change P``: 0 for none.
        """

    @abstractmethod
    def squared_size(self, ratios: FloatArray, D: int) -> FloatArray:
        """tr((C^-1 dC)^2) of each component, from the ratios of `relative_change`; shape (K,) or (1,)."""

    @abstractmethod
    def unconstrained(self, covariances: FloatArray) -> FloatArray:
        """Coordinates that are covariances for all real numbers, in the same shape."""

    @abstractmethod
    def constrained(self, coordinates: FloatArray) -> FloatArray:
        """The way back from `unconstrained`."""

    @abstractmethod
    def coordinate_weights(self, covariances: FloatArray, weights: FloatArray, D: int) -> FloatArray:
        """What a squared difference of `unconstrained` coordinates counts; broadcasts with them."""

    @abstractmethod
    def color(self, covariances: FloatArray, components: IntArray, noise: FloatArray) -> FloatArray:
        """Standard normal noise (n, D) given the covariance of the component (n,) of each row."""
