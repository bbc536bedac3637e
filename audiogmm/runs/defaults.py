"""What is trained where nothing is said: number of components, covariance form, variance floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.mixture.floor import RELATIVE_FLOOR
from audiogmm.training.settings import Algorithm
from audiogmm.types import CovarianceType

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


@dataclass(frozen=True)
class ModelDefaults:
    """What a new model has where nothing is said."""

    n_components: int = 64  # components, K
    covariance_type: CovarianceType = "diag"  # form of the covariances
    floor: float = RELATIVE_FLOOR  # variance floor, a share of each feature's variance over all frames


def choose_defaults(frontend: FrontEnd | None, algorithm: Algorithm = "em") -> ModelDefaults:
    """Choose what is trained behind a front end: 64 diagonal components, variances floored at 1e-4 of all.

    Behind global normalization (the preset `ambient`) it is 32 full covariances floored at 1e-2, which found
    foreign sounds best after training on audio into which other sounds were mixed. The covariances of k-means
    are spherical.

    Examples
    --------
    >>> choose_defaults(None)
    ModelDefaults(n_components=64, covariance_type='diag', floor=0.0001)
    """
    form: CovarianceType | None = "spherical" if algorithm == "kmeans" else None
    if frontend is not None and frontend.cmvn == "global":
        return ModelDefaults(32, form or "full", 1e-2)
    return ModelDefaults(covariance_type=form or "diag")
