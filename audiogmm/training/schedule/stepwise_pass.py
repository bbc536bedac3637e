"""One stepwise pass under way: batch after batch, E-step, a step of the statistics, M-step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.expected import expected
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.maximisation import maximise
from audiogmm.mixture.splitting import rescue
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import LocalReducer, Reducer
from audiogmm.training.frames.source import ArraySlice
from audiogmm.training.schedule.batch import EStep, Run
from audiogmm.training.schedule.steps import Stepwise
from audiogmm.types import FloatArray, Frames

EVENNESS = 1.0
"""Share of the weights that is spread evenly at first; it falls linearly to 0 at the last step."""

STARVED = 0.05
"""A component with less than this share of an even weight is started anew from the heaviest one."""

LOOK_EVERY, LOOK_UNTIL = 4, 0.75
"""Steps between two looks for the starved, and the share of all steps after which none is rescued."""

_SLICE = 1024  # rows that one thread works on


class Pass(Protocol):
    """A pass that updates after each batch."""

    batch: int
    n_frames: int
    log_likelihood: float
    skipped: float
    rescued: set[int]
    lost: int

    def take(self, frames: Frames) -> None:
        """One step."""
        ...

    def end(self) -> tuple[Mixture, SufficientStats, tuple[int, ...], int]:
        """The mixture, the statistics as of all frames, the emptied components, the floored variances."""
        ...


@dataclass(frozen=True)
class Measure:
    """The E-step over one batch, in slices for the threads of a reducer."""

    reducer: LocalReducer

    @classmethod
    def by(cls, reducer: Reducer) -> Measure:
        """With this reducer's threads."""
        return cls(reducer.threaded if isinstance(reducer, LocalReducer) else LocalReducer())

    def __call__(self, mixture: Mixture, frames: Frames) -> SufficientStats:
        e_step = EStep(Evaluator(mixture))
        if len(frames) <= _SLICE:
            return e_step.evaluator.accumulate(frames)
        total = self.reducer.reduce(_slices(frames), e_step)
        assert total is not None
        return total


class Walk:
    """A plain stepwise pass.

    Parameters
    ----------
    options : Stepwise
        How to step.
    measure : Measure
        The E-step.
    floor : ndarray of shape (n_features,), float64
        Variance floor.
    n_frames : int
        Frames of a pass.
    run : Run
        Where the pass begins.
    """

    def __init__(
        self, options: Stepwise, measure: Measure, floor: FloatArray, n_frames: int, run: Run
    ) -> None:
        self.options, self.measure, self.floor = options, measure, floor
        self.form, K = run.mixture.covariance_type, run.mixture.n_components
        self.batch = options.batch_of(K, self.form, n_frames)
        self.steps = -(-n_frames // self.batch)  # of one pass
        self.passes = options.passes
        self.t = len(run.history) * self.steps
        self.seen = len(run.history) * n_frames
        self.mixture = run.mixture
        self.statistics = (
            expected(run.mixture)
            if run.statistics is None
            else run.statistics * (1 / run.statistics.n_frames)
        )
        self.last = len(run.history) + 1 == self.passes
        self.averaged: SufficientStats | None = None  # their sum
        self.n_frames, self.log_likelihood, self.skipped = 0, 0.0, 0.0
        self.rescued: set[int] = set()
        self.lost = 0

    @property
    def progress(self) -> float:
        """Share of the steps of all passes that is done."""
        return self.t / (self.steps * self.passes)

    def take(self, frames: Frames) -> None:
        """One step."""
        progress = self.progress
        part = self.measure(evened(self.mixture, EVENNESS * (1 - progress)), frames)
        self.n_frames += len(frames)
        self.log_likelihood += part.log_likelihood
        self.skipped += part.skipped
        rho = self.options.step(self.seen, len(frames), self.mixture.n_components, self.form)
        self.seen += len(frames)
        self.statistics = (1 - rho) * self.statistics + (rho / len(frames)) * part
        self.t += 1
        self.mixture = maximise(self.statistics, floor=self.floor, previous=self.mixture)[0]
        if self.t % LOOK_EVERY == 0 and self.progress < LOOK_UNTIL:
            self._feed()
        if self.last and progress >= 1 - self.options.averaging / self.passes:
            self.averaged = part if self.averaged is None else self.averaged + part

    def end(self) -> tuple[Mixture, SufficientStats, tuple[int, ...], int]:
        """See `Pass`."""
        statistics = self.statistics if self.averaged is None else self.averaged
        statistics = statistics * (self.n_frames / statistics.n_frames)
        mixture, update = maximise(statistics, floor=self.floor, previous=self.mixture)
        return mixture, statistics, update.emptied, update.n_floored

    def _feed(self) -> None:
        """Start the starved anew."""
        weights: FloatArray = self.mixture.weights
        starved = np.flatnonzero(weights < STARVED / len(weights)).tolist()
        if starved:
            self.mixture = rescue(self.mixture, starved)
            self.statistics = expected(self.mixture)
            self.rescued.update(starved)
            if self.averaged is not None:  # a part of it was of other components
                self.averaged = expected(self.mixture, self.averaged.n_frames)


def evened(mixture: Mixture, share: float) -> Mixture:
    """The mixture with `share` of its weights spread evenly over the components.

    Examples
    --------
    >>> evened(Mixture([1.0, 0.0], [[0.0], [1.0]], [1.0, 1.0], "spherical"), 0.5).weights
    array([0.75, 0.25])
    """
    if share <= 0:
        return mixture
    weights = (1 - share) * mixture.weights + share / mixture.n_components
    return Mixture(weights, mixture.means, mixture.covariances, mixture.covariance_type)


def _slices(frames: Frames) -> Iterator[ArraySlice]:
    for first in range(0, len(frames), _SLICE):
        yield ArraySlice(f"rows from {first}", frames[first : first + _SLICE])
