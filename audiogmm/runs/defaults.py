"""What is trained where nothing is said: number of components, covariance form, variance floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audiogmm.mixture.floor import RELATIVE_FLOOR
from audiogmm.training.classes import FRAMES_EACH
from audiogmm.training.settings import Algorithm
from audiogmm.types import CovarianceType
from audiogmm.words import amount

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


def doubt_of_size(n_components: int, n_frames: int, frontend: FrontEnd | None) -> str:
    """Return a note where there are fewer than 10 frames for each component, or nothing.

    Examples
    --------
    >>> doubt_of_size(64, 108, None)
    '64 components from 108 rows: at most 2 are supported; try -k 2'
    """
    if n_components < 2 or n_frames >= 10 * n_components:
        return ""
    most = max(1, n_frames // FRAMES_EACH)
    rows = amount(n_frames, "row" if frontend is None else "voiced frame")
    note = f"{amount(n_components, 'component')} from {rows}: at most {most} "
    note += f"{'is' if most == 1 else 'are'} supported; try -k {most}"
    if frontend is not None and frontend.vad != "none":
        note += ", or --preset ambient where the sound is no speech"
    return note
