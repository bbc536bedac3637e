"""Splitting of components: to replace one that has emptied, and to grow a mixture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiogmm.errors import ChoiceError, MixtureError
from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture

STEP = 0.5
"""How far the halves move apart: each by this share of the standard deviation along the longest axis."""

_GOLDEN = (5**0.5 - 1) / 2


def split_component(mixture: Mixture, component: int, into: int, step: float = STEP) -> Mixture:
    """Replace a component by half of another one.

    Both halves get half of the component's weight and its covariance, and lie to both sides of its mean
    along its longest axis. The weight that `into` had goes to all components in proportion.

    Parameters
    ----------
    mixture : Mixture
        The model.
    component : int
        Which to split.
    into : int
        Which to replace.
    step : float
        How far each half moves, in standard deviations along the longest axis.

    Returns
    -------
    Mixture
        A new model; EM goes on from here.

    Raises
    ------
    MixtureError
        If the two are the same, there is no such component, or the one to split has no weight.

    Examples
    --------
    >>> mixture = Mixture([1.0, 0.0], [[0.0], [9.0]], [[4.0], [1.0]], "diag")
    >>> halves = split_component(mixture, component=0, into=1)
    >>> halves.weights, halves.means.ravel(), halves.covariances.ravel()
    (array([0.5, 0.5]), array([ 1., -1.]), array([4., 4.]))
    """
    K = mixture.n_components
    if not (0 <= component < K and 0 <= into < K) or component == into:
        raise MixtureError(
            f"component {component} split into component {into}",
            needed=f"two different components of 0 to {K - 1}",
        )
    source = np.arange(K)
    source[into] = component
    return _halved(mixture, source, component, into, step)


def rescue_components(mixture: Mixture, emptied: Sequence[int], step: float = STEP) -> Mixture:
    """Replace each emptied component by half of what is then the heaviest one.

    Parameters
    ----------
    mixture : Mixture
        The model after an M-step.
    emptied : sequence of int
        Its components without frames, `Update.emptied`.
    step : float
        As for `split_component`, up to a quarter less or more.

    Returns
    -------
    Mixture
        A new model. Its likelihood may be lower: the pass that rescues is exempt from monotonicity.

    Examples
    --------
    >>> mixture = Mixture([0.0, 0.7, 0.3], np.zeros((3, 1)), np.ones((3, 1)), "diag")
    >>> rescue_components(mixture, [0]).weights
    array([0.35, 0.35, 0.3 ])
    """
    waiting = list(emptied)
    while waiting:
        weights = mixture.weights.copy()
        weights[waiting] = -1.0  # not to be split
        into = waiting.pop(0)
        mixture = split_component(mixture, int(weights.argmax()), into, _varied(step, into))
    return mixture


def grow_mixture(mixture: Mixture, n_components: int, step: float = STEP) -> Mixture:
    """Split the heaviest component until there are `n_components`.

    Examples
    --------
    >>> grow_mixture(Mixture([1.0], [[0.0]], [1.0], "spherical"), 3).weights
    array([0.25, 0.5 , 0.25])
    """
    if n_components < mixture.n_components:
        raise ChoiceError(
            f"a mixture of {mixture.n_components} components grown to {n_components}",
            needed=f"at least {mixture.n_components}",
        )
    while mixture.n_components < n_components:
        heaviest, K = int(mixture.weights.argmax()), mixture.n_components
        mixture = _halved(mixture, np.append(np.arange(K), heaviest), heaviest, K, _varied(step, K))
    return mixture


def _varied(step: float, index: int) -> float:
    """The step times 0.75 to 1.25, another factor for every index.

    Halves of halves would meet again after equal steps along one axis, and EM never parts two components
    that are the same. Multiples of the golden ratio, modulo 1, stay apart.
    """
    return step * (0.75 + 0.5 * (index * _GOLDEN % 1))


def _halved(mixture: Mixture, source: np.ndarray, component: int, other: int, step: float) -> Mixture:
    """The mixture of the components `source`, of which two are halves of one."""
    form = form_of(mixture.covariance_type)
    if mixture.weights[component] <= 0:
        raise MixtureError(f"component {component} has no weight to give", needed="a weight above 0")
    weights, means = mixture.weights[source], mixture.means[source]
    weights[[component, other]] /= 2
    axis = form.direction(mixture.covariances, component, mixture.n_features)
    means[component] += step * axis
    means[other] -= step * axis
    return Mixture(
        weights / weights.sum(), means, form.take(mixture.covariances, source), mixture.covariance_type
    )
