"""What is trained where nothing is said: number of components, covariance form, variance floor, front end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audiogmm.mixture.floor import RELATIVE_FLOOR
from audiogmm.training.settings import Algorithm

if TYPE_CHECKING:
    from audiogmm.audio.frontend.frontend import FrontEnd


def defaults(frontend: FrontEnd | None, algorithm: Algorithm = "em") -> dict[str, Any]:
    """What is trained where nothing is said: 64 diagonal components, variances floored at 1e-4 of the whole.

    (`FOR_SPEAKERS` components where a back end for speakers is learned.)

    Behind global normalisation (the preset `ambient`) it is 32 full covariances floored at 1e-2, which told
    foreign sounds apart best on training audio into which other sounds were mixed.

    Examples
    --------
    >>> defaults(None)
    {'n_components': 64, 'covariance_type': 'diag', 'floor': 0.0001}
    """
    if frontend is not None and frontend.cmvn == "global":
        usual = {"n_components": 32, "covariance_type": "full", "floor": 1e-2}
    else:
        usual = {"n_components": 64, "covariance_type": "diag", "floor": RELATIVE_FLOOR}
    return usual | ({"covariance_type": "spherical"} if algorithm == "kmeans" else {})
