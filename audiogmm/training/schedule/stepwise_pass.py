"""One stepwise pass: for each batch an E-step, a step of the statistics, and an M-step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from audiogmm.mixture.expected import expected_statistics
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximization import Update, maximize
from audiogmm.mixture.splitting import rescue_components
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import LocalReducer, Reducer
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.schedule.batch import EM, TrainingState
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.types import FloatArray, Frames

SMOOTHING = 1.0
"""Share of the weights that is spread evenly at first; it falls linearly to 0 at the last step."""

LEAST_WEIGHT = 0.05
"""A component with less than this share of an even weight is replaced by half of the heaviest one."""

RESCUE_EVERY, RESCUE_UNTIL = 4, 0.75
"""Steps between two rescues, and the share of all steps after which no component is rescued."""

_SLICE = 1024  # rows that one thread works on


@dataclass(frozen=True)
class BatchEStep:
    """The E-step over one batch, in slices for the threads of a reducer."""

    reducer: LocalReducer

    @classmethod
    def by(cls, reducer: Reducer) -> BatchEStep:
        """With this reducer's threads."""
        return cls(reducer.threaded if isinstance(reducer, LocalReducer) else LocalReducer())

    def __call__(self, mixture: Mixture, frames: Frames, floor: FloatArray) -> SufficientStats:
        e_step = EM(floor).expect(mixture)
        if len(frames) <= _SLICE:
            return e_step.evaluator.accumulate(frames)
        total = self.reducer.reduce(_slices(frames), e_step)
        assert total is not None
        return total


class StepwisePass:
    """One stepwise pass.

    Parameters
    ----------
    options : Stepwise
        How to step.
    e_step : BatchEStep
        The E-step.
    floor : ndarray of shape (n_features,), float64
        Variance floor.
    n_frames : int
        Frames of a pass.
    state : TrainingState
        Before the pass.
    """

    def __init__(
        self, options: Stepwise, e_step: BatchEStep, floor: FloatArray, n_frames: int, state: TrainingState
    ) -> None:
        self.options, self.e_step, self.floor = options, e_step, floor
        self.form, K = state.mixture.covariance_type, state.mixture.n_components
        self.batch = options.batch_of(K, self.form, n_frames)
        self.steps = -(-n_frames // self.batch)  # of one pass
        self.passes = options.passes
        self.t = len(state.history) * self.steps
        self.seen = len(state.history) * n_frames
        self.mixture = state.mixture
        self.statistics = (
            expected_statistics(state.mixture)
            if state.statistics is None
            else state.statistics * (1 / state.statistics.n_frames)
        )
        self.last = len(state.history) + 1 == self.passes
        self.averaged: SufficientStats | None = None  # their sum
        self.n_frames, self.log_likelihood, self.skipped = 0, 0.0, 0.0
        self.rescued: set[int] = set()

    @property
    def progress(self) -> float:
        """Share of all steps of all passes that is done."""
        return self.t / (self.steps * self.passes)

    def take(self, frames: Frames) -> None:
        """Make one step."""
        progress = self.progress
        part = self.e_step(smoothed(self.mixture, SMOOTHING * (1 - progress)), frames, self.floor)
        self.n_frames += len(frames)
        self.log_likelihood += part.log_likelihood
        self.skipped += part.skipped
        rho = self.options.step(self.seen, len(frames), self.mixture.n_components, self.form)
        self.seen += len(frames)
        self.statistics = (1 - rho) * self.statistics + (rho / len(frames)) * part
        self.t += 1
        self.mixture = maximize(self.statistics, floor=self.floor, previous=self.mixture)[0]
        if self.t % RESCUE_EVERY == 0 and self.progress < RESCUE_UNTIL:
            self._rescue()
        if self.last and progress >= 1 - self.options.averaging / self.passes:
            self.averaged = part if self.averaged is None else self.averaged + part

    def end(self) -> tuple[Mixture, SufficientStats, Update]:
        """Return the mixture, the statistics as of all frames, and what the last M-step did."""
        statistics = self.statistics if self.averaged is None else self.averaged
        statistics = statistics * (self.n_frames / statistics.n_frames)
        mixture, update = maximize(statistics, floor=self.floor, previous=self.mixture)
        return mixture, statistics, update

    def _rescue(self) -> None:
        """Replace components of too little weight."""
        weights: FloatArray = self.mixture.weights
        light = np.flatnonzero(weights < LEAST_WEIGHT / len(weights)).tolist()
        if light:
            self.mixture = rescue_components(self.mixture, light)
            self.statistics = expected_statistics(self.mixture)
            self.rescued.update(light)
            if self.averaged is not None:  # a part of it was of other components
                self.averaged = expected_statistics(self.mixture, self.averaged.n_frames)


def smoothed(mixture: Mixture, share: float) -> Mixture:
    """Return the mixture with `share` of its weights spread evenly over the components.

    Examples
    --------
    >>> smoothed(Mixture([1.0, 0.0], [[0.0], [1.0]], [1.0, 1.0], "spherical"), 0.5).weights
    array([0.75, 0.25])
    """
    if share <= 0:
        return mixture
    weights = (1 - share) * mixture.weights + share / mixture.n_components
    return Mixture(weights, mixture.means, mixture.covariances, mixture.covariance_type)


def _slices(frames: Frames) -> Iterator[ArraySlice]:
    for first in range(0, len(frames), _SLICE):
        yield ArraySlice(f"rows from {first}", frames[first : first + _SLICE])
