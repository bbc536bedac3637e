"""Batch EM: one pass over all frames, one update, until converged. k-means runs in the same loop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from audiogmm.blocks import Shard
from audiogmm.mixture.evaluator import Evaluator
from audiogmm.mixture.gaussian import Mixture
from audiogmm.mixture.layout import is_low
from audiogmm.mixture.maximization import maximize
from audiogmm.mixture.movement import movement
from audiogmm.mixture.splitting import rescue_components
from audiogmm.mixture.statistics import SufficientStats
from audiogmm.reduce import Addable, Reducer
from audiogmm.training.frames.packing import accumulate
from audiogmm.training.frames.source import FrameSource
from audiogmm.training.schedule.approximation import ApproximationLoss
from audiogmm.training.schedule.convergence import Converged, Convergence
from audiogmm.training.schedule.kmeans import (
    ClusterAssignment,
    ClusterSums,
    fit_shared_variance,
    hard_log_likelihood,
)
from audiogmm.training.schedule.monitor import Monitor, PassReport
from audiogmm.types import FloatArray, Frames, Seconds

S = TypeVar("S", bound=Addable)
S_co = TypeVar("S_co", bound=Addable, covariant=True)

RESCUES = 2
"""How often one component is rescued before it is left empty."""


@dataclass(frozen=True)
class TrainingState:
    """A training after a pass: all that the next pass needs.

    Attributes
    ----------
    mixture : Mixture
        The latest estimate.
    statistics : SufficientStats or None
        What it was estimated from, before any rescue; None before the first pass.
    history : tuple of PassReport
        One report a pass.
    trail : tuple of Mixture
        Mixtures before this one that SQUAREM needs. Two if `mixture` is an extrapolation that no pass has
        confirmed: then the second is the estimate.
    reach : float
        The longest step of an accelerated training.
    """

    mixture: Mixture
    statistics: SufficientStats | None = None
    history: tuple[PassReport, ...] = ()
    trail: tuple[Mixture, ...] = ()
    reach: float = 4.0

    @property
    def settled(self) -> Mixture:
        """The latest estimate that came of a pass."""
        return self.trail[1] if len(self.trail) == 2 else self.mixture


@dataclass(frozen=True, slots=True)
class MStepResult:
    """The result of an update from a sum over all frames."""

    mixture: Mixture
    statistics: SufficientStats
    n_frames: float
    log_likelihood: float
    floored: int
    emptied: tuple[int, ...]
    inertia: float | None = None


class Statistic(Protocol[S_co]):
    """A function of frames that adds up: of a shard, or of an array of frames."""

    def __call__(self, shard: Shard) -> S_co:
        """Sum `of` over windows of the voiced frames of a shard."""
        ...

    def of(self, frames: Frames) -> S_co:
        """Evaluate these frames."""
        ...


class Method(Protocol[S]):
    """A training method: a statistic of the frames, and an update of the mixture from its sum."""

    def expect(self, mixture: Mixture) -> Statistic[S]:
        """Return the statistic under the mixture."""
        ...

    def update(self, total: S, mixture: Mixture) -> MStepResult:
        """Return the next mixture, from the sum over all shards under the last one."""
        ...


@dataclass(frozen=True, slots=True)
class ShardEStep:
    """Sufficient statistics of the voiced frames of a shard (Bishop 2006, eq. 9.23), never all in memory.

    Examples
    --------
    >>> import numpy as np
    >>> from audiogmm.training.frames.source import ArraySlice
    >>> e_step = ShardEStep(Evaluator(Mixture([1.0], [[0.0]], [1.0], "spherical")))
    >>> e_step(ArraySlice("a", np.ones((3, 1), np.float32))).counts
    array([3.])
    """

    evaluator: Evaluator

    def __call__(self, shard: Shard) -> SufficientStats:
        carried = getattr(shard, "carried", None)  # of a slice: one array, the same in every pass
        if carried is None:
            return accumulate(shard, self.of)
        return accumulate(shard, lambda frames: self.evaluator.accumulate(frames, None, carried))

    def of(self, frames: Frames) -> SufficientStats:
        """Return the statistics of these frames alone, shape (n, n_features)."""
        return self.evaluator.accumulate(frames)


@dataclass(frozen=True, slots=True)
class EM:
    """Expectation-maximization, with a floor under the variances (n_features,)."""

    floor: FloatArray

    def expect(self, mixture: Mixture) -> ShardEStep:
        """Return the E-step."""
        return ShardEStep(Evaluator(mixture, float64=is_low(self.floor, mixture)))

    def update(self, total: SufficientStats, mixture: Mixture) -> MStepResult:
        """Make the M-step."""
        after, update = maximize(total, floor=self.floor, previous=mixture)
        return MStepResult(
            after, total, total.n_frames, total.log_likelihood, update.n_floored, update.emptied
        )


@dataclass(frozen=True, slots=True)
class KMeans:
    """Lloyd's algorithm; the mixture is spherical with one shared variance."""

    floor: FloatArray

    def expect(self, mixture: Mixture) -> ClusterAssignment:
        """Return the assignment to the nearest mean."""
        return ClusterAssignment(mixture.means, mixture.center)

    def update(self, total: ClusterSums, mixture: Mixture) -> MStepResult:
        """Compute the means of the clusters."""
        after, update = fit_shared_variance(total, self.floor, mixture)
        log_likelihood = hard_log_likelihood(total, after)
        return MStepResult(
            after, total.moments, total.n_frames, log_likelihood, 0, update.emptied, total.inertia
        )


