"""Which shift of the features would make frames normal: a search for a counterfactual."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from audiogmm.mixture.forms import form_of
from audiogmm.mixture.gaussian import Mixture
from audiogmm.types import FloatArray


@dataclass(frozen=True, eq=False)
class ShiftGains:
    """How much likelier frames would be if a change along each direction were undone.

    Attributes
    ----------
    gains : ndarray of shape (n_directions,), float64
        Nats that undoing each direction gains, summed over the frames; at least 0.
    amounts : ndarray of shape (n_directions, n_frames), float64
        How much of it there is in each frame, in units of the direction.
    """

    gains: FloatArray
    amounts: FloatArray


@dataclass(frozen=True, eq=False)
class ShiftSearch:
    """Finds the change that explains most of a loss of likelihood.

    Let a frame be ``x = y + a v``: a normal one, and an unknown amount `a` of a change along `v`, such as
    one decibel more in a range of bands. Under component k, with d = x - mean and precision P, log N(x - a v)
    is largest at ``a = v'Pd / v'Pv``, where it has gained ``(v'Pd)^2 / (2 v'Pv)``: the share of the squared
    Mahalanobis distance that lies along v. (The same comes of leaving v out of the features: it is the
    distance that goes when the Gaussian is marginalized, up to a constant of the component.) A frame gains

        max over k of [log w_k N_k(x) + (v'P_k d)^2 / (2 v'P_k v)]  -  max over k of log w_k N_k(x),

    so that a frame may belong to another component after the change is undone.

    Parameters
    ----------
    mixture : Mixture
        The model.
    directions : ndarray of shape (n_directions, n_features), float64
        Changes of the features, none of them zero.

    Examples
    --------
    >>> mixture = Mixture([1.0], [[0.0, 0.0]], [[1.0, 4.0]], "diag")
    >>> found = ShiftSearch(mixture, np.eye(2))(np.array([[3.0, 2.0]]))
    >>> found.gains.tolist(), found.amounts.tolist()
    ([4.5, 0.5], [[3.0], [2.0]])
    """

    mixture: Mixture
    directions: FloatArray

    @cached_property
    def _components(self) -> list[tuple[FloatArray, FloatArray, float, FloatArray, FloatArray]]:
        """Of each component with weight: mean, precision P, log constant, P v and v'P v of directions."""
        found = []
        D = self.mixture.n_features
        for k in np.flatnonzero(self.mixture.weights).tolist():
            covariance = covariance_of(self.mixture, k)
            precision = np.linalg.inv(covariance)
            constant = float(
                np.log(self.mixture.weights[k])
                - 0.5 * (np.linalg.slogdet(covariance)[1] + D * np.log(2 * np.pi))
            )
            along = np.einsum("vi,ij->vj", self.directions, precision)
            found.append(
                (
                    self.mixture.means[k],
                    np.asarray(precision, dtype=np.float64),
                    constant,
                    along,
                    np.einsum("vj,vj->v", along, self.directions),
                )
            )
        return found

    def __call__(self, frames: np.ndarray) -> ShiftGains:
        """Try every direction on frames of shape (n_frames, n_features)."""
        X = frames.astype(np.float64)
        best = np.full((len(self.directions), len(X)), -np.inf)
        amounts = np.zeros_like(best)
        plain = np.full(len(X), -np.inf)
        for mean, precision, constant, along, length in self._components:
            d = X - mean
            log_joint = constant - 0.5 * np.einsum("tj,tj->t", d @ precision, d)
            # a product rounds by its shape, and that is the event's, whatever the chunks and threads
            amount = along @ d.T / length[:, None]
            value = log_joint + 0.5 * amount**2 * length[:, None]
            better = value > best
            best[better] = value[better]
            amounts[better] = amount[better]
            np.maximum(plain, log_joint, out=plain)
        return ShiftGains((best - plain).sum(axis=1), amounts)


def covariance_of(mixture: Mixture, k: int) -> FloatArray:
    """Return a component's covariance as a matrix, shape (n_features, n_features), whatever the form.

    Examples
    --------
    >>> covariance_of(Mixture([1.0], [[0.0, 0.0]], [2.0], "spherical"), 0).tolist()
    [[2.0, 0.0], [0.0, 2.0]]
    """
    return form_of(mixture.covariance_type).matrix(mixture.covariances, k, mixture.n_features)
