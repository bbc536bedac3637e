"""A Gaussian mixture: its parameters, frozen and checked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from audiogmm.errors import MixtureError
from audiogmm.mixture.form import CovarianceForm
from audiogmm.mixture.forms import form_of
from audiogmm.types import CovarianceType, FloatArray, IntArray

WEIGHT_TOLERANCE = 1e-6
"""How far the sum of the weights may be from 1."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """A Gaussian mixture ``p(x) = sum_k weights[k] N(x; means[k], covariances[k])``.

    The arrays are copied, and read-only. Two mixtures are equal if all of their numbers are.

    Parameters
    ----------
    weights : ndarray of shape (n_components,), float64
        At least 0, with the sum 1 (within `WEIGHT_TOLERANCE`).
    means : ndarray of shape (n_components, n_features), float64
        Component means.
    covariances : ndarray, float64
        Positive definite. Spherical (n_components,), diag (n_components, n_features),
        tied (n_features, n_features), full (n_components, n_features, n_features).
    covariance_type : CovarianceType
        The form of the covariances.

    Raises
    ------
    MixtureError
        If shapes do not fit, a number is not finite, weights are negative or sum to something else than 1,
        or a covariance is not positive definite; it names the component and the value.
    ChoiceError
        If there is no such covariance type.

    Examples
    --------
    >>> mixture = Mixture(weights=[0.25, 0.75], means=[[0.0, 0.0], [4.0, 1.0]],
    ...                   covariances=[[1.0, 1.0], [2.0, 0.5]], covariance_type="diag")
    >>> mixture.n_components, mixture.n_features, mixture.n_parameters
    (2, 2, 9)
    >>> frames, components = mixture.sample(1000, seed=0)
    >>> frames.shape, float(np.mean(components == 1))
    ((1000, 2), 0.769)
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    covariance_type: CovarianceType

    def __post_init__(self) -> None:
        form = form_of(self.covariance_type)
        for name in ("weights", "means", "covariances"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        self._check_shapes(form)
        for name in ("weights", "means", "covariances"):
            _check_finite(name, getattr(self, name), shared=name == "covariances" and form.shared)
        self._check_weights()
        if fault := form.fault(self.covariances):
            raise MixtureError(
                f"{self.covariance_type} covariances: {fault}",
                needed="positive definite covariances",
                remedy="a higher variance floor, fewer components, or dropping constant features",
            )

    def _check_shapes(self, form: CovarianceForm) -> None:
        if self.weights.ndim != 1 or self.means.ndim != 2 or 0 in self.means.shape:
            raise MixtureError(
                f"weights of shape {self.weights.shape} and means of shape {self.means.shape}",
                needed="shapes (n_components,) and (n_components, n_features), neither of them 0",
            )
        K, D = self.means.shape
        wanted = form.shape(K, D)
        if self.weights.shape != (K,) or self.covariances.shape != wanted:
            raise MixtureError(
                f"weights of shape {self.weights.shape} and covariances of shape {self.covariances.shape} "
                f"beside means of shape {self.means.shape}",
                needed=f"weights of shape {(K,)} and {self.covariance_type} covariances of shape {wanted}",
                remedy="another covariance_type, or arrays of one model",
            )

    def _check_weights(self) -> None:
        k = int(np.argmin(self.weights))
        if self.weights[k] < 0:
            raise MixtureError(
                f"component {k} has weight {self.weights[k]:.6g}",
                needed="weights of at least 0",
                remedy="0 for a component that takes no part",
            )
        total = self.weights.sum()
        if abs(total - 1) > WEIGHT_TOLERANCE:
            raise MixtureError(
                f"the weights of {len(self.weights)} components sum to {total:.9g}",
                needed=f"the sum 1 within {WEIGHT_TOLERANCE:g}",
                remedy="weights / weights.sum()",
            )

    @property
    def n_components(self) -> int:
        """Components, K."""
        return len(self.weights)

    @property
    def n_features(self) -> int:
        """Features, D."""
        return int(self.means.shape[1])

    @property
    def n_parameters(self) -> int:
        """Free parameters, for BIC and AIC; scikit-learn's count."""
        K, D = self.means.shape
        return int(form_of(self.covariance_type).n_parameters(K, D) + K * D + K - 1)

    @cached_property
    def center(self) -> FloatArray:
        """Mean of the whole mixture, shape (n_features,): the origin for statistics under this model.

        Moments about it lose the fewest digits of what one origin for all components can have.
        """
        return _frozen(self.weights @ self.means / self.weights.sum())

    @property
    def centre(self) -> FloatArray:
        """`center`, in the spelling of version 0.1."""
        return self.center

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the parameters (form, shapes, little-endian bytes), hexadecimal.

        Examples
        --------
        >>> Mixture([1.0], [[0.0]], [1.0], "spherical").fingerprint[:12]
        '...'
        """
        digest = hashlib.sha256(f"mixture {self.covariance_type} {self.means.shape}".encode())
        for array in (self.weights, self.means, self.covariances):
            digest.update((array + 0.0).astype("<f8").tobytes())  # + 0.0: minus zero is zero
        return digest.hexdigest()

    def sample(self, n: int, seed: int | np.random.Generator = 0) -> tuple[FloatArray, IntArray]:
        """Draw frames.

        Parameters
        ----------
        n : int
            How many.
        seed : int or numpy Generator
            Where the random numbers come from.

        Returns
        -------
        frames : ndarray of shape (n, n_features), float64
        components : ndarray of shape (n,), int64
            The component that drew each frame.
        """
        random = np.random.default_rng(seed)
        components = random.choice(self.n_components, size=n, p=self.weights / self.weights.sum())
        noise = random.standard_normal((n, self.n_features))
        colored = form_of(self.covariance_type).color(self.covariances, components, noise)
        return self.means[components] + colored, components

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mixture):
            return NotImplemented
        return (
            self.covariance_type == other.covariance_type
            and np.array_equal(self.weights, other.weights)
            and np.array_equal(self.means, other.means)
            and np.array_equal(self.covariances, other.covariances)
        )

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> tuple[object, ...]:  # arrays come out of a pickle writeable
        return Mixture, (self.weights, self.means, self.covariances, self.covariance_type)

    def __repr__(self) -> str:
        return (
            f"Mixture({self.n_components} components, {self.n_features} features, {self.covariance_type!r})"
        )


def _frozen(array: FloatArray) -> FloatArray:
    """A read-only, C-contiguous float64 copy."""
    copy = np.array(array, dtype=np.float64, order="C")
    copy.flags.writeable = False
    return copy


def _check_finite(name: str, array: FloatArray, shared: bool) -> None:
    finite = np.isfinite(array)
    if finite.all():
        return
    place = tuple(int(i) for i in np.argwhere(~finite)[0])
    owner = "" if shared else f" of component {place[0]}"
    raise MixtureError(
        f"{name}{owner} hold {array[place]} at {list(place)}",
        needed="finite numbers",
        remedy="look for NaN, infinite or huge values in the frames",
    )
