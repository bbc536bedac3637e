"""A mixture made ready for frames: likelihoods, posteriors, and the E-step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import solve_triangular

from audiogmm.errors import ChoiceError, MixtureError
from audiogmm.kernels.densities import AnyFrames, log_sum_exp, scaled_joint, triangular_joint
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.types import FloatArray

if TYPE_CHECKING:
    from audiogmm.mixture.gaussian import Mixture

TILE = 256


class Evaluator:
    """Evaluates frames under one mixture; one thread, no interpreter lock, memory that does not grow with n.

    Parameters
    ----------
    mixture : Mixture
        The model.
    threshold : float
        `accumulate` may leave out a component of a frame whose posterior is proven to be below this.
    """

    def __init__(self, mixture: Mixture, threshold: float = 1e-7) -> None:
        if not 0 <= threshold < 1:
            raise ChoiceError(
                f"threshold={threshold}",
                needed="a posterior in [0, 1)",
                remedy="0 skips nothing, 1e-7 is usual",
            )
        self.mixture = mixture
        self.threshold = threshold
        n_features = mixture.n_features
        with np.errstate(divide="ignore"):
            log_weights = np.log(np.asarray(mixture.weights, dtype=np.float64))
        self.origin = np.ascontiguousarray((mixture.weights @ mixture.means).astype(np.float32), np.float64)
        self._means = np.ascontiguousarray(mixture.means, dtype=np.float64)
        if mixture.covariance_type in ("spherical", "diag"):
            variances = np.asarray(mixture.covariances, dtype=np.float64)
            if mixture.covariance_type == "spherical":
                variances = np.repeat(variances[:, None], n_features, axis=1)
            self._factors = np.ascontiguousarray(1 / np.sqrt(variances))
            log_det = np.log(self._factors).sum(axis=1)
        else:
            covariances = np.asarray(mixture.covariances, dtype=np.float64)
            if mixture.covariance_type == "tied":
                covariances = covariances[None]
            identity = np.eye(n_features)
            self._factors = np.array(
                [solve_triangular(np.linalg.cholesky(c), identity, lower=True) for c in covariances]
            )
            log_det = np.log(np.diagonal(self._factors, axis1=1, axis2=2)).sum(axis=1)
        self._constants = log_weights + log_det - 0.5 * n_features * np.log(2 * np.pi)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.mixture, self.threshold)

    def log_joint(self, frames: AnyFrames) -> FloatArray:
        """Log weight plus log density, shape (n_frames, n_components), nats."""
        frames = self._checked(frames)
        joint = np.empty((len(frames), self.mixture.n_components))
        form = self.mixture.covariance_type
        if form == "full":
            triangular_joint(frames, self._means, self._factors, self._constants, joint)
        elif form == "tied":
            whitener = self._factors[0]
            white = np.einsum("ij,nj->ni", whitener, frames - self.origin)
            means = np.ascontiguousarray(whitener @ (self._means - self.origin).T)
            scaled_joint(white, means, np.ones_like(means), self._constants, joint)
        else:
            means, scales = np.ascontiguousarray(self._means.T), np.ascontiguousarray(self._factors.T)
            scaled_joint(frames, means, scales, self._constants, joint)
        return joint

    def log_likelihood(self, frames: AnyFrames) -> FloatArray:
        """log p(x) of every frame, shape (n_frames,), nats."""
        frames = self._checked(frames)
        totals = np.empty(len(frames))
        for start in range(0, len(frames), TILE):
            log_sum_exp(self.log_joint(frames[start : start + TILE]), totals[start : start + TILE])
        return totals

    def posteriors(self, frames: AnyFrames) -> FloatArray:
        """P(component | frame), shape (n_frames, n_components); rows sum to one."""
        joint = self.log_joint(frames)
        totals = np.empty(len(joint))
        log_sum_exp(joint, totals)
        gamma: FloatArray = np.exp(joint - totals[:, None])
        return gamma

    def top(self, frames: AnyFrames) -> tuple[np.ndarray[Any, np.dtype[np.int32]], FloatArray, FloatArray]:
        """Likeliest component (n,) int32, its posterior (n,), entropy of the posteriors (n,) in nats."""
        frames = self._checked(frames)
        best = np.empty(len(frames), dtype=np.int32)
        sure, entropy = np.empty(len(frames)), np.empty(len(frames))
        for start in range(0, len(frames), TILE):
            gamma = self.posteriors(frames[start : start + TILE])
            tile = slice(start, start + len(gamma))
            best[tile] = gamma.argmax(axis=1)
            sure[tile] = gamma.max(axis=1)
            entropy[tile] = -(gamma * np.log(np.where(gamma > 0, gamma, 1.0))).sum(axis=1)
        return best, sure, entropy

    def accumulate(self, frames: AnyFrames, weights: FloatArray | None = None) -> SufficientStats:
        """The E-step: sufficient statistics of frames, about `origin`."""
        frames = self._checked(frames)
        form, (n_components, n_features) = self.mixture.covariance_type, self._means.shape
        counts, first = np.zeros(n_components), np.zeros((n_components, n_features))
        second: FloatArray = np.zeros(
            {
                "spherical": (n_components,),
                "diag": (n_components, n_features),
                "tied": (n_features, n_features),
                "full": (n_components, n_features, n_features),
            }[form]
        )
        log_likelihood = 0.0
        for start in range(0, len(frames), TILE):
            tile = frames[start : start + TILE]
            w = np.ones(len(tile)) if weights is None else weights[start : start + TILE]
            joint, totals = self.log_joint(tile), np.empty(len(tile))
            log_sum_exp(joint, totals)
            gamma = np.exp(joint - totals[:, None]) * w[:, None]
            x = tile - self.origin
            counts += gamma.sum(axis=0)
            first += gamma.T @ x
            if form == "spherical":
                second += gamma.T @ (x**2).sum(axis=1)
            elif form == "diag":
                second += gamma.T @ x**2
            elif form == "tied":
                second += (w[:, None] * x).T @ x
            else:
                second += np.einsum("nk,ni,nj->kij", gamma, x, x, optimize=True)
            log_likelihood += float(w @ totals)
        return SufficientStats(
            covariance_type=form,
            origin=self.origin,
            counts=counts,
            first=first,
            second=second,
            n_frames=float(len(frames) if weights is None else weights.sum()),
            log_likelihood=log_likelihood,
            skipped=0.0,
        )

    def _checked(self, frames: AnyFrames) -> AnyFrames:
        frames = np.ascontiguousarray(frames)
        if frames.dtype not in (np.float32, np.float64):
            frames = frames.astype(np.float64)
        n_features = self.mixture.n_features
        if frames.ndim != 2 or frames.shape[1] != n_features:
            raise MixtureError(
                f"frames of shape {frames.shape}",
                needed=f"(n_frames, {n_features}), as the mixture has {n_features} features",
                remedy="use the front end that the mixture was trained with",
            )
        bad = np.flatnonzero(~np.isfinite(frames).all(axis=1))
        if len(bad):
            raise MixtureError(
                f"frame {bad[0]} holds {frames[bad[0]][~np.isfinite(frames[bad[0]])][0]}",
                needed="finite features",
                remedy="set the recording aside, or repair its samples",
            )
        return frames