@dataclass(frozen=True)
class Schedule(Generic[S]):
    """Passes over a source until converged.

    Parameters
    ----------
    method : Method
        `EM` or `KMeans`.
    source : FrameSource
        The frames.
    reducer : Reducer
        Which sums over the frames.
    convergence : Convergence
        When to stop.
    passes : int
        The largest number of passes.
    monitor : Monitor
        Called with the progress.
    seconds_per_frame : Seconds
        Audio behind each frame, for the monitor.
    """

    method: Method[S]
    source: FrameSource
    reducer: Reducer
    convergence: Convergence
    passes: int
    monitor: Monitor
    seconds_per_frame: Seconds = 0.0

    def run(self, state: TrainingState) -> Iterator[TrainingState]:
        """Go on from a state; yield the state after each further pass.

        Parameters
        ----------
        state : TrainingState
            A start, or the last state of an earlier schedule.

        Yields
        ------
        TrainingState
            After every pass.
        """
        while len(state.history) < self.passes and not (state.history and self.converged(state)):
            state = self._once(state)
            yield state

    def converged(self, state: TrainingState) -> Converged:
        """Return the rule by which training ends here; empty for none."""
        return self.convergence.reached(state.history[-1]) if state.history else ""

    @property
    def loss(self) -> ApproximationLoss | None:
        """The loss of an approximate training, once it has ended; None for an exact one."""
        return None

    @property
    def bytes_beside(self) -> int:
        """Size of what the next pass needs beside the state; 0 where the state is all."""
        return 0

    def is_settled(self, state: TrainingState) -> bool:
        """Return whether what lies beside the state is of this state, not of the pass under way."""
        return True

    def keep_beside(self, path: Path) -> None:
        """Write what the next pass needs beside the state, if anything."""

    def check_beside(self, state: TrainingState, path: Path) -> None:
        """Raise `ModelFileError` if the next pass needs something beside the state that is not at `path`."""

    def _once(self, state: TrainingState) -> TrainingState:
        """E-step, M-step, report."""
        began = time.perf_counter()
        self.monitor.on_stage("pass", len(state.history) + 1, self.source.n_frames)
        total = self.source.reduce(self.reducer, self.method.expect(state.mixture), self._tick)
        return update_state(self.method, state, total, began)

    def _tick(self, part: S) -> None:
        n_frames = int(part.n_frames)  # type: ignore[attr-defined]
        self.monitor.on_frames(n_frames, n_frames * self.seconds_per_frame)


def update_state(method: Method[S], state: TrainingState, total: S, began: float) -> TrainingState:
    """Return the training after the update from a sum over all frames.

    Parameters
    ----------
    method : Method
        The method of the statistic.
    state : TrainingState
        Before; the statistic was taken under its mixture.
    total : object
        The sum.
    began : float
        When the pass began, on `time.perf_counter`'s clock.
    """
    updated = method.update(total, state.mixture)
    rescued = _worth_rescuing(updated.emptied, state.history)
    mixture = rescue_components(updated.mixture, rescued)
    report = PassReport(
        number=len(state.history) + 1,
        n_frames=int(updated.n_frames),
        log_likelihood=updated.log_likelihood / updated.n_frames,
        gain=None,
        movement=movement(state.mixture, mixture),
        floored=updated.floored,
        emptied=updated.emptied,
        rescued=rescued,
        skipped=updated.statistics.skipped / (updated.n_frames * mixture.n_components),
        inertia=updated.inertia,
        seconds=time.perf_counter() - began,
    )
    return TrainingState(mixture, updated.statistics, (*state.history, _with_gain(report, state.history)))


def _with_gain(report: PassReport, history: tuple[PassReport, ...]) -> PassReport:
    """Add the rise of the likelihood, where it compares with the pass before."""
    if not history or history[-1].rescued or history[-1].n_frames != report.n_frames:
        return report
    if history[-1].stepwise:  # not of one mixture
        return report
    return replace(report, gain=report.log_likelihood - history[-1].log_likelihood)


def _worth_rescuing(emptied: tuple[int, ...], history: tuple[PassReport, ...]) -> tuple[int, ...]:
    """The emptied components that were not rescued `RESCUES` times already."""
    return tuple(k for k in emptied if sum(k in report.rescued for report in history) < RESCUES)
