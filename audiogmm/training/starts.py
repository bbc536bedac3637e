"""The initial mixture, from a method, a seed and a sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from audiogmm.errors import MismatchError
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.splitting import grow_mixture
from audiogmm.reduce import LocalReducer
from audiogmm.training.frames.source import ArraySource
from audiogmm.training.schedule.batch import EM, KMeans, Schedule, TrainingState
from audiogmm.training.schedule.convergence import Convergence
from audiogmm.training.schedule.monitor import Monitor
from audiogmm.training.seeding import FrameSample, Init, cluster_mixture, random_mixture, single_gaussian
from audiogmm.types import CovarianceType

SPLIT_PASSES = 4
"""Passes of EM over the sample, between two splits of the components."""

SHORT_PASSES = 10
"""Passes over the sample by which one of several starts is chosen."""


@dataclass(frozen=True, slots=True)
class Initializer:
    """Finds the mixture with which training begins.

    Parameters
    ----------
    init : {"k-means++", "random", "split"}
        The method.
    n_components, covariance_type
        The shape.
    method : EM or KMeans
        The training method. For k-means, clusters are found in the features as they are; for EM, each
        feature in units of its standard deviation.
    threads : int
        Does not change the result.
    """

    init: Init
    n_components: int
    covariance_type: CovarianceType
    method: EM | KMeans
    threads: int

    def best(self, sample: FrameSample, seed: int, restarts: int) -> tuple[Mixture, tuple[float, ...]]:
        """Find the best of several starts, after a short run of each over the sample (em-EM).

        Short runs find the start that leads highest at a fraction of the cost of long ones (Biernacki,
        Celeux and Govaert 2003). With one start there is no run.

        Parameters
        ----------
        sample : FrameSample
            Frames to start from.
        seed : int
            Of all starts; the first of several is what it is alone.
        restarts : int
            Number of starts.

        Returns
        -------
        mixture : Mixture
            The start, before its short run when it is the only one, and after it otherwise.
        log_likelihoods : tuple of float
            Mean log-likelihood per frame of the sample that each start reached; empty when there is one.
        """
        if restarts == 1:
            return self.start(sample, [seed]), ()
        runs = [
            self._train(self.start(sample, [seed, r] if r else [seed]), sample, SHORT_PASSES)
            for r in range(restarts)
        ]
        reached = tuple(run.history[-1].log_likelihood for run in runs)
        return runs[int(np.argmax(reached))].mixture, reached

    def start(self, sample: FrameSample, entropy: list[int]) -> Mixture:
        """Find one start."""
        seed = np.random.SeedSequence(entropy)
        if self.init == "random":
            return random_mixture(sample, self.n_components, self.covariance_type, seed=seed)
        if self.init == "split":
            return self._split(sample)
        scale = sample.deviation if isinstance(self.method, EM) else np.ones(len(sample.mean))
        return cluster_mixture(
            sample, self.n_components, self.covariance_type, scale=scale, seed=seed, threads=self.threads
        )

    def _split(self, sample: FrameSample) -> Mixture:
        """Split and train one Gaussian in turn, the last time split only."""
        mixture = single_gaussian(sample, self.covariance_type)
        while mixture.n_components < self.n_components:
            if mixture.n_components > 1:
                mixture = self._train(mixture, sample, SPLIT_PASSES).mixture
            mixture = grow_mixture(mixture, min(2 * mixture.n_components, self.n_components))
        return mixture

    def _train(self, mixture: Mixture, sample: FrameSample, passes: int) -> TrainingState:
        """Make a few passes over the sample."""
        return short_run(self.method, mixture, sample, passes, self.threads)


def short_run(
    method: EM | KMeans, mixture: Mixture, sample: FrameSample, passes: int, threads: int, tol: float = 0.0
) -> TrainingState:
    """Make a few passes over the sample, at least one; fewer once one gains less than `tol` nats a frame."""
    schedule: Schedule[Any] = Schedule(
        method, ArraySource(sample.frames), LocalReducer(threads), Convergence(tol=tol), passes, Monitor()
    )
    *_, last = schedule.run(TrainingState(mixture))
    return last


def check_start(mixture: Mixture, n_components: int, n_features: int, covariance_type: str) -> None:
    """Refuse to start from a mixture of another shape.

    Raises
    ------
    MismatchError
        If it has another number of components or features, or another covariance type: both are named.
    """
    came = (mixture.n_components, mixture.n_features, mixture.covariance_type)
    wanted = (n_components, n_features, covariance_type)
    if came != wanted:
        names = ("components", "features", "covariance type")
        raise MismatchError(
            "a start with "
            + ", ".join(f"{name} {c}" for name, c, w in zip(names, came, wanted, strict=True) if c != w),
            needed=", ".join(f"{name} {w}" for name, c, w in zip(names, came, wanted, strict=True) if c != w),
            remedy="the settings of the model that you start from, or another init",
        )
