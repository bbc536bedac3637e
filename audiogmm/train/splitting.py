"""Dividing components: to grow a mixture, and to start an emptied component anew."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray

OFFSET = 0.2
"""How far the halves of a component part from its mean, in standard deviations (HTK's and Kaldi's figure)."""


def grow(mixture: Mixture, n_components: int) -> Mixture:
    """Divide the heaviest components, each at most once, until there are `n_components`, or twice as many.

    Parameters
    ----------
    mixture : Mixture
        What to grow.
    n_components : int
        Components wanted.

    Returns
    -------
    Mixture
        With ``min(n_components, 2 * mixture.n_components)`` components; the new ones come last.

    Examples
    --------
    >>> one = Mixture([1.0], [[0.0]], [[4.0]], "diag")
    >>> grow(one, 8).means.ravel(), grow(one, 8).weights
    (array([ 0.4, -0.4]), array([0.5, 0.5]))
    """
    extra = min(n_components - mixture.n_components, mixture.n_components)
    donors = np.argsort(-mixture.weights, kind="stable")[:extra]
    return divide(mixture, donors, mixture.n_components + np.arange(extra))


def rescue(mixture: Mixture, emptied: Iterable[int]) -> tuple[Mixture, tuple[int, ...]]:
    """Start emptied components anew, each as half of a component that spreads over much.

    The donor is the component with the largest product of weight and mean standard deviation (the
    D-th root of the volume), so with the largest ``log weight + log det covariance / 2D``; one donor gives
    to one component.

    Parameters
    ----------
    mixture : Mixture
        With the emptied components in it.
    emptied : iterable of int
        Which they are.

    Returns
    -------
    mixture : Mixture
        With those components replaced.
    rescued : tuple of int
        Which were: fewer than asked when there are not enough donors.

    Examples
    --------
    >>> rescued, which = rescue(Mixture([1.0, 0.0], [[0.0], [9.0]], [1.0, 1.0], "spherical"), [1])
    >>> rescued.means.ravel(), rescued.weights, which
    (array([ 0.2, -0.2]), array([0.5, 0.5]), (1,))
    """
    places = np.array(sorted(emptied), dtype=np.intp)
    form = form_of(mixture.covariance_type)
    K, D = mixture.means.shape
    half_log_det = -form.half_log_precision(form.precision_factor(mixture.covariances), K, D)
    with np.errstate(divide="ignore"):
        spread = np.log(mixture.weights) + half_log_det / D
    spread[places] = -np.inf
    donors = np.argsort(-spread, kind="stable")[: len(places)]
    donors = donors[np.isfinite(spread[donors])]
    places = places[: len(donors)]
    return divide(mixture, donors, places), tuple(int(place) for place in places)


def divide(mixture: Mixture, donors: NDArray[np.intp], places: NDArray[np.intp]) -> Mixture:
    """Halve each donor along its longest axis; one half stays, the other goes to a place.

    Parameters
    ----------
    mixture : Mixture
        What to change.
    donors : ndarray of shape (n,), int
        Components to halve.
    places : ndarray of shape (n,), int
        Where the second halves go: components to overwrite, or the next free numbers.

    Returns
    -------
    Mixture
        Halves have the donor's covariance, half its weight, and means `OFFSET` standard deviations from its
        mean along the longest axis, one on either side.
    """
    form = form_of(mixture.covariance_type)
    K, D = mixture.means.shape
    origins = np.arange(max(K, int(places.max(initial=-1)) + 1))
    origins[places] = donors
    weights: FloatArray = mixture.weights[origins]
    means: FloatArray = mixture.means[origins]
    weights[donors] /= 2
    weights[places] = weights[donors]
    for donor, place in zip(donors, places, strict=True):
        step = OFFSET * form.direction(mixture.covariances, int(donor), D)
        means[donor] += step
        means[place] -= step
    covariances = mixture.covariances if form.shared else mixture.covariances[origins]
    return Mixture(weights / weights.sum(), means, covariances, mixture.covariance_type)
