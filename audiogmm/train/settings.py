"""What decides a training besides its frames, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from audiogmm.errors import ChoiceError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.train.batch import EM, KMeans
from audiogmm.train.convergence import Convergence
from audiogmm.train.seeding import Init
from audiogmm.types import CovarianceType, FloatArray, Json

Algorithm = Literal["em", "kmeans"]
"""Batch EM, or k-means for comparison."""

METHODS: dict[Algorithm, type[EM] | type[KMeans]] = {"em": EM, "kmeans": KMeans}

CONSTANT_DEVIATION = 1e-3
"""Least standard deviation, in the feature's own unit, where a feature has one value in all frames."""

SAMPLED_EACH = 64
"""Frames sampled to start from, a component; between `SAMPLED_LEAST` and `SAMPLED_MOST` in all."""

SAMPLED_LEAST, SAMPLED_MOST = 1 << 15, 1 << 18


@dataclass(frozen=True)
class Settings:
    """The settings of `train_mixture`, where each is explained.

    Raises
    ------
    ChoiceError
        If one is outside its choices or its range.

    Examples
    --------
    >>> Settings(n_components=4, algorithm="kmeans").form
    'spherical'
    >>> Settings(n_components=0)
    Traceback (most recent call last):
    ...
    audiogmm.errors.ChoiceError: n_components=0; needed: at least 1
    """

    n_components: int
    covariance_type: CovarianceType | None = None
    algorithm: Algorithm = "em"
    seed: int = 0
    init: Init | Mixture = "k-means++"
    passes: int = 50
    tol: float = 1e-3
    movement_tol: float = 1e-4
    restarts: int = 1
    floor: float | FloatArray = 1e-3
    max_spool_bytes: int = 8 << 30

    def __post_init__(self) -> None:
        for name, least in (
            ("n_components", 1),
            ("seed", 0),
            ("passes", 0),
            ("restarts", 1),
            ("max_spool_bytes", 0),
        ):
            if getattr(self, name) < least:
                raise ChoiceError(f"{name}={getattr(self, name)}", needed=f"at least {least}")
        if self.algorithm not in METHODS:
            raise ChoiceError(f"algorithm={self.algorithm!r}", needed="one of " + ", ".join(METHODS))
        form_of(self.form)
        if self.algorithm == "kmeans" and self.form != "spherical":
            raise ChoiceError(
                f"k-means with covariance type {self.form!r}",
                needed="spherical: its clusters share one variance",
                remedy="leave the covariance type out, or train by EM",
            )
        if not isinstance(self.init, Mixture) and self.init not in get_args(Init):
            raise ChoiceError(
                f"init={self.init!r}", needed="one of " + ", ".join(get_args(Init)) + ", or a mixture"
            )
        if self.restarts > 1 and (isinstance(self.init, Mixture) or self.init == "split"):
            raise ChoiceError(
                f"restarts={self.restarts} from {'a mixture' if isinstance(self.init, Mixture) else 'split'}",
                needed="1, since every start would be the same",
                remedy="init='k-means++' or 'random'",
            )
        _ = self.convergence

    @property
    def form(self) -> CovarianceType:
        """The covariance type, the default of the algorithm where none was given."""
        return self.covariance_type or ("spherical" if self.algorithm == "kmeans" else "diag")

    @property
    def convergence(self) -> Convergence:
        """When to stop."""
        return Convergence(self.tol, self.movement_tol)

    @property
    def sample_size(self) -> int:
        """Frames to sample for the start."""
        most = max(SAMPLED_MOST, self.n_components)
        return min(max(SAMPLED_EACH * self.n_components, SAMPLED_LEAST), most)

    def variance_floor(self, mean: FloatArray, variance: FloatArray) -> FloatArray:
        """Least variance of each feature.

        Parameters
        ----------
        mean, variance : ndarray of shape (n_features,), float64
            Of all frames.

        Returns
        -------
        ndarray of shape (n_features,), float64
            `floor` itself if it is an array. Else that share of the variance, and for constant features the
            square of `CONSTANT_DEVIATION`, or of a millionth of the value where that is more.

        Raises
        ------
        ChoiceError
            If `floor` is negative, not finite, or of another shape.

        Examples
        --------
        >>> Settings(n_components=1, floor=0.01).variance_floor(np.array([0.0, 7.0]), np.array([4.0, 0.0]))
        array([4.e-02, 1.e-06])
        """
        floor = np.asarray(self.floor, dtype=np.float64)
        if floor.shape not in ((), mean.shape) or not (np.isfinite(floor) & (floor >= 0)).all():
            raise ChoiceError(
                f"floor={self.floor}",
                needed=f"a share of at least 0, or {len(mean)} variances of at least 0",
            )
        if floor.ndim or floor == 0:
            return np.array(np.broadcast_to(floor, mean.shape))
        least = np.maximum(CONSTANT_DEVIATION, 1e-6 * np.abs(mean)) ** 2
        return np.where(constant_features(mean, variance), least, floor * variance)

    def to_json(self) -> Json:
        """What decides the course of the passes; when they stop does not belong to it."""
        return {
            "algorithm": self.algorithm,
            "n_components": self.n_components,
            "covariance_type": self.form,
            "init": self.init.fingerprint if isinstance(self.init, Mixture) else self.init,
            "seed": self.seed,
            "restarts": self.restarts,
            "floor": np.asarray(self.floor).tolist(),
        }


def constant_features(mean: FloatArray, variance: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which features vary by no more than the rounding of float32, shape (n_features,)."""
    constant: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.sqrt(variance) <= np.finfo(
        np.float32
    ).eps * np.abs(mean)
    return constant
